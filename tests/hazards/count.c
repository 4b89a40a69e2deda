// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>

#include "count.h"

long count_flushes(void)
{
	long started = hz_vmstat("nr_tlb_remote_flush"), waited = hz_vmstat("nr_tlb_dsb");

	return waited > 0 ? waited : started;
}

const char *count_setup(void)
{
	return count_flushes() < 0 ? "the kernel does not count flushes" : NULL;
}

void count_bystander(void)
{
	while (!hz_stop)
		;
}

enum outcome count_judge(long flushes, long promised)
{
	static unsigned int rounds, more;
	static long most;

	if (flushes > most) {
		most = flushes;
		printf("# %ld flushes, %ld promised\n", flushes, promised);
	}
	rounds++;
	if (flushes <= promised)
		return HIT;
	return ++more > 1 + rounds / 16 ? RED : HIT;
}
