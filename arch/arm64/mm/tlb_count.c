// SPDX-License-Identifier: GPL-2.0
/*
 * Counts of broadcast TLB maintenance, see <asm/tlb_count.h>.
 */

#include <linux/export.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/vmstat.h>

#include <asm/tlb_count.h>

#ifdef CONFIG_DEBUG_TLB_GEN	/* for tlb_gen_debug_flushed() */
static void tlb_count_unfinished(bool unfinished)
{
	current->tlb_gen_unfinished = unfinished;
}
#else
static inline void tlb_count_unfinished(bool unfinished) { }
#endif

/**
 * tlb_count_tlbi - count a TLBI of a page, a range or all
 *
 * Context: any; right before or behind the instruction. Of modules, too: KVM.
 * Ordering: none.
 */
void tlb_count_tlbi(void)
{
	tlb_count_unfinished(true);
	count_vm_tlb_event(NR_TLB_TLBI);
}
EXPORT_SYMBOL_GPL(tlb_count_tlbi);

/**
 * tlb_count_tlbi_asid - count a TLBI of a whole ASID
 *
 * Context: as tlb_count_tlbi(), which it includes.
 * Ordering: none.
 */
void tlb_count_tlbi_asid(void)
{
	tlb_count_unfinished(true);
	count_vm_tlb_event(NR_TLB_TLBI);
	count_vm_tlb_event(NR_TLB_TLBI_ASID);
}
EXPORT_SYMBOL_GPL(tlb_count_tlbi_asid);

/**
 * tlb_count_dsb - count a DSB that waits for TLBIs
 *
 * Context: as tlb_count_tlbi(), but behind the DSB.
 * Ordering: none of its own.
 */
void tlb_count_dsb(void)
{
	tlb_count_unfinished(false);
	count_vm_tlb_event(NR_TLB_DSB);
}
EXPORT_SYMBOL_GPL(tlb_count_dsb);
