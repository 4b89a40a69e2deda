// SPDX-License-Identifier: GPL-2.0
/*
 * H17, migration gives up: A moves the pages of a file, which are mapped several times,
 * and flushes later. B drops one mapping after the other: it clears all entries, then
 * flushes, then drops the rmaps. What A comes to in between cannot be moved: its other
 * entries are put back and the folio unlocked. Whoever took one of them over in between
 * may not have flushed yet, so the batch must have.
 *
 * A store is lost only if a third one does take it over, and a fourth writes the page
 * out. The kernel asserts that the batch has flushed.
 */
#define _GNU_SOURCE
#include <unistd.h>
#include <sys/mman.h>

#include "migrate.h"

#define PAGES		MIGRATE_PAGES
#define MAPPINGS	5		/* B drops all but the first */

static volatile char *mapping[MAPPINGS];
static int node;

static const char *setup(void)
{
	int fd = memfd_create("h17_undo", 0);
	size_t size = PAGES * hz_page;

	if (fd < 0 || ftruncate(fd, size))
		return "no memfd";
	for (int m = 0; m < MAPPINGS; m++) {
		mapping[m] = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (mapping[m] == MAP_FAILED)
			return "no memory";
	}
	for (int i = 0; i < PAGES; i++)
		mapping[0][i * hz_page] = 1;
	if (!migrate_pages(0, mapping[0], PAGES, 1) ||
	    !migrate_pages(0, mapping[0], PAGES, 0))
		return "no second node to migrate to";
	/* B has to be quick: the next mapping, before A has seen all pages. */
	hz_write_file(HZ_DEBUG "delay_us", "0");
	return NULL;
}

static void prepare(void)
{
	for (int i = 0; i < PAGES; i++)
		for (int m = 0; m < MAPPINGS; m++)
			mapping[m][i * hz_page] = 1;
	node = !node;
}

/* B's flush has to interrupt somebody. */
static void victim(void)
{
	while (!atomic_load_explicit(&hz_done, memory_order_relaxed))
		(void)mapping[0][0];
}

static void a(void)
{
	hz_a_begins();
	migrate_pages(0, mapping[0], PAGES, node);
	hz_a_done();
}

/* A begins with this page, and nobody else takes it away. */
static bool seen(void)
{
	return !(hz_pagemap((char *)mapping[0]) & PM_PRESENT);
}

static void b(void)
{
	if (!hz_wait_for_a(seen))
		return;
	for (int m = 1; m < MAPPINGS; m++)
		madvise((char *)mapping[m], PAGES * hz_page, MADV_DONTNEED);
}

static const struct hazard h17_undo = {
	.name = "h17_undo",
	.what_is_lost = "nothing that this test could see",
	.setup = setup,
	.prepare = prepare,
	.role = { victim, a, b },
	.batches_at_once = true,
};

int main(int argc, char **argv)
{
	return hz_main(&h17_undo, argc, argv);
}
