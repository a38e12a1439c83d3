/* SPDX-License-Identifier: MIT */
/* The fuzzer's traps: instructions that the hypervisor carries out or refuses, stores into tables. */
#include "hypercall.h"
#include "fuzz.h"

static void fill_registers(struct fuzz_regs *r)
{
	u64 *w = (u64 *)r;

	for (unsigned int i = 0; i < sizeof(*r) / 8; i++)
		w[i] = v_register();
}

/* --- page tables --- */

static void set_table(u64 *t, unsigned int level)
{
	u32 n = one_in(4) ? 512 : 8;

	for (u32 i = 0; i < n; i++)
		if (level < 4 || i < 256)
			t[i] = one_in(2) ? 0 : v_entry(level);
}

struct store {
	void *at;
	u64 value, other;
	u32 how;
};

static void do_store(void *arg)
{
	struct store *s = arg;
	u64 old = s->other;

	switch (s->how) {
	case 0:
		*(volatile u8 *)s->at = (u8)s->value;
		break;
	case 1:
		*(volatile u16 *)s->at = (u16)s->value;
		break;
	case 2:
		*(volatile u32 *)s->at = (u32)s->value;
		break;
	case 3:
		asm volatile("lock cmpxchgq %2, (%1)" : "+a"(old) : "r"(s->at), "r"(s->value));
		break;
	case 4:
		asm volatile("xchgq %0, (%1)" : "+r"(s->value) : "r"(s->at));
		break;
	case 5:
		asm volatile("lock orq %0, (%1)" : : "r"(s->value), "r"(s->at));
		break;
	case 6:
		asm volatile("lock btsq %0, (%1)" : : "r"(s->value & 63), "r"(s->at));
		break;
	case 7: {
		u64 n = 4;
		void *at = s->at;

		asm volatile("rep stosq" : "+D"(at), "+c"(n) : "a"(s->value) : "memory");
		break;
	}
	default:
		*(volatile u64 *)s->at = s->value;
	}
}

/* Entries of a root that keep this kernel alive are not in reach: its first half only. */
static u64 store_into(u64 *t, unsigned int level)
{
	struct store s = {.value = v_entry(level), .how = below(12)};
	u32 i = one_in(2) ? below(8) : below(256);

	s.other = t[i];
	s.at = (char *)&t[i] + (one_in(8) ? below(8) : 0);
	trace(" store %u of %lx at %p, a table of level %u\n", s.how, s.value, s.at, level);
	return (u64)catch_trap(do_store, &s);
}

u64 fuzz_tables(void)
{
	unsigned int level = below(5);
	u64 *t = pg.table[below(NR_TREES)][level];
	u64 rc;

	if (one_in(2))
		return store_into(t, level);
	/* In use as a table it stays read-only, and is left alone. */
	rc = (u64)page_rw(t);
	if (rc)
		return rc;
	trace(" new table of level %u at %p\n", level, (void *)t);
	set_table(t, level);
	rc = (u64)page_ro(t);
	return level && one_in(2) ? (u64)pin((int)level, va_mfn(t)) : rc;
}

/* --- instructions of the kernel --- */

/* m: a byte of addressing, 0: after a zero; i: a byte, b: of a port that dom0 may write to. */
static const struct {
	const char *bytes, *then;
} privileged[] = {
	{"\x0f\x20", "m"},     {"\x0f\x21", "m"},
	{"\x0f\x22", "m"},     {"\x0f\x23", "m"},
	{"\x0f\x30", ""},      {"\x0f\x32", ""},
	{"\x0f\x31", ""},      {"\x0f\x33", ""},
	{"\x0f\xa2", ""},      {"\x0f\x0b\x78\x65\x6e\x0f\xa2", ""},
	{"\x0f\x06", ""},      {"\x0f\x08", ""},
	{"\x0f\x09", ""},      {"\x0f\x01\xd0", ""},
	{"\x0f\x01\xd1", ""},  {"\x0f\x01\xf8", ""},
	{"\x0f\x01\xf9", ""},  {"\x0f\x01\xc8", ""},
	{"\x0f\x01\xc9", ""},  {"\x0f\x01\xd9", ""},
	{"\x0f\x01\xc1", ""},  {"\x0f\x01\xca", ""},
	{"\x0f\x01\xcb", ""},  {"\x0f\x01", "m"},
	{"\x0f\x07", ""},      {"\xe4", "b"},
	{"\xe5", "b"},	       {"\xe6", "b"},
	{"\xe7", "b"},	       {"\xec", ""},
	{"\xed", ""},	       {"\xee", ""},
	{"\xef", ""},	       {"\x6c", ""},
	{"\x6d", ""},	       {"\x6e", ""},
	{"\x6f", ""},	       {"\xfa", ""},
	{"\xfb", ""},	       {"\xf1", ""},
	{"\xcc", ""},	       {"\xcd", "i"},
	{"\x0f\x0b", ""},      {"\x0f\xb9", "m"},
	{"\x0f\xff", "m"},     {"\x0f\x34", ""},
	{"\x0f\x35", ""},      {"\x8e", "m"},
	{"\x0f\xae", "m"},     {"\x0f\xc7", "m"},
	{"\x0f\x38\x82", "m"}, {"\x0f", "0"},
};

static const u8 prefixes[] = {0x66, 0x67, 0xf0, 0xf2, 0xf3, 0x2e, 0x36, 0x3e, 0x26, 0x64, 0x65};
static const u8 safe_ports[] = {0x20, 0x21, 0x40, 0x42, 0x43, 0x61, 0x80, 0xa0, 0xa1, 0xed};
static const u32 msrs[] = {0x10,       0x1b,	   0x3a,       0x48,	   0x49,       0x8b,
			   0xfe,       0x10a,	   0x174,      0x175,	   0x176,      0x17a,
			   0x1a0,      0x1d9,	   0x200,      0x277,	   0x2ff,      0x480,
			   0x6e0,      0x800,	   0x802,      0x830,	   0xc0000080, 0xc0000081,
			   0xc0000082, 0xc0000083, 0xc0000084, 0xc0000100, 0xc0000101, 0xc0000102,
			   0xc0000103, 0xc0010015, 0xc001001f, 0xc0011020};

static u8 *put_operand(u8 *p, char kind)
{
	static const u8 vectors[] = {0, 1, 3, 4, 13, 14, 0x20, 0x30, 0x80, 0x82, 0xf0, 0xff};

	if (kind == '0')
		*p++ = 0;
	if (kind == 'm' || kind == '0') {
		u8 m = (u8)rnd();

		/* rsp as a destination is the one register that the way back needs. */
		*p++ = (m & 7) == 4 ? m ^ 1 : m;
	} else if (kind == 'i') {
		*p++ = one_in(2) ? pick(vectors) : (u8)rnd();
	} else if (kind == 'b') {
		*p++ = is_dom0() ? pick(safe_ports) : (u8)rnd();
	}
	return p;
}

static bool string_io; /* INS or OUTS, in the code last made */

/* Returns where it begins: sometimes with the last bytes of a page. What follows traps. */
static char *make_code(void)
{
	u32 i = below(ARRAY_SIZE(privileged)), n;
	u8 *p = (u8 *)pg.code;

	memset(p, 0xcc, 64);
	while (one_in(4))
		*p++ = pick(prefixes);
	if (one_in(3))
		*p++ = (u8)(0x40 | below(16));
	string_io = (privileged[i].bytes[0] & 0xfc) == 0x6c;
	memcpy(p, privileged[i].bytes, strlen(privileged[i].bytes));
	p = put_operand(p + strlen(privileged[i].bytes), privileged[i].then[0]);
	n = (u32)(p - (u8 *)pg.code);
	if (!one_in(16))
		return pg.code;
	return memcpy(pg.code + PAGE_SIZE - n, pg.code, n);
}

static const char *code_start;

static void code_body(void *arg)
{
	fuzz_jump(arg, code_start);
}

static void timer_soon(void)
{
	hcall(__HYPERVISOR_set_timer_op, now_ns() + 200000);
}

u64 fuzz_kernel_code(void)
{
	struct fuzz_regs r;
	u64 rc;

	fuzz_touched = ~0UL;
	code_start = make_code();
	fill_registers(&r);
	if (one_in(2))
		r.rcx = pick(msrs);
	if (is_dom0() || one_in(2))
		r.rdx = pick(safe_ports);
	r.rdi = (u64)pg.arg + below(4096);
	if (is_dom0() && (u32)r.rcx <= 0xffff)
		r.rcx = below(64);
	/* All of the memory byte by byte through a port would end, but not today. */
	if (string_io)
		r.rcx %= 64;
	/* Roots that keep this kernel; other values may end it. */
	if (is_dom0())
		r.rax = one_in(2) ? va_mfn(pg.table[below(NR_TREES)][4]) << 12 : below(1 << 12);
	trace(" kernel code %02x %02x %02x %02x %02x %02x rax %lx rcx %lx rdx %lx\n",
	      (u8)pg.code[0], (u8)pg.code[1], (u8)pg.code[2], (u8)pg.code[3], (u8)pg.code[4],
	      (u8)pg.code[5], r.rax, r.rcx, r.rdx);
	catch_trap(code_body, &r);
	rc = this_cpu()->trap.vector << 32 | this_cpu()->trap.error;
	return rc ^ this_cpu()->trap.rax;
}

u64 fuzz_int(void)
{
	struct fuzz_regs r;

	fill_registers(&r);
	memset(pg.code, 0xcc, 16);
	pg.code[0] = (char)0xcd;
	pg.code[1] = (char)rnd();
	code_start = pg.code;
	/* int 3, 4 and 80 are the guest's own; the others fault. */
	trace(" int %02x\n", (u8)pg.code[1]);
	catch_trap(code_body, &r);
	return this_cpu()->trap.vector << 32 | this_cpu()->trap.error;
}

/* --- user mode: bytes, until something traps or the timer says that it is enough --- */

u64 fuzz_user_code(void)
{
	static char code[32];
	struct regs r;
	u64 *w = (u64 *)&r;
	int vector;

	for (unsigned int i = 0; i < sizeof(code); i++)
		code[i] = (char)rnd();
	if (one_in(2)) {
		make_code();
		memcpy(code, pg.code, sizeof(code));
	}
	for (unsigned int i = 0; i < 12; i++)
		w[i] = one_in(2) ? USER_DATA + below(4096) : v_register();
	user_regs(&r);
	for (unsigned int i = 0; i < 12; i++)
		w[i] = one_in(2) ? USER_DATA + below(4096) : v_register();
	if (one_in(4))
		r.rflags ^= 1UL << below(22);
	/* With events masked nothing would end a loop. */
	r.rflags |= 0x200;
	if (one_in(4))
		r.rsp = v_register();
	trace(" user code %02x %02x %02x %02x %02x %02x rflags %lx rsp %lx\n", (u8)code[0],
	      (u8)code[1], (u8)code[2], (u8)code[3], (u8)code[4], (u8)code[5], r.rflags, r.rsp);
	bind_timer();
	timer_soon();
	this_cpu()->user_timer = true;
	vector = user_run(code, code + sizeof(code), &r);
	this_cpu()->user_timer = false;
	return (u64)vector;
}

/* --- what HYPERVISOR_iret is given --- */

struct iret {
	struct fuzz_regs r;
	u64 frame[9];
};

static void iret_body(void *arg)
{
	struct iret *i = arg;

	fuzz_iret(&i->r, i->frame);
}

u64 fuzz_bad_iret(void)
{
	static const u64 selectors[] = {0,	1,	3,	0xe008, 0xe010, 0xe019, 0xe023,
					0xe02b, 0xe033, 0xe03b, 0x10,	0x33,	0x2b,	0xffff,
					0xe030, 0xe02a, 0xe028, 7,	0xf,	0xe040, 0xe07b};
	struct iret i;
	u64 sp;

	fuzz_touched = ~0UL;
	asm volatile("mov %%rsp, %0" : "=r"(sp));
	fill_registers(&i.r);
	memset(pg.code, 0xcc, 16);
	for (unsigned int k = 0; k < 9; k++)
		i.frame[k] = v_register();
	i.frame[3] &= one_in(2) ? 0x100 : ~0UL; /* VGCF_in_syscall */
	i.frame[4] = one_in(4) ? v_register() : (u64)pg.code;
	i.frame[5] = one_in(4) ? pick(selectors) : one_in(2) ? FLAT_KERNEL_CS : FLAT_USER_CS;
	i.frame[6] = one_in(2) ? 0x202 : rnd();
	/* A kernel whose stack is gone ends; that is for crash.c. */
	i.frame[7] = (sp - 2048) & ~15UL;
	i.frame[8] = one_in(4) ? pick(selectors) : FLAT_KERNEL_SS;
	trace(" iret to %lx:%lx flags %lx rflags %lx ss %lx\n", i.frame[5], i.frame[4], i.frame[3],
	      i.frame[6], i.frame[8]);
	timer_soon();
	stack_switch(FLAT_KERNEL_SS, (sp - 4096) & ~15UL);
	this_cpu()->user_timer = true;
	catch_trap(iret_body, &i);
	this_cpu()->user_timer = false;
	return this_cpu()->trap.vector << 32 | this_cpu()->trap.error;
}
