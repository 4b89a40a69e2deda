// SPDX-License-Identifier: GPL-2.0
/*
 * tlb/uffd-wp: a range which the victims read is write-protected through
 * userfaultfd, then un-protected, as a snapshot or live migration does it.
 * Nobody writes to the range meanwhile, so there are no faults to serve.
 *
 * tlb/uffd-wp-sync: it is written to meanwhile. A monitor un-protects each page
 * that is reported. It shares the CPU of the first initiator, which waits for it.
 *
 * tlb/uffd-wp-async: the same where the kernel un-protects, without a message.
 */
#include <err.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/compiler.h>

#include "bench.h"
#include "tlb.h"
#include "tlb-uffd.h"

static const char *uffd_setup(void *addr, size_t size)
{
	return tlb_uffd_register(UFFD_FEATURE_PAGEFAULT_FLAG_WP, addr, size);
}

static int protect(void *addr, size_t size, bool wp)
{
	struct uffdio_writeprotect arg = {
		.range = { .start = (unsigned long)addr, .len = size },
		.mode = wp ? UFFDIO_WRITEPROTECT_MODE_WP : 0,
	};

	return ioctl(tlb_uffd, UFFDIO_WRITEPROTECT, &arg);
}

static int uffd_step(unsigned int step, void *addr, size_t size)
{
	return protect(addr, size, !step);
}

static int touch_step(unsigned int step, void *addr, size_t size)
{
	if (!step)
		return protect(addr, size, true);
	tlb_touch(addr, size);
	return 0;
}

static pthread_t monitor;
static bool monitored, stop;

static void *monitor_fn(void *arg __maybe_unused)
{
	struct pollfd pollfd = { .fd = tlb_uffd, .events = POLLIN };
	size_t page_size = sysconf(_SC_PAGESIZE);
	struct uffd_msg msg;

	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		if (poll(&pollfd, 1, 100) <= 0 ||
		    read(tlb_uffd, &msg, sizeof(msg)) != sizeof(msg) ||
		    msg.event != UFFD_EVENT_PAGEFAULT)
			continue;
		if (protect((void *)(unsigned long)(msg.arg.pagefault.address & -page_size),
			    page_size, false))
			err(EXIT_FAILURE, "tlb/uffd-wp-sync: cannot un-protect a page");
	}
	return NULL;
}

static const char *sync_setup(void *addr, size_t size)
{
	const char *reason = uffd_setup(addr, size);

	if (reason)
		return reason;
	if (monitored)
		return "the monitor shares the CPU of the initiator: there can be only one";
	stop = false;
	if (pthread_create(&monitor, NULL, monitor_fn, NULL))
		return "no thread for the monitor";
	monitored = true;
	return NULL;
}

static void sync_cleanup(void)
{
	if (monitored) {
		__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
		pthread_join(monitor, NULL);
	}
	monitored = false;
	tlb_uffd_close();
}

static const char *async_setup(void *addr, size_t size)
{
	return tlb_uffd_register(UFFD_FEATURE_WP_ASYNC | UFFD_FEATURE_WP_UNPOPULATED, addr, size);
}

static const struct tlb_bench uffd_wp_bench = {
	.name		= "uffd-wp",
	.op		= "UFFDIO_WRITEPROTECT to protect, then again to un-protect (two calls)",
	.nr_steps	= 2,
	.step_name	= { "wp", "unwp" },
	.setup		= uffd_setup,
	.step		= uffd_step,
	.cleanup	= tlb_uffd_close,
};

static const struct tlb_bench sync_bench = {
	.name		= "uffd-wp-sync",
	.op		= "UFFDIO_WRITEPROTECT, then a write to each page, which a monitor serves",
	.nr_steps	= 2,
	.step_name	= { "wp", "write" },
	.loops		= 2000,
	.setup		= sync_setup,
	.step		= touch_step,
	.cleanup	= sync_cleanup,
};

static const struct tlb_bench async_bench = {
	.name		= "uffd-wp-async",
	.op		= "UFFDIO_WRITEPROTECT, then a write to each page, which the kernel serves",
	.nr_steps	= 2,
	.step_name	= { "wp", "write" },
	.setup		= async_setup,
	.step		= touch_step,
	.cleanup	= tlb_uffd_close,
};

int bench_tlb_uffd_wp(int argc, const char **argv)
{
	return bench_tlb(&uffd_wp_bench, argc, argv);
}

int bench_tlb_uffd_wp_sync(int argc, const char **argv)
{
	return bench_tlb(&sync_bench, argc, argv);
}

int bench_tlb_uffd_wp_async(int argc, const char **argv)
{
	return bench_tlb(&async_bench, argc, argv);
}
