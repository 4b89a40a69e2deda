// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>

#include "punch.h"

volatile char *punch_mem;
static enum kind kind;
static size_t size, hole;
static int memfd;
static sigjmp_buf faulted;

static void handler(int sig)
{
	siglongjmp(faulted, sig);
}

const char *punch_setup(enum kind kind_, bool part)
{
	struct sigaction action = { .sa_handler = handler };
	const char *why;
	char *at;

	kind = kind_;
	at = hz_map(kind, &why);
	if (!at)
		return why;
	if (hz_write_file(HZ_THP "shmem_enabled", kind == THP ? "always" : "never"))
		return "no huge pages in files";
	size = hz_size(kind);
	hole = part ? (size_t)hz_page : size;
	memfd = memfd_create("punch", MFD_CLOEXEC);
	if (memfd < 0)
		hz_fail("memfd");
	punch_mem = at;
	sigaction(SIGSEGV, &action, NULL);
	return NULL;
}

/* Of what is left of the last round no huge page can be made. */
void punch_empty(void)
{
	if (ftruncate(memfd, 0) || ftruncate(memfd, size))
		hz_fail("ftruncate");
}

void punch_prepare(void)
{
	punch_empty();
	punch_mem = mmap((void *)punch_mem, size, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_FIXED, memfd, 0);
	if (punch_mem == MAP_FAILED)
		hz_fail("mmap");
	if (!hz_populate((char *)punch_mem, kind, 'x'))
		hz_fail("no huge page to be had");
}

void punch_victim(void)
{
	unsigned long n = 0;

	if (sigsetjmp(faulted, 1))
		return;
	while (!atomic_load_explicit(&hz_stop, memory_order_relaxed)) {
		bool done = atomic_load(&hz_b_done);

		(void)*punch_mem;
		if (done)
			hz_lost = true;
		atomic_store_explicit(&hz_count, ++n, memory_order_relaxed);
	}
}

void punch(void)
{
	if (fallocate(memfd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, size - hole, hole))
		hz_fail("fallocate");
}

void punch_a(void)
{
	if (!hz_wait_count(1000))
		hz_fail("the victim does not read");
	hz_a_begins();
	punch();
	hz_a_done();
}

static bool seen(void)
{
	return !(hz_pagemap((char *)punch_mem) & PM_PRESENT);
}

void punch_b(void)
{
	if (hz_wait_for_a(seen)) {
		if (mprotect((void *)punch_mem, size, PROT_NONE))
			hz_fail("mprotect");
		hz_b_done = true;
	}
	hz_wait(&hz_done);
	hz_stop = true;
}
