// SPDX-License-Identifier: GPL-2.0
/*
 * Large folios that are swapped out whole share a flush.
 */
#include <stdlib.h>

#include "swapout.h"

/*
 * As in i04; one for each would be 32 more. arm64 flushes whatever it maps contiguously
 * once, to unfold it, before the first of its entries is changed.
 */
#define NR_LARGE	32
#ifdef __aarch64__
#define PROMISED	(8 + NR_LARGE)
#else
#define PROMISED	8
#endif

static const char *setup(void)
{
	atexit(swapout_large_end);
	return swapout_large_setup();
}

static enum outcome judge(void)
{
	return swapout_flushes < 0 ? MISS : count_judge(swapout_flushes, PROMISED);
}

int main(int argc, char **argv)
{
	return swapout_main("i08", "a flush for each large folio that is swapped out",
			    setup, judge, argc, argv);
}
