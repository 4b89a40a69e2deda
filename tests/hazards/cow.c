// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <unistd.h>
#include <linux/userfaultfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "cow.h"

static volatile char *mem;
static size_t size;
static bool soft_dirty;
static int uffd;
static pid_t child;
static long settled;
static bool came;
static atomic_bool looking;		/* B, from before A begins */

static uint64_t asked, asked_before;

static bool seen(void)
{
	asked_before = asked;
	asked = hz_now();
	return hz_protected(soft_dirty, (char *)mem);
}

const char *cow_setup(enum kind kind, bool soft_dirty_)
{
	const char *why;

	soft_dirty = soft_dirty_;

	if (hz_vmstat("tlb_gen_settle") < 0)
		return "the kernel does not count settled faults";
	size = hz_size(kind);
	mem = hz_map(kind, &why);
	if (!mem)
		return why;
	if (soft_dirty) {
		mem[0] = 1;
		return seen() ? "the kernel has no soft-dirty bit" : NULL;
	}
	uffd = hz_uffd((void *)mem, size, UFFDIO_REGISTER_MODE_WP, &why);
	return why;
}

void cow_prepare(void)
{
	int ready[2];
	char c;

	mem[0] = mem[size] = 1;
	if (pipe(ready))
		hz_fail("pipe");
	child = fork();
	if (child < 0)
		hz_fail("fork");
	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (write(ready[1], "", 1) == 1)
			pause();
		_exit(0);
	}
	if (read(ready[0], &c, 1) != 1)
		hz_fail("child");
	close(ready[0]);
	close(ready[1]);
	if (soft_dirty)
		hz_protect(true, -1, NULL, 0);
	/* Exclusive again, so that there is something to protect. */
	mem[0] = 2;
	came = looking = false;
	settled = hz_vmstat("tlb_gen_settle");
}

void cow_a(void)
{
	hz_wait(&looking);
	hz_a_begins();
	hz_protect(soft_dirty, uffd, (void *)mem, size);
	hz_a_done();
}

void cow_b(void)
{
	asked = hz_now();
	looking = true;
	if (hz_wait_for_a(seen)) {
		mem[size] = 3;
		/*
		 * A had changed nothing when it was asked about before: its
		 * flush is later than that by more than the delay. Without a
		 * delay nobody knows whether it is still to come.
		 */
		came = hz_now() - asked_before < hz_delay * 1000ULL;
	}
	hz_wait_for_a_done();
	if (!soft_dirty && hz_uffd_wp(uffd, (void *)mem, size, false))
		hz_fail("un-protect");
}

enum outcome cow_judge(void)
{
	bool flushed = hz_vmstat("tlb_gen_settle") > settled;

	kill(child, SIGKILL);
	while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
	if (flushed)
		return HIT;
	return came ? RED : MISS;
}
