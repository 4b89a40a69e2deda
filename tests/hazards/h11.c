// SPDX-License-Identifier: GPL-2.0
/*
 * H11: A discards a THP, the flush pending. A fault installs a PTE table there,
 * whose word is new. B discards the memory, finds a table with one page and
 * returns. The victim still reads through the huge entry.
 */
#include "zap.h"

static const char *setup(void)
{
	return zap_setup(THP, true);
}

static const struct hazard h11 = {
	.name = "h11",
	.what_is_lost = "memory was read after MADV_DONTNEED had returned",
	.setup = setup,
	.prepare = zap_prepare,
	.role = { zap_victim, zap_a, zap_b },
	.counter = "tlb_gen_inherit",
};

int main(int argc, char **argv)
{
	return hz_main(&h11, argc, argv);
}
