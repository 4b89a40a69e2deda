// SPDX-License-Identifier: GPL-2.0
/*
 * Page faults go on while clear_refs(4) walks.
 */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "count.h"

#define SIZE	(64UL << 20)
#define WALKS	10
#define FRESH	(16UL << 20)
/* More than what fits in between the walks, a fraction of what fits into them. */
#define FAULTS	(10 * WALKS)

static char *mem, *faulting;
static uint64_t walk, worst;
static unsigned long faults;

static const char *setup(void)
{
	const char *why;

	mem = hz_map_size(SMALL, SIZE, &why);
	if (!why)
		faulting = hz_map_size(SMALL, FRESH, &why);
	if (why)
		return why;
	*mem = 1;
	return hz_pagemap(mem) & PM_SOFT_DIRTY ? NULL : "the kernel has no soft-dirty bit";
}

static void prepare(void)
{
	memset(mem, 1, SIZE);
	if (madvise(faulting, FRESH, MADV_DONTNEED))
		hz_fail("madvise");
	worst = 0;
	faults = 0;
}

static void a(void)
{
	uint64_t start;

	hz_wait_count(10);
	start = hz_now();
	hz_a_begins();
	for (int i = 0; i < WALKS; i++)
		if (hz_write_file("/proc/self/clear_refs", "4"))
			hz_fail("clear_refs");
	walk = hz_now() - start;
	hz_hit();
	hz_a_done();
}

/* Takes no mmap_lock but in the slow path of a fault, and when all is populated. */
static void b(void)
{
	size_t offset = 0;

	while (!hz_done) {
		bool began = hz_began;
		uint64_t start = hz_now(), took;

		*(volatile char *)(faulting + offset) = 1;
		took = hz_now() - start;
		offset = (offset + hz_page) % FRESH;
		if (!offset && madvise(faulting, FRESH, MADV_DONTNEED))
			hz_fail("madvise");
		hz_count++;
		if (began) {
			faults++;
			worst = took > worst ? took : worst;
		}
	}
}

static enum outcome judge(void)
{
	static unsigned long fewest = -1UL;

	if (faults < fewest) {
		fewest = faults;
		printf("# %lu faults in walks of %llu us, the longest took %llu us\n", faults,
		       (unsigned long long)walk / 1000, (unsigned long long)worst / 1000);
	}
	return faults < FAULTS ? RED : HIT;
}

static const struct hazard i03 = {
	.name = "i03",
	.what_is_lost = "the time of a page fault while clear_refs(4) walks",
	.setup = setup,
	.prepare = prepare,
	.judge = judge,
	.role = { a, b },
};

int main(int argc, char **argv)
{
	return hz_main(&i03, argc, argv);
}
