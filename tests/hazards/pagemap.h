/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PAGEMAP_H
#define PAGEMAP_H

#include <stdbool.h>
#include <stdint.h>
#include <linux/userfaultfd.h>

#include "../../benchmarks/perf/tlb-scan.h"

/* What linux/userfaultfd.h has since 6.8. */
#ifndef UFFDIO_MOVE
#define UFFD_FEATURE_MOVE	(1 << 16)
struct uffdio_move {
	uint64_t dst, src, len, mode;
	int64_t move;
};
#define UFFDIO_MOVE		_IOWR(UFFDIO, 0x05, struct uffdio_move)
#endif

/*
 * What was written of [@start, @end), and with @protect write-protect it. Returns
 * how many @regions, of @nr, or -1; in @walked, if given, where it stopped.
 */
int pagemap_scan(int pagemap, volatile void *start, volatile void *end, bool protect,
		 struct page_region *regions, int nr, uint64_t *walked);

#endif
