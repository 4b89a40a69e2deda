// SPDX-License-Identifier: GPL-2.0
/*
 * tlb/uffd-wp: a range which the victims read is write-protected through
 * userfaultfd, then un-protected, as a snapshot or live migration does it.
 * Nobody writes to the range meanwhile, so there are no faults to serve.
 */
#include <sys/ioctl.h>

#include "bench.h"
#include "tlb.h"
#include "tlb-uffd.h"

static const char *uffd_setup(void *addr, size_t size)
{
	return tlb_uffd_register(UFFD_FEATURE_PAGEFAULT_FLAG_WP, addr, size);
}

static int uffd_step(unsigned int step, void *addr, size_t size)
{
	struct uffdio_writeprotect wp = {
		.range = { .start = (unsigned long)addr, .len = size },
		.mode = step ? 0 : UFFDIO_WRITEPROTECT_MODE_WP,
	};

	return ioctl(tlb_uffd, UFFDIO_WRITEPROTECT, &wp);
}

static const struct tlb_bench uffd_wp_bench = {
	.name		= "uffd-wp",
	.op		= "UFFDIO_WRITEPROTECT to protect, then again to un-protect (two calls)",
	.nr_steps	= 2,
	.step_name	= { "wp", "unwp" },
	.has_range	= true,
	.setup		= uffd_setup,
	.step		= uffd_step,
	.cleanup	= tlb_uffd_close,
};

int bench_tlb_uffd_wp(int argc, const char **argv)
{
	return bench_tlb(&uffd_wp_bench, argc, argv);
}
