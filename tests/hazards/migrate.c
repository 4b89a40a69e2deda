// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <unistd.h>
#include <sys/syscall.h>

#include "hazard.h"
#include "migrate.h"

/* Also what is mapped twice */
#define MPOL_MF_MOVE_ALL	(1 << 2)

volatile char *migrate_mem;
static bool met;

bool migrate_pages(pid_t pid, volatile char *mem, int pages, int node)
{
	void *page[MIGRATE_PAGES];
	int nodes[MIGRATE_PAGES], status[MIGRATE_PAGES];

	for (int i = 0; i < pages; i++) {
		page[i] = (void *)(mem + i * hz_page);
		nodes[i] = node;
		status[i] = -1;
	}
	if (syscall(SYS_move_pages, pid, (long)pages, page, nodes, status, MPOL_MF_MOVE_ALL) < 0)
		return false;
	for (int i = 0; i < pages; i++)
		if (status[i] == node)
			return true;
	return false;
}

bool migrate(int node)
{
	return migrate_pages(0, migrate_mem, MIGRATE_PAGES, node);
}

/* Nobody takes these pages away: one that is not present has a migration entry. */
static bool seen(void)
{
	for (int i = 0; i < MIGRATE_PAGES; i += 16)
		if (!(hz_pagemap((char *)migrate_mem + i * hz_page) & PM_PRESENT))
			return true;
	return false;
}

void migrate_a(void)
{
	hz_a_begins();
	migrate(1);
	hz_a_done();
}

void migrate_meets(void)
{
	met = hz_wait_for_a(seen);
}

enum outcome migrate_judge(void)
{
	return hz_lost ? RED : met ? HIT : MISS;
}
