// SPDX-License-Identifier: GPL-2.0
/*
 * Who takes swap space may wait for the device to discard some. Then no other page is
 * locked: a device in user space may need it. Each page has a flush of its own.
 */
#include <stdlib.h>
#include <unistd.h>
#include <sys/swap.h>

#include "swapout.h"

#define DEVICE	"/dev/zram0"

static void swap_on(int flags)
{
	if (swapoff(DEVICE) || swapon(DEVICE, flags))
		hz_fail("swap on " DEVICE);
}

static void no_discards(void)
{
	swap_on(0);
}

static const char *setup(void)
{
	const char *why = swapout_setup();

	if (why)
		return why;
	swap_on(SWAP_FLAG_DISCARD);
	atexit(no_discards);
	return NULL;
}

/* Half: x86 counts none while the bystander's processor does something else. */
static enum outcome judge(void)
{
	return swapout_flushes < 0 ? MISS : swapout_flushes < SWAPOUT_PAGES / 2 ? RED : HIT;
}

int main(int argc, char **argv)
{
	return swapout_main("i06", "pages are locked while another may wait for a discard",
			    setup, judge, argc, argv);
}
