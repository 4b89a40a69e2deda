// SPDX-License-Identifier: GPL-2.0
/*
 * H4 with small pages: do_wp_page().
 */
#include "cow.h"

static const char *setup(void)
{
	return cow_setup(SMALL, false);
}

static const struct hazard h04 = {
	.name = "h04",
	.what_is_lost = "a page was copied without the flush that is owed",
	.setup = setup,
	.prepare = cow_prepare,
	.judge = cow_judge,
	.role = { cow_a, cow_b },
	.counter = "tlb_gen_settle",
};

int main(int argc, char **argv)
{
	return hz_main(&h04, argc, argv);
}
