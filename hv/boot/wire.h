/* SPDX-License-Identifier: MIT */
/* Connects the hooks that lower floors offer to those above them. */
#ifndef BOOT_WIRE_H
#define BOOT_WIRE_H

void wire_board(void); /* before the console */
void wire_up(void);    /* after heap, clock and scheduler */

#endif
