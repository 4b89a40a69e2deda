/* SPDX-License-Identifier: GPL-2.0 */
/* A swaps out a range of dirty pages. How many flushes does that take? */
#ifndef SWAPOUT_H
#define SWAPOUT_H

#include "count.h"

#define SWAPOUT_PAGES	512
#define SWAPOUT_LARGE	32	/* folios of 64 KiB with as many pages, of 4 KiB */

/* Of the round; -1: some page was not swapped out. */
extern long swapout_flushes;

const char *swapout_setup(void);

/* The same in folios of 64 KiB. */
const char *swapout_large_setup(void);

enum outcome swapout_judge(long promised);

/* hz_main() with an A that swaps out; @setup calls swapout_setup(). */
int swapout_main(const char *name, const char *what_is_lost, const char *(*setup)(void),
		 enum outcome (*judge)(void), int argc, char **argv);

#endif
