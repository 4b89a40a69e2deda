// SPDX-License-Identifier: GPL-2.0
/*
 * H11: a PTE table is replaced. A collapses what a file has a huge page for and is
 * mapped by PTEs: it clears them, drops their lock and flushes when it takes the
 * table away. In between B discards the memory, finds nothing and returns. The
 * victim still reads through an old entry.
 *
 * There are a few instructions in between. B runs on A's processor, with priority:
 * if it wakes up while A has the lock, it is on as soon as A drops it, and A does
 * not go on before B sleeps. Nothing can be faulted in meanwhile: A has the folio
 * locked. It takes a preemptible kernel.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <unistd.h>
#include <sys/resource.h>

#include "punch.h"

#define COLLAPSED	HZ_THP "khugepaged/pages_collapsed"

static long collapsed;
static bool failed;

static const char *setup(void)
{
	const char *why = punch_setup(THP, false);

	if (why)
		return why;
	/* B must not sleep in its flush. */
	if (hz_delay && hz_write_file(HZ_DEBUG "delay_us", "0"))
		hz_fail("delay_us");
	punch_prepare();
	return madvise((void *)punch_mem, hz_size(THP), MADV_COLLAPSE) ?
		"no MADV_COLLAPSE" : NULL;
}

static void prepare(void)
{
	size_t size = hz_size(THP);
	char *mem;

	punch_prepare();
	mem = (char *)punch_mem;
	if (madvise(mem, size, MADV_NOHUGEPAGE) || madvise(mem, size, MADV_DONTNEED))
		hz_fail("madvise");
	for (size_t at = 0; at < size; at += hz_page)
		(void)punch_mem[at];
	collapsed = hz_read_file(COLLAPSED);
	if (madvise(mem, size, MADV_HUGEPAGE))
		hz_fail("MADV_HUGEPAGE");
}

/* Not the first: arm64 flushes when the first of 16 contiguous entries goes. */
static volatile char *last(void)
{
	return punch_mem + hz_size(THP) - hz_page;
}

static void victim(void)
{
	volatile char *p = last();
	unsigned long n = 0;

	while (!atomic_load_explicit(&hz_stop, memory_order_relaxed)) {
		(void)*p;
		atomic_store_explicit(&hz_count, ++n, memory_order_release);
	}
}

static void a(void)
{
	if (!hz_wait_count(1000))
		hz_fail("the victim does not read");
	hz_a_begins();
	failed = madvise((void *)punch_mem, hz_size(THP), MADV_COLLAPSE);
	hz_a_done();
}

/* How often has B let A run? */
static long switches(void)
{
	struct rusage usage;

	getrusage(RUSAGE_THREAD, &usage);
	return usage.ru_nvcsw + usage.ru_nivcsw;
}

static long before;

static bool seen(void)
{
	usleep(200);
	before = switches();
	/* Who migrates it leaves an entry, which counts as swap. */
	return !(hz_pagemap((void *)last()) & (PM_PRESENT | PM_SWAP));
}

static void b(void)
{
	struct sched_param param = { .sched_priority = 1 };
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(1, &cpus);
	if (sched_setaffinity(0, sizeof(cpus), &cpus) ||
	    sched_setscheduler(0, SCHED_FIFO, &param))
		hz_fail("scheduler");
	while (!hz_began)
		usleep(200);
	if (hz_wait_for_a(seen)) {
		uint64_t until;
		unsigned long n;

		if (madvise((void *)punch_mem, hz_size(THP), MADV_DONTNEED))
			hz_fail("MADV_DONTNEED");
		/* The first may have begun before. */
		n = hz_count;
		until = hz_now() + 20000000;
		while (hz_now() < until && hz_count < n + 100)
			;
		hz_lost = hz_count >= n + 100;
		if (switches() != before) {
			hz_lost = false;
			hz_no_hit();
		}
	}
	while (!hz_done)
		usleep(200);
	hz_stop = true;
}

/* If khugepaged came first, B saw what it did, and nothing was locked any more. */
static enum outcome judge(void)
{
	if (failed || hz_read_file(COLLAPSED) != collapsed)
		return MISS;
	return hz_lost ? RED : HIT;
}

static const struct hazard h11_collapse = {
	.name = "h11_collapse",
	.what_is_lost = "memory was read after MADV_DONTNEED had returned",
	.setup = setup,
	.prepare = prepare,
	.judge = judge,
	.role = { victim, a, b },
};

int main(int argc, char **argv)
{
	return hz_main(&h11_collapse, argc, argv);
}
