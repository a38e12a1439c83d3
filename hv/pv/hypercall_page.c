/* SPDX-License-Identifier: MIT */
#include "pv/pv.h"
#include "dom/hypercall.h"
#include "lib/string.h"

#define STUB_SIZE 32

/* One stub a call, call n at n * 32: rcx and r11, which SYSCALL destroys, are kept on the stack. */
void pv_fill_hypercall_page(void *page)
{
	/* push %rcx; push %r11; mov $nr, %eax; syscall; pop %r11; pop %rcx; ret */
	static const u8 call[] = {0x51, 0x41, 0x53, 0xb8, 0,	0,    0,
				  0,	0x0f, 0x05, 0x41, 0x5b, 0x59, 0xc3};
	/* push %rcx; push %r11; push %rax; mov $23, %eax; syscall: the top of struct iret_context */
	static const u8 iret[] = {0x51, 0x41, 0x53, 0x50, 0xb8, __HYPERVISOR_iret,
				  0,	0,    0,    0x0f, 0x05};
	u8 *p = page;

	memset(p, 0xcc, PAGE_SIZE);
	for (u32 nr = 0; nr < PAGE_SIZE / STUB_SIZE; nr++, p += STUB_SIZE) {
		if (nr == __HYPERVISOR_iret) {
			memcpy(p, iret, sizeof(iret));
			continue;
		}
		memcpy(p, call, sizeof(call));
		memcpy(p + 4, &nr, sizeof(nr));
	}
}
