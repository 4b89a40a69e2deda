/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the two trackers share: the anonymous memory of a process, the times of their
 * snapshots, and how they tell them.
 */
#ifndef SNAPSHOT_H
#define SNAPSHOT_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MAX_SNAPSHOTS	(1 << 16)
#define CHUNK_PAGES	512

struct phase {
	uint64_t	nsec[MAX_SNAPSHOTS];
	unsigned int	nr;
};

static inline uint64_t nsec_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

static inline void phase_add(struct phase *phase, uint64_t nsec)
{
	if (phase->nr < MAX_SNAPSHOTS)
		phase->nsec[phase->nr++] = nsec;
}

static inline int phase_cmp(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static inline void phase_print(FILE *out, const char *name, struct phase *phase)
{
	uint64_t *nsec = phase->nsec;
	unsigned int nr = phase->nr;

	qsort(nsec, nr, sizeof(*nsec), phase_cmp);
	fprintf(out, ",\"%s_p50_us\":%.1f,\"%s_max_us\":%.1f", name, nr ? nsec[nr / 2] / 1e3 : 0,
		name, nr ? nsec[nr - 1] / 1e3 : 0);
}

/* A signal may end it: whoever waits for one looks. */
static inline void sleep_until(uint64_t nsec)
{
	struct timespec ts = { nsec / 1000000000, nsec % 1000000000 };

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
}

/* Adds @ms to @next, which begins as 0, and sleeps until then. Whoever is late skips a turn. */
static inline void sleep_until_next(uint64_t *next, unsigned int ms)
{
	uint64_t now = nsec_now();

	if (!*next)
		*next = now;
	do
		*next += ms * 1000000ULL;
	while (*next < now);
	sleep_until(*next);
}

/* Calls @fn for each private writable anonymous area of @maps, without the stack. */
static inline void for_each_area(FILE *maps, void (*fn)(uintptr_t start, uintptr_t end))
{
	unsigned long start, end, inode;
	char line[512], perms[8];
	int at;

	rewind(maps);
	while (fgets(line, sizeof(line), maps)) {
		at = 0;
		if (sscanf(line, "%lx-%lx %7s %*x %*s %lu %n", &start, &end, perms, &inode,
			   &at) != 4 || !at)
			continue;
		if (!inode && !strcmp(perms, "rw-p") &&
		    (line[at] != '[' || !strncmp(line + at, "[heap]", 6)))
			fn(start, end);
	}
}

#endif
