// SPDX-License-Identifier: GPL-2.0
/*
 * What the benchmarks of the tlb collection share: threads on CPUs of their
 * own, the memory they work on, timing, percentiles, kernel counters, output.
 *
 *   main = initiator 0    initiators 1..	victims
 *   start all threads     warm up		read the range, count passes
 *   wait for a pass of each victim
 *   warm up, wait for the others
 *   read counters
 *   go = 1                wait for go
 *   timed ops             timed ops		each pass is checked by the initiators
 *   wait for the others   count as finished, wait for stop
 *   read counters
 *   stop = 1
 */
#include <ctype.h>
#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <linux/compiler.h>
#include <linux/kernel.h>
#include <linux/log2.h>
#include <linux/time64.h>
#include <linux/zalloc.h>
#include <perf/cpumap.h>
#include <subcmd/parse-options.h>

#include "bench.h"
#include "tlb.h"
#include "tlb-lib.h"

#define MAX_CPUS	TLB_MAX_CPUS
#define SET_SIZE	CPU_ALLOC_SIZE(MAX_CPUS)
#define TIMER_READS	100
#define STALL_NSEC	(10 * NSEC_PER_SEC)
#define MAX_SAMPLES	(1 << 18)	/* of each victim and kind: the last ones */
#define FAULT_PAGES	4096
#define IDLE_NSEC	(200 * NSEC_PER_MSEC)
#define TRACE_LOOPS	1000
#define NR_BUCKETS	64		/* of the histogram: powers of two of nanoseconds */

#define die(fmt, ...)	errx(EXIT_FAILURE, "tlb/%s: " fmt, bench->name, ##__VA_ARGS__)
#define die_errno(fmt, ...) \
	err(EXIT_FAILURE, "tlb/%s: " fmt, bench->name, ##__VA_ARGS__)

struct initiator {
	pthread_t	thread;
	int		cpu;
	char		*part;		/* its part of the range */
	bool		hidden;		/* keep off it: it is about to be unmapped */
	u64		*nsec;		/* one sample for each step of each op */
	struct tlb_call	*calls;		/* of the traced run: when they were; or NULL */
};

/*
 * What victims sample. Of faults: those that met a timed call, those before the
 * ops while nobody does anything, and the others; of stolen time the first two.
 */
enum sample_kind { MEANWHILE, IDLE, ELSE, NR_KINDS };

struct victim {
	pthread_t	thread;
	int		cpu;
	u64		passes;		/* how often it has read the whole range */
	char		*pages;		/* its own, to fault in */
	unsigned int	page;		/* the next of them */
	u64		*nsec[NR_KINDS];
	u64		samples[NR_KINDS];
	u64		discards;	/* how often it dropped its pages, which flushes */
	u64		total[NR_KINDS];	/* nanoseconds stolen */
	u64		usual, gap;	/* TLB_STOLEN: nanoseconds, see measure_rounds() */
	u64		bucket[NR_BUCKETS];	/* MEANWHILE, all of its rounds */
} __aligned(128);

static struct params {
	unsigned int	every;
	const char	*size;
	bool		spread;
	unsigned int	nr_initiators;
	unsigned int	nr_victims;
	const char	*cpus;
	u64		loops;
	u64		warm_up;
	bool		back_to_back;
	bool		faults;
	bool		trace;
} params;

#define ALL_CPUS	UINT_MAX	/* for nr_victims */
#define A_TENTH		UINT64_MAX	/* for warm_up */

static const struct option options[] = {
#define NR_TOUCH_OPTIONS	1
	OPT_UINTEGER('e', "every", &params.every,
		     "Write to each of so many pages only (default: 1)"),
	OPT_STRING('s', "size", &params.size, "pages|bytes",
		   "Memory of each initiator: pages, or bytes with K, M or G (default: 1)"),
	OPT_BOOLEAN('S', "spread", &params.spread,
		    "Give each initiator's memory page tables of its own"),
	OPT_UINTEGER('t', "threads", &params.nr_victims,
		     "Specify amount of victim threads, each on another CPU (default: 1)"),
	OPT_UINTEGER('i', "initiators", &params.nr_initiators,
		     "Specify amount of initiating threads, each on another CPU (default: 1)"),
	OPT_STRING('C', "cpus", &params.cpus, "list",
		   "Use these CPUs, in ascending order: initiators, then victims"),
	OPT_U64('l', "loops", &params.loops, "Specify ops of each initiator (default: 10000)"),
	OPT_U64('w', "warm-up", &params.warm_up,
		"Specify ops of each initiator that come before (default: a tenth of --loops)"),
	OPT_BOOLEAN('b', "back-to-back", &params.back_to_back,
		    "Do not wait for the victims between the timed calls"),
	OPT_BOOLEAN('F', "faults", &params.faults,
		    "Victims fault pages of their own in, and tell how long it takes"),
	OPT_BOOLEAN('T', "trace", &params.trace,
		    "Add a run that tells where the time of a shootdown goes (root)"),
	OPT_END()
};

static const struct tlb_bench *bench;
static struct initiator *initiators;
static struct victim *victims;
static int cpus[MAX_CPUS];		/* on which this process may run */
static bool cpu_used[MAX_CPUS];
static size_t page_size;
static size_t part_size;
static double timer_nsec;
static enum tlb_victims mode;		/* of the victims */
static u64 *scratch;

/* Written by several threads, each seldom. */
static u64 nr_warm, nr_finished;
static bool go, stop;
static bool idle;			/* sample what nobody has caused */
static bool warm;			/* the victims do not sample */
static int interrupted;			/* the signal */
static const char *gave_up;		/* why an op could not be performed */
/* How many timed calls are under way: not of those that touch pages for the next */
static unsigned int calls;
static u64 calls_begun;

static bool stopping(void)
{
	return __atomic_load_n(&interrupted, __ATOMIC_RELAXED) ||
	       __atomic_load_n(&gave_up, __ATOMIC_RELAXED);
}

static u64 now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

static void *xmmap(size_t size, int prot, int flags, const char *what)
{
	void *p = mmap(NULL, size, prot, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);

	if (p == MAP_FAILED)
		die_errno("%zu bytes for %s", size, what);
	return p;
}

static cpu_set_t *set_of(int cpu)
{
	cpu_set_t *set = CPU_ALLOC(MAX_CPUS);

	if (!set)
		die_errno("CPU_ALLOC");
	CPU_ZERO_S(SET_SIZE, set);
	CPU_SET_S(cpu, SET_SIZE, set);
	return set;
}

static void wait_for_pass(const struct victim *victim, u64 passes)
{
	u64 deadline = 0, spins = 0;

	while (__atomic_load_n(&victim->passes, __ATOMIC_ACQUIRE) < passes) {
		if (++spins & 0xffff)
			continue;
		if (!deadline)
			deadline = now() + STALL_NSEC;
		else if (now() > deadline)
			die("the victim stands still: is CPU %d taken by another task?",
			    victim->cpu);
	}
}

/* The pass under way may be past the pages already, only the next one counts. */
static void wait_for_victims(void)
{
	unsigned int i;

	for (i = 0; i < params.nr_victims; i++)
		wait_for_pass(&victims[i],
			      __atomic_load_n(&victims[i].passes, __ATOMIC_RELAXED) + 2);
}

static void sample(struct victim *victim, enum sample_kind kind, u64 nsec)
{
	victim->nsec[kind][victim->samples[kind]++ % MAX_SAMPLES] = nsec;
	victim->total[kind] += nsec;
}

static void fault(struct victim *victim)
{
	bool alone = __atomic_load_n(&idle, __ATOMIC_RELAXED);
	u64 begun = __atomic_load_n(&calls_begun, __ATOMIC_ACQUIRE);
	bool before = __atomic_load_n(&calls, __ATOMIC_ACQUIRE);
	u64 start = now(), nsec;
	enum sample_kind kind;

	*(volatile char *)(victim->pages + victim->page * page_size) = 1;
	nsec = now() - start;
	kind = before || __atomic_load_n(&calls_begun, __ATOMIC_ACQUIRE) != begun ?
	       MEANWHILE : alone ? IDLE : ELSE;
	if (!__atomic_load_n(&warm, __ATOMIC_RELAXED))
		sample(victim, kind, nsec);
	/* Seldom: the faults themselves may do without mmap_lock. */
	victim->page = (victim->page + 1) % FAULT_PAGES;
	if (victim->page)
		return;
	if (madvise(victim->pages, FAULT_PAGES * page_size, MADV_DONTNEED))
		die_errno("MADV_DONTNEED");
	__atomic_store_n(&victim->discards, victim->discards + 1, __ATOMIC_RELEASE);
}

static void read_range(void)
{
	unsigned int i;
	size_t offset;

	for (i = 0; i < params.nr_initiators; i++) {
		/* hide() waits for the end of a pass that has missed this. */
		if (__atomic_load_n(&initiators[i].hidden, __ATOMIC_ACQUIRE))
			continue;
		for (offset = 0; offset < part_size; offset += page_size)
			__atomic_load_n(initiators[i].part + offset, __ATOMIC_RELAXED);
	}
}

/* A round is as long as the others, or somebody took the CPU away. */
static u64 spin(struct victim *victim, u64 *last)
{
	enum sample_kind kind = __atomic_load_n(&idle, __ATOMIC_RELAXED) ? IDLE : MEANWHILE;
	u64 time = now(), nsec = time - *last;

	*last = time;
	if (__atomic_load_n(&warm, __ATOMIC_RELAXED))
		return nsec;
	if (kind == MEANWHILE)
		victim->bucket[nsec ? ilog2(nsec) : 0]++;
	if (nsec > victim->gap) {
		sample(victim, kind, nsec - victim->usual);
		/* To note one is not part of the next. */
		*last = now();
	}
	return nsec;
}

/* Three times the usual round: what the clock and the loop do of their own stays below. */
static void measure_rounds(struct victim *victim)
{
	u64 nsec[TIMER_READS * 10], last = now();
	struct tlb_summary sum;
	unsigned int i;

	victim->gap = UINT64_MAX;
	for (i = 0; i < ARRAY_SIZE(nsec); i++)
		nsec[i] = spin(victim, &last);
	tlb_summarize(nsec, ARRAY_SIZE(nsec), &sum);
	victim->usual = sum.percentile[TLB_P50];
	victim->gap = max(3 * victim->usual, (u64)1);
}

static void *victim_fn(void *arg)
{
	struct victim *victim = arg;
	u64 last;

	if (mode == TLB_STOLEN)
		measure_rounds(victim);
	last = now();
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		switch (mode) {
		case TLB_READ:
			read_range();
			break;
		case TLB_FAULT:
			fault(victim);
			break;
		case TLB_STOLEN:
			spin(victim, &last);
			break;
		case TLB_SPIN:
		default:
			break;
		}
		__atomic_store_n(&victim->passes, victim->passes + 1, __ATOMIC_RELEASE);
	}
	return NULL;
}

/* Victims have read the range, and do not any more. */
static void hide(struct initiator *initiator)
{
	__atomic_store_n(&initiator->hidden, true, __ATOMIC_RELEASE);
	wait_for_victims();
}

void tlb_touch(void *addr, size_t size)
{
	volatile char *p = addr;
	size_t offset;

	for (offset = 0; offset < size; offset += params.every * page_size)
		p[offset] = 1;
}

static void do_ops(struct initiator *initiator, u64 ops)
{
	struct tlb_call *call = initiator->calls;
	u64 *nsec = initiator->nsec, op, start, end;
	unsigned int step;

	for (op = 0; op < ops && !stopping(); op++) {
		for (step = 0; step < bench->nr_steps; step++) {
			bool counts = mode == TLB_FAULT &&
				      (step || !bench->touches || bench->nr_steps == 1);

			/* That would take the line of the counter away from who is sampled. */
			if (!params.back_to_back && mode != TLB_STOLEN)
				wait_for_victims();
			if (bench->unmaps && !step)
				hide(initiator);
			if (counts) {
				__atomic_add_fetch(&calls, 1, __ATOMIC_ACQ_REL);
				__atomic_add_fetch(&calls_begun, 1, __ATOMIC_ACQ_REL);
			}
			start = now();
			if (bench->step(step, initiator->part, part_size)) {
				if (errno != ETIMEDOUT || !bench->too_late)
					die_errno("op %" PRIu64 ", call %u", op, step);
				__atomic_store_n(&gave_up, bench->too_late, __ATOMIC_RELAXED);
			}
			end = now();
			*nsec++ = end - start;
			if (call)
				*call++ = (struct tlb_call){ initiator->cpu, start, end };
			if (counts)
				__atomic_sub_fetch(&calls, 1, __ATOMIC_ACQ_REL);
			if (bench->unmaps && step)
				__atomic_store_n(&initiator->hidden, false, __ATOMIC_RELEASE);
		}
	}
}

static void warm_up(struct initiator *initiator)
{
	unsigned int i;

	for (i = 0; i < params.nr_victims; i++)
		wait_for_pass(&victims[i], 1);
	do_ops(initiator, params.warm_up);
	__atomic_add_fetch(&nr_warm, 1, __ATOMIC_RELEASE);
}

static void *initiator_fn(void *arg)
{
	struct initiator *initiator = arg;

	warm_up(initiator);
	while (!__atomic_load_n(&go, __ATOMIC_ACQUIRE))
		;
	do_ops(initiator, params.loops);
	__atomic_add_fetch(&nr_finished, 1, __ATOMIC_RELEASE);
	/* Its CPU stays in this mm, so that the others' ops keep their price. */
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED))
		;
	return NULL;
}

static void print_row(const char *run, const char *what, const struct tlb_summary *sum)
{
	printf("%5s  %-6s %11.0f %10" PRIu64 " %10" PRIu64 " %10" PRIu64,
	       run, what, sum->mean, sum->percentile[TLB_P50], sum->percentile[TLB_P99], sum->max);
}

/* All victims' samples of one kind; how many there were, also of those not kept */
static u64 summarize_samples(enum sample_kind kind, struct tlb_summary *sum)
{
	u64 total = 0, n = 0, kept;
	unsigned int i;

	for (i = 0; i < params.nr_victims; i++) {
		kept = min_t(u64, victims[i].samples[kind], MAX_SAMPLES);
		memcpy(scratch + n, victims[i].nsec[kind], kept * sizeof(*scratch));
		n += kept;
		total += victims[i].samples[kind];
	}
	tlb_summarize(scratch, n, sum);
	return total;
}

static void print_faults(u64 ops, u64 discards)
{
	static const char * const name[] = { "fault", "idle", "else" };
	struct tlb_summary sum;
	char key[32];
	u64 total;
	int kind;

	for (kind = 0; kind < NR_KINDS; kind++) {
		total = summarize_samples(kind, &sum);
		if (tlb_out_for_people()) {
			print_row("", name[kind], &sum);
			if (kind == IDLE)
				printf(" %10" PRIu64 " before the ops\n", total);
			else
				printf(" %10.1f per op%s\n", (double)total / ops,
				       kind == MEANWHILE ? ", during the timed calls" : "");
			continue;
		}
		tlb_out_summary(name[kind], &sum);
		if (kind == IDLE) {
			tlb_out_u64("idle_faults", total);
		} else {
			scnprintf(key, sizeof(key), "%s_per_op", name[kind]);
			tlb_out_per_op(key, total, ops);
		}
	}
	if (tlb_out_for_people())
		printf("# the victims dropped their pages %" PRIu64 " times: flushes of theirs\n",
		       discards);
	else
		tlb_out_u64("fault_discards", discards);
}

/* By the lower bounds of the buckets, those that are not empty */
static void print_histogram(void)
{
	u64 bucket[NR_BUCKETS] = { 0 }, biggest = 1;
	char buf[NR_BUCKETS * 32] = "";
	unsigned int i, b;
	int len = 0;

	for (i = 0; i < params.nr_victims; i++)
		for (b = 0; b < NR_BUCKETS; b++)
			bucket[b] += victims[i].bucket[b];
	for (b = 0; b < NR_BUCKETS; b++)
		biggest = max(biggest, bucket[b]);
	for (b = 0; b < NR_BUCKETS; b++) {
		if (!bucket[b])
			continue;
		if (tlb_out_for_people())
			printf("%20llu ns %12" PRIu64 " %.*s\n", 1ULL << b, bucket[b],
			       1 + (int)(ilog2(bucket[b]) * 40 / (ilog2(biggest) + 1)),
			       "########################################");
		else
			len += scnprintf(buf + len, sizeof(buf) - len, "%s%llu:%" PRIu64,
					 len ? "," : "", 1ULL << b, bucket[b]);
	}
	if (!tlb_out_for_people())
		tlb_out_str("rounds", buf);
}

/* What the ops take from each victim, less what is taken when there are none */
static void print_stolen(u64 elapsed, u64 idle_elapsed, u64 ops)
{
	struct tlb_summary sum[NR_KINDS];
	u64 n[NR_KINDS], total[NR_KINDS] = { 0 };
	double share[NR_KINDS], net;
	u64 gap = 0;
	unsigned int i;
	int kind;

	for (kind = MEANWHILE; kind <= IDLE; kind++) {
		n[kind] = summarize_samples(kind, &sum[kind]);
		for (i = 0; i < params.nr_victims; i++)
			total[kind] += victims[i].total[kind];
		share[kind] = (double)total[kind] / max(params.nr_victims, 1U) /
			      (kind == MEANWHILE ? elapsed : idle_elapsed);
	}
	for (i = 0; i < params.nr_victims; i++)
		gap = max(gap, victims[i].gap);
	net = (share[MEANWHILE] - share[IDLE]) * elapsed / ops;

	if (tlb_out_for_people()) {
		print_row("", "stolen", &sum[MEANWHILE]);
		printf(" %10.3f per op, %.2f %% of the time\n", (double)n[MEANWHILE] / ops,
		       100 * share[MEANWHILE]);
		print_row("", "idle", &sum[IDLE]);
		printf(" %10s without ops, %.2f %% of the time\n", "", 100 * share[IDLE]);
		printf("%13s %11.0f from each victim for an op, idle taken off\n", "net", net);
		printf("# rounds of the victims; longer than %" PRIu64 " ns: stolen from\n", gap);
		print_histogram();
		return;
	}
	tlb_out_u64("gap_ns", gap);
	tlb_out_summary("stolen", &sum[MEANWHILE]);
	tlb_out_per_op("stolen_per_op", n[MEANWHILE], ops);
	tlb_out_summary("idle", &sum[IDLE]);
	tlb_out_u64("idle_ppm", share[IDLE] * 1000000);
	tlb_out_u64("stolen_ppm", share[MEANWHILE] * 1000000);
	tlb_out_double("stolen_net_per_op", net);
	print_histogram();
}

struct run {
	unsigned int	number;
	u64		elapsed, idle_elapsed;
	u64		min_passes;
	u64		discards;	/* by the victims, while the kernel's counts were taken */
	s64		delta[TLB_NR_COUNTERS];
};

/* sum[0] is the whole op, sum[1..] its steps where there are several. */
static void print_run(const struct run *run, const struct tlb_summary *sum)
{
	unsigned int nr_named = bench->nr_steps > 1 ? bench->nr_steps : 0, i;
	u64 ops = params.loops * params.nr_initiators;
	double rate = sum->mean ? NSEC_PER_SEC / sum->mean * params.nr_initiators : 0;
	char ipis[32], flushes[32], key[64];

	if (tlb_out_for_people()) {
		scnprintf(key, sizeof(key), "%u", bench->scales ? params.nr_victims : run->number);
		print_row(key, "op", sum);
		printf(" %10.0f %8s %10s\n", rate,
		       tlb_per_op(ipis, sizeof(ipis), tlb_counter(run->delta, "int_call"), ops),
		       tlb_per_op(flushes, sizeof(flushes), tlb_count_flushes(run->delta), ops));
		for (i = 0; i < nr_named; i++) {
			print_row("", bench->step_name[i], sum + i + 1);
			printf("\n");
		}
		if (mode == TLB_FAULT)
			print_faults(ops, run->discards);
		if (mode == TLB_STOLEN)
			print_stolen(run->elapsed, run->idle_elapsed, ops);
		return;
	}

	tlb_out_begin(bench->name, "", run->number);
	tlb_out_str("unit", "ns");
	tlb_out_u64("threads", params.nr_victims);
	tlb_out_u64("initiators", params.nr_initiators);
	tlb_out_u64("size", part_size);
	tlb_out_u64("page_size", page_size);
	tlb_out_u64("spread", params.spread);
	tlb_out_u64("every", params.every);
	tlb_out_u64("back_to_back", params.back_to_back);
	tlb_out_u64("loops", params.loops);
	tlb_out_u64("ops", ops);
	tlb_out_u64("elapsed_ns", run->elapsed);
	tlb_out_double("timer_ns", timer_nsec);
	tlb_out_summary("op", sum);
	for (i = 0; i < nr_named; i++)
		tlb_out_summary(bench->step_name[i], sum + i + 1);
	if (mode == TLB_FAULT)
		print_faults(ops, run->discards);
	if (mode == TLB_STOLEN)
		print_stolen(run->elapsed, run->idle_elapsed, ops);
	tlb_out_double("ops_per_sec", rate);
	tlb_out_per_op("ipis_per_op", tlb_counter(run->delta, "int_call"), ops);
	tlb_out_per_op("flushes_per_op", tlb_count_flushes(run->delta), ops);
	tlb_out_s64("victim_passes_min", params.nr_victims ? (s64)run->min_passes : TLB_MISSING);
	for (i = 0; i < TLB_NR_COUNTERS; i++) {
		scnprintf(key, sizeof(key), "count_%s", tlb_counter_keys[i]);
		tlb_out_s64(key, run->delta[i]);
	}
	tlb_out_end();
}

static void print_cpus(const char *who, const int *cpu, unsigned int n)
{
	unsigned int i;

	printf("# %u %s%s", n, who, n == 1 ? "" : "s");
	for (i = 0; i < n; i++)
		printf("%s%d", i ? "," : n == 1 ? " on CPU " : " on CPUs ", cpu[i]);
	printf("\n");
}

static void print_header(void)
{
	printf("# op: %s\n", bench->op);
	print_cpus("initiator", cpus, params.nr_initiators);
	print_cpus("victim", cpus + params.nr_initiators, params.nr_victims);
	printf("# %zu KiB for each initiator, in pages of %zu KiB\n",
	       part_size / 1024, page_size / 1024);
	printf("# %" PRIu64 " ops of each initiator per run\n", params.loops);
	printf("# reading the clock takes %.0f ns, which each call's time includes\n", timer_nsec);
	printf("\n%5s  %-6s %11s %10s %10s %10s %10s %8s %10s\n", bench->scales ? "CPUs" : "run",
	       "[nsec]", "mean", "p50", "p99", "max", "ops/sec", "IPIs/op", "flushes/op");
}

static void print_totals(const s64 *total, u64 ops)
{
	char buf[32];
	unsigned int c;

	printf("\n# counted per op, all runs:\n");
	for (c = 0; c < TLB_NR_COUNTERS; c++)
		if (total[c] != TLB_MISSING)
			printf("%30s %12s\n", tlb_counter_keys[c],
			       tlb_per_op(buf, sizeof(buf), total[c], ops));
}

/* The median of what is timed: of the first step that is no touch, or the op */
static u64 report(const struct run *run)
{
	u64 ops = params.loops * params.nr_initiators, *nsec = initiators[0].nsec, op;
	struct tlb_summary sum[1 + TLB_MAX_STEPS];
	unsigned int step;

	memset(scratch, 0, ops * sizeof(*scratch));
	for (op = 0; op < ops; op++)
		for (step = 0; step < bench->nr_steps; step++)
			scratch[op] += nsec[op * bench->nr_steps + step];
	tlb_summarize(scratch, ops, sum);

	for (step = 0; step < bench->nr_steps; step++) {
		for (op = 0; op < ops; op++)
			scratch[op] = nsec[op * bench->nr_steps + step];
		tlb_summarize(scratch, ops, sum + 1 + step);
	}
	print_run(run, sum);
	return sum[1].percentile[TLB_P50];
}

/* A thread that starts on its CPU, whatever the others do on theirs. */
static void create(pthread_t *thread, int cpu, void *(*fn)(void *), void *arg)
{
	cpu_set_t *set = set_of(cpu);
	pthread_attr_t attr;

	pthread_attr_init(&attr);
	errno = pthread_attr_setaffinity_np(&attr, SET_SIZE, set);
	if (!errno)
		errno = pthread_create(thread, &attr, fn, arg);
	if (errno)
		die_errno("cannot start a thread on CPU %d", cpu);
	pthread_attr_destroy(&attr);
	CPU_FREE(set);
}

static void join(pthread_t thread)
{
	errno = pthread_join(thread, NULL);
	if (errno)
		die_errno("pthread_join");
}

static void start_threads(void)
{
	unsigned int i;

	nr_warm = 0;
	nr_finished = 0;
	go = false;
	stop = false;
	warm = true;
	for (i = 0; i < params.nr_victims; i++) {
		victims[i].passes = 0;
		create(&victims[i].thread, victims[i].cpu, victim_fn, &victims[i]);
	}
	for (i = 1; i < params.nr_initiators; i++)
		create(&initiators[i].thread, initiators[i].cpu, initiator_fn,
		       &initiators[i]);

	warm_up(&initiators[0]);
	while (__atomic_load_n(&nr_warm, __ATOMIC_ACQUIRE) < params.nr_initiators)
		;
}

static void stop_threads(void)
{
	unsigned int i;

	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	for (i = 0; i < params.nr_victims; i++)
		join(victims[i].thread);
	for (i = 1; i < params.nr_initiators; i++)
		join(initiators[i].thread);
}

static void all_ops(void)
{
	__atomic_store_n(&go, true, __ATOMIC_RELEASE);
	do_ops(&initiators[0], params.loops);
	__atomic_add_fetch(&nr_finished, 1, __ATOMIC_RELEASE);
	while (__atomic_load_n(&nr_finished, __ATOMIC_ACQUIRE) < params.nr_initiators)
		;
}

/* The other initiators' CPUs spin, too. */
static u64 be_idle(void)
{
	u64 start = now();

	__atomic_store_n(&idle, true, __ATOMIC_RELAXED);
	__atomic_store_n(&warm, false, __ATOMIC_RELAXED);
	while (now() - start < IDLE_NSEC && !stopping())
		;
	__atomic_store_n(&warm, true, __ATOMIC_RELAXED);
	wait_for_victims();
	__atomic_store_n(&idle, false, __ATOMIC_RELAXED);
	return now() - start;
}

static void reset_victims(void)
{
	unsigned int i;

	/* They do not sample while it is warm. */
	for (i = 0; i < params.nr_victims; i++) {
		memset(victims[i].samples, 0, sizeof(victims[i].samples));
		memset(victims[i].total, 0, sizeof(victims[i].total));
		memset(victims[i].bucket, 0, sizeof(victims[i].bucket));
	}
}

/* How often the victims have dropped their pages */
static u64 nr_discards(void)
{
	u64 n = 0;
	unsigned int i;

	for (i = 0; i < params.nr_victims; i++)
		n += __atomic_load_n(&victims[i].discards, __ATOMIC_ACQUIRE);
	return n;
}

/* One run; the samples end up in initiators[].nsec and in the victims. */
static void run_once(struct run *run)
{
	u64 passes[params.nr_victims + 1], start;
	s64 after[TLB_NR_COUNTERS];
	unsigned int i;

	start_threads();
	reset_victims();
	if (mode == TLB_STOLEN || mode == TLB_FAULT)
		run->idle_elapsed = be_idle();
	tlb_counters_read(run->delta, cpu_used);
	run->discards = nr_discards();
	for (i = 0; i < params.nr_victims; i++)
		passes[i] = __atomic_load_n(&victims[i].passes, __ATOMIC_RELAXED);
	__atomic_store_n(&warm, false, __ATOMIC_RELAXED);
	start = now();
	all_ops();
	/* Nobody has waited for who is sampled: it may be in the middle of a long round. */
	if (mode == TLB_STOLEN)
		wait_for_victims();
	run->elapsed = now() - start;
	__atomic_store_n(&warm, true, __ATOMIC_RELAXED);
	run->min_passes = UINT64_MAX;
	for (i = 0; i < params.nr_victims; i++) {
		passes[i] = __atomic_load_n(&victims[i].passes, __ATOMIC_RELAXED) - passes[i];
		run->min_passes = min(run->min_passes, passes[i]);
	}
	tlb_counters_read(after, cpu_used);
	run->discards = nr_discards() - run->discards;
	for (i = 0; i < TLB_NR_COUNTERS; i++)
		run->delta[i] = run->delta[i] == TLB_MISSING || after[i] == TLB_MISSING ?
				TLB_MISSING : after[i] - run->delta[i];
	stop_threads();

	/* Without waiting a run may be shorter than a pass. */
	if (!run->min_passes && !params.back_to_back && !stopping())
		die("a victim stood still during the run: is its CPU taken by another task?");
}

/* A run of its own: the tracepoints cost time. */
static void trace_once(void)
{
	u64 loops = params.loops, warm_up = params.warm_up, nr_calls, i;
	const char *reason;
	struct tlb_trace trace;
	struct tlb_call *all;

	params.loops = min_t(u64, loops, TRACE_LOOPS);
	params.warm_up = min(params.warm_up, params.loops);
	nr_calls = params.loops * bench->nr_steps;
	all = xmmap((nr_calls * params.nr_initiators + 1) * sizeof(*all), PROT_READ | PROT_WRITE,
		    MAP_POPULATE, "traced calls");
	for (i = 0; i < params.nr_initiators; i++)
		initiators[i].calls = all + i * nr_calls;
	reason = tlb_trace_open(cpu_used);
	if (!reason) {
		start_threads();
		tlb_trace_start();
		all_ops();
		tlb_trace_stop(all, nr_calls * params.nr_initiators, &trace);
		stop_threads();
	}
	for (i = 0; i < params.nr_initiators; i++)
		initiators[i].calls = NULL;
	munmap(all, (nr_calls * params.nr_initiators + 1) * sizeof(*all));
	params.loops = loops;
	params.warm_up = warm_up;
	if (stopping())
		return;

	if (tlb_out_for_people() && reason) {
		printf("\n# no trace: %s\n", reason);
	} else if (tlb_out_for_people()) {
		printf("\n# traced: %" PRIu64 " calls, %" PRIu64 " events lost\n",
		       trace.shootdowns, trace.lost);
		print_row("", "wait", &trace.wait);
		printf("  from the first request to the end of the last function\n");
		print_row("", "queue", &trace.queued);
		printf("  from a request to the start of its function\n");
		print_row("", "run", &trace.function);
		printf("  that function\n");
		if (trace.has_flushes) {
			printf("  flushes: %" PRIu64 " asked for by others, %" PRIu64
			       " of its own, %" PRIu64 " when a CPU came back to the mm\n",
			       trace.flushes[TLB_REMOTE],
			       trace.flushes[TLB_LOCAL] + trace.flushes[TLB_LOCAL_MM],
			       trace.flushes[TLB_SWITCH]);
			printf("  of all pages: %" PRIu64 " of %" PRIu64
			       " that were sent, %" PRIu64 " of those asked for by others\n",
			       trace.full[TLB_SEND], trace.flushes[TLB_SEND],
			       trace.full[TLB_REMOTE]);
		}
		if (trace.windows) {
			print_row("", "window", &trace.window);
			printf("  in which other CPUs may use what was replaced\n");
		}
	} else {
		tlb_out_begin(bench->name, "-trace", 1);
		if (reason) {
			tlb_out_str("skipped", reason);
		} else {
			tlb_out_u64("ops", nr_calls / bench->nr_steps * params.nr_initiators);
			tlb_out_u64("shootdowns", trace.shootdowns);
			tlb_out_u64("lost", trace.lost);
			tlb_out_summary("wait", &trace.wait);
			tlb_out_summary("queue", &trace.queued);
			tlb_out_summary("run", &trace.function);
			if (trace.has_flushes) {
				tlb_out_u64("flush_remote", trace.flushes[TLB_REMOTE]);
				tlb_out_u64("flush_local", trace.flushes[TLB_LOCAL] +
							   trace.flushes[TLB_LOCAL_MM]);
				tlb_out_u64("flush_switch", trace.flushes[TLB_SWITCH]);
				tlb_out_u64("sent", trace.flushes[TLB_SEND]);
				tlb_out_u64("sent_full", trace.full[TLB_SEND]);
				tlb_out_u64("flush_remote_full", trace.full[TLB_REMOTE]);
			}
			if (trace.windows) {
				tlb_out_u64("windows", trace.windows);
				tlb_out_summary("window", &trace.window);
			}
		}
		tlb_out_end();
	}
}

/* A bare number counts pages; with K, M or G (or KB ...) it is in bytes. */
static size_t parse_size(const char *str)
{
	unsigned long long n;
	unsigned int shift = 0;
	char *end;

	errno = 0;
	n = strtoull(str, &end, 10);
	switch (toupper(*end)) {
	case 'G':
		shift += 10;
		fallthrough;
	case 'M':
		shift += 10;
		fallthrough;
	case 'K':
		shift += 10;
		end++;
		if (toupper(*end) == 'B')
			end++;
		break;
	default:
		if (n > SIZE_MAX / page_size)
			errno = ERANGE;
		n *= page_size;
	}
	if (!isdigit(*str) || *end || errno || !n || n > SIZE_MAX >> shift ||
	    (n << shift) % page_size)
		die("--size %s: want pages, or bytes with K, M or G in whole pages of %zu KiB",
		    str, page_size / 1024);
	return n << shift;
}

/*
 * Between and around the parts lie pages without access: each part is a VMA of
 * its own, which no change of protection splits or merges. Small pages only.
 * Returns the whole mapping and its size.
 */
static char *map_parts(size_t *map_size)
{
	/* what one page of page-table entries maps */
	size_t align = params.spread ? page_size * (page_size / sizeof(u64)) : page_size;
	size_t stride;
	unsigned int i;
	char *map, *base;

	if (part_size > SIZE_MAX / 4 / params.nr_initiators - 2 * align)
		die("--size %s is too big", params.size);
	stride = roundup(part_size + page_size, align);
	*map_size = stride * params.nr_initiators + align + page_size;
	map = xmmap(*map_size, PROT_NONE, MAP_NORESERVE, "the range");
	base = (char *)roundup((unsigned long)map + page_size, align);

	for (i = 0; i < params.nr_initiators; i++) {
		initiators[i].part = base + i * stride;
		initiators[i].hidden = false;
		if (mprotect(initiators[i].part, part_size, PROT_READ | PROT_WRITE))
			die_errno("--size %s", params.size);
		/* fails where there are no huge pages anyway */
		madvise(initiators[i].part, part_size, MADV_NOHUGEPAGE);
		memset(initiators[i].part, 1, part_size);
	}
	return map;
}

static int skip(const char *reason)
{
	if (tlb_out_for_people()) {
		printf("tlb/%s: skipped: %s\n", bench->name, reason);
		return 0;
	}
	tlb_out_begin(bench->name, "", 1);
	tlb_out_str("skipped", reason);
	tlb_out_end();
	return 0;
}

/* The price of one reading where nothing disturbs it */
static double measure_timer(void)
{
	u64 best = UINT64_MAX, start;
	unsigned int batch, i;

	for (batch = 0; batch < 100; batch++) {
		start = now();
		for (i = 1; i < TIMER_READS; i++)
			now();
		best = min(best, now() - start);
	}
	return (double)best / TIMER_READS;
}

static void map_samples(void)
{
	size_t size = MAX_SAMPLES * sizeof(u64);
	unsigned int i;
	int kind;

	for (i = 0; i < params.nr_victims; i++) {
		for (kind = 0; kind < NR_KINDS; kind++)
			victims[i].nsec[kind] = xmmap(size, PROT_READ | PROT_WRITE,
						      MAP_POPULATE, "the victims' samples");
		if (mode != TLB_FAULT)
			continue;
		victims[i].pages = xmmap(FAULT_PAGES * page_size, PROT_READ | PROT_WRITE, 0,
					 "pages to fault in");
		madvise(victims[i].pages, FAULT_PAGES * page_size, MADV_NOHUGEPAGE);
	}
}

static void unmap_samples(void)
{
	unsigned int i;
	int kind;

	for (i = 0; i < params.nr_victims; i++) {
		for (kind = 0; kind < NR_KINDS; kind++)
			munmap(victims[i].nsec[kind], MAX_SAMPLES * sizeof(u64));
		if (victims[i].pages)
			munmap(victims[i].pages, FAULT_PAGES * page_size);
	}
}

static unsigned int complete_runs;

static void measure(unsigned int number, s64 *total, double *sum)
{
	struct run run = { .number = number };
	unsigned int i;

	run_once(&run);
	if (stopping())
		return;
	*sum += report(&run);
	complete_runs++;
	for (i = 0; i < TLB_NR_COUNTERS; i++)
		total[i] = run.delta[i] == TLB_MISSING ? TLB_MISSING : total[i] + run.delta[i];
}

/* Least squares: y = fixed + slope * x for x = 1 .. n */
static void least_squares(const double *y, unsigned int n)
{
	double sx = 0, sy = 0, sxx = 0, sxy = 0, syy = 0, slope, fixed, r2, var;
	unsigned int x;

	if (n < 3) {
		if (tlb_out_for_people())
			printf("\n# no line: that needs three victims\n");
		return;
	}
	for (x = 1; x <= n; x++) {
		sx += x;
		sy += y[x - 1];
		sxx += (double)x * x;
		sxy += x * y[x - 1];
		syy += y[x - 1] * y[x - 1];
	}
	slope = (n * sxy - sx * sy) / (n * sxx - sx * sx);
	fixed = (sy - slope * sx) / n;
	var = n * syy - sy * sy;
	r2 = var > 0 ? slope * slope * (n * sxx - sx * sx) / var : 1;
	if (tlb_out_for_people()) {
		printf("\n# p50 of %s: %.0f ns + %.0f ns for each remote CPU (r2 %.3f)\n",
		       bench->nr_steps > 1 ? bench->step_name[0] : "op", fixed, slope, r2);
		return;
	}
	tlb_out_begin(bench->name, "-fit", 1);
	tlb_out_double("fixed_ns", fixed);
	tlb_out_double("per_cpu_ns", slope);
	tlb_out_per_op("r2", r2 * 1000, 1000);
	tlb_out_u64("points", n);
	tlb_out_end();
}

static void run_scale(void)
{
	unsigned int max_victims = params.nr_victims, run;
	double *sum = calloc(max_victims, sizeof(*sum));
	s64 total[TLB_NR_COUNTERS] = { 0, };

	if (!sum)
		die("out of memory");
	for (params.nr_victims = 1; params.nr_victims <= max_victims; params.nr_victims++) {
		for (run = 1; run <= bench_repeat && !stopping(); run++)
			measure(run, total, &sum[params.nr_victims - 1]);
		sum[params.nr_victims - 1] /= bench_repeat;
	}
	params.nr_victims = max_victims;
	if (!stopping())
		least_squares(sum, max_victims);
	free(sum);
}

/* What was printed is of complete runs; say so where a program reads it, too. */
static void __noreturn end_interrupted(void)
{
	if (!tlb_out_for_people()) {
		tlb_out_begin(bench->name, "-partial", 1);
		tlb_out_u64("complete_runs", complete_runs);
		tlb_out_end();
		fflush(stdout);
	}
	errx(128 + interrupted, "tlb/%s: interrupted: what was printed is of complete runs",
	     bench->name);
}

static void run_all(void)
{
	u64 ops = params.loops * params.nr_initiators, *nsec;
	size_t nsec_size = ops * bench->nr_steps * sizeof(*nsec);
	size_t scratch_size = ops * sizeof(*scratch);
	bool sampled = mode == TLB_FAULT || mode == TLB_STOLEN;
	s64 total[TLB_NR_COUNTERS] = { 0, };
	unsigned int run, i;
	double sum = 0;

	nsec = xmmap(nsec_size, PROT_READ | PROT_WRITE, MAP_POPULATE, "samples: lower --loops");
	if (sampled)
		scratch_size = max(scratch_size, params.nr_victims * MAX_SAMPLES * sizeof(u64));
	scratch = xmmap(scratch_size, PROT_READ | PROT_WRITE, 0, "samples: lower --loops");
	/* fork() has nothing to do with them. */
	madvise(nsec, nsec_size, MADV_DONTFORK);
	madvise(scratch, scratch_size, MADV_DONTFORK);
	if (sampled)
		map_samples();
	for (i = 0; i < params.nr_initiators; i++)
		initiators[i].nsec = nsec + i * params.loops * bench->nr_steps;
	timer_nsec = measure_timer();
	complete_runs = 0;

	if (tlb_out_for_people())
		print_header();
	if (bench->scales)
		run_scale();
	for (run = 1; !bench->scales && run <= bench_repeat && !stopping(); run++)
		measure(run, total, &sum);
	if (tlb_out_for_people() && !bench->scales && !stopping())
		print_totals(total, ops * bench_repeat);
	if (params.trace && !stopping())
		trace_once();
	if (interrupted)
		end_interrupted();
	if (gave_up)
		skip(gave_up);
	gave_up = NULL;
	if (sampled)
		unmap_samples();
	munmap(scratch, scratch_size);
	munmap(nsec, nsec_size);
}

static void interrupt(int signal)
{
	__atomic_store_n(&interrupted, signal, __ATOMIC_RELAXED);
}

/*
 * Those of --cpus, in ascending order. The process need not have been allowed to run
 * there: isolated CPUs are nobody's by default.
 */
static void restrict_cpus(cpu_set_t *allowed)
{
	struct perf_cpu_map *map;
	int cpu, wanted;

	if (!params.cpus)
		return;
	map = perf_cpu_map__new(params.cpus);
	if (!map || perf_cpu_map__has_any_cpu(map) || perf_cpu_map__max(map).cpu >= MAX_CPUS)
		die("--cpus %s: want a list like 0,2-5", params.cpus);
	CPU_ZERO_S(SET_SIZE, allowed);
	for (cpu = 0; cpu <= perf_cpu_map__max(map).cpu; cpu++)
		if (perf_cpu_map__has(map, (struct perf_cpu){ cpu }))
			CPU_SET_S(cpu, SET_SIZE, allowed);
	perf_cpu_map__put(map);
	/* The kernel leaves out, without a word, what it does not have. */
	wanted = CPU_COUNT_S(SET_SIZE, allowed);
	if (sched_setaffinity(0, SET_SIZE, allowed) || sched_getaffinity(0, SET_SIZE, allowed))
		die_errno("--cpus %s", params.cpus);
	if (CPU_COUNT_S(SET_SIZE, allowed) != wanted)
		die("--cpus %s: this machine does not let a process run on all of them",
		    params.cpus);
}

/* On the CPUs of @allowed, initiators first. */
static void place_threads(const cpu_set_t *allowed)
{
	cpu_set_t *set;
	int cpu, nr = 0;
	unsigned int i;

	memset(cpu_used, 0, sizeof(cpu_used));
	for (cpu = 0; cpu < MAX_CPUS; cpu++) {
		if (CPU_ISSET_S(cpu, SET_SIZE, allowed))
			cpus[nr++] = cpu;
	}
	for (i = 0; i < params.nr_initiators; i++)
		initiators[i].cpu = cpus[i];
	for (i = 0; i < params.nr_victims; i++)
		victims[i].cpu = cpus[params.nr_initiators + i];
	for (i = 0; i < params.nr_initiators + params.nr_victims; i++)
		cpu_used[cpus[i]] = true;

	set = set_of(cpus[0]);
	if (sched_setaffinity(0, SET_SIZE, set))
		die_errno("cannot run on CPU %d", cpus[0]);
	CPU_FREE(set);
}

int bench_tlb(const struct tlb_bench *b, int argc, const char **argv)
{
	const struct option *opts = options + (b->touches ? 0 : NR_TOUCH_OPTIONS);
	size_t map_size = 0;
	const char *reason = NULL;
	cpu_set_t *allowed, *of_process;
	u64 nr_cpus;
	char usage[64], *map = NULL;
	const char * const usages[] = { usage, NULL };
	unsigned int i;

	bench = b;
	params = (struct params){
		.every = 1,
		.size = b->size ?: "1",
		.nr_initiators = 1,
		.nr_victims = b->scales ? ALL_CPUS : 1,
		.loops = b->loops ?: 10000,
		.warm_up = A_TENTH,
	};
	scnprintf(usage, sizeof(usage), "perf bench tlb %s <options>", bench->name);
	if (parse_options(argc, argv, opts, usages, 0)) {
		usage_with_options(usages, opts);
		exit(EXIT_FAILURE);
	}
	if (!params.nr_initiators || !params.loops || !params.every)
		die("--initiators, --loops and --every must not be 0");
	if (params.loops > SIZE_MAX / (TLB_MAX_STEPS * sizeof(u64)) / params.nr_initiators)
		die("--loops is too big");
	page_size = sysconf(_SC_PAGESIZE);
	part_size = parse_size(params.size);
	if (params.warm_up == A_TENTH)
		params.warm_up = max(params.loops / 10, (u64)1);
	if (params.warm_up > params.loops)
		die("--warm-up must not be more than --loops");
	mode = params.faults ? TLB_FAULT : bench->victims;

	allowed = CPU_ALLOC(MAX_CPUS);
	of_process = CPU_ALLOC(MAX_CPUS);
	if (!allowed || !of_process || sched_getaffinity(0, SET_SIZE, allowed))
		die_errno("sched_getaffinity");
	memcpy(of_process, allowed, SET_SIZE);
	restrict_cpus(allowed);
	nr_cpus = CPU_COUNT_S(SET_SIZE, allowed);
	if (params.nr_victims == ALL_CPUS)
		params.nr_victims = max_t(s64, nr_cpus - params.nr_initiators, 1);
	if (bench->scales && !params.nr_victims)
		die("there is nothing to scale with --threads 0");
	if (nr_cpus == 1 && params.nr_victims) {
		CPU_FREE(of_process);
		CPU_FREE(allowed);
		return skip("victims need a second CPU, this process has one");
	}
	if ((u64)params.nr_initiators + params.nr_victims > nr_cpus)
		die("-i %u and -t %u need a CPU for each thread, %s %" PRIu64,
		    params.nr_initiators, params.nr_victims,
		    params.cpus ? "--cpus has" : "this process may use", nr_cpus);

	initiators = calloc(params.nr_initiators, sizeof(*initiators));
	if (!initiators || posix_memalign((void **)&victims, __alignof__(*victims),
					  (params.nr_victims + 1) * sizeof(*victims)))
		die("out of memory");
	memset(victims, 0, (params.nr_victims + 1) * sizeof(*victims));
	place_threads(allowed);
	tlb_counters_open();
	signal(SIGINT, interrupt);
	signal(SIGTERM, interrupt);

	if (bench->check)
		reason = bench->check((u64)part_size / params.every * params.nr_initiators);
	if (!reason)
		map = map_parts(&map_size);
	for (i = 0; bench->setup && !reason && i < params.nr_initiators; i++)
		reason = bench->setup(initiators[i].part, part_size);
	if (reason)
		skip(reason);
	else
		run_all();
	if (bench->cleanup)
		bench->cleanup();

	if (map)
		munmap(map, map_size);
	signal(SIGTERM, SIG_DFL);
	signal(SIGINT, SIG_DFL);
	tlb_counters_close();
	zfree(&victims);
	zfree(&initiators);
	/* another benchmark of the collection may follow */
	if (sched_setaffinity(0, SET_SIZE, of_process))
		die_errno("sched_setaffinity");
	CPU_FREE(of_process);
	CPU_FREE(allowed);
	return 0;
}
