// SPDX-License-Identifier: GPL-2.0
/*
 * H4 with hugetlb pages: hugetlb_wp().
 */
#include "cow.h"

static const char *setup(void)
{
	return cow_setup(HUGETLB, false);
}

static const struct hazard h04_hugetlb = {
	.name = "h04_hugetlb",
	.what_is_lost = "a page was copied without the flush that is owed",
	.setup = setup,
	.prepare = cow_prepare,
	.judge = cow_judge,
	.role = { cow_a, cow_b },
	.counter = "tlb_gen_settle",
};

int main(int argc, char **argv)
{
	return hz_main(&h04_hugetlb, argc, argv);
}
