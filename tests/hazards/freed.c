// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <sys/mman.h>

#include "freed.h"

static volatile char *mem, *swapped;
static enum kind kind;
static size_t size;
static atomic_bool stored;

const char *freed_setup(enum kind kind_)
{
	const char *why;

	kind = kind_;
	size = hz_size(kind);
	mem = hz_map_size(kind, 2 * size, &why);
	if (!mem)
		return why;
	swapped = mem + size;
	return NULL;
}

void freed_prepare(void)
{
	stored = false;
	/* A huge page may have been split; and behind it there is to be a small one. */
	if (kind == THP &&
	    (mmap((void *)mem, 2 * size, PROT_READ | PROT_WRITE,
		  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED ||
	     hz_write_file(HZ_THP "enabled", "always")))
		hz_fail("always THP");
	if (!hz_populate((char *)mem, kind, 'x'))
		hz_fail("no huge page to be had");
	if (kind == THP && hz_write_file(HZ_THP "enabled", "never"))
		hz_fail("never THP");
	*swapped = 'x';
	hz_drain_lru();
	if (madvise((char *)swapped, hz_page, MADV_PAGEOUT))
		hz_fail("MADV_PAGEOUT");
	/* What reclaim has marked is pending until walks of more than 32 pages took it over. */
	if (madvise((char *)swapped + hz_page, 64 * hz_page, MADV_DONTNEED))
		hz_fail("MADV_DONTNEED");
}

/* Keeps the entry by reading, writes once after B has returned. */
void freed_victim(void)
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

void freed_a(void)
{
	if (!hz_wait_count(1))
		hz_fail("the victim does not write");
	hz_a_begins();
	if (madvise((char *)mem, size + hz_page, MADV_FREE))
		hz_fail("MADV_FREE");
	hz_a_done();
}

static bool seen(void)
{
	return !(hz_pagemap((char *)swapped) & (PM_SWAP | PM_PRESENT));
}

void freed_b(void)
{
	if (hz_wait_for_a(seen)) {
		if (madvise((char *)mem, size, MADV_FREE))
			hz_fail("MADV_FREE");
		hz_b_done = true;
		if (hz_wait(&stored)) {
			hz_drain_lru();
			madvise((char *)mem, size, MADV_PAGEOUT);
			hz_lost = *mem != 'y';
		} else {
			hz_no_hit();
		}
	}
	hz_wait(&hz_done);
	hz_stop = true;
}
