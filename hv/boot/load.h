/* SPDX-License-Identifier: MIT */
/* Where the loader puts the image unless it must move it, and what it hands over. */
#ifndef BOOT_LOAD_H
#define BOOT_LOAD_H

#define HV_LOAD_PA 0x200000

#define MB2_HEADER_MAGIC 0xe85250d6
#define MB2_BOOT_MAGIC	 0x36d76289
#define MB1_HEADER_MAGIC 0x1badb002
#define MB1_BOOT_MAGIC	 0x2badb002

#endif
