/* SPDX-License-Identifier: MIT */
/* Other vcpus: each waits in a loop for functions to run.  And the time. */
#include "hypercall.h"

static struct vcpu_guest_context context;

struct cpu *cpu_nr(unsigned int id)
{
	return (struct cpu *)stacks[id];
}

unsigned int nr_vcpus(void)
{
	unsigned int n = 0;

	while (n < 1024 && vcpu_op(VCPUOP_is_up, n, NULL) >= 0)
		n++;
	return n;
}

/* To another vcpu on this CPU; by PAUSE, to another CPU of an emulator that has them take turns. */
static void pass_on(void)
{
	sched_op(SCHEDOP_yield, NULL);
	cpu_relax();
}

void secondary_main(void);
void secondary_main(void)
{
	struct cpu *c = this_cpu();

	c->up = true;
	for (;;) {
		void (*fn)(void *) = c->work;

		if (fn) {
			fn(c->work_arg);
			/* Unless there is new work already (go_down). */
			__sync_bool_compare_and_swap(&c->work, fn, NULL);
		} else {
			pass_on();
		}
	}
}

static void make_context(unsigned int id)
{
	struct vcpu_guest_context *x = &context;

	memset(x, 0, sizeof(*x));
	x->flags = VGCF_in_kernel | VGCF_syscall_disables_events;
	x->user_regs.rip = (unsigned long)secondary_start;
	x->user_regs.rsp = (unsigned long)stacks[id] + STACK_SIZE;
	x->user_regs.cs = FLAT_KERNEL_CS;
	x->user_regs.ss = FLAT_KERNEL_SS;
	x->user_regs.rflags = RFLAGS_IF;
	trap_table(x->trap_ctxt);
	x->kernel_ss = FLAT_KERNEL_SS;
	x->kernel_sp = x->user_regs.rsp;
	x->ctrlreg[3] = xen_pfn_to_cr3(root_mfn());
	x->event_callback_eip = (unsigned long)event_entry;
	x->failsafe_callback_eip = (unsigned long)failsafe_entry;
	x->syscall_callback_eip = (unsigned long)syscall_entry;
}

static bool wait_flag(volatile bool *flag, bool value)
{
	u64 end = now_ns() + 5000000000UL;

	while (*flag != value && now_ns() < end)
		pass_on();
	return *flag == value;
}

long cpu_up(unsigned int id)
{
	struct cpu *c = cpu_nr(id);
	long rc;

	if (id < MAX_CPUS && c->up)
		return 0;
	if (id >= MAX_CPUS)
		return -XEN_ENOENT;
	c->id = id;
	make_context(id);
	rc = vcpu_op(VCPUOP_initialise, id, &context);
	if (rc && rc != -XEN_EEXIST)
		return rc;
	rc = vcpu_op(VCPUOP_up, id, NULL);
	if (rc)
		return rc;
	return wait_flag(&c->up, true) ? 0 : -XEN_ETIMEDOUT;
}

static void go_down(void *arg)
{
	struct cpu *c = this_cpu();

	c->work = NULL;
	c->up = false;
	vcpu_op(VCPUOP_down, c->id, NULL);
	/* VCPUOP_up continues here. */
	c->up = true;
}

void cpu_down(unsigned int id)
{
	struct cpu *c = cpu_nr(id);
	u64 end = now_ns() + 5000000000UL;

	if (!c->up)
		return;
	c->work_arg = NULL;
	c->work = go_down;
	wait_flag(&c->up, false);
	while (vcpu_op(VCPUOP_is_up, id, NULL) == 1 && now_ns() < end)
		pass_on();
}

void cpu_run(unsigned int id, void (*fn)(void *), void *arg)
{
	struct cpu *c = cpu_nr(id);

	c->work_arg = arg;
	mb();
	c->work = fn;
}

bool cpu_wait(unsigned int id)
{
	struct cpu *c = cpu_nr(id);
	u64 end = now_ns() + 60000000000UL;

	while (c->work && now_ns() < end)
		pass_on();
	return !c->work;
}

u64 rdtsc(void)
{
	u32 lo, hi;

	asm volatile("lfence; rdtsc" : "=a"(lo), "=d"(hi));
	return (u64)hi << 32 | lo;
}

u64 now_ns(void)
{
	struct vcpu_time_info *t = &this_info()->time;
	u32 version;
	u64 ns;

	do {
		u64 delta;

		version = ACCESS_ONCE(t->version);
		barrier();
		delta = rdtsc() - ACCESS_ONCE(t->tsc_timestamp);
		delta = t->tsc_shift < 0 ? delta >> -t->tsc_shift : delta << t->tsc_shift;
		ns = t->system_time + (u64)((unsigned __int128)delta * t->tsc_to_system_mul >> 32);
		barrier();
	} while ((version & 1) || version != ACCESS_ONCE(t->version));
	return ns;
}
