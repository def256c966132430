/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_WORKLOAD_RANKS_H
#define LAB_WORKLOAD_RANKS_H

/* ranks - medians and the like of what a workload measured itself. */

#include <stddef.h>
#include <stdint.h>

/* Ascending. */
void ranks_sort(uint64_t *v, size_t cnt);

/* The smallest of @sorted that @permille of them do not exceed; 0 if there is none. */
uint64_t ranks_at(const uint64_t *sorted, size_t cnt, uint32_t permille);

#endif /* LAB_WORKLOAD_RANKS_H */
