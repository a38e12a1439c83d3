/* SPDX-License-Identifier: MIT */
/*
 * The probe's run-time kit: outcomes of tests, printing, traps that a test expects, memory and page
 * tables, user mode, other vcpus, events.  A test is a function without arguments; it checks with the
 * macros below.  An exception that it did not expect ends it as an ERROR.
 */
#ifndef PROBE_KIT_H
#define PROBE_KIT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <xen/xen.h>
#include <xen/errno.h>
#include <xen/features.h>
#include "layout.h"

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int16_t s16;
typedef int64_t s64;

#define ARRAY_SIZE(a)  (sizeof(a) / sizeof((a)[0]))
#define PAGE_SIZE      4096UL
#define __noinline     __attribute__((noinline))
#define barrier()      asm volatile("" ::: "memory")
#define mb()	       asm volatile("mfence" ::: "memory")
#define ACCESS_ONCE(x) (*(volatile typeof(x) *)&(x))
#define cpu_relax()    asm volatile("pause" ::: "memory")
#define __printf(f, a) __attribute__((format(printf, f, a)))

#define PTE_P	  1UL
#define PTE_RW	  2UL
#define PTE_US	  4UL
#define PTE_PWT	  8UL
#define PTE_PCD	  0x10UL
#define PTE_A	  0x20UL
#define PTE_D	  0x40UL
#define PTE_PSE	  0x80UL
#define PTE_G	  0x100UL
#define PTE_AVL	  0xe00UL
#define PTE_NX	  (1UL << 63)
#define PTE_ADDR  0x000ffffffffff000UL
#define PTE_TABLE (PTE_P | PTE_RW | PTE_US | PTE_A | PTE_D)

#define RFLAGS_TF 0x100UL
#define RFLAGS_IF 0x200UL
#define RFLAGS_DF 0x400UL
#define RFLAGS_AC 0x40000UL

/* A trap as the stubs of entry.S leave it: order is theirs. */
struct regs {
	u64 r15, r14, r13, r12, r10, r9, r8, rbp, rbx, rdx, rsi, rdi;
	u64 vector;
	u64 rax, r11, rcx;
	u64 error; /* the flags of HYPERVISOR_iret on the way back */
	u64 rip, cs, rflags, rsp, ss;
};

/* --- main.c: tests and outcomes --- */
struct test {
	const char *name;
	void (*fn)(void);
};

struct topic {
	const char *name;
	const struct test *tests; /* ends with a NULL name */
};

enum outcome {
	SUCCESS,
	FAILURE,
	ERROR,
	SKIP,
	NR_OUTCOMES
};

extern struct start_info *start_info;
extern struct start_info start_copy; /* as it was at the start */
extern u64 boot_regs[23];
extern bool verbose;

static inline bool is_dom0(void)
{
	return start_copy.flags & SIF_INITDOMAIN;
}

/* The value of word `name=` on the command line, or the empty string; NULL when it is not there. */
const char *option(const char *name);
void outcome_set(enum outcome o, const char *file, int line, const char *fmt, ...) __printf(4, 5);
/* Runs a test, whatever it does, and says how it went. */
enum outcome outcome_of(void (*fn)(void));
bool check_eq(const char *file, int line, const char *what, u64 got, u64 want);
bool check_true(const char *file, int line, const char *what, bool ok);
bool check_rc(const char *file, int line, const char *what, long got, long want);
bool check_refused(const char *file, int line, const char *what, long rc);

#define CHECK(cond)	    check_true(__FILE__, __LINE__, #cond, (cond))
#define CHECK_EQ(got, want) check_eq(__FILE__, __LINE__, #got, (u64)(got), (u64)(want))
/* A hypercall's result: exactly want; or any error. */
#define CHECK_RC(call, want) check_rc(__FILE__, __LINE__, #call, (call), (want))
#define CHECK_OK(call)	     CHECK_RC(call, 0)
#define CHECK_REFUSED(call)  check_refused(__FILE__, __LINE__, #call, (call))
/* What the test itself needs: without it, its answer would mean nothing. */
#define REQUIRE(cond)                                                              \
	do {                                                                       \
		if (!(cond)) {                                                     \
			outcome_set(ERROR, __FILE__, __LINE__, "needs %s", #cond); \
			return;                                                    \
		}                                                                  \
	} while (0)
#define REQUIRE_OK(call)                                                                \
	do {                                                                            \
		long rc_ = (call);                                                      \
		if (rc_) {                                                              \
			outcome_set(ERROR, __FILE__, __LINE__, "%s = %ld", #call, rc_); \
			return;                                                         \
		}                                                                       \
	} while (0)
#define SKIP_TEST(why)                                            \
	do {                                                      \
		outcome_set(SKIP, __FILE__, __LINE__, "%s", why); \
		return;                                           \
	} while (0)

/* --- print.c --- */
void console_init(void);
/* When the shared page is mapped: no upcalls for the channels that the tools have made. */
void console_quiet(void);
/*
 * Around EVTCHNOP_reset and FIFO queues, which know no channel but the test's: what is printed between
 * the two stays in the ring, what does not fit is lost.  False: nobody is at the other end.
 */
bool console_hold(void);
void console_release(void);
/* From here on what is printed goes to buf, ended by a zero; what does not fit is lost. */
void console_capture(char *buf, size_t size);
void printf(const char *fmt, ...) __printf(1, 2);
int vsnprintf(char *buf, size_t n, const char *fmt, va_list ap);
void *memset(void *d, int c, size_t n);
void *memcpy(void *d, const void *s, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);

/* --- trap.c --- */
struct jump {
	u64 rbx, rbp, r12, r13, r14, r15, rsp, rip;
};

/* Lives at the lowest address of each vcpu's stack. */
struct cpu {
	unsigned int id;
	struct jump *catch;	/* where an exception of the kernel goes */
	struct jump *user_exit; /* where anything from user mode goes */
	struct regs trap;	/* the last one caught */
	u64 cr2;
	bool (*hook)(struct regs *r); /* true: handled, continue with *r */
	bool user_timer;	      /* an event in user mode ends it */
	volatile u64 nr_events;
	void (*volatile work)(void *);
	void *work_arg;
	volatile bool up;
};

extern char trap_stubs[], event_entry[], syscall_entry[], failsafe_entry[], syscall32_entry[];
extern char stacks[MAX_CPUS][STACK_SIZE];
extern u64 failsafe_sel[4];
int catch_set(struct jump *j) __attribute__((returns_twice));
void iret_regs(struct regs *r) __attribute__((noreturn));
void call_on_stack(void (*fn)(void *), void *arg, void *top);
void secondary_start(void);
/* Fills all 256 entries and the end mark (257). */
void trap_table(struct trap_info *t);
void trap_init(void);

static inline struct cpu *this_cpu(void)
{
	u64 sp;

	asm volatile("mov %%rsp, %0" : "=r"(sp));
	return (struct cpu *)(sp & ~(STACK_SIZE - 1UL));
}

/* Runs fn(arg); -1 when it returned, else the vector of the exception; frame in this_cpu()->trap. */
int catch_trap(void (*fn)(void *), void *arg);

static inline struct vcpu_info *vcpu_info(unsigned int id);
/* A page of its own: the hypervisor's frame is mapped in its place. */
extern union shared_page {
	struct shared_info info;
	char page[4096];
} shared_page;
#define shared shared_page.info

static inline struct vcpu_info *vcpu_info(unsigned int id)
{
	return &shared.vcpu_info[id];
}

static inline struct vcpu_info *this_info(void)
{
	return vcpu_info(this_cpu()->id);
}

/* --- mem.c --- */
extern unsigned long *p2m;
extern unsigned long nr_pages, init_pfns, dm_end; /* dm_end: pfn behind the direct map */
void mem_init(void);
/*
 * Instead of it, in a domain whose tables are there already: the image up to image_end, then free pages
 * up to heap_end, both mapped once, then the tables.
 */
void mem_adopt(unsigned long *list, u64 root_of_tables, unsigned long image_end,
	       unsigned long heap_end, unsigned long end);
/* A zeroed page, mapped once and writable; NULL when there is none. */
void *page_alloc(void);
/* Makes it writable again first; a page of which that is refused is an ERROR and stays lost. */
void page_free(void *page);
u64 va_pfn(const void *va);
u64 va_mfn(const void *va);
void *mfn_va(u64 mfn);
#define mfn_pfn(mfn) (((unsigned long *)MACH2PHYS_VIRT_START)[mfn])
static inline u64 mk_pte(u64 mfn, u64 flags)
{
	return mfn << 12 | flags;
}
#define PTE_KERNEL (PTE_P | PTE_RW | PTE_A | PTE_D)
#define PTE_RO	   (PTE_P | PTE_A | PTE_D)
/* The table entry that maps va at a level (1..4) in the kernel's tables: value, machine address. */
u64 pte_get(u64 va, int level, u64 *ma);
u64 root_mfn(void);
long page_set(const void *va, u64 pte); /* update_va_mapping with INVLPG */
long page_ro(void *page);
long page_rw(void *page);
void *win(unsigned int i); /* address of window page i, unmapped between tests */
long win_map(unsigned int i, u64 pte);
void win_clear(void);
long pt_write(u64 ma, u64 val); /* mmu_update of one entry, MMU_NORMAL_PT_UPDATE */
#define slot_ma(table, i) ((va_mfn(table) << 12) + (u64)(i)*8)
long pin(int level, u64 mfn); /* PIN_Lx_TABLE */
long unpin(u64 mfn);
void tlb_flush(void);
/* Byte accesses that may fault: -1 or the vector. */
int try_read(const void *va);
int try_write(void *va);
int try_write64(void *va, u64 val);

/* --- user.c --- */
/* Builds the user root with one code, one data and one stack page. False: refused. */
bool user_init(void);
extern u64 user_root_mfn;
extern char *user_data; /* the data page, as the kernel sees it */
/* Copies the code and runs it in user mode until it traps; returns the vector. */
int user_run(const char *code, const char *end, struct regs *in);
/* The same with another stack for the trap. */
int user_enter(const char *code, const char *end, struct regs *in, u64 sp);
void user_regs(struct regs *r);

/* --- cpus.c --- */
unsigned int nr_vcpus(void);
/* Starts vcpu id if it is not up; 0 or an error. */
long cpu_up(unsigned int id);
void cpu_down(unsigned int id);
/* Hard affinity of a vcpu: one CPU, or ~0 for all. Only dom0 may do that. */
long cpu_pin(unsigned int id, u64 cpu);
struct cpu *cpu_nr(unsigned int id);
/* Runs fn(arg) on a vcpu that is up; cpu_wait() until it is done (false: it took too long). */
void cpu_run(unsigned int id, void (*fn)(void *), void *arg);
bool cpu_wait(unsigned int id);
u64 now_ns(void);
u64 rdtsc(void);

/* --- events.c --- */
extern volatile u64 port_count[1024];
extern volatile u32 port_cpu[1024];
void event_dispatch(struct cpu *c);
domid_t own_domid(void);   /* DOMID_INVALID: not to be found out */
void upcall_mask(bool on); /* off: pending events are delivered */
void port_mask(unsigned int port);
void port_unmask(unsigned int port);
bool port_pending(unsigned int port);
void port_clear(unsigned int port);
bool wait_count(volatile u64 *count, u64 at_least, u64 ns);

#endif
