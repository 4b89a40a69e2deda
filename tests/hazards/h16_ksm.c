// SPDX-License-Identifier: GPL-2.0
/*
 * H16, another way to lose a bit: KSM merges a page that was written since the
 * last clear_refs(4), or one that is write-protected with userfaultfd. The entry
 * of the merged page has to be soft-dirty, and write-protected, as the old one was.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/userfaultfd.h>
#include <sys/mman.h>

#include "hazard.h"

#define KSM	"/sys/kernel/mm/ksm/"

/* Written; write-protected; what they are merged with */
static char *written, *protected, *other;
static int uffd;
static bool tracks_soft_dirty;

static void stop_ksm(void)
{
	hz_write_file(KSM "run", "2");
	hz_write_file(KSM "run", "0");
}

static bool is(const char *page, uint64_t bit)
{
	return hz_pagemap(page) & bit;
}

static bool merged(const char *page)
{
	return (hz_pagemap(page) & PM_PFN) == (hz_pagemap(other) & PM_PFN);
}

static const char *setup(void)
{
	const char *why;

	/*
	 * mmap() goes downwards, KSM upwards: what it finds second stays, and is what the
	 * other two are replaced by.
	 */
	protected = hz_map(SMALL, &why);
	if (!protected)
		return why;
	other = hz_map(SMALL, &why);
	written = hz_map(SMALL, &why);
	if (madvise(written, hz_page, MADV_MERGEABLE) ||
	    madvise(protected, hz_page, MADV_MERGEABLE) ||
	    madvise(other, hz_page, MADV_MERGEABLE))
		return "no KSM";
	uffd = hz_uffd_with(UFFD_FEATURE_PAGEFAULT_FLAG_WP, protected, hz_page,
			    UFFDIO_REGISTER_MODE_WP, &why);
	if (why)
		return why;
	atexit(stop_ksm);
	hz_write_file(KSM "sleep_millisecs", "0");
	hz_write_file(KSM "smart_scan", "0");
	*written = 1;
	tracks_soft_dirty = is(written, PM_SOFT_DIRTY);
	return hz_write_file(KSM "run", "0") ? "no KSM" : NULL;
}

static void prepare(void)
{
	hz_write_file(KSM "run", "2");		/* unmerge */
	if (hz_uffd_wp(uffd, protected, hz_page, false))
		hz_fail("un-protect");
	memset(protected, 'x', hz_page);
	memset(other, 'x', hz_page);
	if (hz_uffd_wp(uffd, protected, hz_page, true))
		hz_fail("write-protect");
	hz_write_file("/proc/self/clear_refs", "4");
	memset(written, 'x', hz_page);
	if (!is(protected, PM_UFFD_WP) || (tracks_soft_dirty && !is(written, PM_SOFT_DIRTY)))
		hz_fail("the bits are not set");
}

static void a(void)
{
	hz_write_file(KSM "run", "1");
	for (int try = 0; !merged(written) || !merged(protected); try++) {
		if (try == 1000)
			hz_fail("KSM does not merge");
		usleep(10000);
	}
	hz_hit();
}

static enum outcome judge(void)
{
	if (tracks_soft_dirty && !is(written, PM_SOFT_DIRTY))
		return RED;
	return is(protected, PM_UFFD_WP) ? HIT : RED;
}

static const struct hazard h16_ksm = {
	.name = "h16_ksm",
	.what_is_lost = "a page that KSM merged is no longer soft-dirty or write-protected",
	.setup = setup,
	.prepare = prepare,
	.judge = judge,
	.role = { a },
};

int main(int argc, char **argv)
{
	return hz_main(&h16_ksm, argc, argv);
}
