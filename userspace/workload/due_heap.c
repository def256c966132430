/* SPDX-License-Identifier: GPL-2.0-only */
#include "workload/due_heap.h"

#include <stdbool.h>
#include <stdlib.h>

#include "util/alloc.h"

static bool earlier(const struct due *a, const struct due *b)
{
	return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->idx < b->idx;
}

void due_heap_push(struct due_heap *heap, uint64_t at_ns, uint32_t idx)
{
	struct due due = { .at_ns = at_ns, .idx = idx };
	size_t hole = heap->cnt;

	(void)vec_push(heap->items, heap->cnt, heap->cap);
	while (hole && earlier(&due, &heap->items[(hole - 1) / 2])) {
		heap->items[hole] = heap->items[(hole - 1) / 2];
		hole = (hole - 1) / 2;
	}
	heap->items[hole] = due;
}

const struct due *due_heap_peek(const struct due_heap *heap)
{
	return heap->cnt ? &heap->items[0] : NULL;
}

struct due due_heap_pop(struct due_heap *heap)
{
	struct due top = heap->items[0];
	struct due last = heap->items[--heap->cnt];
	size_t hole = 0;

	for (size_t child = 1; child < heap->cnt; child = 2 * hole + 1) {
		if (child + 1 < heap->cnt &&
		    earlier(&heap->items[child + 1], &heap->items[child]))
			child++;
		if (!earlier(&heap->items[child], &last))
			break;
		heap->items[hole] = heap->items[child];
		hole = child;
	}
	heap->items[hole] = last;
	return top;
}

void due_heap_release(struct due_heap *heap)
{
	free(heap->items);
	*heap = (struct due_heap){ 0 };
}
