// SPDX-License-Identifier: GPL-2.0
/*
 * tlb/uffd-wp: a range which the victims read is write-protected through
 * userfaultfd, then un-protected, as a snapshot or live migration does it.
 * Nobody writes to the range meanwhile, so there are no faults to serve.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/bits.h>

/* perf is built with -Wpacked, to which struct uffd_msg would fall */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpacked"
#include <linux/userfaultfd.h>
#pragma GCC diagnostic pop

#include "bench.h"
#include "tlb.h"

/* Headers before Linux 5.7, 5.11 and 6.1 */
#ifndef UFFD_FEATURE_PAGEFAULT_FLAG_WP
#define UFFD_FEATURE_PAGEFAULT_FLAG_WP	BIT(0)
#endif
#ifndef _UFFDIO_WRITEPROTECT
#define _UFFDIO_WRITEPROTECT		0x06
struct uffdio_writeprotect {
	struct uffdio_range range;
#define UFFDIO_WRITEPROTECT_MODE_WP	((__u64)1 << 0)
	__u64 mode;
};

#define UFFDIO_WRITEPROTECT	_IOWR(UFFDIO, _UFFDIO_WRITEPROTECT, struct uffdio_writeprotect)
#endif
#ifndef UFFD_USER_MODE_ONLY
#define UFFD_USER_MODE_ONLY		1
#endif
#ifndef USERFAULTFD_IOC_NEW
#define USERFAULTFD_IOC_NEW		_IO(0xAA, 0x00)
#endif

static int uffd = -1;

/* The least privilege that does: unprivileged users may be allowed only that. */
static int uffd_new(void)
{
	int flags = O_CLOEXEC | O_NONBLOCK, fd, dev, saved;

	fd = syscall(__NR_userfaultfd, flags | UFFD_USER_MODE_ONLY);
	if (fd < 0 && errno == EINVAL)
		fd = syscall(__NR_userfaultfd, flags);
	if (fd >= 0)
		return fd;

	saved = errno;
	dev = open("/dev/userfaultfd", O_RDWR | O_CLOEXEC);
	if (dev >= 0) {
		fd = ioctl(dev, USERFAULTFD_IOC_NEW, flags);
		close(dev);
	}
	errno = saved;
	return fd;
}

static const char *uffd_open(void)
{
	struct uffdio_api api = {
		.api = UFFD_API,
		.features = UFFD_FEATURE_PAGEFAULT_FLAG_WP,
	};
	static char reason[128];

	uffd = uffd_new();
	if (uffd < 0) {
		if (errno == ENOSYS)
			return "kernel without CONFIG_USERFAULTFD";
		snprintf(reason, sizeof(reason), "userfaultfd() and /dev/userfaultfd: %s",
			 strerror(errno));
		return reason;
	}
	/* An older kernel refuses a feature that it does not know, others clear it. */
	if (ioctl(uffd, UFFDIO_API, &api) || !(api.features & UFFD_FEATURE_PAGEFAULT_FLAG_WP))
		return "kernel without UFFD_FEATURE_PAGEFAULT_FLAG_WP";
	return NULL;
}

static void uffd_cleanup(void)
{
	if (uffd >= 0)
		close(uffd);
	uffd = -1;
}

static const char *uffd_setup(void *addr, size_t size)
{
	struct uffdio_register reg = {
		.range = { .start = (unsigned long)addr, .len = size },
		.mode = UFFDIO_REGISTER_MODE_WP,
	};
	const char *reason = uffd < 0 ? uffd_open() : NULL;

	if (reason)
		return reason;
	if (ioctl(uffd, UFFDIO_REGISTER, &reg) ||
	    !(reg.ioctls & ((__u64)1 << _UFFDIO_WRITEPROTECT)))
		return "kernel without UFFDIO_WRITEPROTECT for anonymous memory";
	return NULL;
}

static int uffd_step(unsigned int step, void *addr, size_t size)
{
	struct uffdio_writeprotect wp = {
		.range = { .start = (unsigned long)addr, .len = size },
		.mode = step ? 0 : UFFDIO_WRITEPROTECT_MODE_WP,
	};

	return ioctl(uffd, UFFDIO_WRITEPROTECT, &wp);
}

static const struct tlb_bench uffd_wp_bench = {
	.name		= "uffd-wp",
	.op		= "UFFDIO_WRITEPROTECT to protect, then again to un-protect (two calls)",
	.nr_steps	= 2,
	.step_name	= { "wp", "unwp" },
	.has_range	= true,
	.setup		= uffd_setup,
	.step		= uffd_step,
	.cleanup	= uffd_cleanup,
};

int bench_tlb_uffd_wp(int argc, const char **argv)
{
	return bench_tlb(&uffd_wp_bench, argc, argv);
}
