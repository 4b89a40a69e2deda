// SPDX-License-Identifier: GPL-2.0
/*
 * H14, a hole that is made and flushed under the lock: the last page of a huge page
 * is gone, for which its entry is split, that is, cleared. mprotect() skips the empty
 * pmd without its lock.
 */
#include "punch.h"

static const char *setup(void)
{
	return punch_setup(THP, true);
}

static const struct hazard h14_split = {
	.name = "h14_split",
	.what_is_lost = "memory was read after mprotect(PROT_NONE) had returned",
	.setup = setup,
	.prepare = punch_prepare,
	.role = { punch_victim, punch_a, punch_b },
};

int main(int argc, char **argv)
{
	return hz_main(&h14_split, argc, argv);
}
