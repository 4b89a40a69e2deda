// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <sys/mman.h>

#include "zap.h"

static volatile char *mem;
static enum kind kind;
static bool refill;

const char *zap_setup(enum kind kind_, bool refill_)
{
	const char *why;

	kind = kind_;
	refill = refill_;
	mem = hz_map(kind, &why);
	return mem ? NULL : why;
}

void zap_prepare(void)
{
	/* Of what B refilled there may be a table left, and no THP then. */
	if (kind == THP) {
		if (hz_write_file(HZ_THP "enabled", "always"))
			hz_fail("always THP");
		mem = mmap((char *)mem, hz_size(kind), PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		if (mem == MAP_FAILED)
			hz_fail("mmap");
	}
	if (!hz_populate((char *)mem, kind, 'x'))
		hz_fail("no huge page to be had");
	if (refill && hz_write_file(HZ_THP "enabled", "never"))
		hz_fail("never THP");
	if (kind == SMALL)
		hz_drain_lru();
}

static bool seen(void)
{
	return !(hz_pagemap((char *)mem) & PM_PRESENT);
}

/* Reads what is gone: the last page, so that B can refill the first. */
void zap_victim(void)
{
	volatile char *p = mem + hz_size(kind) - 1;
	unsigned long n = 0;
	bool done;

	while (!atomic_load_explicit(&hz_stop, memory_order_relaxed)) {
		done = atomic_load(&hz_b_done);
		if (*p == 'x' && done && kind != SMALL)
			hz_lost = true;
		if (kind == SMALL && *mem == 'x' && done)
			hz_lost = true;
		atomic_store_explicit(&hz_count, ++n, memory_order_relaxed);
	}
}

static void take_away(int advice)
{
	if (!hz_wait_count(1000))
		hz_fail("the victim does not read");
	hz_a_begins();
	if (madvise((char *)mem, hz_size(kind), advice))
		hz_fail("madvise");
	hz_a_done();
}

void zap_a(void)
{
	take_away(MADV_DONTNEED);
}

void zap_reclaim(void)
{
	take_away(MADV_PAGEOUT);
}

void zap_b(void)
{
	if (hz_wait_for_a(seen)) {
		/* Not what it refills: QEMU flushes all for a page of a block. */
		size_t skip = refill ? hz_page : 0;
		unsigned long n;

		if (refill)
			*mem = 'y';
		if (madvise((char *)mem + skip, hz_size(kind) - skip, MADV_DONTNEED))
			hz_fail("MADV_DONTNEED");
		hz_b_done = true;
		n = hz_count;
		hz_wait_count(n + 1000);
	}
	hz_wait(&hz_done);
	hz_stop = true;
}
