// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <unistd.h>
#include <sys/syscall.h>

#include "hazard.h"
#include "migrate.h"

#define MPOL_MF_MOVE	(1 << 1)

bool migrate(volatile char *mem, int pages, int node)
{
	void *page[MIGRATE_PAGES];
	int nodes[MIGRATE_PAGES], status[MIGRATE_PAGES];

	for (int i = 0; i < pages; i++) {
		page[i] = (void *)(mem + i * hz_page);
		nodes[i] = node;
		status[i] = -1;
	}
	if (syscall(SYS_move_pages, 0, (long)pages, page, nodes, status, MPOL_MF_MOVE) < 0)
		return false;
	for (int i = 0; i < pages; i++)
		if (status[i] == node)
			return true;
	return false;
}

bool migrating(volatile char *mem, int pages)
{
	for (int i = 0; i < pages; i += 16)
		if (!(hz_pagemap((char *)mem + i * hz_page) & PM_PRESENT))
			return true;
	return false;
}
