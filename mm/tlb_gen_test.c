// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of the two words of tracked TLB-flush generations.
 *
 * The enumeration runs three windows and a lone reader through every
 * interleaving of their atomic steps, with the functions that mm uses, and
 * asks after each step whether a table that some unflushed window changed
 * could be taken for quiet. It has to fail when one rule of the protocol is
 * left out; a search that cannot fail proves nothing.
 */

#include <kunit/test.h>
#include <linux/jhash.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/mmu_notifier.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include <asm/pgalloc.h>

#include <asm-generic/tlb_gen.h>

#define NR_WINDOWS	3
#define NR_TABLES	2
#define MAX_STATES	0x80000

enum broken {
	INTACT,
	MARK_STALE,		/* mark with the generation read at open */
	ADVANCE_EARLY,		/* advance while the older slot is in use */
	FORGET_OWN,		/* zero a word that only the own window keeps pending */
	NO_MARKED_BIT,		/* let a mark of generation 0 be 0 */
	IGNORE_OLDER,		/* count windows of the current slot only */
};

/* Where a window is; the comment is the next step. */
enum pc {
	CLOSED,			/* read the generation */
	OPENING,		/* fetch_add */
	OPENED,			/* change and mark a table */
	CHANGED,		/* flush */
	FLUSHED,		/* read the word */
	CLOSING,		/* cmpxchg */
	CONTENDED,		/* fetch_sub */
	DONE,
};

struct state {
	u64 word;
	u64 table[NR_TABLES];
	u64 seen[NR_WINDOWS];		/* the word as last read */
	u8 owed[NR_TABLES];		/* windows whose flush this table needs */
	u8 pc[NR_WINDOWS];
	u8 slot[NR_WINDOWS];
	u8 rounds[NR_WINDOWS];		/* left to do */
	u8 zero[5];			/* states are compared as bytes */
};

struct search {
	struct state *states;
	u32 *hash;
	unsigned int nr, violations;
	enum broken broken;
};

static u64 mark_word(struct search *s, u64 word)
{
	u64 mark = tlb_gen_word_mark(word);

	return s->broken == NO_MARKED_BIT ? mark & ~TLB_GEN_MARKED : mark;
}

static u64 close_word(struct search *s, u64 word, u64 window)
{
	if (s->broken == ADVANCE_EARLY)
		return word - window + TLB_GEN_ONE;
	if (tlb_gen_word_alone(word, window))
		return (word ^ window) + TLB_GEN_ONE;
	return tlb_gen_word_close(word, window);
}

static unsigned int others(struct search *s, u64 word, u64 table, u64 own)
{
	if (s->broken == IGNORE_OLDER)
		word &= ~(TLB_GEN_OPEN_MASK << (!tlb_gen_word_slot(word) * TLB_GEN_OPEN_BITS));
	return tlb_gen_word_others(word, table, own);
}

static bool is_open(const struct state *st, int w)
{
	return st->pc[w] >= OPENED && st->pc[w] <= CONTENDED;
}

static u64 window_of(const struct state *st, int w)
{
	return tlb_gen_word_one(st->slot[w]);
}

/* Would anybody who looks at a table now miss a flush that is owed? */
static void check(struct search *s, const struct state *st)
{
	for (int t = 0; t < NR_TABLES; t++) {
		if (st->owed[t] && !others(s, st->word, st->table[t], TLB_GEN_NO_WINDOW))
			s->violations++;
		for (int w = 0; w < NR_WINDOWS; w++) {
			if (is_open(st, w) && st->owed[t] & ~BIT(w) &&
			    !others(s, st->word, st->table[t], window_of(st, w)))
				s->violations++;
		}
	}
}

static void add(struct search *s, const struct state *st)
{
	u32 i = jhash(st, sizeof(*st), 0) & (2 * MAX_STATES - 1);

	for (; s->hash[i]; i = (i + 1) & (2 * MAX_STATES - 1)) {
		if (!memcmp(&s->states[s->hash[i] - 1], st, sizeof(*st)))
			return;
	}
	if (s->nr == MAX_STATES)
		return;
	s->states[s->nr] = *st;
	s->hash[i] = ++s->nr;
	check(s, st);
}

/* One step of window @w; changing a table is the only choice there is. */
static void step(struct search *s, const struct state *from, int w)
{
	struct state st = *from;
	u64 window = window_of(&st, w);

	switch (st.pc[w]) {
	case CLOSED:
		st.seen[w] = st.word;
		st.slot[w] = tlb_gen_word_window(st.word) != tlb_gen_word_one(0);
		st.pc[w] = OPENING;
		break;
	case OPENING:
		st.word += window;
		st.pc[w] = OPENED;
		break;
	case OPENED:
		for (int t = 0; t < NR_TABLES; t++) {
			struct state next = st;

			next.table[t] = mark_word(s, s->broken == MARK_STALE ?
						  st.seen[w] : st.word);
			next.owed[t] |= BIT(w);
			next.pc[w] = CHANGED;
			next.seen[w] = 0;
			add(s, &next);
		}
		return;
	case CHANGED:
		for (int t = 0; t < NR_TABLES; t++)
			st.owed[t] &= ~BIT(w);
		st.pc[w] = FLUSHED;
		break;
	case FLUSHED:
		st.seen[w] = st.word;
		st.pc[w] = CLOSING;
		break;
	case CLOSING:
		if (st.word != st.seen[w]) {
			st.pc[w] = CONTENDED;
			st.seen[w] = 0;
			break;
		}
		st.word = close_word(s, st.word, window);
		goto closed;
	case CONTENDED:
		st.word -= window;
closed:
		st.seen[w] = 0;
		st.slot[w] = 0;
		st.pc[w] = --st.rounds[w] ? CLOSED : DONE;
		break;
	case DONE:
		return;
	}
	add(s, &st);
}

/* Somebody looks at table @t under its lock and cleans up its word. */
static void look(struct search *s, const struct state *from, int t, u64 own)
{
	struct state st = *from;

	if (s->broken != FORGET_OWN)
		own = TLB_GEN_NO_WINDOW;
	if (st.table[t] && !others(s, st.word, st.table[t], own)) {
		st.table[t] = 0;
		add(s, &st);
	}
}

static unsigned int enumerate(struct kunit *test, u64 generation, enum broken broken)
{
	struct state start = {
		.word = generation << TLB_GEN_SHIFT | TLB_GEN_MARKED,
		.rounds = { 2, 2, 1 },
	};
	struct search s = { .broken = broken };

	BUILD_BUG_ON(sizeof(start) != offsetofend(struct state, zero));
	s.states = vmalloc(array_size(MAX_STATES, sizeof(*s.states)));
	s.hash = vzalloc(array_size(2 * MAX_STATES, sizeof(*s.hash)));
	if (!s.states || !s.hash) {
		vfree(s.states);
		vfree(s.hash);
		kunit_skip(test, "no memory for %u states", MAX_STATES);
	}

	add(&s, &start);
	for (unsigned int i = 0; i < s.nr && s.nr < MAX_STATES; i++) {
		const struct state *st = &s.states[i];

		if (broken != INTACT && s.violations)
			break;
		for (int w = 0; w < NR_WINDOWS; w++)
			step(&s, st, w);
		for (int t = 0; t < NR_TABLES; t++) {
			look(&s, st, t, TLB_GEN_NO_WINDOW);
			for (int w = 0; w < NR_WINDOWS; w++) {
				if (is_open(st, w))
					look(&s, st, t, window_of(st, w));
			}
		}
		cond_resched();
	}
	kunit_info(test, "generation %llu: %u states, %u violations",
		   generation, s.nr, s.violations);
	KUNIT_EXPECT_LT_MSG(test, s.nr, MAX_STATES, "the search is incomplete");
	vfree(s.states);
	vfree(s.hash);
	return s.violations;
}

#define LAST_GENERATION	(TLB_GEN_MASK >> TLB_GEN_SHIFT)

static void every_interleaving(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, enumerate(test, 1, INTACT), 0);
}

/* The generation wraps in the middle, and marks carry generation 0. */
static void every_interleaving_wrap(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, enumerate(test, LAST_GENERATION - 1, INTACT), 0);
}

static void broken_is_found(struct kunit *test)
{
	KUNIT_EXPECT_GT(test, enumerate(test, 1, MARK_STALE), 0);
	KUNIT_EXPECT_GT(test, enumerate(test, 1, ADVANCE_EARLY), 0);
	KUNIT_EXPECT_GT(test, enumerate(test, 1, FORGET_OWN), 0);
	KUNIT_EXPECT_GT(test, enumerate(test, 1, IGNORE_OLDER), 0);
	KUNIT_EXPECT_GT(test, enumerate(test, LAST_GENERATION, NO_MARKED_BIT), 0);
}

static u64 make_word(u64 generation, u64 open1, u64 open0)
{
	return generation << TLB_GEN_SHIFT | TLB_GEN_MARKED |
		open1 << TLB_GEN_OPEN_BITS | open0;
}

#define EVEN	tlb_gen_word_one(0)
#define ODD	tlb_gen_word_one(1)
#define NONE	TLB_GEN_NO_WINDOW

static void late_opener(struct kunit *test)
{
	u64 word = make_word(5, 0, 0);
	u64 late = tlb_gen_word_window(word);

	/* One move: the window is of the older generation. */
	word = make_word(6, 0, 0) + late;
	KUNIT_EXPECT_EQ(test, tlb_gen_word_others(word, tlb_gen_word_mark(word), NONE), 1);
	word += EVEN;
	KUNIT_EXPECT_EQ(test, tlb_gen_word_close(word, EVEN), make_word(6, 1, 0));
	KUNIT_EXPECT_EQ(test, tlb_gen_word_close(make_word(6, 1, 0), late), make_word(7, 0, 0));

	/* Two moves: the slot is the current one again. */
	word = make_word(7, 0, 0) + late;
	KUNIT_EXPECT_EQ(test, tlb_gen_word_close(word, late), make_word(8, 0, 0));
}

static void own_window_excluded(struct kunit *test)
{
	u64 mark = tlb_gen_word_mark(make_word(4, 0, 0));

	/* s == g: every window counts, less the own one */
	KUNIT_EXPECT_EQ(test, tlb_gen_word_others(make_word(4, 0, 1), mark, EVEN), 0);
	KUNIT_EXPECT_EQ(test, tlb_gen_word_others(make_word(4, 1, 1), mark, EVEN), 1);
	KUNIT_EXPECT_EQ(test, tlb_gen_word_others(make_word(4, 1, 1), mark, ODD), 1);
	KUNIT_EXPECT_EQ(test, tlb_gen_word_others(make_word(4, 1, 1), mark, NONE), 2);
	/* s == g - 1: the older slot counts, less the own window if there */
	KUNIT_EXPECT_EQ(test, tlb_gen_word_others(make_word(5, 3, 1), mark, EVEN), 0);
	KUNIT_EXPECT_EQ(test, tlb_gen_word_others(make_word(5, 3, 2), mark, EVEN), 1);
	KUNIT_EXPECT_EQ(test, tlb_gen_word_others(make_word(5, 3, 2), mark, ODD), 2);
	/* older: never, nor what was never marked */
	KUNIT_EXPECT_EQ(test, tlb_gen_word_others(make_word(6, 3, 3), mark, NONE), 0);
	KUNIT_EXPECT_EQ(test, tlb_gen_word_others(make_word(4, 3, 3), 0, NONE), 0);
}

static void overflow(struct kunit *test)
{
	/* As many windows as a slot counts spill into no other field. */
	u64 word = make_word(2, 0, TLB_GEN_OPEN_MASK);

	KUNIT_EXPECT_EQ(test, tlb_gen_word_open(word, 0), TLB_GEN_OPEN_MASK);
	KUNIT_EXPECT_EQ(test, tlb_gen_word_open(word, 1), 0);
	KUNIT_EXPECT_EQ(test, tlb_gen_word_close(word, EVEN),
			make_word(3, 0, TLB_GEN_OPEN_MASK - 1));
	word = make_word(3, TLB_GEN_OPEN_MASK, 1);
	KUNIT_EXPECT_EQ(test, tlb_gen_word_close(word, ODD),
			make_word(3, TLB_GEN_OPEN_MASK - 1, 1));
	/* What all tasks may open fits; assertions_fail() has one that opens more. */
	KUNIT_EXPECT_LE(test, TLB_GEN_TASK_WINDOWS * (PID_MAX_LIMIT - 1), TLB_GEN_OPEN_MASK);
}

static void mark_after_wrap(struct kunit *test)
{
	u64 word = make_word(LAST_GENERATION, 1, 0), mark;

	mark = tlb_gen_word_mark(word);
	word = tlb_gen_word_close(word, ODD);
	KUNIT_EXPECT_EQ(test, word, make_word(0, 0, 0));
	KUNIT_EXPECT_EQ(test, tlb_gen_word_others(make_word(0, 1, 0), mark, NONE), 1);
	KUNIT_EXPECT_EQ(test, tlb_gen_word_others(make_word(0, 0, 1), mark, NONE), 0);
	mark = tlb_gen_word_mark(word);
	KUNIT_EXPECT_NE(test, mark, 0);
	KUNIT_EXPECT_EQ(test, tlb_gen_word_others(make_word(0, 0, 1), mark, NONE), 1);
	/* A whole turn later it looks recent: too much, never too little. */
	KUNIT_EXPECT_EQ(test, tlb_gen_word_others(make_word(1, 0, 1), mark, NONE), 1);
}

static void low_bits_stay_zero(struct kunit *test)
{
	for (u64 generation = 0; generation <= LAST_GENERATION; generation++) {
		u64 word = make_word(generation, TLB_GEN_OPEN_MASK, TLB_GEN_OPEN_MASK);
		u64 mark = tlb_gen_word_mark(word);

		if ((mark | TLB_GEN_GONE) & 3 || !mark)
			KUNIT_FAIL(test, "generation %llu: mark %llx", generation, mark);
	}
}

/* An mm with a PTE table that nobody else sees, and that table's entry. */
struct fixture {
	struct mm_struct *mm;
	pgtable_t token;
	struct ptdesc *table;
	pte_t *entry;
	spinlock_t *ptl;	/* of the table */
};

static void fixture_init(struct kunit *test, struct fixture *fix)
{
	fix->mm = mm_alloc();
	KUNIT_ASSERT_NOT_NULL(test, fix->mm);
	fix->token = pte_alloc_one(fix->mm);
	KUNIT_ASSERT_NOT_NULL(test, fix->token);
	fix->table = page_ptdesc(fix->token);
	fix->entry = ptdesc_address(fix->table);
	fix->ptl = ptep_lockptr(fix->mm, fix->entry);
}

static void fixture_exit(struct fixture *fix)
{
	pte_free(fix->mm, fix->token);
	mmput(fix->mm);
}

/* The real functions on a real mm and a real table. */
static void window_on_mm(struct kunit *test)
{
	unsigned long one, two;
	struct fixture fix;

	fixture_init(test, &fix);
	spin_lock(fix.ptl);
	KUNIT_EXPECT_EQ(test, fix.table->pt_tlb_gen, 0);
	KUNIT_EXPECT_FALSE(test, tlb_gen_pending(fix.mm, fix.entry));
	one = tlb_gen_open(fix.mm);
	KUNIT_EXPECT_FALSE(test, tlb_gen_pending(fix.mm, fix.entry));
	tlb_gen_mark_table(fix.mm, fix.entry);
	KUNIT_EXPECT_TRUE(test, tlb_gen_pending(fix.mm, fix.entry));
	two = tlb_gen_open(fix.mm);
	tlb_gen_close(fix.mm, one);
	/* Same generation: over-reported while the second is open. */
	KUNIT_EXPECT_TRUE(test, tlb_gen_pending(fix.mm, fix.entry));
	tlb_gen_close(fix.mm, two);
	KUNIT_EXPECT_NE(test, fix.table->pt_tlb_gen, 0);
	KUNIT_EXPECT_FALSE(test, tlb_gen_pending(fix.mm, fix.entry));
	/* Found not pending, it is 0 again, as the page allocator wants it. */
	KUNIT_EXPECT_EQ(test, fix.table->pt_tlb_gen, 0);

	/* A window opened after the mark aged out does not revive it. */
	one = tlb_gen_open(fix.mm);
	tlb_gen_mark_table(fix.mm, fix.entry);
	tlb_gen_close(fix.mm, one);
	one = tlb_gen_open(fix.mm);
	KUNIT_EXPECT_FALSE(test, tlb_gen_pending(fix.mm, fix.entry));
	tlb_gen_close(fix.mm, one);
	spin_unlock(fix.ptl);
	fixture_exit(&fix);
}

/* GONE is no window, and what it says is not lost by what windows do. */
static void gone_word(struct kunit *test)
{
	u64 gone = tlb_gen_word_mark(make_word(4, 0, 0)) | TLB_GEN_GONE;

	KUNIT_EXPECT_EQ(test, tlb_gen_word_others(make_word(4, 0, 1), TLB_GEN_GONE, NONE), 0);
	/* fewer windows than GONE is worth */
	KUNIT_EXPECT_EQ(test, tlb_gen_word_others(make_word(4, 0, 1), gone, NONE), 1);
	KUNIT_EXPECT_EQ(test, tlb_gen_word_others(make_word(5, 0, 1), gone, NONE), 1);
	KUNIT_EXPECT_EQ(test, tlb_gen_word_others(make_word(5, 0, 0), gone, NONE), 0);
}

static void gone_on_mm(struct kunit *test)
{
	struct vm_area_struct vma = {};
	struct mmu_gather tlb;
	unsigned long window;
	struct fixture fix;

	fixture_init(test, &fix);
	vma.vm_mm = fix.mm;
	tlb_gather_mmu(&tlb, fix.mm);
	spin_lock(fix.ptl);

	/* Faults do not wait for it, marks keep it, cleaning up keeps it. */
	tlb_gen_gone(fix.entry);
	KUNIT_EXPECT_FALSE(test, tlb_gen_pending(fix.mm, fix.entry));
	KUNIT_EXPECT_EQ(test, fix.table->pt_tlb_gen, TLB_GEN_GONE);
	window = tlb_gen_open(fix.mm);
	tlb_gen_mark_table(fix.mm, fix.entry);
	KUNIT_EXPECT_TRUE(test, fix.table->pt_tlb_gen & TLB_GEN_GONE);
	KUNIT_EXPECT_TRUE(test, tlb_gen_pending(fix.mm, fix.entry));
	tlb_gen_close(fix.mm, window);

	/* A walker of a part flushes that part, and leaves it to others. */
	tlb_gen_inherit(&tlb, fix.entry, PMD_SIZE, PMD_SIZE + PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, tlb.start, PMD_SIZE);
	KUNIT_EXPECT_EQ(test, tlb.end, PMD_SIZE + PAGE_SIZE);
	KUNIT_EXPECT_TRUE(test, fix.table->pt_tlb_gen & TLB_GEN_GONE);

	/* Not even 32 of them take it over, with marks in between; the next one does, for all. */
	for (unsigned long i = 1; i < 32; i++) {
		tlb_gen_inherit(&tlb, fix.entry, PMD_SIZE, PMD_SIZE + PAGE_SIZE);
		tlb_gen_mark_table(fix.mm, fix.entry);
	}
	KUNIT_EXPECT_EQ(test, tlb.end, PMD_SIZE + PAGE_SIZE);
	KUNIT_EXPECT_TRUE(test, fix.table->pt_tlb_gen & TLB_GEN_GONE);
	tlb_gen_inherit(&tlb, fix.entry, PMD_SIZE, PMD_SIZE + PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, tlb.end, 2 * PMD_SIZE);
	KUNIT_EXPECT_FALSE(test, tlb_gen_word_gone(fix.table->pt_tlb_gen));

	/* One of a larger part takes it over at once, and says so itself. */
	__tlb_reset_range(&tlb);
	tlb_gen_gone(fix.entry);
	tlb_gen_inherit(&tlb, fix.entry, PMD_SIZE + PAGE_SIZE, PMD_SIZE + 64 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, tlb.start, PMD_SIZE);
	KUNIT_EXPECT_EQ(test, tlb.end, 2 * PMD_SIZE);
	KUNIT_EXPECT_TRUE(test, tlb.inherited);
	KUNIT_EXPECT_FALSE(test, fix.table->pt_tlb_gen & TLB_GEN_GONE);
	KUNIT_EXPECT_TRUE(test, tlb_gen_pending(fix.mm, fix.entry));
	spin_unlock(fix.ptl);
	tlb_finish_mmu(&tlb);

	/* Moving an entry flushes it away. */
	tlb_gather_mmu(&tlb, fix.mm);
	spin_lock(fix.ptl);
	tlb_gen_gone(fix.entry);
	tlb_gen_inherit(&tlb, fix.entry, PMD_SIZE, PMD_SIZE + PAGE_SIZE);
	KUNIT_EXPECT_NE(test, tlb_gen_word_gone(fix.table->pt_tlb_gen), TLB_GEN_GONE);
	tlb_gen_settle_gone(&vma, fix.entry, 0, PAGE_SIZE);
	KUNIT_EXPECT_FALSE(test, tlb_gen_word_gone(fix.table->pt_tlb_gen));
	spin_unlock(fix.ptl);
	tlb_finish_mmu(&tlb);
	fixture_exit(&fix);
}

#ifdef CONFIG_DEBUG_TLB_GEN
/* How many assertions fail in @stmt */
#define VIOLATIONS(stmt) ({						\
	int before = tlb_gen_debug_expect(true);			\
									\
	stmt;								\
	tlb_gen_debug_expect(false) - before;				\
})

/* Each assertion fails when its rule is broken, and only then. */
static void assertions_fail(struct kunit *test)
{
	struct vm_area_struct vma = {};
	struct fixture fix, other;
	unsigned long window, second, third;
	struct mmu_gather tlb;

	fixture_init(test, &fix);
	fixture_init(test, &other);
	vma.vm_mm = fix.mm;

	/* A window of another task, of none, and one that was forgotten */
	window = (tlb_gen_open)(fix.mm);
	KUNIT_EXPECT_EQ(test, VIOLATIONS(tlb_gen_debug_mm(fix.mm)), 1);
	KUNIT_EXPECT_EQ(test, VIOLATIONS(tlb_gen_close(fix.mm, window)), 1);
	current->tlb_gen_windows = 0;
	KUNIT_EXPECT_EQ(test, VIOLATIONS(tlb_gen_debug_mm(fix.mm)), 0);
	KUNIT_EXPECT_EQ(test, VIOLATIONS(tlb_gen_debug_task(current)), 0);
	window = tlb_gen_open(fix.mm);
	KUNIT_EXPECT_EQ(test, VIOLATIONS(tlb_gen_debug_task(current)), 1);

	/* More windows of a task than a slot has room for */
	second = tlb_gen_open(fix.mm);
	KUNIT_EXPECT_EQ(test, VIOLATIONS(third = tlb_gen_open(other.mm)), 1);
	tlb_gen_close(other.mm, third);
	tlb_gen_close(fix.mm, second);

	/* A mark without the lock, inside a window of another mm, and outside of any */
	KUNIT_EXPECT_EQ(test, VIOLATIONS(tlb_gen_mark_table(fix.mm, fix.entry)),
			IS_ENABLED(CONFIG_LOCKDEP));
	spin_lock(fix.ptl);
	KUNIT_EXPECT_EQ(test, VIOLATIONS(tlb_gen_mark_table(fix.mm, fix.entry)), 0);
	KUNIT_EXPECT_EQ(test, VIOLATIONS(tlb_gen_mark_table(other.mm, fix.entry)), 1);
	tlb_gen_close(fix.mm, window);
	KUNIT_EXPECT_EQ(test, VIOLATIONS(tlb_gen_mark_table(fix.mm, fix.entry)), 1);

	/* A fault that settles in lazy MMU mode */
	fix.table->pt_tlb_gen = 0;
	KUNIT_EXPECT_EQ(test, VIOLATIONS(tlb_gen_settle(&vma, fix.entry, 0, PAGE_SIZE)), 0);
	current->tlb_gen_lazy++;
	KUNIT_EXPECT_EQ(test, VIOLATIONS(tlb_gen_settle(&vma, fix.entry, 0, PAGE_SIZE)), 1);
	current->tlb_gen_lazy--;
	spin_unlock(fix.ptl);

	/* A gather that frees, and closes, before it flushed */
	tlb_gather_mmu(&tlb, fix.mm);
	KUNIT_EXPECT_EQ(test, VIOLATIONS(tlb_gen_debug_free(&tlb)), 0);
	tlb_flush_pte_range(&tlb, 0, PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, VIOLATIONS(tlb_gen_debug_free(&tlb)), 1);
	KUNIT_EXPECT_EQ(test, VIOLATIONS(tlb_gen_finish(&tlb)), 1);

	/* A gather that marks after its window, or has none, inside another of the task */
	window = tlb_gen_open(fix.mm);
	KUNIT_EXPECT_NE(test, window, tlb.window);
	spin_lock(fix.ptl);
	tlb.gen_dirty = 1;
	KUNIT_EXPECT_EQ(test, VIOLATIONS(tlb_gen_mark(&tlb, fix.entry)), 1);
	tlb.window = TLB_GEN_NO_WINDOW;
	tlb.gen_dirty = 1;
	KUNIT_EXPECT_EQ(test, VIOLATIONS(tlb_gen_mark(&tlb, fix.entry)), 1);
	fix.table->pt_tlb_gen = 0;
	spin_unlock(fix.ptl);
	tlb_gen_close(fix.mm, window);

	/* Holes left over */
	tlb_gen_gather(&tlb);
	__tlb_reset_range(&tlb);
	tlb_gen_note_hole(&tlb, 0, PMD_SIZE);
	KUNIT_EXPECT_EQ(test, VIOLATIONS(tlb_gen_finish(&tlb)),
			IS_ENABLED(CONFIG_TRANSPARENT_HUGEPAGE));

	/* A level hint for what others changed */
	tlb_gen_gather(&tlb);
	tlb_flush_pte_range(&tlb, 0, PAGE_SIZE);
	tlb.gen_foreign = 1;
	KUNIT_EXPECT_EQ(test, VIOLATIONS(tlb_gen_debug_flush(&tlb)), IS_ENABLED(CONFIG_ARM64));
	tlb.gen_foreign = 1;
	tlb.inherited = 1;
	KUNIT_EXPECT_EQ(test, VIOLATIONS(tlb_gen_debug_flush(&tlb)), 0);
	__tlb_reset_range(&tlb);

	/* A generation that moved on past an open window */
	KUNIT_EXPECT_EQ(test, VIOLATIONS(tlb_gen_debug_advanced(make_word(5, 0, 1))), 0);
	KUNIT_EXPECT_EQ(test, VIOLATIONS(tlb_gen_debug_advanced(make_word(5, 1, 0))), 1);

	/* A table that goes away while somebody else's flush of it is pending */
	window = tlb_gen_open(fix.mm);
	spin_lock(fix.ptl);
	tlb_gen_mark_table(fix.mm, fix.entry);
	spin_unlock(fix.ptl);
	tlb_gen_debug_break(TLB_GEN_GUARD_SPAN, "");
	KUNIT_EXPECT_EQ(test, VIOLATIONS(tlb_gen_free_pte(&tlb, fix.token, 0)), 1);
	tlb_gen_debug_break(TLB_GEN_GUARD_NONE, "");
	KUNIT_EXPECT_EQ(test, VIOLATIONS(tlb_gen_free_pte(&tlb, fix.token, 0)), 0);
	KUNIT_EXPECT_EQ(test, tlb.end - tlb.start, PMD_SIZE);
	tlb_gen_close(fix.mm, window);
	__tlb_reset_range(&tlb);

	/* The same of what a batch has unmapped */
	spin_lock(fix.ptl);
	tlb_gen_gone(fix.entry);
	spin_unlock(fix.ptl);
	tlb_gen_debug_break(TLB_GEN_GUARD_SPAN, "");
	KUNIT_EXPECT_EQ(test, VIOLATIONS(tlb_gen_free_pte(&tlb, fix.token, 0)), 1);
	tlb_gen_debug_break(TLB_GEN_GUARD_NONE, "");
	KUNIT_EXPECT_EQ(test, VIOLATIONS(tlb_gen_free_pte(&tlb, fix.token, 0)), 0);
	fix.table->pt_tlb_gen = 0;
	__tlb_reset_range(&tlb);
	tlb_finish_mmu(&tlb);

	fixture_exit(&other);
	fixture_exit(&fix);
}

/* R7: the batch of reclaim or migration, and on arm64 the DSB of a window */
static void unflushed_batch(struct kunit *test)
{
	bool broadcast = IS_ENABLED(CONFIG_ARM64) && IS_ENABLED(CONFIG_DEBUG_TLBFLUSH);
	struct tlbflush_unmap_batch *batch = &current->tlb_ubc;
	unsigned long window;
	struct fixture fix;

	fixture_init(test, &fix);
	KUNIT_ASSERT_FALSE(test, batch->flush_required);
	KUNIT_EXPECT_EQ(test, VIOLATIONS(tlb_gen_debug_no_batch()), 0);
	KUNIT_EXPECT_EQ(test, VIOLATIONS(tlb_gen_debug_no_dirty_batch()), 0);
	batch->flush_required = true;
	KUNIT_EXPECT_EQ(test, VIOLATIONS(tlb_gen_debug_no_batch()), 1);
	KUNIT_EXPECT_EQ(test, VIOLATIONS(tlb_gen_debug_no_dirty_batch()), 0);
	batch->writable = true;
	KUNIT_EXPECT_EQ(test, VIOLATIONS(tlb_gen_debug_no_dirty_batch()), 1);

	batch->flush_required = false;
	batch->writable = false;

	/* Whose TLBI it was does not show. */
	window = tlb_gen_open(fix.mm);
	arch_tlbbatch_add_pending(&batch->arch, fix.mm, 0);
	KUNIT_EXPECT_EQ(test, VIOLATIONS(tlb_gen_debug_flushed()), broadcast);
	KUNIT_EXPECT_EQ(test, VIOLATIONS(tlb_gen_close(fix.mm, window)), broadcast);
	/* What was left before the window is not the window's. */
	window = tlb_gen_open(fix.mm);
	KUNIT_EXPECT_EQ(test, VIOLATIONS(tlb_gen_close(fix.mm, window)), 0);
	window = tlb_gen_open(fix.mm);
	arch_tlbbatch_add_pending(&batch->arch, fix.mm, 0);
	arch_tlbbatch_flush(&batch->arch);
	KUNIT_EXPECT_EQ(test, VIOLATIONS(tlb_gen_close(fix.mm, window)), 0);
	fixture_exit(&fix);
}

/* A device with a TLB of its own */
struct secondary {
	struct mmu_notifier notifier;
	unsigned int told, late;
};

static void secondary_invalidate(struct mmu_notifier *notifier, struct mm_struct *mm,
				 unsigned long start, unsigned long end)
{
	struct secondary *sec = container_of(notifier, struct secondary, notifier);

	sec->told++;
	if (tlb_gen_word_alone(tlb_gen_mm_word(mm), TLB_GEN_NO_WINDOW))
		sec->late++;
}

static const struct mmu_notifier_ops secondary_ops = {
	.arch_invalidate_secondary_tlbs = secondary_invalidate,
};

/* H13: it is told before the window closes, and not when that guard is off. */
static void notifier_before_close(struct kunit *test)
{
	static const enum tlb_gen_guard off[] = { TLB_GEN_GUARD_NONE, TLB_GEN_GUARD_CLOSE };
	struct secondary sec = { .notifier.ops = &secondary_ops };
	unsigned long addr;

	addr = kunit_vm_mmap(test, NULL, 0, ARRAY_SIZE(off) * PAGE_SIZE, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, 0);
	KUNIT_ASSERT_NE(test, addr, 0);
	KUNIT_ASSERT_EQ(test, mmu_notifier_register(&sec.notifier, current->mm), 0);
	for (unsigned int i = 0; i < ARRAY_SIZE(off); i++, addr += PAGE_SIZE) {
		KUNIT_EXPECT_EQ(test, put_user(1, (int __user *)addr), 0);
		sec.told = 0;
		sec.late = 0;
		tlb_gen_debug_break(off[i], "");
		KUNIT_EXPECT_EQ(test, vm_munmap(addr, PAGE_SIZE), 0);
		tlb_gen_debug_break(TLB_GEN_GUARD_NONE, "");
		KUNIT_EXPECT_NE(test, sec.told, 0);
		KUNIT_EXPECT_EQ(test, sec.late, off[i] == TLB_GEN_GUARD_CLOSE ? sec.told : 0);
	}
	mmu_notifier_unregister(&sec.notifier, current->mm);
}
#else
static void assertions_fail(struct kunit *test)
{
	kunit_skip(test, "CONFIG_DEBUG_TLB_GEN is off");
}

static void unflushed_batch(struct kunit *test)
{
	assertions_fail(test);
}

static void notifier_before_close(struct kunit *test)
{
	assertions_fail(test);
}
#endif

static struct kunit_case tlb_gen_cases[] = {
	KUNIT_CASE_SLOW(every_interleaving),
	KUNIT_CASE_SLOW(every_interleaving_wrap),
	KUNIT_CASE_SLOW(broken_is_found),
	KUNIT_CASE(late_opener),
	KUNIT_CASE(own_window_excluded),
	KUNIT_CASE(overflow),
	KUNIT_CASE(mark_after_wrap),
	KUNIT_CASE(low_bits_stay_zero),
	KUNIT_CASE(window_on_mm),
	KUNIT_CASE(gone_word),
	KUNIT_CASE(gone_on_mm),
	KUNIT_CASE(assertions_fail),
	KUNIT_CASE(unflushed_batch),
	KUNIT_CASE(notifier_before_close),
	{}
};

static struct kunit_suite tlb_gen_suite = {
	.name = "tlb_gen",
	.test_cases = tlb_gen_cases,
};

kunit_test_suite(tlb_gen_suite);

MODULE_DESCRIPTION("KUnit tests of the TLB generation words");
MODULE_LICENSE("GPL");
