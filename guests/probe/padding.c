/* SPDX-License-Identifier: MIT */
/* Nothing of the hypervisor's stack or heap is in what it gives out. */
#define __XEN_TOOLS__
#include "hypercall.h"
#include "topics.h"
#include "child.h"
#include <xen/domctl.h>
#include <xen/sysctl.h>

#define POISON 0xa5

static u8 out[2][4096] __attribute__((aligned(4096)));

/* Leaves our bytes where the next call has its variables: each of these copies some to the stack. */
static void poison_stack(void)
{
	static u8 text[256], frames[16 * 8];
	static u64 trap[2];

	memset(text, POISON, sizeof(text));
	memset(frames, POISON, sizeof(frames));
	memset(trap, POISON, sizeof(trap));
	set_gdt(frames, 14 * 512);
	set_trap_table(trap);
	evtchn_op(EVTCHNOP_status, text);
	memory_op(XENMEM_exchange, text);
	hcall(__HYPERVISOR_mmuext_op, text, 1, 0, DOMID_SELF);
	console_io(99, sizeof(text), text);
	hcall(__HYPERVISOR_domctl, text);
	hcall(__HYPERVISOR_sysctl, text);
}

/* Longer than a poisoned neighbour could be by chance. */
static void no_poison(const char *what, const u8 *p, size_t n)
{
	for (size_t i = 0; i + 3 < n; i++)
		if (p[i] == POISON && p[i + 1] == POISON && p[i + 2] == POISON) {
			outcome_set(FAILURE, __FILE__, __LINE__, "%s: byte %lu", what, i);
			return;
		}
}

/* Behind the end of a text there are only zeros. */
static void zeros_behind(const char *what, const u8 *p, size_t n)
{
	size_t len = 0;

	while (len < n && p[len])
		len++;
	for (; len < n; len++)
		if (p[len]) {
			outcome_set(FAILURE, __FILE__, __LINE__, "%s: byte %lu is %x", what, len,
				    p[len]);
			return;
		}
}

static void versions(void)
{
	static const struct {
		const char *name;
		u32 cmd;
		u16 at, size;
	} texts[] = {
		{"extraversion", XENVER_extraversion, 0, 16},
		{"capabilities", XENVER_capabilities, 0, 1024},
		{"changeset", XENVER_changeset, 0, 64},
		{"compiler", XENVER_compile_info, 0, 64},
		{"compile_by", XENVER_compile_info, 64, 16},
		{"compile_domain", XENVER_compile_info, 80, 32},
		{"compile_date", XENVER_compile_info, 112, 32},
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(texts); i++) {
		poison_stack();
		memset(out[0], 0, sizeof(out[0]));
		CHECK(xen_version(texts[i].cmd, out[0]) >= 0);
		no_poison(texts[i].name, out[0], texts[i].at + texts[i].size);
		zeros_behind(texts[i].name, out[0] + texts[i].at, texts[i].size);
	}
}

/* Structures that are written as a whole: the same twice, whatever was there and on the stack. */
static void twice(const char *what, long (*call)(void *to), size_t n, size_t skip_from,
		  size_t skip_to)
{
	for (unsigned int i = 0; i < 2; i++) {
		memset(out[i], i ? 0x3c : 0xc3, sizeof(out[i]));
		poison_stack();
		if (call(out[i])) {
			outcome_set(ERROR, __FILE__, __LINE__, "%s fails", what);
			return;
		}
		no_poison(what, out[i], n);
	}
	for (size_t i = 0; i < n; i++)
		if (out[0][i] != out[1][i] && (i < skip_from || i >= skip_to)) {
			outcome_set(FAILURE, __FILE__, __LINE__, "%s: byte %lu: %x and %x", what, i,
				    out[0][i], out[1][i]);
			return;
		}
}

static long get_runstate(void *to)
{
	return vcpu_op(VCPUOP_get_runstate_info, 0, to);
}

static long get_mapping(void *to)
{
	return memory_op(XENMEM_machphys_mapping, to);
}

static long area_runstate(void *to)
{
	struct vcpu_register_runstate_memory_area r = {.addr.p = (u64)to};
	long rc = vcpu_op(VCPUOP_register_runstate_memory_area, 0, &r);

	r.addr.p = 0;
	vcpu_op(VCPUOP_register_runstate_memory_area, 0, &r);
	return rc;
}

static void structures(void)
{
	/* Times differ. */
	twice("runstate", get_runstate, sizeof(struct vcpu_runstate_info), 8, 48);
	twice("runstate area", area_runstate, sizeof(struct vcpu_runstate_info), 8, 48);
	twice("machphys_mapping", get_mapping, sizeof(struct xen_machphys_mapping), 0, 0);
}

/* What the tools are told about a domain and a processor: the padding is zero. */
static void of_the_tools(void)
{
	const struct xen_domctl_getdomaininfo *i;
	struct xen_domctl *op;
	struct xen_sysctl *s;

	NEEDS_DOM0();
	for (unsigned int round = 0; round < 2; round++) {
		poison_stack();
		op = domctl_new(XEN_DOMCTL_getdomaininfo, 0);
		memset(&op->u, 0x3c, sizeof(op->u));
		REQUIRE_OK(domctl_do());
		i = &op->u.getdomaininfo;
		CHECK_EQ(i->pad1, 0);
		CHECK_EQ(i->ssidref, 0);
		CHECK_EQ(i->outstanding_pages | i->shr_pages | i->paged_pages, 0);
		CHECK_EQ(i->arch_config.emulation_flags, 0);
		s = sysctl_new(XEN_SYSCTL_getdomaininfolist);
		memset(out[0], 0x3c, sizeof(out[0]));
		s->u.getdomaininfolist.max_domains = 1;
		set_xen_guest_handle(s->u.getdomaininfolist.buffer,
				     (struct xen_domctl_getdomaininfo *)out[0]);
		poison_stack();
		REQUIRE_OK(sysctl_do());
		i = (const void *)out[0];
		CHECK_EQ(i->pad1, 0);
		CHECK_EQ(i->outstanding_pages | i->shr_pages | i->paged_pages, 0);
		no_poison("getdomaininfolist", out[0], sizeof(*i));
	}
}

const struct test padding_tests[] = {
	{"versions", versions},
	{"structures", structures},
	{"tools", of_the_tools},
	{NULL, NULL},
};
