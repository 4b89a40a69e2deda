// SPDX-License-Identifier: GPL-2.0
/*
 * tlb/scale: mprotect() with one victim, two, and so on. A line through the
 * medians tells the fixed cost of a shootdown and the cost of each remote CPU.
 */
#include "bench.h"
#include "tlb.h"

static const struct tlb_bench scale_bench = {
	.name		= "scale",
	.op		= "mprotect() to read-only, then back, with 1, 2, ... victims",
	.nr_steps	= 2,
	.step_name	= { "ro", "rw" },
	.scales		= true,
	.loops		= 2000,
	.step		= tlb_mprotect_step,
};

int bench_tlb_scale(int argc, const char **argv)
{
	return bench_tlb(&scale_bench, argc, argv);
}
