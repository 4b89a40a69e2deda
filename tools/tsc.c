// SPDX-License-Identifier: GPL-2.0
/* Print by how many kHz the TSC counts. */
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <x86intrin.h>

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

/* The time at a reading of the TSC: of some, the one between the closest clocks. */
static uint64_t read_both(uint64_t *tsc)
{
	uint64_t best = 0, took = UINT64_MAX;

	for (int i = 0; i < 1000; i++) {
		uint64_t before = now(), ticks = __rdtsc(), after = now();

		if (after - before < took) {
			took = after - before;
			*tsc = ticks;
			best = before + took / 2;
		}
	}
	return best;
}

int main(void)
{
	const struct timespec nap = { .tv_nsec = 100000000 };
	uint64_t tsc[2], ns[2];

	ns[0] = read_both(&tsc[0]);
	nanosleep(&nap, NULL);
	ns[1] = read_both(&tsc[1]);
	printf("%.0f\n", (tsc[1] - tsc[0]) * 1e6 / (ns[1] - ns[0]));
	return 0;
}
