// SPDX-License-Identifier: GPL-2.0
/*
 * H2, with mprotect() as B: it walks a table whose entry is none.
 */
#include "punch.h"

static const char *setup(void)
{
	return punch_setup(SMALL, false);
}

static const struct hazard h02_mprotect = {
	.name = "h02_mprotect",
	.what_is_lost = "memory was read after mprotect(PROT_NONE) had returned",
	.setup = setup,
	.prepare = punch_prepare,
	.role = { punch_victim, punch_a, punch_b },
	.counter = "tlb_gen_inherit",
};

int main(int argc, char **argv)
{
	return hz_main(&h02_mprotect, argc, argv);
}
