// SPDX-License-Identifier: GPL-2.0
/*
 * H9, and what migration unmapped: A moves pages to another node; they have migration
 * entries, the batch is not flushed. clear_refs(4) takes the soft-dirty bit of such an
 * entry. What the victim stores after it has returned has to be soft-dirty.
 *
 * Whatever clear_refs flushes, x86 flushes all then: the batch has bumped the mm's
 * x86 generation. So two other processes do both, and nothing but the victim writes
 * meanwhile, to this page and to a huge one of hugetlbfs, which clear_refs passes over.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "migrate.h"

static volatile unsigned long *page;
static unsigned int rounds;
static pid_t parent;

/* The children write here, and we only to begin. */
static struct {
	atomic_uint round;		/* that runs, from 1 */
	atomic_uint clean, cleared, migrated;
	atomic_ulong count;		/* the victim's stores */
} *shared;

static void child_b(void)
{
	int clear_refs, pagemap;
	char path[64];
	uint64_t entry;

	snprintf(path, sizeof(path), "/proc/%d/clear_refs", parent);
	clear_refs = open(path, O_WRONLY);
	snprintf(path, sizeof(path), "/proc/%d/pagemap", parent);
	pagemap = open(path, O_RDONLY);
	for (unsigned int round = 1; ; round++) {
		while (shared->round < round)
			usleep(100);
		if (pwrite(clear_refs, "4", 1, 0) != 1)
			_exit(1);
		shared->clean = round;
		do {
			if (pread(pagemap, &entry, sizeof(entry),
				  (uintptr_t)page / hz_page * sizeof(entry)) != sizeof(entry))
				_exit(1);
		} while ((entry & PM_PRESENT) && shared->migrated < round);
		if (pwrite(clear_refs, "4", 1, 0) != 1)
			_exit(1);
		shared->cleared = round;
	}
}

static void child_a(void)
{
	for (unsigned int round = 1; ; round++) {
		while (shared->clean < round)
			usleep(100);
		/* The victim makes its page dirty again. */
		usleep(1000);
		migrate_pages(parent, migrate_mem, MIGRATE_PAGES, 1);
		shared->migrated = round;
	}
}

static const char *setup(void)
{
	void (*child[])(void) = { child_a, child_b };
	const char *why;

	migrate_mem = hz_map_size(SMALL, MIGRATE_PAGES * hz_page, &why);
	if (!migrate_mem)
		return why;
	page = (void *)migrate_mem;
	memset((void *)migrate_mem, 1, MIGRATE_PAGES * hz_page);
	if (!(hz_pagemap((void *)page) & PM_SOFT_DIRTY))
		return "the kernel has no soft-dirty bit";
	if (!migrate(1) || !migrate(0))
		return "no second node to migrate to";
	parent = getpid();
	shared = mmap(NULL, hz_size(HUGETLB), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	if (shared == MAP_FAILED)
		return "no hugetlb page";
	for (int i = 0; i < 2; i++) {
		pid_t pid = fork();

		if (pid < 0)
			hz_fail("fork");
		if (!pid) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			child[i]();
		}
	}
	return NULL;
}

static void prepare(void)
{
	shared->count = 0;
	migrate(0);
	memset((void *)migrate_mem, 1, MIGRATE_PAGES * hz_page);
	hz_drain_lru();
}

static void victim(void)
{
	while (!atomic_load_explicit(&hz_stop, memory_order_relaxed)) {
		++*page;
		shared->count++;
	}
}

static void b(void)
{
	unsigned long n;
	bool stored;

	while (shared->count < 1000)
		;
	shared->round = ++rounds;
	while (shared->cleared < rounds)
		;
	/* Nobody stores once the page is back, which would mend it. */
	n = shared->count;
	while (shared->count < n + 2 && shared->migrated < rounds)
		;
	stored = shared->count >= n + 2 && shared->migrated < rounds;
	hz_stop = true;
	if (shared->migrated < rounds)
		hz_hit();
	while (shared->migrated < rounds)
		usleep(100);
	if (stored)
		hz_lost = !(hz_pagemap((void *)page) & PM_SOFT_DIRTY);
}

static const struct hazard h09_gone = {
	.name = "h09_gone",
	.what_is_lost = "a store after clear_refs(4) is not soft-dirty",
	.setup = setup,
	.prepare = prepare,
	.role = { victim, b },
};

int main(int argc, char **argv)
{
	/* The kernel writes to rseq areas, here and there. */
	if (!getenv("GLIBC_TUNABLES")) {
		setenv("GLIBC_TUNABLES", "glibc.pthread.rseq=0", 1);
		execv("/proc/self/exe", argv);
	}
	return hz_main(&h09_gone, argc, argv);
}
