/* SPDX-License-Identifier: MIT */
/* The probe: start, command line, and the run of the tests with their outcomes. */
#include "hypercall.h"
#include "topics.h"

#define MAX_LINES 20

struct start_info *start_info;
struct start_info start_copy;
union shared_page shared_page __attribute__((aligned(4096)));
u64 boot_regs[23];
bool verbose;

static char *const outcome_name[] = {"SUCCESS", "FAILURE", "ERROR", "SKIP"};
static enum outcome current;
static unsigned int nr_lines;
static unsigned int count[NR_OUTCOMES];

/* The first of SKIP, ERROR or FAILURE stays, but a FAILURE is worth more than the others. */
void outcome_set(enum outcome o, const char *file, int line, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	/* What fails in a loop fails often. */
	if (nr_lines++ < MAX_LINES)
		printf("\n  %s:%d: %s%s", file, line, o == SKIP ? "skipped: " : "", text);
	if (current == SUCCESS || o == FAILURE)
		current = o;
}

bool check_true(const char *file, int line, const char *what, bool ok)
{
	if (!ok)
		outcome_set(FAILURE, file, line, "%s is false", what);
	return ok;
}

bool check_eq(const char *file, int line, const char *what, u64 got, u64 want)
{
	if (got != want)
		outcome_set(FAILURE, file, line, "%s = 0x%lx (%ld), want 0x%lx", what, got,
			    (s64)got, want);
	return got == want;
}

bool check_rc(const char *file, int line, const char *what, long got, long want)
{
	if (got != want)
		outcome_set(FAILURE, file, line, "%s = %ld, want %ld", what, got, want);
	return got == want;
}

bool check_refused(const char *file, int line, const char *what, long rc)
{
	if (rc >= 0)
		outcome_set(FAILURE, file, line, "%s = %ld, want an error", what, rc);
	else if (verbose)
		printf("\n  note %s:%d: %s = %ld", file, line, what, rc);
	return rc < 0;
}

static void run_body(void *fn)
{
	((void (*)(void))fn)();
}

enum outcome outcome_of(void (*fn)(void))
{
	struct cpu *c = this_cpu();
	int vector;

	current = SUCCESS;
	nr_lines = 0;
	vector = catch_trap(run_body, fn);
	if (vector >= 0)
		outcome_set(ERROR, __FILE__, __LINE__,
			    "unexpected trap 0x%x error 0x%lx rip 0x%lx cr2 0x%lx", vector,
			    c->trap.error, c->trap.rip, c->cr2);
	c->hook = NULL;
	c->user_exit = NULL;
	win_clear();
	upcall_mask(true);
	return current;
}

static void run_test(const char *topic, const struct test *t)
{
	enum outcome o;

	printf("%s.%s: ", topic, t->name);
	o = outcome_of(t->fn);
	printf("%s%s\n", o == SUCCESS ? "" : "\n  ", outcome_name[o]);
	count[o]++;
}

const char *option(const char *name)
{
	const char *p = (const char *)start_copy.cmd_line;
	size_t n = strlen(name);

	while (*p) {
		while (*p == ' ')
			p++;
		if (!strncmp(p, name, n) && (p[n] == '=' || p[n] == ' ' || !p[n]))
			return p[n] == '=' ? p + n + 1 : "";
		while (*p && *p != ' ')
			p++;
	}
	return NULL;
}

/* prefix: "topic", "topic.te", up to a blank; several are parted by commas. */
static bool selected(const char *prefix, const char *topic, const char *name)
{
	char full[80];
	size_t t = strlen(topic), n = strlen(name);

	if (!prefix)
		return true;
	memcpy(full, topic, t);
	full[t] = '.';
	memcpy(full + t + 1, name, n + 1);
	while (*prefix && *prefix != ' ') {
		size_t k = 0;

		while (prefix[k] && prefix[k] != ' ' && prefix[k] != ',')
			k++;
		if (!strncmp(full, prefix, k))
			return true;
		prefix += k + (prefix[k] == ',');
	}
	return false;
}

static void run_all(const char *prefix, const char *without, bool list)
{
	for (const struct topic *t = topics; t->name; t++)
		for (const struct test *e = t->tests; e->name; e++) {
			if (!selected(prefix, t->name, e->name) ||
			    (without && selected(without, t->name, e->name)))
				continue;
			if (list)
				printf("%s.%s\n", t->name, e->name);
			else
				run_test(t->name, e);
		}
}

static void power_off(void)
{
	struct sched_shutdown off = {.reason = SHUTDOWN_poweroff};

	sched_op(SCHEDOP_shutdown, &off);
	for (;;)
		;
}

void probe_main(struct start_info *si);
void probe_main(struct start_info *si)
{
	start_info = si;
	start_copy = *si;
	((struct cpu *)stacks[0])->id = 0;
	console_init();
	printf("probe: %s, %lu pages, flags 0x%x, command line \"%s\"\n", si->magic, si->nr_pages,
	       si->flags, si->cmd_line);
	update_va_mapping(&shared_page, si->shared_info | PTE_KERNEL, UVMF_INVLPG);
	console_quiet();
	trap_init();
	load();
	pace();
	mem_init();
	verbose = option("verbose") != NULL;
	if (option("crash"))
		crash(option("crash"));
	else if (option("offer"))
		offer();
	else if (option("bench"))
		bench();
	else if (option("fuzz"))
		fuzz();
	else
		run_all(option("test"), option("not"), option("list") != NULL);
	printf("probe: %u passed, %u failed, %u errors, %u skipped\n", count[SUCCESS],
	       count[FAILURE], count[ERROR], count[SKIP]);
	printf("probe: DONE\n");
	power_off();
}
