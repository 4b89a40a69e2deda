/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A unmaps a dirty page of a file and has not flushed. B writes the page out:
 * nothing maps it, so nothing is write-protected or flushed, and it is clean. The
 * victim stores once more, through its old entry: no sync will ever write that.
 *
 * What is on the disk is read past the page cache.
 */
#ifndef WRITEBACK_H
#define WRITEBACK_H

#include "hazard.h"

/* The file @path, @size bytes of it at @mem, for the victim its first page. */
void writeback_map(const char *path, char *mem, size_t size);
enum outcome writeback_judge(void);
void writeback_victim(void);
/* A takes away all of it. */
void writeback_a(int advice);
void writeback_b(void);

#endif
