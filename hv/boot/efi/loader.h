/* SPDX-License-Identifier: MIT */
/*
 * The UEFI loader: domus.efi is a program for the firmware that carries the hypervisor, reads a
 * configuration and the files that it names, and starts the hypervisor as a multiboot2 loader would.
 * It is linked apart from the hypervisor, runs wherever the firmware puts it, and so has no pointer
 * in its data that would have to be relocated (the link checks it). One CPU, the firmware's stack.
 */
#ifndef BOOT_EFI_LOADER_H
#define BOOT_EFI_LOADER_H

#include "boot/efi/uefi.h"
#include "plat/screen.h"

#define LOADER_PATH	  256
#define LOADER_ARGS	  1024
#define LOADER_BELOW_4G	  0xffffffffULL
#define LOADER_MAX_CONFIG (64u << 10)

extern struct efi_system_table *efi_system;
extern const struct efi_loaded_image *efi_self;

/* --- say.c --- */
/* Prints an ASCII text, at most 511 characters, to the firmware's console, or without firmware to our own. */
void say(const char *fmt, ...) __printf(1, 2);
/* What a status means, in words. */
const char *status_text(efi_status st);

/* --- memory.c --- */
/* Whole pages below 4 GiB that the hypervisor may use later; 0: there are none. */
u64 pages_below_4g(u64 bytes);
/* The same where the image wants to lie, or at another multiple of 2 MiB. */
u64 pages_for_image(u64 wish, u64 bytes);

/* --- file.c --- */
struct loaded {
	u64 start, end;
};

/* The folder and the file that we were started from, of a server, too; "" when the firmware does not say. */
void own_path(char *folder, char *name, size_t size);
/*
 * Reads a file of the file system or the server that we come from, into pages below 4 GiB with a NUL behind
 * it. name: from `folder`, or with / or \ in front from the root; both separate. EFI_SUCCESS or why not.
 */
efi_status read_file(const char *folder, const char *name, struct loaded *out);
/* The pages for that. */
efi_status pages_for_file(u64 size, struct loaded *out);

/* --- net.c: files of the server that the firmware's own network boot, over IPv4, has loaded us from --- */
/* The name by which it asked for us; false: it did not. */
bool net_own_path(char *out, size_t size);
/* The configuration that is for this machine alone: a name from our own folder, with the MAC address in it. */
bool net_machine_config(char *out, size_t size);
/* As read_file(), with the whole path. EFI_NOT_FOUND when we come from no server, too. */
efi_status net_read_file(const char *path, struct loaded *out);
/* The path of the device that we come from, or NULL; what a messaging node (UEFI 10.3.4) of it holds. */
const struct efi_device_path *device_path(void);
const u8 *net_node(u8 subtype, size_t *len);

/* --- pxe.c, http.c: these two, when it was TFTP, and HTTP; pxe_read_file(): EFI_UNSUPPORTED when it was not --- */
bool pxe_own_path(char *out, size_t size);
efi_status pxe_read_file(const char *name, struct loaded *out);
bool http_own_path(char *out, size_t size);
efi_status http_read_file(const char *name, struct loaded *out);

/* --- gop.c --- */
/* The screen as the firmware has set it up; type SCREEN_FB_NONE: no linear framebuffer. */
void find_framebuffer(struct screen_fb *fb);

/* --- leave.c --- */
struct mbi;
/* Ends the firmware's boot services; its memory map has become the last part of m. EFI_SUCCESS or why not. */
efi_status leave_firmware(efi_handle self, struct mbi *m);
/* That has been tried: whatever came of it, the boot services are not to be used any more. */
extern bool firmware_gone;

/* --- raw.c: a console of our own, for when the firmware's is gone --- */
/* While it is there: the screen that it has set up, and the options, for com1=. */
void raw_prepare(const struct screen_fb *fb, const char *options);
/* To the serial port and to the screen, which is cleared first. */
void raw_write(const char *s, size_t n);
void __noreturn raw_halt(void);

/* --- enter.S --- */
extern const char hv_image[], hv_image_end[], enter_code[], enter_code_end[];

#endif
