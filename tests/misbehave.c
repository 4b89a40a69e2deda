// SPDX-License-Identifier: GPL-2.0
/*
 * init, or a test, that does what the harness must notice. The kernel passes
 * MODE=... from its command line on in init's environment.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/reboot.h>

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : getenv("MODE");

	printf("mode %s\n", mode ? mode : "none");
	fflush(stdout);
	if (!mode)
		return 0;
	if (!strcmp(mode, "exit3"))
		return 3;
	if (!strcmp(mode, "crash"))
		abort();
	if (!strcmp(mode, "reboot"))
		reboot(RB_AUTOBOOT);
	for (;;)
		pause();
}
