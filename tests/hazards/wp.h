/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Two trackers that write-protect the same memory: H1, and H12 for huge pages.
 */
#ifndef WP_H
#define WP_H

#include <linux/userfaultfd.h>

#include "hazard.h"

/* @soft_dirty: A does so by clear_refs(4). */
const char *wp_setup(enum kind kind, bool soft_dirty);
void wp_prepare(void);
void wp_victim(void);
void wp_a(void);
void wp_b(void);

#endif
