/* SPDX-License-Identifier: GPL-2.0-only */
#include "unit.h"

#include "workload/due_heap.h"
#include "workload/work.h"

TEST(workload_due_heap_empty)
{
	struct due_heap heap = { 0 };

	CHECK(!due_heap_peek(&heap));
	due_heap_release(&heap);
	due_heap_release(&heap);
	CHECK(!due_heap_peek(&heap));
}

TEST(workload_due_heap_one_instant_in_order_of_idx)
{
	struct due_heap heap = { 0 };

	for (uint32_t i = 0; i < 100; i++)
		due_heap_push(&heap, 5, i * 37 % 100);
	for (uint32_t i = 0; i < 100; i++)
		CHECK_EQ(due_heap_pop(&heap).idx, i);
	due_heap_release(&heap);
}

TEST(workload_due_heap_earliest_first)
{
	struct due_heap heap = { 0 };
	struct work_rng rng;
	size_t pushed = 0, popped = 0;
	uint64_t sum_in = 0, sum_out = 0;

	work_rng_init(&rng, 7, 0);
	/* Two in and one out, later all out: every out is the least of what is in. */
	while (popped < 3000) {
		struct due due;

		for (int i = 0; i < 2 && pushed < 3000; i++, pushed++) {
			uint64_t at_ns = work_random_within(&rng, 0, 500);

			due_heap_push(&heap, at_ns, (uint32_t)pushed);
			sum_in += at_ns * pushed;
		}
		REQUIRE(due_heap_peek(&heap));
		CHECK_EQ(heap.cnt, pushed - popped);
		due = due_heap_pop(&heap);
		for (size_t i = 0; i < heap.cnt; i++)
			REQUIRE(heap.items[i].at_ns > due.at_ns ||
				(heap.items[i].at_ns == due.at_ns && heap.items[i].idx > due.idx));
		sum_out += due.at_ns * due.idx;
		popped++;
	}
	CHECK_EQ(sum_in, sum_out);
	CHECK(!due_heap_peek(&heap));
	due_heap_release(&heap);
}
