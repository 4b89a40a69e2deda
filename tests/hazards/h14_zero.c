// SPDX-License-Identifier: GPL-2.0
/*
 * H14, a hole that is none: a write fault splits the huge zero page, whose entry is
 * clear until its table is filled. Userfaultfd write-protect takes that for a hole and
 * returns. The zero pages that come then are not protected: a write to one of them is
 * in no event.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "hazard.h"

static volatile char *mem;
static long pages;
static int uffd;

static const char *setup(void)
{
	const char *why;

	mem = hz_map(THP, &why);
	if (!mem)
		return why;
	pages = hz_size(THP) / hz_page;
	if (hz_write_file(HZ_THP "use_zero_page", "1"))
		return "no huge zero page";
	uffd = hz_uffd((void *)mem, hz_size(THP), UFFDIO_REGISTER_MODE_WP, &why);
	return why;
}

/* A table stays when its pages are gone: only what is new gets the huge zero page. */
static void prepare(void)
{
	struct uffdio_register reg = {
		.range = { (uintptr_t)mem, hz_size(THP) },
		.mode = UFFDIO_REGISTER_MODE_WP,
	};

	if (mmap((char *)mem, hz_size(THP), PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED ||
	    madvise((char *)mem, hz_size(THP), MADV_HUGEPAGE) ||
	    ioctl(uffd, UFFDIO_REGISTER, &reg))
		hz_fail("map");
	(void)*mem;
	/* Without memory for it there is a small zero page, and a hole behind that. */
	if (!(hz_pagemap((char *)mem + hz_size(THP) - hz_page) & PM_PRESENT)) {
		errno = ENOMEM;
		hz_fail("the huge zero page");
	}
}

/* The split has to interrupt somebody. */
static void victim(void)
{
	while (!atomic_load_explicit(&hz_stop, memory_order_relaxed))
		(void)mem[hz_page];
}

/* Waits in the fault until B takes the protection off, if B came first. */
static void a(void)
{
	hz_a_begins();
	*mem = 'x';
	hz_a_done();
}

static void b(void)
{
	uint64_t until;

	hz_wait(&hz_began);
	until = hz_now() + random() % 200000;
	while (hz_now() < until)
		;
	if (!atomic_load(&hz_done))
		hz_hit();
	if (hz_uffd_wp(uffd, (void *)mem, hz_size(THP), true))
		hz_fail("UFFDIO_WRITEPROTECT");
	/* A may be in the middle of the split still. */
	usleep(1000);
	for (long i = 1; i < pages; i++)
		if (!(hz_pagemap((char *)mem + i * hz_page) & PM_UFFD_WP))
			hz_lost = true;
	hz_uffd_wp(uffd, (void *)mem, hz_size(THP), false);
	hz_wait(&hz_done);
	hz_stop = true;
}

static const struct hazard h14_zero = {
	.name = "h14_zero",
	.what_is_lost = "a page is not write-protected after UFFDIO_WRITEPROTECT had returned",
	.setup = setup,
	.prepare = prepare,
	.role = { victim, a, b },
	.counter = "thp_split_pmd",
};

int main(int argc, char **argv)
{
	return hz_main(&h14_zero, argc, argv);
}
