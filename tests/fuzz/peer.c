/* SPDX-License-Identifier: MIT */
/*
 * libFuzzer over event channels and grants: an input is a list of hypercalls of three domains, over the
 * unit tests' fakes. In the end the domains die, and no frame may be lost.
 */
#include <string.h>
#include "peer_fakes.h"
#include "cpu/features.h"
#include "dom/handlers.h"
#include "lib/inject.h"
#include "mm/buddy.h"
#include "mm/tlb.h"
#include "pv/grant_map.h"
#include "pv/mm.h"

#define NR	  3
#define NR_FRAMES 4
#define VA	  0x7f8000400000UL

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct cpu_features cpu_features = {.phys_bits = 48};
char fake_panic_text[256];
static struct domain *dom[NR];
static struct frame *frames[NR][NR_FRAMES];
static u64 *l1[NR];
static const u8 *in;
static size_t left;

void panic(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	abort();
}

void log_print(enum log_level lvl, const char *fmt, ...)
{
}

void log_guest(enum log_level lvl, const char *fmt, ...)
{
}

void tlb_flush_cpus(const unsigned long *cpus, unsigned long va)
{
}

/* --- the input --- */

static void take(void *to, size_t n)
{
	memset(to, 0, n);
	memcpy(to, in, min(n, left));
	in += min(n, left);
	left -= min(n, left);
}

static u8 byte(void)
{
	u8 b;

	take(&b, 1);
	return b;
}

/* A few of them are strange. */
static domid_t domid(void)
{
	u8 b = byte();

	return b == 255 ? DOMID_SELF : b == 254 ? 0x1234 : b % NR;
}

static u32 small(void)
{
	u32 n = byte();

	if (n == 255)
		take(&n, 4);
	return n;
}

static u64 frame_nr(void)
{
	u8 b = byte();

	return b == 255 ? small() : frame_to_mfn(frames[b % NR][b / NR % NR_FRAMES]);
}

static u64 host_addr(unsigned int who)
{
	u8 b = byte();

	return b & 0x80 ? (virt_to_mfn(l1[who]) << PAGE_SHIFT) + (b & 15) * 8u
			: VA + (b & 15) * PAGE_SIZE;
}

/* --- hypercalls --- */

static void event(void)
{
	union {
		u8 raw[64];
		struct evtchn_alloc_unbound alloc;
		struct evtchn_bind_interdomain bind;
		struct evtchn_status status;
		struct evtchn_reset reset;
		u32 w[16];
	} a;
	u8 cmd = byte() % 16;

	memset(&a, 0, sizeof(a));
	for (unsigned int i = 0; i < 3; i++)
		a.w[i] = small();
	switch (cmd) {
	case EVTCHNOP_alloc_unbound:
		a.alloc.dom = domid();
		a.alloc.remote_dom = domid();
		break;
	case EVTCHNOP_bind_interdomain:
		a.bind.remote_dom = domid();
		break;
	case EVTCHNOP_status:
		a.status.dom = domid();
		break;
	case EVTCHNOP_reset:
		a.reset.dom = domid();
		break;
	case EVTCHNOP_init_control:
	case EVTCHNOP_expand_array: {
		u64 mfn = frame_nr();

		memcpy(&a, &mfn, 8);
		a.w[2] = byte() % 2 * 8u;
		a.w[3] = byte() % 3;
		break;
	}
	}
	peer_call(do_event_channel_op, cmd, (unsigned long)&a, 0);
}

static void grant(unsigned int who)
{
	union {
		struct gnttab_map_grant_ref map;
		struct gnttab_unmap_grant_ref unmap;
		struct gnttab_unmap_and_replace replace;
		struct gnttab_copy copy;
		struct gnttab_setup_table setup;
		struct gnttab_query_size query;
		struct gnttab_swap_grant_ref swap;
		struct gnttab_set_version version;
	} a;
	static u64 list[64];
	u8 cmd = byte() % 12;

	memset(&a, 0, sizeof(a));
	switch (cmd) {
	case GNTTABOP_map_grant_ref:
		a.map.host_addr = host_addr(who);
		a.map.flags = byte();
		a.map.ref = small();
		a.map.dom = domid();
		break;
	case GNTTABOP_unmap_grant_ref:
		a.unmap.host_addr = host_addr(who);
		a.unmap.handle = small();
		break;
	case GNTTABOP_unmap_and_replace:
		a.replace.host_addr = host_addr(who);
		a.replace.new_addr = host_addr(who);
		a.replace.handle = small();
		break;
	case GNTTABOP_copy:
		a.copy.flags = byte();
		a.copy.source.domid = domid();
		a.copy.dest.domid = domid();
		a.copy.source.u.gmfn = a.copy.flags & GNTCOPY_source_gref ? small() : frame_nr();
		a.copy.dest.u.gmfn = a.copy.flags & GNTCOPY_dest_gref ? small() : frame_nr();
		a.copy.source.offset = (u16)small();
		a.copy.dest.offset = (u16)small();
		a.copy.len = (u16)small();
		break;
	case GNTTABOP_setup_table:
		a.setup.dom = domid();
		a.setup.nr_frames = small();
		set_xen_guest_handle(a.setup.frame_list, list);
		break;
	case GNTTABOP_query_size:
		a.query.dom = domid();
		break;
	case GNTTABOP_swap_grant_ref:
		a.swap.ref_a = small();
		a.swap.ref_b = small();
		break;
	case GNTTABOP_set_version:
		a.version.version = small();
		break;
	default:
		return;
	}
	peer_call(do_grant_table_op, cmd, (unsigned long)&a, 1);
}

/* What a guest writes to its own table. */
static void entry(unsigned int who)
{
	struct grant_entry_v1 *t;
	unsigned long mfn;

	if (grant_get_frame(dom[who], 0, &mfn))
		return;
	t = mfn_to_virt(mfn);
	t += byte() % 16;
	t->flags = byte();
	t->domid = domid();
	t->frame = (u32)frame_nr();
}

static void shared(unsigned int who)
{
	dom[who]->shared->evtchn_mask[byte() % 64] = byte();
	dom[who]->shared->evtchn_pending[byte() % 64] = byte();
	((u8 *)frame_to_virt(frames[who][byte() % NR_FRAMES]))[small() % PAGE_SIZE] = byte();
}

/* --- the world --- */

static u64 *new_table(struct domain *d, unsigned int level, u64 *above, unsigned int i)
{
	struct frame *f = peer_frame(d);

	f->type = level << 29 | FT_VALIDATED | 1;
	if (above)
		above[i] = make_pte(frame_to_mfn(f), PTE_P | PTE_RW | PTE_US);
	return frame_to_virt(f);
}

static void begin(void)
{
	peer_setup(NULL);
	pv_grant_init();
	for (unsigned int i = 0; i < NR; i++) {
		u64 *l4;

		dom[i] = peer_make((domid_t)i, 2, i == 0);
		assert_int_equal(evtchn_init_domain(dom[i], 4095), 0);
		assert_int_equal(grant_init_domain(dom[i], 4), 0);
		for (unsigned int k = 0; k < NR_FRAMES; k++)
			frames[i][k] = peer_frame(dom[i]);
		l4 = new_table(dom[i], 4, NULL, 0);
		dom[i]->vcpu[0]->pv.cr3_mfn = dom[i]->vcpu[1]->pv.cr3_mfn = virt_to_mfn(l4);
		l1[i] = new_table(
			dom[i], 1,
			new_table(dom[i], 2, new_table(dom[i], 3, l4, L4_INDEX(VA)), L3_INDEX(VA)),
			L2_INDEX(VA));
	}
}

static void end(void)
{
	inject_arm(INJECT_ALLOC, 0);
	for (unsigned int i = 0; i < NR; i++)
		for (unsigned int k = 0; k < 512; k++)
			pv_l1e_put(dom[i], l1[i][k]);
	for (unsigned int i = 0; i < NR; i++)
		peer_kill(dom[i]);
	peer_teardown(NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	in = data;
	left = size;
	begin();
	while (left) {
		u8 what = byte();
		unsigned int who = what % NR;

		act(dom[who]->vcpu[what >> 6 & 1]);
		fake_preempt = what >> 7;
		switch (what / NR % 8) {
		case 0:
		case 1:
		case 2:
			event();
			break;
		case 3:
		case 4:
		case 5:
			grant(who);
			break;
		case 6:
			entry(who);
			break;
		default:
			shared(who);
			if (byte() == 7)
				inject_arm(INJECT_ALLOC, 1 + byte() % 4);
		}
	}
	end();
	return 0;
}
