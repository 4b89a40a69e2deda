// SPDX-License-Identifier: GPL-2.0
#include <unistd.h>

#include "wp.h"

static volatile unsigned long *mem;
static enum kind kind;
static bool soft_dirty;
static int uffd;
static atomic_bool victim_done;

static bool seen(void)
{
	return hz_protected(soft_dirty, (void *)mem);
}

const char *wp_setup(enum kind kind_, bool soft_dirty_)
{
	const char *why;

	kind = kind_;
	soft_dirty = soft_dirty_;
	mem = (void *)hz_map(kind, &why);
	if (!mem)
		return why;
	uffd = hz_uffd((void *)mem, hz_size(kind), UFFDIO_REGISTER_MODE_WP, &why);
	if (why)
		return why;
	if (!hz_populate((char *)mem, kind, 1))
		return "no huge page to be had";
	return soft_dirty && seen() ? "the kernel has no soft-dirty bit" : NULL;
}

void wp_prepare(void)
{
	*mem = 0;
	victim_done = false;
}

/* Blocks in the fault once its entry is gone, until B's check is over. */
void wp_victim(void)
{
	hz_store_counts(mem);
	victim_done = true;
}

void wp_a(void)
{
	if (!hz_wait_count(1000))
		hz_fail("the victim does not write");
	hz_a_begins();
	hz_protect(soft_dirty, uffd, (void *)mem, hz_size(kind));
	hz_a_done();
}

void wp_b(void)
{
	if (hz_wait_for_a(seen)) {
		unsigned long snapshot;
		uint64_t until;

		if (hz_uffd_wp(uffd, (void *)mem, hz_size(kind), true))
			hz_fail("write-protect");
		snapshot = *mem;
		until = hz_now() + 100000;
		while (hz_now() < until)
			if (*mem != snapshot)
				hz_lost = true;
	}
	hz_wait_for_a_done();
	hz_stop = true;
	/*
	 * More than once: a fault on hugetlb that comes to wait behind the wakeup
	 * does so until the next, because the entry is still read-only.
	 */
	do {
		if (hz_uffd_wp(uffd, (void *)mem, hz_size(kind), false))
			hz_fail("un-protect");
		usleep(100);
	} while (!victim_done);
}
