/* SPDX-License-Identifier: MIT */
/*
 * A board for code that reads and writes I/O ports: IN and OUT fault in a program of the build machine,
 * and the handler asks the test instead. So the code is tested as it is.
 */
#ifndef FAKE_PORTS_H
#define FAKE_PORTS_H

#include "fake/fake.h"

/*
 * To be called by each test, for cmocka has a handler of its own for each. A read gets what `in` returns, cut
 * to size bytes, or all ones without it; a write goes to `out`, when there is one.
 */
void fake_ports(u32 (*in)(u16 port, unsigned int size), void (*out)(u16 port, unsigned int size, u32 v));
/* Calls fn, which must end in CLI (the machine halts) or LIDT (it resets itself). Returns which: 'h' or 'r'. */
char fake_machine_end(void (*fn)(void));

#endif
