// SPDX-License-Identifier: GPL-2.0
/*
 * H16, PAGEMAP_SCAN: it write-protects the entry of a page that is being migrated
 * and leaves it writable. The page comes back writable and unprotected: the next
 * scan reports it as written, which it was not.
 */
#include <fcntl.h>

#include "hazard.h"
#include "migrate.h"
#include "pagemap.h"

#define PAGES		MIGRATE_PAGES

static volatile char *mem;
static int pagemap;

/* How many regions were written; -1 if the kernel cannot tell. */
static int scan(bool protect)
{
	struct page_region regions[PAGES];

	return pagemap_scan(pagemap, mem, mem + PAGES * hz_page, protect, regions, PAGES, NULL);
}

static void prepare(void)
{
	for (int i = 0; i < PAGES; i++)
		mem[i * hz_page] = 1;
}

static const char *setup(void)
{
	const char *why;
	int uffd;

	mem = hz_map_size(SMALL, PAGES * hz_page, &why);
	if (!mem)
		return why;
	pagemap = open("/proc/self/pagemap", O_RDONLY);
	uffd = hz_uffd_with(UFFD_FEATURE_WP_ASYNC | UFFD_FEATURE_WP_UNPOPULATED,
			    (void *)mem, PAGES * hz_page, UFFDIO_REGISTER_MODE_WP, &why);
	(void)uffd;
	if (why)
		return why;
	prepare();
	if (scan(true) != 1 || scan(true))
		return "no PAGEMAP_SCAN";
	if (!migrate(mem, PAGES, 1) || !migrate(mem, PAGES, 0))
		return "no second node to migrate to";
	return NULL;
}

static void a(void)
{
	hz_a_begins();
	migrate(mem, PAGES, 1);
	hz_a_done();
}

static bool seen(void)
{
	return migrating(mem, PAGES);
}

static void b(void)
{
	bool came = hz_wait_for_a(seen);
	int written;

	if (scan(true) < 0)
		hz_fail("PAGEMAP_SCAN");
	hz_wait_for_a_done();
	written = scan(false);
	if (written < 0)
		hz_fail("PAGEMAP_SCAN");
	hz_lost = written;
	if (!came)
		hz_began = false;
	migrate(mem, PAGES, 0);
}

static enum outcome judge(void)
{
	return hz_lost ? RED : hz_began ? HIT : MISS;
}

static const struct hazard h16_scan = {
	.name = "h16_scan",
	.what_is_lost = "a page that nobody wrote since PAGEMAP_SCAN is reported as written",
	.setup = setup,
	.prepare = prepare,
	.judge = judge,
	.role = { a, b },
};

int main(int argc, char **argv)
{
	return hz_main(&h16_scan, argc, argv);
}
