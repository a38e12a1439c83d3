/* SPDX-License-Identifier: MIT */
/*
 * The hypercall fuzzer: inputs are whole states (registers, table entries, argument pages) that end in one
 * hypercall or trap. Everything follows from the seed and the number of the input.
 */
#ifndef PROBE_FUZZ_H
#define PROBE_FUZZ_H

#include "kit.h"

/* fuzz_entry.S knows the order. */
struct fuzz_regs {
	u64 rax, rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15;
};

/* Loads all registers but rsp, executes SYSCALL, and stores them again. */
void fuzz_syscall(struct fuzz_regs *r);
/* Loads all registers but rsp and jumps; the code ends in a trap. */
void fuzz_jump(struct fuzz_regs *r, const void *code) __attribute__((noreturn));
/* Loads all registers but rsp, pushes what HYPERVISOR_iret wants, and calls it. */
void fuzz_iret(struct fuzz_regs *r, const u64 frame[9]) __attribute__((noreturn));

#define NR_TREES 6
#define NR_DATA	 12

/* What the inputs play with: tables of all levels with the kernel's own slots in the roots, data pages. */
struct playground {
	u64 *table[NR_TREES][5]; /* [.][0] is a data page */
	u64 *data[NR_DATA];
	char *arg;  /* two pages, the second one is followed by nothing */
	char *code; /* executable */
	u64 first;  /* its first frame; those below are this kernel's own */
	u32 port;   /* of VIRQ_TIMER */
};
extern struct playground pg;

/* --- fuzz.c --- */
u64 rnd(void);
static inline u32 below(u32 n)
{
	return (u32)((rnd() >> 16) % n);
}
static inline bool one_in(u32 n)
{
	return below(n) == 0;
}
#define pick(array) ((array)[below(ARRAY_SIZE(array))])
extern bool fuzz_trace; /* print each input before it is tried */
extern u64
	fuzz_touched; /* by number: the hypercalls of this input; what they may have changed is restored */
#define trace(...)                           \
	do {                                 \
		if (fuzz_trace)              \
			printf(__VA_ARGS__); \
	} while (0)
/* The own domain may be anybody's; what only dom0 may is not tried by others without need. */
void fuzz(void);

/* The timer's channel, open: an input may have closed it, and another one bound the timer again. */
void bind_timer(void);

/* --- fuzz_values.c --- */
u64 v_number(void); /* boundaries and noise */
u64 v_flip(u64 v);  /* another bit; never makes it a frame or an entry of this kernel */
u64 v_mfn(void);    /* mostly of the playground */
u64 v_entry(unsigned int level);
u64 v_slot(void);    /* machine address of a table entry */
u64 v_address(void); /* virtual: anything that is not ours to lose */
u64 v_register(void);
domid_t v_domid(void);
u32 v_port(void);
/* What fields= says, one character a field; returns the size. dst has room for it. */
size_t v_fields(char *dst, const char *fields, u32 cmd);
u64 v_field(char kind, u32 cmd);
/* Up to 512 words that lists of frames, ports and the like are read from. */
void v_buffer(void);

/* --- fuzz_calls.c --- */
/* One hypercall with its arguments ready in memory and in *r. */
void fuzz_call_make(struct fuzz_regs *r);
u64 fuzz_call(void);
u64 fuzz_multicall(void);

/* --- fuzz_traps.c --- */
u64 fuzz_tables(void); /* tables made anew, stores into tables in use */
u64 fuzz_kernel_code(void);
u64 fuzz_user_code(void);
u64 fuzz_int(void);
u64 fuzz_bad_iret(void);

#endif
