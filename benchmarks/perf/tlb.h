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

/*
 * A benchmark of the tlb collection. Initiators perform ops; an op is
 * nr_steps calls of step(), each timed on its own, and costs their sum.
 * Victims spin in the same mm, each on a CPU of its own.
 *
 * Invariant: between two steps every victim has run and, where there is a
 * range, read each page of it (except with --back-to-back or @victims_off). So every
 * victim's CPU may hold the translations which the step changes.
 */
struct tlb_bench {
	const char	*name;
	const char	*op;		/* for people: what one op does */
	unsigned int	nr_steps;
	const char	*step_name[TLB_MAX_STEPS];
	bool		has_range;	/* works on memory: --size, --spread */
	bool		touches;	/* its first step is tlb_touch(): --every */
	bool		victims_off;	/* victims do not touch the range */

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
	int		(*step)(unsigned int step, void *addr, size_t size);
	void		(*cleanup)(void);
};

/* Write to each page, or to each of --every N pages. */
void tlb_touch(void *addr, size_t size);

int bench_tlb(const struct tlb_bench *bench, int argc, const char **argv);

#endif
