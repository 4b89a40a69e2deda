// SPDX-License-Identifier: GPL-2.0
/*
 * H4 with clear_refs(4), which lets page faults go on: do_wp_page().
 */
#include "cow.h"

static const char *setup(void)
{
	return cow_setup(SMALL, true);
}

static const struct hazard h04_soft_dirty = {
	.name = "h04_soft_dirty",
	.what_is_lost = "a page was copied without the flush that is owed",
	.setup = setup,
	.prepare = cow_prepare,
	.judge = cow_judge,
	.role = { cow_a, cow_b },
	.counter = "tlb_gen_settle",
};

int main(int argc, char **argv)
{
	return hz_main(&h04_soft_dirty, argc, argv);
}
