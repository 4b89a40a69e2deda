// SPDX-License-Identifier: GPL-2.0
/*
 * H3: reclaim makes a page's entry a swap entry, its batch not flushed. B
 * discards the page, finds nothing that a CPU could use and returns. The victim
 * still reads the old page.
 */
#include "zap.h"

static const char *setup(void)
{
	if (hz_read_file("/proc/sys/vm/swappiness") < 0)
		return "no swap";
	return zap_setup(SMALL, false);
}

static const struct hazard h03 = {
	.name = "h03",
	.what_is_lost = "memory was read after MADV_DONTNEED had returned",
	.setup = setup,
	.prepare = zap_prepare,
	.role = { zap_victim, zap_reclaim, zap_b },
};

int main(int argc, char **argv)
{
	return hz_main(&h03, argc, argv);
}
