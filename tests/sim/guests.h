/* SPDX-License-Identifier: MIT */
/*
 * What vcpus do with their time, and a count of it that is not the scheduler's own. After each instant
 * of the machine some things are always checked: no CPU is idle while somebody waits who may run there,
 * and who runs is allowed to.
 */
#ifndef SIM_GUESTS_H
#define SIM_GUESTS_H

#include "machine.h"
#include "stats.h"

enum guest_kind {
	HOG,	     /* always busy */
	SLEEPER,     /* runs and sleeps for random times, of the means run and sleep */
	YIELDER,     /* busy, yields after random times of the mean run */
	CHEAT_SLEEP, /* busy, but sleeps for `sleep` just before each multiple of `run` */
	CHEAT_YIELD, /* busy, but yields then */
	DEBTOR,	     /* runs for exactly `run`, sleeps for exactly `sleep` */
};

struct guest {
	struct vcpu v;
	enum guest_kind kind;
	nsec_t run, sleep;
	struct event event; /* the end of what it does now */
	nsec_t left;	    /* of the present run */
	nsec_t since;	    /* on its CPU since then, negative: it is not */
	nsec_t wants;	    /* to run, and waits for a CPU since then; negative: it does not */
	bool woken;	    /* it waits because it woke, not because it was taken off */
	bool disturbed;	    /* by caps, pauses or affinity: its waiting proves nothing */
	nsec_t ran;
	nsec_t longest;	    /* it ever waited */
	struct stats *late; /* where its delays after waking are counted; may be NULL */
};

extern struct guest *guests[];
extern unsigned int nr_guests;
#define MAX_GUESTS 8192

/* Every so many instants the search for work that an idle CPU has missed. 1 at start. */
extern unsigned int check_every;

/* Forgets all, and a new machine. */
void guests_reset(unsigned int cpus, u64 seed);
/* vcpus: how many in a domain of its own, all of that kind; returns the first. They do not run yet. */
struct guest *guest_new(unsigned int vcpus, enum guest_kind kind, nsec_t run, nsec_t sleep);
void guest_start(struct guest *g);
void guests_start(void); /* all that are new */
void guest_weight(struct guest *g, u16 weight, u16 cap);
void guest_pin(struct guest *g, unsigned long cpus);
/* The whole domain, to a pool that has a CPU. */
void guest_move(struct guest *g, unsigned int pool);
/* Paused or not; what it was about to do happens later. */
void guest_pause(struct guest *g, bool pause);
/* ns that it was on a CPU, by our own count. */
nsec_t guest_ran(const struct guest *g);
/* Compares our count with the runstates of the scheduler: they must agree to the nanosecond. */
void guests_check_times(void);

#endif
