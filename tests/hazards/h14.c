// SPDX-License-Identifier: GPL-2.0
/*
 * H14: A discards a THP; the pmd is none, the flush pending. B discards the same
 * memory and skips the empty pmd without its lock. The victim still reads through
 * the huge entry.
 */
#include "zap.h"

static const char *setup(void)
{
	return zap_setup(THP, false);
}

static const struct hazard h14 = {
	.name = "h14",
	.what_is_lost = "memory was read after MADV_DONTNEED had returned",
	.setup = setup,
	.prepare = zap_prepare,
	.role = { zap_victim, zap_a, zap_b },
	.counter = "tlb_gen_inherit",
};

int main(int argc, char **argv)
{
	return hz_main(&h14, argc, argv);
}
