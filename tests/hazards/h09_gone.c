// SPDX-License-Identifier: GPL-2.0
/*
 * H9, and what migration unmapped: A moves pages to another node; they have migration
 * entries, the batch is not flushed. clear_refs(4) takes the soft-dirty bit of such an
 * entry.
 */
#include <string.h>

#include "cleared.h"
#include "migrate.h"

static void act(pid_t parent)
{
	migrate_pages(parent, migrate_mem, MIGRATE_PAGES, 1);
}

static const char *setup(void)
{
	const char *why;

	migrate_mem = hz_map_size(SMALL, MIGRATE_PAGES * hz_page, &why);
	if (!migrate_mem)
		return why;
	memset((void *)migrate_mem, 1, MIGRATE_PAGES * hz_page);
	if (!migrate(1) || !migrate(0))
		return "no second node to migrate to";
	return cleared_setup((void *)migrate_mem, act);
}

static void prepare(void)
{
	migrate(0);
	memset((void *)migrate_mem, 1, MIGRATE_PAGES * hz_page);
	hz_drain_lru();
}

int main(int argc, char **argv)
{
	return cleared_main("h09_gone", setup, prepare, argc, argv);
}
