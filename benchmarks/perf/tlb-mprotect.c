// SPDX-License-Identifier: GPL-2.0
/*
 * tlb/mprotect: a range which the victims read is made read-only, then
 * writable again. Revoking the write permission must not return before every
 * CPU has dropped its writable entries; granting it back need not wait for
 * anyone, but a kernel may flush all the same.
 */
#include <sys/mman.h>

#include "bench.h"
#include "tlb.h"

int tlb_mprotect_step(unsigned int step, void *addr, size_t size)
{
	return mprotect(addr, size, step ? PROT_READ | PROT_WRITE : PROT_READ);
}

static const struct tlb_bench mprotect_bench = {
	.name		= "mprotect",
	.op		= "mprotect() to read-only, then mprotect() back to read-write (two calls)",
	.nr_steps	= 2,
	.step_name	= { "ro", "rw" },
	.step		= tlb_mprotect_step,
};

int bench_tlb_mprotect(int argc, const char **argv)
{
	return bench_tlb(&mprotect_bench, argc, argv);
}
