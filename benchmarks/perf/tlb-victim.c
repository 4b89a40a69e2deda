// SPDX-License-Identifier: GPL-2.0
/*
 * tlb/victim: what a shootdown takes from those that it interrupts. The victims
 * read the clock in a loop, as oslat(8) does; a round that takes longer than
 * three times the usual one was stolen from. What is stolen while nobody does
 * anything is measured first and taken off.
 */
#include "bench.h"
#include "tlb.h"

static const struct tlb_bench victim_bench = {
	.name		= "victim",
	.op		= "mprotect() to read-only, then back, while others read the clock",
	.nr_steps	= 2,
	.step_name	= { "ro", "rw" },
	.victims	= TLB_STOLEN,
	.step		= tlb_mprotect_step,
};

int bench_tlb_victim(int argc, const char **argv)
{
	return bench_tlb(&victim_bench, argc, argv);
}
