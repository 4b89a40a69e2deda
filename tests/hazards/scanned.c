// SPDX-License-Identifier: GPL-2.0
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "pagemap.h"
#include "scanned.h"

volatile unsigned long *scanned;
int scanned_pagemap;
static enum kind kind;
static size_t size;
static int uffd;

/* Is the first page, huge or not, written? Protects it if @protect; -1 if the kernel cannot. */
static int scan(bool protect)
{
	struct page_region region;

	return pagemap_scan(scanned_pagemap, scanned, (char *)scanned + (kind == SMALL ? (size_t)hz_page : size),
			    protect, &region, 1, NULL);
}

static const char *map(void)
{
	const char *why;

	scanned = (void *)hz_map_size(kind, size, &why);
	if (scanned)
		uffd = hz_uffd_with(UFFD_FEATURE_WP_ASYNC | UFFD_FEATURE_WP_UNPOPULATED,
				    (void *)scanned, size, UFFDIO_REGISTER_MODE_WP, &why);
	return why;
}

const char *scanned_map(enum kind kind_, size_t size_)
{
	const char *why;

	kind = kind_;
	size = size_;
	scanned_pagemap = open("/proc/self/pagemap", O_RDONLY);
	why = map();
	if (why)
		return why;
	memset((void *)scanned, 1, size);
	return scan(true) == 1 && scan(true) == 0 ? NULL : "no PAGEMAP_SCAN";
}

/* A huge page may have been split by what a round did to it: take a new one. */
void scanned_prepare(void)
{
	if (kind == THP && (munmap((void *)scanned, size) || close(uffd) || map() ||
			    !hz_populate((char *)scanned, THP, 0)))
		hz_fail("no huge page");
	*scanned = 0;
}

bool scanned_report(void)
{
	return scan(true) >= 0;
}

bool scanned_protect(void)
{
	return !hz_uffd_wp(uffd, (void *)scanned, size, true);
}

void scanned_victim(void)
{
	hz_store_counts(scanned);
}

void scanned_a(bool (*protect)(void))
{
	if (!hz_wait_count(1000))
		hz_fail("the victim does not write");
	hz_a_begins();
	if (!protect())
		hz_fail("write-protect");
	hz_a_done();
}

bool scanned_seen(void)
{
	return hz_pagemap((void *)scanned) & PM_UFFD_WP;
}

void scanned_check(void)
{
	unsigned long n = hz_count;
	int written;

	/* The second store from here on has begun since. */
	if (!hz_wait_count(n + 2))
		hz_no_hit();
	else if ((written = scan(false)) < 0)
		hz_fail("PAGEMAP_SCAN");
	else
		hz_lost = !written;
}

void scanned_b(void)
{
	if (hz_wait_for_a(scanned_seen)) {
		if (scan(true) < 0)
			hz_fail("PAGEMAP_SCAN");
		scanned_check();
	}
	hz_wait(&hz_done);
	hz_stop = true;
}
