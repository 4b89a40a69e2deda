// SPDX-License-Identifier: GPL-2.0
/*
 * H14: A punches a hole into a file, under no mmap_lock: the pmd of a huge page is
 * none, the flush pending. B makes the mapping PROT_NONE, skips the empty pmd
 * without its lock and returns. The victim still reads through the huge entry.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>

#include "hazard.h"

static volatile char *mem;
static size_t size;
static int memfd;
static sigjmp_buf faulted;

static void handler(int sig)
{
	siglongjmp(faulted, sig);
}

static const char *setup(void)
{
	struct sigaction action = { .sa_handler = handler };
	const char *why;
	char *at = hz_map(THP, &why);

	if (!at)
		return why;
	if (hz_write_file(HZ_THP "shmem_enabled", "always"))
		return "no huge pages in files";
	size = hz_size(THP);
	memfd = memfd_create("h14", MFD_CLOEXEC);
	if (memfd < 0 || ftruncate(memfd, size))
		hz_fail("memfd");
	mem = mmap(at, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, memfd, 0);
	if (mem == MAP_FAILED)
		hz_fail("mmap");
	sigaction(SIGSEGV, &action, NULL);
	return NULL;
}

static void prepare(void)
{
	if (mprotect((void *)mem, size, PROT_READ | PROT_WRITE))
		hz_fail("mprotect");
	if (!hz_populate((char *)mem, THP, 'x'))
		hz_fail("no huge page to be had");
}

static void victim(void)
{
	unsigned long n = 0;

	if (sigsetjmp(faulted, 1))
		return;
	while (!atomic_load_explicit(&hz_stop, memory_order_relaxed)) {
		bool done = atomic_load(&hz_b_done);

		(void)*mem;
		if (done)
			hz_lost = true;
		atomic_store_explicit(&hz_count, ++n, memory_order_relaxed);
	}
}

static void a(void)
{
	if (!hz_wait_count(1000))
		hz_fail("the victim does not read");
	hz_a_begins();
	if (fallocate(memfd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, size))
		hz_fail("fallocate");
	hz_a_done();
}

static bool seen(void)
{
	return !(hz_pagemap((char *)mem) & PM_PRESENT);
}

static void b(void)
{
	if (hz_wait_for_a(seen)) {
		if (mprotect((void *)mem, size, PROT_NONE))
			hz_fail("mprotect");
		hz_b_done = true;
	}
	hz_wait(&hz_done);
	hz_stop = true;
}

static enum outcome judge(void)
{
	return hz_lost ? RED : HIT;
}

static const struct hazard h14_mprotect = {
	.name = "h14_mprotect",
	.what_is_lost = "memory was read after mprotect(PROT_NONE) had returned",
	.setup = setup,
	.prepare = prepare,
	.judge = judge,
	.role = { victim, a, b },
};

int main(int argc, char **argv)
{
	return hz_main(&h14_mprotect, argc, argv);
}
