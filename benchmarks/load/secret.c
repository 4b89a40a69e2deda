// SPDX-License-Identifier: GPL-2.0
/*
 * Flushes of kernel addresses, on every CPU: each page of memfd_secret(2) is taken out
 * of the kernel's direct map. Runs until it is killed.
 */
#define _GNU_SOURCE
#include <err.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef __NR_memfd_secret
#define __NR_memfd_secret	447
#endif
#define PAGES	8

int main(void)
{
	size_t size = PAGES * sysconf(_SC_PAGESIZE);

	for (;;) {
		int fd = syscall(__NR_memfd_secret, 0);
		char *p;

		if (fd < 0 || ftruncate(fd, size))
			err(1, "memfd_secret");
		p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (p == MAP_FAILED)
			err(1, "mmap");
		for (size_t i = 0; i < size; i += size / PAGES)
			p[i] = 1;
		munmap(p, size);
		close(fd);
		usleep(1000);
	}
}
