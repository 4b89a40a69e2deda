// SPDX-License-Identifier: GPL-2.0
/*
 * The trace events. A discards memory and flushes late. B, meanwhile, writes to a page
 * in the first of A's tables that has to be copied, which settles, and discards A's
 * first page, which inherits. Each of them opens a window and closes it.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>

#include "hazard.h"

#define TRACING		"/sys/kernel/tracing/"
#define EVENTS		TRACING "events/tlb_gen/enable"

/* Three gathers full of pages: A waits for three flushes while B waits for one. */
#define SIZE		(80UL << 20)

enum { OPEN, CLOSE, MARK, INHERIT, SETTLE, NR_EVENTS };

static const char * const names[NR_EVENTS] = { "open", "close", "mark", "inherit", "settle" };

static volatile char *discarded, *copied;
static int tid_a, tid_b;
static bool inside;		/* B did all of it before A returned */

static const char *setup(void)
{
	int fd = memfd_create("t01", 0);
	const char *why;
	char *table;

	if (access(EVENTS, W_OK))
		return "no tlb_gen events";
	if (!hz_delay)
		return "only with a delay (-d)";
	table = hz_map_size(SMALL, SIZE, &why);
	if (!table)
		return why;
	/* B's page is before that. */
	discarded = table + 32 * hz_page;
	if (fd < 0 || ftruncate(fd, hz_page))
		return "no memfd";
	copied = mmap(table + 16 * hz_page, hz_page, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_FIXED, fd, 0);
	return copied == MAP_FAILED ? "no memory" : NULL;
}

static void prepare(void)
{
	inside = false;
	for (size_t i = 0; i < SIZE - 32 * hz_page; i += hz_page)
		discarded[i] = 1;
	if (madvise((char *)copied, hz_page, MADV_DONTNEED))
		hz_fail("madvise");
	(void)*copied;
	close(open(TRACING "trace", O_WRONLY | O_TRUNC));
	if (hz_write_file(EVENTS, "1"))
		hz_fail(EVENTS);
}

static bool seen(void)
{
	return !(hz_pagemap((char *)discarded) & PM_PRESENT);
}

static void a(void)
{
	tid_a = gettid();
	hz_a_begins();
	madvise((char *)discarded, SIZE - 32 * hz_page, MADV_DONTNEED);
	hz_a_done();
}

static void b(void)
{
	tid_b = gettid();
	if (!hz_wait_for_a(seen))
		return;
	*copied = 1;
	madvise((char *)discarded, hz_page, MADV_DONTNEED);
	inside = !atomic_load(&hz_done);
}

/* The task of a line, "comm-123   [cpu] ...", or 0. */
static int task(char *line)
{
	char *p = strstr(line, " [");

	if (!p)
		return 0;
	while (p > line && *p == ' ')
		p--;
	while (p > line && *p != '-')
		p--;
	return atoi(p + 1);
}

static enum outcome judge(void)
{
	unsigned int by_a[NR_EVENTS] = {}, by_b[NR_EVENTS] = {};
	bool opened = true;
	FILE *trace;
	char line[512], name[32];

	hz_write_file(EVENTS, "0");
	if (!inside)
		return MISS;
	trace = fopen(TRACING "trace", "r");
	if (!trace)
		hz_fail("trace");
	while (fgets(line, sizeof(line), trace)) {
		int tid = task(line);

		if (tid != tid_a && tid != tid_b)
			continue;
		for (int i = 0; i < NR_EVENTS; i++) {
			snprintf(name, sizeof(name), " tlb_gen_%s: mm:", names[i]);
			if (!strstr(line, name))
				continue;
			if (i == CLOSE && !(tid == tid_a ? by_a : by_b)[OPEN])
				opened = false;
			(tid == tid_a ? by_a : by_b)[i]++;
		}
	}
	fclose(trace);
	/* More of them may come from reclaim. */
	if (opened && by_a[OPEN] && by_a[CLOSE] == by_a[OPEN] && by_a[MARK] && by_b[OPEN] &&
	    by_b[CLOSE] == by_b[OPEN] && by_b[INHERIT] && by_b[SETTLE])
		return HIT;
	for (int i = 0; i < NR_EVENTS; i++)
		printf("# %s: %u by A, %u by B\n", names[i], by_a[i], by_b[i]);
	return RED;
}

static const struct hazard t01 = {
	.name = "t01",
	.what_is_lost = "an event was not traced",
	.setup = setup,
	.prepare = prepare,
	.judge = judge,
	.role = { a, b },
};

int main(int argc, char **argv)
{
	return hz_main(&t01, argc, argv);
}
