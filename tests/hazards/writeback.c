// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/mman.h>

#include "writeback.h"

static volatile unsigned long *mem;
static size_t size;
static int fd, raw;
static unsigned long *on_disk;

void writeback_map(const char *path, char *mem_, size_t size_)
{
	size = size_;
	fd = open(path, O_RDWR | O_CLOEXEC);
	raw = open(path, O_RDONLY | O_DIRECT | O_CLOEXEC);
	if (fd < 0 || raw < 0)
		hz_fail("%s", path);
	mem = mmap(mem_, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0);
	if (mem == MAP_FAILED || posix_memalign((void **)&on_disk, hz_page, hz_page))
		hz_fail("mmap");
}

/* Its last store comes after the sync. */
void writeback_victim(void)
{
	unsigned long n = 0;
	bool done;

	do {
		done = atomic_load(&hz_stop);
		*mem = ++n;
		atomic_store_explicit(&hz_count, n, memory_order_relaxed);
	} while (!done);
}

void writeback_a(int advice)
{
	if (!hz_wait_count(1000))
		hz_fail("the victim does not write");
	hz_a_begins();
	if (madvise((void *)mem, size, advice))
		hz_fail("madvise");
	hz_a_done();
}

static bool seen(void)
{
	return !(hz_pagemap((void *)mem) & PM_PRESENT);
}

void writeback_b(void)
{
	if (hz_wait_for_a(seen) &&
	    sync_file_range(fd, 0, hz_page, SYNC_FILE_RANGE_WAIT_BEFORE |
			    SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER))
		hz_fail("sync_file_range");
	hz_stop = true;
}

enum outcome writeback_judge(void)
{
	if (fsync(fd) || pread(raw, on_disk, hz_page, 0) != hz_page)
		hz_fail("fsync");
	return *on_disk != hz_count ? RED : HIT;
}
