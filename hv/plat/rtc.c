/* SPDX-License-Identifier: MIT */
#include "plat/plat.h"
#include "plat/acpi.h"
#include "cpu/cpu.h"
#include "lib/log.h"
#include "lib/string.h"

/* Motorola MC146818, taken to run on UTC. */
#define CMOS_INDEX 0x70
#define CMOS_DATA  0x71
#define REG_A	   10
#define REG_B	   11
#define A_UIP	   0x80
#define B_24H	   0x02
#define B_BINARY   0x04
#define HOUR_PM	   0x80
#define UIP_SPINS  20000 /* an update takes 2 ms */
#define TRIES	   8

enum {
	SEC,
	MIN,
	HOUR,
	DAY,
	MONTH,
	YEAR,
	CENTURY,
	NR_FIELDS
};

static u8 cmos_read(u8 reg)
{
	outb(reg, CMOS_INDEX);
	return inb(CMOS_DATA);
}

static void read_fields(u8 f[NR_FIELDS])
{
	static const u8 regs[] = {0, 2, 4, 7, 8, 9};

	for (unsigned int i = 0; i < UIP_SPINS && cmos_read(REG_A) & A_UIP; i++)
		;
	for (unsigned int i = 0; i < ARRAY_SIZE(regs); i++)
		f[i] = cmos_read(regs[i]);
	f[CENTURY] = acpi.rtc_century && acpi.rtc_century < 128 ? cmos_read(acpi.rtc_century) : 0;
}

static unsigned int decode(u8 v, bool binary)
{
	return binary ? v : (v >> 4) * 10u + (v & 15);
}

/* Days since 1970-01-01 of the Gregorian calendar, years counted from March. */
static u64 days_since_1970(unsigned int y, unsigned int m, unsigned int d)
{
	y -= m <= 2;
	m = m <= 2 ? m + 9 : m - 3;
	return 365UL * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + d - 1 - 719468;
}

static u64 to_unix(const u8 f[NR_FIELDS], u8 reg_b)
{
	bool binary = reg_b & B_BINARY, pm = false;
	unsigned int v[NR_FIELDS] = {0}, century;
	u8 hour = f[HOUR];

	for (unsigned int i = 0; i < NR_FIELDS; i++)
		v[i] = decode(f[i], binary);
	if (!(reg_b & B_24H)) {
		pm = hour & HOUR_PM;
		v[HOUR] = decode(hour & (u8)~HOUR_PM, binary) % 12 + (pm ? 12 : 0);
	}
	century = v[CENTURY] >= 19 && v[CENTURY] <= 22 ? v[CENTURY] : 20;
	if (v[SEC] > 59 || v[MIN] > 59 || v[HOUR] > 23 || v[DAY] < 1 || v[DAY] > 31 ||
	    v[MONTH] < 1 || v[MONTH] > 12 || v[YEAR] > 99)
		return 0;
	return days_since_1970(century * 100 + v[YEAR], v[MONTH], v[DAY]) * 86400 +
	       v[HOUR] * 3600u + v[MIN] * 60u + v[SEC];
}

/* Two equal readings in a row cannot straddle an update. */
u64 rtc_read_unix(void)
{
	u8 a[NR_FIELDS] = {0}, b[NR_FIELDS] = {0};
	u64 t;

	read_fields(a);
	for (unsigned int i = 0; i < TRIES; i++) {
		read_fields(b);
		if (!memcmp(a, b, sizeof(a)))
			break;
		memcpy(a, b, sizeof(a));
	}
	t = to_unix(b, cmos_read(REG_B));
	if (!t)
		pr_warn("RTC: no sensible date, starting in 1970\n");
	return t;
}
