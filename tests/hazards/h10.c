// SPDX-License-Identifier: GPL-2.0
/*
 * H10: PAGEMAP_SCAN reports a page as written and write-protects it, its flush
 * pending. A second scan finds nothing written and returns. What the victim
 * stores after that has to be in the third.
 */
#include <fcntl.h>

#include "hazard.h"
#include "pagemap.h"

static volatile unsigned long *mem;
static int pagemap;

/* Is the page written? Protects it if @protect; -1 if the kernel cannot. */
static int scan(bool protect)
{
	struct page_region region;

	return pagemap_scan(pagemap, mem, (char *)mem + hz_page, protect, &region, 1, NULL);
}

static const char *setup(void)
{
	const char *why;
	int uffd;

	mem = (void *)hz_map(SMALL, &why);
	if (!mem)
		return why;
	pagemap = open("/proc/self/pagemap", O_RDONLY);
	uffd = hz_uffd_with(UFFD_FEATURE_WP_ASYNC | UFFD_FEATURE_WP_UNPOPULATED,
			    (void *)mem, hz_page, UFFDIO_REGISTER_MODE_WP, &why);
	(void)uffd;
	if (why)
		return why;
	*mem = 1;
	return scan(true) == 1 && scan(true) == 0 ? NULL : "no PAGEMAP_SCAN";
}

static void prepare(void)
{
	*mem = 0;
}

static void victim(void)
{
	hz_store_counts(mem);
}

static void a(void)
{
	if (!hz_wait_count(1000))
		hz_fail("the victim does not write");
	hz_a_begins();
	if (scan(true) < 0)
		hz_fail("PAGEMAP_SCAN");
	hz_a_done();
}

static bool seen(void)
{
	return hz_pagemap((void *)mem) & PM_UFFD_WP;
}

static void b(void)
{
	if (hz_wait_for_a(seen)) {
		unsigned long n;

		if (scan(true) < 0)
			hz_fail("PAGEMAP_SCAN");
		n = hz_count;
		hz_wait_count(n + 1000);
		hz_lost = scan(false) != 1;
	}
	hz_wait(&hz_done);
	hz_stop = true;
}

static enum outcome judge(void)
{
	return hz_lost ? RED : HIT;
}

static const struct hazard h10 = {
	.name = "h10",
	.what_is_lost = "a store after PAGEMAP_SCAN is in no later scan",
	.setup = setup,
	.prepare = prepare,
	.judge = judge,
	.role = { victim, a, b },
};

int main(int argc, char **argv)
{
	return hz_main(&h10, argc, argv);
}
