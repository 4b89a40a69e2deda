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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <linux/compiler.h>
#include <linux/kernel.h>
#include <linux/time64.h>
#include <linux/zalloc.h>
#include <subcmd/parse-options.h>

#include "bench.h"
#include "tlb.h"

#define MAX_CPUS	8192
#define TIMER_READS	100
#define STALL_NSEC	(10 * NSEC_PER_SEC)
#define MAX_FAULTS	(1 << 18)	/* samples of each victim and kind: the last ones */
#define FAULT_PAGES	4096

#define die(fmt, ...)	errx(EXIT_FAILURE, "tlb/%s: " fmt, bench->name, ##__VA_ARGS__)
#define die_errno(fmt, ...) \
	err(EXIT_FAILURE, "tlb/%s: " fmt, bench->name, ##__VA_ARGS__)

struct initiator {
	pthread_t	thread;
	int		cpu;
	char		*part;		/* its part of the range */
	u64		*nsec;		/* one sample for each step of each op */
};

/* --faults: those that met a timed call, and the others */
enum fault_kind { FAULT_MEANWHILE, FAULT_ELSE, NR_FAULT_KINDS };

struct victim {
	pthread_t	thread;
	int		cpu;
	u64		passes;		/* how often it has read the whole range */
	char		*pages;		/* its own, to fault in */
	unsigned int	page;		/* the next of them */
	u64		*nsec[NR_FAULT_KINDS];
	u64		faults[NR_FAULT_KINDS];
} __aligned(128);

struct summary {
	double	mean;
	u64	min, p50, p90, p99, max;
};

static struct {
	unsigned int	every;
	const char	*size;
	bool		spread;
	unsigned int	nr_initiators;
	unsigned int	nr_victims;
	u64		loops;
	bool		back_to_back;
	bool		faults;
} params = {
	.every		= 1,
	.size		= "1",
	.nr_initiators	= 1,
	.nr_victims	= 1,
	.loops		= 10000,
};

static const struct option options[] = {
#define NR_TOUCH_OPTIONS	1
	OPT_UINTEGER('e', "every", &params.every,
		     "Write to each of so many pages only (default: 1)"),
#define NR_RANGE_OPTIONS	2
	OPT_STRING('s', "size", &params.size, "pages|bytes",
		   "Memory of each initiator: pages, or bytes with K, M or G (default: 1)"),
	OPT_BOOLEAN('S', "spread", &params.spread,
		    "Give each initiator's memory page tables of its own"),
	OPT_UINTEGER('t', "threads", &params.nr_victims,
		     "Specify amount of victim threads, each on another CPU (default: 1)"),
	OPT_UINTEGER('i', "initiators", &params.nr_initiators,
		     "Specify amount of initiating threads, each on another CPU (default: 1)"),
	OPT_U64('l', "loops", &params.loops, "Specify ops of each initiator (default: 10000)"),
	OPT_BOOLEAN('b', "back-to-back", &params.back_to_back,
		    "Do not wait for the victims between the timed calls"),
	OPT_BOOLEAN('F', "faults", &params.faults,
		    "Victims fault pages of their own in, and tell how long it takes"),
	OPT_END()
};

static const struct {
	const char *key;		/* also the name in /proc/vmstat, unless ... */
	const char *irq;		/* ... this is its description in /proc/interrupts */
} counters[] = {
	{ "int_call", "Function call interrupts" },
	{ "int_tlb", "TLB shootdowns" },
	{ "nr_tlb_remote_flush", NULL },
	{ "nr_tlb_remote_flush_received", NULL },
	{ "nr_tlb_local_flush_all", NULL },
	{ "nr_tlb_local_flush_one", NULL },
	{ "nr_tlb_tlbi", NULL },
	{ "nr_tlb_tlbi_asid", NULL },
	{ "nr_tlb_dsb", NULL },
	{ "tlb_gen_open", NULL },
	{ "tlb_gen_mark", NULL },
	{ "tlb_gen_inherit", NULL },
	{ "tlb_gen_settle", NULL },
	{ "pswpout", NULL },
};

#define NR_COUNTERS	ARRAY_SIZE(counters)
#define MISSING		(-1)

static const struct tlb_bench *bench;
static struct initiator *initiators;
static struct victim *victims;
static int cpus[MAX_CPUS];		/* on which this process may run */
static bool cpu_used[MAX_CPUS];
static size_t page_size;
static size_t part_size;
static FILE *interrupts, *vmstat;
static double timer_nsec;

/* Written by several threads, each seldom. */
static u64 nr_warm, nr_finished;
static bool go, stop;
/* How many timed calls are under way: not of those that touch pages for the next */
static unsigned int calls;

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

static void pin(int cpu)
{
	size_t size = CPU_ALLOC_SIZE(MAX_CPUS);
	cpu_set_t *set = CPU_ALLOC(MAX_CPUS);

	if (!set)
		die_errno("CPU_ALLOC");
	CPU_ZERO_S(size, set);
	CPU_SET_S(cpu, size, set);
	if (sched_setaffinity(0, size, set))
		die_errno("cannot run on CPU %d", cpu);
	CPU_FREE(set);
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

static void fault(struct victim *victim)
{
	unsigned int before = __atomic_load_n(&calls, __ATOMIC_ACQUIRE);
	u64 start = now(), nsec;
	enum fault_kind kind;

	*(volatile char *)(victim->pages + victim->page * page_size) = 1;
	nsec = now() - start;
	kind = before || __atomic_load_n(&calls, __ATOMIC_ACQUIRE) ? FAULT_MEANWHILE : FAULT_ELSE;
	victim->nsec[kind][victim->faults[kind]++ % MAX_FAULTS] = nsec;
	/* Seldom: the faults themselves may do without mmap_lock. */
	victim->page = (victim->page + 1) % FAULT_PAGES;
	if (!victim->page && madvise(victim->pages, FAULT_PAGES * page_size, MADV_DONTNEED))
		die_errno("MADV_DONTNEED");
}

static void *victim_fn(void *arg)
{
	struct victim *victim = arg;
	unsigned int i;
	size_t offset;

	pin(victim->cpu);
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		if (params.faults)
			fault(victim);
		for (i = 0; i < params.nr_initiators && !params.faults && !bench->victims_off; i++)
			for (offset = 0; offset < part_size; offset += page_size)
				__atomic_load_n(initiators[i].part + offset, __ATOMIC_RELAXED);
		__atomic_store_n(&victim->passes, victim->passes + 1, __ATOMIC_RELEASE);
	}
	return NULL;
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
	u64 *nsec = initiator->nsec, op, start;
	unsigned int step;

	for (op = 0; op < ops; op++) {
		for (step = 0; step < bench->nr_steps; step++) {
			bool call = params.faults &&
				    (step || !bench->touches || bench->nr_steps == 1);

			if (!params.back_to_back)
				wait_for_victims();
			if (call)
				__atomic_add_fetch(&calls, 1, __ATOMIC_ACQ_REL);
			start = now();
			if (bench->step(step, initiator->part, part_size))
				die_errno("op %" PRIu64 ", call %u", op, step);
			*nsec++ = now() - start;
			if (call)
				__atomic_sub_fetch(&calls, 1, __ATOMIC_ACQ_REL);
		}
	}
}

static void warm_up(struct initiator *initiator)
{
	unsigned int i;

	for (i = 0; i < params.nr_victims; i++)
		wait_for_pass(&victims[i], 1);
	do_ops(initiator, max(params.loops / 10, (u64)1));
	__atomic_add_fetch(&nr_warm, 1, __ATOMIC_RELEASE);
}

static void *initiator_fn(void *arg)
{
	struct initiator *initiator = arg;

	pin(initiator->cpu);
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

/* Only the CPUs of our threads count: other interrupts are other people's. */
static void read_interrupts(s64 *value)
{
	static int column[MAX_CPUS];
	static char *line;
	static size_t len;
	int nr_columns = 0, i;
	unsigned int c;
	char *p, *end;

	rewind(interrupts);
	if (getline(&line, &len, interrupts) < 0)
		return;
	for (p = line; nr_columns < MAX_CPUS && (p = strstr(p, "CPU")); p = end)
		column[nr_columns++] = strtol(p + strlen("CPU"), &end, 10);

	while (getline(&line, &len, interrupts) > 0) {
		for (c = 0; c < NR_COUNTERS; c++)
			if (counters[c].irq && strstr(line, counters[c].irq))
				break;
		p = strchr(line, ':');
		if (c == NR_COUNTERS || !p)
			continue;
		value[c] = 0;
		for (i = 0, p++; i < nr_columns; i++, p = end) {
			u64 n = strtoull(p, &end, 10);

			if (end == p)
				break;
			if (column[i] < MAX_CPUS && cpu_used[column[i]])
				value[c] += n;
		}
	}
}

static void read_vmstat(s64 *value)
{
	static char *line;
	static size_t len;
	unsigned int c;

	rewind(vmstat);
	while (getline(&line, &len, vmstat) > 0) {
		char *p = strchr(line, ' ');

		if (!p)
			continue;
		*p = '\0';
		for (c = 0; c < NR_COUNTERS; c++)
			if (!strcmp(line, counters[c].key))
				value[c] = strtoll(p + 1, NULL, 10);
	}
}

static void read_counters(s64 *value)
{
	unsigned int c;

	for (c = 0; c < NR_COUNTERS; c++)
		value[c] = MISSING;
	if (interrupts)
		read_interrupts(value);
	if (vmstat)
		read_vmstat(value);
}

static s64 counter(const s64 *value, const char *key)
{
	unsigned int c;

	for (c = 0; c < NR_COUNTERS; c++)
		if (!strcmp(counters[c].key, key))
			return value[c];
	return MISSING;
}

/*
 * x86 counts the shootdowns it starts, arm64 the waits for broadcast TLBIs;
 * where a kernel has both counters, that of the other architecture stays 0.
 */
static s64 count_flushes(const s64 *value)
{
	s64 shootdowns = counter(value, "nr_tlb_remote_flush");
	s64 waits = counter(value, "nr_tlb_dsb");

	if (shootdowns == MISSING)
		return waits;
	return waits == MISSING ? shootdowns : shootdowns + waits;
}

static int cmp_u64(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

/* Nearest rank: a value that was really seen */
static u64 percentile(const u64 *sorted, u64 n, unsigned int percent)
{
	return sorted[(n * percent + 99) / 100 - 1];
}

static void summarize(u64 *nsec, u64 n, struct summary *sum)
{
	double total = 0;
	u64 i;

	qsort(nsec, n, sizeof(*nsec), cmp_u64);
	for (i = 0; i < n; i++)
		total += nsec[i];
	sum->mean = total / n;
	sum->min = nsec[0];
	sum->p50 = percentile(nsec, n, 50);
	sum->p90 = percentile(nsec, n, 90);
	sum->p99 = percentile(nsec, n, 99);
	sum->max = nsec[n - 1];
}

static void print_simple_summary(const char *what, const struct summary *sum)
{
	printf("%s_mean %.1f\n", what, sum->mean);
	printf("%s_min %" PRIu64 "\n", what, sum->min);
	printf("%s_p50 %" PRIu64 "\n", what, sum->p50);
	printf("%s_p90 %" PRIu64 "\n", what, sum->p90);
	printf("%s_p99 %" PRIu64 "\n", what, sum->p99);
	printf("%s_max %" PRIu64 "\n", what, sum->max);
}

static const char *per_op(char *buf, size_t size, s64 n, u64 ops)
{
	if (n == MISSING)
		return "-";
	scnprintf(buf, size, "%.3f", (double)n / ops);
	return buf;
}

static void print_default_row(const char *run, const char *what, const struct summary *sum)
{
	printf("%5s  %-6s %11.0f %10" PRIu64 " %10" PRIu64 " %10" PRIu64,
	       run, what, sum->mean, sum->p50, sum->p99, sum->max);
}

static void print_faults(u64 *scratch, u64 ops)
{
	static const char * const name[] = { "fault", "else" };
	struct summary sum;
	unsigned int i;
	int kind;

	for (kind = 0; params.faults && kind < NR_FAULT_KINDS; kind++) {
		u64 total = 0, n = 0, kept;

		for (i = 0; i < params.nr_victims; i++) {
			kept = min_t(u64, victims[i].faults[kind], MAX_FAULTS);
			memcpy(scratch + n, victims[i].nsec[kind], kept * sizeof(*scratch));
			n += kept;
			total += victims[i].faults[kind];
		}
		memset(&sum, 0, sizeof(sum));
		if (n)
			summarize(scratch, n, &sum);
		if (bench_format == BENCH_FORMAT_DEFAULT) {
			print_default_row("", name[kind], &sum);
			printf(" %10.1f per op%s\n", (double)total / ops,
			       kind == FAULT_MEANWHILE ? ", during the timed calls" : "");
		} else {
			print_simple_summary(name[kind], &sum);
			printf("%s_per_op %.3f\n", name[kind], (double)total / ops);
		}
	}
}

/* sum[0] is the whole op, sum[1..] its steps where there are several. */
static void print_run(unsigned int run, const struct summary *sum, u64 elapsed,
		      u64 min_passes, const s64 *delta, u64 *scratch)
{
	unsigned int nr_named = bench->nr_steps > 1 ? bench->nr_steps : 0, i;
	u64 ops = params.loops * params.nr_initiators;
	double rate = sum->mean ? NSEC_PER_SEC / sum->mean * params.nr_initiators : 0;
	char ipis[32], flushes[32], nr[16];

	if (bench_format == BENCH_FORMAT_DEFAULT) {
		scnprintf(nr, sizeof(nr), "%u", run);
		print_default_row(nr, "op", sum);
		printf(" %10.0f %8s %10s\n", rate,
		       per_op(ipis, sizeof(ipis), counter(delta, "int_call"), ops),
		       per_op(flushes, sizeof(flushes), count_flushes(delta), ops));
		for (i = 0; i < nr_named; i++) {
			print_default_row("", bench->step_name[i], sum + i + 1);
			printf("\n");
		}
		print_faults(scratch, ops);
		return;
	}

	printf("tlb/%s %u\nunit ns\n", bench->name, run);
	printf("threads %u\ninitiators %u\n", params.nr_victims, params.nr_initiators);
	printf("size %zu\npage_size %zu\nspread %d\n", part_size, page_size, params.spread);
	printf("every %u\n", params.every);
	printf("back_to_back %d\n", params.back_to_back);
	printf("loops %" PRIu64 "\nops %" PRIu64 "\n", params.loops, ops);
	printf("elapsed_ns %" PRIu64 "\ntimer_ns %.1f\n", elapsed, timer_nsec);
	print_simple_summary("op", sum);
	for (i = 0; i < nr_named; i++)
		print_simple_summary(bench->step_name[i], sum + i + 1);
	print_faults(scratch, ops);
	printf("ops_per_sec %.1f\n", rate);
	printf("ipis_per_op %s\n",
	       per_op(ipis, sizeof(ipis), counter(delta, "int_call"), ops));
	printf("flushes_per_op %s\n",
	       per_op(flushes, sizeof(flushes), count_flushes(delta), ops));
	if (params.nr_victims)
		printf("victim_passes_min %" PRIu64 "\n", min_passes);
	else
		printf("victim_passes_min -\n");
	for (i = 0; i < NR_COUNTERS; i++) {
		if (delta[i] == MISSING)
			printf("count_%s -\n", counters[i].key);
		else
			printf("count_%s %" PRId64 "\n", counters[i].key, delta[i]);
	}
	printf("end tlb/%s\n", bench->name);
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
	if (bench->has_range)
		printf("# %zu KiB for each initiator, in pages of %zu KiB\n",
		       part_size / 1024, page_size / 1024);
	printf("# %" PRIu64 " ops of each initiator per run\n", params.loops);
	printf("# reading the clock takes %.0f ns, which each call's time includes\n", timer_nsec);
	printf("\n%5s  %-6s %11s %10s %10s %10s %10s %8s %10s\n", "run", "[nsec]", "mean", "p50",
	       "p99", "max", "ops/sec", "IPIs/op", "flushes/op");
}

static void print_totals(const s64 *total, u64 ops)
{
	char buf[32];
	unsigned int c;

	printf("\n# counted per op, all runs:\n");
	for (c = 0; c < NR_COUNTERS; c++)
		if (total[c] != MISSING)
			printf("%30s %12s\n", counters[c].key,
			       per_op(buf, sizeof(buf), total[c], ops));
}

static void report(unsigned int run, u64 *scratch, u64 elapsed, u64 min_passes, const s64 *delta)
{
	u64 ops = params.loops * params.nr_initiators, *nsec = initiators[0].nsec, op;
	struct summary sum[1 + TLB_MAX_STEPS];
	unsigned int step;

	memset(scratch, 0, ops * sizeof(*scratch));
	for (op = 0; op < ops; op++)
		for (step = 0; step < bench->nr_steps; step++)
			scratch[op] += nsec[op * bench->nr_steps + step];
	summarize(scratch, ops, sum);

	for (step = 0; step < bench->nr_steps; step++) {
		for (op = 0; op < ops; op++)
			scratch[op] = nsec[op * bench->nr_steps + step];
		summarize(scratch, ops, sum + 1 + step);
	}
	print_run(run, sum, elapsed, min_passes, delta, scratch);
}

static void create(pthread_t *thread, void *(*fn)(void *), void *arg)
{
	errno = pthread_create(thread, NULL, fn, arg);
	if (errno)
		die_errno("pthread_create");
}

static void join(pthread_t thread)
{
	errno = pthread_join(thread, NULL);
	if (errno)
		die_errno("pthread_join");
}

/* One run; the samples end up in initiators[].nsec, the counts in delta. */
static void run_once(u64 *elapsed, u64 *min_passes, s64 *delta)
{
	u64 passes[params.nr_victims + 1], start;
	s64 after[NR_COUNTERS];
	unsigned int i;

	nr_warm = 0;
	nr_finished = 0;
	go = false;
	stop = false;
	for (i = 0; i < params.nr_victims; i++) {
		victims[i].passes = 0;
		create(&victims[i].thread, victim_fn, &victims[i]);
	}
	for (i = 1; i < params.nr_initiators; i++)
		create(&initiators[i].thread, initiator_fn, &initiators[i]);

	warm_up(&initiators[0]);
	while (__atomic_load_n(&nr_warm, __ATOMIC_ACQUIRE) < params.nr_initiators)
		;
	read_counters(delta);
	for (i = 0; i < params.nr_victims; i++) {
		passes[i] = __atomic_load_n(&victims[i].passes, __ATOMIC_RELAXED);
		/* Off by one at most: the victim may be counting one. */
		memset(victims[i].faults, 0, sizeof(victims[i].faults));
	}
	start = now();
	__atomic_store_n(&go, true, __ATOMIC_RELEASE);
	do_ops(&initiators[0], params.loops);
	__atomic_add_fetch(&nr_finished, 1, __ATOMIC_RELEASE);
	while (__atomic_load_n(&nr_finished, __ATOMIC_ACQUIRE) < params.nr_initiators)
		;
	*elapsed = now() - start;
	*min_passes = UINT64_MAX;
	for (i = 0; i < params.nr_victims; i++) {
		passes[i] = __atomic_load_n(&victims[i].passes, __ATOMIC_RELAXED) - passes[i];
		*min_passes = min(*min_passes, passes[i]);
	}
	read_counters(after);
	for (i = 0; i < NR_COUNTERS; i++)
		delta[i] = delta[i] == MISSING || after[i] == MISSING ? MISSING :
			   after[i] - delta[i];

	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	for (i = 0; i < params.nr_victims; i++)
		join(victims[i].thread);
	for (i = 1; i < params.nr_initiators; i++)
		join(initiators[i].thread);

	if (!*min_passes)
		die("a victim stood still during the run: is its CPU taken by another task?");
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
	if (bench_format == BENCH_FORMAT_SIMPLE)
		printf("tlb/%s 1\nskipped %s\nend tlb/%s\n", bench->name, reason, bench->name);
	else
		printf("tlb/%s: skipped: %s\n", bench->name, reason);
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

static void run_all(void)
{
	u64 ops = params.loops * params.nr_initiators, elapsed, min_passes, *nsec, *scratch;
	size_t nsec_size = ops * bench->nr_steps * sizeof(*nsec);
	size_t scratch_size = ops * sizeof(*scratch), faults_size = MAX_FAULTS * sizeof(u64);
	s64 total[NR_COUNTERS] = { 0, }, delta[NR_COUNTERS];
	unsigned int run, i;
	int kind;

	nsec = xmmap(nsec_size, PROT_READ | PROT_WRITE, MAP_POPULATE, "samples: lower --loops");
	if (params.faults)
		scratch_size = max(scratch_size, params.nr_victims * faults_size);
	scratch = xmmap(scratch_size, PROT_READ | PROT_WRITE, 0, "samples: lower --loops");
	for (i = 0; params.faults && i < params.nr_victims; i++) {
		victims[i].pages = xmmap(FAULT_PAGES * page_size, PROT_READ | PROT_WRITE, 0,
					 "pages to fault in");
		madvise(victims[i].pages, FAULT_PAGES * page_size, MADV_NOHUGEPAGE);
		for (kind = 0; kind < NR_FAULT_KINDS; kind++)
			victims[i].nsec[kind] = xmmap(faults_size, PROT_READ | PROT_WRITE,
						      MAP_POPULATE, "faults");
	}
	for (i = 0; i < params.nr_initiators; i++)
		initiators[i].nsec = nsec + i * params.loops * bench->nr_steps;
	timer_nsec = measure_timer();

	if (bench_format == BENCH_FORMAT_DEFAULT)
		print_header();
	for (run = 1; run <= bench_repeat; run++) {
		run_once(&elapsed, &min_passes, delta);
		report(run, scratch, elapsed, min_passes, delta);
		for (i = 0; i < NR_COUNTERS; i++)
			total[i] = delta[i] == MISSING ? MISSING : total[i] + delta[i];
	}
	if (bench_format == BENCH_FORMAT_DEFAULT)
		print_totals(total, ops * bench_repeat);
	for (i = 0; params.faults && i < params.nr_victims; i++) {
		munmap(victims[i].pages, FAULT_PAGES * page_size);
		for (kind = 0; kind < NR_FAULT_KINDS; kind++)
			munmap(victims[i].nsec[kind], faults_size);
	}
	munmap(scratch, scratch_size);
	munmap(nsec, nsec_size);
}

/* On the CPUs of @allowed, initiators first. */
static void place_threads(const cpu_set_t *allowed, size_t set_size)
{
	int cpu, nr = 0;
	unsigned int i;

	memset(cpu_used, 0, sizeof(cpu_used));
	for (cpu = 0; cpu < MAX_CPUS; cpu++) {
		if (CPU_ISSET_S(cpu, set_size, allowed))
			cpus[nr++] = cpu;
	}
	for (i = 0; i < params.nr_initiators; i++)
		initiators[i].cpu = cpus[i];
	for (i = 0; i < params.nr_victims; i++)
		victims[i].cpu = cpus[params.nr_initiators + i];
	for (i = 0; i < params.nr_initiators + params.nr_victims; i++)
		cpu_used[cpus[i]] = true;
	pin(cpus[0]);
}

int bench_tlb(const struct tlb_bench *b, int argc, const char **argv)
{
	const struct option *opts = options + (b->touches ? 0 : NR_TOUCH_OPTIONS) +
				    (b->has_range ? 0 : NR_RANGE_OPTIONS);
	size_t set_size = CPU_ALLOC_SIZE(MAX_CPUS), map_size = 0;
	const char *reason = NULL;
	cpu_set_t *allowed;
	u64 nr_cpus;
	char usage[64], *map = NULL;
	const char * const usages[] = { usage, NULL };
	unsigned int i;

	bench = b;
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
	part_size = bench->has_range ? parse_size(params.size) : 0;

	allowed = CPU_ALLOC(MAX_CPUS);
	if (!allowed || sched_getaffinity(0, set_size, allowed))
		die_errno("sched_getaffinity");
	nr_cpus = CPU_COUNT_S(set_size, allowed);
	if (nr_cpus == 1 && params.nr_victims) {
		CPU_FREE(allowed);
		return skip("victims need a second CPU, this process has one");
	}
	if ((u64)params.nr_initiators + params.nr_victims > nr_cpus)
		die("-i %u and -t %u need a CPU for each thread, this process may use %" PRIu64,
		    params.nr_initiators, params.nr_victims, nr_cpus);

	initiators = calloc(params.nr_initiators, sizeof(*initiators));
	if (!initiators || posix_memalign((void **)&victims, __alignof__(*victims),
					  (params.nr_victims + 1) * sizeof(*victims)))
		die("out of memory");
	memset(victims, 0, (params.nr_victims + 1) * sizeof(*victims));
	place_threads(allowed, set_size);
	interrupts = fopen("/proc/interrupts", "r");
	vmstat = fopen("/proc/vmstat", "r");

	if (bench->check)
		reason = bench->check((u64)part_size / params.every * params.nr_initiators);
	if (bench->has_range && !reason)
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
	if (vmstat)
		fclose(vmstat);
	if (interrupts)
		fclose(interrupts);
	zfree(&victims);
	zfree(&initiators);
	/* another benchmark of the collection may follow */
	if (sched_setaffinity(0, set_size, allowed))
		die_errno("sched_setaffinity");
	CPU_FREE(allowed);
	return 0;
}
