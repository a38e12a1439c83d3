/* SPDX-License-Identifier: MIT */
/* Port instructions of PV guests (pv/emul_io.c); part of pv/emul.c's dispatch. */
#ifndef PV_EMUL_H
#define PV_EMUL_H

#include "dom/domain.h"
#include "pv/decode.h"

/* IN and OUT, immediate and DX forms. False: the guest gets its #GP. */
bool pv_emul_io(struct vcpu *v, struct cpu_user_regs *regs, struct insn *i);
/* INS and OUTS with or without REP; one element an execution, so that interrupts are taken. */
bool pv_emul_string_io(struct vcpu *v, struct cpu_user_regs *regs, struct insn *i);

#endif
