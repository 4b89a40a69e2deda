// SPDX-License-Identifier: GPL-2.0
/*
 * CONFIG_DEBUG_TLB_GEN: assertions and fault injection for tracked TLB-flush
 * generations. See include/asm-generic/tlb_gen_debug.h.
 */

#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/hugetlb.h>	/* flush_tlb_range() of x86 */
#include <linux/lockdep.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include <asm-generic/tlb_gen.h>

#include "internal.h"

static const char * const tlb_gen_guards[NR_TLB_GEN_GUARDS] = {
	[TLB_GEN_GUARD_NONE]	= "",
	[TLB_GEN_GUARD_OPEN]	= "open",
	[TLB_GEN_GUARD_CLOSE]	= "close",
	[TLB_GEN_GUARD_MARK]	= "mark",
	[TLB_GEN_GUARD_INHERIT]	= "inherit",
	[TLB_GEN_GUARD_HINT]	= "hint",
	[TLB_GEN_GUARD_HOLES]	= "holes",
	[TLB_GEN_GUARD_SETTLE]	= "settle",
	[TLB_GEN_GUARD_PENDING]	= "pending",
	[TLB_GEN_GUARD_MERGE]	= "merge",
	[TLB_GEN_GUARD_SPAN]	= "span",
	[TLB_GEN_GUARD_RMAP]	= "rmap",
	[TLB_GEN_GUARD_GONE]	= "gone",
	[TLB_GEN_GUARD_WRITE]	= "write",
};

static DEFINE_MUTEX(tlb_gen_break_lock);
static enum tlb_gen_guard tlb_gen_off;
static char tlb_gen_off_who[64];
static u32 tlb_gen_delay_us, tlb_gen_batch_delay_us;
static atomic_t tlb_gen_broken;
static atomic_t tlb_gen_violations;
static bool tlb_gen_expected;

/**
 * tlb_gen_debug_off - is a guard switched off?
 * @guard: the guard
 * @who: the function that it stands in
 *
 * Counts how often it was.
 *
 * Context: any.
 * Return: true if the caller is to leave out what the guard is about.
 */
bool tlb_gen_debug_off(enum tlb_gen_guard guard, const char *who)
{
	/* Pairs with the release in tlb_gen_debug_break(). */
	if (likely(smp_load_acquire(&tlb_gen_off) != guard))
		return false;
	if (*tlb_gen_off_who && strcmp(who, tlb_gen_off_who))
		return false;
	atomic_inc(&tlb_gen_broken);
	return true;
}

#define tlb_gen_assert(cond) do {					\
	if (unlikely(!(cond))) {					\
		atomic_inc(&tlb_gen_violations);			\
		WARN_ONCE(!READ_ONCE(tlb_gen_off) && !tlb_gen_expected,	\
			  "tlb_gen: " #cond);				\
	}								\
} while (0)

/**
 * tlb_gen_debug_expect - say that assertions are going to fail
 * @on: begin or end
 *
 * For tests of the assertions.
 * Return: the number of assertions that have failed so far.
 */
int tlb_gen_debug_expect(bool on)
{
	tlb_gen_expected = on;
	return atomic_read(&tlb_gen_violations);
}

#ifdef CONFIG_LOCKDEP
static bool tlb_gen_locked(spinlock_t *ptl)
{
	return !debug_locks || lockdep_is_held(ptl);
}
#else
static bool tlb_gen_locked(spinlock_t *ptl)
{
	return true;
}
#endif

static void tlb_gen_assert_locked(const void *entry)
{
	tlb_gen_assert(tlb_gen_locked(ptlock_ptr(tlb_gen_table(entry))));
}

/* Waits where a flush is owed, if it may. */
static void tlb_gen_delay(u32 us)
{
	if (us && preemptible())
		fsleep(us);
}

static void tlb_gen_opened(struct mm_struct *mm)
{
	u64 word = tlb_gen_mm_word(mm);

	current->tlb_gen_windows++;
	tlb_gen_assert(current->tlb_gen_windows <= TLB_GEN_TASK_WINDOWS);
	tlb_gen_assert(word & TLB_GEN_MARKED);
	tlb_gen_assert(tlb_gen_word_open(word, 0) + tlb_gen_word_open(word, 1) > 0);
}

/* R1: windows end in the task that opened them. */
static void tlb_gen_closing(struct mm_struct *mm, u64 window)
{
	tlb_gen_assert(current->tlb_gen_windows > 0);
	tlb_gen_assert(tlb_gen_word_open(tlb_gen_mm_word(mm), window != tlb_gen_word_one(0)));
	current->tlb_gen_windows--;
}

/**
 * tlb_gen_debug_flushed - the architecture has flushed for a window
 *
 * R1: where flushes are broadcast, only this task's DSB completes its TLBIs. Those of
 * ptep_clear_flush_young() wait for none, and those of a batch for a later one: what
 * was left before the window, or before the flush of a gather, does not count.
 */
void tlb_gen_debug_flushed(void)
{
	tlb_gen_assert(!current->tlb_gen_unfinished);
}

/**
 * tlb_gen_debug_advanced - the generation of an mm has moved on
 * @word: the mm word, with the new generation
 *
 * R1: what is the current slot now was the older one.
 */
void tlb_gen_debug_advanced(u64 word)
{
	tlb_gen_assert(!tlb_gen_word_open(word, tlb_gen_word_slot(word)));
}

unsigned long tlb_gen_debug_open(struct mm_struct *mm)
{
	unsigned long window;

	if (tlb_gen_debug_off(TLB_GEN_GUARD_OPEN, ""))
		return TLB_GEN_NO_WINDOW;
	window = (tlb_gen_open)(mm);
	tlb_gen_opened(mm);
	current->tlb_gen_unfinished = false;
	return window;
}

void tlb_gen_debug_close(struct mm_struct *mm, unsigned long window)
{
	if (window == TLB_GEN_NO_WINDOW)
		return;
	tlb_gen_debug_flushed();
	tlb_gen_closing(mm, window);
	(tlb_gen_close)(mm, window);
}

void tlb_gen_debug_gather(struct mmu_gather *tlb)
{
	tlb->gen_foreign = 0;
	if (tlb_gen_debug_off(TLB_GEN_GUARD_OPEN, "")) {
		tlb->window = TLB_GEN_NO_WINDOW;
		tlb->hole_end = 0;
		return;
	}
	(tlb_gen_gather)(tlb);
	tlb_gen_opened(tlb->mm);
}

/* Nothing that was recorded may be left when the window closes or pages go. */
static bool tlb_gen_flushed(struct mmu_gather *tlb)
{
	return tlb->fullmm || !tlb->end;
}

void tlb_gen_debug_finish(struct mmu_gather *tlb)
{
	tlb_gen_assert(tlb_gen_flushed(tlb));
	tlb_gen_assert(!tlb->hole_end);
	if (tlb->window == TLB_GEN_NO_WINDOW)
		return;
	tlb_gen_closing(tlb->mm, tlb->window);
	(tlb_gen_finish)(tlb);
}

/* Does the gather's flush say of which level the entries are? */
bool __weak arch_tlb_gen_hint(struct mmu_gather *tlb)
{
	return false;
}

/**
 * tlb_gen_debug_flush - a gather is going to flush
 * @tlb: the gather
 *
 * Waits where a window is open and no lock is held.
 *
 * Context: before the architecture's flush, under the PTL or not.
 */
void tlb_gen_debug_flush(struct mmu_gather *tlb)
{
	/* R3: what is stale may be a block where a table is now. */
	tlb_gen_assert(!tlb->gen_foreign || !arch_tlb_gen_hint(tlb));
	tlb->gen_foreign = 0;

	if (tlb->window != TLB_GEN_NO_WINDOW && preemptible() &&
	    tlb_gen_debug_off(TLB_GEN_GUARD_CLOSE, "")) {
		tlb_gen_assert(tlb_gen_flushed(tlb));
		tlb_gen_closing(tlb->mm, tlb->window);
		(tlb_gen_finish)(tlb);
		tlb->window = TLB_GEN_NO_WINDOW;
	}
	tlb_gen_delay(READ_ONCE(tlb_gen_delay_us));
	current->tlb_gen_unfinished = false;
}

/**
 * tlb_gen_debug_batch - reclaim or migration is going to flush its batch
 */
void tlb_gen_debug_batch(void)
{
	tlb_gen_delay(READ_ONCE(tlb_gen_batch_delay_us));
}

/**
 * tlb_gen_debug_no_batch - reclaim frees folios, or migration or a collapse puts one back
 *
 * R7: no CPU may use what is freed, and whoever took over what is put back may not have
 * flushed: the batch must have.
 */
void tlb_gen_debug_no_batch(void)
{
	tlb_gen_assert(!current->tlb_ubc.flush_required);
}

/**
 * tlb_gen_debug_no_dirty_batch - reclaim writes a folio, or unlocks one of a file
 *
 * R7: no CPU may write to it any more.
 */
void tlb_gen_debug_no_dirty_batch(void)
{
	tlb_gen_assert(!current->tlb_ubc.writable);
}

#ifdef CONFIG_TRANSPARENT_HUGEPAGE
pmd_t tlb_gen_debug_pmdp_clear_flush(struct vm_area_struct *vma,
				     unsigned long addr, pmd_t *pmdp)
{
	unsigned long window = tlb_gen_debug_open(vma->vm_mm);
	pmd_t pmd = pmdp_huge_get_and_clear(vma->vm_mm, addr, pmdp);

	mdelay(READ_ONCE(tlb_gen_delay_us) / USEC_PER_MSEC);
	flush_pmd_tlb_range(vma, addr, addr + HPAGE_PMD_SIZE);
	tlb_gen_debug_close(vma->vm_mm, window);
	return pmd;
}
#endif

/**
 * tlb_gen_debug_free - a gather is going to free pages and tables
 * @tlb: the gather
 */
void tlb_gen_debug_free(struct mmu_gather *tlb)
{
	tlb_gen_assert(tlb_gen_flushed(tlb));
}

/*
 * R2: marks are made inside a window. Of those that are no gather, only how many a task
 * has is known, not of which mm.
 */
static void tlb_gen_assert_window(struct mm_struct *mm)
{
	tlb_gen_assert(current->tlb_gen_windows > 0 &&
		       !tlb_gen_word_alone(tlb_gen_mm_word(mm), TLB_GEN_NO_WINDOW));
}

static void tlb_gen_assert_gather(struct mmu_gather *tlb)
{
	tlb_gen_assert(tlb->window != TLB_GEN_NO_WINDOW &&
		       tlb_gen_word_open(tlb_gen_mm_word(tlb->mm),
					 tlb->window != tlb_gen_word_one(0)));
}

void tlb_gen_debug_mark_table(struct mm_struct *mm, const void *entry, const char *who)
{
	tlb_gen_assert_window(mm);
	tlb_gen_assert_locked(entry);
	if (!tlb_gen_debug_off(TLB_GEN_GUARD_MARK, who))
		(tlb_gen_mark_table)(mm, entry);
}

void tlb_gen_debug_mark(struct mmu_gather *tlb, const void *entry, const char *who)
{
	if (!tlb->gen_dirty)
		return;
	tlb_gen_assert_gather(tlb);
	tlb_gen_assert_locked(entry);
	if (tlb_gen_debug_off(TLB_GEN_GUARD_MARK, who))
		tlb->gen_dirty = false;
	(tlb_gen_mark)(tlb, entry);
}

void tlb_gen_debug_mark_hugetlb(struct mmu_gather *tlb, struct vm_area_struct *vma,
				pte_t *ptep, unsigned long size, const char *who)
{
	if (!tlb->gen_dirty)
		return;
	tlb_gen_assert_gather(tlb);
	if (size < PUD_SIZE)
		tlb_gen_assert_locked(ptep);
	if (tlb_gen_debug_off(TLB_GEN_GUARD_MARK, who))
		tlb->gen_dirty = false;
	(tlb_gen_mark_hugetlb)(tlb, vma, ptep, size);
}

static void tlb_gen_inherited(struct mmu_gather *tlb)
{
	if (!tlb->inherited)
		return;
	tlb->gen_foreign = 1;
	if (tlb_gen_debug_off(TLB_GEN_GUARD_HINT, ""))
		tlb->inherited = 0;
}

/* What reclaim and migration left, if that guard is off. */
static void tlb_gen_forget_gone(const void *entry, const char *who)
{
	struct ptdesc *table = tlb_gen_table(entry);

	if ((table->pt_tlb_gen & TLB_GEN_GONE) && tlb_gen_debug_off(TLB_GEN_GUARD_GONE, who))
		table->pt_tlb_gen &= ~tlb_gen_word_gone(table->pt_tlb_gen);
}

void tlb_gen_debug_inherit(struct mmu_gather *tlb, const void *entry,
			   unsigned long start, unsigned long end, const char *who)
{
	tlb_gen_assert_locked(entry);
	if (tlb_gen_debug_off(TLB_GEN_GUARD_INHERIT, who))
		return;
	tlb_gen_forget_gone(entry, who);
	(tlb_gen_inherit)(tlb, entry, start, end);
	tlb_gen_inherited(tlb);
}

void tlb_gen_debug_inherit_mm(struct mmu_gather *tlb, unsigned long start,
			      unsigned long end, const char *who)
{
	if (!tlb_gen_debug_off(TLB_GEN_GUARD_HOLES, who))
		(tlb_gen_inherit_mm)(tlb, start, end);
	tlb_gen_inherited(tlb);
}

void tlb_gen_debug_inherit_holes(struct mmu_gather *tlb, pud_t *pud, const char *who)
{
	if (tlb->hole_end && tlb_gen_debug_off(TLB_GEN_GUARD_HOLES, who))
		tlb->hole_end = 0;
	(tlb_gen_inherit_holes)(tlb, pud);
	tlb_gen_inherited(tlb);
}

void tlb_gen_debug_settle(struct vm_area_struct *vma, const void *entry,
			  unsigned long start, unsigned long end, const char *who)
{
	tlb_gen_assert_locked(entry);
	tlb_gen_assert(!current->tlb_gen_lazy);
	if (!tlb_gen_debug_off(TLB_GEN_GUARD_SETTLE, who))
		(tlb_gen_settle)(vma, entry, start, end);
}

void tlb_gen_debug_gone(const void *entry)
{
	tlb_gen_assert_locked(entry);
	(tlb_gen_gone)(entry);
}

void tlb_gen_debug_settle_gone(struct vm_area_struct *vma, const void *entry,
			       unsigned long start, unsigned long end, const char *who)
{
	tlb_gen_assert_locked(entry);
	tlb_gen_assert(!current->tlb_gen_lazy);
	tlb_gen_forget_gone(entry, who);
	if (!tlb_gen_debug_off(TLB_GEN_GUARD_SETTLE, who))
		(tlb_gen_settle_gone)(vma, entry, start, end);
}

void tlb_gen_debug_settle_hugetlb(struct vm_area_struct *vma, pte_t *ptep,
				  unsigned long addr, unsigned long size, const char *who)
{
	tlb_gen_assert(!current->tlb_gen_lazy);
	if (size < PUD_SIZE)
		tlb_gen_assert_locked(ptep);
	if (!tlb_gen_debug_off(TLB_GEN_GUARD_SETTLE, who))
		(tlb_gen_settle_hugetlb)(vma, ptep, addr, size);
}

bool tlb_gen_debug_pending(struct mm_struct *mm, const void *entry, const char *who)
{
	bool pending;

	/* pte_accessible() of a hugetlb page of PUD size, whose table has no lock */
	if (!tlb_gen_locked(&mm->page_table_lock))
		tlb_gen_assert_locked(entry);
	pending = (tlb_gen_pending)(mm, entry);
	return pending && !tlb_gen_debug_off(TLB_GEN_GUARD_PENDING, who);
}

void tlb_gen_debug_merge_table(struct mm_struct *mm, pmd_t *pmd, pgtable_t table,
			       const char *who)
{
	tlb_gen_assert_locked(pmd);
	if (tlb_gen_table(pmd)->pt_tlb_gen && tlb_gen_debug_off(TLB_GEN_GUARD_MERGE, who))
		return;
	(tlb_gen_merge_table)(mm, pmd, table);
}

/* R6: who frees a table flushes for what was pending in it. */
static void tlb_gen_assert_span(struct mmu_gather *tlb, struct ptdesc *table,
				unsigned long start, unsigned long end)
{
	tlb_gen_assert(tlb->fullmm || (tlb->start <= start && tlb->end >= end) ||
		       !(table->pt_tlb_gen & TLB_GEN_GONE ||
			 tlb_gen_word_others(tlb_gen_mm_word(tlb->mm), table->pt_tlb_gen,
					     tlb->window)));
}

void tlb_gen_debug_free_pte(struct mmu_gather *tlb, pgtable_t table,
			    unsigned long addr, const char *who)
{
	struct ptdesc *pt = page_ptdesc(table);

	if (!pt->pt_tlb_gen || !tlb_gen_debug_off(TLB_GEN_GUARD_SPAN, who))
		(tlb_gen_free_pte)(tlb, table, addr);
	tlb_gen_inherited(tlb);
	tlb_gen_assert_span(tlb, pt, addr & PMD_MASK, (addr & PMD_MASK) + PMD_SIZE);
}

void tlb_gen_debug_free_pmd(struct mmu_gather *tlb, pmd_t *pmd,
			    unsigned long addr, const char *who)
{
	struct ptdesc *pt = tlb_gen_table(pmd);

	if (!pt->pt_tlb_gen || !tlb_gen_debug_off(TLB_GEN_GUARD_SPAN, who))
		(tlb_gen_free_pmd)(tlb, pmd, addr);
	tlb_gen_inherited(tlb);
	tlb_gen_assert_span(tlb, pt, addr & PUD_MASK, (addr & PUD_MASK) + PUD_SIZE);
}

/**
 * tlb_gen_debug_mm - an mm goes away
 * @mm: the mm, used by nobody
 */
void tlb_gen_debug_mm(struct mm_struct *mm)
{
	tlb_gen_assert(tlb_gen_word_alone(tlb_gen_mm_word(mm), TLB_GEN_NO_WINDOW));
}

/**
 * tlb_gen_debug_task - a task goes away
 * @task: the task, exiting
 */
void tlb_gen_debug_task(struct task_struct *task)
{
	tlb_gen_assert(!task->tlb_gen_windows);
}

/**
 * tlb_gen_debug_break - switch a guard off
 * @guard: the only one that will be off; TLB_GEN_GUARD_NONE for none
 * @who: the function that it stands in; "" for all
 */
void tlb_gen_debug_break(enum tlb_gen_guard guard, const char *who)
{
	guard(mutex)(&tlb_gen_break_lock);
	WRITE_ONCE(tlb_gen_off, TLB_GEN_GUARD_NONE);
	atomic_set(&tlb_gen_broken, 0);
	strscpy_pad(tlb_gen_off_who, who);
	/* Pairs with the acquire in tlb_gen_debug_off(). */
	smp_store_release(&tlb_gen_off, guard);
}

static ssize_t tlb_gen_break_write(struct file *file, const char __user *buf,
				   size_t count, loff_t *ppos)
{
	char text[sizeof(tlb_gen_off_who) + 16], *who, *guard;
	int off;

	if (count >= sizeof(text))
		return -EINVAL;
	if (copy_from_user(text, buf, count))
		return -EFAULT;
	text[count] = 0;
	who = strim(text);
	guard = strsep(&who, ":");
	off = match_string(tlb_gen_guards, NR_TLB_GEN_GUARDS, guard);
	if (off < 0)
		return off;

	tlb_gen_debug_break(off, who ?: "");
	return count;
}

static int tlb_gen_break_show(struct seq_file *seq, void *v)
{
	guard(mutex)(&tlb_gen_break_lock);
	seq_printf(seq, "%s%s%s\n", tlb_gen_guards[tlb_gen_off],
		   *tlb_gen_off_who ? ":" : "", tlb_gen_off_who);
	return 0;
}
DEFINE_SHOW_STORE_ATTRIBUTE(tlb_gen_break);

static int __init tlb_gen_debug_init(void)
{
	struct dentry *dir = debugfs_create_dir("tlb_gen", NULL);

	debugfs_create_file("break", 0600, dir, NULL, &tlb_gen_break_fops);
	debugfs_create_u32("delay_us", 0600, dir, &tlb_gen_delay_us);
	debugfs_create_u32("batch_delay_us", 0600, dir, &tlb_gen_batch_delay_us);
	debugfs_create_atomic_t("broken", 0400, dir, &tlb_gen_broken);
	debugfs_create_atomic_t("violations", 0600, dir, &tlb_gen_violations);
	return 0;
}
late_initcall(tlb_gen_debug_init);
