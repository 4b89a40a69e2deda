// SPDX-License-Identifier: GPL-2.0
/*
 * H10 with a huge page; see scanned.h.
 */
#include "scanned.h"

static const char *setup(void)
{
	return scanned_map(THP, hz_size(THP));
}

static void a(void)
{
	scanned_a(scanned_report);
}

static const struct hazard h10_thp = {
	.name = "h10_thp",
	.what_is_lost = "a store after PAGEMAP_SCAN is in no later scan",
	.setup = setup,
	.prepare = scanned_prepare,
	.role = { scanned_victim, a, scanned_b },
	.counter = "tlb_gen_inherit",
};

int main(int argc, char **argv)
{
	return hz_main(&h10_thp, argc, argv);
}
