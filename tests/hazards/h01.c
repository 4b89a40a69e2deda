// SPDX-License-Identifier: GPL-2.0
/*
 * H1: A write-protects a page through userfaultfd, its flush pending. B
 * write-protects the same page, finds it protected and returns. What the victim
 * stores after that through its old entry is missing in B's snapshot.
 */
#include "wp.h"

static const char *setup(void)
{
	return wp_setup(SMALL, false);
}

static const struct hazard h01 = {
	.name = "h01",
	.what_is_lost = "the page changed after UFFDIO_WRITEPROTECT had returned",
	.setup = setup,
	.prepare = wp_prepare,
	.role = { wp_victim, wp_a, wp_b },
	.counter = "tlb_gen_inherit",
};

int main(int argc, char **argv)
{
	return hz_main(&h01, argc, argv);
}
