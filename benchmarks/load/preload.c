// SPDX-License-Identifier: GPL-2.0
/*
 * LD_PRELOAD=preload.so: a thread in a program that knows nothing of it takes an
 * incremental snapshot every TRACK_MS milliseconds: PAGEMAP_SCAN finds the anonymous
 * pages written to since and write-protects them in one step (userfaultfd with
 * UFFD_FEATURE_WP_ASYNC), so that none is missing; then it copies them. One JSON object on
 * stderr when the program ends.
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "../perf/tlb-scan.h"
#include "snapshot.h"

#define NR_REGIONS		4096

static struct phase scan_phase, copy_phase;
static uint64_t pages, copied, scan_nsec, copy_nsec;
static pthread_t thread;
static bool running, stop;
static int pagemap, uffd, interval;
static long page_size;

#define BUFFER_SIZE		(4UL << 20)

static struct page_region regions[NR_REGIONS];
static char *buffer;		/* shared memory, which is not tracked */

static void copy_region(uintptr_t start, uintptr_t end)
{
	for (; start < end; start += BUFFER_SIZE) {
		size_t size = end - start < BUFFER_SIZE ? end - start : BUFFER_SIZE;

		struct iovec local = { buffer, size }, remote = { (void *)start, size };
		ssize_t n = process_vm_readv(getpid(), &local, 1, &remote, 1, 0);

		/* Another thread may have unmapped it. */
		if (n > 0)
			copied += n;
	}
}

static void scan_area(uintptr_t start, uintptr_t end)
{
	struct uffdio_register reg = {
		.range = { start, end - start },
		.mode = UFFDIO_REGISTER_MODE_WP,
	};
	struct pm_scan_arg arg = {
		.size = sizeof(arg),
		.flags = PM_SCAN_WP_MATCHING | PM_SCAN_CHECK_WPASYNC,
		.start = start,
		.end = end,
		.vec = (uintptr_t)regions,
		.vec_len = NR_REGIONS,
		.category_mask = PAGE_IS_WRITTEN,
		.return_mask = PAGE_IS_WRITTEN,
	};
	uint64_t began;
	long n, i;

	/* Of an area that is registered already this changes nothing. */
	if (ioctl(uffd, UFFDIO_REGISTER, &reg))
		return;
	do {
		began = nsec_now();
		n = ioctl(pagemap, PAGEMAP_SCAN, &arg);
		scan_nsec += nsec_now() - began;
		began = nsec_now();
		for (i = 0; i < n; i++) {
			pages += (regions[i].end - regions[i].start) / page_size;
			copy_region(regions[i].start, regions[i].end);
		}
		copy_nsec += nsec_now() - began;
		arg.start = arg.walk_end;
	} while (n > 0 && arg.walk_end < end);
}

static void *track(void *arg)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	uint64_t next = 0;

	(void)arg;
	while (maps && !__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		scan_nsec = 0;
		copy_nsec = 0;
		for_each_area(maps, scan_area);
		phase_add(&scan_phase, scan_nsec);
		phase_add(&copy_phase, copy_nsec);
		sleep_until_next(&next, interval);
	}
	return NULL;
}

static void __attribute__((constructor)) start(void)
{
	struct uffdio_api api = {
		.api = UFFD_API,
		.features = UFFD_FEATURE_WP_ASYNC | UFFD_FEATURE_WP_UNPOPULATED,
	};
	const char *ms = getenv("TRACK_MS");
	sigset_t all, old;

	interval = ms ? atoi(ms) : 0;
	if (interval < 1)
		errx(1, "preload: TRACK_MS is not set");
	page_size = sysconf(_SC_PAGESIZE);
	pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	uffd = syscall(__NR_userfaultfd, O_CLOEXEC);
	if (pagemap < 0 || uffd < 0 || ioctl(uffd, UFFDIO_API, &api))
		err(4, "preload: no userfaultfd with UFFD_FEATURE_WP_ASYNC (Linux 6.7)");
	buffer = mmap(NULL, BUFFER_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (buffer == MAP_FAILED)
		err(1, "preload: no buffer");
	/* The program's signals are its own. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	if (pthread_create(&thread, NULL, track, NULL))
		errx(1, "preload: no thread");
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	running = true;
}

static void __attribute__((destructor)) finish(void)
{
	if (!running)
		return;
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	fprintf(stderr, "{\"tracker\":\"pagemap_scan\",\"snapshots\":%u,\"pages\":%llu,\"copied\":%llu",
		scan_phase.nr, (unsigned long long)pages, (unsigned long long)copied);
	phase_print(stderr, "scan", &scan_phase);
	phase_print(stderr, "copy", &copy_phase);
	fprintf(stderr, "}\n");
}
