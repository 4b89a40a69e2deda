// SPDX-License-Identifier: GPL-2.0
/*
 * H16: clear_refs(4) meets the entry of a page that is being migrated, takes its
 * soft-dirty bit and leaves it writable. The page comes back writable and clean,
 * and the next store to it is not reported.
 *
 * Pages that are dirty come back soft-dirty, too: what is shown needs pages that
 * were only read, in a mapping where a read fault maps them writable.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/mman.h>

#include "migrate.h"

#define PAGES		MIGRATE_PAGES

static int memfd;
static unsigned int unreported;

static void prepare(void)
{
	if (migrate_mem && munmap((void *)migrate_mem, PAGES * hz_page))
		hz_fail("munmap");
	migrate_mem = mmap(NULL, PAGES * hz_page, PROT_READ | PROT_WRITE, MAP_SHARED, memfd, 0);
	if (migrate_mem == MAP_FAILED)
		hz_fail("mmap");
	for (int i = 0; i < PAGES; i++)
		(void)migrate_mem[i * hz_page];
}

/* Reclaim that unmaps a page of shared memory keeps nothing of its entry. */
static bool soft_dirty(int i)
{
	uint64_t entry = hz_pagemap((char *)migrate_mem + i * hz_page);

	return entry & PM_SOFT_DIRTY || !(entry & (PM_PRESENT | PM_SWAP));
}

static const char *setup(void)
{
	memfd = memfd_create("h16", MFD_CLOEXEC);
	if (memfd < 0 || ftruncate(memfd, PAGES * hz_page))
		hz_fail("memfd");
	prepare();
	if (!migrate(1) || !migrate(0))
		return "no second node to migrate to";
	*migrate_mem = 1;
	if (!soft_dirty(0))
		return "the kernel has no soft-dirty bit";
	return NULL;
}

static void b(void)
{
	migrate_meets();
	if (hz_write_file("/proc/self/clear_refs", "4"))
		hz_fail("clear_refs");
	hz_wait_for_a_done();
	unreported = 0;
	for (int i = 0; i < PAGES; i++) {
		migrate_mem[i * hz_page] = 1;
		if (!soft_dirty(i))
			unreported++;
	}
	hz_lost = unreported;
	migrate(0);
}

static const struct hazard h16 = {
	.name = "h16",
	.what_is_lost = "a store after clear_refs(4) is not soft-dirty",
	.setup = setup,
	.prepare = prepare,
	.judge = migrate_judge,
	.role = { migrate_a, b },
};

int main(int argc, char **argv)
{
	return hz_main(&h16, argc, argv);
}
