/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASM_GENERIC_TLB_GEN_H
#define _ASM_GENERIC_TLB_GEN_H

/*
 * Tracked TLB-flush generations
 *
 * Invariant:
 *
 *   While some CPU may use a translation that a page table no longer holds,
 *   that table's word says so to whoever holds the table's lock (PTL), and
 *   nobody acts on what the table says now without the flush that is owed.
 *
 * A _window_ reaches from before a flusher's first PTE store until its flush
 * and its secondary-TLB notifier are finished; an mmu_gather is one. Two words
 * track windows. They replace the count of pending flushes per mm, which every
 * reader had to take for its own, and the full flush of nested gathers:
 *
 *   mm word	mm->tlb_gen, one atomic64:
 *
 *		 63         47 46 45       23 22        0
 *		+-------------+--+-----------+-----------+
 *		| generation  | 1|  open[1]  |  open[0]  |
 *		+-------------+--+-----------+-----------+
 *
 *		open[g & 1] counts the open windows of generation g. The
 *		generation moves on only while the older slot is empty, so
 *		that open windows belong to generation g or g - 1 and to no
 *		other: two epochs, as in SRCU.
 *
 *   table word	ptdesc->pt_tlb_gen, plain stores under that table's PTL:
 *
 *		 63         47 46 45   9 8     3  2   1 0
 *		+-------------+--+------+-------+----+---+
 *		| generation  | 1|   0  | pages |GONE| 0 |
 *		+-------------+--+------+-------+----+---+
 *
 *		The generation the mm had when an entry of this table last
 *		changed inside a window; bit 46 tells that from generation 0.
 *		GONE: a batch of reclaim or migration made entries non-present
 *		and no window will say when it has flushed; pages: how many
 *		walkers took over since that was set. 0: nothing pending.
 *		The two low bits stay 0: the word lies on page->mapping, where
 *		2 would say "movable". Bit 9 is kept for lazy classes.
 *
 * A table of generation s is pending, the caller's own window left out, when
 *
 *	s == g		some window is open,
 *	s == g - 1	some window of the older slot is open,
 *	otherwise	never.
 *
 * Why that cannot miss: a window of generation w marks with the generation it
 * reads then, s >= w. While it is open w is g or g - 1. If s == g every window
 * counts; if s == g - 1, then w == g - 1 and the window sits in the older
 * slot. Marks of one table never become older, because each is read from the
 * mm word under the PTL. Generations are only compared for equality, modulo
 * their width: wrap-around can report too much, never too little.
 *
 * GONE concerns walkers, who must not return before the flush (R3), and whoever
 * moves a non-present entry elsewhere. It does not concern faults. A page that
 * was unmapped dirty is not written out, and if it belongs to a file not unlocked
 * either, before its batch is flushed (R7); an anonymous one that a fault brings
 * back meanwhile is the same page, exclusive to the mm if it was. (For one that
 * was clean the fault may find another page: as it always was.) Nobody
 * knows when all batches have flushed: GONE stays until walkers of more than 32
 * pages in all have met it, and the last of them takes the whole table over.
 *
 *   window                                  other CPU
 *
 *   tlb_gen_open()    [fully ordered]
 *   spin_lock(ptl)
 *   set_pte_at()
 *   tlb_gen_mark()
 *   spin_unlock(ptl)                        spin_lock(ptl)
 *                                           tlb_gen_inherit() or
 *                                           tlb_gen_pending() or
 *                                           tlb_gen_settle()
 *                                           spin_unlock(ptl)
 *   tlb_flush()
 *   tlb_gen_close()   [ordered by the flush]
 *
 * The mark is seen through the PTL, and with it an mm word no older than the
 * one that was marked with. The reader's acquire pairs with the release of
 * the close. smp_mb() does not order TLB invalidation: only the architecture's
 * own flush orders the close behind it, and on arm64 only the DSB of the CPU
 * that issued the TLBI.
 *
 * API:
 *
 *   tlb_gen_open(), tlb_gen_close()	begin and end a window; an mmu_gather
 *					does it by itself
 *   tlb_gen_mark(), tlb_gen_mark_table()	an entry changed, before the PTL
 *					is dropped and without a flush
 *   tlb_gen_inherit()			a walker takes over what is pending
 *					in the table that it walks
 *   tlb_gen_inherit_mm()		the same where no table word tells
 *   tlb_gen_note_hole(),
 *   tlb_gen_inherit_holes()		the same for pmd_none() seen unlocked
 *   tlb_gen_pending()			is a flush owed for this table?
 *   tlb_gen_settle()			flush a page now if one is owed
 *   tlb_gen_settle_mm()		the same where no table word tells
 *   tlb_gen_pmdp_clear_flush()		make a hole and flush under the lock
 *   tlb_gen_gone()			reclaim or migration made an entry
 *					non-present and flushes with its batch
 *   tlb_gen_settle_gone()		flush before a non-present entry moves
 *   tlb_gen_inherit_pud_hole()
 *   tlb_gen_mark_hugetlb(),
 *   tlb_gen_settle_hugetlb()		hugetlb pages, whose tables may be shared
 *   tlb_gen_merge_table(),
 *   tlb_gen_init_pmd_table()		a table enters the tree
 *   tlb_gen_free_pte(), _pmd()		a table leaves the tree
 *
 * Architectures with CONFIG_TLB_GEN unset have the same calls with what mm
 * did before: one count of open windows per mm and a full flush when they
 * nest. Batches of reclaim and migration need CONFIG_TLB_GEN.
 *
 * Idea: one mechanism for batched and pending flushes, and mmu_gather to serve
 * protection changes (Nadav Amit, 55080C83-4047-4AA9-B6A3-785A1E4E17B1@gmail.com);
 * a generation per page table (20210131001132.3368247-17-namit@vmware.com).
 */

#include <linux/bits.h>
#include <linux/mm.h>
#include <linux/mm_types.h>
#include <linux/tracepoint-defs.h>
#include <linux/userfaultfd_k.h>
#include <linux/vmstat.h>
#include <asm/tlb.h>
#include <asm/tlbflush.h>

#ifdef CONFIG_TLB_GEN

/*
 * mm word: a slot counts 2^23 - 1 windows. PID_MAX_LIMIT is 2^22 and pid 0 opens none:
 * a third window of each task would not fit. CONFIG_DEBUG_TLB_GEN asserts it.
 */
#define TLB_GEN_TASK_WINDOWS	2
#define TLB_GEN_OPEN_BITS	23
#define TLB_GEN_OPEN_MASK	GENMASK_ULL(TLB_GEN_OPEN_BITS - 1, 0)
#define TLB_GEN_MARKED		BIT_ULL(2 * TLB_GEN_OPEN_BITS)
#define TLB_GEN_SHIFT		(2 * TLB_GEN_OPEN_BITS + 1)
#define TLB_GEN_ONE		BIT_ULL(TLB_GEN_SHIFT)

/* What a mark takes from the mm word */
#define TLB_GEN_MASK		GENMASK_ULL(63, TLB_GEN_SHIFT - 1)

/* Table word: a batch of reclaim or migration has made entries non-present. */
#define TLB_GEN_GONE		BIT_ULL(2)
/* and how many pages walkers took over since then */
#define TLB_GEN_GONE_PAGES	GENMASK_ULL(8, 3)

/* tlb_gen_word_others(): the caller has no window of its own */
#define TLB_GEN_NO_WINDOW	0

/*
 * Arithmetic of the words, without memory or order: for this file, mm/tlb_gen.c and
 * the KUnit tests. Participants call none of it.
 */

/* The slot of the generation that @word has */
static inline unsigned int tlb_gen_word_slot(u64 word)
{
	return (word >> TLB_GEN_SHIFT) & 1;
}

/* A window of @slot: what it adds to the mm word. */
static inline u64 tlb_gen_word_one(unsigned int slot)
{
	return slot ? BIT_ULL(TLB_GEN_OPEN_BITS) : 1;
}

/* tlb_gen_word_one() of the slot of @word, by a shift of the bit that tells it */
static inline u64 tlb_gen_word_window(u64 word)
{
	u64 second = word >> (TLB_GEN_SHIFT - TLB_GEN_OPEN_BITS) & BIT_ULL(TLB_GEN_OPEN_BITS);

	return second ?: tlb_gen_word_one(0);
}

/* How many windows of @slot are open */
static inline unsigned int tlb_gen_word_open(u64 word, unsigned int slot)
{
	return (word >> (slot * TLB_GEN_OPEN_BITS)) & TLB_GEN_OPEN_MASK;
}

/* Is @window the only one? */
static inline bool tlb_gen_word_alone(u64 word, u64 window)
{
	return !((word ^ window) << (64 - 2 * TLB_GEN_OPEN_BITS));
}

/* The mm word after @window closed and, if it may, the generation moved on. */
static inline u64 tlb_gen_word_close(u64 word, u64 window)
{
	word -= window;
	if (!tlb_gen_word_open(word, !tlb_gen_word_slot(word)))
		word += TLB_GEN_ONE;
	return word;
}

/* What of a table word windows leave alone */
static inline u64 tlb_gen_word_gone(u64 table)
{
	return table & (TLB_GEN_GONE | TLB_GEN_GONE_PAGES);
}

/* What a mark writes into a table word: never 0, no older than what it replaces. */
static inline u64 tlb_gen_word_mark(u64 word)
{
	return word & TLB_GEN_MASK;
}

/*
 * The open windows that may have marked @table, the caller's own (or
 * TLB_GEN_NO_WINDOW) left out.
 */
static inline unsigned int tlb_gen_word_others(u64 word, u64 table, u64 own)
{
	u64 age = (word - (table & TLB_GEN_MASK)) >> TLB_GEN_SHIFT;
	unsigned int older = !tlb_gen_word_slot(word);

	if (!(table & TLB_GEN_MARKED))
		return 0;
	if (!age)
		return tlb_gen_word_open(word, 0) + tlb_gen_word_open(word, 1) -
			(own != TLB_GEN_NO_WINDOW);
	if (age == 1)
		return tlb_gen_word_open(word, older) - (own == tlb_gen_word_one(older));
	return 0;
}

/**
 * tlb_gen_table - the table that holds an entry
 * @entry: kernel address of an entry of a PTE or PMD table
 *
 * Context: any.
 * Ordering: none.
 * Return: its ptdesc, with the table word.
 * Source: split page-table locks find theirs the same way.
 */
static inline struct ptdesc *tlb_gen_table(const void *entry)
{
	return virt_to_ptdesc(entry);
}

/**
 * tlb_gen_mm_init - no window is open in a new mm
 * @mm: the mm
 *
 * Context: nobody else has the mm yet.
 * Ordering: a plain store; what publishes the mm shows it.
 * Source: as tlb_gen_open().
 */
static inline void tlb_gen_mm_init(struct mm_struct *mm)
{
	atomic64_set(&mm->tlb_gen, TLB_GEN_MARKED);
}

/**
 * tlb_gen_mm_word - the mm word, to be shown
 * @mm: the mm
 *
 * Context: any. Who asks whether something is pending wants tlb_gen_pending().
 * Return: the generation and its open windows.
 * Ordering: none.
 * Source: as tlb_gen_open().
 */
static inline u64 tlb_gen_mm_word(const struct mm_struct *mm)
{
	return atomic64_read(&mm->tlb_gen);
}

void __tlb_gen_inherit(struct mmu_gather *tlb, struct ptdesc *table,
		       unsigned long start, unsigned long end);
void __tlb_gen_settle(struct vm_area_struct *vma, struct ptdesc *table,
		      unsigned long start, unsigned long end);
void __tlb_gen_settle_gone(struct vm_area_struct *vma, struct ptdesc *table,
			   unsigned long start, unsigned long end);
void tlb_gen_settle_mm(struct vm_area_struct *vma, unsigned long start,
		       unsigned long end);
void __tlb_gen_merge_table(struct mm_struct *mm, u64 parent, struct ptdesc *child);
void __tlb_gen_inherit_holes(struct mmu_gather *tlb, pud_t *pud);
void tlb_gen_inherit_mm(struct mmu_gather *tlb, unsigned long start,
			unsigned long end);

void __tlb_gen_close(struct mm_struct *mm, u64 window);

DECLARE_TRACEPOINT(tlb_gen_open);
DECLARE_TRACEPOINT(tlb_gen_close);
DECLARE_TRACEPOINT(tlb_gen_mark);
void __tlb_gen_trace_open(u64 word, struct mm_struct *mm, u64 window);
void __tlb_gen_trace_mark(struct mm_struct *mm, struct ptdesc *table);

/*
 * The architecture's half of tlb_gen_settle(), whose locks are held: flushes leaf
 * entries of any level from @start to @end and is complete on return. kernel-doc in
 * arch/; flush_tlb_range() where there is none.
 */
void arch_tlb_gen_settle(struct vm_area_struct *vma, unsigned long start,
			 unsigned long end);

/*
 * The window to open. The generation may move until it is opened. Then the
 * slot is the older one or, two moves on, the current one again: the window
 * belongs to the generation that the slot stands for by then.
 */
static inline u64 tlb_gen_next_window(struct mm_struct *mm)
{
	return tlb_gen_word_window(atomic64_read(&mm->tlb_gen));
}

static inline void __tlb_gen_open(struct mm_struct *mm, u64 window)
{
	u64 word = atomic64_fetch_add(window, &mm->tlb_gen);

	count_vm_tlb_event(TLB_GEN_OPEN);
	if (tracepoint_enabled(tlb_gen_open))
		__tlb_gen_trace_open(word, mm, window);
}

/**
 * tlb_gen_open - begin a window
 * @mm: the mm whose page tables are going to be changed
 *
 * Context: any; before the first PTE store, with or without locks.
 * Ordering: fully ordered, so that the window is visible before any PTE store
 * that follows, also to a walker that sees the store without a lock.
 * Return: the window, to be passed to tlb_gen_close().
 * Source: two epochs of open readers, from SRCU.
 */
static inline unsigned long tlb_gen_open(struct mm_struct *mm)
{
	u64 window = tlb_gen_next_window(mm);

	__tlb_gen_open(mm, window);
	return window;
}

/**
 * tlb_gen_close - end a window
 * @mm: the mm
 * @window: what tlb_gen_open() returned
 *
 * Moves the generation on if no older window is left, unless the mm word is
 * contended; somebody else will.
 *
 * Context: any; after the flush and the secondary-TLB notifier are finished,
 * in the task whose flush it was.
 * Ordering: release; pairs with the acquires of the mm word by who asks. The
 * architecture's flush orders itself before this, no barrier here could.
 * Source: as tlb_gen_open().
 */
static inline void tlb_gen_close(struct mm_struct *mm, unsigned long window)
{
	s64 word = atomic64_read(&mm->tlb_gen);

	/* As tlb_gen_word_close() has it when there is no other window. */
	if (likely(tlb_gen_word_alone(word, window) && !tracepoint_enabled(tlb_gen_close) &&
		   atomic64_try_cmpxchg_release(&mm->tlb_gen, &word,
						(word ^ window) + TLB_GEN_ONE)))
		return;
	__tlb_gen_close(mm, window);
}

/* Under the PTL of @table, of whose word @gone stays. */
static inline void __tlb_gen_mark(struct mm_struct *mm, struct ptdesc *table, u64 gone)
{
	/*
	 * Read anew under this PTL: never older than what it replaces. Who
	 * walks page frames reads it as page->mapping, without the PTL.
	 */
	WRITE_ONCE(table->pt_tlb_gen, tlb_gen_word_mark(atomic64_read(&mm->tlb_gen)) | gone);
	count_vm_tlb_event(TLB_GEN_MARK);
	if (tracepoint_enabled(tlb_gen_mark))
		__tlb_gen_trace_mark(mm, table);
}

/**
 * tlb_gen_mark_table - record that an entry changed and is not flushed yet
 * @mm: the mm
 * @entry: kernel address of an entry of the changed PTE or PMD table
 *
 * For windows that are not an mmu_gather; those call tlb_gen_mark().
 *
 * Context: inside a window of @mm and under the table's PTL, after the entry
 * was changed and before the PTL is dropped.
 * Ordering: a plain store; the PTL shows it, and the window, to who takes it next.
 * Source: a generation per page table (20210131001132.3368247-17-namit@vmware.com).
 */
static inline void tlb_gen_mark_table(struct mm_struct *mm, const void *entry)
{
	struct ptdesc *table = tlb_gen_table(entry);

	__tlb_gen_mark(mm, table, tlb_gen_word_gone(table->pt_tlb_gen));
}

/**
 * tlb_gen_mark - record what a gather changed in this PTL section
 * @tlb: the gather
 * @entry: kernel address of an entry of the walked PTE or PMD table
 *
 * Does nothing if the gather recorded no entry since the last mark or flush:
 * a section that flushed before it unlocks needs no mark.
 *
 * Context: under the table's PTL, before it is dropped.
 * Ordering and source: as tlb_gen_mark_table().
 */
static inline void tlb_gen_mark(struct mmu_gather *tlb, const void *entry)
{
	if (tlb->gen_dirty) {
		tlb->gen_dirty = false;
		tlb_gen_mark_table(tlb->mm, entry);
	}
}

/**
 * tlb_gen_inherit - take over the flush that others owe for this table
 * @tlb: the gather
 * @entry: kernel address of an entry of the walked PTE or PMD table
 * @start: first address walked in this section, bytes
 * @end: end of the range walked in this section, bytes
 *
 * A walker that finds an entry none, protected or swapped may be looking at
 * the work of a window that has not flushed yet; it must not return before
 * that flush. Adds [@start, @end) to the gather at page stride and with the
 * level hint off: what is stale may be a block where a table is now. What a
 * batch of reclaim or migration left it takes over by marking the table, if it
 * and those before it walk more than 32 pages: no window of theirs will end.
 *
 * Context: under the table's PTL, at least once per section.
 * Ordering: the PTL, then an acquire of the mm word (see the head).
 * Source: replaces the full flush of nested gathers (1501566977-20293-4).
 */
static inline void tlb_gen_inherit(struct mmu_gather *tlb, const void *entry,
				   unsigned long start, unsigned long end)
{
	struct ptdesc *table = tlb_gen_table(entry);

	/* The last mark was this thread's own, most of the time. */
	if (likely(tlb_gen_word_alone(atomic64_read_acquire(&tlb->mm->tlb_gen), tlb->window) &&
		   !(table->pt_tlb_gen & TLB_GEN_GONE)))
		return;
	if (table->pt_tlb_gen)
		__tlb_gen_inherit(tlb, table, start, end);
}

/**
 * tlb_gen_note_hole - remember a pmd seen none without its lock
 * @tlb: the gather
 * @start: first address of the hole, bytes
 * @end: end of the hole, bytes
 *
 * Context: no lock of the hole's held.
 * Ordering and source: as tlb_gen_inherit_holes().
 */
static inline void tlb_gen_note_hole(struct mmu_gather *tlb,
				     unsigned long start, unsigned long end)
{
	if (!IS_ENABLED(CONFIG_TRANSPARENT_HUGEPAGE))
		return;
	if (!tlb->hole_end)
		tlb->hole_start = start;
	tlb->hole_end = end;
}

/**
 * tlb_gen_inherit_holes - take over the flush of whoever made the holes
 * @tlb: the gather
 * @pud: entry of the PMD table whose holes were noted
 *
 * A window that zaps a huge entry leaves pmd_none() behind, which walkers skip
 * without the lock that would show them the mark.
 *
 * Context: at the end of the walk of each PMD table, no PTL held; takes the
 * PMD lock, but only while other windows are open.
 * Ordering: who sees the hole sees the window, which was opened, fully ordered,
 * before the hole was made.
 * Source: as tlb_gen_inherit(), where no lock shows the mark.
 */
static inline void tlb_gen_inherit_holes(struct mmu_gather *tlb, pud_t *pud)
{
	if (tlb->hole_end)
		__tlb_gen_inherit_holes(tlb, pud);
}

/* Huge puds that are no hugetlb pages */
#if defined(CONFIG_TRANSPARENT_HUGEPAGE) && defined(CONFIG_HAVE_ARCH_TRANSPARENT_HUGEPAGE_PUD)
static inline bool tlb_gen_has_huge_puds(struct vm_area_struct *vma)
{
	return vma_is_special_huge(vma);
}
#else
static inline bool tlb_gen_has_huge_puds(struct vm_area_struct *vma)
{
	return false;
}
#endif

/**
 * tlb_gen_inherit_pud_hole - the same for a pud seen none without its lock
 * @tlb: the gather
 * @vma: the VMA; huge puds exist in DAX and PFN mappings only
 * @start: first address of the hole, bytes
 * @end: end of the hole, bytes
 *
 * Context: after the pud was read. Puds are not marked: any window counts.
 * Ordering and source: as tlb_gen_inherit_holes().
 */
static inline void tlb_gen_inherit_pud_hole(struct mmu_gather *tlb,
					    struct vm_area_struct *vma,
					    unsigned long start,
					    unsigned long end)
{
	if (tlb_gen_has_huge_puds(vma))
		tlb_gen_inherit_mm(tlb, start, end);
}

/**
 * tlb_gen_mark_hugetlb - tlb_gen_mark() of a hugetlb page that was protected
 * @tlb: the gather
 * @vma: the hugetlb VMA
 * @ptep: the page's entry
 * @size: its size, bytes
 *
 * The i_mmap lock, held for write until the flush (but by munmap(), of whose range
 * nobody is told anything), keeps out other walkers and
 * whoever looks at a page that may be shared; its table's word would belong to
 * several mms. Migration and write faults of private pages hold no such lock.
 * Above the PMD level no word is written: faults ask for any window there, and
 * what pte_accessible() would have to know is flushed at once. PAGEMAP_SCAN holds
 * that lock for one page only, and marks: a uffd-wp area shares no tables.
 *
 * Context, ordering and source: as tlb_gen_mark().
 */
static inline void tlb_gen_mark_hugetlb(struct mmu_gather *tlb,
					struct vm_area_struct *vma, pte_t *ptep,
					unsigned long size)
{
	if (vma->vm_flags & VM_MAYSHARE)
		return;
	if (size < PUD_SIZE)
		tlb_gen_mark(tlb, ptep);
	else if (!vma_is_accessible(vma))
		tlb_flush_mmu_tlbonly(tlb);
}

/**
 * tlb_gen_settle - flush an address now if a flush is owed for its table
 * @vma: the VMA
 * @entry: kernel address of the PTE or PMD table's entry
 * @start: first address, bytes
 * @end: end of the range, bytes
 *
 * For page-fault code that is about to use a page as if no CPU could write to
 * it. A table that nobody changed costs a load and a compare.
 *
 * Context: under the table's PTL, not in lazy MMU mode (Xen PV would only
 * queue the flush).
 * Ordering: the PTL, then an acquire of the mm word; the flush is complete on return.
 * Source: generalizes the userfaultfd check in do_wp_page() to every VMA.
 */
static inline void tlb_gen_settle(struct vm_area_struct *vma, const void *entry,
				  unsigned long start, unsigned long end)
{
	struct ptdesc *table = tlb_gen_table(entry);

	if (table->pt_tlb_gen & TLB_GEN_MARKED)
		__tlb_gen_settle(vma, table, start, end);
}

/**
 * tlb_gen_gone - record that an entry became non-present and is flushed in a batch
 * @entry: kernel address of the PTE
 *
 * For reclaim and migration, which keep no list of the mms in their batch and
 * hence have no window that could end.
 *
 * Context: under the PTE table's PTL, after the entry was changed.
 * Ordering: a plain store; the PTL shows it to who takes it next.
 * Source: replaces the counters of batches per mm (3ea277194daa).
 */
static inline void tlb_gen_gone(const void *entry)
{
	struct ptdesc *table = tlb_gen_table(entry);

	WRITE_ONCE(table->pt_tlb_gen, table->pt_tlb_gen | TLB_GEN_GONE);
}

/**
 * tlb_gen_settle_gone - flush before a non-present entry moves elsewhere
 * @vma: the VMA
 * @entry: kernel address of an entry of the PTE table that entries move out of
 * @start: first address, bytes
 * @end: end of the range, bytes
 *
 * Whoever faults the entry in at its new place owns the page: no CPU may use it
 * at the old one. What a batch left in the table is flushed for all of it, once.
 *
 * Context and ordering: as tlb_gen_settle().
 * Source: as tlb_gen_gone().
 */
static inline void tlb_gen_settle_gone(struct vm_area_struct *vma, const void *entry,
				       unsigned long start, unsigned long end)
{
	struct ptdesc *table = tlb_gen_table(entry);

	if (unlikely(table->pt_tlb_gen))
		__tlb_gen_settle_gone(vma, table, start, end);
}

/**
 * tlb_gen_settle_hugetlb - tlb_gen_settle() of a hugetlb page
 * @vma: the hugetlb VMA, private
 * @ptep: the page's entry
 * @addr: its address, bytes
 * @size: its size, bytes
 *
 * Above the PMD level any window counts.
 *
 * Context, ordering and source: as tlb_gen_settle().
 */
static inline void tlb_gen_settle_hugetlb(struct vm_area_struct *vma, pte_t *ptep,
					  unsigned long addr, unsigned long size)
{
	if (size >= PUD_SIZE)
		tlb_gen_settle_mm(vma, addr, addr + size);
	else
		tlb_gen_settle(vma, ptep, addr, addr + size);
}

/**
 * tlb_gen_merge_table - let a table inherit what is pending above it
 * @mm: the mm
 * @pmd: the PMD entry that the table is about to be installed in
 * @table: the PTE table
 *
 * The window that zapped the huge entry here marked the PMD table; a walker
 * of the new table will look at the new table's word only.
 *
 * Context: under the PMD lock, @table not reachable by anybody else yet.
 * Ordering: before the smp_wmb() that publishes @table. A caller of a bare
 * pmd_populate() must exclude all other walkers until it drops its locks.
 * Source: as tlb_gen_mark_table().
 */
static inline void tlb_gen_merge_table(struct mm_struct *mm, pmd_t *pmd,
				       pgtable_t table)
{
	u64 parent = tlb_gen_table(pmd)->pt_tlb_gen;

	if (parent)
		__tlb_gen_merge_table(mm, parent, page_ptdesc(table));
}

/**
 * tlb_gen_init_pmd_table - let a PMD table inherit what is pending above it
 * @mm: the mm
 * @pmd: the table, about to be installed
 *
 * A huge pud may have been here; puds are not marked, so any window counts.
 *
 * Context: under the pud's lock, the table not reachable by anybody else yet.
 * Ordering: before the smp_wmb() that publishes it.
 * Source: as tlb_gen_mark_table().
 */
static inline void tlb_gen_init_pmd_table(struct mm_struct *mm, pmd_t *pmd)
{
	if (IS_ENABLED(CONFIG_TRANSPARENT_HUGEPAGE) &&
	    IS_ENABLED(CONFIG_HAVE_ARCH_TRANSPARENT_HUGEPAGE_PUD) &&
	    !tlb_gen_word_alone(atomic64_read(&mm->tlb_gen), TLB_GEN_NO_WINDOW))
		tlb_gen_mark_table(mm, pmd);
}

/**
 * tlb_gen_free_pte - take over what is pending in a PTE table that goes away
 * @tlb: the gather that frees the table
 * @table: the table
 * @addr: an address that it maps, bytes
 *
 * Nobody will see its word any more, so the flush covers the whole table.
 *
 * Context: after the table was unlinked, before its destructor runs.
 * Ordering: needs no PTL, as nobody finds the table any more; then as
 * tlb_gen_inherit().
 * Source: as tlb_gen_inherit().
 */
static inline void tlb_gen_free_pte(struct mmu_gather *tlb, pgtable_t table,
				    unsigned long addr)
{
	struct ptdesc *pt = page_ptdesc(table);

	if (pt->pt_tlb_gen)
		__tlb_gen_inherit(tlb, pt, addr & PMD_MASK, (addr & PMD_MASK) + PMD_SIZE);
}

/**
 * tlb_gen_free_pmd - take over what is pending in a PMD table that goes away
 * @tlb: the gather that frees the table
 * @pmd: an entry of the table
 * @addr: an address that it maps, bytes
 *
 * Context, ordering and source: as tlb_gen_free_pte().
 */
static inline void tlb_gen_free_pmd(struct mmu_gather *tlb, pmd_t *pmd,
				    unsigned long addr)
{
	struct ptdesc *pt = tlb_gen_table(pmd);

	if (pt->pt_tlb_gen)
		__tlb_gen_inherit(tlb, pt, addr & PUD_MASK, (addr & PUD_MASK) + PUD_SIZE);
}

/**
 * tlb_gen_gather - begin the window that a gather is
 * @tlb: the gather, its mm set
 *
 * Context, ordering and source: as tlb_gen_open().
 */
static inline void tlb_gen_gather(struct mmu_gather *tlb)
{
	u64 window = tlb_gen_next_window(tlb->mm);

	tlb->window = window;
	tlb->hole_end = 0;
	__tlb_gen_open(tlb->mm, window);
}

/**
 * tlb_gen_finish - end the window that a gather is
 * @tlb: the gather, flushed
 *
 * Context, ordering and source: as tlb_gen_close().
 */
static inline void tlb_gen_finish(struct mmu_gather *tlb)
{
	tlb_gen_close(tlb->mm, tlb->window);
}

/**
 * tlb_gen_nested - must a gather that ends flush everything?
 * @mm: the mm
 *
 * Context: any.
 * Return: false; nested gathers inherit what concerns them.
 * Ordering: none, it reads nothing.
 * Source: as tlb_gen_inherit().
 */
static inline bool tlb_gen_nested(struct mm_struct *mm)
{
	return false;
}

#ifdef CONFIG_TRANSPARENT_HUGEPAGE
/**
 * tlb_gen_pmdp_clear_flush - pmdp_huge_clear_flush() for an entry that stays none
 * @vma: the VMA
 * @addr: address of the huge page, bytes
 * @pmdp: its entry
 *
 * Walkers skip pmd_none() without the lock that is held until the flush is
 * done; the window makes them take it.
 *
 * Context: under the PMD lock.
 * Ordering: as tlb_gen_open() and tlb_gen_close(); the flush is complete on return.
 * Return: the old entry.
 * Source: as tlb_gen_inherit_holes().
 */
static inline pmd_t tlb_gen_pmdp_clear_flush(struct vm_area_struct *vma,
					     unsigned long addr, pmd_t *pmdp)
{
	unsigned long window = tlb_gen_open(vma->vm_mm);
	pmd_t pmd = pmdp_huge_clear_flush(vma, addr, pmdp);

	tlb_gen_close(vma->vm_mm, window);
	return pmd;
}
#endif

#ifdef CONFIG_DEBUG_TLB_GEN
#include <asm-generic/tlb_gen_debug.h>
#endif

#else /* !CONFIG_TLB_GEN: one count of open windows per mm, as it always was */

#include <linux/hugetlb.h>	/* flush_tlb_range() of x86 */

static inline void tlb_gen_mm_init(struct mm_struct *mm)
{
	atomic_set(&mm->tlb_windows, 0);
}

static inline u64 tlb_gen_mm_word(const struct mm_struct *mm)
{
	return atomic_read(&mm->tlb_windows);
}

/*
 * The increment is seen by whoever sees the changed PTE, through the PTL; the
 * decrement is ordered by the flush, which smp_mb() could not do.
 */
static inline unsigned long tlb_gen_open(struct mm_struct *mm)
{
	atomic_inc(&mm->tlb_windows);
	return 0;
}

static inline void tlb_gen_close(struct mm_struct *mm, unsigned long window)
{
	atomic_dec(&mm->tlb_windows);
}

#ifdef CONFIG_MMU		/* what is below takes an mmu_gather or a table */

static inline void tlb_gen_gather(struct mmu_gather *tlb)
{
	tlb_gen_open(tlb->mm);
}

static inline void tlb_gen_finish(struct mmu_gather *tlb)
{
	tlb_gen_close(tlb->mm, 0);
}

static inline bool tlb_gen_nested(struct mm_struct *mm)
{
	return atomic_read(&mm->tlb_windows) > 1;
}

static inline void tlb_gen_mark_table(struct mm_struct *mm, const void *entry) { }
static inline void tlb_gen_mark(struct mmu_gather *tlb, const void *entry) { }

static inline void tlb_gen_inherit(struct mmu_gather *tlb, const void *entry,
				   unsigned long start, unsigned long end) { }
static inline void tlb_gen_inherit_mm(struct mmu_gather *tlb,
				      unsigned long start, unsigned long end) { }
static inline void tlb_gen_note_hole(struct mmu_gather *tlb,
				     unsigned long start, unsigned long end) { }

static inline void tlb_gen_mark_hugetlb(struct mmu_gather *tlb,
					struct vm_area_struct *vma, pte_t *ptep,
					unsigned long size) { }
static inline void tlb_gen_inherit_pud_hole(struct mmu_gather *tlb,
					    struct vm_area_struct *vma,
					    unsigned long start,
					    unsigned long end) { }

static inline void tlb_gen_inherit_holes(struct mmu_gather *tlb, pud_t *pud) { }
static inline void tlb_gen_merge_table(struct mm_struct *mm, pmd_t *pmd,
				       pgtable_t table) { }
static inline void tlb_gen_free_pte(struct mmu_gather *tlb, pgtable_t table,
				    unsigned long addr) { }
static inline void tlb_gen_free_pmd(struct mmu_gather *tlb, pmd_t *pmd,
				    unsigned long addr) { }

static inline void tlb_gen_init_pmd_table(struct mm_struct *mm, pmd_t *pmd) { }

static inline void tlb_gen_settle(struct vm_area_struct *vma, const void *entry,
				  unsigned long start, unsigned long end)
{
	if (unlikely(userfaultfd_wp(vma) && tlb_gen_pending(vma->vm_mm, entry)))
		flush_tlb_range(vma, start, end);
}

static inline void tlb_gen_settle_hugetlb(struct vm_area_struct *vma, pte_t *ptep,
					  unsigned long addr, unsigned long size)
{
	tlb_gen_settle(vma, ptep, addr, addr + size);
}

#ifdef CONFIG_TRANSPARENT_HUGEPAGE
static inline pmd_t tlb_gen_pmdp_clear_flush(struct vm_area_struct *vma,
					     unsigned long addr, pmd_t *pmdp)
{
	return pmdp_huge_clear_flush(vma, addr, pmdp);
}
#endif

/* Nothing is batched without TLB_GEN. */
static inline void tlb_gen_gone(const void *entry) { }
static inline void tlb_gen_settle_gone(struct vm_area_struct *vma, const void *entry,
				       unsigned long start, unsigned long end) { }

#endif /* CONFIG_MMU */
#endif /* CONFIG_TLB_GEN */

#ifndef CONFIG_DEBUG_TLB_GEN
static inline void tlb_gen_debug_mm(struct mm_struct *mm) { }
static inline void tlb_gen_debug_task(struct task_struct *task) { }
static inline void tlb_gen_debug_batch(void) { }
static inline void tlb_gen_debug_no_batch(void) { }
static inline void tlb_gen_debug_no_dirty_batch(void) { }
static inline void tlb_gen_debug_advanced(u64 word) { }
#define tlb_gen_debug_off(guard, who)	false
#endif

#endif /* _ASM_GENERIC_TLB_GEN_H */
