// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "cleared.h"

static volatile unsigned long *page;
static void (*act)(pid_t parent);
static void (*prepare_page)(void);
static unsigned int rounds;
static pid_t parent;

/* The children write here, and the parent only to begin. */
static struct {
	atomic_uint round;		/* that runs, from 1 */
	atomic_uint clean, met, cleared, acted, ended, judged;
	atomic_int victim;		/* its thread */
	atomic_ulong count;		/* its stores */
	atomic_bool stored;		/* behind clear_refs and before A returned */
	atomic_bool faulted;		/* meanwhile */
} *shared;

/* How many page faults the victim has taken */
static long faults(void)
{
	char path[64], line[512];
	long faults = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", parent, shared->victim);
	file = fopen(path, "r");
	if (!file || !fgets(line, sizeof(line), file) || !strrchr(line, ')') ||
	    sscanf(strrchr(line, ')'), ") %*c %*d %*d %*d %*d %*d %*u %ld", &faults) != 1)
		_exit(1);
	fclose(file);
	return faults;
}

static void child_b(void)
{
	int clear_refs, pagemap;
	char path[64];
	uint64_t entry;
	long before;

	snprintf(path, sizeof(path), "/proc/%d/clear_refs", parent);
	clear_refs = open(path, O_WRONLY);
	snprintf(path, sizeof(path), "/proc/%d/pagemap", parent);
	pagemap = open(path, O_RDONLY);
	for (unsigned int round = 1; ; round++) {
		while (shared->round < round)
			usleep(100);
		if (pwrite(clear_refs, "4", 1, 0) != 1)
			_exit(1);
		shared->clean = round;
		while (shared->count < 1000)
			;
		before = faults();
		do {
			if (pread(pagemap, &entry, sizeof(entry),
				  (uintptr_t)page / hz_page * sizeof(entry)) != sizeof(entry))
				_exit(1);
		} while ((entry & PM_PRESENT) && shared->acted < round);
		if (shared->acted < round)
			shared->met = round;
		if (pwrite(clear_refs, "4", 1, 0) != 1)
			_exit(1);
		shared->cleared = round;
		while (shared->ended < round)
			usleep(100);
		shared->faulted = faults() != before;
		shared->judged = round;
	}
}

static void child_a(void)
{
	for (unsigned int round = 1; ; round++) {
		while (shared->clean < round || shared->count < 1000)
			usleep(100);
		act(parent);
		shared->acted = round;
	}
}

const char *cleared_setup(volatile unsigned long *page_, void (*act_)(pid_t parent))
{
	void (*child[])(void) = { child_a, child_b };

	page = page_;
	act = act_;
	*page = 1;
	if (!(hz_pagemap((void *)page) & PM_SOFT_DIRTY))
		return "the kernel has no soft-dirty bit";
	parent = getpid();
	shared = mmap(NULL, hz_size(HUGETLB), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	if (shared == MAP_FAILED)
		return "no hugetlb page";
	for (int i = 0; i < 2; i++) {
		pid_t pid = fork();

		if (pid < 0)
			hz_fail("fork");
		if (!pid) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			child[i]();
		}
	}
	return NULL;
}

static void prepare(void)
{
	prepare_page();
	shared->count = 0;
	shared->victim = 0;
}

/* Ends by itself: a store once the page is back would mend it. */
static void victim(void)
{
	unsigned int behind = 0;
	unsigned long n = 0;

	shared->victim = gettid();
	while (shared->clean <= rounds)
		;
	while (behind < 2) {
		behind += shared->cleared > rounds;
		/* A load first would map a hole of a file read-only. */
		*page = ++n;
		shared->count = n;
	}
	shared->stored = shared->acted <= rounds;
	shared->ended = rounds + 1;
	while (shared->judged <= rounds)
		;
}

static void b(void)
{
	unsigned int round = rounds + 1;

	while (!shared->victim)
		;
	shared->round = round;
	/* A system call would write to the stack. */
	while (shared->judged < round)
		;
	while (shared->acted < round)
		usleep(100);
	if (shared->met == round)
		hz_hit();
}

static enum outcome judge(void)
{
	rounds++;
	/*
	 * What was stored with a fault was reported, or was until a page of a file lost
	 * its bit with its entry: a huge page that is back is split once more.
	 */
	if (!shared->stored || shared->faulted)
		return HIT;
	return hz_pagemap((void *)page) & PM_SOFT_DIRTY ? HIT : RED;
}

int cleared_main(const char *name, const char *(*setup)(void), void (*prepare_)(void),
		 int argc, char **argv)
{
	static struct hazard hazard = {
		.what_is_lost = "a store after clear_refs(4) is not soft-dirty",
		.prepare = prepare,
		.judge = judge,
		.role = { victim, b },
	};

	hazard.name = name;
	hazard.setup = setup;
	prepare_page = prepare_;
	/* The kernel writes to rseq areas, here and there. */
	if (!getenv("GLIBC_TUNABLES")) {
		setenv("GLIBC_TUNABLES", "glibc.pthread.rseq=0", 1);
		execv("/proc/self/exe", argv);
	}
	return hz_main(&hazard, argc, argv);
}
