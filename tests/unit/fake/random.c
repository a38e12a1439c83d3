/* SPDX-License-Identifier: MIT */
#include "fake/fake.h"

u32 fake_random(void)
{
	static u64 state = 0x9e3779b97f4a7c15;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (u32)(state >> 32);
}
