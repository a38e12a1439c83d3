/* SPDX-License-Identifier: MIT */
/* Where the loader puts the image, and what it hands over. */
#ifndef BOOT_LOAD_H
#define BOOT_LOAD_H

#define HV_LOAD_PA 0x200000

#define MB2_HEADER_MAGIC 0xe85250d6
#define MB2_BOOT_MAGIC	 0x36d76289

#endif
