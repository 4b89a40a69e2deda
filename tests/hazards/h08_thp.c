// SPDX-License-Identifier: GPL-2.0
/*
 * H8 with a huge page; see freed.h. It has no guard: MADV_FREE of a huge page clears
 * the entry, flushes, and makes it clean then, all under the lock.
 */
#include "freed.h"

static const char *setup(void)
{
	return freed_setup(THP);
}

static const struct hazard h08_thp = {
	.name = "h08_thp",
	.what_is_lost = "a store after MADV_FREE had returned was discarded",
	.setup = setup,
	.prepare = freed_prepare,
	.role = { freed_victim, freed_a, freed_b },
};

int main(int argc, char **argv)
{
	return hz_main(&h08_thp, argc, argv);
}
