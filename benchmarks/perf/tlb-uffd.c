// SPDX-License-Identifier: GPL-2.0
/*
 * What benchmarks of the tlb collection need of userfaultfd.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/bits.h>

#include "bench.h"
#include "tlb.h"
#include "tlb-uffd.h"

int tlb_uffd = -1;

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

static const char *uffd_open(__u64 features)
{
	struct uffdio_api api = {
		.api = UFFD_API,
		.features = features,
	};
	static char reason[128];

	tlb_uffd = uffd_new();
	if (tlb_uffd < 0) {
		if (errno == ENOSYS)
			return "kernel without CONFIG_USERFAULTFD";
		snprintf(reason, sizeof(reason), "userfaultfd() and /dev/userfaultfd: %s",
			 strerror(errno));
		return reason;
	}
	/* An older kernel refuses a feature that it does not know, others clear it. */
	if (ioctl(tlb_uffd, UFFDIO_API, &api) || (api.features & features) != features)
		return "kernel whose userfaultfd cannot write-protect like this";
	return NULL;
}

void tlb_uffd_close(void)
{
	if (tlb_uffd >= 0)
		close(tlb_uffd);
	tlb_uffd = -1;
}

const char *tlb_uffd_register(__u64 features, void *addr, size_t size)
{
	struct uffdio_register reg = {
		.range = { .start = (unsigned long)addr, .len = size },
		.mode = UFFDIO_REGISTER_MODE_WP,
	};
	const char *reason = tlb_uffd < 0 ? uffd_open(features) : NULL;

	if (reason)
		return reason;
	if (ioctl(tlb_uffd, UFFDIO_REGISTER, &reg) ||
	    !(reg.ioctls & ((__u64)1 << _UFFDIO_WRITEPROTECT)))
		return "kernel without UFFDIO_WRITEPROTECT for anonymous memory";
	return NULL;
}
