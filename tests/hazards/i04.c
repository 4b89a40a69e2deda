// SPDX-License-Identifier: GPL-2.0
/*
 * Dirty pages are swapped out behind one flush for each 32 of them.
 */
#include <string.h>
#include <sys/mman.h>

#include "count.h"

#define PAGES	512
#define BATCH	32

static char *mem;
static size_t size;
static long flushes;

static const char *setup(void)
{
	const char *why = count_setup();

	size = PAGES * hz_page;
	if (!why)
		mem = hz_map_size(SMALL, size, &why);
	return why;
}

static void prepare(void)
{
	memset(mem, 1, size);
	hz_drain_lru();
}

static void a(void)
{
	long before = count_flushes();

	if (madvise(mem, size, MADV_PAGEOUT))
		hz_fail("madvise");
	flushes = count_flushes() - before;
	for (int i = 0; i < PAGES; i++)
		if (!(hz_pagemap(mem + i * hz_page) & PM_SWAP))
			flushes = -1;
	hz_hit();
	hz_stop = true;
}

static enum outcome judge(void)
{
	/* Twice: not every batch is full, and others flush, too. */
	return flushes < 0 ? MISS : count_judge(flushes, 2 * PAGES / BATCH);
}

static const struct hazard i04 = {
	.name = "i04",
	.what_is_lost = "a flush for each page that is swapped out",
	.setup = setup,
	.prepare = prepare,
	.judge = judge,
	.role = { count_bystander, a },
};

int main(int argc, char **argv)
{
	return hz_main(&i04, argc, argv);
}
