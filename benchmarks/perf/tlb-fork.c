// SPDX-License-Identifier: GPL-2.0
/*
 * tlb/fork: fork() write-protects the pages of the parent, which its other
 * threads may still hold writable translations of; then the parent writes to
 * each page and copies it while the child still has it, as a database does
 * whose child writes a snapshot; then the child goes.
 */
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"
#include "tlb.h"

/* Each initiator forks a child of its own. */
static __thread pid_t child;

static int fork_step(unsigned int step, void *addr, size_t size)
{
	switch (step) {
	case 0:
		child = fork();
		if (!child) {
			/* It does not outlive a parent that gave up. */
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			for (;;)
				pause();
		}
		return child < 0 ? -1 : 0;
	case 1:
		tlb_touch(addr, size);
		return 0;
	default:
		return kill(child, SIGKILL) || waitpid(child, NULL, 0) != child ? -1 : 0;
	}
}

static const struct tlb_bench fork_bench = {
	.name		= "fork",
	.op		= "fork(), a write to each page, which copies it, and the child's end",
	.nr_steps	= 3,
	.step_name	= { "fork", "copy", "reap" },
	.loops		= 1000,
	.step		= fork_step,
};

int bench_tlb_fork(int argc, const char **argv)
{
	return bench_tlb(&fork_bench, argc, argv);
}
