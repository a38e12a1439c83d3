/* SPDX-License-Identifier: MIT */
#include "topics.h"

const struct topic topics[] = {
	{"start", start_tests}, {"traps", trap_tests}, {"user", user_tests_},
	{"calls", call_tests},	{NULL, NULL},
};
