/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_WORKLOAD_DUE_HEAP_H
#define LAB_WORKLOAD_DUE_HEAP_H

/*
 * due_heap - what is to be done when: a binary heap, the earliest on top.
 * Entries of one instant come out in the order of their idx. A zeroed heap is
 * empty and valid.
 */

#include <stddef.h>
#include <stdint.h>

struct due {
	uint64_t at_ns;
	uint32_t idx;		/* the caller's */
};

struct due_heap {
	struct due *items;
	size_t cnt, cap;
};

/* Dies when out of memory. */
void due_heap_push(struct due_heap *heap, uint64_t at_ns, uint32_t idx);

/* The earliest, borrowed until the next push or pop; NULL when empty. */
const struct due *due_heap_peek(const struct due_heap *heap);

/* Remove and return the earliest; the heap must not be empty. */
struct due due_heap_pop(struct due_heap *heap);

void due_heap_release(struct due_heap *heap);

#endif /* LAB_WORKLOAD_DUE_HEAP_H */
