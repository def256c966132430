/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * build_turns - the spans of all tasks in order of time, from the order in which
 * records ended the spans before them.
 */

#include <stdlib.h>
#include <string.h>

#include "model/build.h"
#include "model/timeline.h"
#include "util/alloc.h"

void turn_note(struct model_builder *b, uint32_t idx, uint64_t ts_ns)
{
	if (ts_ns < b->turn_ns) {
		vec_add(b->late_turns, b->late_turn_cnt, b->late_turn_cap,
			(struct late_turn){ ts_ns, idx });
		return;
	}
	vec_add(b->turns, b->turn_cnt, b->turn_cap, idx);
	b->turn_ns = ts_ns;
}

static int late_cmp(const void *a, const void *b)
{
	const struct late_turn *x = a, *y = b;

	return (x->at_ns > y->at_ns) - (x->at_ns < y->at_ns);
}

/* What is left of each task, and of both lists of turns. */
struct merge {
	const struct model_span **at, **end;	/* by index */
	const uint32_t *turns, *turns_end;
	const struct late_turn *late, *late_end;
};

/*
 * Those at the ends of spans before the window are left out; each task's first span has no turn
 * yet.
 */
static void merge_begin(struct merge *g, struct model_builder *b, const uint32_t *place,
			size_t gone)
{
	size_t late = 0;

	for (size_t i = 0; i < b->late_turn_cnt; i++) {
		if (b->late_turns[i].at_ns > b->m.start_ns)
			b->late_turns[late++] = b->late_turns[i];
		else
			gone--;
	}
	b->late_turn_cnt = late;
	g->at = xcalloc(b->task_cnt, sizeof(*g->at));
	g->end = xcalloc(b->task_cnt, sizeof(*g->end));
	for (size_t i = 0; i < b->task_cnt; i++) {
		const struct model_task *t = &b->m.tasks[place[i]];

		g->at[i] = t->spans;
		g->end[i] = t->spans + t->span_cnt;
		if (t->span_cnt)
			vec_add(b->late_turns, b->late_turn_cnt, b->late_turn_cap,
				(struct late_turn){ t->spans->start_ns, (uint32_t)i });
	}
	if (b->late_turn_cnt)
		qsort(b->late_turns, b->late_turn_cnt, sizeof(*b->late_turns), late_cmp);
	g->turns = b->turns + gone;
	g->turns_end = b->turns + b->turn_cnt;
	g->late = b->late_turns;
	g->late_end = b->late_turns + b->late_turn_cnt;
}

/*
 * Return: the next span, of the task *@idx; NULL at the end. Turns beyond a task's last span are
 * void.
 */
static const struct model_span *merge_next(struct merge *g, uint32_t *idx)
{
	for (;;) {
		uint64_t at_ns = UINT64_MAX;

		while (g->turns < g->turns_end && g->at[*g->turns] == g->end[*g->turns])
			g->turns++;
		if (g->turns < g->turns_end)
			at_ns = g->at[*g->turns]->start_ns;
		if (g->late < g->late_end && g->late->at_ns <= at_ns) {
			*idx = g->late++->task;
			if (g->at[*idx] == g->end[*idx])
				continue;
		} else if (g->turns < g->turns_end) {
			*idx = *g->turns++;
		} else {
			return NULL;
		}
		return g->at[*idx]++;
	}
}

/* A span among those that begin when it does. */
struct peer {
	const struct model_span *span;
	uint32_t place;
};

static int peer_cmp(const void *a, const void *b)
{
	const struct peer *x = a, *y = b;

	if (x->span->cpu != y->span->cpu)
		return x->span->cpu < y->span->cpu ? -1 : 1;
	if (x->span->end_ns != y->span->end_ns)
		return x->span->end_ns < y->span->end_ns ? -1 : 1;
	return (x->place > y->place) - (x->place < y->place);
}

void turns_finish(struct model_builder *b, const uint32_t *place, size_t gone)
{
	struct peer *peers = NULL;
	size_t peer_cnt = 0, peer_cap = 0;
	struct model *m = &b->m;
	struct merge merge = { 0 };
	const struct model_span *span;
	uint32_t *out, idx = 0;

	merge_begin(&merge, b, place, gone);
	out = m->turns = xreallocarray(NULL, m->span_cnt, sizeof(*m->turns));
	do {
		span = merge_next(&merge, &idx);
		if (peer_cnt && (!span || span->start_ns != peers->span->start_ns)) {
			if (peer_cnt > 1)
				qsort(peers, peer_cnt, sizeof(*peers), peer_cmp);
			for (size_t i = 0; i < peer_cnt; i++)
				*out++ = timeline_turn(peers[i].place, peers[i].span);
			peer_cnt = 0;
		}
		if (span)
			vec_add(peers, peer_cnt, peer_cap, (struct peer){ span, place[idx] });
	} while (span);
	free(peers);
	free(merge.at);
	free(merge.end);
}
