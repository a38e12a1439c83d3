/* SPDX-License-Identifier: MIT */
#include <string.h>
#include "peer_fakes.h"
#include "dom/handlers.h"
#include "mm/buddy.h"

#define SLOTS 64 /* places for host mappings: host address n * 4096, n from 1 */

static struct domain *d0, *d1, *d2;
static struct grant_entry_v1 *table; /* of d1 */

/* --- a PV floor of our own --- */

static struct {
	unsigned long mfn; /* 0: nothing */
	unsigned int flags;
} slots[SLOTS + 1];
static unsigned int flushes;
static int map_error;

static int create(u64 host_addr, unsigned long mfn, unsigned int flags)
{
	u64 i = host_addr >> PAGE_SHIFT;

	assert_false(d1 && spin_is_locked(&d1->grants.lock));
	if (map_error)
		return map_error;
	if (!i || i > SLOTS || slots[i].mfn)
		return GNTST_bad_virt_addr;
	slots[i].mfn = mfn;
	slots[i].flags = flags;
	return 0;
}

static int destroy(u64 host_addr, u64 new_addr, unsigned long mfn, unsigned int flags)
{
	u64 i = host_addr >> PAGE_SHIFT;

	assert_false(d1 && spin_is_locked(&d1->grants.lock));
	if (!i || i > SLOTS || slots[i].mfn != mfn ||
	    (slots[i].flags ^ flags) & (GNTMAP_readonly | GNTMAP_contains_pte))
		return GNTST_general_error;
	slots[i].mfn = 0;
	return 0;
}

static void flush(unsigned long va)
{
	flushes++;
}

static const struct grant_map_ops map_ops = {create, destroy, flush};

/* What the death of page tables does: each host mapping's references go. */
static void drop_slots(void)
{
	for (unsigned int i = 1; i <= SLOTS; i++) {
		struct frame *f = mfn_to_frame(slots[i].mfn);

		if (!slots[i].mfn)
			continue;
		if (slots[i].flags & GNTMAP_readonly)
			put_frame(f);
		else
			put_frame_and_writable(f);
		slots[i].mfn = 0;
	}
}

static struct grant_entry_v1 *table_of(struct domain *d)
{
	unsigned long mfn;

	assert_int_equal(grant_get_frame(d, 0, &mfn), 0);
	return mfn_to_virt(mfn);
}

static struct domain *make(domid_t id, bool privileged)
{
	struct domain *d = peer_make(id, 1, privileged);

	assert_int_equal(grant_init_domain(d, id == 1 ? 4 : GRANT_MAX_FRAMES_DEFAULT), 0);
	return d;
}

static int setup(void **state)
{
	peer_setup(state);
	memset(slots, 0, sizeof(slots));
	flushes = 0;
	map_error = 0;
	grant_map_ops = &map_ops;
	d0 = make(0, true);
	d1 = make(1, false);
	d2 = make(2, false);
	table = table_of(d1);
	return 0;
}

static int teardown(void **state)
{
	struct domain **all[] = {&d2, &d1, &d0};

	for (unsigned int i = 0; i < 3; i++) {
		if (*all[i] && *all[i] == d0)
			drop_slots();
		if (*all[i])
			peer_kill(*all[i]);
		*all[i] = NULL;
	}
	return peer_teardown(state);
}

static long call(struct domain *d, unsigned int op, void *arg, unsigned int n)
{
	act(d->vcpu[0]);
	return peer_call(do_grant_table_op, op, (unsigned long)arg, n);
}

static struct frame *grant(grant_ref_t ref, domid_t to, u16 flags)
{
	struct frame *f = peer_frame(d1);

	table[ref] = (struct grant_entry_v1){
		.flags = GTF_permit_access | flags, .domid = to, .frame = (u32)frame_to_mfn(f)};
	return f;
}

static int map(grant_ref_t ref, unsigned int flags, unsigned int slot, grant_handle_t *h)
{
	struct gnttab_map_grant_ref op = {
		.host_addr = (u64)slot << PAGE_SHIFT, .flags = flags, .ref = ref, .dom = 1};

	assert_int_equal(call(d0, GNTTABOP_map_grant_ref, &op, 1), 0);
	*h = op.handle;
	if (!op.status)
		assert_int_equal(op.dev_bus_addr >> PAGE_SHIFT,
				 flags & GNTMAP_host_map ? slots[slot].mfn : table[ref].frame);
	return op.status;
}

static int unmap(grant_handle_t h, unsigned int slot, u64 dev)
{
	struct gnttab_unmap_grant_ref op = {
		.host_addr = (u64)slot << PAGE_SHIFT, .dev_bus_addr = dev, .handle = h};

	assert_int_equal(call(d0, GNTTABOP_unmap_grant_ref, &op, 1), 0);
	return op.status;
}

static unsigned int refs(const struct frame *f)
{
	return f->refs & FR_COUNT;
}

static unsigned int writers(const struct frame *f)
{
	return (f->type & FT_KIND) == FT_WRITABLE ? f->type & FT_COUNT : 0;
}

/* --- mapping --- */

static void test_map(void **state)
{
	struct frame *f = grant(9, 0, 0);
	grant_handle_t h, h2;

	assert_int_equal(map(9, GNTMAP_host_map, 1, &h), 0);
	assert_int_equal(table[9].flags, GTF_permit_access | GTF_reading | GTF_writing);
	assert_int_equal(refs(f), 3); /* owner, pin, mapping */
	assert_int_equal(writers(f), 1);
	assert_int_equal(map(9, GNTMAP_host_map | GNTMAP_readonly, 2, &h2), 0);
	assert_int_not_equal(h, h2);
	assert_int_equal(refs(f), 4);
	assert_int_equal(writers(f), 1);
	assert_int_equal(unmap(h, 1, 0), 0);
	assert_int_equal(flushes, 1);
	assert_int_equal(table[9].flags, GTF_permit_access | GTF_reading);
	assert_int_equal(unmap(h, 1, 0), GNTST_bad_handle);
	/* With the wrong rights, at the wrong place. */
	assert_int_equal(unmap(h2, 1, 0), GNTST_general_error);
	assert_int_equal(unmap(h2, 0, (u64)frame_to_mfn(f) << 12), GNTST_bad_dev_addr);
	assert_int_equal(unmap(h2, 0, 0), 0); /* asks for nothing */
	assert_int_equal(unmap(h2, 2, 0), 0);
	assert_int_equal(table[9].flags, GTF_permit_access);
	assert_int_equal(refs(f), 1);
	assert_int_equal(writers(f), 0);
	assert_int_equal(d0->grants.nr_maps, 0);
	assert_int_equal(unmap(~0u, 1, 0), GNTST_bad_handle);
}

static void test_both_kinds(void **state)
{
	struct frame *f = grant(0, 0, 0);
	u64 dev = (u64)frame_to_mfn(f) << PAGE_SHIFT;
	grant_handle_t h;

	assert_int_equal(map(0, GNTMAP_host_map | GNTMAP_device_map, 1, &h), 0);
	assert_int_equal(refs(f), 4);
	assert_int_equal(writers(f), 2);
	assert_int_equal(map(512, GNTMAP_host_map, 2, &(grant_handle_t){0}), GNTST_bad_gntref);
	assert_int_equal(unmap(h, 0, dev + PAGE_SIZE), GNTST_bad_dev_addr);
	assert_int_equal(unmap(h, 1, 0), 0);
	assert_int_equal(unmap(h, 1, 0), GNTST_bad_virt_addr);
	assert_int_equal(refs(f), 3);
	assert_int_equal(unmap(h, 0, dev), 0);
	assert_int_equal(refs(f), 1);
	assert_int_equal(map(0, GNTMAP_device_map | GNTMAP_readonly, 0, &h), 0);
	assert_int_equal(writers(f), 0);
	assert_int_equal(unmap(h, 1, dev), GNTST_bad_virt_addr);
	assert_int_equal(unmap(h, 0, dev), 0);
	assert_int_equal(refs(f), 1);
}

static void test_map_errors(void **state)
{
	struct gnttab_map_grant_ref op = {.flags = GNTMAP_host_map, .ref = 1, .dom = 9};
	struct frame *f;
	grant_handle_t h;

	assert_int_equal(call(d0, GNTTABOP_map_grant_ref, &op, 1), 0);
	assert_int_equal(op.status, GNTST_bad_domain);
	assert_int_equal(map(512, GNTMAP_host_map, 1, &h), GNTST_bad_gntref);
	assert_int_equal(map(~0u, GNTMAP_host_map, 1, &h), GNTST_bad_gntref);
	f = grant(1, 2, 0);
	assert_int_equal(map(1, GNTMAP_host_map, 1, &h), GNTST_bad_gntref); /* for d2 */
	table[1].domid = 0;
	assert_int_equal(map(1, 0, 1, &h), GNTST_general_error);
	table[1].flags = GTF_accept_transfer;
	assert_int_equal(map(1, GNTMAP_host_map, 1, &h), GNTST_bad_gntref);
	table[1].flags = GTF_permit_access | GTF_readonly;
	assert_int_equal(map(1, GNTMAP_host_map, 1, &h), GNTST_general_error);
	assert_int_equal(table[1].flags, GTF_permit_access | GTF_readonly);
	assert_int_equal(map(1, GNTMAP_host_map | GNTMAP_readonly, 1, &h), 0);
	assert_int_equal(map(1, GNTMAP_host_map, 2, &h), GNTST_general_error);
	/* The guest changes its mind about a grant in use: its frame stays what it was. */
	table[1].flags = GTF_permit_access;
	table[1].frame = 0xfffffff;
	assert_int_equal(map(1, GNTMAP_host_map, 2, &h), 0);
	assert_int_equal(slots[2].mfn, frame_to_mfn(f));
	table[1].domid = 2;
	assert_int_equal(map(1, GNTMAP_host_map, 3, &h), GNTST_bad_gntref);
	op = (struct gnttab_map_grant_ref){
		.host_addr = 0x3000, .flags = GNTMAP_host_map, .ref = 1, .dom = 1};
	assert_int_equal(call(d2, GNTTABOP_map_grant_ref, &op, 1), 0);
	assert_int_equal(op.status, GNTST_general_error); /* in use by d0 */
	/* The floor above refuses; a page table; somebody else's frame. */
	f = grant(2, 0, 0);
	map_error = GNTST_bad_virt_addr;
	assert_int_equal(map(2, GNTMAP_host_map, 3, &h), GNTST_bad_virt_addr);
	assert_int_equal(map(2, GNTMAP_host_map | GNTMAP_device_map, 3, &h), GNTST_bad_virt_addr);
	map_error = 0;
	grant_map_ops = NULL;
	assert_int_equal(map(2, GNTMAP_host_map, 3, &h), GNTST_general_error);
	grant_map_ops = &map_ops;
	f->type = FT_L1 | FT_VALIDATED | 1;
	assert_int_equal(map(2, GNTMAP_host_map, 3, &h), GNTST_bad_page);
	assert_int_equal(map(2, GNTMAP_host_map | GNTMAP_readonly, 3, &h), 0);
	assert_int_equal(unmap(h, 3, 0), 0);
	f->type = FT_NONE;
	table[2].frame = (u32)frame_to_mfn(peer_frame(d2));
	assert_int_equal(map(2, GNTMAP_host_map, 3, &h), GNTST_bad_page);
	table[2].frame = ~0u;
	assert_int_equal(map(2, GNTMAP_host_map, 3, &h), GNTST_bad_page);
	assert_int_equal(table[2].flags, GTF_permit_access);
	assert_int_equal(refs(f), 1);
	assert_int_equal(d0->grants.nr_maps, 2);
}

static void test_handles_run_out(void **state)
{
	grant_handle_t h;
	unsigned int i;

	grant(0, 0, GTF_readonly);
	for (i = 0; map(0, GNTMAP_device_map | GNTMAP_readonly, 0, &h) == 0; i++)
		continue;
	assert_int_equal(map(0, GNTMAP_device_map | GNTMAP_readonly, 0, &h), GNTST_no_space);
	assert_int_equal(i, GRANT_MAX_TRACK_FRAMES * 128);
	assert_int_equal(unmap(77, 0, (u64)table[0].frame << PAGE_SHIFT), 0);
	assert_int_equal(map(0, GNTMAP_device_map | GNTMAP_readonly, 0, &h), 0);
	assert_int_equal(h, 77);
}

static void test_batches(void **state)
{
	struct gnttab_map_grant_ref m[40];
	struct gnttab_unmap_grant_ref u[40];
	struct frame *f = grant(3, 0, 0);

	for (fake_preempt = 0; fake_preempt < 20; fake_preempt++) {
		memset(m, 0, sizeof(m));
		memset(u, 0, sizeof(u));
		for (unsigned int i = 0; i < 40; i++)
			m[i] = (struct gnttab_map_grant_ref){.host_addr = (i + 1) << PAGE_SHIFT,
							     .flags = GNTMAP_host_map,
							     .ref = i == 7 ? 4 : 3,
							     .dom = 1};
		assert_int_equal(call(d0, GNTTABOP_map_grant_ref, m, 40), 0);
		assert_int_equal(refs(f), 2 + 39);
		for (unsigned int i = 0; i < 40; i++) {
			assert_int_equal(m[i].status, i == 7 ? GNTST_bad_gntref : 0);
			u[i].host_addr = m[i].host_addr;
			u[i].handle = i == 7 ? 12345 : m[i].handle;
			u[i].status = 1;
		}
		flushes = 0;
		assert_int_equal(call(d0, GNTTABOP_unmap_grant_ref, u, 40), 0);
		for (unsigned int i = 0; i < 40; i++)
			assert_int_equal(u[i].status, i == 7 ? GNTST_bad_handle : 0);
		assert_int_equal(refs(f), 1);
		if (!fake_preempt)
			assert_int_equal(flushes, 3);
	}
	fake_preempt = 0;
	assert_int_equal(call(d0, GNTTABOP_map_grant_ref, NULL, 1), -XEN_EFAULT);
	assert_int_equal(call(d0, GNTTABOP_unmap_grant_ref, NULL, 1), -XEN_EFAULT);
	assert_int_equal(call(d0, GNTTABOP_map_grant_ref, m, ~0u), -XEN_EINVAL);
	assert_int_equal(call(d0, GNTTABOP_map_grant_ref, NULL, 0), 0);
}

/* Random maps and unmaps against a model that only counts. */
static void test_random(void **state)
{
	struct {
		grant_handle_t h;
		unsigned int flags, ref;
	} live[SLOTS + 1] = {0};
	struct frame *f[4];

	for (unsigned int i = 0; i < 4; i++)
		f[i] = grant(i, 0, i == 3 ? GTF_readonly : 0);
	for (unsigned int round = 0; round < 20000; round++) {
		unsigned int s = 1 + fake_below(SLOTS), ref = fake_below(4), flags;
		unsigned int want_refs[4] = {1, 1, 1, 1}, want_w[4] = {0};

		flags = fake_below(4) ? GNTMAP_host_map : 0;
		flags |= fake_below(2) ? GNTMAP_readonly : 0;
		flags |= fake_below(3) ? 0 : GNTMAP_device_map;
		if (!live[s].flags) {
			bool ok = (flags & 3) && (ref != 3 || (flags & GNTMAP_readonly));

			assert_int_equal(!map(ref, flags, s, &live[s].h), ok);
			live[s].flags = ok ? flags : 0;
			live[s].ref = ref;
		} else {
			u64 dev = (u64)table[live[s].ref].frame << PAGE_SHIFT;
			bool host = live[s].flags & GNTMAP_host_map & fake_random();
			bool devm = live[s].flags & GNTMAP_device_map & fake_random();

			assert_int_equal(unmap(live[s].h, host ? s : 0, devm ? dev : 0), 0);
			live[s].flags &=
				~((host ? GNTMAP_host_map : 0) | (devm ? GNTMAP_device_map : 0));
			if (!(live[s].flags & 3))
				live[s].flags = 0;
		}
		if (round % 16)
			continue;
		for (unsigned int i = 1; i <= SLOTS; i++) {
			unsigned int n = !!(live[i].flags & GNTMAP_host_map) +
					 !!(live[i].flags & GNTMAP_device_map);

			want_refs[live[i].ref] += n;
			if (!(live[i].flags & GNTMAP_readonly))
				want_w[live[i].ref] += n;
		}
		for (unsigned int i = 0; i < 4; i++) {
			assert_int_equal(refs(f[i]), want_refs[i] + (want_refs[i] > 1));
			assert_int_equal(writers(f[i]), want_w[i]);
			assert_int_equal(!!(table[i].flags & GTF_reading), want_refs[i] > 1);
			assert_int_equal(!!(table[i].flags & GTF_writing), want_w[i] > 0);
		}
	}
}

/* --- death --- */

static void test_granter_dies_first(void **state)
{
	struct frame *f = grant(1, 0, 0);
	unsigned long before;
	grant_handle_t h, hd;

	assert_int_equal(map(1, GNTMAP_host_map, 1, &h), 0);
	assert_int_equal(map(1, GNTMAP_device_map, 0, &hd), 0);
	peer_kill(d1);
	d1 = NULL;
	before = buddy_free_frames();
	assert_int_equal(refs(f), 2);
	assert_int_equal(unmap(h, 1, 0), 0);
	assert_int_equal(refs(f), 1);
	assert_int_equal(unmap(hd, 0, (u64)frame_to_mfn(f) << PAGE_SHIFT), 0);
	assert_int_equal(buddy_free_frames() - before, 1);
}

/* A handle may outlive the mapping (the guest took its entry away itself), and then the granter. */
static void test_same_id_again(void **state)
{
	grant_handle_t h, h2;

	grant(1, 0, 0);
	assert_int_equal(map(1, GNTMAP_host_map, 1, &h), 0);
	drop_slots();
	peer_kill(d1);
	d1 = make(1, false);
	table = table_of(d1);
	grant(1, 0, 0);
	assert_int_equal(map(1, GNTMAP_host_map, 1, &h2), 0);
	assert_int_equal(unmap(h, 1, 0), GNTST_general_error);
	assert_int_equal(unmap(h2, 1, 0), 0);
	assert_int_equal(table[1].flags, GTF_permit_access);
	while (grant_relinquish(d0))
		continue;
	assert_int_equal(d0->grants.nr_maps, 0);
}

static void test_mapper_dies_first(void **state)
{
	struct frame *f = grant(1, 0, 0);
	grant_handle_t h;

	for (unsigned int i = 1; i <= SLOTS; i++)
		assert_int_equal(map(1, GNTMAP_host_map | (i % 2 ? GNTMAP_readonly : 0), i, &h), 0);
	for (unsigned int i = 0; i < 1000; i++)
		assert_int_equal(map(1, GNTMAP_device_map, 0, &h), 0);
	drop_slots();
	assert_int_equal(grant_relinquish(d0), -XEN_ERESTART);
	peer_kill(d0);
	d0 = NULL;
	assert_int_equal(refs(f), 1);
	assert_int_equal(writers(f), 0);
	assert_int_equal(table[1].flags, GTF_permit_access);
	assert_int_equal(d1->refs, 1);
}

/* --- copy --- */

static int copy(struct domain *d, struct gnttab_copy op)
{
	assert_int_equal(call(d, GNTTABOP_copy, &op, 1), 0);
	return op.status;
}

static void test_copy(void **state)
{
	struct frame *f = grant(5, 0, 0), *ro = grant(6, 0, GTF_readonly), *own = peer_frame(d0);
	char *there = frame_to_virt(f), *here = frame_to_virt(own);
	struct gnttab_copy op = {.source = {.u.gmfn = frame_to_mfn(own), .domid = DOMID_SELF},
				 .dest = {.u.ref = 5, .domid = 1, .offset = 100},
				 .len = 5,
				 .flags = GNTCOPY_dest_gref};

	strcpy(here, "hello");
	assert_int_equal(copy(d0, op), 0);
	assert_memory_equal(there + 100, "hello", 6);
	assert_int_equal(there[99], 0);
	assert_int_equal(table[5].flags, GTF_permit_access);
	op.dest.u.ref = 6;
	assert_int_equal(copy(d0, op), GNTST_general_error);
	op.dest.u.ref = 7;
	assert_int_equal(copy(d0, op), GNTST_bad_gntref);
	op.dest = op.source;
	op.dest.domid = 1;
	op.flags = 0;
	assert_int_equal(copy(d0, op), GNTST_permission_denied);

	/* From grant to grant, and over itself. */
	strcpy(frame_to_virt(ro), "read only");
	op = (struct gnttab_copy){.source = {.u.ref = 6, .domid = 1},
				  .dest = {.u.ref = 5, .domid = 1, .offset = PAGE_SIZE - 4},
				  .len = 4,
				  .flags = GNTCOPY_dest_gref | GNTCOPY_source_gref};
	assert_int_equal(copy(d0, op), 0);
	assert_memory_equal(there + PAGE_SIZE - 4, "read", 4);
	op.source.u.ref = 5;
	op.dest.offset = 1;
	op.len = 200;
	assert_int_equal(copy(d0, op), 0);
	assert_memory_equal(there + 101, "hello", 6);
	op.source.offset = PAGE_SIZE - 199;
	assert_int_equal(copy(d0, op), GNTST_bad_copy_arg);
	op.source.offset = 0;
	op.dest.offset = 0xffff;
	assert_int_equal(copy(d0, op), GNTST_bad_copy_arg);
	op.dest.offset = 1;
	op.len = 0xffff;
	assert_int_equal(copy(d0, op), GNTST_bad_copy_arg);
	op = (struct gnttab_copy){.source = {.u.ref = 5, .domid = 1, .offset = PAGE_SIZE},
				  .dest = {.u.gmfn = frame_to_mfn(own), .domid = 0},
				  .flags = GNTCOPY_source_gref};
	assert_int_equal(copy(d0, op), 0); /* nothing, at the very end */
	own->type = FT_L1 | FT_VALIDATED | 1;
	assert_int_equal(copy(d0, op), GNTST_bad_page);
	own->type = FT_NONE;
	assert_int_equal(refs(f), 1);
	assert_int_equal(refs(ro), 1);
	assert_int_equal(refs(own), 1);
	assert_int_equal(writers(f) + writers(own), 0);
}

/* --- the table --- */

static void test_setup_table(void **state)
{
	xen_pfn_t list[8] = {0};
	struct gnttab_setup_table s = {.dom = DOMID_SELF, .nr_frames = 3};
	struct gnttab_query_size q = {.dom = DOMID_SELF};

	s.frame_list.p = list;
	assert_int_equal(call(d1, GNTTABOP_setup_table, &s, 1), 0);
	assert_int_equal(s.status, 0);
	assert_ptr_equal(mfn_to_virt(list[0]), table);
	assert_int_equal(list[3], 0);
	assert_int_equal(mfn_to_frame(list[2])->owner, 1);
	assert_int_equal(mfn_to_frame(list[2])->refs, FR_XENHEAP | 1);
	assert_int_equal(call(d1, GNTTABOP_query_size, &q, 1), 0);
	assert_int_equal(q.nr_frames, 3);
	assert_int_equal(q.max_nr_frames, 4);
	assert_int_equal(q.status, 0);
	/* Entries of the new frames work. */
	table = mfn_to_virt(list[2]);
	table -= 1024;
	grant(1500, 0, 0);
	s.nr_frames = 5;
	assert_int_equal(call(d1, GNTTABOP_setup_table, &s, 1), 0);
	assert_int_equal(s.status, GNTST_general_error);
	s.nr_frames = 1;
	s.dom = 0;
	assert_int_equal(call(d1, GNTTABOP_setup_table, &s, 1), 0);
	assert_int_equal(s.status, GNTST_permission_denied);
	s.dom = 1;
	assert_int_equal(call(d0, GNTTABOP_setup_table, &s, 1), 0);
	assert_int_equal(s.status, 0);
	assert_int_equal(call(d0, GNTTABOP_query_size, &q, 2), -XEN_EINVAL);
	s.frame_list.p = NULL;
	assert_int_equal(call(d0, GNTTABOP_setup_table, &s, 1), -XEN_EFAULT);
}

static void test_versions_and_rest(void **state)
{
	struct gnttab_set_version v = {.version = 1};
	struct gnttab_get_version g = {.dom = DOMID_SELF};
	struct gnttab_swap_grant_ref s = {.ref_a = 1, .ref_b = 2};
	struct gnttab_transfer t = {.domid = 1};
	u32 fa, fb;
	grant_handle_t h;

	assert_int_equal(call(d1, GNTTABOP_set_version, &v, 1), 0);
	v.version = 2;
	assert_int_equal(call(d1, GNTTABOP_set_version, &v, 1), -XEN_ENOSYS);
	assert_int_equal(v.version, 1);
	v.version = 3;
	assert_int_equal(call(d1, GNTTABOP_set_version, &v, 1), -XEN_EINVAL);
	assert_int_equal(call(d1, GNTTABOP_get_version, &g, 1), 0);
	assert_int_equal(g.version, 1);
	g.dom = 0;
	assert_int_equal(call(d1, GNTTABOP_get_version, &g, 1), -XEN_EPERM);
	assert_int_equal(call(d0, GNTTABOP_dump_table, &g, 1), -XEN_ENOSYS);
	assert_int_equal(call(d0, GNTTABOP_get_status_frames, &g, 1), -XEN_ENOSYS);
	assert_int_equal(call(d0, GNTTABOP_cache_flush, &g, 1), -XEN_ENOSYS);
	assert_int_equal(call(d0, 13, &g, 1), -XEN_ENOSYS);
	assert_int_equal(peer_call(do_grant_table_op, ~0UL, 0, 1), -XEN_ENOSYS);
	assert_int_equal(call(d0, GNTTABOP_transfer, &t, 1), 0);
	assert_int_equal(t.status, GNTST_bad_page);

	grant(1, 0, 0);
	grant(2, 0, GTF_readonly);
	fa = table[1].frame;
	fb = table[2].frame;
	assert_int_equal(call(d1, GNTTABOP_swap_grant_ref, &s, 1), 0);
	assert_int_equal(s.status, 0);
	assert_int_equal(table[1].frame, fb);
	assert_int_equal(table[1].flags, GTF_permit_access | GTF_readonly);
	assert_int_equal(table[2].frame, fa);
	assert_int_equal(map(2, GNTMAP_host_map, 1, &h), 0);
	assert_int_equal(call(d1, GNTTABOP_swap_grant_ref, &s, 1), 0);
	assert_int_equal(s.status, GNTST_eagain);
	grant_dump(d1);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_map),
		T(test_both_kinds),
		T(test_map_errors),
		T(test_handles_run_out),
		T(test_batches),
		T(test_random),
		T(test_granter_dies_first),
		T(test_same_id_again),
		T(test_mapper_dies_first),
		T(test_copy),
		T(test_setup_table),
		T(test_versions_and_rest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
