// SPDX-License-Identifier: GPL-2.0
/*
 * Where the time of a shootdown goes, from the tracepoints of function call
 * interrupts:
 *
 *   csd_queue_cpu       the initiator asks a CPU for a function
 *   csd_function_entry  that CPU runs it
 *   csd_function_exit   it is done; when all are, the initiator may go on
 *
 * What is on the way has an object of its own (csd), which tells what belongs
 * together. Where the kernel has them also from those of flushes:
 *
 *   tlb_flush           a CPU flushes, and why (x86)
 *   tlb_gen_open        from here on entries may differ from what CPUs use,
 *   tlb_gen_close       until here; of one mm on one CPU, the inner one first
 *
 * perf events record it, one ring for each CPU, which nobody reads meanwhile:
 * what does not fit is lost, and counted by the kernel.
 */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <api/fs/tracing_path.h>
#include <linux/compiler.h>
#include <linux/kernel.h>
#include <linux/perf_event.h>
#include <linux/zalloc.h>

#include "../perf-sys.h"
#include "tlb-lib.h"

#define RING_PAGES	1024

enum kind { QUEUE, ENTRY, EXIT, FLUSH, OPEN, CLOSE, NR_KINDS };

#define NR_NEEDED	FLUSH

static struct {
	const char	*name;
	const char	*field;		/* a pointer, or the reason of a flush */
	unsigned int	id;		/* 0: the kernel does not have it */
	unsigned int	offset;		/* of the field */
	const char	*field2;	/* pages that are flushed, all ones: all of them */
	unsigned int	offset2;
} tracepoints[NR_KINDS] = {
	[QUEUE]	= { "csd/csd_queue_cpu", " csd;" },
	[ENTRY]	= { "csd/csd_function_entry", " csd;" },
	[EXIT]	= { "csd/csd_function_exit", " csd;" },
	[FLUSH]	= { "tlb/tlb_flush", " reason;", .field2 = " pages;" },
	[OPEN]	= { "tlb_gen/tlb_gen_open", " mm;" },
	[CLOSE]	= { "tlb_gen/tlb_gen_close", " mm;" },
};

struct ring {
	int	cpu;
	int	fd[NR_KINDS];
	struct perf_event_mmap_page *page;
};

static struct ring *rings;
static unsigned int nr_rings;
static size_t page_size;

struct event {
	u64		field, time;
	int		cpu;
	enum kind	kind;
	bool		full;
};

/* A function that another CPU has run for @cpu */
struct request {
	int	cpu;
	u64	queue, entry, exit;
};

/* The record that perf_event_attr below asks for */
struct sample {
	struct perf_event_header header;
	u64	time;
	u32	cpu, reserved;
	u32	raw_size;
	char	raw[];
};

static bool read_offset(const char *line, const char *field, unsigned int *offset)
{
	const char *at = strstr(line, field);

	return at && sscanf(at, "%*[^;]; offset:%u", offset) == 1;
}

static bool read_tracepoint(enum kind kind)
{
	char name[64], line[256], *path;
	bool found = false;
	unsigned int i;
	FILE *file;

	for (i = 0; i < 2; i++) {
		scnprintf(name, sizeof(name), "%s/%s", tracepoints[kind].name,
			  i ? "format" : "id");
		path = get_events_file(name);
		file = path ? fopen(path, "r") : NULL;
		put_events_file(path);
		if (!file)
			return false;
		while (fgets(line, sizeof(line), file)) {
			if (!i)
				found = sscanf(line, "%u", &tracepoints[kind].id) == 1;
			else if (read_offset(line, tracepoints[kind].field,
					     &tracepoints[kind].offset))
				found = true;
			else if (tracepoints[kind].field2)
				read_offset(line, tracepoints[kind].field2,
					    &tracepoints[kind].offset2);
		}
		fclose(file);
		if (!found)
			return false;
		found = false;
	}
	return true;
}

static const char *open_ring(struct ring *ring)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_TRACEPOINT,
		.size = sizeof(attr),
		.sample_period = 1,
		.sample_type = PERF_SAMPLE_TIME | PERF_SAMPLE_CPU | PERF_SAMPLE_RAW,
		.read_format = PERF_FORMAT_LOST,
		.use_clockid = 1,
		.clockid = CLOCK_MONOTONIC,
		.disabled = 1,
	};
	static char reason[128];
	int kind;

	for (kind = 0; kind < NR_KINDS; kind++) {
		if (!tracepoints[kind].id)
			continue;
		attr.config = tracepoints[kind].id;
		ring->fd[kind] = sys_perf_event_open(&attr, -1, ring->cpu, -1,
						     PERF_FLAG_FD_CLOEXEC);
		if (ring->fd[kind] < 0) {
			scnprintf(reason, sizeof(reason), "perf_event_open of %s: %s",
				  tracepoints[kind].name, strerror(errno));
			return reason;
		}
		if (kind) {
			if (ioctl(ring->fd[kind], PERF_EVENT_IOC_SET_OUTPUT, ring->fd[0]))
				return "perf events that cannot share a buffer";
			continue;
		}
		ring->page = mmap(NULL, (1 + RING_PAGES) * page_size, PROT_READ | PROT_WRITE,
				  MAP_SHARED, ring->fd[0], 0);
		if (ring->page == MAP_FAILED) {
			ring->page = NULL;
			return "no memory for the events";
		}
	}
	return NULL;
}

static void close_rings(void)
{
	unsigned int i;
	int kind;

	for (i = 0; i < nr_rings; i++) {
		if (rings[i].page)
			munmap(rings[i].page, (1 + RING_PAGES) * page_size);
		for (kind = 0; kind < NR_KINDS; kind++)
			if (rings[i].fd[kind] >= 0)
				close(rings[i].fd[kind]);
	}
	zfree(&rings);
	nr_rings = 0;
}

static void switch_rings(unsigned long request)
{
	unsigned int i;
	int kind;

	for (i = 0; i < nr_rings; i++)
		for (kind = 0; kind < NR_KINDS; kind++)
			if (rings[i].fd[kind] >= 0)
				ioctl(rings[i].fd[kind], request, 0);
}

const char *tlb_trace_open(const bool *cpus)
{
	const char *reason;
	struct ring *ring;
	int cpu, kind;

	for (kind = 0; kind < NR_KINDS; kind++) {
		if (read_tracepoint(kind))
			continue;
		if (kind < NR_NEEDED)
			return "no tracepoints csd:* that may be read: Linux 6.4, tracefs and root";
		tracepoints[kind].id = 0;
	}

	page_size = sysconf(_SC_PAGESIZE);
	for (cpu = 0; cpu < TLB_MAX_CPUS; cpu++) {
		if (!cpus[cpu])
			continue;
		ring = realloc(rings, (nr_rings + 1) * sizeof(*rings));
		if (!ring) {
			close_rings();
			return "out of memory";
		}
		rings = ring;
		rings[nr_rings] = (struct ring){ .cpu = cpu };
		for (kind = 0; kind < NR_KINDS; kind++)
			rings[nr_rings].fd[kind] = -1;
		reason = open_ring(&rings[nr_rings++]);
		if (reason) {
			close_rings();
			return reason;
		}
	}
	return NULL;
}

void tlb_trace_start(void)
{
	switch_rings(PERF_EVENT_IOC_ENABLE);
}

static u64 count_lost(const struct ring *ring)
{
	struct { u64 value, lost; } count;
	u64 lost = 0;
	int kind;

	for (kind = 0; kind < NR_KINDS; kind++)
		if (ring->fd[kind] >= 0 &&
		    read(ring->fd[kind], &count, sizeof(count)) == sizeof(count))
			lost += count.lost;
	return lost;
}

/* Counts with @event NULL. */
static u64 read_ring(const struct ring *ring, struct event *event)
{
	/* Pairs with the barrier of the kernel before it moves data_head. */
	u64 head = __atomic_load_n(&ring->page->data_head, __ATOMIC_ACQUIRE);
	const char *data = (const char *)ring->page + page_size;
	u64 at, n = 0;

	for (at = 0; at < head; at += ((const struct perf_event_header *)(data + at))->size) {
		const struct sample *sample = (const void *)(data + at);
		unsigned short id;
		int kind;

		if (sample->header.type != PERF_RECORD_SAMPLE)
			continue;
		/* Each tracepoint's data begins with its number. */
		memcpy(&id, sample->raw, sizeof(id));
		for (kind = 0; kind < NR_KINDS; kind++)
			if (tracepoints[kind].id == id)
				break;
		if (kind == NR_KINDS)
			continue;
		if (event) {
			event[n].kind = kind;
			event[n].cpu = sample->cpu;
			event[n].time = sample->time;
			event[n].field = 0;
			memcpy(&event[n].field, sample->raw + tracepoints[kind].offset,
			       kind == FLUSH ? sizeof(int) : sizeof(void *));
			event[n].full = false;
			if (tracepoints[kind].offset2) {
				unsigned long pages;

				memcpy(&pages, sample->raw + tracepoints[kind].offset2,
				       sizeof(pages));
				event[n].full = pages == ULONG_MAX;
			}
		}
		n++;
	}
	return n;
}

static int cmp(u64 a, u64 b)
{
	return a < b ? -1 : a > b;
}

static int cmp_event(const void *a, const void *b)
{
	const struct event *x = a, *y = b;

	return cmp(x->field, y->field) ?: cmp(x->time, y->time) ?: cmp(x->kind, y->kind);
}

static int cmp_request(const void *a, const void *b)
{
	const struct request *x = a, *y = b;

	return cmp(x->cpu, y->cpu) ?: cmp(x->queue, y->queue);
}

static int cmp_call(const void *a, const void *b)
{
	const struct tlb_call *x = a, *y = b;

	return cmp(x->cpu, y->cpu) ?: cmp(x->start, y->start);
}

/* Each csd serves one request after the other. */
static u64 pair(const struct event *event, u64 n, struct request *request)
{
	struct request now = { 0 };
	u64 i, nr = 0;

	for (i = 0; i < n; i++) {
		if (!i || event[i].field != event[i - 1].field || event[i].kind == QUEUE)
			now = (struct request){ 0 };
		if (event[i].kind == QUEUE) {
			now.cpu = event[i].cpu;
			now.queue = event[i].time;
		} else if (event[i].kind == ENTRY) {
			now.entry = event[i].time;
		} else if (event[i].kind == EXIT) {
			now.exit = event[i].time;
			if (now.queue && now.entry)
				request[nr++] = now;
		}
	}
	return nr;
}

static bool in_call(const struct event *event, const struct tlb_call *calls, u64 nr_calls)
{
	struct tlb_call key = { .cpu = event->cpu, .start = event->time };
	u64 low = 0, high = nr_calls;

	/* The last call of that CPU that began before */
	while (low < high) {
		u64 middle = low + (high - low) / 2;

		if (cmp_call(&calls[middle], &key) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low && calls[low - 1].cpu == event->cpu && event->time <= calls[low - 1].end;
}

/* Windows that a call has opened, and what was flushed on any CPU. */
static void windows(const struct event *event, u64 n, const struct tlb_call *calls,
		    u64 nr_calls, u64 *window, struct tlb_trace *trace)
{
	u64 i, j;

	for (i = 0; i < n; i++) {
		unsigned int inner = 0;

		if (event[i].kind == FLUSH && event[i].field < TLB_NR_REASONS) {
			trace->flushes[event[i].field]++;
			trace->full[event[i].field] += event[i].full;
		}
		if (event[i].kind != OPEN || !in_call(&event[i], calls, nr_calls))
			continue;
		/* Those of an mm follow each other by time. */
		for (j = i + 1; j < n && event[j].field == event[i].field; j++) {
			if (event[j].cpu != event[i].cpu)
				continue;
			if (event[j].kind == OPEN)
				inner++;
			else if (event[j].kind == CLOSE && !inner--)
				break;
		}
		if (j < n && event[j].field == event[i].field)
			window[trace->windows++] = event[j].time - event[i].time;
	}
	tlb_summarize(window, trace->windows, &trace->window);
}

/* Attribute the requests to the calls, both in order. */
static void measure(struct request *request, u64 nr, const struct tlb_call *calls, u64 nr_calls,
		    u64 *scratch, struct tlb_trace *trace)
{
	u64 *wait = scratch, *queued = scratch + nr, *function = scratch + 2 * nr;
	u64 call, i = 0, n = 0;

	for (call = 0; call < nr_calls; call++) {
		const struct tlb_call *c = &calls[call];
		u64 first = 0, last = 0;

		while (i < nr && (request[i].cpu < c->cpu ||
				  (request[i].cpu == c->cpu && request[i].queue < c->start)))
			i++;
		for (; i < nr && request[i].cpu == c->cpu && request[i].queue <= c->end; i++) {
			first = first ?: request[i].queue;
			last = max(last, request[i].exit);
			queued[n] = request[i].entry - request[i].queue;
			function[n++] = request[i].exit - request[i].entry;
		}
		if (first)
			wait[trace->shootdowns++] = last - first;
	}
	tlb_summarize(wait, trace->shootdowns, &trace->wait);
	tlb_summarize(queued, n, &trace->queued);
	tlb_summarize(function, n, &trace->function);
}

void tlb_trace_stop(const struct tlb_call *calls, u64 nr_calls, struct tlb_trace *trace)
{
	struct request *request = NULL;
	struct tlb_call *sorted = NULL;
	struct event *event = NULL;
	u64 *scratch = NULL;
	u64 n = 0;
	unsigned int i;

	switch_rings(PERF_EVENT_IOC_DISABLE);
	memset(trace, 0, sizeof(*trace));
	for (i = 0; i < nr_rings; i++) {
		n += read_ring(&rings[i], NULL);
		trace->lost += count_lost(&rings[i]);
	}
	event = calloc(n + 1, sizeof(*event));
	request = calloc(n + 1, sizeof(*request));
	scratch = calloc(3 * n + 1, sizeof(*scratch));
	sorted = calloc(nr_calls + 1, sizeof(*sorted));
	if (event && request && scratch && sorted) {
		for (i = 0, n = 0; i < nr_rings; i++)
			n += read_ring(&rings[i], event + n);
		qsort(event, n, sizeof(*event), cmp_event);
		memcpy(sorted, calls, nr_calls * sizeof(*sorted));
		qsort(sorted, nr_calls, sizeof(*sorted), cmp_call);
		windows(event, n, sorted, nr_calls, scratch, trace);
		trace->has_flushes = tracepoints[FLUSH].id;
		n = pair(event, n, request);
		qsort(request, n, sizeof(*request), cmp_request);
		measure(request, n, sorted, nr_calls, scratch, trace);
	}
	free(sorted);
	free(scratch);
	free(request);
	free(event);
	close_rings();
}
