// SPDX-License-Identifier: GPL-2.0
/*
 * Tracked TLB-flush generations on arm64: settle.
 */

#include <linux/mm.h>

#include <asm-generic/tlb_gen.h>

/**
 * arch_tlb_gen_settle - flush a range on all CPUs, whatever maps it
 * @vma: the VMA
 * @start: first address, bytes
 * @end: end of the range, bytes
 *
 * The TLBI carries no level: the stale entry may be a block where the table
 * maps pages now, or the other way round, and a TLBI with the wrong TTL may
 * do nothing.
 *
 * Context: under a PTL.
 * Ordering: another CPU's TLBI for this range may be in flight, and only its
 * own DSB completes that. Hence a TLBI and a DSB of this CPU's, including what
 * ARM64_WORKAROUND_REPEAT_TLBI asks for (20250530152445.2430295-1).
 * Source: flush_tlb_range(), at page stride and without a level.
 */
void arch_tlb_gen_settle(struct vm_area_struct *vma, unsigned long start,
			 unsigned long end)
{
	__flush_tlb_range(vma, start, end, PAGE_SIZE, true, TLBI_TTL_UNKNOWN);
}

#ifdef CONFIG_DEBUG_TLB_GEN
bool arch_tlb_gen_hint(struct mmu_gather *tlb)
{
	return tlb_get_level(tlb) != TLBI_TTL_UNKNOWN;
}
#endif
