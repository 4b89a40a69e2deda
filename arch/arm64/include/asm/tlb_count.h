/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __ASM_TLB_COUNT_H
#define __ASM_TLB_COUNT_H

/*
 * Counts of broadcast TLB maintenance in /proc/vmstat:
 *
 *   nr_tlb_tlbi	TLBIs of a user address, an ASID or a stage-2 range
 *   nr_tlb_tlbi_asid	those among them that drop a whole ASID
 *   nr_tlb_dsb		waits for completion, those of kernel ranges included
 *
 * Out of line: <asm/tlbflush.h> comes before <linux/vmstat.h>. The hypervisor
 * object uses the same TLBI macros and cannot call into the kernel.
 */
#if defined(CONFIG_DEBUG_TLBFLUSH) && !defined(__KVM_NVHE_HYPERVISOR__)
void tlb_count_tlbi(void);
void tlb_count_tlbi_asid(void);
void tlb_count_dsb(void);
#else
static inline void tlb_count_tlbi(void) { }
static inline void tlb_count_tlbi_asid(void) { }
static inline void tlb_count_dsb(void) { }
#endif

#endif /* __ASM_TLB_COUNT_H */
