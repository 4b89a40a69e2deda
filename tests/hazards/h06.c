// SPDX-License-Identifier: GPL-2.0
/*
 * H6: A write-protects a page with userfaultfd, its flush pending; KSM merges it
 * with others of the same content. What the victim stores through its old entry
 * after they were compared is in no page that anybody sees.
 *
 * No guard of ours is involved: KSM flushes what is exclusive.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/userfaultfd.h>
#include <sys/mman.h>

#include "hazard.h"

#define KSM	"/sys/kernel/mm/ksm/"

static volatile char *mem, *other;	/* other: two that are merged already */
static size_t size;			/* that A protects, in page order */
static int uffd;
static sigjmp_buf faulted;

static void handler(int sig)
{
	siglongjmp(faulted, sig);
}

static void stop_ksm(void)
{
	hz_write_file(KSM "run", "0");
}

static bool merged(volatile char *p, volatile char *q)
{
	return (hz_pagemap((char *)p) & PM_PFN) == (hz_pagemap((char *)q) & PM_PFN);
}

static const char *setup(void)
{
	struct sigaction action = { .sa_handler = handler };
	const char *why;

	size = 8 * hz_size(THP);
	mem = hz_map_size(SMALL, size, &why);
	if (!mem)
		return why;
	other = hz_map(SMALL, &why);
	if (madvise((char *)mem, hz_page, MADV_MERGEABLE) ||
	    madvise((char *)other, 2 * hz_page, MADV_MERGEABLE))
		return "no KSM";
	atexit(stop_ksm);
	hz_write_file(KSM "sleep_millisecs", "0");
	hz_write_file(KSM "smart_scan", "0");
	memset((char *)mem, 0, size);
	memset((char *)other, 'x', 2 * hz_page);
	if (hz_write_file(KSM "run", "1"))
		return "no KSM";
	for (int try = 0; !merged(other, other + hz_page); try++) {
		if (try == 1000)
			return "KSM does not merge";
		usleep(10000);
	}
	uffd = hz_uffd_with(UFFD_FEATURE_PAGEFAULT_FLAG_WP | UFFD_FEATURE_SIGBUS,
			    (char *)mem, size, UFFDIO_REGISTER_MODE_WP, &why);
	if (why)
		return why;
	sigaction(SIGBUS, &action, NULL);
	return NULL;
}

static void prepare(void)
{
	if (hz_write_file(KSM "run", "0"))
		hz_fail("ksm/run");
	if (hz_uffd_wp(uffd, (char *)mem, size, false))
		hz_fail("UFFDIO_WRITEPROTECT");
	memset((char *)mem, 'x', hz_page);
}

/* The same all the time, or KSM would not take the page. */
static void victim(void)
{
	unsigned long n = 0;

	if (sigsetjmp(faulted, 1))
		return;
	while (!atomic_load_explicit(&hz_stop, memory_order_relaxed)) {
		*mem = atomic_load(&hz_b_done) ? 'y' : 'x';
		atomic_store_explicit(&hz_count, ++n, memory_order_relaxed);
	}
}

static void a(void)
{
	if (!hz_wait_count(1000))
		hz_fail("the victim does not write");
	hz_a_begins();
	if (hz_uffd_wp(uffd, (char *)mem, size, true))
		hz_fail("UFFDIO_WRITEPROTECT");
	hz_a_done();
}

static bool seen(void)
{
	return merged(mem, other);
}

static void b(void)
{
	hz_wait(&hz_began);
	while (!(hz_pagemap((char *)mem) & PM_UFFD_WP) && !hz_done)
		;
	hz_write_file(KSM "run", "1");
	if (hz_wait_for_a(seen)) {
		unsigned long n = hz_count;

		hz_b_done = true;
		/* B has no old entry: it sees what the page table says. */
		if (hz_wait_count(n + 10) && *mem != 'y')
			hz_lost = true;
	}
	hz_wait(&hz_done);
	hz_stop = true;
}

static enum outcome judge(void)
{
	return hz_lost || *other != 'x' ? RED : HIT;
}

static const struct hazard h06 = {
	.name = "h06",
	.what_is_lost = "a store went to a page that KSM had replaced",
	.setup = setup,
	.prepare = prepare,
	.judge = judge,
	.role = { victim, a, b },
};

int main(int argc, char **argv)
{
	return hz_main(&h06, argc, argv);
}
