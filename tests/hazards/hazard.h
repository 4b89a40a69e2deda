/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the hazard tests share. A test runs one interleaving many times. In each
 * round A, B and a victim run on processors of their own: A changes an entry and
 * flushes late, B comes in between, and the victim still uses the entry.
 *
 * A round is a hit if B began after A's change could be seen and before A
 * returned; it is red if something was lost. With all guards on, a red round
 * fails the test and a test without a hit is skipped. With a guard off (-b), or
 * on a kernel that is known to lose (-r), it is the other way round: only a red
 * round, or an assertion of the kernel that failed, passes.
 */
#ifndef HAZARD_H
#define HAZARD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>

#ifndef MADV_COLD
#define MADV_COLD	20
#define MADV_PAGEOUT	21
#endif
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE	25
#endif

enum outcome { MISS, HIT, RED };

enum kind { SMALL, THP, HUGETLB };

#define NR_ROLES	4

#define HZ_DEBUG	"/sys/kernel/debug/tlb_gen/"
#define HZ_THP		"/sys/kernel/mm/transparent_hugepage/"

struct hazard {
	const char *name;
	const char *what_is_lost;
	/* Returns why the test cannot run here, or NULL. */
	const char *(*setup)(void);
	/* Before and after each round, in the main thread. No judge: hz_lost is red. */
	void (*prepare)(void);
	enum outcome (*judge)(void);
	/* Each runs once in a round, on a processor of its own. */
	void (*role[NR_ROLES])(void);
	/* The delay is not for what reclaim or migration flush: B is one of them. */
	bool batches_at_once;
	/* Of /proc/vmstat, where the kernel has it: without one more of it no round is a hit. */
	const char *counter;
};

int hz_main(const struct hazard *hazard, int argc, char **argv);

/* For what has a main() of its own: why it cannot run, or NULL. */
void hz_init(const struct hazard *hazard);
const char *hz_set_delay(void);
const char *hz_set_break(const char *guard);
long hz_violations(void);		/* of assertions of the kernel */
/* A kernel that has said so, since @violations, gets a sixteenth of the rounds to show it. */
bool hz_told(unsigned int round, unsigned int rounds, long violations);
int hz_skip(const char *why);		/* the exit status */
void hz_tidy(void);

/* Give up on the whole test: it could not do what it has to, and says nothing. */
void __attribute__((noreturn, format(printf, 1, 2))) hz_fail(const char *fmt, ...);

extern long hz_page;			/* bytes */
extern unsigned int hz_delay;		/* us that a gather or a batch waits before its flush */

/* In each round from 0: what the roles tell each other. */
extern atomic_bool hz_began, hz_done;	/* A */
extern atomic_bool hz_b_done;
extern atomic_bool hz_stop;		/* for the victim */
extern atomic_ulong hz_count;		/* by the victim */
extern atomic_bool hz_lost;		/* something was */

void hz_a_begins(void);
void hz_a_done(void);

/*
 * B: wait for A's change, seen by @seen (or, if that is NULL, for a quarter of
 * the delay). False if A returned first.
 */
bool hz_wait_for_a(bool (*seen)(void));

/* B: before it undoes what A did, however long that takes. */
void hz_wait_for_a_done(void);

/* The round is a hit, for what does without hz_wait_for_a(). */
void hz_hit(void);

/* Somebody came too late: the round is no hit, whatever was seen. */
void hz_no_hit(void);

/* Wait for @flag; false after a second. */
bool hz_wait(atomic_bool *flag);
bool hz_wait_count(unsigned long count);

/*
 * The victim: store one number after the other until told to stop, each counted
 * after it was stored and before the next one is.
 */
void hz_store_counts(volatile unsigned long *p);

uint64_t hz_pagemap(const void *addr);
#define PM_PRESENT	(1ULL << 63)
#define PM_SWAP		(1ULL << 62)
#define PM_UFFD_WP	(1ULL << 57)
#define PM_SOFT_DIRTY	(1ULL << 55)
#define PM_PFN		((1ULL << 55) - 1)

uint64_t hz_now(void);			/* ns */
long hz_vmstat(const char *name);	/* -1: not counted */
int hz_write_file(const char *path, const char *value);
long hz_read_file(const char *path);

/* Put what each processor has in its batches on the LRU. */
void hz_drain_lru(void);

/* Memory of one kind at an aligned address; size from hz_size(). */
size_t hz_size(enum kind kind);
char *hz_map(enum kind kind, const char **why);
char *hz_map_size(enum kind kind, size_t size, const char **why);
/* Write to it so that it is backed as @kind says; false if it is not. */
bool hz_populate(char *mem, enum kind kind, char value);

int hz_uffd(void *mem, size_t size, uint64_t mode, const char **why);
int hz_uffd_with(uint64_t features, void *mem, size_t size, uint64_t mode,
		 const char **why);
int hz_uffd_wp(int uffd, void *mem, size_t size, bool protect);

/* Write-protect @mem: with @soft_dirty by clear_refs(4), and so all else, too. */
void hz_protect(bool soft_dirty, int uffd, void *mem, size_t size);
bool hz_protected(bool soft_dirty, const void *mem);

#endif
