// SPDX-License-Identifier: GPL-2.0
/*
 * H17, migration gives up: A moves the pages of a file, which are mapped twice, and
 * flushes later. B drops the second mapping, and while it has not dropped the rmap
 * yet, the page cannot be moved: its entry in the first one is put back and the folio
 * unlocked. Whoever took that entry over in between may not have flushed yet, so the
 * batch must have.
 *
 * A store is lost only if a third one does take it over, and a fourth writes the page
 * out. The kernel asserts that the batch has flushed.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <unistd.h>
#include <sys/mman.h>

#include "migrate.h"

#define PAGES		MIGRATE_PAGES
#define SPAN		32		/* pages that B drops at once */

static volatile char *first, *second;
static int node;

static const char *setup(void)
{
	int fd = memfd_create("h17_undo", 0);
	size_t size = PAGES * hz_page;

	if (fd < 0 || ftruncate(fd, size))
		return "no memfd";
	first = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	second = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (first == MAP_FAILED || second == MAP_FAILED)
		return "no memory";
	for (int i = 0; i < PAGES; i++)
		first[i * hz_page] = 1;
	if (!migrate_pages(0, first, PAGES, 1) || !migrate_pages(0, first, PAGES, 0))
		return "no second node to migrate to";
	/* B has to be quick: what it drops, it drops before A comes to it. */
	hz_write_file(HZ_DEBUG "delay_us", "0");
	return NULL;
}

static void prepare(void)
{
	for (int i = 0; i < PAGES; i++)
		first[i * hz_page] = second[i * hz_page] = 1;
	node = !node;
}

/* B's flush has to interrupt somebody. */
static void victim(void)
{
	while (!atomic_load_explicit(&hz_done, memory_order_relaxed))
		(void)first[0];
}

static void a(void)
{
	hz_a_begins();
	migrate_pages(0, first, PAGES, node);
	hz_a_done();
}

/* A begins with this page, and nobody else takes it away. */
static bool seen(void)
{
	return !(hz_pagemap((char *)first) & PM_PRESENT);
}

static void b(void)
{
	if (!hz_wait_for_a(seen))
		return;
	while (!atomic_load(&hz_done))
		madvise((char *)second + random() % (PAGES / SPAN) * SPAN * hz_page,
			SPAN * hz_page, MADV_DONTNEED);
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
