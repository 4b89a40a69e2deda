/* SPDX-License-Identifier: GPL-2.0 */
/* Memory that moves between two nodes. */
#ifndef MIGRATE_H
#define MIGRATE_H

#include <stdbool.h>

#define MIGRATE_PAGES	512		/* at most, in one call */

/* False if no page has come to @node. */
bool migrate(volatile char *mem, int pages, int node);

/* Does some page have a migration entry? Those are no present ones. */
bool migrating(volatile char *mem, int pages);

#endif
