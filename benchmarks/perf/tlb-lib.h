/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the shared parts of the tlb collection know of each other: samples and
 * output (tlb-output.c), kernel counters (tlb-counters.c), tracepoints
 * (tlb-trace.c) and the threads (tlb-common.c).
 */
#ifndef BENCH_TLB_LIB_H
#define BENCH_TLB_LIB_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

#define TLB_MAX_CPUS	8192
#define TLB_MISSING	(-1)		/* a count that the kernel does not tell */

/* tlb-output.c */
#define TLB_NR_PERCENTILES	8

struct tlb_summary {
	u64	n;
	double	mean;
	u64	min, max;
	u64	percentile[TLB_NR_PERCENTILES];
};

enum { TLB_P1, TLB_P10, TLB_P25, TLB_P50, TLB_P75, TLB_P90, TLB_P99, TLB_P999 };

/* Sorts @nsec. All of it is 0 where @n is. */
void tlb_summarize(u64 *nsec, u64 n, struct tlb_summary *sum);

/* The machine-readable formats: a block of keys and values, or an object. */
void tlb_out_begin(const char *bench, const char *suffix, unsigned int run);
void tlb_out_str(const char *key, const char *value);
void tlb_out_u64(const char *key, u64 value);
void tlb_out_s64(const char *key, s64 value);		/* may be TLB_MISSING */
void tlb_out_double(const char *key, double value);
void tlb_out_per_op(const char *key, s64 n, u64 ops);	/* @n may be TLB_MISSING */
void tlb_out_summary(const char *what, const struct tlb_summary *sum);
void tlb_out_end(void);
bool tlb_out_for_people(void);

/* For people */
const char *tlb_per_op(char *buf, size_t size, s64 n, u64 ops);

/* tlb-counters.c */
#define TLB_NR_COUNTERS	18

extern const char * const tlb_counter_keys[TLB_NR_COUNTERS];

void tlb_counters_open(void);
void tlb_counters_close(void);
/* All counters now; of interrupts only those of @cpus, which has TLB_MAX_CPUS. */
void tlb_counters_read(s64 *value, const bool *cpus);
s64 tlb_counter(const s64 *value, const char *key);
/* Shootdowns begun on x86, waits for broadcast invalidations on arm64 */
s64 tlb_count_flushes(const s64 *value);

/* tlb-trace.c */
/* enum tlb_flush_reason of the kernel */
enum { TLB_SWITCH, TLB_REMOTE, TLB_LOCAL, TLB_LOCAL_MM, TLB_SEND, TLB_NR_REASONS };

struct tlb_trace {
	u64	shootdowns;		/* calls that interrupted somebody */
	u64	lost;
	struct tlb_summary wait;	/* first request of a call to the last function's end */
	struct tlb_summary queued;	/* request to the start of the function */
	struct tlb_summary function;	/* start to end of it */
	bool	has_flushes;		/* the kernel has tlb:tlb_flush */
	u64	flushes[TLB_NR_REASONS];
	u64	full[TLB_NR_REASONS];	/* those of all pages */
	u64	windows;		/* that calls opened, where it has tlb_gen:* */
	struct tlb_summary window;	/* from open to close */
};

/* A timed call of the initiator on @cpu, CLOCK_MONOTONIC */
struct tlb_call {
	int	cpu;
	u64	start, end;
};

/* Returns NULL, or why this machine cannot trace. */
const char *tlb_trace_open(const bool *cpus);
void tlb_trace_start(void);
/* @calls, in order of time for each CPU; what was traced on their CPUs. */
void tlb_trace_stop(const struct tlb_call *calls, u64 nr_calls, struct tlb_trace *trace);

#endif
