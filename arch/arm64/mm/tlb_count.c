// SPDX-License-Identifier: GPL-2.0
/*
 * Counts of broadcast TLB maintenance, see <asm/tlb_count.h>.
 */

#include <linux/export.h>
#include <linux/mm.h>
#include <linux/vmstat.h>

#include <asm/tlb_count.h>

void tlb_count_tlbi(void)
{
	count_vm_tlb_event(NR_TLB_TLBI);
}
EXPORT_SYMBOL_GPL(tlb_count_tlbi);

void tlb_count_tlbi_asid(void)
{
	count_vm_tlb_event(NR_TLB_TLBI);
	count_vm_tlb_event(NR_TLB_TLBI_ASID);
}
EXPORT_SYMBOL_GPL(tlb_count_tlbi_asid);

void tlb_count_dsb(void)
{
	count_vm_tlb_event(NR_TLB_DSB);
}
EXPORT_SYMBOL_GPL(tlb_count_dsb);
