/* SPDX-License-Identifier: MIT */
/*
 * The few functions that QEMU offers to a TCG plugin (API version 1, as in Debian 12's QEMU 7.2)
 * and that count.c uses.  Debian ships no header for them; this one states the binary interface.
 */
#ifndef BENCH_QEMU_API_H
#define BENCH_QEMU_API_H

#include <stddef.h>
#include <stdint.h>

#define QEMU_PLUGIN_EXPORT __attribute__((visibility("default")))

struct qemu_plugin_tb;
struct qemu_plugin_insn;

/* Kinds of access to registers that a callback wants, and of inline operations. */
enum {
	QEMU_PLUGIN_CB_NO_REGS
};
enum {
	QEMU_PLUGIN_INLINE_ADD_U64
};

void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id,
					   void (*cb)(uint64_t id, struct qemu_plugin_tb *tb));
/* Forgets all callbacks and translations soon, when no CPU runs, and then calls cb. */
void qemu_plugin_reset(uint64_t id, void (*cb)(uint64_t id));
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t i);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);

/* Adds imm to *ptr whenever insn is about to execute. */
void qemu_plugin_register_vcpu_insn_exec_inline(struct qemu_plugin_insn *insn, int op, void *ptr,
						uint64_t imm);
/* The same when a block begins. */
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *tb, int op, void *ptr,
					      uint64_t imm);
/* Calls cb before insn executes. */
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn,
					    void (*cb)(unsigned int cpu, void *data), int flags,
					    void *data);

#endif
