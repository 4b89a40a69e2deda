// SPDX-License-Identifier: GPL-2.0
#include <fcntl.h>

#include "hazard.h"
#include "pagemap.h"
#include "scanned.h"

volatile unsigned long *scanned;
int scanned_uffd;

static int pagemap;

int scanned_scan(bool protect)
{
	struct page_region region;

	return pagemap_scan(pagemap, scanned, (char *)scanned + hz_page, protect, &region, 1, NULL);
}

const char *scanned_map(int pages)
{
	const char *why;

	scanned = (void *)hz_map_size(SMALL, pages * hz_page, &why);
	if (!scanned)
		return why;
	pagemap = open("/proc/self/pagemap", O_RDONLY);
	scanned_uffd = hz_uffd_with(UFFD_FEATURE_WP_ASYNC | UFFD_FEATURE_WP_UNPOPULATED,
				    (void *)scanned, pages * hz_page,
				    UFFDIO_REGISTER_MODE_WP, &why);
	if (why)
		return why;
	for (int i = 0; i < pages; i++)
		scanned[i * hz_page / sizeof(*scanned)] = 1;
	return scanned_scan(true) == 1 && scanned_scan(true) == 0 ? NULL : "no PAGEMAP_SCAN";
}

void scanned_prepare(void)
{
	*scanned = 0;
}

void scanned_victim(void)
{
	hz_store_counts(scanned);
}

void scanned_wait_for_victim(void)
{
	if (!hz_wait_count(1000))
		hz_fail("the victim does not write");
}

static bool seen(void)
{
	return hz_pagemap((void *)scanned) & PM_UFFD_WP;
}

void scanned_b(void)
{
	if (hz_wait_for_a(seen)) {
		unsigned long n;

		if (scanned_scan(true) < 0)
			hz_fail("PAGEMAP_SCAN");
		/* One of these stores has begun since. */
		n = hz_count;
		hz_wait_count(n + 2);
		hz_lost = scanned_scan(false) != 1;
	}
	hz_wait(&hz_done);
	hz_stop = true;
}

enum outcome scanned_judge(void)
{
	return hz_lost ? RED : HIT;
}
