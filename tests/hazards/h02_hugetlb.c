// SPDX-License-Identifier: GPL-2.0
/*
 * H12: H2 with a hugetlb page.
 */
#include "zap.h"

static const char *setup(void)
{
	return zap_setup(HUGETLB, false);
}

static const struct hazard h02_hugetlb = {
	.name = "h02_hugetlb",
	.what_is_lost = "memory was read after MADV_DONTNEED had returned",
	.setup = setup,
	.prepare = zap_prepare,
	.role = { zap_victim, zap_a, zap_b },
};

int main(int argc, char **argv)
{
	return hz_main(&h02_hugetlb, argc, argv);
}
