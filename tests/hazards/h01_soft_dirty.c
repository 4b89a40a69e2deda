// SPDX-License-Identifier: GPL-2.0
/*
 * H1, and A is clear_refs(4), which has taken the lock for read by then.
 */
#include "wp.h"

static const char *setup(void)
{
	return wp_setup(SMALL, true);
}

static const struct hazard h01_soft_dirty = {
	.name = "h01_soft_dirty",
	.what_is_lost = "the page changed after UFFDIO_WRITEPROTECT had returned",
	.setup = setup,
	.prepare = wp_prepare,
	.role = { wp_victim, wp_a, wp_b },
	.counter = "tlb_gen_inherit",
};

int main(int argc, char **argv)
{
	return hz_main(&h01_soft_dirty, argc, argv);
}
