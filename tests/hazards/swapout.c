// SPDX-License-Identifier: GPL-2.0
#include <string.h>
#include <sys/mman.h>

#include "swapout.h"

long swapout_flushes;
static char *mem;
static size_t size;

const char *swapout_setup(void)
{
	const char *why = count_setup();

	size = SWAPOUT_PAGES * hz_page;
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
	swapout_flushes = count_flushes() - before;
	for (int i = 0; i < SWAPOUT_PAGES; i++)
		if (!(hz_pagemap(mem + i * hz_page) & PM_SWAP))
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
