/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_MODEL_TIMELINE_H
#define LAB_MODEL_TIMELINE_H

/*
 * timeline - the spans of all tasks in order: by start; where starts are equal by CPU, then by end,
 * then by birth number. model.turns says for each span in this order whose it is and in which
 * state: nothing is sorted, no span is copied, and those in other states are not even looked at.
 */

#include <stdlib.h>

#include "model/model.h"
#include "util/alloc.h"

#define TIMELINE_STATE_SHIFT 30	/* below it a turn has the index of the task */

/* What model.turns has for a span of the task with this index. */
static inline uint32_t timeline_turn(uint32_t task_idx, const struct model_span *span)
{
	return (uint32_t)span->state << TIMELINE_STATE_SHIFT | task_idx;
}

struct timeline {
	const struct model *m;
	const struct model_span **next;	/* of each task, by index */
	size_t turn;
};

/* @m: borrowed until timeline_release() */
static inline void timeline_init(struct timeline *l, const struct model *m)
{
	*l = (struct timeline){ .m = m, .next = xcalloc(m->task_cnt, sizeof(*l->next)) };
	for (size_t i = 0; i < m->task_cnt; i++)
		l->next[i] = m->tasks[i].spans;
}

/*
 * Return: the next span, and the index of its task in *@task_idx; NULL at the end. The span before
 * it of the same task ends where it begins.
 */
static inline const struct model_span *timeline_step(struct timeline *l, uint32_t *task_idx)
{
	if (l->turn == l->m->span_cnt)
		return NULL;
	*task_idx = l->m->turns[l->turn++] & ((1u << TIMELINE_STATE_SHIFT) - 1);
	return l->next[*task_idx]++;
}

/* Return: the next span in this state, and whose it is in *@task; NULL at the end. */
static inline const struct model_span *timeline_next(struct timeline *l, enum span_state state,
						     const struct model_task **task)
{
	while (l->turn < l->m->span_cnt) {
		bool found = l->m->turns[l->turn] >> TIMELINE_STATE_SHIFT == state;
		uint32_t idx = 0;
		const struct model_span *span = timeline_step(l, &idx);

		*task = &l->m->tasks[idx];
		if (found)
			return span;
	}
	return NULL;
}

static inline void timeline_release(struct timeline *l)
{
	free(l->next);
	*l = (struct timeline){ 0 };
}

#endif /* LAB_MODEL_TIMELINE_H */
