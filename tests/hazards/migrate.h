/* SPDX-License-Identifier: GPL-2.0 */
/* Memory that moves between two nodes, which is A; B comes in between. */
#ifndef MIGRATE_H
#define MIGRATE_H

#include <sys/types.h>

#include "hazard.h"

#define MIGRATE_PAGES	512		/* at most, in one call */

/* Of process @pid, 0: this one. False if no page has come to @node. */
bool migrate_pages(pid_t pid, volatile char *mem, int pages, int node);

extern volatile char *migrate_mem;	/* MIGRATE_PAGES of it */
bool migrate(int node);

void migrate_a(void);
/* For B: wait until some page has a migration entry. */
void migrate_meets(void);
enum outcome migrate_judge(void);

#endif
