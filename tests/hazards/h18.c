// SPDX-License-Identifier: GPL-2.0
/*
 * H18: A discards a shared mapping that begins with a huge page of a file. Nothing
 * maps the page any more, long before A flushes.
 *
 * Huge pages of files that are written back take a file system with large folios.
 * The smallest is zonefs, on a zoned device in memory.
 */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "writeback.h"

#define NULLB	"/config/nullb/nullb18/"
#define SMALL_PAGES	8192		/* that A walks after the huge one */

static volatile char *mem;
static size_t size;

/* As crc32() of the kernel: seed ~0, not inverted at the end. */
static uint32_t crc32(const unsigned char *p, size_t n)
{
	uint32_t crc = ~0U;

	while (n--) {
		crc ^= *p++;
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
	}
	return crc;
}

static void make_zonefs(const char *path)
{
	uint32_t super[1024] = { htole32(0x5a4f4653) };
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	super[1] = htole32(crc32((unsigned char *)super, sizeof(super)));
	if (fd < 0 || write(fd, super, sizeof(super)) != sizeof(super) || fsync(fd))
		hz_fail("%s", path);
	close(fd);
}

static const char *setup(void)
{
	static const struct { const char *file, *value; } config[] = {
		{ NULLB "size", "512" },		/* MiB */
		{ NULLB "blocksize", "4096" },
		{ NULLB "memory_backed", "1" },
		{ NULLB "zoned", "1" },
		{ NULLB "zone_size", "128" },
		{ NULLB "zone_nr_conv", "3" },
		{ NULLB "power", "1" },
	};
	const char *why;

	size = hz_size(THP) + SMALL_PAGES * hz_page;
	mem = hz_map_size(THP, size, &why);
	if (!mem)
		return why;
	mkdir("/config", 0700);
	if (mount("config", "/config", "configfs", 0, NULL) && errno != EBUSY)
		return "no configfs";
	/* It may be there from the last run. */
	if (!mkdir("/config/nullb/nullb18", 0700)) {
		for (size_t i = 0; i < sizeof(config) / sizeof(config[0]); i++)
			if (hz_write_file(config[i].file, config[i].value))
				hz_fail("%s", config[i].file);
		make_zonefs("/dev/nullb18");
		mkdir("/zonefs", 0700);
		if (mount("/dev/nullb18", "/zonefs", "zonefs", 0, NULL))
			return "no zonefs";
	} else if (errno != EEXIST) {
		return "no null_blk";
	}
	writeback_map("/zonefs/cnv/0", (char *)mem, size);
	if (madvise((char *)mem, hz_size(THP), MADV_HUGEPAGE))
		return "no transparent huge pages";
	/* What is read one by one is cached, and takes time to zap, one by one. */
	madvise((char *)mem + hz_size(THP), size - hz_size(THP), MADV_RANDOM);
	return NULL;
}

static void prepare(void)
{
	if (!hz_populate((char *)mem, THP, 0))
		hz_fail("no huge page to be had");
	for (size_t i = hz_size(THP); i < size; i += hz_page)
		(void)mem[i];
}

static void a(void)
{
	writeback_a(MADV_DONTNEED);
}

static const struct hazard h18 = {
	.name = "h18",
	.what_is_lost = "a store was not in the file after fsync",
	.setup = setup,
	.prepare = prepare,
	.judge = writeback_judge,
	.role = { writeback_victim, a, writeback_b },
};

int main(int argc, char **argv)
{
	return hz_main(&h18, argc, argv);
}
