/* SPDX-License-Identifier: GPL-2.0 */
#ifndef BENCH_TLB_H
#define BENCH_TLB_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>
#include <sys/syscall.h>

/* The <asm/unistd.h> in tools/arch/x86 hides the system's and lists few calls. */
#if defined(__x86_64__) && !defined(__NR_membarrier)
#define __NR_userfaultfd	323
#define __NR_membarrier		324
#elif defined(__i386__) && !defined(__NR_membarrier)
#define __NR_userfaultfd	374
#define __NR_membarrier		375
#endif

#define TLB_MAX_STEPS	3

enum tlb_victims {
	TLB_READ,	/* read the range: their CPUs may hold its translations */
	TLB_SPIN,	/* spin, and do not touch it */
	TLB_FAULT,	/* fault pages of their own in, and take the time */
	TLB_STOLEN,	/* spin, and measure what interrupts take from them */
};

/*
 * A benchmark of the tlb collection. Initiators perform ops; an op is
 * nr_steps calls of step(), each timed on its own, and costs their sum.
 * Victims spin in the same mm, each on a CPU of its own.
 *
 * Invariant: between two steps every victim has run and read each page of the
 * range (except with --back-to-back and where .victims says otherwise). So
 * every victim's CPU may hold the translations which the step changes.
 */
struct tlb_bench {
	const char	*name;
	const char	*op;		/* for people: what one op does */
	unsigned int	nr_steps;
	const char	*step_name[TLB_MAX_STEPS];
	bool		touches;	/* its first step is tlb_touch(): --every */
	bool		unmaps;		/* its first step unmaps the range, the second maps it */
	bool		scales;		/* one run for 1, 2, ... --threads victims */
	enum tlb_victims victims;
	const char	*size;		/* default for --size; NULL: one page */
	u64		loops;		/* default for --loops; 0: 10000 */

	/*
	 * Called before there is any memory. @written: the bytes of all pages
	 * that tlb_touch() will write to. Returns NULL, or why this machine
	 * cannot run the benchmark.
	 */
	const char	*(*check)(u64 written);

	/*
	 * Called once for each initiator with its populated, dirty part of the
	 * range. Returns NULL, or why this machine cannot run the benchmark.
	 */
	const char	*(*setup)(void *addr, size_t size);
	/* Not 0: errno tells; ETIMEDOUT, where there is too_late, is no error but that. */
	int		(*step)(unsigned int step, void *addr, size_t size);
	const char	*too_late;
	void		(*cleanup)(void);
};

/* tlb-mprotect.c: to read-only, then back to read-write */
int tlb_mprotect_step(unsigned int step, void *addr, size_t size);

/* Write to each page, or to each of --every N pages. */
void tlb_touch(void *addr, size_t size);

int bench_tlb(const struct tlb_bench *bench, int argc, const char **argv);

#endif
