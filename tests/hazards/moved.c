// SPDX-License-Identifier: GPL-2.0
/*
 * Reclaim flushes before it writes a dirty page. It unlocks one unflushed where it
 * may not write: kswapd after a boost, and everybody's first tries in laptop mode.
 * Those are tries at 1/4096 to 1/512 of the pages: it takes a cgroup with many.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "moved.h"

#define CGROUPS		"/sys/fs/cgroup/"
#define PAGES		(80 << 10)	/* reclaim begins with 20 of them */
#define SHARE		2048		/* pages that a round may use up */

static char reclaim[64];
static char *mem;
static volatile unsigned long *src;
static int page;

static void restore(void)
{
	hz_write_file("/proc/sys/vm/laptop_mode", "0");
	hz_write_file("/proc/sys/vm/swappiness", "60");
}

const char *moved_setup(const char *name)
{
	char cgroup[32], procs[64], pid[16];

	snprintf(cgroup, sizeof(cgroup), CGROUPS "%s", name);
	snprintf(procs, sizeof(procs), "%s/cgroup.procs", cgroup);
	snprintf(reclaim, sizeof(reclaim), "%s/memory.reclaim", cgroup);
	snprintf(pid, sizeof(pid), "%d", getpid());
	if (hz_write_file(CGROUPS "cgroup.subtree_control", "+memory") ||
	    (mkdir(cgroup, 0700) && errno != EEXIST) || hz_write_file(procs, pid))
		return "no memory cgroups";
	atexit(restore);
	if (hz_write_file("/proc/sys/vm/laptop_mode", "1") ||
	    hz_write_file("/proc/sys/vm/swappiness", "200"))
		return "no laptop mode";
	return NULL;
}

/* The oldest pages go first: those behind what the last round took. */
void moved_prepare(void)
{
	unsigned long node = 1;

	if (!mem || page > PAGES / 4) {
		if (mem)
			munmap(mem, PAGES * hz_page);
		mem = mmap(NULL, PAGES * hz_page, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (mem == MAP_FAILED)
			hz_fail("mmap");
		madvise(mem, PAGES * hz_page, MADV_NOHUGEPAGE);
		syscall(SYS_mbind, mem, PAGES * hz_page, 2 /* MPOL_BIND */, &node, 8, 0);
		for (int i = 0; i < PAGES; i++)
			mem[i * hz_page] = 1;
		page = 0;
	}
	for (int i = page; i < page + SHARE; i++)
		if (!(hz_pagemap(mem + i * hz_page) & PM_PRESENT))
			page = i + 1;
	src = (void *)(mem + page * hz_page);
	hz_drain_lru();
}

void moved_victim(void)
{
	hz_store_counts(src);
}

/* What was not used since must be seen as such: the victim's entry is in its TLB. */
void moved_a(void)
{
	if (!hz_wait_count(1000))
		hz_fail("the victim does not write");
	if (hz_write_file("/proc/self/clear_refs", "1"))
		hz_fail("clear_refs");
	hz_a_begins();
	hz_write_file(reclaim, "4K");
	hz_a_done();
}

static bool seen(void)
{
	return !(hz_pagemap((void *)src) & PM_PRESENT);
}

void moved_b(volatile unsigned long *(*move)(volatile unsigned long *src))
{
	if (hz_wait_for_a(seen)) {
		volatile unsigned long *dst = move(src);

		if (dst) {
			unsigned long was = *dst, n = hz_count;

			hz_wait_count(n + 10);
			hz_lost = *dst != was;
			hz_b_done = true;
		}
	}
	hz_wait(&hz_done);
	hz_stop = true;
}

enum outcome moved_judge(void)
{
	return hz_lost ? RED : hz_b_done ? HIT : MISS;
}
