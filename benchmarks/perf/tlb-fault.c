// SPDX-License-Identifier: GPL-2.0
/*
 * tlb/fault: what page faults of other threads cost while one thread changes
 * protections in the same mm. The victims fault pages of their own in.
 */
#include "bench.h"
#include "tlb.h"

static const struct tlb_bench fault_bench = {
	.name		= "fault",
	.op		= "mprotect() to read-only, then back, while others take page faults",
	.nr_steps	= 2,
	.step_name	= { "ro", "rw" },
	.victims	= TLB_FAULT,
	.size		= "2048",
	.loops		= 500,
	.step		= tlb_mprotect_step,
};

int bench_tlb_fault(int argc, const char **argv)
{
	return bench_tlb(&fault_bench, argc, argv);
}
