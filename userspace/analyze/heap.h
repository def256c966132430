/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_ANALYZE_HEAP_H
#define LAB_ANALYZE_HEAP_H

/* heap - a queue that gives the smallest key first; equal keys in no order. */

#include <stddef.h>
#include <stdint.h>

struct heap_item {
	uint64_t key;
	size_t value;
};

/* All zero: empty. v[0] is the smallest, the others are in no order. free(v) releases it. */
struct heap {
	struct heap_item *v;
	size_t cnt, cap;
};

void heap_push(struct heap *h, uint64_t key, size_t value);

/* The heap must not be empty. */
struct heap_item heap_pop(struct heap *h);

#endif /* LAB_ANALYZE_HEAP_H */
