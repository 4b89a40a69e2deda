// SPDX-License-Identifier: GPL-2.0
/*
 * Samples and output of the tlb collection. A run is one block of lines "key
 * value" with --format=simple and one JSON object on a line of its own with
 * --format=json; the keys are the same.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/kernel.h>

#include "bench.h"
#include "tlb-lib.h"

static const struct {
	const char	*name;
	unsigned int	per_mille;
} percentiles[TLB_NR_PERCENTILES] = {
	[TLB_P1]	= { "p1", 10 },
	[TLB_P10]	= { "p10", 100 },
	[TLB_P25]	= { "p25", 250 },
	[TLB_P50]	= { "p50", 500 },
	[TLB_P75]	= { "p75", 750 },
	[TLB_P90]	= { "p90", 900 },
	[TLB_P99]	= { "p99", 990 },
	[TLB_P999]	= { "p99.9", 999 },
};

static char block[64];

static int cmp_u64(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

void tlb_summarize(u64 *nsec, u64 n, struct tlb_summary *sum)
{
	double total = 0;
	u64 i;

	memset(sum, 0, sizeof(*sum));
	if (!n)
		return;
	qsort(nsec, n, sizeof(*nsec), cmp_u64);
	for (i = 0; i < n; i++)
		total += nsec[i];
	sum->n = n;
	sum->mean = total / n;
	sum->min = nsec[0];
	sum->max = nsec[n - 1];
	/* Nearest rank: a value that was really seen */
	for (i = 0; i < TLB_NR_PERCENTILES; i++)
		sum->percentile[i] = nsec[(n * percentiles[i].per_mille + 999) / 1000 - 1];
}

bool tlb_out_for_people(void)
{
	return bench_format == BENCH_FORMAT_DEFAULT;
}

static bool json(void)
{
	return bench_format == BENCH_FORMAT_JSON;
}

void tlb_out_begin(const char *bench, const char *suffix, unsigned int run)
{
	scnprintf(block, sizeof(block), "tlb/%s%s", bench, suffix);
	if (json())
		printf("{\"benchmark\":\"%s\",\"run\":%u", block, run);
	else
		printf("%s %u\n", block, run);
}

void tlb_out_end(void)
{
	if (json())
		printf("}\n");
	else
		printf("end %s\n", block);
}

/* @value is a number, as both formats write it, or null. */
static void out(const char *key, const char *value)
{
	if (json())
		printf(",\"%s\":%s", key, value ?: "null");
	else
		printf("%s %s\n", key, value ?: "-");
}

void tlb_out_str(const char *key, const char *value)
{
	if (!json()) {
		out(key, value);
		return;
	}
	printf(",\"%s\":\"", key);
	for (; *value; value++) {
		if (*value == '"' || *value == '\\')
			printf("\\%c", *value);
		else if ((unsigned char)*value < ' ')
			printf("\\u%04x", *value);
		else
			printf("%c", *value);
	}
	printf("\"");
}

void tlb_out_u64(const char *key, u64 value)
{
	char buf[32];

	scnprintf(buf, sizeof(buf), "%" PRIu64, value);
	out(key, buf);
}

void tlb_out_s64(const char *key, s64 value)
{
	char buf[32];

	scnprintf(buf, sizeof(buf), "%" PRId64, value);
	out(key, value == TLB_MISSING ? NULL : buf);
}

void tlb_out_double(const char *key, double value)
{
	char buf[64];

	scnprintf(buf, sizeof(buf), "%.1f", value);
	out(key, buf);
}

void tlb_out_per_op(const char *key, s64 n, u64 ops)
{
	char buf[64];

	scnprintf(buf, sizeof(buf), "%.3f", (double)n / ops);
	out(key, n == TLB_MISSING ? NULL : buf);
}

static void out_sample(const char *key, const struct tlb_summary *sum, u64 nsec)
{
	tlb_out_s64(key, sum->n ? (s64)nsec : TLB_MISSING);
}

void tlb_out_summary(const char *what, const struct tlb_summary *sum)
{
	char key[64];
	int i;

	scnprintf(key, sizeof(key), "%s_mean", what);
	if (sum->n)
		tlb_out_double(key, sum->mean);
	else
		tlb_out_s64(key, TLB_MISSING);
	scnprintf(key, sizeof(key), "%s_min", what);
	out_sample(key, sum, sum->min);
	for (i = 0; i < TLB_NR_PERCENTILES; i++) {
		scnprintf(key, sizeof(key), "%s_%s", what, percentiles[i].name);
		out_sample(key, sum, sum->percentile[i]);
	}
	scnprintf(key, sizeof(key), "%s_max", what);
	out_sample(key, sum, sum->max);
}

const char *tlb_per_op(char *buf, size_t size, s64 n, u64 ops)
{
	if (n == TLB_MISSING)
		return "-";
	scnprintf(buf, size, "%.3f", (double)n / ops);
	return buf;
}
