/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Reclaim unmaps a page, its batch not flushed, and keeps it in the swap cache.
 * B moves the swap entry elsewhere and faults the page in there. The victim still
 * stores to it through the old address: H19, and H11 for mremap().
 */
#ifndef MOVED_H
#define MOVED_H

#include "hazard.h"

/* @name: of a cgroup */
const char *moved_setup(const char *name);
void moved_prepare(void);
void moved_victim(void);
void moved_a(void);
/* @move: where the page at @src is then, NULL if it could not be moved */
void moved_b(volatile unsigned long *(*move)(volatile unsigned long *src));
enum outcome moved_judge(void);

#endif
