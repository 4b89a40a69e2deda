/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A makes the victim's page non-present and has not flushed; clear_refs(4) comes in
 * between. What the victim stores after it has returned has to be soft-dirty.
 *
 * Whatever clear_refs flushes, x86 flushes all then. So two other processes do both, and
 * nothing but the victim writes meanwhile: to this page, and to a huge one of hugetlbfs,
 * which clear_refs passes over.
 */
#ifndef CLEARED_H
#define CLEARED_H

#include <sys/types.h>

#include "hazard.h"

/* The @page is the victim's alone; @act(parent) is A, in a process of its own. */
const char *cleared_setup(volatile unsigned long *page, void (*act)(pid_t parent));

/* Instead of hz_main(); the rest of struct hazard is the same for all. */
int cleared_main(const char *name, const char *(*setup)(void), void (*prepare)(void),
		 int argc, char **argv);

#endif
