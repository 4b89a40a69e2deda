// SPDX-License-Identifier: GPL-2.0
/*
 * H19: see moved.h; B moves the page with UFFDIO_MOVE.
 */
#include <errno.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "moved.h"
#include "pagemap.h"

static char *dst;
static int uffd;

static const char *setup(void)
{
	const char *why;

	dst = hz_map(SMALL, &why);
	if (!dst)
		return why;
	uffd = hz_uffd_with(UFFD_FEATURE_MOVE, dst, hz_page, UFFDIO_REGISTER_MODE_MISSING, &why);
	if (why)
		return "no UFFDIO_MOVE";
	return moved_setup("h19");
}

static void prepare(void)
{
	if (madvise(dst, hz_page, MADV_DONTNEED))
		hz_fail("MADV_DONTNEED");
	moved_prepare();
}

static volatile unsigned long *move(volatile unsigned long *src)
{
	struct uffdio_move move = {
		.dst = (uintptr_t)dst, .src = (uintptr_t)src, .len = hz_page,
	};

	while (ioctl(uffd, UFFDIO_MOVE, &move) && errno == EAGAIN)
		move.move = 0;
	return move.move == hz_page ? (void *)dst : NULL;
}

static void b(void)
{
	moved_b(move);
}

static const struct hazard h19 = {
	.name = "h19",
	.what_is_lost = "a page that was moved away was written through its old address",
	.setup = setup,
	.prepare = prepare,
	.judge = moved_judge,
	.role = { moved_victim, moved_a, b },
};

int main(int argc, char **argv)
{
	return hz_main(&h19, argc, argv);
}
