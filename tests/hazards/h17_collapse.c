// SPDX-License-Identifier: GPL-2.0
/*
 * H17, a collapse gives up: A collapses the small pages of a file. It unmaps one after
 * the other and flushes later, and gives up at the last one, to which a pipe has a
 * reference for a moment. That page is put back and unlocked: its batch must have been
 * flushed by then, because whoever finds it unlocked does not.
 *
 * A store is lost only if a third writes the page out, or moves it, in between: nothing
 * to see on a stock or patched kernel. A debug kernel asserts that the batch has been
 * flushed.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <unistd.h>

#include "hazard.h"

static volatile char *mem;
static size_t size;
static int file, pipes[2];

static const char *setup(void)
{
	const char *why;

	size = hz_size(THP);
	mem = hz_map(THP, &why);
	if (!mem)
		return why;
	file = memfd_create("h17_collapse", 0);
	if (file < 0 || pipe(pipes) || ftruncate(file, size))
		hz_fail("memfd or pipe");
	if (mmap((void *)mem, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, file, 0) !=
	    mem)
		hz_fail("mmap");
	mem[0] = 1;
	return madvise((void *)mem, size, MADV_COLLAPSE) ? "no MADV_COLLAPSE" : NULL;
}

static void prepare(void)
{
	/* The pages of the round before go, a huge one, too. */
	if (ftruncate(file, 0) || ftruncate(file, size) ||
	    madvise((void *)mem, size, MADV_NOHUGEPAGE))
		hz_fail("no small pages");
	for (size_t at = 0; at < size; at += hz_page)
		mem[at] = 1;
	if (madvise((void *)mem, size, MADV_HUGEPAGE))
		hz_fail("MADV_HUGEPAGE");
}

/* Without another CPU in the mm nothing is batched. */
static void victim(void)
{
	while (!atomic_load_explicit(&hz_done, memory_order_relaxed))
		(void)mem[0];
}

static void a(void)
{
	volatile char *last = mem + size - hz_page;
	bool hit = false;

	hz_a_begins();
	/* If the scan before sees the reference, all is as it was. */
	for (int i = 0; i < 50 && !hit && madvise((void *)mem, size, MADV_COLLAPSE); i++)
		hit = !(hz_pagemap((void *)last) & (PM_PRESENT | PM_SWAP));
	if (hit)
		hz_hit();
	hz_a_done();
}

/* Has the reference most of the time */
static void b(void)
{
	char page[hz_page];

	while (!hz_done) {
		off_t last = size - hz_page;
		uint64_t until;

		if (splice(file, &last, pipes[1], NULL, hz_page, 0) != hz_page)
			hz_fail("splice");
		until = hz_now() + 100000;
		while (hz_now() < until)
			;
		if (read(pipes[0], page, hz_page) != hz_page)
			hz_fail("read");
	}
}

static const struct hazard h17_collapse = {
	.name = "h17_collapse",
	.what_is_lost = "nothing that this test could see",
	.setup = setup,
	.prepare = prepare,
	.role = { victim, a, b },
	.batches_at_once = true,
};

int main(int argc, char **argv)
{
	return hz_main(&h17_collapse, argc, argv);
}
