// SPDX-License-Identifier: GPL-2.0
/*
 * tlb/numa: automatic NUMA balancing takes the access bits of the range away to
 * see who uses it. An op waits, running, until the kernel has done so anywhere, at a
 * pace of its own, and then writes to each page, which takes the hint faults.
 * The shootdowns per op are those of the scan and of what the faults migrate.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <linux/compiler.h>

#include "bench.h"
#include "tlb.h"

#define MAX_SECONDS	20

static u64 pte_updates(void)
{
	static const char key[] = "numa_pte_updates ";
	FILE *vmstat = fopen("/proc/vmstat", "r");
	char line[128];
	u64 n = 0;

	while (vmstat && fgets(line, sizeof(line), vmstat))
		if (!strncmp(line, key, strlen(key)))
			n = strtoull(line + strlen(key), NULL, 10);
	if (vmstat)
		fclose(vmstat);
	return n;
}

static const char *numa_check(u64 written __maybe_unused)
{
	FILE *file = fopen("/proc/sys/kernel/numa_balancing", "r");
	int on = 0;

	if (!file)
		return "kernel without CONFIG_NUMA_BALANCING, or one node";
	if (fscanf(file, "%d", &on) != 1)
		on = 0;
	fclose(file);
	return on & 1 ? NULL : "sysctl kernel.numa_balancing is off";
}

/* The scan runs where a thread of ours returns to user space after a tick. */
static int wait_for_scan(void)
{
	time_t deadline = time(NULL) + MAX_SECONDS;
	u64 before = pte_updates();

	while (pte_updates() == before) {
		if (time(NULL) > deadline) {
			errno = ETIMEDOUT;
			return -1;
		}
	}
	return 0;
}

static int numa_step(unsigned int step, void *addr, size_t size)
{
	if (!step)
		return wait_for_scan();
	tlb_touch(addr, size);
	return 0;
}

static const struct tlb_bench numa_bench = {
	.name		= "numa",
	.op		= "wait for a scan of NUMA balancing, then write to each page",
	.nr_steps	= 2,
	.step_name	= { "scan", "touch" },
	.victims	= TLB_SPIN,	/* they would take the hint faults */
	.size		= "1024",
	.loops		= 10,
	.check		= numa_check,
	.too_late	= "no scan within 20 s: see numa_balancing/scan_period_min_ms in debugfs",
	.step		= numa_step,
};

int bench_tlb_numa(int argc, const char **argv)
{
	return bench_tlb(&numa_bench, argc, argv);
}
