// SPDX-License-Identifier: GPL-2.0
/*
 * H10: PAGEMAP_SCAN protects a page and ends in one of the ways that it can: at the
 * end, its buffer full, by an error of its own, by one of its reader, in a hole, or killed.
 * A store after that has to be in the next scan.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pagemap.h"
#include "scanned.h"

/* Written or protected; no table yet; hole in the address space; not registered. */
#define PAGES		(4 * 512L)
#define EMPTY		(4 * 512L)
#define HOLE		512L
#define STACK		(64 << 10)

static char *area, *other, *stack;
static unsigned int way;
static int uffd = -1;

static const char *setup(void)
{
	size_t hole = HOLE * hz_page;
	const char *why = scanned_map(SMALL, (PAGES + EMPTY + HOLE + 1) * hz_page);

	if (why)
		return why;
	stack = malloc(STACK);
	area = (char *)scanned;
	other = area + (PAGES + EMPTY + HOLE) * hz_page;
	if (!stack || munmap(other - hole, hole) ||
	    mmap(other, hz_page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) !=
	    other)
		return "no memory";
	return NULL;
}

/* Page tables stay when what they map goes: without one is only what is new. */
static void prepare(void)
{
	char *empty = area + PAGES * hz_page;
	size_t size = EMPTY * hz_page;
	const char *why;

	if (uffd >= 0)
		close(uffd);
	if (mmap(empty, size, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != empty)
		hz_fail("mmap");
	uffd = hz_uffd_with(UFFD_FEATURE_WP_ASYNC | UFFD_FEATURE_WP_UNPOPULATED, empty, size,
			    UFFDIO_REGISTER_MODE_WP, &why);
	if (uffd < 0)
		hz_fail("%s", why);
	if (madvise(area, PAGES * hz_page, MADV_DONTNEED))
		hz_fail("MADV_DONTNEED");
	for (long i = 0; i < PAGES; i++)
		area[i * hz_page] = 1;
	scanned_prepare();
	way++;
}

static int scan(char *end, struct page_region *regions, int nr)
{
	return pagemap_scan(scanned_pagemap, area, end, true, regions, nr, NULL);
}

/* Protects what is not there, too, and says nothing of it. */
static int protect_all(void)
{
	struct pm_scan_arg arg = {
		.size = sizeof(arg),
		.flags = PM_SCAN_WP_MATCHING,
		.start = (uintptr_t)area,
		.end = (uintptr_t)area + (PAGES + EMPTY + HOLE) * hz_page,
		.return_mask = PAGE_IS_WRITTEN,
	};

	return ioctl(scanned_pagemap, PAGEMAP_SCAN, &arg);
}

/* Nobody else writes to the others: the walk is longer if they are written, too. */
static int killed(void *arg)
{
	struct page_region region;

	for (;;) {
		scan(area + PAGES * hz_page, &region, 1);
		for (long i = 1; i < PAGES; i++)
			area[i * hz_page]++;
	}
	return arg != NULL;
}

static void kill_one(void)
{
	pid_t child = clone(killed, stack + STACK, CLONE_VM | CLONE_FILES | SIGCHLD, NULL);

	if (child < 0)
		hz_fail("clone");
	usleep(random() % 5000);
	kill(child, SIGKILL);
	if (waitpid(child, NULL, 0) != child)
		hz_fail("waitpid");
}

static void a(void)
{
	char *end = area + (PAGES + EMPTY) * hz_page;
	struct page_region region;

	if (!hz_wait_count(1000))
		hz_fail("the victim does not write");
	hz_a_begins();
	switch (way % 6) {
	case 0:
		if (scan(end + HOLE * hz_page, &region, 1) != 1)
			hz_fail("a whole PAGEMAP_SCAN");
		break;
	case 1:
		/* Two regions. */
		if (madvise(area + hz_page, hz_page, MADV_DONTNEED) ||
		    scan(end, &region, 1) != 1)
			hz_fail("PAGEMAP_SCAN with a full buffer");
		break;
	case 2:
		if (scan(other + hz_page, &region, 1) != -1 || errno != EPERM)
			hz_fail("PAGEMAP_SCAN of what is not registered");
		break;
	case 3:
		if (scan(end, (void *)other, 1) != -1 || errno != EFAULT)
			hz_fail("PAGEMAP_SCAN to no memory");
		break;
	case 4:
		if (protect_all())
			hz_fail("PAGEMAP_SCAN without a buffer");
		break;
	case 5:
		kill_one();
		break;
	}
	hz_a_done();
}

static void b(void)
{
	bool seen = hz_wait_for_a(scanned_seen);

	hz_wait_for_a_done();
	if (seen)
		scanned_check();
	hz_stop = true;
}

static const struct hazard h10_ways = {
	.name = "h10_ways",
	.what_is_lost = "a store after PAGEMAP_SCAN is in no later scan",
	.setup = setup,
	.prepare = prepare,
	.role = { scanned_victim, a, b },
};

int main(int argc, char **argv)
{
	return hz_main(&h10_ways, argc, argv);
}
