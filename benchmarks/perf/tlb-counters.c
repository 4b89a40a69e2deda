// SPDX-License-Identifier: GPL-2.0
/*
 * What the kernel counts: interrupts of /proc/interrupts, TLB flushes and what
 * causes them of /proc/vmstat.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/kernel.h>

#include "tlb-lib.h"

#define NR_IRQS	2

/* The first two by their descriptions in /proc/interrupts, others as in vmstat */
const char * const tlb_counter_keys[TLB_NR_COUNTERS] = {
	"int_call",
	"int_tlb",
	"nr_tlb_remote_flush",
	"nr_tlb_remote_flush_received",
	"nr_tlb_local_flush_all",
	"nr_tlb_local_flush_one",
	"nr_tlb_tlbi",
	"nr_tlb_tlbi_asid",
	"nr_tlb_dsb",
	"tlb_gen_open",
	"tlb_gen_mark",
	"tlb_gen_inherit",
	"tlb_gen_settle",
	"pswpout",
	"numa_pte_updates",
	"numa_hint_faults",
	"pgfault",
	"pgmigrate_success",
};

static const char * const irq_names[NR_IRQS] = {
	"Function call interrupts",
	"TLB shootdowns",
};

static FILE *interrupts, *vmstat;

void tlb_counters_open(void)
{
	interrupts = fopen("/proc/interrupts", "r");
	vmstat = fopen("/proc/vmstat", "r");
}

void tlb_counters_close(void)
{
	if (vmstat)
		fclose(vmstat);
	if (interrupts)
		fclose(interrupts);
}

static void read_interrupts(s64 *value, const bool *cpus)
{
	static int column[TLB_MAX_CPUS];
	static char *line;
	static size_t len;
	int nr_columns = 0, i;
	unsigned int c;
	char *p, *end;

	rewind(interrupts);
	if (getline(&line, &len, interrupts) < 0)
		return;
	for (p = line; nr_columns < TLB_MAX_CPUS && (p = strstr(p, "CPU")); p = end)
		column[nr_columns++] = strtol(p + strlen("CPU"), &end, 10);

	while (getline(&line, &len, interrupts) > 0) {
		for (c = 0; c < NR_IRQS; c++)
			if (strstr(line, irq_names[c]))
				break;
		p = strchr(line, ':');
		if (c == NR_IRQS || !p)
			continue;
		value[c] = 0;
		for (i = 0, p++; i < nr_columns; i++, p = end) {
			u64 n = strtoull(p, &end, 10);

			if (end == p)
				break;
			if (column[i] < TLB_MAX_CPUS && cpus[column[i]])
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
		for (c = NR_IRQS; c < TLB_NR_COUNTERS; c++)
			if (!strcmp(line, tlb_counter_keys[c]))
				value[c] = strtoll(p + 1, NULL, 10);
	}
}

void tlb_counters_read(s64 *value, const bool *cpus)
{
	unsigned int c;

	for (c = 0; c < TLB_NR_COUNTERS; c++)
		value[c] = TLB_MISSING;
	if (interrupts)
		read_interrupts(value, cpus);
	if (vmstat)
		read_vmstat(value);
}

s64 tlb_counter(const s64 *value, const char *key)
{
	unsigned int c;

	for (c = 0; c < TLB_NR_COUNTERS; c++)
		if (!strcmp(tlb_counter_keys[c], key))
			return value[c];
	return TLB_MISSING;
}

/* Where a kernel has the counters of both, those of the other architecture stay 0. */
s64 tlb_count_flushes(const s64 *value)
{
	s64 shootdowns = tlb_counter(value, "nr_tlb_remote_flush");
	s64 waits = tlb_counter(value, "nr_tlb_dsb");

	if (shootdowns == TLB_MISSING)
		return waits;
	return waits == TLB_MISSING ? shootdowns : shootdowns + waits;
}
