/* SPDX-License-Identifier: GPL-2.0 */
/*
 * H4: A write-protects a page, the flush pending, and a fault copies another
 * page of the same table that is shared with a child. The copied page may be
 * one that some CPU still writes to, so the fault has to flush it first.
 *
 * No path copies a page that is exclusive to the mm, and a page loses that
 * only behind a flush: the store cannot be seen to be lost. So the flush is
 * counted.
 */
#ifndef COW_H
#define COW_H

#include "hazard.h"

/* A: UFFDIO_WRITEPROTECT or, if @soft_dirty, clear_refs(4) */
const char *cow_setup(enum kind kind, bool soft_dirty);
void cow_prepare(void);
enum outcome cow_judge(void);
void cow_a(void);
void cow_b(void);

#endif
