// SPDX-License-Identifier: GPL-2.0
/*
 * H12 with a THP, and A is clear_refs(4).
 */
#include "wp.h"

static const char *setup(void)
{
	return wp_setup(THP, true);
}

static const struct hazard h12_soft_dirty = {
	.name = "h12_soft_dirty",
	.what_is_lost = "the page changed after UFFDIO_WRITEPROTECT had returned",
	.setup = setup,
	.prepare = wp_prepare,
	.role = { wp_victim, wp_a, wp_b },
	.counter = "tlb_gen_inherit",
};

int main(int argc, char **argv)
{
	return hz_main(&h12_soft_dirty, argc, argv);
}
