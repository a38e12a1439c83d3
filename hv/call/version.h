/* SPDX-License-Identifier: MIT */
/* Who we say we are, and the command line as the tools show it. */
#ifndef CALL_VERSION_H
#define CALL_VERSION_H

#define HV_VERSION_MAJOR 4
#define HV_VERSION_MINOR 17
#define HV_EXTRAVERSION	 ".7-domus"

/* Set at boot, after the loader's copy has been parsed; NUL-ended. */
extern char hv_command_line[1024];

#endif
