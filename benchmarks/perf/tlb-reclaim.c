// SPDX-License-Identifier: GPL-2.0
/*
 * tlb/reclaim: the range is written to, which brings it in from swap space, and
 * then swapped out with MADV_PAGEOUT, as reclaim does it under pressure. Then one
 * page elsewhere is protected and un-protected: what does that have to pay?
 */
#include <stdlib.h>
#include <unistd.h>

#include <linux/kernel.h>
/* <sys/sysinfo.h> takes it from <linux/kernel.h>, of which perf has its own. */
#include <linux/sysinfo.h>
#include <linux/zalloc.h>
#include <sys/mman.h>
#include <sys/sysinfo.h>

#include "bench.h"
#include "tlb.h"

/* Headers before Linux 5.4 */
#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT	21
#endif

/* Of each initiator: a page in a page table of its own */
static struct other {
	void	*part;
	char	*page;
} *others;
static unsigned int nr_others;
static size_t page_size;

static const char *reclaim_setup(void *addr, size_t size)
{
	struct sysinfo info;
	size_t table;
	char *map;

	if (sysinfo(&info) || !info.totalswap)
		return "no swap space";
	if (madvise(addr, size, MADV_PAGEOUT))
		return "kernel without MADV_PAGEOUT";

	page_size = sysconf(_SC_PAGESIZE);
	table = page_size * (page_size / sizeof(u64));
	/* Nothing to merge with: mprotect() splits no VMA. */
	map = mmap(NULL, 3 * table, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	others = realloc(others, (nr_others + 1) * sizeof(*others));
	if (!others || map == MAP_FAILED)
		return "no memory";
	map = (char *)roundup((unsigned long)map, table) + table / 2;
	if (mprotect(map, page_size, PROT_READ | PROT_WRITE))
		return "no memory";
	others[nr_others++] = (struct other){ addr, map };
	return NULL;
}

static void reclaim_cleanup(void)
{
	zfree(&others);
	nr_others = 0;
}

static int reclaim_step(unsigned int step, void *addr, size_t size)
{
	struct other *other = others;

	while (other->part != addr)
		other++;
	switch (step) {
	case 0:
		tlb_touch(addr, size);
		tlb_touch(other->page, page_size);
		return 0;
	case 1:
		return madvise(addr, size, MADV_PAGEOUT);
	default:
		return mprotect(other->page, page_size, PROT_READ) ||
		       mprotect(other->page, page_size, PROT_READ | PROT_WRITE);
	}
}

static const struct tlb_bench reclaim_bench = {
	.name		= "reclaim",
	.op		= "write to pages, then madvise(MADV_PAGEOUT), then mprotect() of another",
	.nr_steps	= 3,
	.step_name	= { "touch", "pageout", "other" },
	.touches	= true,
	.victims	= TLB_SPIN,	/* they would bring it in again */
	.setup		= reclaim_setup,
	.step		= reclaim_step,
	.cleanup	= reclaim_cleanup,
};

int bench_tlb_reclaim(int argc, const char **argv)
{
	return bench_tlb(&reclaim_bench, argc, argv);
}
