// SPDX-License-Identifier: GPL-2.0
/*
 * Large folios that are swapped out whole share a flush.
 */
#include "swapout.h"

/*
 * As in i04; one for each would be SWAPOUT_LARGE more. arm64 flushes whatever it maps
 * contiguously once, to unfold it, before the first of its entries is changed.
 */
#ifdef __aarch64__
#define PROMISED	(8 + SWAPOUT_LARGE)
#else
#define PROMISED	8
#endif

static enum outcome judge(void)
{
	return swapout_judge(PROMISED);
}

int main(int argc, char **argv)
{
	return swapout_main("i08", "a flush for each large folio that is swapped out",
			    swapout_large_setup, judge, argc, argv);
}
