// SPDX-License-Identifier: GPL-2.0
/*
 * tlb/madvise, tlb/madvise-free: each initiator writes to its part of the range
 * and discards it with MADV_DONTNEED or MADV_FREE, as allocators do. Both run
 * under the mmap lock for reading or a lock of the VMA: with several initiators
 * their flushes overlap, and what one of them does is no business of the others.
 */
#include <sys/mman.h>

#include "bench.h"
#include "tlb.h"

static int madvise_step(unsigned int step, void *addr, size_t size)
{
	if (step)
		return madvise(addr, size, MADV_DONTNEED);
	tlb_touch(addr, size);
	return 0;
}

static const struct tlb_bench madvise_bench = {
	.name		= "madvise",
	.op		= "write to each page, then madvise(MADV_DONTNEED)",
	.nr_steps	= 2,
	.step_name	= { "touch", "dontneed" },
	.touches	= true,
	.step		= madvise_step,
};

static int free_step(unsigned int step, void *addr, size_t size)
{
	if (step)
		return madvise(addr, size, MADV_FREE);
	tlb_touch(addr, size);
	return 0;
}

static const char *free_setup(void *addr, size_t size)
{
	return madvise(addr, size, MADV_FREE) ? "kernel without MADV_FREE" : NULL;
}

static const struct tlb_bench madvise_free_bench = {
	.name		= "madvise-free",
	.op		= "write to each page, then madvise(MADV_FREE)",
	.nr_steps	= 2,
	.step_name	= { "touch", "free" },
	.touches	= true,
	.setup		= free_setup,
	.step		= free_step,
};

int bench_tlb_madvise(int argc, const char **argv)
{
	return bench_tlb(&madvise_bench, argc, argv);
}

int bench_tlb_madvise_free(int argc, const char **argv)
{
	return bench_tlb(&madvise_free_bench, argc, argv);
}
