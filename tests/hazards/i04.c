// SPDX-License-Identifier: GPL-2.0
/*
 * Dirty pages are swapped out behind one flush for all that were isolated.
 */
#include "swapout.h"

/* The range may have two page tables. And where reclaim is preempted, it flushes. */
#define PROMISED	8

static enum outcome judge(void)
{
	return swapout_judge(PROMISED);
}

int main(int argc, char **argv)
{
	return swapout_main("i04", "a flush for each page that is swapped out",
			    swapout_setup, judge, argc, argv);
}
