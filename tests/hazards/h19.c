// SPDX-License-Identifier: GPL-2.0
/*
 * H19: reclaim unmaps a page, its batch not flushed, and keeps it in the swap cache.
 * B moves the swap entry elsewhere with UFFDIO_MOVE and faults the page in there.
 * The victim still stores to it through the old address.
 *
 * Reclaim flushes before it writes a dirty page. It unlocks one unflushed where it
 * may not write: kswapd after a boost, and everybody's first tries in laptop mode.
 * Those are tries at 1/4096 to 1/512 of the pages: it takes a cgroup with many.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "hazard.h"
#include "pagemap.h"

#define CGROUP		"/sys/fs/cgroup/h19/"
#define PAGES		(80 << 10)	/* reclaim begins with 20 of them */
#define SHARE		2048		/* pages that a round may use up */

static char *mem;
static volatile unsigned long *src, *dst;
static int page;
static int uffd;

static void restore(void)
{
	hz_write_file("/proc/sys/vm/laptop_mode", "0");
	hz_write_file("/proc/sys/vm/swappiness", "60");
}

static const char *setup(void)
{
	const char *why;
	char *at;
	char pid[16];

	at = hz_map(SMALL, &why);
	if (!at)
		return why;
	dst = (void *)at;
	uffd = hz_uffd_with(UFFD_FEATURE_MOVE, at, hz_page, UFFDIO_REGISTER_MODE_MISSING, &why);
	if (why)
		return "no UFFDIO_MOVE";
	snprintf(pid, sizeof(pid), "%d", getpid());
	if (hz_write_file("/sys/fs/cgroup/cgroup.subtree_control", "+memory") ||
	    (mkdir(CGROUP, 0700) && errno != EEXIST) ||
	    hz_write_file(CGROUP "cgroup.procs", pid))
		return "no memory cgroups";
	atexit(restore);
	if (hz_write_file("/proc/sys/vm/laptop_mode", "1") ||
	    hz_write_file("/proc/sys/vm/swappiness", "200"))
		return "no laptop mode";
	return NULL;
}

/* The oldest pages go first: those behind what the last round took. */
static void prepare(void)
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
	if (madvise((void *)dst, hz_page, MADV_DONTNEED))
		hz_fail("MADV_DONTNEED");
	hz_drain_lru();
}

static void victim(void)
{
	hz_store_counts(src);
}

/* What was not used since must be seen as such: the victim's entry is in its TLB. */
static void a(void)
{
	if (!hz_wait_count(1000))
		hz_fail("the victim does not write");
	if (hz_write_file("/proc/self/clear_refs", "1"))
		hz_fail("clear_refs");
	hz_a_begins();
	hz_write_file(CGROUP "memory.reclaim", "4K");
	hz_a_done();
}

static bool seen(void)
{
	return !(hz_pagemap((void *)src) & PM_PRESENT);
}

static void b(void)
{
	if (hz_wait_for_a(seen)) {
		struct uffdio_move move = {
			.dst = (uintptr_t)dst, .src = (uintptr_t)src, .len = hz_page,
		};

		while (ioctl(uffd, UFFDIO_MOVE, &move) && errno == EAGAIN)
			move.move = 0;
		if (move.move == hz_page) {
			unsigned long was = *dst, n = hz_count;

			hz_wait_count(n + 10);
			hz_lost = *dst != was;
			hz_b_done = true;
		}
	}
	hz_wait(&hz_done);
	hz_stop = true;
}

static enum outcome judge(void)
{
	return hz_lost ? RED : hz_b_done ? HIT : MISS;
}

static const struct hazard h19 = {
	.name = "h19",
	.what_is_lost = "a page that was moved away was written through its old address",
	.setup = setup,
	.prepare = prepare,
	.judge = judge,
	.role = { victim, a, b },
};

int main(int argc, char **argv)
{
	return hz_main(&h19, argc, argv);
}
