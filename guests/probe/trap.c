/* SPDX-License-Identifier: MIT */
/* Traps: who gets them, and how a test survives those that it expects. */
#include "hypercall.h"

u64 failsafe_sel[4];
char stacks[MAX_CPUS][STACK_SIZE] __attribute__((aligned(STACK_SIZE)));
static struct trap_info table[257];

_Static_assert(sizeof(struct regs) == 22 * 8, "entry.S pushes 22 words");
_Static_assert(offsetof(struct jump, rip) == 56, "catch_set of entry.S");

void trap_table(struct trap_info *t)
{
	for (unsigned int i = 0; i < 256; i++)
		t[i] = (struct trap_info){
			.vector = (u8)i,
			.flags = i == 3 || i == 4 || i == 0x80 ? 3 : 0,
			.cs = FLAT_KERNEL_CS,
			.address = (unsigned long)trap_stubs + i * 32,
		};
	t[256] = (struct trap_info){0};
}

/* The callbacks belong to the calling vcpu. */
void trap_init(void)
{
	struct callback_register cb[] = {
		{.type = CALLBACKTYPE_event, .address = (unsigned long)event_entry},
		{.type = CALLBACKTYPE_failsafe, .address = (unsigned long)failsafe_entry},
		{.type = CALLBACKTYPE_syscall,
		 .flags = CALLBACKF_mask_events,
		 .address = (unsigned long)syscall_entry},
		{.type = CALLBACKTYPE_syscall32,
		 .flags = CALLBACKF_mask_events,
		 .address = (unsigned long)syscall32_entry},
	};

	trap_table(table);
	set_trap_table(table);
	for (unsigned int i = 0; i < ARRAY_SIZE(cb); i++)
		callback_op(CALLBACKOP_register, &cb[i]);
}

static void jump_to(struct regs *r, const struct jump *j)
{
	r->rbx = j->rbx;
	r->rbp = j->rbp;
	r->r12 = j->r12;
	r->r13 = j->r13;
	r->r14 = j->r14;
	r->r15 = j->r15;
	r->rsp = j->rsp;
	r->rip = j->rip;
	r->rax = 1;
	r->cs = FLAT_KERNEL_CS & ~3;
	r->ss = FLAT_KERNEL_SS;
	r->rflags &= ~(RFLAGS_TF | RFLAGS_DF | RFLAGS_AC);
}

static void die(const struct regs *r, struct cpu *c)
{
	struct sched_shutdown off = {.reason = SHUTDOWN_crash};

	printf("\nprobe: PANIC: vcpu %u: trap 0x%lx error 0x%lx rip 0x%lx cr2 0x%lx rsp 0x%lx "
	       "rflags 0x%lx\n",
	       c->id, r->vector, r->error, r->rip, c->cr2, r->rsp, r->rflags);
	sched_op(SCHEDOP_shutdown, &off);
	for (;;)
		;
}

/* Called by entry.S.  What it leaves in *r goes to HYPERVISOR_iret. */
void trap_c(struct regs *r);
void trap_c(struct regs *r)
{
	struct cpu *c = this_cpu();
	bool user = (r->cs & 3) == 3;

	if (r->vector == VEC_EVENT) {
		event_dispatch(c);
		if (!c->user_timer || !user)
			return;
	}
	/* Sent by who tests the hypervisor's own ways in and out (tests/boot/test_isolation.py). */
	if (r->vector == 2 && option("nmi")) {
		r->error = 0;
		return;
	}
	c->cr2 = vcpu_info(c->id)->arch.cr2;
	if (c->hook && c->hook(r)) {
		r->error = 0;
		return;
	}
	c->trap = *r;
	r->error = 0;
	if (user && c->user_exit)
		jump_to(r, c->user_exit);
	else if (c->catch)
		jump_to(r, c->catch);
	else
		die(&c->trap, c);
}

int catch_trap(void (*fn)(void *), void *arg)
{
	struct jump *volatile outer = this_cpu()->catch;
	struct jump j;

	if (!catch_set(&j)) {
		this_cpu()->catch = &j;
		barrier();
		fn(arg);
		this_cpu()->catch = outer;
		return -1;
	}
	this_cpu()->catch = outer;
	return (int)this_cpu()->trap.vector;
}
