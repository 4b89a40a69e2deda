// SPDX-License-Identifier: GPL-2.0
/*
 * H9: clear_refs(4) takes the soft-dirty bit of a page that a second clear_refs
 * finds clean. What the victim stores after the second has returned has to be
 * soft-dirty, whatever the first still has to flush.
 */
#include "hazard.h"

static volatile unsigned long *mem;

static bool clean(void)
{
	return !(hz_pagemap((void *)mem) & PM_SOFT_DIRTY);
}

static const char *setup(void)
{
	const char *why;

	mem = (void *)hz_map(SMALL, &why);
	if (!mem)
		return why;
	*mem = 1;
	return clean() ? "the kernel has no soft-dirty bit" : NULL;
}

static void prepare(void)
{
	*mem = 0;
}

static void victim(void)
{
	hz_store_counts(mem);
}

static void clear_refs(void)
{
	if (hz_write_file("/proc/self/clear_refs", "4"))
		hz_fail("clear_refs");
}

static void a(void)
{
	if (!hz_wait_count(1000))
		hz_fail("the victim does not write");
	hz_a_begins();
	clear_refs();
	hz_a_done();
}

static void b(void)
{
	bool came = hz_wait_for_a(clean);
	unsigned long n;

	clear_refs();
	n = hz_count;
	if (hz_wait_count(n + 1000))
		hz_lost = clean();
	else
		came = false;
	if (!came)
		hz_began = false;
	hz_wait(&hz_done);
	hz_stop = true;
}

static enum outcome judge(void)
{
	return hz_lost ? RED : hz_began ? HIT : MISS;
}

static const struct hazard h09 = {
	.name = "h09",
	.what_is_lost = "a store after clear_refs(4) is not soft-dirty",
	.setup = setup,
	.prepare = prepare,
	.judge = judge,
	.role = { victim, a, b },
};

int main(int argc, char **argv)
{
	return hz_main(&h09, argc, argv);
}
