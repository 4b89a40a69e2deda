// SPDX-License-Identifier: GPL-2.0
/*
 * H17, migration gives up: A moves pages and flushes later. Some of them are pinned,
 * as for a device. Their entries are cleared, put back, and the folio is unlocked: its
 * batch must have been flushed by then, because whoever finds it unlocked does not.
 *
 * A store is lost only if another process has the page mapped as well, drops that
 * mapping in between, and a third writes the page out. The kernel asserts that the
 * batch has been flushed.
 */
#include <fcntl.h>
#include <linux/types.h>
#include <sys/ioctl.h>

#include "migrate.h"

#define PAGES		MIGRATE_PAGES
#define PINNED		64

/* mm/gup_test.h */
#define PIN_LONGTERM_TEST_START	_IOW('g', 7, struct pin_longterm_test)
#define FLAG_USE_WRITE		1

struct pin_longterm_test {
	__u64 addr;
	__u64 size;
	__u32 flags;
};

static volatile char *mem;
static int node;

static const char *setup(void)
{
	int fd = open("/sys/kernel/debug/gup_test", O_RDWR);
	struct pin_longterm_test pin = {
		.size = PINNED * hz_page,
		.flags = FLAG_USE_WRITE,
	};
	const char *why;

	mem = hz_map_size(SMALL, PAGES * hz_page, &why);
	if (!mem)
		return why;
	for (int i = 0; i < PAGES; i++)
		mem[i * hz_page] = 1;
	if (!migrate_pages(0, mem, PAGES, 1) || !migrate_pages(0, mem, PAGES, 0))
		return "no second node to migrate to";
	pin.addr = (uintptr_t)mem;
	/* Until the end of the test */
	return fd < 0 || ioctl(fd, PIN_LONGTERM_TEST_START, &pin) ? "no CONFIG_GUP_TEST" : NULL;
}

static void prepare(void)
{
	node = !node;
}

/* Without another CPU in the mm nothing is batched. */
static void victim(void)
{
	while (!atomic_load_explicit(&hz_done, memory_order_relaxed))
		(void)mem[0];
}

static void a(void)
{
	hz_a_begins();
	migrate_pages(0, mem, PAGES, node);
	/* They have stayed on node 0. */
	if (!migrate_pages(0, mem, PINNED, 1))
		hz_hit();
	hz_a_done();
}

static const struct hazard h17_undo = {
	.name = "h17_undo",
	.what_is_lost = "nothing that this test could see",
	.setup = setup,
	.prepare = prepare,
	.role = { victim, a },
	.batches_at_once = true,
};

int main(int argc, char **argv)
{
	return hz_main(&h17_undo, argc, argv);
}
