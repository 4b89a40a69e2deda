// SPDX-License-Identifier: GPL-2.0
#include <sys/ioctl.h>

#include "hazard.h"
#include "pagemap.h"

int pagemap_scan(int pagemap, volatile void *start, volatile void *end, bool protect,
		 struct page_region *regions, int nr, uint64_t *walked)
{
	struct pm_scan_arg arg = {
		.size = sizeof(arg),
		.flags = protect ? PM_SCAN_WP_MATCHING | PM_SCAN_CHECK_WPASYNC : 0,
		.start = (uintptr_t)start,
		.end = (uintptr_t)end,
		.vec = (uintptr_t)regions,
		.vec_len = nr,
		.category_mask = PAGE_IS_WRITTEN,
		.return_mask = PAGE_IS_WRITTEN,
	};

	nr = ioctl(pagemap, PAGEMAP_SCAN, &arg);
	if (walked)
		*walked = arg.walk_end;
	return nr;
}
