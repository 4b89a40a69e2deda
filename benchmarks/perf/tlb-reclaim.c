// SPDX-License-Identifier: GPL-2.0
/*
 * tlb/reclaim: the range is written to, which brings it in from swap space, and
 * then swapped out with MADV_PAGEOUT, as reclaim does it under pressure.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "bench.h"
#include "tlb.h"

/* Headers before Linux 5.4 */
#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT	21
#endif

static bool has_swap(void)
{
	FILE *swaps = fopen("/proc/swaps", "r");
	char line[256];
	bool found;

	if (!swaps)
		return false;
	/* The first line is the heading. */
	found = fgets(line, sizeof(line), swaps) && fgets(line, sizeof(line), swaps);
	fclose(swaps);
	return found;
}

static const char *reclaim_setup(void *addr, size_t size)
{
	if (!has_swap())
		return "no swap space";
	return madvise(addr, size, MADV_PAGEOUT) ? "kernel without MADV_PAGEOUT" : NULL;
}

static int reclaim_step(unsigned int step, void *addr, size_t size)
{
	if (step)
		return madvise(addr, size, MADV_PAGEOUT);
	tlb_touch(addr, size);
	return 0;
}

static const struct tlb_bench reclaim_bench = {
	.name		= "reclaim",
	.op		= "write to pages, then madvise(MADV_PAGEOUT)",
	.nr_steps	= 2,
	.step_name	= { "touch", "pageout" },
	.has_range	= true,
	.touches	= true,
	.victims_off	= true,		/* they would bring it in again */
	.setup		= reclaim_setup,
	.step		= reclaim_step,
};

int bench_tlb_reclaim(int argc, const char **argv)
{
	return bench_tlb(&reclaim_bench, argc, argv);
}
