// SPDX-License-Identifier: GPL-2.0
/*
 * H14: a huge page is gone, and mprotect() skips the empty pmd without its lock.
 */
#include "punch.h"

static const char *setup(void)
{
	return punch_setup(THP, false);
}

static const struct hazard h14_mprotect = {
	.name = "h14_mprotect",
	.what_is_lost = "memory was read after mprotect(PROT_NONE) had returned",
	.setup = setup,
	.prepare = punch_prepare,
	.role = { punch_victim, punch_a, punch_b },
	.counter = "tlb_gen_inherit",
};

int main(int argc, char **argv)
{
	return hz_main(&h14_mprotect, argc, argv);
}
