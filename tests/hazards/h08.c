// SPDX-License-Identifier: GPL-2.0
/*
 * H8: A says MADV_FREE: the entry is clean, its flush pending. B says MADV_FREE
 * of the same page, finds it clean and returns. A store after that through the
 * old, dirty entry leaves no dirty bit, and reclaim discards the page.
 *
 * Nobody can see that an entry is clean. A drops a swap entry behind it as well.
 */
#define _GNU_SOURCE
#include <sys/mman.h>

#include "hazard.h"

static volatile char *mem, *swapped;
static atomic_bool stored;

static const char *setup(void)
{
	const char *why;

	mem = hz_map(SMALL, &why);
	if (!mem)
		return why;
	swapped = mem + hz_page;
	return NULL;
}

static void prepare(void)
{
	stored = false;
	*mem = 'x';
	*swapped = 'x';
	hz_drain_lru();
	if (madvise((char *)swapped, hz_page, MADV_PAGEOUT))
		hz_fail("MADV_PAGEOUT");
	/* What reclaim has marked is pending until a long walk takes it over. */
	if (madvise((char *)swapped + hz_page, 64 * hz_page, MADV_DONTNEED))
		hz_fail("MADV_DONTNEED");
}

/* Keeps the entry by reading, writes once after B has returned. */
static void victim(void)
{
	*mem = 'x';
	atomic_store(&hz_count, 1);
	while (!atomic_load_explicit(&hz_stop, memory_order_relaxed)) {
		if (atomic_load(&hz_b_done) && !stored) {
			*mem = 'y';
			atomic_store(&stored, true);
		}
		(void)*mem;
	}
}

static void a(void)
{
	if (!hz_wait_count(1))
		hz_fail("the victim does not write");
	hz_a_begins();
	if (madvise((char *)mem, 2 * hz_page, MADV_FREE))
		hz_fail("MADV_FREE");
	hz_a_done();
}

static bool seen(void)
{
	return !(hz_pagemap((char *)swapped) & (PM_SWAP | PM_PRESENT));
}

static void b(void)
{
	if (hz_wait_for_a(seen)) {
		if (madvise((char *)mem, hz_page, MADV_FREE))
			hz_fail("MADV_FREE");
		hz_b_done = true;
		if (hz_wait(&stored)) {
			hz_drain_lru();
			madvise((char *)mem, hz_page, MADV_PAGEOUT);
			hz_lost = *mem != 'y';
		} else {
			hz_no_hit();
		}
	}
	hz_wait(&hz_done);
	hz_stop = true;
}

static const struct hazard h08 = {
	.name = "h08",
	.what_is_lost = "a store after MADV_FREE had returned was discarded",
	.setup = setup,
	.prepare = prepare,
	.role = { victim, a, b },
};

int main(int argc, char **argv)
{
	return hz_main(&h08, argc, argv);
}
