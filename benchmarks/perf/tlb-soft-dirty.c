// SPDX-License-Identifier: GPL-2.0
/*
 * tlb/soft-dirty: the range is written to, then a 4 in /proc/self/clear_refs
 * takes the soft-dirty bits of the whole process, as CRIU does it before each
 * incremental dump.
 */
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <linux/compiler.h>

#include "bench.h"
#include "tlb.h"

#define PM_SOFT_DIRTY	(1ULL << 55)

static int clear_refs = -1;

static bool soft_dirty(void *addr)
{
	int pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	off_t offset = (unsigned long)addr / sysconf(_SC_PAGESIZE) * sizeof(u64);
	u64 entry = 0;

	if (pagemap < 0)
		return false;
	if (pread(pagemap, &entry, sizeof(entry), offset) != sizeof(entry))
		entry = 0;
	close(pagemap);
	return entry & PM_SOFT_DIRTY;
}

static const char *clear_setup(void *addr, size_t size __maybe_unused)
{
	if (!soft_dirty(addr))
		return "kernel without CONFIG_MEM_SOFT_DIRTY";
	if (clear_refs < 0)
		clear_refs = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);
	return clear_refs < 0 ? "no /proc/self/clear_refs" : NULL;
}

static int clear_step(unsigned int step, void *addr, size_t size)
{
	if (step)
		return write(clear_refs, "4", 1) == 1 ? 0 : -1;
	tlb_touch(addr, size);
	return 0;
}

static void clear_cleanup(void)
{
	if (clear_refs >= 0)
		close(clear_refs);
	clear_refs = -1;
}

static const struct tlb_bench soft_dirty_bench = {
	.name		= "soft-dirty",
	.op		= "write to pages, then clear_refs(4)",
	.nr_steps	= 2,
	.step_name	= { "touch", "clear" },
	.touches	= true,
	.setup		= clear_setup,
	.step		= clear_step,
	.cleanup	= clear_cleanup,
};

int bench_tlb_soft_dirty(int argc, const char **argv)
{
	return bench_tlb(&soft_dirty_bench, argc, argv);
}
