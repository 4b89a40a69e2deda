// SPDX-License-Identifier: GPL-2.0
/*
 * H16, PAGEMAP_SCAN: it write-protects the entry of a page that is being migrated
 * and leaves it writable. The page comes back writable and unprotected: the next
 * scan reports it as written, which it was not.
 */
#include <fcntl.h>

#include "migrate.h"
#include "pagemap.h"

#define PAGES		MIGRATE_PAGES

static int pagemap;

/* How many regions were written; -1 if the kernel cannot tell. */
static int scan(bool protect)
{
	struct page_region regions[PAGES];

	return pagemap_scan(pagemap, migrate_mem, migrate_mem + PAGES * hz_page, protect,
			    regions, PAGES, NULL);
}

static void prepare(void)
{
	for (int i = 0; i < PAGES; i++)
		migrate_mem[i * hz_page] = 1;
}

static const char *setup(void)
{
	const char *why;
	int uffd;

	migrate_mem = hz_map_size(SMALL, PAGES * hz_page, &why);
	if (!migrate_mem)
		return why;
	pagemap = open("/proc/self/pagemap", O_RDONLY);
	uffd = hz_uffd_with(UFFD_FEATURE_WP_ASYNC | UFFD_FEATURE_WP_UNPOPULATED,
			    (void *)migrate_mem, PAGES * hz_page, UFFDIO_REGISTER_MODE_WP, &why);
	(void)uffd;
	if (why)
		return why;
	prepare();
	if (scan(true) != 1 || scan(true))
		return "no PAGEMAP_SCAN";
	if (!migrate(1) || !migrate(0))
		return "no second node to migrate to";
	return NULL;
}

static void b(void)
{
	int written;

	migrate_meets();
	if (scan(true) < 0)
		hz_fail("PAGEMAP_SCAN");
	hz_wait_for_a_done();
	written = scan(false);
	if (written < 0)
		hz_fail("PAGEMAP_SCAN");
	hz_lost = written;
	migrate(0);
}

static const struct hazard h16_scan = {
	.name = "h16_scan",
	.what_is_lost = "a page that nobody wrote since PAGEMAP_SCAN is reported as written",
	.setup = setup,
	.prepare = prepare,
	.judge = migrate_judge,
	.role = { migrate_a, b },
};

int main(int argc, char **argv)
{
	return hz_main(&h16_scan, argc, argv);
}
