// SPDX-License-Identifier: GPL-2.0
/*
 * H7: reclaim unmaps a clean page and frees it before the flush of its batch. The
 * victim goes on reading a page that is somebody else's by now.
 */
#define _GNU_SOURCE
#include <sys/mman.h>

#include "hazard.h"

static volatile char *mem;
static atomic_bool unmapped;

static const char *setup(void)
{
	const char *why;

	mem = hz_map(SMALL, &why);
	return mem ? NULL : why;
}

/* Free for the taking, and clean. */
static void prepare(void)
{
	unmapped = false;
	*mem = 'x';
	hz_drain_lru();
	if (madvise((void *)mem, hz_page, MADV_FREE))
		hz_fail("MADV_FREE");
	hz_drain_lru();
}

/* Once its page is gone, it must find another, and zeroes. */
static void victim(void)
{
	while (!atomic_load_explicit(&hz_stop, memory_order_relaxed)) {
		bool gone = hz_done;

		if (*mem && gone)
			hz_lost = true;
		atomic_fetch_add_explicit(&hz_count, 1, memory_order_relaxed);
	}
}

static void a(void)
{
	if (!hz_wait_count(1000))
		hz_fail("the victim does not read");
	hz_a_begins();
	if (madvise((void *)mem, hz_page, MADV_PAGEOUT))
		hz_fail("MADV_PAGEOUT");
	hz_a_done();
	hz_wait_count(hz_count + 1000);
	hz_stop = true;
}

static bool seen(void)
{
	return !(hz_pagemap((void *)mem) & PM_PRESENT);
}

/* Only tells that the entry went, and whether the victim read meanwhile. */
static void b(void)
{
	if (!hz_wait_for_a(seen))
		return;
	unmapped = true;
	if (!hz_wait_count(hz_count + 1))
		hz_no_hit();
}

/* A page that reclaim has kept may be read. */
static enum outcome judge(void)
{
	return !unmapped ? MISS : hz_lost ? RED : HIT;
}

static const struct hazard h07_free = {
	.name = "h07_free",
	.what_is_lost = "a page was read after reclaim had freed it",
	.setup = setup,
	.prepare = prepare,
	.judge = judge,
	.role = { victim, a, b },
};

int main(int argc, char **argv)
{
	return hz_main(&h07_free, argc, argv);
}
