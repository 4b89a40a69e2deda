// SPDX-License-Identifier: GPL-2.0
/*
 * What do the uncontended paths cost which tracked TLB flushes go through? One
 * thread on one CPU, nothing to shoot down: short loops of mprotect, brk,
 * fault, munmap and fork.
 *
 * Made for a guest with one CPU under "qemu -icount shift=0", where the clock
 * advances 1 ns per executed instruction: the figures then are instructions,
 * the same at every boot but for interrupts. A repetition takes a fraction of
 * a timer tick, so that most are free of ticks and the cheapest surely is.
 * Elsewhere the figures are plain nanoseconds.
 *
 * Runs as init (static, no argument, no file system) and then reboots, or as
 * an ordinary program.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/reboot.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WARM_UP	20
#define REPS	301
#define TABLE_PAGES	512

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))

static size_t page_size;
static char *page, *table;	/* populated and dirty: a page, TABLE_PAGES pages */

/* Without stdio's buffers: nothing but the loops uses the heap. */
static void say(const char *fmt, ...)
{
	char line[256];
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	if (write(STDOUT_FILENO, line, len) != len)
		exit(EXIT_FAILURE);
}

static void check(int ok, const char *what)
{
	if (ok)
		return;
	say("fastpath error: %s: %s\n", what, strerror(errno));
	exit(EXIT_FAILURE);
}

static void touch(char *p)
{
	__atomic_store_n(p, 1, __ATOMIC_RELAXED);
}

static void mprotect_once(void)
{
	check(!mprotect(page, page_size, PROT_READ), "mprotect to read-only");
	check(!mprotect(page, page_size, PROT_READ | PROT_WRITE), "mprotect to read-write");
	touch(page);
}

/* What each page costs, more than what each call does */
static void mprotect_table_once(void)
{
	check(!mprotect(table, TABLE_PAGES * page_size, PROT_READ), "mprotect to read-only");
	check(!mprotect(table, TABLE_PAGES * page_size, PROT_READ | PROT_WRITE),
	      "mprotect to read-write");
	touch(table);
}

static void brk_once(void)
{
	char *end = sbrk(page_size);

	check(end != (void *)-1, "brk to grow");
	touch(end);
	check(sbrk(-page_size) != (void *)-1, "brk to shrink");
}

static void fault_once(void)
{
	check(!madvise(page, page_size, MADV_DONTNEED), "madvise");
	touch(page);
}

static void munmap_once(void)
{
	char *p = mmap(NULL, page_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		       -1, 0);

	check(p != MAP_FAILED, "mmap");
	touch(p);
	check(!munmap(p, page_size), "munmap");
}

static void fork_once(void)
{
	int status;
	pid_t pid = fork();

	check(pid >= 0, "fork");
	if (!pid)
		_exit(0);
	check(waitpid(pid, &status, 0) == pid && !status, "waitpid");
	touch(page);
}

static const struct {
	const char *name;
	void (*once)(void);
	unsigned int loops;	/* of a repetition: some 100000 instructions */
} paths[] = {
	{ "mprotect", mprotect_once, 30 },
	{ "mprotect-512", mprotect_table_once, 3 },
	{ "brk", brk_once, 30 },
	{ "fault", fault_once, 60 },
	{ "munmap", munmap_once, 30 },
	{ "fork", fork_once, 4 },
};

static double now(void)
{
	struct timespec ts;

	check(!clock_gettime(CLOCK_MONOTONIC_RAW, &ts), "clock_gettime");
	return ts.tv_sec * 1e9 + ts.tv_nsec;
}

static double repeat(void (*once)(void), unsigned int loops)
{
	double start = now();
	unsigned int i;

	for (i = 0; i < loops; i++)
		once();
	return (now() - start) / loops;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static void measure(const char *name, void (*once)(void), unsigned int loops)
{
	static double nsec[REPS];
	double total = 0;
	unsigned int i;

	for (i = 0; i < WARM_UP; i++)
		repeat(once, loops);
	for (i = 0; i < REPS; i++) {
		nsec[i] = repeat(once, loops);
		total += nsec[i];
	}
	qsort(nsec, REPS, sizeof(nsec[0]), compare);
	say("fastpath %s loops %u ns_per_loop %.1f median %.1f mean %.1f reps %u\n",
	    name, loops, nsec[0], nsec[REPS / 2], total / REPS, REPS);
}

/* A CPU left behind would have to be interrupted for ever after. */
static void stay_here(void)
{
	cpu_set_t here;
	int cpu = sched_getcpu();

	CPU_ZERO(&here);
	if (cpu >= 0 && cpu < CPU_SETSIZE) {
		CPU_SET(cpu, &here);
		check(!sched_setaffinity(0, sizeof(here), &here), "sched_setaffinity");
	}
}

/* Where the stack and the heap happen to lie decides how many tables fork copies. */
static void fix_layout(char **argv)
{
	int old = personality(0xffffffff);

	if (old >= 0 && !(old & ADDR_NO_RANDOMIZE) && personality(old | ADDR_NO_RANDOMIZE) >= 0)
		execv(argv[0], argv);
	check(personality(0xffffffff) & ADDR_NO_RANDOMIZE, "a fixed address layout");
}

int main(int argc, char **argv)
{
	struct utsname uts;
	unsigned int i;

	if (argc)
		fix_layout(argv);
	check(!uname(&uts), "uname");
	stay_here();
	page_size = sysconf(_SC_PAGESIZE);
	page = mmap(NULL, page_size, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	check(page != MAP_FAILED, "mmap");
	/* Behind a page without access: no call splits or merges a VMA of theirs. */
	check(mmap(NULL, page_size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED,
	      "mmap");
	table = mmap(NULL, TABLE_PAGES * page_size, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	check(table != MAP_FAILED, "mmap");

	say("fastpath kernel %s %s\n", uts.release, uts.machine);
	for (i = 0; i < ARRAY_SIZE(paths); i++)
		measure(paths[i].name, paths[i].once, paths[i].loops);
	say("fastpath done\n");

	if (getpid() == 1)
		check(!reboot(RB_AUTOBOOT), "reboot");
	return 0;
}
