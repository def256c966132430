/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_ANALYZE_HEAP_H
#define LAB_ANALYZE_HEAP_H

/* heap - a queue that gives the smallest key first; equal keys in no order. */

#include <stddef.h>
#include <stdint.h>

#include "util/alloc.h"

struct heap_item {
	uint64_t key;
	size_t value;
};

/* All zero: empty. v[0] is the smallest, the others are in no order. free(v) releases it. */
struct heap {
	struct heap_item *v;
	size_t cnt, cap;
};

static inline void heap_push(struct heap *h, uint64_t key, size_t value)
{
	size_t i = h->cnt;

	vec_add(h->v, h->cnt, h->cap, (struct heap_item){ key, value });
	while (i && h->v[(i - 1) / 2].key > key) {
		h->v[i] = h->v[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	h->v[i] = (struct heap_item){ key, value };
}

/* The heap must not be empty. */
static inline struct heap_item heap_pop(struct heap *h)
{
	struct heap_item top = h->v[0], last = h->v[--h->cnt];
	size_t i = 0;

	for (;;) {
		size_t child = 2 * i + 1;

		if (child + 1 < h->cnt && h->v[child + 1].key < h->v[child].key)
			child++;
		if (child >= h->cnt || h->v[child].key >= last.key)
			break;
		h->v[i] = h->v[child];
		i = child;
	}
	if (h->cnt)
		h->v[i] = last;
	return top;
}

#endif /* LAB_ANALYZE_HEAP_H */
