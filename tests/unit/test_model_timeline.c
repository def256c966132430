/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdlib.h>

#include "model/timeline.h"
#include "unit.h"

#define SPANS_MAX 400

static uint64_t draw(uint64_t *seed, uint64_t below)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (*seed >> 33) % below;
}

static int order_cmp(const void *a, const void *b)
{
	const struct model_span *x = *(const struct model_span *const *)a;
	const struct model_span *y = *(const struct model_span *const *)b;

	if (x->start_ns != y->start_ns)
		return x->start_ns < y->start_ns ? -1 : 1;
	if (x->cpu != y->cpu)
		return x->cpu < y->cpu ? -1 : 1;
	if (x->end_ns != y->end_ns)
		return x->end_ns < y->end_ns ? -1 : 1;
	return x < y ? -1 : x > y;	/* spans stand in the order of their tasks */
}

TEST(model_timeline_is_what_sorting_gives)
{
	for (uint64_t seed = 1; seed <= 200; seed++) {
		struct model_span spans[SPANS_MAX] = { 0 };
		const struct model_span *want[SPANS_MAX], *span;
		struct model_task tasks[20] = { 0 };
		struct model m = { .tasks = tasks, .spans = spans };
		uint64_t state = seed;
		const struct model_task *task;
		struct timeline timeline;
		size_t want_cnt = 0, got = 0;

		for (m.task_cnt = 0; m.task_cnt < draw(&state, 20); m.task_cnt++) {
			struct model_task *t = &tasks[m.task_cnt];
			uint64_t at_ns = draw(&state, 9);

			t->span_first = m.span_cnt;
			for (t->span_cnt = draw(&state, 20); m.span_cnt < t->span_first + t->span_cnt;) {
				struct model_span *s = &spans[m.span_cnt++];

				s->start_ns = at_ns;
				s->end_ns = at_ns += 1 + draw(&state, 3);
				s->state = (uint8_t)draw(&state, 3);
				s->cpu = (uint16_t)draw(&state, 2);
				if (s->state == SPAN_READY)
					want[want_cnt++] = s;
			}
		}
		qsort(want, want_cnt, sizeof(*want), order_cmp);
		timeline_init(&timeline, &m, SPAN_READY);
		while ((span = timeline_next(&timeline, &task))) {
			CHECK(got < want_cnt && span == want[got]);
			CHECK((size_t)(span - spans) - task->span_first < task->span_cnt);
			got++;
		}
		CHECK_EQ(got, want_cnt);
		timeline_release(&timeline);
	}
}
