// SPDX-License-Identifier: GPL-2.0
/*
 * H12: H1 with a hugetlb page.
 */
#include "wp.h"

static const char *setup(void)
{
	return wp_setup(HUGETLB, false);
}

static const struct hazard h12_hugetlb = {
	.name = "h12_hugetlb",
	.what_is_lost = "the page changed after UFFDIO_WRITEPROTECT had returned",
	.setup = setup,
	.prepare = wp_prepare,
	.role = { wp_victim, wp_a, wp_b },
};

int main(int argc, char **argv)
{
	return hz_main(&h12_hugetlb, argc, argv);
}
