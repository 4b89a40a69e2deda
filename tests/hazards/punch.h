/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A punches a hole into a file, or into a part of it that the victim does not
 * read, under no mmap_lock: the entry is none, the flush pending. B makes the mapping
 * PROT_NONE, finds nothing to change and returns. The victim still reads through the
 * old entry.
 */
#ifndef PUNCH_H
#define PUNCH_H

#include "hazard.h"

extern volatile char *punch_mem;

const char *punch_setup(enum kind kind, bool part);
void punch_empty(void);
void punch_empty(void);
void punch_prepare(void);
void punch(void);
void punch(void);
void punch_victim(void);
void punch_a(void);
void punch_b(void);

#endif
