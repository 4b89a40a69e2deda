// SPDX-License-Identifier: GPL-2.0
/*
 * A page is swapped out; then mprotect() of a page in another table. It must not
 * flush more than if nothing had been swapped out.
 */
#include <string.h>
#include <sys/mman.h>

#include "count.h"

static char *swapped, *untouched;
static long flushes, usual;

static const char *setup(void)
{
	const char *why = count_setup();

	/* hz_map() takes a table for each. */
	if (!why)
		swapped = hz_map(SMALL, &why);
	if (!why)
		untouched = hz_map(SMALL, &why);
	return why;
}

static long protect(void)
{
	long before = count_flushes();

	if (mprotect(untouched, hz_page, PROT_READ))
		hz_fail("mprotect");
	return count_flushes() - before;
}

static void prepare(void)
{
	if (mprotect(untouched, hz_page, PROT_READ | PROT_WRITE))
		hz_fail("mprotect");
	*untouched = 1;
	usual = protect();
	if (mprotect(untouched, hz_page, PROT_READ | PROT_WRITE))
		hz_fail("mprotect");
	*swapped = *untouched = 1;
	hz_drain_lru();
}

static void a(void)
{
	if (madvise(swapped, hz_page, MADV_PAGEOUT))
		hz_fail("madvise");
	if (!(hz_pagemap(swapped) & PM_SWAP))
		flushes = -1;
	else
		flushes = protect();
	hz_hit();
	hz_stop = true;
}

static enum outcome judge(void)
{
	/* Alone, without the bystander, prepare() has nobody to interrupt. */
	return flushes < 0 ? MISS : count_judge(flushes, usual > 1 ? usual : 1);
}

static const struct hazard i01 = {
	.name = "i01",
	.what_is_lost = "a flush in a table that reclaim did not touch",
	.setup = setup,
	.prepare = prepare,
	.judge = judge,
	.role = { count_bystander, a },
};

int main(int argc, char **argv)
{
	return hz_main(&i01, argc, argv);
}
