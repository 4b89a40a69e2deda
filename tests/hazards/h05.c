// SPDX-License-Identifier: GPL-2.0
/*
 * H5: A makes a page PROT_NONE, its flush pending. The page is migrated through
 * another process's mapping; what it takes for an entry that no CPU uses is
 * still written through by the victim.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "hazard.h"

#define MPOL_MF_MOVE_ALL	(1 << 2)
#define CROWD			512	/* pages */

/*
 * The page is the file's first. The victim's process maps it once: the flush
 * for another mapping there would be the flush that is missing, too.
 */
static volatile unsigned long *mem;
static int memfd, ask[2], answer[2];

/*
 * The victim keeps its TLB full: QEMU makes one with few entries small, and for
 * the TLBI of another page (arm64, the migrating process's) drops all of a small one.
 */
static volatile char *crowd;

static sigjmp_buf faulted;

static void handler(int sig)
{
	siglongjmp(faulted, sig);
}

/* In the other process: to whichever node the page is not on. */
static void migrate(void)
{
	volatile char *other = mmap(NULL, hz_page, PROT_READ | PROT_WRITE, MAP_SHARED, memfd, 0);
	void *page = (void *)other;
	int status = 0, node;
	cpu_set_t cpus;
	char c;

	CPU_ZERO(&cpus);
	CPU_SET(NR_ROLES - 1, &cpus);
	if (sched_setaffinity(0, sizeof(cpus), &cpus) || other == MAP_FAILED)
		_exit(1);
	/* Not at the victim's address: QEMU's TLBI takes no notice of the ASID. */
	munmap((void *)mem, hz_page);
	*other = 1;

	while (read(ask[0], &c, 1) == 1) {
		if (syscall(SYS_move_pages, 0, 1UL, &page, NULL, &status, 0) < 0)
			_exit(1);
		node = !status;
		if (syscall(SYS_move_pages, 0, 1UL, &page, &node, &status, MPOL_MF_MOVE_ALL) < 0)
			status = -errno;
		c = status == node;
		if (write(answer[1], &c, 1) != 1)
			_exit(1);
	}
	_exit(0);
}

static bool migrated(void)
{
	char c;

	if (write(ask[1], "", 1) != 1 || read(answer[0], &c, 1) != 1)
		hz_fail("the migrating process");
	return c;
}

static const char *setup(void)
{
	struct sigaction action = { .sa_handler = handler };
	const char *why;
	pid_t child;

	crowd = hz_map_size(SMALL, CROWD * hz_page, &why);
	if (!crowd)
		return why;
	for (int i = 0; i < CROWD; i++)
		crowd[i * hz_page] = 1;

	memfd = memfd_create("h05", MFD_CLOEXEC);
	if (memfd < 0 || ftruncate(memfd, hz_page) || pipe(ask) || pipe(answer))
		hz_fail("memfd");
	mem = mmap(NULL, hz_page, PROT_READ | PROT_WRITE, MAP_SHARED, memfd, 0);
	if (mem == MAP_FAILED)
		hz_fail("mmap");
	child = fork();
	if (child < 0)
		hz_fail("fork");
	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		migrate();
	}
	sigaction(SIGSEGV, &action, NULL);
	*mem = 1;
	return migrated() ? NULL : "no second node to migrate to";
}

static void prepare(void)
{
	if (mprotect((void *)mem, hz_page, PROT_READ | PROT_WRITE))
		hz_fail("mprotect");
	*mem = 0;
}

/* Writes until it faults; hz_count is what was stored for sure. */
static void victim(void)
{
	unsigned long n = 0;

	if (sigsetjmp(faulted, 1))
		return;
	for (;;) {
		*mem = n + 1;
		n++;
		(void)crowd[n % CROWD * hz_page];
		atomic_store_explicit(&hz_count, n, memory_order_relaxed);
	}
}

static void a(void)
{
	if (!hz_wait_count(1000))
		hz_fail("the victim does not write");
	hz_a_begins();
	if (mprotect((void *)mem, hz_page, PROT_NONE))
		hz_fail("mprotect");
	hz_a_done();
}

static void b(void)
{
	if (hz_wait_for_a(NULL) && !migrated())
		hz_began = false;
	hz_wait(&hz_done);
}

static enum outcome judge(void)
{
	unsigned long stored;

	if (!hz_began)
		return MISS;
	if (pread(memfd, &stored, sizeof(stored), 0) != sizeof(stored))
		hz_fail("pread");
	return stored < hz_count ? RED : HIT;
}

static const struct hazard h05 = {
	.name = "h05",
	.what_is_lost = "a store to a page that was migrated is gone",
	.setup = setup,
	.prepare = prepare,
	.judge = judge,
	.role = { victim, a, b },
	.batches_at_once = true,
};

int main(int argc, char **argv)
{
	return hz_main(&h05, argc, argv);
}
