// SPDX-License-Identifier: GPL-2.0
/*
 * tracker NAME MILLISECONDS: an incremental snapshot of the process called NAME every
 * so often, as CRIU takes it: find the soft-dirty pages in /proc/PID/pagemap, copy
 * them, write a 4 to /proc/PID/clear_refs. It does not stop the process, so that what
 * it measures is the tracking: a page that is written to between the first step and the
 * last is missing from the next snapshot. Ends at SIGTERM with one JSON object on stderr.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <err.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/uio.h>
#include <unistd.h>

#include "snapshot.h"

#define SOFT_DIRTY	(1ULL << 55)

static struct phase walk, clear;
static uint64_t pages, copied;
static volatile sig_atomic_t stop;
static long page_size;
static int pagemap;
static pid_t pid;

static void on_signal(int signal)
{
	stop = signal;
}

static pid_t find(const char *name)
{
	char path[300], comm[32];
	struct dirent *entry;
	DIR *proc = opendir("/proc");
	pid_t found = 0;
	FILE *file;

	while (proc && !found && (entry = readdir(proc))) {
		snprintf(path, sizeof(path), "/proc/%s/comm", entry->d_name);
		file = atoi(entry->d_name) ? fopen(path, "r") : NULL;
		if (!file)
			continue;
		if (fgets(comm, sizeof(comm), file)) {
			comm[strcspn(comm, "\n")] = '\0';
			if (!strcmp(comm, name))
				found = atoi(entry->d_name);
		}
		fclose(file);
	}
	if (proc)
		closedir(proc);
	return found;
}

/* To where a snapshot would be written */
static void copy(uintptr_t start, size_t nr)
{
	static char buffer[CHUNK_PAGES * 65536];
	struct iovec local = { buffer, nr * page_size };
	struct iovec remote = { (void *)start, nr * page_size };
	ssize_t n = process_vm_readv(pid, &local, 1, &remote, 1, 0);

	if (n > 0)
		copied += n;
}

static void walk_area(uintptr_t start, uintptr_t end)
{
	static uint64_t entries[CHUNK_PAGES];

	while (start < end) {
		size_t nr = (end - start) / page_size, i, from;
		ssize_t n;

		if (nr > CHUNK_PAGES)
			nr = CHUNK_PAGES;
		n = pread(pagemap, entries, nr * sizeof(*entries),
			  start / page_size * sizeof(*entries));
		if (n <= 0)
			return;
		nr = n / sizeof(*entries);
		for (i = 0; i < nr; i++) {
			if (!(entries[i] & SOFT_DIRTY))
				continue;
			for (from = i; i < nr && entries[i] & SOFT_DIRTY; i++)
				;
			copy(start + from * page_size, i - from);
			pages += i - from;
		}
		start += nr * page_size;
	}
}

/* A page that was just written to is soft-dirty, where there is such a thing. */
static bool supported(void)
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	uint64_t entry = 0;

	if (pread(fd, &entry, sizeof(entry), (uintptr_t)&entry / page_size * sizeof(entry)) < 0)
		err(1, "/proc/self/pagemap");
	close(fd);
	return entry & SOFT_DIRTY;
}

int main(int argc, char **argv)
{
	char path[64];
	uint64_t began, next = 0;
	int clear_refs;
	FILE *maps;

	if (argc != 3 || atoi(argv[2]) < 1)
		errx(1, "usage: tracker NAME MILLISECONDS");
	page_size = sysconf(_SC_PAGESIZE);
	if (!supported())
		errx(4, "kernel without CONFIG_MEM_SOFT_DIRTY");
	pid = find(argv[1]);
	if (!pid)
		errx(1, "no process is called %s", argv[1]);
	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	maps = fopen(path, "re");
	snprintf(path, sizeof(path), "/proc/%d/pagemap", pid);
	pagemap = open(path, O_RDONLY | O_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/%d/clear_refs", pid);
	clear_refs = open(path, O_WRONLY | O_CLOEXEC);
	if (!maps || pagemap < 0 || clear_refs < 0)
		err(1, "cannot look at process %d", pid);

	signal(SIGTERM, on_signal);
	while (!stop) {
		began = nsec_now();
		for_each_area(maps, walk_area);
		phase_add(&walk, nsec_now() - began);
		began = nsec_now();
		if (write(clear_refs, "4", 1) != 1)
			err(1, "clear_refs");
		phase_add(&clear, nsec_now() - began);
		sleep_until_next(&next, atoi(argv[2]));
	}
	fprintf(stderr, "{\"tracker\":\"clear_refs\",\"snapshots\":%u,\"pages\":%llu,\"copied\":%llu",
		clear.nr, (unsigned long long)pages, (unsigned long long)copied);
	phase_print(stderr, "walk", &walk);
	phase_print(stderr, "clear", &clear);
	fprintf(stderr, "}\n");
	return !clear.nr;
}
