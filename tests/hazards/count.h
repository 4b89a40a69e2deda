/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the series promises of the number of flushes, and how long a fault waits.
 * These tests lose nothing: they are red where a kernel flushes more, or keeps a
 * fault waiting for longer, than it has to. A round is a hit if the kernel counts.
 */
#ifndef COUNT_H
#define COUNT_H

#include "hazard.h"

/* Shootdowns begun (x86) or DSBs waited for (arm64) so far; -1: not counted */
long count_flushes(void);

/* Why flushes cannot be counted, or NULL. Switches NUMA balancing off. */
const char *count_setup(void);

/* Runs in the same mm on another processor, until told to stop. */
void count_bystander(void);

/* Are @flushes more than @promised? Tells the most that were seen. */
enum outcome count_judge(long flushes, long promised);

#endif
