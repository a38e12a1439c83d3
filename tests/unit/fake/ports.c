/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "fake/ports.h"
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

static u32 (*port_reader)(u16 port, unsigned int size);
static void (*port_writer)(u16 port, unsigned int size, u32 v);
static struct sigaction before;
static sigjmp_buf machine_end;
static bool may_end;

static void port_in(greg_t *rax, u16 port, unsigned int size)
{
	u32 mask = size == 4 ? ~0u : (1u << size * 8) - 1;
	u32 v = port_reader ? port_reader(port, size) & mask : mask;

	/* A write to EAX clears the upper half of RAX, smaller ones keep the rest. */
	*rax = size == 4 ? (greg_t)v : (*rax & ~(greg_t)mask) | (greg_t)v;
}

static void port_out(greg_t rax, u16 port, unsigned int size)
{
	u32 mask = size == 4 ? ~0u : (1u << size * 8) - 1;

	if (port_writer)
		port_writer(port, size, (u32)rax & mask);
}

/* The opcode (Intel SDM, volume 2): bit 0 is the size, bit 1 OUT, bit 3 the port in DX. Length, 0: another one. */
static unsigned int emulate(greg_t *regs)
{
	const u8 *at = (const u8 *)regs[REG_RIP];
	unsigned int prefix = *at == 0x66, size, len;
	u8 op = at[prefix];
	u16 port;

	if ((op & 0xf4) != 0xe4)
		return 0;
	size = !(op & 1) ? 1 : prefix ? 2 : 4;
	port = op & 8 ? (u16)regs[REG_RDX] : at[prefix + 1];
	len = prefix + (op & 8 ? 1 : 2);
	if (op & 2)
		port_out(regs[REG_RAX], port, size);
	else
		port_in(&regs[REG_RAX], port, size);
	return len;
}

static void handler(int sig, siginfo_t *info, void *context)
{
	greg_t *regs = ((ucontext_t *)context)->uc_mcontext.gregs;
	const u8 *at = (const u8 *)regs[REG_RIP];
	unsigned int len = emulate(regs);

	if (len) {
		regs[REG_RIP] += len;
	} else if (may_end && (*at == 0xfa || (at[0] == 0x0f && at[1] == 0x01))) {
		siglongjmp(machine_end, *at == 0xfa ? 'h' : 'r');
	} else {
		/* A fault like any other: the sanitizer reports it. */
		sigaction(SIGSEGV, &before, NULL);
	}
}

char fake_machine_end(void (*fn)(void))
{
	int how = sigsetjmp(machine_end, 1);

	may_end = !how;
	if (!how) {
		fn();
		abort();
	}
	return (char)how;
}

void fake_ports(u32 (*in)(u16 port, unsigned int size), void (*out)(u16 port, unsigned int size, u32 v))
{
	struct sigaction a = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_NODEFER};

	port_reader = in;
	port_writer = out;
	sigaction(SIGSEGV, &a, &before);
}
