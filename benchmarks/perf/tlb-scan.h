/* SPDX-License-Identifier: GPL-2.0 */
/*
 * PAGEMAP_SCAN and asynchronous write protection, which linux/fs.h and
 * linux/userfaultfd.h have since Linux 6.7. Needs nothing of perf:
 * benchmarks/load/preload.c and tests/hazards take it, too.
 */
#ifndef BENCH_TLB_SCAN_H
#define BENCH_TLB_SCAN_H

#include <linux/fs.h>
#include <linux/types.h>
#include <linux/userfaultfd.h>

/* UFFD_FEATURE_WP_UNPOPULATED is of 6.4 */
#ifndef UFFD_FEATURE_WP_ASYNC
#define UFFD_FEATURE_WP_ASYNC		((__u64)1 << 15)
#endif
#ifndef UFFD_FEATURE_WP_UNPOPULATED
#define UFFD_FEATURE_WP_UNPOPULATED	((__u64)1 << 13)
#endif

#ifndef PAGEMAP_SCAN
#define PAGE_IS_WRITTEN			((__u64)1 << 1)
#define PM_SCAN_WP_MATCHING		((__u64)1 << 0)
#define PM_SCAN_CHECK_WPASYNC		((__u64)1 << 1)
struct page_region {
	__u64 start, end, categories;
};

struct pm_scan_arg {
	__u64 size, flags, start, end, walk_end, vec, vec_len, max_pages;
	__u64 category_inverted, category_mask, category_anyof_mask, return_mask;
};

#define PAGEMAP_SCAN			_IOWR('f', 16, struct pm_scan_arg)
#endif

#endif
