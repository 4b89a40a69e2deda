/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A write-protects, its flush pending. B's PAGEMAP_SCAN finds nothing written and
 * returns. What the victim stores after that has to be in a later scan.
 */
#ifndef SCANNED_H
#define SCANNED_H

#include <stdbool.h>
#include <stddef.h>

#include "hazard.h"

extern volatile unsigned long *scanned;	/* memory; the victim writes to its first page */
extern int scanned_pagemap;

const char *scanned_map(enum kind kind, size_t size);

void scanned_prepare(void);
void scanned_victim(void);
void scanned_a(bool (*protect)(void));
bool scanned_report(void);		/* the first page, by PAGEMAP_SCAN */
bool scanned_protect(void);		/* all of it, by UFFDIO_WRITEPROTECT */
void scanned_b(void);
bool scanned_seen(void);		/* the first page is protected */
void scanned_check(void);		/* the victim's next stores have to be in a scan */

#endif
