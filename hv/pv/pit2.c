/* SPDX-License-Identifier: MIT */
#include "pv/pit2.h"
#include "plat/plat.h"

#define GATE	0x01
#define SPEAKER 0x02
#define REFRESH 0x10
#define OUT2	0x20

/* Ticks since the countdown began; saturates after hours. */
static u64 ticks(const struct pit2 *p, nsec_t now)
{
	u64 ns = now > p->start ? (u64)(now - p->start) : 0;

	return min(ns, 1ul << 43) * (u64)PIT_HZ / (u64)NSEC_PER_SEC;
}

static bool running(const struct pit2 *p)
{
	return p->reload && (p->port61 & GATE);
}

static u16 count(const struct pit2 *p, nsec_t now)
{
	u64 t;

	if (!running(p))
		return (u16)p->reload;
	t = ticks(p, now);
	switch (p->mode) {
	case 2:
		return (u16)(p->reload - t % p->reload);
	case 3: /* by twos, twice a period */
		return (u16)(p->reload - 2 * t % p->reload);
	default:
		return (u16)(p->reload - t);
	}
}

static bool output(const struct pit2 *p, nsec_t now)
{
	u64 t;

	if (!running(p))
		return p->mode != 0;
	t = ticks(p, now);
	switch (p->mode) {
	case 2:
		return t % p->reload != p->reload - 1;
	case 3:
		return t % p->reload < (p->reload + 1) / 2;
	default:
		return t >= p->reload;
	}
}

static u8 read_counter(struct pit2 *p, nsec_t now)
{
	u16 c = p->latched ? p->latch : count(p, now);
	bool high = p->access == 2 || (p->access == 3 && p->read_high);

	if (p->access == 3)
		p->read_high = !p->read_high;
	if (p->latched)
		p->latched--;
	return (u8)(high ? c >> 8 : c);
}

static void load(struct pit2 *p, u16 v, nsec_t now)
{
	p->reload = v ? v : 65536;
	p->start = now;
}

static void write_counter(struct pit2 *p, u8 v, nsec_t now)
{
	switch (p->access) {
	case 1:
		load(p, v, now);
		break;
	case 2:
		load(p, (u16)(v << 8), now);
		break;
	case 3:
		if (!p->have_low)
			p->low = v;
		else
			load(p, (u16)(v << 8 | p->low), now);
		p->have_low = !p->have_low;
		break;
	}
}

/* Latch of the count, or a new mode; read-back and the other channels are not ours. */
static void write_control(struct pit2 *p, u8 v, nsec_t now)
{
	if (v >> 6 != 2)
		return;
	if (!(v & 0x30)) {
		if (!p->latched) {
			p->latch = count(p, now);
			p->latched = p->access == 3 ? 2 : 1;
		}
		return;
	}
	p->access = v >> 4 & 3;
	p->mode = v >> 1 & 7;
	if (p->mode > 5)
		p->mode -= 4; /* 6 and 7 are 2 and 3 */
	p->reload = 0;
	p->latched = 0;
	p->have_low = p->read_high = false;
}

u8 pit2_in(struct pit2 *p, u16 port, nsec_t now)
{
	u8 v = 0xff;

	spin_lock(&p->lock);
	if (port == 0x42) {
		v = read_counter(p, now);
	} else if (port == 0x61) {
		p->refresh = !p->refresh;
		v = (u8)(p->port61 | (p->refresh ? REFRESH : 0) | (output(p, now) ? OUT2 : 0));
	}
	spin_unlock(&p->lock);
	return v;
}

void pit2_out(struct pit2 *p, u16 port, u8 val, nsec_t now)
{
	spin_lock(&p->lock);
	if (port == 0x42) {
		write_counter(p, val, now);
	} else if (port == 0x43) {
		write_control(p, val, now);
	} else if (port == 0x61) {
		/* A rising gate starts the count anew in the modes that are used with it. */
		if ((val & GATE) && !(p->port61 & GATE))
			p->start = now;
		p->port61 = val & (GATE | SPEAKER);
	}
	spin_unlock(&p->lock);
}
