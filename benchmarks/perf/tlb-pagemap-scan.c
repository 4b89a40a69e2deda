// SPDX-License-Identifier: GPL-2.0
/*
 * tlb/pagemap-scan: the range is written to, then PAGEMAP_SCAN reports what was
 * written and write-protects it, as an incremental snapshot does it. Write
 * protection is asynchronous: the kernel serves the faults of the next writes.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "bench.h"
#include "tlb.h"
#include "tlb-uffd.h"

static int pagemap = -1;
static struct page_region *regions;
static size_t nr_regions;

/*
 * As many regions as the range can have: a buffer of the user's is never full, and every
 * walk gets to the end. (walk_end does not tell: Linux leaves it where its own buffer was
 * full last.) Returns how many there were, or -1. Several initiators write to the same,
 * which nobody reads.
 */
static int scan(void *addr, size_t size)
{
	struct pm_scan_arg arg = {
		.size = sizeof(arg),
		.flags = PM_SCAN_WP_MATCHING | PM_SCAN_CHECK_WPASYNC,
		.start = (unsigned long)addr,
		.end = (unsigned long)addr + size,
		.vec = (unsigned long)regions,
		.vec_len = nr_regions,
		.category_mask = PAGE_IS_WRITTEN,
		.return_mask = PAGE_IS_WRITTEN,
	};

	return ioctl(pagemap, PAGEMAP_SCAN, &arg);
}

static const char *scan_setup(void *addr, size_t size)
{
	const char *reason;

	reason = tlb_uffd_register(UFFD_FEATURE_WP_ASYNC | UFFD_FEATURE_WP_UNPOPULATED,
				   addr, size);
	if (reason)
		return reason;
	if (pagemap < 0) {
		pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
		nr_regions = size / sysconf(_SC_PAGESIZE);
		regions = calloc(nr_regions, sizeof(*regions));
	}
	if (!regions)
		return "out of memory";
	return scan(addr, size) < 0 ? "kernel without PAGEMAP_SCAN" : NULL;
}

static int scan_step(unsigned int step, void *addr, size_t size)
{
	int n;

	if (!step) {
		tlb_touch(addr, size);
		return 0;
	}
	n = scan(addr, size);
	if (n)
		return n < 0 ? -1 : 0;
	/* It did not find what was written to. */
	errno = ENODATA;
	return -1;
}

static void scan_cleanup(void)
{
	tlb_uffd_close();
	if (pagemap >= 0)
		close(pagemap);
	pagemap = -1;
	free(regions);
	regions = NULL;
}

static const struct tlb_bench pagemap_scan_bench = {
	.name		= "pagemap-scan",
	.op		= "write to pages, then PAGEMAP_SCAN that write-protects them",
	.nr_steps	= 2,
	.step_name	= { "touch", "scan" },
	.touches	= true,
	.setup		= scan_setup,
	.step		= scan_step,
	.cleanup	= scan_cleanup,
};

int bench_tlb_pagemap_scan(int argc, const char **argv)
{
	return bench_tlb(&pagemap_scan_bench, argc, argv);
}
