// SPDX-License-Identifier: GPL-2.0
/*
 * H17: reclaim unmaps a dirty page of a file, its batch not flushed, gives up and
 * unlocks it.
 *
 * The file is a block device: its page cache needs no file system.
 */
#include <stdio.h>
#include <sys/mman.h>

#include "writeback.h"

static volatile char *mem;
static size_t size;

static const char *setup(void)
{
	const char *why;
	char path[64];
	long id = 1;

	size = hz_size(THP);
	mem = hz_map(SMALL, &why);
	if (!mem)
		return why;
	/* zram0 is for swap. The one that a run has left is good for the next. */
	if (hz_read_file("/sys/block/zram1/disksize") != 4 << 20) {
		id = hz_read_file("/sys/class/zram-control/hot_add");
		if (id < 0)
			return "no zram";
		snprintf(path, sizeof(path), "/sys/block/zram%ld/disksize", id);
		if (hz_write_file(path, "4M"))
			hz_fail("%s", path);
	}
	snprintf(path, sizeof(path), "/dev/zram%ld", id);
	writeback_map(path, (char *)mem, size);
	return NULL;
}

/* All are dirty: for what reclaim can free it flushes. */
static void prepare(void)
{
	for (size_t i = 0; i < size; i += hz_page)
		mem[i] = 0;
	hz_drain_lru();
}

static void a(void)
{
	writeback_a(MADV_PAGEOUT);
}

static const struct hazard h17 = {
	.name = "h17",
	.what_is_lost = "a store was not in the file after fsync",
	.setup = setup,
	.prepare = prepare,
	.judge = writeback_judge,
	.role = { writeback_victim, a, writeback_b },
};

int main(int argc, char **argv)
{
	return hz_main(&h17, argc, argv);
}
