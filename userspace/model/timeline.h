/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_MODEL_TIMELINE_H
#define LAB_MODEL_TIMELINE_H

/*
 * timeline - the spans of all tasks that are in one state, by start; where
 * starts are equal by CPU, then by end, then by birth number. The spans of each task are in order
 * already: this merges them, and nothing is copied.
 */

#include "model/model.h"

/* What is left of one task. */
struct timeline_head {
	const struct model_span *at, *end;
	const struct model_task *task;
};

struct timeline {
	struct timeline_head *heap;	/* the next span first */
	size_t cnt;
	enum span_state state;
};

/* @m: borrowed until timeline_release() */
void timeline_init(struct timeline *l, const struct model *m, enum span_state state);

/* Return: the next span, and whose it is in *@task; NULL at the end. */
const struct model_span *timeline_next(struct timeline *l, const struct model_task **task);

void timeline_release(struct timeline *l);

#endif /* LAB_MODEL_TIMELINE_H */
