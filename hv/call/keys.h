/* SPDX-License-Identifier: MIT */
/*
 * Debug keys: one letter each, from `xl debug-keys` or from the serial console after Ctrl-A three
 * times. They print the hypervisor's state to its log and change nothing, but for 'C' and 'R'.
 */
#ifndef CALL_KEYS_H
#define CALL_KEYS_H

/* fn is called with interrupts off and no lock held. Boot time; the last one for a letter wins. */
void debug_key_register(char key, void (*fn)(char key), const char *help);
/* Runs a key; an unknown one says so. Any CPU, any context without locks. */
void debug_key_run(char key);
/* Registers those of this file and hooks the console. Boot CPU, once. */
void debug_keys_init(void);

#endif
