// SPDX-License-Identifier: GPL-2.0
/*
 * Tracked TLB-flush generations: what is out of line.
 *
 * See include/asm-generic/tlb_gen.h for the invariant and the two words, and
 * Documentation/mm/tlb_gen.rst for the rules.
 */

#include <linux/atomic.h>
#include <linux/bitfield.h>
#include <linux/hugetlb.h>	/* flush_tlb_range() of x86 */
#include <linux/mm.h>
#include <linux/vmstat.h>

#include <asm-generic/tlb_gen.h>

#define CREATE_TRACE_POINTS
#include <trace/events/tlb_gen.h>

/* The word lies on page->mapping, where 2 in the two low bits says "movable". */
static_assert(!((TLB_GEN_MASK | TLB_GEN_GONE | TLB_GEN_GONE_PAGES) & 3));

/*
 * tlb_gen_close() when other windows are open, contended or traced. A cmpxchg
 * is needed to move the generation on, and is tried once more only: whoever closes
 * next and finds the older slot empty will do it.
 */
void __tlb_gen_close(struct mm_struct *mm, u64 window)
{
	s64 old = atomic64_read(&mm->tlb_gen);
	u64 word = tlb_gen_word_close(old, window);

	VM_WARN_ON_ONCE(!(old & (window * TLB_GEN_OPEN_MASK)));
	if (word == old - window ||
	    !atomic64_try_cmpxchg_release(&mm->tlb_gen, &old, word))
		word = atomic64_sub_return_release(window, &mm->tlb_gen);
	else
		tlb_gen_debug_advanced(word);
	trace_tlb_gen_close(mm, word, window);
}

/* The fast paths are inline and cannot have <trace/events/tlb_gen.h>. */
void __tlb_gen_trace_open(u64 word, struct mm_struct *mm, u64 window)
{
	trace_tlb_gen_open(mm, word, window);
}

void __tlb_gen_trace_mark(struct mm_struct *mm, struct ptdesc *table)
{
	trace_tlb_gen_mark(mm, table, table->pt_tlb_gen);
}

/*
 * Is a window other than the caller's pending on this table? Under its PTL.
 *
 * A word that no window at all, the caller's included, keeps pending goes back
 * to 0, but for GONE: it must not look recent again when the generation wraps, and
 * the next one to look shall stop at the word. While the caller's own window may be the
 * one that marked it, the word stays, because others have to see it.
 */
static bool tlb_gen_table_pending(struct mm_struct *mm, struct ptdesc *table,
				  u64 own)
{
	u64 word = atomic64_read_acquire(&mm->tlb_gen);

	if (!tlb_gen_word_others(word, table->pt_tlb_gen, TLB_GEN_NO_WINDOW))
		WRITE_ONCE(table->pt_tlb_gen, tlb_gen_word_gone(table->pt_tlb_gen));
	return tlb_gen_word_others(word, table->pt_tlb_gen, own);
}

static void tlb_gen_add(struct mmu_gather *tlb, unsigned long start, unsigned long end)
{
	bool dirty = tlb->gen_dirty;

	tlb_flush_pte_range(tlb, start, end - start);
	/* Inherited, not changed: the window that did change it marked it. */
	tlb->gen_dirty = dirty;
	tlb->inherited = 1;
	count_vm_tlb_event(TLB_GEN_INHERIT);
	trace_tlb_gen_inherit(tlb->mm, start, end);
}

/*
 * When walkers have taken over this many pages, the next takes over the whole table:
 * x86 drops all of a TLB for 34 pages, and then once is enough.
 */
#define GONE_PAGES	32

void __tlb_gen_inherit(struct mmu_gather *tlb, struct ptdesc *table,
		       unsigned long start, unsigned long end)
{
	/* It flushes everything, or nobody runs in the mm any more. */
	if (tlb->fullmm)
		return;
	if (table->pt_tlb_gen & TLB_GEN_GONE) {
		u64 pages = ((end - start) >> PAGE_SHIFT) +
			FIELD_GET(TLB_GEN_GONE_PAGES, table->pt_tlb_gen);

		BUILD_BUG_ON(!FIELD_FIT(TLB_GEN_GONE_PAGES, GONE_PAGES));
		if (pages > GONE_PAGES) {
			start &= PMD_MASK;
			end = start + PMD_SIZE;
			__tlb_gen_mark(tlb->mm, table, 0);
		} else {
			WRITE_ONCE(table->pt_tlb_gen,
				   (table->pt_tlb_gen & ~TLB_GEN_GONE_PAGES) |
				   FIELD_PREP(TLB_GEN_GONE_PAGES, pages));
		}
		tlb_gen_add(tlb, start, end);
	} else if (tlb_gen_table_pending(tlb->mm, table, tlb->window)) {
		tlb_gen_add(tlb, start, end);
	}
}

/* Is no window open but the gather's? For what was read without a lock. */
static bool tlb_gen_alone(struct mmu_gather *tlb)
{
	/*
	 * Pairs with the full ordering of tlb_gen_open(): who saw an entry
	 * none sees the window, if one made it so, or the end of that window.
	 */
	smp_rmb();
	return tlb_gen_word_alone(atomic64_read_acquire(&tlb->mm->tlb_gen), tlb->window);
}

#undef tlb_gen_inherit_mm	/* CONFIG_DEBUG_TLB_GEN */
/**
 * tlb_gen_inherit_mm - take over what is pending where no table word tells
 * @tlb: the gather
 * @start: first address, bytes
 * @end: end of the range, bytes
 *
 * For entries above the PMD level: pending while any other window of this mm is
 * open.
 *
 * Context: any; where an entry was read without its lock, after that.
 * Ordering: smp_rmb(), then an acquire of the mm word; pairs with the fully
 * ordered tlb_gen_open().
 * Source: as tlb_gen_inherit().
 */
void tlb_gen_inherit_mm(struct mmu_gather *tlb, unsigned long start,
			unsigned long end)
{
	if (!tlb->fullmm && !tlb_gen_alone(tlb))
		tlb_gen_add(tlb, start, end);
}

void __tlb_gen_inherit_holes(struct mmu_gather *tlb, pud_t *pud)
{
	unsigned long start = tlb->hole_start, end = tlb->hole_end;
	pmd_t *pmd = pmd_offset(pud, start);

	tlb->hole_end = 0;
	if (!tlb->fullmm && !tlb_gen_alone(tlb)) {
		/* Who made the hole marks the table before this lock is dropped. */
		spinlock_t *ptl = pmd_lock(tlb->mm, pmd);

		tlb_gen_inherit(tlb, pmd, start, end);
		spin_unlock(ptl);
	}
}

#undef tlb_gen_pending		/* CONFIG_DEBUG_TLB_GEN */
/**
 * tlb_gen_pending - is a flush owed for the table that holds this entry?
 * @mm: the mm
 * @entry: kernel address of an entry of a PTE or PMD table
 *
 * Context: under the table's PTL. A window of the caller's own counts, too:
 * reclaim from within MADV_PAGEOUT flushes once more than it must.
 * Ordering: the PTL, then an acquire of the mm word (see the head of tlb_gen.h).
 * Return: true if some CPU may still use what the table held before.
 * Source: the mm-wide test that fault handlers had, exact to the table.
 */
bool tlb_gen_pending(struct mm_struct *mm, const void *entry)
{
	struct ptdesc *table = tlb_gen_table(entry);

	return table->pt_tlb_gen & TLB_GEN_MARKED &&
		tlb_gen_table_pending(mm, table, TLB_GEN_NO_WINDOW);
}

void __weak arch_tlb_gen_settle(struct vm_area_struct *vma, unsigned long start,
				unsigned long end)
{
	flush_tlb_range(vma, start, end);
}

static void tlb_gen_flush(struct vm_area_struct *vma, unsigned long start,
			  unsigned long end)
{
	arch_tlb_gen_settle(vma, start, end);
	count_vm_tlb_event(TLB_GEN_SETTLE);
	trace_tlb_gen_settle(vma->vm_mm, start, end);
}

void __tlb_gen_settle(struct vm_area_struct *vma, struct ptdesc *table,
		      unsigned long start, unsigned long end)
{
	if (tlb_gen_table_pending(vma->vm_mm, table, TLB_GEN_NO_WINDOW))
		tlb_gen_flush(vma, start, end);
}

void __tlb_gen_settle_gone(struct vm_area_struct *vma, struct ptdesc *table,
			   unsigned long start, unsigned long end)
{
	bool gone = table->pt_tlb_gen & TLB_GEN_GONE;

	if (gone) {
		start &= PMD_MASK;
		end = start + PMD_SIZE;
	}
	if (tlb_gen_table_pending(vma->vm_mm, table, TLB_GEN_NO_WINDOW) || gone)
		tlb_gen_flush(vma, start, end);
	if (gone)
		WRITE_ONCE(table->pt_tlb_gen,
			   table->pt_tlb_gen & ~tlb_gen_word_gone(table->pt_tlb_gen));
}

/**
 * tlb_gen_settle_mm - flush a range now if any window is open
 * @vma: the VMA
 * @start: first address, bytes
 * @end: end of the range, bytes
 *
 * Context, ordering and source: as tlb_gen_settle(), for entries in tables that
 * are not marked.
 */
void tlb_gen_settle_mm(struct vm_area_struct *vma, unsigned long start,
		       unsigned long end)
{
	if (!tlb_gen_word_alone(atomic64_read_acquire(&vma->vm_mm->tlb_gen),
				TLB_GEN_NO_WINDOW))
		tlb_gen_flush(vma, start, end);
}

/*
 * @parent is the word of the PMD table, read under its lock. The child's own
 * lock is not held, but nobody else can reach the child yet.
 */
void __tlb_gen_merge_table(struct mm_struct *mm, u64 parent, struct ptdesc *child)
{
	u64 word = atomic64_read_acquire(&mm->tlb_gen);

	if (tlb_gen_word_others(word, parent, TLB_GEN_NO_WINDOW))
		__tlb_gen_mark(mm, child, tlb_gen_word_gone(child->pt_tlb_gen));
}
