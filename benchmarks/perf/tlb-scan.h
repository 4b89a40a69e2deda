/* SPDX-License-Identifier: GPL-2.0 */
/*
 * PAGEMAP_SCAN and asynchronous write protection for headers before Linux 6.7. Needs
 * nothing of perf, so that benchmarks/load/preload.c takes it, too; comes after
 * <linux/userfaultfd.h>, which may have some of it.
 */
#ifndef BENCH_TLB_SCAN_H
#define BENCH_TLB_SCAN_H

#include <linux/ioctl.h>
#include <linux/types.h>

/* UFFD_FEATURE_WP_UNPOPULATED is of 6.4 */
#ifndef UFFD_FEATURE_WP_ASYNC
#define UFFD_FEATURE_WP_ASYNC		((__u64)1 << 15)
#endif
#ifndef UFFD_FEATURE_WP_UNPOPULATED
#define UFFD_FEATURE_WP_UNPOPULATED	((__u64)1 << 13)
#endif

struct scan_region {
	__u64 start, end, categories;
};

struct scan_arg {
	__u64 size, flags, start, end, walk_end, vec, vec_len, max_pages;
	__u64 category_inverted, category_mask, category_anyof_mask, return_mask;
};

#define SCAN			_IOWR('f', 16, struct scan_arg)
#define SCAN_WP_MATCHING	((__u64)1 << 0)
#define SCAN_CHECK_WPASYNC	((__u64)1 << 1)
#define SCAN_IS_WRITTEN		((__u64)1 << 1)

#endif
