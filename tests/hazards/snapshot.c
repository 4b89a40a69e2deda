// SPDX-License-Identifier: GPL-2.0
/*
 * An oracle for incremental snapshots, as live migration, CRIU and checkpointing
 * take them: while writers write, trackers ask the kernel what was written, protect
 * it again and copy it, round after round. Then everybody stops, and a page that
 * differs from its copy and that the kernel does not report as written is a lost
 * write. So is a store that is not in memory any more.
 *
 * Meanwhile another thread forks, changes protections, pages out and migrates, and
 * discards pages of its own in the same tables. What it stores there after MADV_FREE
 * has to stay, and what a child sees must not change.
 *
 * Trackers, each with the promise that it relies on:
 *
 * soft-dirty	clear_refs(4) has returned: later writes set the bit. One tracker: a
 *		second would take bits from the first, or, with the same snapshot, copy
 *		anew what the first has lost.
 * scan		PAGEMAP_SCAN with WP_MATCHING has returned: what it did not report
 *		has not been written, what it did is protected.
 * uffd-wp	UFFDIO_WRITEPROTECT has returned: later writes send a message. Each
 *		tracker protects everything and has a snapshot of its own, so that
 *		they find each other's work unfinished.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "hazard.h"
#include "migrate.h"
#include "pagemap.h"

#define MAX_THREADS	64

enum method { SOFT_DIRTY, SCAN, UFFD_WP };
static const char * const method_names[] = { "soft-dirty", "scan", "uffd-wp" };

static enum method method;
static unsigned int nr_writers = 2, nr_trackers = 2, pages = 64, seed;
static unsigned int rounds = 100, round_ms = 50;
static bool disturbed = true;
static enum kind kind = SMALL;

static uint64_t *mem;			/* writer w owns word w of each page, nobody the last */
static uint64_t *spare;			/* as many pages behind them, the disturber's */
static unsigned int words;		/* in a page */
static int uffd = -1, pagemap;

static atomic_bool stop, done;
static pthread_barrier_t stopped, go;
static atomic_ulong writes, copied, reported, damaged;

static struct tracker {
	uint64_t *snapshot;
	atomic_bool *written;		/* uffd-wp: a message came */
	bool *take;
} trackers[MAX_THREADS];
static uint32_t *wrote[MAX_THREADS];	/* by each writer, to each page */

static pthread_spinlock_t *page_lock;	/* orders copies of a page */
static pthread_mutex_t answering = PTHREAD_MUTEX_INITIALIZER;

static uint64_t *page_of(uint64_t *area, unsigned int page)
{
	return area + (size_t)page * words;
}

/* Everybody comes here while the main thread looks. */
static bool pause_if_told(void)
{
	if (!atomic_load(&stop))
		return true;
	pthread_barrier_wait(&stopped);
	pthread_barrier_wait(&go);
	return !atomic_load(&done);
}

static void *writer(void *arg)
{
	unsigned int self = (uintptr_t)arg, state = seed + self;

	do {
		for (int i = 0; i < 64; i++) {
			unsigned int page = rand_r(&state) % pages;
			volatile uint64_t *p = page_of(mem, page) + self;

			*p = *p + 1;
			wrote[self][page]++;
		}
		atomic_fetch_add(&writes, 64);
	} while (pause_if_told());
	return NULL;
}

static void copy(struct tracker *t, unsigned int page)
{
	pthread_spin_lock(&page_lock[page]);
	memcpy(page_of(t->snapshot, page), page_of(mem, page), hz_page);
	pthread_spin_unlock(&page_lock[page]);
	atomic_fetch_add(&copied, 1);
}

static void track_soft_dirty(struct tracker *t)
{
	if (hz_write_file("/proc/self/clear_refs", "4"))
		hz_fail("clear_refs");
	for (unsigned int i = 0; i < pages; i++)
		copy(t, i);
}

/* Calls @found for what was written, and protects it. */
static void scan(struct tracker *t, void (*found)(struct tracker *t, unsigned int page))
{
	char *end = (char *)page_of(mem, pages);
	struct page_region regions[32];
	uint64_t at = (uintptr_t)mem;

	while (at < (uintptr_t)end) {
		int n = pagemap_scan(pagemap, (void *)at, end, true, regions, 32, &at);

		if (n < 0)
			hz_fail("PAGEMAP_SCAN");
		for (int i = 0; i < n; i++)
			for (uint64_t page = regions[i].start; page < regions[i].end;
			     page += hz_page) {
				atomic_fetch_add(&reported, 1);
				found(t, (page - (uintptr_t)mem) / hz_page);
			}
	}
}

static void track_uffd_wp(struct tracker *t)
{
	for (unsigned int i = 0; i < pages; i++)
		t->take[i] = atomic_exchange(&t->written[i], false);
	if (hz_uffd_wp(uffd, mem, (size_t)pages * hz_page, true))
		hz_fail("UFFDIO_WRITEPROTECT");
	for (unsigned int i = 0; i < pages; i++)
		if (t->take[i])
			copy(t, i);
}

static void *tracker(void *arg)
{
	struct tracker *t = arg;

	do {
		switch (method) {
		case SOFT_DIRTY: track_soft_dirty(t); break;
		case SCAN: scan(t, copy); break;
		case UFFD_WP: track_uffd_wp(t); break;
		}
		usleep(500);
	} while (pause_if_told());
	return NULL;
}

static void mark_written(unsigned int page)
{
	for (unsigned int i = 0; i < nr_trackers; i++)
		atomic_store(&trackers[i].written[page], true);
}

static void *messages(void *arg)
{
	struct pollfd fd = { .fd = uffd, .events = POLLIN };
	struct uffd_msg msg;

	(void)arg;
	while (!atomic_load(&done)) {
		unsigned int page;

		if (poll(&fd, 1, 100) <= 0 || read(uffd, &msg, sizeof(msg)) != sizeof(msg))
			continue;
		page = (msg.arg.pagefault.address - (uintptr_t)mem) / hz_page;
		pthread_mutex_lock(&answering);
		mark_written(page);
		if (hz_uffd_wp(uffd, page_of(mem, page), hz_page, false) && errno != ENOENT)
			hz_fail("UFFDIO_WRITEPROTECT");
		/* Who took the mark before may have protected it before, too. */
		mark_written(page);
		pthread_mutex_unlock(&answering);
		atomic_fetch_add(&reported, 1);
	}
	return NULL;
}

/*
 * What a child has is what was there when it was forked, and what it writes is its
 * own. Only of some pages: the others stay shared.
 */
static void child(unsigned int first, unsigned int n)
{
	uint64_t was[16][2];

	if (n > 16)
		n = 16;
	for (unsigned int i = 0; i < n; i++) {
		uint64_t *page = page_of(mem, first + i);

		was[i][0] = __atomic_load_n(&page[0], __ATOMIC_RELAXED);
		was[i][1] = __atomic_load_n(&page[nr_writers - 1], __ATOMIC_RELAXED);
		if (i % 2)
			page[words - 1] = 1;
	}
	usleep(1000);
	for (unsigned int i = 0; i < n; i++) {
		uint64_t *page = page_of(mem, first + i);

		if (__atomic_load_n(&page[0], __ATOMIC_RELAXED) != was[i][0] ||
		    __atomic_load_n(&page[nr_writers - 1], __ATOMIC_RELAXED) != was[i][1])
			_exit(1);
	}
	_exit(0);
}

/* Discard @n pages, write to them and let reclaim see them. */
static void discard(unsigned int first, unsigned int n, int advice)
{
	static uint64_t stamp;
	char *at = (char *)page_of(spare, first);

	if (madvise(at, (size_t)n * hz_page, advice))
		hz_fail("madvise");
	stamp++;
	for (unsigned int i = first; i < first + n; i++) {
		if (advice == MADV_DONTNEED && *page_of(spare, i))
			atomic_fetch_add(&damaged, 1);
		*page_of(spare, i) = stamp;
	}
	madvise(at, (size_t)n * hz_page, MADV_PAGEOUT);
	for (unsigned int i = first; i < first + n; i++)
		if (*page_of(spare, i) != stamp)
			atomic_fetch_add(&damaged, 1);
}

static void *disturber(void *arg)
{
	unsigned int state = seed + MAX_THREADS;

	(void)arg;
	do {
		unsigned int first = rand_r(&state) % pages;
		unsigned int n = 1 + rand_r(&state) % (pages - first);
		char *at = (char *)page_of(mem, first);
		size_t size = (size_t)n * hz_page;
		int status = 0;
		pid_t pid;

		switch (rand_r(&state) % 7) {
		case 0:
			pid = fork();
			if (!pid)
				child(first, n);
			if (pid > 0 && waitpid(pid, &status, 0) == pid && status)
				atomic_fetch_add(&damaged, 1);
			break;
		case 1:
			/* The writers that run into it try again. */
			mprotect(at, size, PROT_READ);
			mprotect(at, size, PROT_READ | PROT_WRITE);
			break;
		case 2:
			madvise(at, size, MADV_PAGEOUT);
			break;
		case 3:
			/* do_wp_page() of arm64 warns for it with WP_ASYNC and DEBUG_VM. */
			if (method != SCAN)
				madvise(at, size, MADV_COLD);
			break;
		case 4:
		case 5:
			migrate_pages(0, at, n > 32 ? 32 : n, rand_r(&state) % 2);
			break;
		case 6:
			discard(first, n, rand_r(&state) % 2 ? MADV_FREE : MADV_DONTNEED);
			break;
		}
		usleep(rand_r(&state) % 2000);
	} while (pause_if_told());
	return NULL;
}

static void again(int sig)
{
	(void)sig;
}

static bool is_reported(struct tracker *t, unsigned int page)
{
	switch (method) {
	case SOFT_DIRTY: return hz_pagemap(page_of(mem, page)) & PM_SOFT_DIRTY;
	case UFFD_WP: return atomic_load(&t->written[page]);
	default: return t->take[page];
	}
}

static void take(struct tracker *t, unsigned int page)
{
	t->take[page] = true;
}

/* Nobody writes. Returns how many writes were lost; in @hit, if any could be. */
static unsigned int compare(unsigned int round, bool *hit)
{
	/* Who scans takes it from all others: they have one snapshot. */
	unsigned int lost = 0, own = method == UFFD_WP ? nr_trackers : 1;

	/* The last message has been answered in full. */
	pthread_mutex_lock(&answering);
	pthread_mutex_unlock(&answering);
	for (unsigned int i = 0; i < own; i++) {
		struct tracker *t = &trackers[i];

		if (method == SCAN) {
			memset(t->take, 0, pages * sizeof(*t->take));
			scan(t, take);
		}
		for (unsigned int page = 0; page < pages; page++) {
			uint64_t *is = page_of(mem, page), *was = page_of(t->snapshot, page);

			if (memcmp(is, was, hz_page)) {
				*hit = true;
				if (!is_reported(t, page) && !lost++)
					printf("# round %u: page %u differs from snapshot %u, and is not reported as written\n",
					       round, page, i);
			}
			if (method == SCAN && t->take[page])
				copy(t, page);
		}
	}
	for (unsigned int page = 0; page < pages; page++)
		if (page_of(mem, page)[words - 1] && !lost++)
			printf("# round %u: page %u has what a child wrote\n", round, page);
	if (damaged && !lost)
		printf("# round %u: a child's page changed, or a page that was discarded\n", round);
	lost += damaged;
	for (unsigned int w = 0; w < nr_writers; w++)
		for (unsigned int page = 0; page < pages; page++)
			if (page_of(mem, page)[w] != wrote[w][page] && !lost++)
				printf("# round %u: writer %u wrote %u times to page %u, which has %lu\n",
				       round, w, wrote[w][page], page,
				       (unsigned long)page_of(mem, page)[w]);
	return lost;
}

static const char *setup(void)
{
	size_t size = (size_t)pages * hz_page;
	const char *why;

	words = hz_page / sizeof(*mem);
	pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	mem = (uint64_t *)hz_map_size(kind, 2 * size, &why);
	if (!mem)
		return why;
	spare = page_of(mem, pages);
	memset(mem, 0, 2 * size);
	switch (method) {
	case SOFT_DIRTY:
		nr_trackers = 1;
		if (!(hz_pagemap(mem) & PM_SOFT_DIRTY))
			return "the kernel has no soft-dirty bit";
		break;
	case SCAN:
		uffd = hz_uffd_with(UFFD_FEATURE_WP_ASYNC | UFFD_FEATURE_WP_UNPOPULATED,
				    mem, size, UFFDIO_REGISTER_MODE_WP, &why);
		break;
	case UFFD_WP:
		uffd = hz_uffd(mem, size, UFFDIO_REGISTER_MODE_WP, &why);
		if (!why)
			fcntl(uffd, F_SETFL, O_NONBLOCK);
	}
	if (why)
		return why;
	page_lock = calloc(pages, sizeof(*page_lock));
	for (unsigned int i = 0; i < pages; i++)
		pthread_spin_init(&page_lock[i], PTHREAD_PROCESS_PRIVATE);
	for (unsigned int i = 0; i < nr_writers; i++)
		wrote[i] = calloc(pages, sizeof(*wrote[i]));
	for (unsigned int i = 0; i < nr_trackers; i++) {
		struct tracker *t = &trackers[i];

		t->snapshot = i && method != UFFD_WP ? trackers[0].snapshot :
			      aligned_alloc(hz_page, size);
		t->written = calloc(pages, sizeof(*t->written));
		t->take = calloc(pages, sizeof(*t->take));
		/* The first round finds them all written. */
		for (unsigned int page = 0; page < pages; page++)
			t->written[page] = true;
	}
	return NULL;
}

static void usage(const char *self)
{
	fprintf(stderr, "usage: %s [-m soft-dirty|scan|uffd-wp] [-w writers] [-t trackers] [-p pages]\n"
		"	[-n rounds] [-i ms between them] [-s seed] [-q (do not disturb)] [-H (huge pages)] [-d delay in us] [-r] [-b guard]\n",
		self);
	exit(2);
}

int main(int argc, char **argv)
{
	static struct sigaction action = { .sa_handler = again };
	struct hazard self = { .name = "snapshot" };
	pthread_t threads[2 * MAX_THREADS + 2], handler;
	unsigned int nr = 0, round = 0, hits = 0, lost = 0;
	long violations;
	const char *why, *guard = "";
	bool expect_red = false;
	int opt;

	seed = hz_now() / 1000;
	while ((opt = getopt(argc, argv, "m:w:t:p:n:i:s:qHd:rb:")) != -1) {
		switch (opt) {
		case 'm':
			for (method = 0; method <= UFFD_WP; method++)
				if (!strcmp(optarg, method_names[method]))
					break;
			if (method > UFFD_WP)
				usage(argv[0]);
			break;
		case 'w': nr_writers = strtoul(optarg, NULL, 0); break;
		case 't': nr_trackers = strtoul(optarg, NULL, 0); break;
		case 'p': pages = strtoul(optarg, NULL, 0); break;
		case 'n': rounds = strtoul(optarg, NULL, 0); break;
		case 'i': round_ms = strtoul(optarg, NULL, 0); break;
		case 's': seed = strtoul(optarg, NULL, 0); break;
		case 'q': disturbed = false; break;
		case 'H': kind = THP; break;
		case 'd': hz_delay = strtoul(optarg, NULL, 0); break;
		case 'r': expect_red = true; break;
		case 'b': guard = optarg; expect_red = true; break;
		default: usage(argv[0]);
		}
	}
	if (optind != argc || !nr_writers || nr_writers > MAX_THREADS || !nr_trackers ||
	    nr_trackers > MAX_THREADS || !pages || !rounds)
		usage(argv[0]);

	hz_init(&self);
	why = hz_set_delay();
	if (!why)
		why = setup();
	if (!why)
		why = hz_set_break(guard);
	if (why)
		return hz_skip(why);
	printf("# snapshot -m %s -w %u -t %u -p %u -n %u -i %u -s %u%s%s\n",
	       method_names[method], nr_writers, nr_trackers, pages, rounds, round_ms, seed,
	       disturbed ? "" : " -q", kind == THP ? " -H" : "");

	sigaction(SIGSEGV, &action, NULL);
	pthread_barrier_init(&stopped, NULL, nr_writers + nr_trackers + disturbed + 1);
	pthread_barrier_init(&go, NULL, nr_writers + nr_trackers + disturbed + 1);
	if (method == UFFD_WP && pthread_create(&handler, NULL, messages, NULL))
		hz_fail("thread");
	for (unsigned int i = 0; i < nr_trackers; i++)
		if (pthread_create(&threads[nr++], NULL, tracker, &trackers[i]))
			hz_fail("thread");
	for (unsigned int i = 0; i < nr_writers; i++)
		if (pthread_create(&threads[nr++], NULL, writer, (void *)(uintptr_t)i))
			hz_fail("thread");
	if (disturbed && pthread_create(&threads[nr++], NULL, disturber, NULL))
		hz_fail("thread");

	violations = hz_violations();
	while (!done) {
		bool hit = false;

		usleep(round_ms * 1000);
		stop = true;
		pthread_barrier_wait(&stopped);
		lost = compare(round++, &hit);
		hits += hit;
		stop = false;
		done = lost || round == rounds ||
		       (expect_red && hz_told(round, rounds, violations));
		pthread_barrier_wait(&go);
	}
	for (unsigned int i = 0; i < nr; i++)
		pthread_join(threads[i], NULL);
	if (method == UFFD_WP)
		pthread_join(handler, NULL);

	violations = hz_violations() - violations;
	printf("# rounds %u hits %u red %u violations %ld writes %lu reported %lu copied %lu\n",
	       round, hits, lost, violations, writes, reported, copied);
	hz_tidy();
	if (expect_red) {
		if (lost || violations)
			return 0;
		printf("# %s, and nothing notices\n", *guard ? "a guard is off" : "no fix");
		return 1;
	}
	return lost || violations ? 1 : hits ? 0 : hz_skip("nothing was written in between");
}
