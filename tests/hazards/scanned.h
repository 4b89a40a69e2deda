/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A write-protects, its flush pending. B's PAGEMAP_SCAN finds nothing written and
 * returns. What the victim stores after that has to be in a later scan.
 */
#ifndef SCANNED_H
#define SCANNED_H

#include <stdbool.h>

/* @pages of memory, of which the victim writes to the first. */
const char *scanned_map(int pages);
extern volatile unsigned long *scanned;
extern int scanned_uffd;

/* Is the first page written? Protects it if @protect; -1 if the kernel cannot. */
int scanned_scan(bool protect);

void scanned_prepare(void);
void scanned_victim(void);
void scanned_wait_for_victim(void);	/* A, first */
void scanned_b(void);
enum outcome scanned_judge(void);

#endif
