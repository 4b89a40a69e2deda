/* SPDX-License-Identifier: GPL-2.0 */
#ifndef BENCH_TLB_UFFD_H
#define BENCH_TLB_UFFD_H

#include <stddef.h>
#include <linux/bits.h>

/* perf is built with -Wpacked, to which struct uffd_msg would fall */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpacked"
#include <linux/userfaultfd.h>
#pragma GCC diagnostic pop

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

#include "tlb-scan.h"

extern int tlb_uffd;

/*
 * Register memory of one initiator for write protection; the first call opens
 * the file with @features. Returns NULL, or why this machine cannot do it.
 */
const char *tlb_uffd_register(__u64 features, void *addr, size_t size);
void tlb_uffd_close(void);

#endif
