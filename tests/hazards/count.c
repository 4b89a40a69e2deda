// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <stdlib.h>

#include "count.h"

long count_flushes(void)
{
	long started = hz_vmstat("nr_tlb_remote_flush"), waited = hz_vmstat("nr_tlb_dsb");

	return waited > 0 ? waited : started;
}

#define NUMA	"/proc/sys/kernel/numa_balancing"

static void balance(void)
{
	hz_write_file(NUMA, "1");
}

/* A scan of NUMA balancing flushes, and what it has taken the access from needs no flush. */
const char *count_setup(void)
{
	if (count_flushes() < 0)
		return "the kernel does not count flushes";
	if (hz_read_file(NUMA) == 1 && !hz_write_file(NUMA, "0"))
		atexit(balance);
	return NULL;
}

void count_bystander(void)
{
	while (!hz_stop)
		;
}

enum outcome count_judge(long flushes, long promised)
{
	static long most;

	if (flushes > most) {
		most = flushes;
		printf("# %ld flushes, %ld promised\n", flushes, promised);
	}
	return flushes > promised ? RED : HIT;
}
