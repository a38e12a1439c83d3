/* SPDX-License-Identifier: MIT */
/* Who we say we are, and the command line as the tools show it. */
#ifndef CALL_VERSION_H
#define CALL_VERSION_H

#define HV_VERSION_MAJOR 4
#define HV_VERSION_MINOR 17
/* The builder's own part, from the build (scripts/version.mk). */
#ifndef HV_LOCALVERSION
#define HV_LOCALVERSION ""
#endif

#define DOMUS_VERSION "0.1" HV_LOCALVERSION

/* The tools have room for 15 characters; the changeset has the whole of it. */
#define HV_EXTRAVERSION ".7-domus" HV_LOCALVERSION
#define HV_CHANGESET	"domus " DOMUS_VERSION

/* Set at boot, after the loader's copy has been parsed; NUL-ended. */
extern char hv_command_line[1024];

#endif
