// SPDX-License-Identifier: GPL-2.0
/*
 * H15: H11 where what B inherits is a block: its flush must not say that the
 * entries are pages. QEMU takes no notice of the level; the kernel asserts it.
 */
#include "zap.h"

static const char *setup(void)
{
	return zap_setup(THP, true);
}

static const struct hazard h15 = {
	.name = "h15",
	.what_is_lost = "memory was read after MADV_DONTNEED had returned",
	.setup = setup,
	.prepare = zap_prepare,
	.role = { zap_victim, zap_a, zap_b },
};

int main(int argc, char **argv)
{
	return hz_main(&h15, argc, argv);
}
