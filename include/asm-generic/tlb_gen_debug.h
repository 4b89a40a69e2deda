/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASM_GENERIC_TLB_GEN_DEBUG_H
#define _ASM_GENERIC_TLB_GEN_DEBUG_H

/*
 * CONFIG_DEBUG_TLB_GEN: the calls of asm-generic/tlb_gen.h with their rules
 * asserted, and with a way to leave each of them out.
 *
 * Every call that a participant makes is a guard. /sys/kernel/debug/tlb_gen has
 *
 *	break		switches one guard off: "GUARD" everywhere, or
 *			"GUARD:FUNCTION" in the function that calls it; "" none
 *	delay_us	how long a gather waits between the last PTL and its
 *			flush, and tlb_gen_pmdp_clear_flush() between its two
 *			halves; 0 not at all
 *	batch_delay_us	the same for batches of reclaim and migration
 *	broken		how often the guard that is off was asked for
 *	violations	assertions that failed
 *
 * An assertion that fails warns once, unless a guard is off: then it is only
 * counted.
 */

enum tlb_gen_guard {
	TLB_GEN_GUARD_NONE,
	TLB_GEN_GUARD_OPEN,		/* R1: no window */
	TLB_GEN_GUARD_CLOSE,		/* R1: close before the flush and notifier */
	TLB_GEN_GUARD_MARK,		/* R2 */
	TLB_GEN_GUARD_INHERIT,		/* R3 */
	TLB_GEN_GUARD_HINT,		/* R3: keep the level hint */
	TLB_GEN_GUARD_HOLES,		/* R4 */
	TLB_GEN_GUARD_SETTLE,		/* R5 */
	TLB_GEN_GUARD_PENDING,		/* R5: nothing is ever pending */
	TLB_GEN_GUARD_MERGE,		/* R6 */
	TLB_GEN_GUARD_SPAN,		/* R6 */
	TLB_GEN_GUARD_RMAP,		/* R2: drop the rmap before the flush */
	TLB_GEN_GUARD_GONE,		/* R3, R7: nobody sees what reclaim unmapped */
	TLB_GEN_GUARD_WRITE,		/* R7: write out, unlock or free before the flush */
	NR_TLB_GEN_GUARDS
};

bool tlb_gen_debug_off(enum tlb_gen_guard guard, const char *who);
void tlb_gen_debug_break(enum tlb_gen_guard guard, const char *who);
void tlb_gen_debug_batch(void);
void tlb_gen_debug_no_batch(void);
void tlb_gen_debug_no_dirty_batch(void);
void tlb_gen_debug_advanced(u64 word);

unsigned long tlb_gen_debug_open(struct mm_struct *mm);
void tlb_gen_debug_close(struct mm_struct *mm, unsigned long window);
void tlb_gen_debug_gather(struct mmu_gather *tlb);
void tlb_gen_debug_finish(struct mmu_gather *tlb);
void tlb_gen_debug_mark_table(struct mm_struct *mm, const void *entry, const char *who);
void tlb_gen_debug_mark(struct mmu_gather *tlb, const void *entry, const char *who);
void tlb_gen_debug_mark_hugetlb(struct mmu_gather *tlb, struct vm_area_struct *vma,
				pte_t *ptep, unsigned long size, const char *who);
void tlb_gen_debug_inherit(struct mmu_gather *tlb, const void *entry,
			   unsigned long start, unsigned long end, const char *who);
void tlb_gen_debug_inherit_mm(struct mmu_gather *tlb, unsigned long start,
			      unsigned long end, const char *who);
void tlb_gen_debug_inherit_holes(struct mmu_gather *tlb, pud_t *pud, const char *who);
void tlb_gen_debug_settle(struct vm_area_struct *vma, const void *entry,
			  unsigned long start, unsigned long end, const char *who);
void tlb_gen_debug_gone(const void *entry);
void tlb_gen_debug_settle_gone(struct vm_area_struct *vma, const void *entry,
			       unsigned long start, unsigned long end, const char *who);
void tlb_gen_debug_settle_hugetlb(struct vm_area_struct *vma, pte_t *ptep,
				  unsigned long addr, unsigned long size, const char *who);
void tlb_gen_debug_merge_table(struct mm_struct *mm, pmd_t *pmd, pgtable_t table,
			       const char *who);
void tlb_gen_debug_free_pte(struct mmu_gather *tlb, pgtable_t table,
			    unsigned long addr, const char *who);
void tlb_gen_debug_free_pmd(struct mmu_gather *tlb, pmd_t *pmd,
			    unsigned long addr, const char *who);
void tlb_gen_debug_mm(struct mm_struct *mm);
void tlb_gen_debug_task(struct task_struct *task);
pmd_t tlb_gen_debug_pmdp_clear_flush(struct vm_area_struct *vma,
				     unsigned long addr, pmd_t *pmdp);
int tlb_gen_debug_expect(bool on);

bool arch_tlb_gen_hint(struct mmu_gather *tlb);

#define tlb_gen_open(mm)	tlb_gen_debug_open(mm)
#define tlb_gen_close(mm, window) \
	tlb_gen_debug_close(mm, window)
#define tlb_gen_gather(tlb)	tlb_gen_debug_gather(tlb)
#define tlb_gen_finish(tlb)	tlb_gen_debug_finish(tlb)
#define tlb_gen_mark_table(mm, entry) \
	tlb_gen_debug_mark_table(mm, entry, __func__)
#define tlb_gen_mark(tlb, entry) \
	tlb_gen_debug_mark(tlb, entry, __func__)
#define tlb_gen_mark_hugetlb(tlb, vma, ptep, size) \
	tlb_gen_debug_mark_hugetlb(tlb, vma, ptep, size, __func__)
#define tlb_gen_inherit(tlb, entry, start, end) \
	tlb_gen_debug_inherit(tlb, entry, start, end, __func__)
#define tlb_gen_inherit_mm(tlb, start, end) \
	tlb_gen_debug_inherit_mm(tlb, start, end, __func__)
#define tlb_gen_inherit_holes(tlb, pud) \
	tlb_gen_debug_inherit_holes(tlb, pud, __func__)
#define tlb_gen_settle(vma, entry, start, end) \
	tlb_gen_debug_settle(vma, entry, start, end, __func__)
#define tlb_gen_gone(entry)	tlb_gen_debug_gone(entry)
#define tlb_gen_settle_gone(vma, entry, start, end) \
	tlb_gen_debug_settle_gone(vma, entry, start, end, __func__)
#define tlb_gen_settle_hugetlb(vma, ptep, addr, size) \
	tlb_gen_debug_settle_hugetlb(vma, ptep, addr, size, __func__)
#define tlb_gen_merge_table(mm, pmd, table) \
	tlb_gen_debug_merge_table(mm, pmd, table, __func__)
#define tlb_gen_free_pte(tlb, table, addr) \
	tlb_gen_debug_free_pte(tlb, table, addr, __func__)
#define tlb_gen_free_pmd(tlb, pmd, addr) \
	tlb_gen_debug_free_pmd(tlb, pmd, addr, __func__)
#define tlb_gen_pmdp_clear_flush(vma, addr, pmdp) \
	tlb_gen_debug_pmdp_clear_flush(vma, addr, pmdp)

#endif /* _ASM_GENERIC_TLB_GEN_DEBUG_H */
