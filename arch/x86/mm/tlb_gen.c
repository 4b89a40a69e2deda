// SPDX-License-Identifier: GPL-2.0
/*
 * Tracked TLB-flush generations on x86: settle.
 *
 * The per-CPU generations of tlb.c stay as they are. They count flushes;
 * mm->tlb_gen counts windows. Neither may stand in for the other: a bump of
 * the former without its flush would turn ranged flushes into full ones and
 * let a CPU that switched mm skip the flush of a freed table.
 */

#include <linux/mm.h>

#include <asm-generic/tlb_gen.h>

/**
 * arch_tlb_gen_settle - flush a range on all CPUs, whatever maps it
 * @vma: the VMA
 * @start: first address, bytes
 * @end: end of the range, bytes
 *
 * INVLPG drops the entry for an address whatever its size; the page stride
 * covers small entries under what is a huge one now.
 *
 * Context: under a PTL, interrupts on, not in lazy MMU mode.
 * Ordering: the IPI (or INVLPGB, or hypercall) is complete on return.
 * Source: flush_tlb_range(), at page stride.
 */
void arch_tlb_gen_settle(struct vm_area_struct *vma, unsigned long start,
			 unsigned long end)
{
	flush_tlb_mm_range(vma->vm_mm, start, end, PAGE_SHIFT, false);
}
