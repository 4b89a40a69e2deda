/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Two threads that discard the same memory: H2, H14 for what is pmd_none() by
 * then, H11 and H15 for what has a PTE table by then.
 */
#ifndef ZAP_H
#define ZAP_H

#include "hazard.h"

const char *zap_setup(enum kind kind, bool refill);
void zap_prepare(void);
void zap_victim(void);
void zap_a(void);
void zap_reclaim(void);			/* instead of A */
void zap_b(void);

#endif
