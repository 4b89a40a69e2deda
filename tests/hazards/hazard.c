// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <linux/userfaultfd.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "hazard.h"

#define BROKEN		3
#define SKIP		4

long hz_page;
unsigned int hz_delay;
atomic_bool hz_began, hz_done, hz_b_done, hz_stop, hz_lost;
atomic_ulong hz_count;

static const struct hazard *hazard;
static pthread_barrier_t begin, end;
static atomic_bool hit, finished;

void hz_tidy(void)
{
	hz_write_file(HZ_DEBUG "break", "\n");
	hz_write_file(HZ_DEBUG "delay_us", "0");
	hz_write_file(HZ_DEBUG "batch_delay_us", "0");
}

void hz_fail(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	printf("# %s: ", hazard->name);
	vprintf(fmt, ap);
	printf(": %s\n", strerror(errno));
	fflush(stdout);
	hz_tidy();
	_exit(BROKEN);
}

int hz_skip(const char *why)
{
	printf("# SKIP %s\n", why);
	hz_tidy();
	return SKIP;
}

int hz_write_file(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY);
	ssize_t n;

	if (fd < 0)
		return -1;
	n = write(fd, value, strlen(value));
	close(fd);
	return n == (ssize_t)strlen(value) ? 0 : -1;
}

long hz_read_file(const char *path)
{
	char buf[64] = "";
	int fd = open(path, O_RDONLY);
	ssize_t n;

	if (fd < 0)
		return -1;
	n = read(fd, buf, sizeof(buf) - 1);
	close(fd);
	return n > 0 ? atol(buf) : -1;
}

long hz_vmstat(const char *name)
{
	FILE *file = fopen("/proc/vmstat", "r");
	char line[128];
	size_t n = strlen(name);
	long value = -1;

	while (file && fgets(line, sizeof(line), file))
		if (!strncmp(line, name, n) && line[n] == ' ')
			value = atol(line + n);
	if (file)
		fclose(file);
	return value;
}

uint64_t hz_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

/* The file stays open: B asks while A's window is open. */
uint64_t hz_pagemap(const void *addr)
{
	static __thread int fd = -1;
	uint64_t entry;

	if (fd < 0)
		fd = open("/proc/self/pagemap", O_RDONLY);
	if (pread(fd, &entry, 8, (uintptr_t)addr / hz_page * 8) != 8)
		hz_fail("pagemap");
	return entry;
}

void hz_a_begins(void)
{
	atomic_store(&hz_began, true);
}

void hz_a_done(void)
{
	atomic_store(&hz_done, true);
}

bool hz_wait(atomic_bool *flag)
{
	uint64_t deadline = hz_now() + 1000000000;

	while (!atomic_load(flag))
		if (hz_now() > deadline)
			return false;
	return true;
}

bool hz_wait_count(unsigned long count)
{
	uint64_t deadline = hz_now() + 1000000000;

	while (atomic_load(&hz_count) < count)
		if (hz_now() > deadline)
			return false;
	return true;
}

void hz_store_counts(volatile unsigned long *p)
{
	unsigned long n = 0;

	while (!atomic_load_explicit(&hz_stop, memory_order_relaxed)) {
		__atomic_store_n(p, ++n, __ATOMIC_RELEASE);
		atomic_store_explicit(&hz_count, n, memory_order_release);
	}
}

void hz_hit(void)
{
	atomic_store(&hit, true);
}

bool hz_wait_for_a(bool (*seen)(void))
{
	if (!hz_wait(&hz_began))
		return false;
	if (!seen && hz_delay)
		usleep(hz_delay / 4);
	while (seen && !seen())
		if (atomic_load(&hz_done))
			return false;
	if (atomic_load(&hz_done))
		return false;
	hz_hit();
	return true;
}

void hz_wait_for_a_done(void)
{
	while (!atomic_load(&hz_done))
		usleep(100);
}

void hz_no_hit(void)
{
	atomic_store(&hit, false);
}

void hz_drain_lru(void)
{
	if (hz_write_file("/proc/sys/vm/drop_caches", "1"))
		hz_fail("drop_caches");
}

size_t hz_size(enum kind kind)
{
	long size = hz_read_file(HZ_THP "hpage_pmd_size");

	return kind == SMALL ? (size_t)hz_page : size > 0 ? (size_t)size : 2UL << 20;
}

char *hz_map(enum kind kind, const char **why)
{
	return hz_map_size(kind, hz_size(kind), why);
}

char *hz_map_size(enum kind kind, size_t size, const char **why)
{
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | (kind == HUGETLB ? MAP_HUGETLB : 0);
	char *mem;

	if (kind == HUGETLB) {
		/* Two pages, in one PMD table */
		mem = mmap(NULL, 3 * size, PROT_READ | PROT_WRITE, flags | MAP_NORESERVE, -1, 0);
		*why = mem == MAP_FAILED ? "no hugetlb pages" : NULL;
		if (mem != MAP_FAILED && !(((uintptr_t)mem + size) & (size * 512 - 1)))
			mem += size;
		return mem == MAP_FAILED ? NULL : mem;
	}
	/* A PMD range of its own, whatever is mapped of it. */
	mem = mmap(NULL, size + 2 * hz_size(THP), PROT_READ | PROT_WRITE, flags, -1, 0);
	if (mem == MAP_FAILED) {
		*why = "no memory";
		return NULL;
	}
	mem = (char *)(((uintptr_t)mem + hz_size(THP) - 1) & ~(hz_size(THP) - 1));
	if (kind == SMALL)
		madvise(mem, size + hz_size(THP), MADV_NOHUGEPAGE);
	else if (hz_write_file(HZ_THP "enabled", "madvise") ||
		 madvise(mem, size, MADV_HUGEPAGE)) {
		*why = "no transparent huge pages";
		return NULL;
	}
	*why = NULL;
	return mem;
}

/* Is the page at @mem part of a THP that is mapped as one? */
static bool is_huge(const char *mem)
{
	FILE *smaps = fopen("/proc/self/smaps", "r");
	unsigned long start, end_, kb;
	bool inside = false, huge = false;
	char line[256];

	while (smaps && fgets(line, sizeof(line), smaps)) {
		if (sscanf(line, "%lx-%lx ", &start, &end_) == 2)
			inside = (uintptr_t)mem >= start && (uintptr_t)mem < end_;
		else if (inside && (sscanf(line, "AnonHugePages: %lu", &kb) == 1 ||
				    sscanf(line, "ShmemPmdMapped: %lu", &kb) == 1 ||
				    sscanf(line, "FilePmdMapped: %lu", &kb) == 1))
			huge |= kb >= hz_size(THP) / 1024;
	}
	if (smaps)
		fclose(smaps);
	return huge;
}

bool hz_populate(char *mem, enum kind kind, char value)
{
	for (int try = 0; try < 100; try++) {
		memset(mem, value, kind == SMALL ? 1 : hz_size(kind));
		if (kind != THP || is_huge(mem))
			return true;
		/* A file keeps its small pages but for a hole. */
		if (madvise(mem, hz_size(kind), MADV_REMOVE))
			madvise(mem, hz_size(kind), MADV_DONTNEED);
		hz_write_file("/proc/sys/vm/compact_memory", "1");
		/* What processors keep of freed pages comes back within a second. */
		usleep(20000);
	}
	return false;
}

int hz_uffd(void *mem, size_t size, uint64_t mode, const char **why)
{
	return hz_uffd_with(UFFD_FEATURE_PAGEFAULT_FLAG_WP, mem, size, mode, why);
}

int hz_uffd_with(uint64_t features, void *mem, size_t size, uint64_t mode,
		 const char **why)
{
	struct uffdio_api api = {
		.api = UFFD_API,
		.features = features,
	};
	struct uffdio_register reg = {
		.range = { (uintptr_t)mem, size },
		.mode = mode,
	};
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC);

	*why = NULL;
	if (fd < 0 || ioctl(fd, UFFDIO_API, &api))
		*why = "no userfaultfd write-protect";
	else if (ioctl(fd, UFFDIO_REGISTER, &reg))
		*why = "userfaultfd does not take this memory";
	return fd;
}

int hz_uffd_wp(int uffd, void *mem, size_t size, bool protect)
{
	struct uffdio_writeprotect wp = {
		.range = { (uintptr_t)mem, size },
		.mode = protect ? UFFDIO_WRITEPROTECT_MODE_WP : 0,
	};

	return ioctl(uffd, UFFDIO_WRITEPROTECT, &wp);
}

void hz_protect(bool soft_dirty, int uffd, void *mem, size_t size)
{
	if (soft_dirty ? hz_write_file("/proc/self/clear_refs", "4") :
			 hz_uffd_wp(uffd, mem, size, true))
		hz_fail("write-protect");
}

bool hz_protected(bool soft_dirty, const void *mem)
{
	if (soft_dirty)
		return !(hz_pagemap(mem) & PM_SOFT_DIRTY);
	return hz_pagemap(mem) & PM_UFFD_WP;
}

void hz_init(const struct hazard *h)
{
	hazard = h;
	hz_page = sysconf(_SC_PAGESIZE);
	setvbuf(stdout, NULL, _IOLBF, 0);
}

const char *hz_set_delay(void)
{
	char value[16];

	snprintf(value, sizeof(value), "%u", hz_delay);
	if (hz_delay && (hz_write_file(HZ_DEBUG "delay_us", value) ||
			 (!hazard->batches_at_once &&
			  hz_write_file(HZ_DEBUG "batch_delay_us", value))))
		return "the kernel cannot delay flushes (CONFIG_DEBUG_TLB_GEN)";
	return NULL;
}

const char *hz_set_break(const char *guard)
{
	char value[80];

	snprintf(value, sizeof(value), "%s\n", guard);
	if (*guard && hz_write_file(HZ_DEBUG "break", value))
		return "the kernel has no such guard";
	return NULL;
}

long hz_violations(void)
{
	long n = hz_read_file(HZ_DEBUG "violations");

	return n > 0 ? n : 0;
}

static void *thread(void *arg)
{
	long role = (long)arg;
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(role, &cpus);
	if (sched_setaffinity(0, sizeof(cpus), &cpus))
		hz_fail("processor %ld", role);
	for (;;) {
		pthread_barrier_wait(&begin);
		if (finished)
			return NULL;
		hazard->role[role]();
		pthread_barrier_wait(&end);
	}
}

/* Some tests change what there is one of. */
static bool alone(void)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/tmp/%s.lock", hazard->name);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	return fd >= 0 && !flock(fd, LOCK_EX | LOCK_NB);
}

bool hz_told(unsigned int round, unsigned int rounds, long violations)
{
	return round >= rounds / 16 && hz_violations() > violations;
}

static void usage(const char *self)
{
	fprintf(stderr, "usage: %s [-n rounds] [-d delay in us] [-r] [-b guard[:function]]\n",
		self);
	exit(2);
}

int hz_main(const struct hazard *h, int argc, char **argv)
{
	unsigned int rounds = 0, hits = 0, reds = 0, want = 100;
	const char *guard = "", *why;
	long violations, roles = 0, counted = 0;
	bool expect_red = false;
	pthread_t threads[NR_ROLES];
	uint64_t began = hz_now();
	int opt;

	hz_init(h);
	while ((opt = getopt(argc, argv, "n:d:rb:")) != -1) {
		switch (opt) {
		case 'n': want = strtoul(optarg, NULL, 0); break;
		case 'd': hz_delay = strtoul(optarg, NULL, 0); break;
		case 'r': expect_red = true; break;
		case 'b': guard = optarg; expect_red = true; break;
		default: usage(argv[0]);
		}
	}
	while (roles < NR_ROLES && h->role[roles])
		roles++;
	if (optind != argc || !want)
		usage(argv[0]);
	if (sysconf(_SC_NPROCESSORS_ONLN) < roles)
		return hz_skip("not enough processors");

	if (!alone()) {
		/* Not hz_skip(): the delay is the other one's. */
		puts("# SKIP this test is running already");
		return SKIP;
	}
	why = hz_set_delay();
	if (!why)
		why = h->setup();
	if (!why)
		why = hz_set_break(guard);
	if (why)
		return hz_skip(why);

	violations = hz_violations();
	pthread_barrier_init(&begin, NULL, roles + 1);
	pthread_barrier_init(&end, NULL, roles + 1);
	for (long i = 0; i < roles; i++)
		if (pthread_create(&threads[i], NULL, thread, (void *)i))
			hz_fail("thread");

	/* Where red is expected, once is enough. */
	while (rounds < want &&
	       !(expect_red && (reds || hz_told(rounds, want, violations)))) {
		enum outcome outcome;
		long before;
		bool rose;

		rounds++;
		hz_began = hz_done = hz_b_done = hz_stop = hz_lost = hit = false;
		hz_count = 0;
		h->prepare();
		before = h->counter ? hz_vmstat(h->counter) : 0;
		pthread_barrier_wait(&begin);
		pthread_barrier_wait(&end);
		outcome = h->judge ? h->judge() : hz_lost ? RED : HIT;
		/* A kernel that counts such things knows better whether B met A's work. */
		rose = h->counter && hz_vmstat(h->counter) > before;
		counted += rose;
		hits += hit && outcome != MISS && (!h->counter || before < 0 || rose);
		reds += outcome == RED;
	}
	finished = true;
	pthread_barrier_wait(&begin);
	for (long i = 0; i < roles; i++)
		pthread_join(threads[i], NULL);
	violations = hz_violations() - violations;

	printf("# rounds %u hits %u red %u", rounds, hits, reds);
	if (h->counter)
		printf(" %s %ld", h->counter, counted);
	printf(" violations %ld", violations);
	if (*guard)
		printf(" broken %ld", hz_read_file(HZ_DEBUG "broken"));
	printf(" seconds %.1f\n", (hz_now() - began) / 1e9);

	if (expect_red) {
		hz_tidy();
		if (reds || violations)
			return 0;
		printf("# %s, and nothing notices\n", *guard ? "a guard is off" : "no fix");
		return 1;
	}
	if (reds || violations) {
		printf("# %s\n", reds ? h->what_is_lost : "an assertion of the kernel");
		hz_tidy();
		return 1;
	}
	if (!hits)
		return hz_skip("B never came in between");
	hz_tidy();
	return 0;
}
