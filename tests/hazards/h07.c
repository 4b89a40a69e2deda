// SPDX-License-Identifier: GPL-2.0
/*
 * H7: reclaim writes a dirty page to swap before the flush of its batch. What the
 * victim stores meanwhile through its old entry is not in the page that comes
 * back from swap.
 */
#define _GNU_SOURCE
#include <sys/mman.h>

#include "hazard.h"

static volatile unsigned long *mem;

static const char *setup(void)
{
	const char *why;

	mem = (void *)hz_map(SMALL, &why);
	return mem ? NULL : why;
}

static void prepare(void)
{
	*mem = 0;
	hz_drain_lru();
}

/* What it reads must be what it wrote last, wherever the page was meanwhile. */
static void victim(void)
{
	unsigned long n = 0;

	while (!atomic_load_explicit(&hz_stop, memory_order_relaxed)) {
		if (*mem != n) {
			hz_lost = true;
			n = *mem;
		}
		*mem = ++n;
		atomic_store_explicit(&hz_count, n, memory_order_relaxed);
	}
}

static void a(void)
{
	unsigned long n;

	if (!hz_wait_count(1000))
		hz_fail("the victim does not write");
	hz_a_begins();
	if (madvise((void *)mem, hz_page, MADV_PAGEOUT))
		hz_fail("MADV_PAGEOUT");
	hz_a_done();
	n = hz_count;
	hz_wait_count(n + 1000);
	hz_stop = true;
}

static bool seen(void)
{
	return !(hz_pagemap((void *)mem) & PM_PRESENT);
}

/* Only tells whether the victim wrote while its entry was gone. */
static void b(void)
{
	if (hz_wait_for_a(seen)) {
		unsigned long n = hz_count;

		if (!hz_wait_count(n + 1))
			hz_began = false;
	}
}

static enum outcome judge(void)
{
	return hz_lost ? RED : hz_began ? HIT : MISS;
}

static const struct hazard h07 = {
	.name = "h07",
	.what_is_lost = "a store went to a page that was already on its way to swap",
	.setup = setup,
	.prepare = prepare,
	.judge = judge,
	.role = { victim, a, b },
};

int main(int argc, char **argv)
{
	return hz_main(&h07, argc, argv);
}
