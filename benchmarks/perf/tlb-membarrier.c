// SPDX-License-Identifier: GPL-2.0
/*
 * tlb/membarrier: MEMBARRIER_CMD_PRIVATE_EXPEDITED interrupts every other CPU
 * that runs this mm and waits for all of them, without any work on page
 * tables: the floor for a TLB shootdown by IPI. The victims read --size of
 * memory here, too, so that those of another benchmark can be matched.
 */
#include <errno.h>
#include <unistd.h>

#include <linux/bits.h>
#include <linux/compiler.h>

#include "bench.h"
#include "tlb.h"

/* enum membarrier_cmd, which headers before Linux 4.14 lack in part */
#define CMD_QUERY				0
#define CMD_PRIVATE_EXPEDITED			BIT(3)
#define CMD_REGISTER_PRIVATE_EXPEDITED		BIT(4)

static int membarrier(int cmd)
{
	return syscall(__NR_membarrier, cmd, 0, 0);
}

static const char *membarrier_setup(void *addr __maybe_unused, size_t size __maybe_unused)
{
	int cmds = membarrier(CMD_QUERY);

	if (cmds < 0)
		return errno == ENOSYS ? "kernel without CONFIG_MEMBARRIER" :
					 "membarrier() is refused here";
	if (!(cmds & CMD_PRIVATE_EXPEDITED))
		return "kernel without MEMBARRIER_CMD_PRIVATE_EXPEDITED";
	if (membarrier(CMD_REGISTER_PRIVATE_EXPEDITED))
		return "MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED failed";
	return NULL;
}

static int membarrier_step(unsigned int step __maybe_unused, void *addr __maybe_unused,
			   size_t size __maybe_unused)
{
	return membarrier(CMD_PRIVATE_EXPEDITED);
}

static const struct tlb_bench membarrier_bench = {
	.name		= "membarrier",
	.op		= "membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED)",
	.nr_steps	= 1,
	.setup		= membarrier_setup,
	.step		= membarrier_step,
};

int bench_tlb_membarrier(int argc, const char **argv)
{
	return bench_tlb(&membarrier_bench, argc, argv);
}
