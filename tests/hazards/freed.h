/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A says MADV_FREE: the entry is clean, its flush pending. B says MADV_FREE of the
 * same page, finds it clean and returns. A store after that through the old, dirty
 * entry leaves no dirty bit, and reclaim discards the page.
 *
 * Nobody can see that an entry is clean. A drops a swap entry behind it as well.
 */
#ifndef FREED_H
#define FREED_H

#include "hazard.h"

const char *freed_setup(enum kind kind);
void freed_prepare(void);
void freed_victim(void);
void freed_a(void);
void freed_b(void);

#endif
