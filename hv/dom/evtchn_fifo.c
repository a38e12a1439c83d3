/* SPDX-License-Identifier: MIT */
/*
 * The FIFO ABI (<xen/event_channel.h>, the guest's side: Linux drivers/xen/events/events_fifo.c).
 *
 * Each port has a word in pages of the guest, each vcpu a control block with the heads of 16 queues.
 * We append: the new port's word gets LINKED, the word of the queue's tail the number of the new
 * port as its link, or, when the tail has been consumed (its LINKED is gone), HEAD of the control
 * block does. The guest consumes: it takes LINKED and the link off in one step.
 *
 * The guest may write anything into these pages at any time. We never follow a link: tails are in
 * memory of ours, and of a word we only believe flag bits about that port. A guest that lies about
 * them loses its own events. Loops on compare-and-swap are bounded; BUSY asks the guest to wait.
 */
#include "dom/evtchn_priv.h"
#include "mm/heap.h"
#include "lib/nospec.h"

#define WORDS_PER_PAGE (PAGE_SIZE / sizeof(event_word_t))
#define MAX_PAGES      (EVTCHN_FIFO_NR_CHANNELS / WORDS_PER_PAGE)

#define PENDING (1u << EVTCHN_FIFO_PENDING)
#define MASKED	(1u << EVTCHN_FIFO_MASKED)
#define LINKED	(1u << EVTCHN_FIFO_LINKED)
#define BUSY	(1u << EVTCHN_FIFO_BUSY)
#define LINK	((u32)EVTCHN_FIFO_LINK_MASK)

#define TRIES	   64
#define TRIES_SOFT 4 /* without BUSY */

struct evtchn_fifo_vcpu {
	struct evtchn_fifo_control_block *control; /* in the guest's frame */
	struct frame *frame;			   /* reference and writable count */
	struct evtchn_fifo_vcpu *next;		   /* while being taken apart */
	u32 tail[EVTCHN_FIFO_MAX_QUEUES];	   /* port linked last, 0 = none yet */
};

struct evtchn_fifo_domain {
	spinlock_t lock; /* queues of all vcpus, and q_vcpu, q_prio of ports */
	u32 broken;	 /* links given up */
	unsigned int nr_pages;
	event_word_t *page[MAX_PAGES]; /* published before nr_pages */
	struct frame *frame[MAX_PAGES];
};

BUILD_BUG_ON(MAX_PAGES *WORDS_PER_PAGE != EVTCHN_MAX);

static u32 *word_of(const struct evtchn_fifo_domain *f, u32 port)
{
	unsigned int i = port / WORDS_PER_PAGE, n = atomic_load(&f->nr_pages);

	return i < n ? &f->page[nospec_index(i, n)][port % WORDS_PER_PAGE] : NULL;
}

/* Sets and clears one bit of a word that the guest shares: no loop it could keep us in. */
static bool set_flag(u32 *word, unsigned int bit)
{
	bool old;

	__asm__ __volatile__("lock btsl %2, %0" : "+m"(*word), "=@ccc"(old) : "Ir"(bit) : "memory");
	return old;
}

static void clear_flag(u32 *word, unsigned int bit)
{
	__asm__ __volatile__("lock btrl %1, %0" : "+m"(*word) : "Ir"(bit) : "memory", "cc");
}

/* --- queues; all with f->lock --- */

/*
 * Replaces the bits `take` of a word by `give`, atomically, provided that (word & test) == want.
 * False when it is not so, or when the guest would not leave the word alone.
 */
static bool update_word(struct evtchn_fifo_domain *f, u32 *word, u32 test, u32 want, u32 take,
			u32 give)
{
	u32 w = READ_ONCE(*word);
	bool busy = false;

	for (unsigned int i = 0; i < TRIES; i++) {
		if ((w & test) != want)
			break;
		if (atomic_cmpxchg(word, &w, (w & ~(take | BUSY)) | give))
			return true;
		if (i == TRIES_SOFT) {
			(void)set_flag(word, EVTCHN_FIFO_BUSY);
			w = READ_ONCE(*word);
			busy = true;
		}
		if (i == TRIES - 1)
			f->broken++;
	}
	if (busy)
		clear_flag(word, EVTCHN_FIFO_BUSY);
	return false;
}

/*
 * The queue in which the port was last, and where the guest has consumed it, ends before it. Without
 * this its tail would seem to be linked as soon as the port is in a queue again. Only the exchange that
 * links the port tells that it has been consumed: before it the guest may do so at any moment.
 */
static void leave_old_queue(struct domain *d, const struct evtchn *chn, u32 port)
{
	struct vcpu *v = d->vcpu[chn->q_vcpu];
	struct evtchn_fifo_vcpu *q = v ? v->ev.fifo : NULL;

	if (q && q->tail[chn->q_prio] == port)
		q->tail[chn->q_prio] = 0;
}

/* True when the guest must be told that this queue is not empty any more. */
static bool append(struct evtchn_fifo_domain *f, struct evtchn_fifo_vcpu *q, unsigned int prio,
		   u32 port)
{
	u32 tail = q->tail[prio];
	u32 *word = tail ? word_of(f, tail) : NULL;

	q->tail[prio] = port;
	if (word && update_word(f, word, LINKED, LINKED, LINK, port))
		return false;
	WRITE_ONCE(q->control->head[prio], port);
	return !set_flag(&q->control->ready, prio);
}

/* The port is pending and was neither masked nor linked: links it. */
static void link_port(struct domain *d, struct evtchn_fifo_domain *f, struct evtchn *chn, u32 port,
		      u32 *word)
{
	unsigned int prio = READ_ONCE(chn->priority), id = READ_ONCE(chn->vcpu);
	struct vcpu *v = d->vcpu[id];
	struct evtchn_fifo_vcpu *q;
	bool tell = false;

	spin_lock(&f->lock);
	q = v ? v->ev.fifo : NULL;
	if (!q) {
		chn->early = 1;
	} else if (update_word(f, word, PENDING | MASKED | LINKED, PENDING, LINK, LINKED)) {
		leave_old_queue(d, chn, port);
		chn->q_vcpu = (u16)id;
		chn->q_prio = (u8)prio;
		tell = append(f, q, prio, port);
	}
	spin_unlock(&f->lock);
	if (tell)
		vcpu_mark_events_pending(v);
}

/* --- one port --- */

void fifo_raise(struct domain *d, struct evtchn *chn, u32 port)
{
	struct evtchn_fifo_domain *f = d->ev.fifo;
	u32 *word = word_of(f, port);

	if (unlikely(!word)) {
		/* Noted, for when the guest gives the page; unless it has done so in between. */
		WRITE_ONCE(chn->early, 1);
		smp_mb();
		word = word_of(f, port);
		if (!word) {
			evtchn_check_pollers(d, port);
			return;
		}
		WRITE_ONCE(chn->early, 0);
	}
	(void)set_flag(word, EVTCHN_FIFO_PENDING);
	if (!(READ_ONCE(*word) & (MASKED | LINKED)))
		link_port(d, f, chn, port, word);
	evtchn_check_pollers(d, port);
}

void fifo_unmask(struct domain *d, struct evtchn *chn, u32 port)
{
	struct evtchn_fifo_domain *f = d->ev.fifo;
	u32 *word = word_of(f, port);

	if (!word)
		return;
	clear_flag(word, EVTCHN_FIFO_MASKED);
	if ((READ_ONCE(*word) & (PENDING | LINKED)) == PENDING)
		link_port(d, f, chn, port, word);
}

bool fifo_is_pending(struct domain *d, const struct evtchn *chn, u32 port)
{
	const u32 *word = word_of(d->ev.fifo, port);

	return READ_ONCE(chn->early) || (word && (READ_ONCE(*word) & PENDING));
}

bool fifo_is_masked(struct domain *d, u32 port)
{
	const u32 *word = word_of(d->ev.fifo, port);

	return !word || (READ_ONCE(*word) & MASKED);
}

/* The word may stay linked: the guest finds nothing pending when it comes to it. */
void fifo_clear_pending(struct domain *d, struct evtchn *chn, u32 port)
{
	u32 *word = word_of(d->ev.fifo, port);

	WRITE_ONCE(chn->early, 0);
	if (word)
		clear_flag(word, EVTCHN_FIFO_PENDING);
}

/* --- setting up; with ev.lock --- */

/* Events of ports [from, to) that came too early. */
static void replay(struct domain *d, u32 from, u32 to)
{
	to = min(to, d->ev.nr_buckets * EVTCHN_BUCKET);
	smp_mb();
	for (u32 port = from; port < to; port++) {
		struct evtchn *chn = evtchn_lookup(d, port);

		if (chn && READ_ONCE(chn->early)) {
			WRITE_ONCE(chn->early, 0);
			fifo_raise(d, chn, port);
		}
	}
}

/* What is pending in the 2-level bits becomes early: the array has no page yet. */
static void take_over_pending(struct domain *d)
{
	unsigned long *bits = (unsigned long *)d->shared->evtchn_pending;
	u32 port, n = min(d->ev.nr_buckets * EVTCHN_BUCKET, (u32)EVTCHN_2L_NR_CHANNELS);

	smp_mb();
	for_each_set_bit(port, bits, n)
	{
		struct evtchn *chn = evtchn_lookup(d, port);

		if (chn && test_and_clear_bit_atomic(port, bits))
			WRITE_ONCE(chn->early, 1);
	}
}

/* Commits what init_control has got ready. The members taken over become NULL. */
static int install(struct domain *d, struct vcpu *v, struct evtchn_fifo_domain **f,
		   struct evtchn_fifo_vcpu **q)
{
	if (d->ev.closed || v->ev.fifo)
		return -XEN_EINVAL;
	if (!d->ev.fifo) {
		atomic_store(&d->ev.fifo, *f);
		*f = NULL;
		take_over_pending(d);
	}
	spin_lock(&d->ev.fifo->lock);
	v->ev.fifo = *q;
	*q = NULL;
	spin_unlock(&d->ev.fifo->lock);
	if (d->ev.fifo->nr_pages)
		replay(d, 1, EVTCHN_MAX);
	return 0;
}

int evtchn_op_init_control(struct domain *d, struct evtchn_init_control *a)
{
	struct evtchn_fifo_domain *f;
	struct evtchn_fifo_vcpu *q;
	struct frame *frame;
	struct vcpu *v;
	int rc = -XEN_ENOMEM;

	v = a->vcpu < d->max_vcpus ? d->vcpu[nospec_index(a->vcpu, d->max_vcpus)] : NULL;
	if (!v)
		return -XEN_ENOENT;
	if (a->offset > PAGE_SIZE - sizeof(*q->control) || a->offset % 8)
		return -XEN_EINVAL;
	frame = get_frame_and_writable(a->control_gfn, d->id);
	if (!frame)
		return -XEN_EINVAL;
	f = hv_alloc(sizeof(*f));
	q = hv_alloc(sizeof(*q));
	if (f && q) {
		q->frame = frame;
		q->control = (void *)((char *)frame_to_virt(frame) + a->offset);
		spin_lock(&d->ev.lock);
		rc = install(d, v, &f, &q);
		spin_unlock(&d->ev.lock);
	}
	hv_free(f);
	hv_free(q);
	if (rc)
		put_frame_and_writable(frame);
	else
		a->link_bits = EVTCHN_FIFO_LINK_BITS;
	return rc;
}

int evtchn_op_expand_array(struct domain *d, const struct evtchn_expand_array *a)
{
	struct frame *frame = get_frame_and_writable(a->array_gfn, d->id);
	struct evtchn_fifo_domain *f;
	int rc = 0;

	if (!frame)
		return -XEN_EINVAL;
	spin_lock(&d->ev.lock);
	f = d->ev.fifo;
	if (!f) {
		rc = -XEN_EOPNOTSUPP;
	} else if (f->nr_pages == MAX_PAGES) {
		rc = -XEN_ENOSPC;
	} else {
		unsigned int i = f->nr_pages;

		f->frame[i] = frame;
		f->page[i] = frame_to_virt(frame);
		atomic_store(&f->nr_pages, i + 1);
		replay(d, i * WORDS_PER_PAGE, (i + 1) * WORDS_PER_PAGE);
	}
	spin_unlock(&d->ev.lock);
	if (rc)
		put_frame_and_writable(frame);
	return rc;
}

u32 fifo_broken(const struct evtchn_fifo_domain *f)
{
	return f->broken;
}

/* --- taking apart --- */

/* With ev.lock and no port in use, so that nobody is, or will be, delivering. */
static struct evtchn_fifo_vcpu *detach_vcpus(struct domain *d)
{
	struct evtchn_fifo_vcpu *all = NULL;
	struct vcpu *v;

	for_each_vcpu (d, v) {
		if (!v->ev.fifo)
			continue;
		v->ev.fifo->next = all;
		all = v->ev.fifo;
		v->ev.fifo = NULL;
	}
	return all;
}

int fifo_destroy(struct domain *d)
{
	struct evtchn_fifo_domain *f = NULL;
	struct evtchn_fifo_vcpu *q = NULL, *next;
	bool in_use;

	spin_lock(&d->ev.lock);
	in_use = d->ev.nr_active != 0;
	if (!in_use) {
		f = d->ev.fifo;
		d->ev.fifo = NULL;
		q = detach_vcpus(d);
	}
	spin_unlock(&d->ev.lock);
	if (in_use)
		return -XEN_EAGAIN;
	for (; q; q = next) {
		next = q->next;
		put_frame_and_writable(q->frame);
		hv_free(q);
	}
	for (unsigned int i = 0; f && i < f->nr_pages; i++)
		put_frame_and_writable(f->frame[i]);
	hv_free(f);
	return 0;
}

void evtchn_for_each_frame(struct domain *d, void (*fn)(struct frame *f, void *arg), void *arg)
{
	const struct evtchn_fifo_domain *f = d->ev.fifo;
	struct vcpu *v;

	if (!f)
		return;
	for (unsigned int i = 0; i < f->nr_pages; i++)
		fn(f->frame[i], arg);
	for_each_vcpu (d, v)
		if (v->ev.fifo)
			fn(v->ev.fifo->frame, arg);
}
