// SPDX-License-Identifier: GPL-2.0
/*
 * H12: H1 at the PMD level, with a THP.
 */
#include "wp.h"

static const char *setup(void)
{
	return wp_setup(THP, false);
}

static const struct hazard h12 = {
	.name = "h12",
	.what_is_lost = "the page changed after UFFDIO_WRITEPROTECT had returned",
	.setup = setup,
	.prepare = wp_prepare,
	.role = { wp_victim, wp_a, wp_b },
	.counter = "tlb_gen_inherit",
};

int main(int argc, char **argv)
{
	return hz_main(&h12, argc, argv);
}
