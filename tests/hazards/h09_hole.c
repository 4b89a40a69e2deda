// SPDX-License-Identifier: GPL-2.0
/*
 * H9 and H14: A punches a hole into the last page of a huge page of a file, for which
 * its entry is cleared. clear_refs(4) skips the empty pmd without its lock.
 *
 * The page itself is then split, too, which drops the bit of a page that was stored to
 * properly: a reference, held by a pipe, prevents that. khugepaged would drop it as well.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/uio.h>

#include "cleared.h"
#include "punch.h"

static void act(pid_t parent)
{
	struct iovec page = { (void *)punch_mem, 1 };
	int fd[2];

	(void)parent;
	if (pipe(fd) || vmsplice(fd[1], &page, 1, 0) != 1)
		hz_fail("vmsplice");
	punch();
	close(fd[0]);
	close(fd[1]);
}

#define KHUGEPAGED_SLEEP	HZ_THP "khugepaged/scan_sleep_millisecs"
static char sleeps[16];

static void wake_khugepaged(void)
{
	hz_write_file(KHUGEPAGED_SLEEP, sleeps);
}

static const char *setup(void)
{
	const char *why = punch_setup(THP, true);

	if (why)
		return why;
	snprintf(sleeps, sizeof(sleeps), "%ld", hz_read_file(KHUGEPAGED_SLEEP));
	if (hz_write_file(KHUGEPAGED_SLEEP, "3600000"))
		return "khugepaged does not sleep";
	atexit(wake_khugepaged);
	punch_prepare();
	return cleared_setup((void *)punch_mem, act);
}

/* The victim's first store, after all is clean, finds a hole and makes it huge. */
int main(int argc, char **argv)
{
	return cleared_main("h09_hole", setup, punch_empty, argc, argv);
}
