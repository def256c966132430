/* SPDX-License-Identifier: GPL-2.0-only */
#include "model/timeline.h"

#include <stdlib.h>

#include "util/alloc.h"

static bool head_before(const struct timeline_head *x, const struct timeline_head *y)
{
	if (x->at->start_ns != y->at->start_ns)
		return x->at->start_ns < y->at->start_ns;
	if (x->at->cpu != y->at->cpu)
		return x->at->cpu < y->at->cpu;
	if (x->at->end_ns != y->at->end_ns)
		return x->at->end_ns < y->at->end_ns;
	return x->task < y->task;
}

static void sift_down(struct timeline *l, size_t i)
{
	struct timeline_head head = l->heap[i];

	for (;;) {
		size_t child = 2 * i + 1;

		if (child + 1 < l->cnt && head_before(&l->heap[child + 1], &l->heap[child]))
			child++;
		if (child >= l->cnt || !head_before(&l->heap[child], &head))
			break;
		l->heap[i] = l->heap[child];
		i = child;
	}
	l->heap[i] = head;
}

/* Skip what is in another state. False: nothing is left. */
static bool head_settle(struct timeline_head *head, enum span_state state)
{
	while (head->at < head->end && head->at->state != state)
		head->at++;
	return head->at < head->end;
}

void timeline_init(struct timeline *l, const struct model *m, enum span_state state)
{
	*l = (struct timeline){ .state = state };
	l->heap = xcalloc(m->task_cnt, sizeof(*l->heap));
	for (size_t i = 0; i < m->task_cnt; i++) {
		const struct model_task *t = &m->tasks[i];
		struct timeline_head *head = &l->heap[l->cnt];

		if (!t->span_cnt)
			continue;
		head->task = t;
		head->at = &m->spans[t->span_first];
		head->end = head->at + t->span_cnt;
		l->cnt += head_settle(head, state);
	}
	for (size_t i = l->cnt / 2; i > 0; i--)
		sift_down(l, i - 1);
}

const struct model_span *timeline_next(struct timeline *l, const struct model_task **task)
{
	const struct model_span *span;

	if (!l->cnt)
		return NULL;
	span = l->heap[0].at++;
	*task = l->heap[0].task;
	if (!head_settle(&l->heap[0], l->state))
		l->heap[0] = l->heap[--l->cnt];
	if (l->cnt)
		sift_down(l, 0);
	return span;
}

void timeline_release(struct timeline *l)
{
	free(l->heap);
	*l = (struct timeline){ 0 };
}
