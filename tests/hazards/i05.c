// SPDX-License-Identifier: GPL-2.0
/*
 * A process writes to more memory than its cgroup may have. Reclaim swaps out
 * behind one flush for what it takes from its lists in one go; with generations of
 * pages (MGLRU), every other round, that is 32 of them.
 */
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "count.h"

#define CGROUP	"/sys/fs/cgroup/"
#define MGLRU	"/sys/kernel/mm/lru_gen/enabled"
#define SIZE	(32L << 20)
#define LIMIT	"16M"
#define BATCH	32

static char *mem;
static long flushes, pages;
static unsigned int rounds;

static const char *setup(void)
{
	const char *why = count_setup();
	char pid[16];

	if (!why)
		mem = hz_map_size(SMALL, SIZE, &why);
	if (why)
		return why;
	mkdir(CGROUP "i05", 0755);
	snprintf(pid, sizeof(pid), "%d", getpid());
	if (hz_write_file(CGROUP "cgroup.subtree_control", "+memory") ||
	    hz_write_file(CGROUP "i05/memory.max", LIMIT) ||
	    hz_write_file(CGROUP "i05/cgroup.procs", pid))
		return "no cgroup2 with memory limits";
	return NULL;
}

static void prepare(void)
{
	/* What is swapped in may be copied, with a flush of its own. */
	if (madvise(mem, SIZE, MADV_DONTNEED))
		hz_fail("madvise");
	hz_write_file(MGLRU, rounds++ % 2 ? "y" : "n");
}

static void a(void)
{
	long before = count_flushes(), out = hz_vmstat("pswpout");

	for (long offset = 0; offset < SIZE; offset += hz_page)
		mem[offset] = rounds;
	flushes = count_flushes() - before;
	pages = hz_vmstat("pswpout") - out;
	hz_hit();
	hz_stop = true;
}

static enum outcome judge(void)
{
	hz_write_file(MGLRU, "n");
	if (pages < SIZE / hz_page / 4)
		return MISS;
	/*
	 * MGLRU: twice, as in i04. The lists of so small a cgroup are scanned by 1, 2,
	 * 4, ... pages, which is all that there is to a batch then.
	 */
	return count_judge(flushes, rounds % 2 ? pages / 4 : 2 * pages / BATCH);
}

static const struct hazard i05 = {
	.name = "i05",
	.what_is_lost = "a flush for each page that is swapped out under pressure",
	.setup = setup,
	.prepare = prepare,
	.judge = judge,
	.role = { count_bystander, a },
};

int main(int argc, char **argv)
{
	return hz_main(&i05, argc, argv);
}
