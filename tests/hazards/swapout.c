// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "swapout.h"

#define LARGE	HZ_THP "hugepages-64kB/"

long swapout_flushes;
static char *mem;
static size_t size;
static enum kind kind;

static const char *setup(enum kind kind_)
{
	const char *why = count_setup();

	kind = kind_;
	size = SWAPOUT_PAGES * hz_page;
	if (!why)
		mem = hz_map_size(kind, size, &why);
	return why;
}

const char *swapout_setup(void)
{
	return setup(SMALL);
}

static void no_large(void)
{
	hz_write_file(HZ_THP "hugepages-2048kB/enabled", "inherit");
	hz_write_file(LARGE "enabled", "never");
}

const char *swapout_large_setup(void)
{
	if (hz_write_file(LARGE "enabled", "inherit"))
		return "no folios of 64 KiB";
	atexit(no_large);
	hz_write_file(HZ_THP "hugepages-2048kB/enabled", "never");
	return setup(THP);
}

enum outcome swapout_judge(long promised)
{
	return swapout_flushes < 0 ? MISS : count_judge(swapout_flushes, promised);
}

static void prepare(void)
{
	/* What is swapped in may come in small folios. */
	if (kind == THP && madvise(mem, size, MADV_DONTNEED))
		hz_fail("madvise");
	memset(mem, 1, size);
	hz_drain_lru();
}

static void a(void)
{
	long before = count_flushes(), large = hz_read_file(LARGE "stats/swpout");

	if (madvise(mem, size, MADV_PAGEOUT))
		hz_fail("madvise");
	swapout_flushes = count_flushes() - before;
	for (int i = 0; i < SWAPOUT_PAGES; i++)
		if (!(hz_pagemap(mem + i * hz_page) & PM_SWAP))
			swapout_flushes = -1;
	if (kind == THP && hz_read_file(LARGE "stats/swpout") - large != SWAPOUT_LARGE)
		swapout_flushes = -1;
	hz_hit();
	hz_stop = true;
}

int swapout_main(const char *name, const char *what_is_lost, const char *(*setup)(void),
		 enum outcome (*judge)(void), int argc, char **argv)
{
	const struct hazard swapout = {
		.name = name,
		.what_is_lost = what_is_lost,
		.setup = setup,
		.prepare = prepare,
		.judge = judge,
		.role = { count_bystander, a },
	};

	return hz_main(&swapout, argc, argv);
}
