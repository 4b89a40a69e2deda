// SPDX-License-Identifier: GPL-2.0
/*
 * tlb/madvise: each initiator populates its part of the range and discards it
 * with MADV_DONTNEED, as allocators do. Both run under the mmap lock for
 * reading or a lock of the VMA: with several initiators their flushes overlap,
 * and what one of them unmaps is no business of the others.
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
	.has_range	= true,
	.touches	= true,
	.step		= madvise_step,
};

int bench_tlb_madvise(int argc, const char **argv)
{
	return bench_tlb(&madvise_bench, argc, argv);
}
