// SPDX-License-Identifier: GPL-2.0
/*
 * A page is swapped out; then MADV_DONTNEED, over and over, of an empty page in the same
 * table. Nobody notes when the batch has been flushed, so that each of them flushes for
 * it: not for ever, though.
 */
#include <sys/mman.h>

#include "count.h"

#define TIMES		200
/*
 * Walkers of 32 pages, one that takes it over for the whole table, and three of whoever
 * else there is. Stock flushes all once.
 */
#define PROMISED	36

static char *mem;
static long flushes;

static const char *setup(void)
{
	const char *why = count_setup();

	if (!why)
		mem = hz_map_size(SMALL, 2 * hz_page, &why);
	return why;
}

static void prepare(void)
{
	*mem = 1;
	hz_drain_lru();
}

static void a(void)
{
	if (madvise(mem, hz_page, MADV_PAGEOUT))
		hz_fail("MADV_PAGEOUT");
	flushes = -1;
	if (hz_pagemap(mem) & PM_SWAP) {
		flushes = -count_flushes();
		for (int i = 0; i < TIMES; i++)
			if (madvise(mem + hz_page, hz_page, MADV_DONTNEED))
				hz_fail("MADV_DONTNEED");
		flushes += count_flushes();
	}
	hz_hit();
	hz_stop = true;
}

static enum outcome judge(void)
{
	return flushes < 1 ? MISS : count_judge(flushes, PROMISED);
}

static const struct hazard i07 = {
	.name = "i07",
	.what_is_lost = "more flushes than walkers of 32 pages are worth",
	.setup = setup,
	.prepare = prepare,
	.judge = judge,
	.role = { count_bystander, a },
};

int main(int argc, char **argv)
{
	return hz_main(&i07, argc, argv);
}
