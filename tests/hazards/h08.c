// SPDX-License-Identifier: GPL-2.0
/*
 * H8: see freed.h.
 */
#include "freed.h"

static const char *setup(void)
{
	return freed_setup(SMALL);
}

static const struct hazard h08 = {
	.name = "h08",
	.what_is_lost = "a store after MADV_FREE had returned was discarded",
	.setup = setup,
	.prepare = freed_prepare,
	.role = { freed_victim, freed_a, freed_b },
	.counter = "tlb_gen_inherit",
};

int main(int argc, char **argv)
{
	return hz_main(&h08, argc, argv);
}
