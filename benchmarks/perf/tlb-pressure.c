// SPDX-License-Identifier: GPL-2.0
/*
 * tlb/pressure: a range is written to that does not fit into memory. kswapd and the
 * writer itself reclaim what was written before; count_pswpout tells how much.
 */
#include <stdbool.h>
#include <linux/compiler.h>
/* <sys/sysinfo.h> takes it from <linux/kernel.h>, of which perf has its own. */
#include <linux/sysinfo.h>
#include <sys/sysinfo.h>

#include "bench.h"
#include "tlb.h"

static const char *pressure_check(u64 written)
{
	struct sysinfo info;
	u64 ram;

	if (sysinfo(&info) || !info.totalswap)
		return "no swap space";
	ram = (u64)info.totalram * info.mem_unit;
	if (written <= ram)
		return "it fits into memory: give a larger --size";
	/* A part for what is there besides */
	if (written > ram - ram / 32 + (u64)info.freeswap * info.mem_unit)
		return "memory and swap space are too small: give a smaller --size";
	return NULL;
}

static int pressure_step(unsigned int step __maybe_unused, void *addr, size_t size)
{
	tlb_touch(addr, size);
	return 0;
}

static const struct tlb_bench pressure_bench = {
	.name		= "pressure",
	.op		= "write to pages of a range that does not fit into memory",
	.nr_steps	= 1,
	.touches	= true,
	.victims	= TLB_SPIN,	/* they would bring it in again */
	.check		= pressure_check,
	.step		= pressure_step,
};

int bench_tlb_pressure(int argc, const char **argv)
{
	return bench_tlb(&pressure_bench, argc, argv);
}
