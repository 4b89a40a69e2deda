// SPDX-License-Identifier: GPL-2.0
/*
 * tlb/munmap: the range is unmapped, which frees its pages and, where nothing
 * else is in them, page tables; then mapped and populated at the same place.
 */
#include <sys/mman.h>

#include "bench.h"
#include "tlb.h"

/* Headers before Linux 4.17; older kernels take it for a hint, and the hole is free. */
#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE	0x100000
#endif

static int munmap_step(unsigned int step, void *addr, size_t size)
{
	if (!step)
		return munmap(addr, size);
	if (mmap(addr, size, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) != addr)
		return -1;
	/* fails where there are no huge pages anyway */
	madvise(addr, size, MADV_NOHUGEPAGE);
	tlb_touch(addr, size);
	return 0;
}

static const struct tlb_bench munmap_bench = {
	.name		= "munmap",
	.op		= "munmap(), then mmap() and a write to each page",
	.nr_steps	= 2,
	.step_name	= { "munmap", "map" },
	.unmaps		= true,
	.step		= munmap_step,
};

int bench_tlb_munmap(int argc, const char **argv)
{
	return bench_tlb(&munmap_bench, argc, argv);
}
