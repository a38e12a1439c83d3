/* SPDX-License-Identifier: MIT */
#include "boot/efi/loader.h"
#include "lib/printf.h"
#include "lib/string.h"

#define LINE 512

void say(const char *fmt, ...)
{
	struct efi_text_output *out;
	efi_char wide[2 * LINE];
	char text[LINE];
	size_t n = 0;
	va_list ap;

	va_start(ap, fmt);
	hv_vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (firmware_gone) {
		raw_write(text, strlen(text));
		return;
	}
	out = efi_system->con_out;
	for (size_t i = 0; text[i]; i++) {
		if (text[i] == '\n')
			wide[n++] = '\r';
		wide[n++] = (u8)text[i];
	}
	wide[n] = 0;
	if (out)
		out->output_string(out, wide);
}

/* No table: its pointers would have to be relocated. */
const char *status_text(efi_status st)
{
	if (st == EFI_NOT_FOUND)
		return "not found";
	if (st == EFI_OUT_OF_RESOURCES)
		return "no memory below 4 GiB";
	if (st == EFI_LOAD_ERROR)
		return "it ends too early";
	if (st == EFI_INVALID_PARAMETER)
		return "no such name";
	if (st == EFI_TIMEOUT)
		return "the server does not answer";
	if (st == EFI_TFTP_ERROR)
		return "the server broke off";
	if (st == EFI_PROTOCOL_ERROR)
		return "the server does not say how long it is";
	return "the firmware cannot read it";
}
