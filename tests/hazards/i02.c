// SPDX-License-Identifier: GPL-2.0
/*
 * PAGEMAP_SCAN write-protects what was written in several page tables, with one
 * flush, and one for each time that its buffer is full.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <linux/userfaultfd.h>

#include "count.h"
#include "pagemap.h"

#define TABLES	8

static char *mem;
static size_t size;
static int pagemap;
static long flushes;

static int scan(void)
{
	struct page_region region;

	return pagemap_scan(pagemap, mem, mem + size, true, &region, 1, NULL);
}

static const char *setup(void)
{
	const char *why = count_setup();

	size = TABLES * hz_size(THP);
	if (!why)
		mem = hz_map_size(SMALL, size, &why);
	if (!why)
		hz_uffd_with(UFFD_FEATURE_WP_ASYNC | UFFD_FEATURE_WP_UNPOPULATED, mem, size,
			     UFFDIO_REGISTER_MODE_WP, &why);
	pagemap = open("/proc/self/pagemap", O_RDONLY);
	return why ? why : scan() < 0 ? "no PAGEMAP_SCAN" : NULL;
}

static void prepare(void)
{
	memset(mem, 1, size);
}

static void a(void)
{
	long before = count_flushes();

	if (scan() != 1)
		hz_fail("PAGEMAP_SCAN");
	flushes = count_flushes() - before;
	hz_hit();
	hz_stop = true;
}

static enum outcome judge(void)
{
	return count_judge(flushes, 1);
}

static const struct hazard i02 = {
	.name = "i02",
	.what_is_lost = "a flush for each page table of a PAGEMAP_SCAN",
	.setup = setup,
	.prepare = prepare,
	.judge = judge,
	.role = { count_bystander, a },
};

int main(int argc, char **argv)
{
	return hz_main(&i02, argc, argv);
}
