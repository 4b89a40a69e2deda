// SPDX-License-Identifier: GPL-2.0
/*
 * H2: A discards a page, its flush pending. B discards the same page, finds
 * nothing and returns. The victim still reads the old page.
 */
#include "zap.h"

static const char *setup(void)
{
	return zap_setup(SMALL, false);
}

static const struct hazard h02 = {
	.name = "h02",
	.what_is_lost = "memory was read after MADV_DONTNEED had returned",
	.setup = setup,
	.prepare = zap_prepare,
	.role = { zap_victim, zap_a, zap_b },
	.counter = "tlb_gen_inherit",
};

int main(int argc, char **argv)
{
	return hz_main(&h02, argc, argv);
}
