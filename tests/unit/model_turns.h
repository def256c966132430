/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_TESTS_MODEL_TURNS_H
#define LAB_TESTS_MODEL_TURNS_H

/* model_turns - the order in time of the spans of a model that was made by hand, by sorting. */

#include <stdlib.h>

#include "model/timeline.h"
#include "util/alloc.h"

struct model_turn {
	const struct model_span *span;
	uint32_t task_idx;
};

static inline int model_turn_cmp(const void *a, const void *b)
{
	const struct model_turn *x = a, *y = b;

	if (x->span->start_ns != y->span->start_ns)
		return x->span->start_ns < y->span->start_ns ? -1 : 1;
	if (x->span->cpu != y->span->cpu)
		return x->span->cpu < y->span->cpu ? -1 : 1;
	if (x->span->end_ns != y->span->end_ns)
		return x->span->end_ns < y->span->end_ns ? -1 : 1;
	return x->task_idx < y->task_idx ? -1 : x->task_idx > y->task_idx;
}

/* All spans of the model in order; free() them. */
static inline struct model_turn *model_turns_sorted(const struct model *m)
{
	struct model_turn *turns = NULL;
	size_t cnt = 0, cap = 0;

	for (size_t i = 0; i < m->task_cnt; i++)
		for (size_t j = 0; j < m->tasks[i].span_cnt; j++)
			*vec_push(turns, cnt, cap) =
				(struct model_turn){ &m->tasks[i].spans[j], (uint32_t)i };
	if (cnt)
		qsort(turns, cnt, sizeof(*turns), model_turn_cmp);
	return turns;
}

static inline void model_turns_sort(struct model *m)
{
	struct model_turn *turns = model_turns_sorted(m);

	m->span_cnt = 0;
	for (size_t i = 0; i < m->task_cnt; i++) {
		m->tasks[i].span_first = m->span_cnt;
		m->span_cnt += m->tasks[i].span_cnt;
	}
	m->turns = xreallocarray(m->turns, m->span_cnt, sizeof(*m->turns));
	for (size_t i = 0; i < m->span_cnt; i++)
		m->turns[i] = timeline_turn(turns[i].task_idx, turns[i].span);
	free(turns);
}

#endif /* LAB_TESTS_MODEL_TURNS_H */
