/* SPDX-License-Identifier: GPL-2.0 */
/* A swaps out a range of dirty pages. How many flushes does that take? */
#ifndef SWAPOUT_H
#define SWAPOUT_H

#include "count.h"

#define SWAPOUT_PAGES	512
#define SWAPOUT_LARGE	(64UL << 10)
#define HZ_LARGE	HZ_THP "hugepages-64kB/"

/* Of the round; -1: some page was not swapped out. */
extern long swapout_flushes;

const char *swapout_setup(void);

/* The same in folios of 64 KiB, and behind it. */
const char *swapout_large_setup(void);
void swapout_large_end(void);

/* hz_main() with an A that swaps out; @setup calls swapout_setup(). */
int swapout_main(const char *name, const char *what_is_lost, const char *(*setup)(void),
		 enum outcome (*judge)(void), int argc, char **argv);

#endif
