// SPDX-License-Identifier: GPL-2.0
/*
 * H11: see moved.h; B moves the page with mremap(), and keeps the old mapping: where
 * that is unmapped, what is pending there is inherited.
 */
#define _GNU_SOURCE
#include <sys/mman.h>

#include "moved.h"

#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP	4
#endif

static char *dst;

static const char *setup(void)
{
	return moved_setup("h11_move");
}

static void prepare(void)
{
	if (dst && munmap(dst, hz_page))
		hz_fail("munmap");
	dst = NULL;
	moved_prepare();
}

static volatile unsigned long *move(volatile unsigned long *src)
{
	dst = mremap((void *)src, hz_page, hz_page, MREMAP_MAYMOVE | MREMAP_DONTUNMAP);
	if (dst == MAP_FAILED)
		hz_fail("mremap");
	return (void *)dst;
}

static void b(void)
{
	moved_b(move);
}

static const struct hazard h11_move = {
	.name = "h11_move",
	.what_is_lost = "a page that was moved away was written through its old address",
	.setup = setup,
	.prepare = prepare,
	.judge = moved_judge,
	.role = { moved_victim, moved_a, b },
};

int main(int argc, char **argv)
{
	return hz_main(&h11_move, argc, argv);
}
