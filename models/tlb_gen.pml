/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The protocol of include/asm-generic/tlb_gen.h, for spin.
 *
 * One PMD table with NVA entries, each of them empty, a huge page or a PTE table
 * with one entry; NCPU processors with a TLB each, a device with another one.
 * Every change of what an address maps is a new version of that address. A
 * processor may have filled its TLB from any version before it was replaced, and
 * nothing is safer for an entry more: held[] has all the replaced versions that
 * have not been flushed since. Inlines are called as the C functions that they
 * stand for.
 *
 * What must hold, for every interleaving:
 *
 *   promise	When a call returns, no processor and no device can use what
 *		the call, or somebody before it, took away: everything older
 *		than what the walk saw, for writing if what it saw is read-only.
 *   free	No page and no table is freed while it can be reached.
 *   copy	No store goes to a page after it was copied.
 *   write-out	No store goes to a page after it went to disk.
 *   exclusion	A page that another mm or another address may have is not used,
 *		resp. written, through what was left of it here.
 *
 * What is unmapped and still has its page is a swap entry: it allows nothing.
 * A walk takes GONE over for the whole table or leaves it to the next, either way.
 *
 * Who takes part is chosen with -D (see models/list): INSTALL, WP, RECLAIM,
 * SWAPIN, FORK, MOVE, MKCLEAN, DISCARD, LAZY, SWITCH, FREE. BREAK leaves out one
 * rule. ABA lets calls un-protect pages,
 * and the fault compare what is mapped (pte_same()) in place of the version: a
 * page that is exclusive to the mm may become writable again, a shared one not.
 */

#ifndef NCPU
#define NCPU		3
#endif
#ifndef NVA
#define NVA		2
#endif
#ifndef NGATHER
#define NGATHER		2
#endif
#define NVER		8		/* versions of an address */
#define NGEN		8		/* generations; even, more than are used */
#ifndef BREAK
#define BREAK		0
#endif

/* Rules that can be left out */
#define OPEN_LATE	1		/* R1 open after the first store */
#define CLOSE_EARLY	2		/* R1 close before the flush is done */
#define NO_MARK		3		/* R2 */
#define MARK_STALE	4		/* R2 mark with the generation read at open */
#define NO_INHERIT	5		/* R3 */
#define HINT		6		/* R3 keep the level hint when inherited */
#define NO_HOLES	7		/* R4 */
#define NO_MERGE	8		/* R6 pmd_populate does not merge the parent's word */
#define NO_SPAN		9		/* R6 a freed table's word is forgotten */
#define NO_SETTLE	10		/* R5 */
#define NO_GONE		11		/* R7 no GONE in the table */
#define WRITE_EARLY	12		/* R7 write-out before the batch is flushed */
#define NO_STALE	13		/* R5 lazy class without STALE */
#define NO_NOTIFIER	14		/* R8 close before the notifier */
#define NO_TABLES	15		/* R8 flush forgets freed_tables */
#define ADVANCE		16		/* the generation moves while the older slot is used */
#define FORGET_OWN	17		/* zero a word that only the own window keeps pending */
#define MASK_LATE	18		/* R9 the switch reads the generation first */
#define COPY_EXCLUSIVE	19		/* a write fault copies what it could reuse */
#define NO_SETTLE_GONE	20		/* R7, R3 a swap entry moves without a flush */
#define TAKE_NO_MARK	21		/* R7 GONE is cleared without the own mark */
#define FORGET_EXCL	22		/* R7 swap-in maps what was exclusive as shared */
#define FORK_NO_FLUSH	23		/* R7 fork shares what a batch has not flushed */
#define PUT_BACK_EARLY	24		/* R7 the next batch finds what this one left */
#define RMAP_EARLY	25		/* R2 the rmap goes before the flush */
#define HOLE_NO_WINDOW	26		/* R4 a hole made and flushed without a window */

#define NONE		0		/* what a version allows */
#define RO		1
#define RW		2

#define P_NONE		0		/* what a pmd holds */
#define P_HUGE		1
#define P_TABLE		2

/* The mm word */
byte gen;
byte opened[2];

/* Table words: 0 or generation + 1; the PMD table's and the PTE tables' */
byte pmd_word;
byte pte_word[NVA];
bool gone[NVA], stale[NVA];

/* Page tables and their locks */
byte pmd[NVA];
bool pmd_ptl, pte_ptl[NVA];

/* What each version of each address maps */
byte ver[NVA];
byte perm[NVA * NVER];
byte frame[NVA * NVER];			/* 0: none */
bool huge[NVA * NVER];
byte frames;				/* handed out so far */

#ifdef ABA
/* By frame, a bit each: shared with another mm, mapped writable since the copy */
short shared, writable;
#define SAME(va, v)	(perm[NOW(va)] == RO && frame[NOW(va)] == frame[V(va, v)])
#else
#ifdef SWAPIN
short shared;
#endif
#define SAME(va, v)	(ver[va] == (v))
#endif
#if defined(ABA) || defined(SWAPIN)
#define EXCLUSIVE(f)	((shared & (1 << (f))) == 0)
#define REUSE(va)	(EXCLUSIVE(frame[NOW(va)]) && !BROKEN(COPY_EXCLUSIVE))
#else
#define REUSE(va)	(false)
#endif

#ifdef RECLAIM
/* The folio that is swapped out: its lock, in the swap cache, clean, under IO */
bool folio_locked, swapcache, clean, writeback;
byte refs;			/* of gathers and of who copies it */
bool isolated;			/* not on the LRU */
bool pte_clean[NVA];		/* a page that was swapped in may not be dirty yet */
#endif
#ifdef FORK
byte readers;			/* of the mmap_lock, and a writer */
bool writer;
#endif
#ifdef MKCLEAN
bool rmap;			/* of the huge page at address 0, a file's */
#endif

/*
 * What may be left in a TLB: a bit for each replaced version; the device is the
 * last one. And whether a table that was unlinked may be cached.
 */
byte held[(NCPU + 1) * NVA];
bool pwc[NCPU * NVA];

/* x86: how far each processor has flushed */
byte mm_gen;
byte local_gen[NCPU];
bool in_mm[NCPU], in_mask[NCPU];

/* What has been promised: nothing older than this, resp. not for writing */
byte min_ver[NVA], min_write[NVA];

#define V(va, n)	((va) * NVER + (n))
#define NOW(va)		V(va, ver[va])
#define T(c, va)	((c) * NVA + (va))
#define BROKEN(rule)	(BREAK == (rule))

/* A processor that left the mm flushes before it comes back. */
#define USER(c)		((c) == NCPU || in_mm[c])

/* ---- locks ---- */

inline spin_lock(l)
{
	atomic { !l -> l = true }
}

inline spin_unlock(l)
{
	l = false
}

inline folio_lock()
{
	spin_lock(folio_locked)
}

inline folio_unlock()
{
	spin_unlock(folio_locked)
}

inline mmap_read_lock()
{
#ifdef FORK
	atomic { !writer -> readers++ }
#else
	skip
#endif
}

inline mmap_read_unlock()
{
#ifdef FORK
	readers--
#else
	skip
#endif
}

/* ---- the page tables ---- */

/* A new version of what @va maps; the caller holds the lock of the table it is in. */
inline set_entry(va, p, f, h)
{
	d_step {
		assert(ver[va] < NVER - 1);
		cc = 0;
		do
		:: cc <= NCPU ->
			if
			:: USER(cc) && perm[NOW(va)] != NONE ->
				held[T(cc, va)] = held[T(cc, va)] | (1 << ver[va])
			:: else
			fi;
			cc++
		:: else -> break
		od;
		cc = 0;
		perm[V(va, ver[va] + 1)] = p;
		frame[V(va, ver[va] + 1)] = f;
		huge[V(va, ver[va] + 1)] = h;
#ifdef RECLAIM
		pte_clean[va] = false;
#endif
#ifdef ABA
		if
		:: p == RW -> writable = writable | (1 << (f))
		:: else
		fi;
#endif
		ver[va]++
	}
}

/* The PTE table of @va leaves the tree. */
inline unlink_table(va)
{
	d_step {
		pmd[va] = P_NONE;
		cc = 0;
		do
		:: cc < NCPU -> pwc[T(cc, va)] = in_mm[cc]; cc++
		:: else -> break
		od;
		cc = 0
	}
}

/* ---- the mm word ---- */

inline tlb_gen_open(slot)
{
	slot = gen & 1;
	atomic {
		opened[slot]++;
		printf("[%d] opens a window in slot %d, generation %d\n", _pid, slot, gen)
	}
}

inline tlb_gen_close(slot)
{
	if
	:: atomic {
		opened[slot]--;
		if
		:: opened[1 - (gen & 1)] == 0 || BROKEN(ADVANCE) ->
			gen = (gen + 1) % NGEN
		:: else
		fi;
		printf("[%d] closes its window, generation %d\n", _pid, gen)
	   }
	:: atomic {		/* contended */
		opened[slot]--;
		printf("[%d] closes its window, generation %d\n", _pid, gen)
	   }
	fi
}

/* Windows that may have marked @word, those of slot @own left out; NO_OWN: none. */
#define NO_OWN		2
#define AGE(word)	((gen + NGEN - ((word) - 1)) % NGEN)
#define OTHERS(word, own) \
	((word) == 0 -> 0 : \
	 (AGE(word) == 0 -> opened[0] + opened[1] - ((own) != NO_OWN) : \
	  (AGE(word) == 1 -> opened[1 - (gen & 1)] - ((own) == 1 - (gen & 1)) : 0)))

#define ALONE(own)	(opened[own] == 1 && opened[1 - (own)] == 0)

/* ---- a gather; its locals are slot, stale_gen, dirty, range, inherited, tables ---- */

inline tlb_gen_mark(word)
{
	if
	:: dirty && !BROKEN(NO_MARK) ->
		atomic {
			if
			:: BROKEN(MARK_STALE) -> word = stale_gen + 1
			:: else -> word = gen + 1
			fi;
			printf("[%d] marks the table with generation %d\n", _pid, word - 1)
		}
	:: else
	fi;
	dirty = false
}

/* Is a window other than that of slot @own pending on @word? Cleans up the word. */
inline tlb_gen_table_pending(word, own, pending)
{
	d_step {
		if
		:: OTHERS(word, NO_OWN) == 0 -> word = 0
		:: BROKEN(FORGET_OWN) && own != NO_OWN && OTHERS(word, own) == 0 -> word = 0
		:: else
		fi;
		pending = OTHERS(word, own) > 0
	}
}

/* Add @va to the range if something is pending in @word. */
inline tlb_gen_inherit(word, va)
{
	if
	:: BROKEN(NO_INHERIT) ->
		printf("[%d] does not ask what is pending for address %d\n", _pid, va)
	:: else ->
		atomic {
			tlb_gen_table_pending(word, slot, pending);
			if
			:: pending ->
				printf("[%d] finds address %d pending and inherits it\n", _pid, va);
				range[va] = true; inherited = true; pending = false
			:: else ->
				printf("[%d] finds nothing pending for address %d\n", _pid, va)
			fi
		}
	fi
}

/* __tlb_gen_inherit(): what no window will finish */
inline inherit_deferred(va)
{
	range[va] = true;
	inherited = true;
	if
	:: printf("[%d] takes over GONE of address %d, for the whole table\n", _pid, va);
		gone[va] = false;
		stale[va] = false;
		dirty = !BROKEN(TAKE_NO_MARK)
	:: printf("[%d] inherits GONE of address %d and leaves it\n", _pid, va)
	fi
}

/* ---- flushes ---- */

/* Processor @c drops @va; @hint: entries of the last level only. */
inline invalidate(c, va, hint)
{
	fn = 0;
	do
	:: fn < NVER ->
		if
		:: !(hint && huge[V(va, fn)]) -> held[T(c, va)] = held[T(c, va)] & ~(1 << fn)
		:: else
		fi;
		fn++
	:: else -> break
	od;
	fn = 0
}

inline flush_all(c)
{
	fv = 0;
	do
	:: fv < NVA -> held[T(c, fv)] = 0; pwc[T(c, fv)] = false; fv++
	:: else -> break
	od;
	fv = 0
}

inline flush_some(c, hint, with_tables)
{
	fv = 0;
	do
	:: fv < NVA ->
		if
		:: range[fv] ->
			invalidate(c, fv, hint);
			pwc[T(c, fv)] = pwc[T(c, fv)] && !(with_tables)
		:: else
		fi;
		fv++
	:: else -> break
	od;
	fv = 0
}

/* One processor's part of a flush of range[], in interrupt context */
inline flush_tlb_func(c, new_gen, hint, with_tables)
{
	d_step {
#ifdef ARM64
		flush_some(c, hint, with_tables)
#else
		if
		:: new_gen <= local_gen[c]		/* somebody's full flush did it */
		:: new_gen == local_gen[c] + 1 && new_gen == mm_gen ->
			flush_some(c, false, with_tables);
			local_gen[c] = new_gen
		:: else ->
			flush_all(c);
			local_gen[c] = mm_gen
		fi
#endif
	}
}

inline flush_tlb_range(hint, with_tables)
{
	printf("[%d] begins its flush\n", _pid);
#ifndef ARM64
	d_step { mm_gen++; new = mm_gen };
#endif
	fc = 0;
	do
	:: fc < NCPU ->
		if
		/* An interrupt waits while the processor is between two mms. */
		:: in_mask[fc] && in_mm[fc] -> flush_tlb_func(fc, new, hint, with_tables)
#ifdef ARM64
		:: !in_mm[fc] -> flush_tlb_func(fc, new, hint, with_tables)
#else
		:: !in_mask[fc]
#endif
		fi;
		fc++
	:: else -> break
	od;
	fc = 0;
	new = 0;
	printf("[%d] has flushed\n", _pid)
}

/* mmu_notifier_arch_invalidate_secondary_tlbs() */
inline notifier()
{
	d_step {
		fv = 0;
		do
		:: fv < NVA ->
			if
			:: range[fv] -> held[T(NCPU, fv)] = 0
			:: else
			fi;
			fv++
		:: else -> break
		od;
		fv = 0
	}
}

/* ---- what must hold ---- */

inline check_user(c)
{
	cv = 0;
	do
	:: cv < NVA ->
		assert(!(held[T(c, cv)] & ((1 << min_ver[cv]) - 1)));
		fn = 0;
		do
		:: fn < min_write[cv] ->
			assert(!(held[T(c, cv)] & (1 << fn)) || perm[V(cv, fn)] != RW);
			fn++
		:: else -> break
		od;
		cv++
	:: else -> break
	od;
	cv = 0;
	fn = 0
}

/* A call that saw version @v of @va returns. */
inline promise(va, v)
{
	if
	:: perm[V(va, v)] == NONE && v > min_ver[va] -> min_ver[va] = v
	:: perm[V(va, v)] == RO && v > min_write[va] -> min_write[va] = v
	:: else
	fi
}

inline check_users()
{
	cc = 0;
	do
	:: cc <= NCPU ->
		if
		:: USER(cc) -> check_user(cc)
		:: else
		fi;
		cc++
	:: else -> break
	od;
	cc = 0
}

/* Sets @found if page @f can be reached at @va through what is at least @p. */
inline reachable(va, f, p, found)
{
	d_step {
		found = frame[NOW(va)] == f && perm[NOW(va)] >= p;
		cc = 0;
		do
		:: cc <= NCPU ->
			fn = 0;
			do
			:: fn < NVER ->
				found = found || (USER(cc) && held[T(cc, va)] & (1 << fn) &&
						  frame[V(va, fn)] == f && perm[V(va, fn)] >= p);
				fn++
			:: else -> break
			od;
			cc++
		:: else -> break
		od;
		cc = 0;
		fn = 0
	}
}

inline free_page(va, f)
{
	reachable(va, f, RO, found);
	assert(!found)
}

inline free_table(va)
{
	d_step {
		cc = 0;
		do
		:: cc < NCPU -> assert(!(in_mm[cc] && pwc[T(cc, va)])); cc++
		:: else -> break
		od;
		cc = 0
	}
}

/* ---- zap_page_range(), change_protection() ---- */

#define ZAP		0
#define PROTECT		1
#define FREE_TABLES	2
#define UNPROTECT	3

proctype gather()
{
	byte op, slot, stale_gen, va, first, last;
	bool dirty, inherited, tables, pending, only_ptes = true;
	bool hole[NVA], range[NVA], freed_table[NVA];
	byte freed[NVA], saw[NVA];
	byte fv, fn, fc, new, cc, cv;
	bool found;

	atomic {
		/* [n] of what is printed */
		if
		:: op = ZAP
		:: op = PROTECT
#ifdef FREE
		:: op = FREE_TABLES
#endif
#ifdef ABA
		:: op = UNPROTECT
#endif
		fi;
		if
		:: first = 0; last = 0
		:: first = 1; last = 1
		:: first = 0; last = 1
		fi
	}
	mmap_read_lock();
	stale_gen = gen;
	if
	:: !BROKEN(OPEN_LATE) -> tlb_gen_open(slot)
	:: else
	fi;

	va = first;
	do
	:: va <= last ->
again:
		if
		:: atomic { pmd[va] == P_NONE ->
			saw[va] = ver[va];
			hole[va] = true;
			printf("[%d] sees no entry at address %d, without the lock\n", _pid, va)
		   }
		:: pmd[va] == P_HUGE ->
			spin_lock(pmd_ptl);
			if
			:: pmd[va] != P_HUGE -> spin_unlock(pmd_ptl); goto again
			:: else
			fi;
			tlb_gen_inherit(pmd_word, va);
			if
			:: op == ZAP ->
				freed[va] = frame[NOW(va)];
				set_entry(va, NONE, 0, false);
				atomic {
					pmd[va] = P_NONE;
					printf("[%d] zaps the huge page at address %d\n", _pid, va)
				};
				dirty = true
			:: op == PROTECT && perm[NOW(va)] == RW ->
				atomic {
					set_entry(va, RO, frame[NOW(va)], true);
					printf("[%d] write-protects the huge page at address %d\n", _pid, va)
				};
				dirty = true
			:: else
			fi;
			if
			:: dirty -> range[va] = true; only_ptes = false
			:: else
			fi;
			tlb_gen_mark(pmd_word);
#ifdef MKCLEAN
			/* A dirty page of a file: tlb_flush_mmu_tlbonly(), then the rmap */
			if
			:: op == ZAP ->
				if
				:: !BROKEN(RMAP_EARLY) ->
					flush_tlb_range(only_ptes && !inherited, tables);
					notifier();
					d_step { range[0] = false; range[NVA - 1] = false }
				:: else
				fi;
				atomic {
					rmap = false;
					printf("[%d] drops the rmap of the page that was at address %d\n", _pid, va)
				}
			:: else
			fi;
#endif
			saw[va] = ver[va];
			spin_unlock(pmd_ptl)
		:: pmd[va] == P_TABLE ->
			/* pte_offset_map_lock() */
			spin_lock(pte_ptl[va]);
			if
			:: pmd[va] != P_TABLE -> spin_unlock(pte_ptl[va]); goto again
			:: else
			fi;
			if
			:: gone[va] || stale[va] -> inherit_deferred(va)
			:: else -> tlb_gen_inherit(pte_word[va], va)
			fi;
			if
			:: op == ZAP && perm[NOW(va)] != NONE ->
				freed[va] = frame[NOW(va)];
				atomic {
#ifdef SWAPIN
					refs++;
#endif
					set_entry(va, NONE, 0, false);
					printf("[%d] zaps the page at address %d\n", _pid, va)
				};
				dirty = true;
				range[va] = true
			:: op == ZAP && perm[NOW(va)] == NONE && frame[NOW(va)] ->
				atomic {
					set_entry(va, NONE, 0, false);
					printf("[%d] zaps the swap entry at address %d\n", _pid, va)
				}
			:: op == PROTECT && perm[NOW(va)] == RW ->
				atomic {
					set_entry(va, RO, frame[NOW(va)], false);
					printf("[%d] write-protects the page at address %d\n", _pid, va)
				};
				dirty = true;
				range[va] = true
			:: else
			fi;
#ifdef ABA
			/* can_change_pte_writable(); what is stricter needs no flush */
			if
			:: op == UNPROTECT && perm[NOW(va)] == RO && EXCLUSIVE(frame[NOW(va)]) ->
				atomic {
					set_entry(va, RW, frame[NOW(va)], false);
					printf("[%d] un-protects the page at address %d\n", _pid, va)
				}
			:: else
			fi;
#endif
			tlb_gen_mark(pte_word[va]);
			saw[va] = ver[va];
			spin_unlock(pte_ptl[va]);
#ifdef FREE
			if
			:: op == FREE_TABLES ->
				/* retract: the PMD lock, then the table's */
				spin_lock(pmd_ptl);
				spin_lock(pte_ptl[va]);
				if
				:: pmd[va] == P_TABLE && perm[NOW(va)] == NONE && !frame[NOW(va)] ->
					atomic {
						unlink_table(va);
						printf("[%d] unlinks the table of address %d\n", _pid, va)
					};
					freed_table[va] = true;
					tables = true;
					range[va] = true;
					/* tlb_gen_free_pte() */
					if
					:: !BROKEN(NO_SPAN) && (gone[va] || OTHERS(pte_word[va], slot)) ->
						inherited = true
					:: else
					fi;
					if
					:: BROKEN(NO_SPAN) -> range[va] = false
					:: else
					fi;
					pte_word[va] = 0;
					gone[va] = false;
					stale[va] = false;
					dirty = true;
					tlb_gen_mark(pmd_word);
					only_ptes = false
				:: else
				fi;
				spin_unlock(pte_ptl[va]);
				spin_unlock(pmd_ptl)
			:: else
			fi
#endif
		fi;
		va++
	:: else -> break
	od;

	/* tlb_gen_inherit_holes(), at the end of the PMD table */
	if
	:: (hole[0] || hole[NVA - 1]) && !BROKEN(NO_HOLES) && !ALONE(slot) ->
		spin_lock(pmd_ptl);
		tlb_gen_table_pending(pmd_word, slot, pending);
		spin_unlock(pmd_ptl);
		if
		:: pending ->
			d_step {
				range[0] = range[0] || hole[0];
				range[NVA - 1] = range[NVA - 1] || hole[NVA - 1];
				inherited = true;
				pending = false
			}
		:: else
		fi
	:: else
	fi;
	d_step { hole[0] = false; hole[NVA - 1] = false };

	if
	:: BROKEN(OPEN_LATE) -> tlb_gen_open(slot)
	:: else
	fi;
	if
	:: BROKEN(CLOSE_EARLY) -> tlb_gen_close(slot)
	:: else
	fi;
	if
	:: range[0] || range[NVA - 1] ->
		flush_tlb_range(only_ptes && (!inherited || BROKEN(HINT)),
				tables && !BROKEN(NO_TABLES));
		if
		:: BROKEN(NO_NOTIFIER) -> tlb_gen_close(slot)
		:: else
		fi;
		notifier()
	:: else ->
		if
		:: BROKEN(NO_NOTIFIER) -> tlb_gen_close(slot)
		:: else
		fi
	fi;

	/* The pages and tables go after the flush. */
	va = first;
	do
	:: va <= last ->
		if
		:: freed[va] ->
			printf("[%d] frees the page that was at address %d\n", _pid, va);
			free_page(va, freed[va]);
			freed[va] = 0;
#ifdef SWAPIN
			refs--
#endif
		:: else
		fi;
		if
		:: freed_table[va] ->
			printf("[%d] frees the table of address %d\n", _pid, va);
			free_table(va)
		:: else
		fi;
		va++
	:: else -> break
	od;

	if
	:: BROKEN(CLOSE_EARLY) || BROKEN(NO_NOTIFIER)
	:: else -> tlb_gen_close(slot)
	fi;

	printf("[%d] returns\n", _pid);
	d_step {
		if
		:: op != FREE_TABLES ->
			va = first;
			do
			:: va <= last -> promise(va, saw[va]); va++
			:: else -> break
			od;
			check_users()
		:: else
		fi
	};
	mmap_read_unlock()
}

/* ---- page faults ---- */

#ifdef INSTALL
/* handle_mm_fault() of an address where nothing is: a huge page or a table and a page */
proctype install(byte va)
{
	bool made;
	byte cc;

	if
	:: pmd[va] == P_NONE ->
		if
		:: /* do_huge_pmd_anonymous_page() */
			spin_lock(pmd_ptl);
			if
			:: pmd[va] == P_NONE ->
				frames++;
				set_entry(va, RW, frames, true);
				atomic {
					pmd[va] = P_HUGE;
					printf("[%d] faults: a huge page at address %d\n", _pid, va)
				};
				made = true
			:: else
			fi;
			spin_unlock(pmd_ptl)
		:: /* pmd_install() */
			spin_lock(pmd_ptl);
			if
			:: pmd[va] == P_NONE ->
				/* tlb_gen_merge_table() */
				if
				:: !BROKEN(NO_MERGE) && OTHERS(pmd_word, NO_OWN) ->
					pte_word[va] = gen + 1
				:: else
				fi;
				atomic {
					pmd[va] = P_TABLE;
					printf("[%d] faults: a table at address %d\n", _pid, va)
				}
			:: else
			fi;
			spin_unlock(pmd_ptl)
		fi
	:: else
	fi;
	if
	:: !made && pmd[va] == P_TABLE ->
		spin_lock(pte_ptl[va]);
		if
		:: pmd[va] == P_TABLE && perm[NOW(va)] == NONE && !frame[NOW(va)] ->
			frames++;
			atomic {
				set_entry(va, RW, frames, false);
				printf("[%d] faults: a page at address %d\n", _pid, va)
			}
		:: else
		fi;
		spin_unlock(pte_ptl[va])
	:: else
	fi
}
#endif

/* tlb_gen_settle(): under the PTL, no window of its own */
inline tlb_gen_settle(va)
{
	tlb_gen_table_pending(pte_word[va], NO_OWN, pending);
	if
	:: (pending || stale[va]) && !BROKEN(NO_SETTLE) ->
		range[va] = true;
		flush_tlb_range(false, false);
		notifier();
		range[va] = false
	:: else
	fi;
	pending = false
}

#ifdef MOVE
/* tlb_gen_settle_gone(): what a batch left, for the whole table */
inline tlb_gen_settle_gone(va)
{
	tlb_gen_table_pending(pte_word[va], NO_OWN, pending);
	if
	:: (pending || gone[va]) && !BROKEN(NO_SETTLE_GONE) ->
		range[va] = true;
		flush_tlb_range(false, false);
		notifier();
		range[va] = false
	:: else
	fi;
	gone[va] = false;
	pending = false
}

/* UFFDIO_MOVE, or move_ptes(), of a swap entry to address @to, where nothing is */
proctype move_swap_pte(byte va, to)
{
	byte fv, fn, fc, new, cc, cv;
	bool pending, range[NVA];

	mmap_read_lock();
	folio_lock();
	spin_lock(pte_ptl[to]);
	spin_lock(pte_ptl[va]);
	if
	:: perm[NOW(va)] == NONE && frame[NOW(va)] && perm[NOW(to)] == NONE && !frame[NOW(to)] ->
		tlb_gen_settle_gone(va);
		atomic {
			set_entry(to, NONE, frame[NOW(va)], false);
			set_entry(va, NONE, 0, false);
			printf("[%d] moves the swap entry to address %d\n", _pid, to)
		};
		cv = ver[va]
	:: else
	fi;
	spin_unlock(pte_ptl[va]);
	spin_unlock(pte_ptl[to]);
	folio_unlock();
	d_step {
		if
		:: cv -> promise(va, cv); cv = 0; check_users()
		:: else
		fi
	};
	mmap_read_unlock()
}
#endif

#ifdef WP
/* do_wp_page(): copy what is mapped read-only and map the copy */
proctype do_wp_page(byte va)
{
	byte fv, fn, fc, new, cc, old, then;
	bool pending, found, range[NVA];

	mmap_read_lock();
	if
	:: pmd[va] == P_TABLE && perm[NOW(va)] == RO ->
		spin_lock(pte_ptl[va]);
		if
		:: pmd[va] == P_TABLE && perm[NOW(va)] == RO && REUSE(va) ->
			/* wp_page_reuse() */
			atomic {
				set_entry(va, RW, frame[NOW(va)], false);
				printf("[%d] reuses the page at address %d\n", _pid, va)
			}
		:: pmd[va] == P_TABLE && perm[NOW(va)] == RO && !REUSE(va) ->
			tlb_gen_settle(va);
			old = frame[NOW(va)];
#ifdef SWAPIN
			refs++;
#endif
			then = ver[va]
		:: else
		fi;
		spin_unlock(pte_ptl[va]);
		if
		:: old ->
			/* wp_page_copy(): the copy is made without the lock */
			printf("[%d] copies the page at address %d\n", _pid, va);
			reachable(va, old, RW, found);
#ifdef ABA
			writable = writable & ~(1 << old);
#endif
			spin_lock(pte_ptl[va]);
			if
			:: pmd[va] == P_TABLE && SAME(va, then) ->
#ifdef ABA
				found = found || writable & (1 << old);
#endif
				assert(!found);
				/* ptep_clear_flush() */
				set_entry(va, NONE, 0, false);
				range[va] = true;
				flush_tlb_range(false, false);
				notifier();
				frames++;
				set_entry(va, RW, frames, false)
			:: else
			fi;
#ifdef SWAPIN
			refs--;
#endif
			spin_unlock(pte_ptl[va])
		:: else
		fi
	:: else
	fi;
	mmap_read_unlock()
}
#endif

#ifdef RECLAIM
/* Under the PTL, after the entry was changed */
inline set_tlb_ubc_flush_pending(va)
{
	d_step {
#ifndef ARM64
		mm_gen++;
		fc = 0;
		do
		:: fc < NCPU -> batch[fc] = in_mask[fc]; fc++
		:: else -> break
		od;
		fc = 0;
#endif
		range[va] = true
	};
	notifier();
	gone[va] = !BROKEN(NO_GONE)
}

/* x86: all of a TLB, with no mm to compare; arm64: the DSB for a TLBI of each page */
inline try_to_unmap_flush()
{
#ifdef ARM64
	flush_tlb_range(false, false);
#else
	printf("[%d] begins the flush of its batch\n", _pid);
	fc = 0;
	do
	:: fc < NCPU ->
		if
		:: batch[fc] && in_mask[fc] && in_mm[fc] ->
			d_step {
				if
				:: local_gen[fc] < mm_gen ->
					flush_all(fc);
					local_gen[fc] = mm_gen
				:: else
				fi;
				batch[fc] = false
			}
		:: !batch[fc] || !in_mask[fc] -> batch[fc] = false
		fi;
		fc++
	:: else -> break
	od;
	fc = 0;
	printf("[%d] has flushed its batch\n", _pid);
#endif
	unflushed = false;
	writable_pte = false
}

/* Can @f be written through what is left in a TLB? */
inline check_written(f)
{
	reachable(0, f, RW, found);
	assert(!found);
	reachable(1, f, RW, found);
	assert(!found)
}

/*
 * Reclaim of an anonymous page: unmap it in a batch; keep it, or write it behind the
 * flush if nobody has mapped it meanwhile, and free it if nobody has since.
 */
proctype shrink_folio_list(byte va)
{
	byte fv, fn, fc, new, cc, old;
	bool found, unflushed, writable_pte, write, batch[NCPU], range[NVA];

	/* folio_isolate_lru() */
	atomic { !isolated -> isolated = true };
	folio_lock();
	if
	:: pmd[va] == P_TABLE && perm[NOW(va)] != NONE && !writeback ->
		/* try_to_unmap_one() */
		spin_lock(pte_ptl[va]);
		if
		:: pmd[va] == P_TABLE && perm[NOW(va)] != NONE ->
			old = frame[NOW(va)];
			swapcache = true;
			unflushed = true;
			atomic {
				if
				:: pte_clean[va] ->
					/* No TLB has it dirty: who stores walks, and faults. */
					perm[NOW(va)] = RO;
					set_entry(va, NONE, old, false);
					printf("[%d] unmaps the clean page at address %d\n", _pid, va)
				:: writable_pte = true;
					set_entry(va, NONE, old, false);
					printf("[%d] unmaps the dirty page at address %d\n", _pid, va)
				fi
			};
			set_tlb_ubc_flush_pending(va)
		:: else
		fi;
		spin_unlock(pte_ptl[va])
	:: else
	fi;
	if
	:: old -> write = true
	:: write = false
	fi;
	if
	:: write ->
		/* write_unflushed(): try_to_unmap_flush_dirty(), all unlocked, one locked */
		if
		:: writable_pte && !BROKEN(WRITE_EARLY) -> try_to_unmap_flush()
		:: else
		fi;
		folio_unlock();
#ifdef SWAPIN
		folio_lock();
		if
		:: frame[NOW(0)] == old && perm[NOW(0)] != NONE || frame[NOW(1)] == old && perm[NOW(1)] != NONE ->
			write = false
		:: else
		fi;
		if
		:: write ->
			writeback = true;
			clean = true;
			printf("[%d] writes the page\n", _pid);
			/* Who zapped it has no use for what is written. */
			if
			:: frame[NOW(0)] == old || frame[NOW(1)] == old || !EXCLUSIVE(old) ->
				check_written(old)
			:: else
			fi;
			folio_unlock();
			writeback = false;
			folio_lock()
		:: else
		fi;
		/* shrink_free_folio(): __remove_mapping() */
		if
		:: write && clean && !refs ->
			swapcache = false;
			printf("[%d] takes the page out of the swap cache\n", _pid)
		:: else -> write = false
		fi;
		folio_unlock()
#else
		printf("[%d] writes the page\n", _pid);
		check_written(old)
#endif
	:: else -> folio_unlock()
	fi;
	if
	:: BROKEN(PUT_BACK_EARLY) -> isolated = false
	:: else
	fi;
	if
	:: unflushed -> try_to_unmap_flush()
	:: else
	fi;
	if
	:: write -> free_page(va, old)
	:: else
	fi;
	isolated = false
}
#endif

#ifdef SWAPIN
/* do_swap_page(): the same page while it is in the swap cache, or a new one */
proctype do_swap_page(byte va)
{
	byte cc, fn, f, other;
	bool found;

	mmap_read_lock();
	if
	:: pmd[va] == P_TABLE && perm[NOW(va)] == NONE && frame[NOW(va)] ->
		folio_lock();
		spin_lock(pte_ptl[va]);
		if
		:: pmd[va] == P_TABLE && perm[NOW(va)] == NONE && frame[NOW(va)] ->
			f = frame[NOW(va)];
			if
			:: !swapcache -> frames++; f = frames
			/* SWP_STABLE_WRITES */
			:: swapcache && writeback && EXCLUSIVE(f) -> shared = shared | (1 << f)
			:: swapcache && BROKEN(FORGET_EXCL) -> shared = shared | (1 << f)
			:: swapcache && !BROKEN(FORGET_EXCL)
			fi;
			if
			:: EXCLUSIVE(f) ->
				atomic {
					set_entry(va, RW, f, false);
					pte_clean[va] = true;
					printf("[%d] swaps in address %d\n", _pid, va)
				}
			:: /* shared, or write-protected for userfaultfd or soft-dirty */
				atomic {
					set_entry(va, RO, f, false);
					printf("[%d] swaps in address %d, read-only\n", _pid, va)
				}
			fi;
			clean = false;
			/* Nobody uses it where it was before. */
			other = NVA - 1 - va;
			reachable(other, f, RO, found);
			assert(!found)
		:: else
		fi;
		spin_unlock(pte_ptl[va]);
		folio_unlock()
	:: else
	fi;
	mmap_read_unlock()
}
#endif

#ifdef FORK
/* dup_mmap(): from here on the page belongs to two */
proctype dup_mmap(byte va)
{
	byte fv, fn, fc, new, cc, f;
	bool found, range[NVA];

	atomic { !writer && readers == 0 -> writer = true };
	spin_lock(pte_ptl[va]);
	f = frame[NOW(va)];
	if
	:: f -> shared = shared | (1 << f);
		if
		:: perm[NOW(va)] == RW ->
			atomic {
				set_entry(va, RO, f, false);
				printf("[%d] fork write-protects the page at address %d\n", _pid, va)
			}
		:: else -> printf("[%d] fork shares what is at address %d\n", _pid, va)
		fi
	:: else
	fi;
	spin_unlock(pte_ptl[va]);
	if
	:: !BROKEN(FORK_NO_FLUSH) ->
		d_step { range[0] = true; range[NVA - 1] = true };
		flush_tlb_range(false, false);
		notifier();
		/* The child may run. */
		if
		:: f -> check_written(f)
		:: else
		fi
	:: else
	fi;
	writer = false
}
#endif

#ifdef MKCLEAN
/* folio_mkclean() and the write-out behind it: flushes where the rmap leads to */
proctype folio_mkclean(byte va)
{
	byte fv, fn, fc, new, cc, f = frame[NOW(va)];
	bool found, range[NVA];

	if
	:: rmap ->
		spin_lock(pmd_ptl);
		if
		:: pmd[va] == P_HUGE && frame[NOW(va)] == f ->
			atomic {
				set_entry(va, RO, f, true);
				printf("[%d] cleans the huge page at address %d\n", _pid, va)
			};
			range[va] = true;
			flush_tlb_range(false, false);
			notifier()
		:: else
		fi;
		spin_unlock(pmd_ptl)
	:: else
	fi;
	printf("[%d] writes the page\n", _pid);
	reachable(va, f, RW, found);
	assert(!found)
}
#endif

#ifdef DISCARD
/* tlb_gen_pmdp_clear_flush(): a hole is made and flushed under the PMD lock */
proctype tlb_gen_pmdp_clear_flush(byte va)
{
	byte fv, fn, fc, new, cc, slot;
	bool range[NVA];

	spin_lock(pmd_ptl);
	if
	:: pmd[va] == P_HUGE ->
		if
		:: !BROKEN(HOLE_NO_WINDOW) -> tlb_gen_open(slot)
		:: else
		fi;
		set_entry(va, NONE, 0, false);
		atomic {
			pmd[va] = P_NONE;
			printf("[%d] discards the huge page at address %d\n", _pid, va)
		};
		range[va] = true;
		flush_tlb_range(false, false);
		notifier();
		if
		:: !BROKEN(HOLE_NO_WINDOW) -> tlb_gen_close(slot)
		:: else
		fi
	:: else
	fi;
	spin_unlock(pmd_ptl)
}
#endif

#ifdef LAZY
/* NUMA hinting without a flush: what is left only delays a hint */
proctype hint(byte va)
{
	byte cc;

	if
	:: pmd[va] == P_TABLE && perm[NOW(va)] == RW ->
		spin_lock(pte_ptl[va]);
		if
		:: pmd[va] == P_TABLE && perm[NOW(va)] == RW ->
			atomic {
				set_entry(va, RO, frame[NOW(va)], false);
				printf("[%d] makes address %d a hint, without a flush\n", _pid, va)
			};
			stale[va] = !BROKEN(NO_STALE)
		:: else
		fi;
		spin_unlock(pte_ptl[va])
	:: else
	fi
}
#endif

#ifdef SWITCH
/* A processor leaves the mm, keeps its TLB under a PCID and comes back. */
proctype switch_mm(byte c)
{
	byte fv, fn, next, cv;

	atomic {
		in_mm[c] = false;
		in_mask[c] = false;
		printf("[%d] processor %d leaves the mm\n", _pid, c)
	};
	if
	:: BROKEN(MASK_LATE) -> next = mm_gen; in_mask[c] = true
	:: else -> in_mask[c] = true; next = mm_gen
	fi;
	atomic {
		if
		:: local_gen[c] < next -> flush_all(c); local_gen[c] = next
		:: else
		fi;
		in_mm[c] = true;
		check_user(c)
	}
}
#endif

init
{
	byte i;

	atomic {
		i = 0;
		do
		:: i < NCPU -> in_mm[i] = true; in_mask[i] = true; i++
		:: else -> break
		od;
		/* One address begins with a huge page, the other with a table. */
		frames = 2;
		perm[V(0, 0)] = RW;
		frame[V(0, 0)] = 1;
#ifdef HUGE
		pmd[0] = P_HUGE;
		huge[V(0, 0)] = true;
#else
		pmd[0] = P_TABLE;
#endif
		frame[V(1, 0)] = 2;
#ifdef MOVE
		/* Nothing is where the other one is going to be moved to. */
		perm[V(0, 0)] = NONE;
		frame[V(0, 0)] = 0;
#endif
#ifdef HUGE2
		/* Both in the PMD table, one of them protected already */
		perm[V(1, 0)] = RO;
		pmd[1] = P_HUGE;
		huge[V(1, 0)] = true;
#else
		perm[V(1, 0)] = RW;
		pmd[1] = P_TABLE;
#endif
#ifdef ABA
		/* As fork leaves it, behind its flush; or mprotect, if exclusive */
		perm[V(1, 0)] = RO;
		shared = (BROKEN(COPY_EXCLUSIVE) -> 0 : 1 << 2);
#endif

		i = 0;
		do
		:: i < NGATHER -> run gather(); i++
		:: else -> break
		od;
#ifdef INSTALL
#ifdef RECLAIM
		run install(1);
#else
		run install(0);
#endif
#endif
#ifdef WP
		run do_wp_page(1);
#endif
#ifdef RECLAIM
		run shrink_folio_list(1);
#ifdef RECLAIM2
		run shrink_folio_list(1);
#endif
#endif
#ifdef SWAPIN
		run do_swap_page(1);
#endif
#ifdef MOVE
		run move_swap_pte(1, 0);
		run do_swap_page(0);
#endif
#ifdef FORK
		run dup_mmap(1);
#endif
#ifdef MKCLEAN
		rmap = true;
		run folio_mkclean(0);
#endif
#ifdef DISCARD
		run tlb_gen_pmdp_clear_flush(0);
#endif
#ifdef LAZY
		run hint(1);
#endif
#ifdef SWITCH
		run switch_mm(NCPU - 1);
#endif
	}
}
