/* SPDX-License-Identifier: GPL-2.0-only */
/* concurrency - for how long how many tasks, or operations of event loops, were in progress. */
#include <stdlib.h>

#include "analyze/progress.h"
#include "util/alloc.h"
#include "util/minmax.h"

enum subject { SUBJECT_TASK, SUBJECT_OP, SUBJECT_CNT };

struct edge {
	uint64_t at_ns;
	int8_t step;
	uint8_t subject;
};

struct edges {
	struct edge *v;
	size_t cnt, cap;
};

/* The longest time with two or more of one subject. */
struct longest {
	uint64_t since_ns;	/* of the one that is open */
	bool open;
	uint64_t from_ns, until_ns;
};

static int edge_cmp(const void *a, const void *b)
{
	const struct edge *x = a, *y = b;

	return (x->at_ns > y->at_ns) - (x->at_ns < y->at_ns);
}

static void edges_add(struct edges *edges, const struct stretches *s, enum subject subject)
{
	for (size_t i = 0; i < s->cnt; i++) {
		*vec_push(edges->v, edges->cnt, edges->cap) =
			(struct edge){ s->v[i].start_ns, +1, subject };
		*vec_push(edges->v, edges->cnt, edges->cap) =
			(struct edge){ s->v[i].end_ns, -1, subject };
	}
}

static void longest_follow(struct longest *l, uint32_t level, uint64_t at_ns)
{
	if (level >= 2 && !l->open) {
		l->open = true;
		l->since_ns = at_ns;
	} else if (level < 2 && l->open) {
		l->open = false;
		if (at_ns - l->since_ns > l->until_ns - l->from_ns) {
			l->from_ns = l->since_ns;
			l->until_ns = at_ns;
		}
	}
}

/* All edges of one instant count before time is measured: their order does not matter. */
static void edges_sweep(struct edges *edges, struct report_concurrency *c, struct longest *longest)
{
	uint32_t level[SUBJECT_CNT] = { 0 };

	if (edges->cnt)
		qsort(edges->v, edges->cnt, sizeof(*edges->v), edge_cmp);
	for (size_t i = 0; i < edges->cnt;) {
		uint64_t at_ns = edges->v[i].at_ns, next_ns;

		for (; i < edges->cnt && edges->v[i].at_ns == at_ns; i++)
			level[edges->v[i].subject] += (uint32_t)(int32_t)edges->v[i].step;
		for (int k = 0; k < SUBJECT_CNT; k++)
			longest_follow(&longest[k], level[k], at_ns);
		next_ns = i < edges->cnt ? edges->v[i].at_ns : at_ns;
		if (level[SUBJECT_TASK] || level[SUBJECT_OP])
			c->active_ns += next_ns - at_ns;
		if (level[SUBJECT_TASK] >= 2 || level[SUBJECT_OP] >= 2)
			c->concurrent_ns += next_ns - at_ns;
		c->max_in_progress = (uint32_t)max_u64(c->max_in_progress, level[SUBJECT_TASK]);
		c->max_operations = (uint32_t)max_u64(c->max_operations, level[SUBJECT_OP]);
	}
}

/* The two of longest duration that are in progress at @at_ns; NULL where there is none. */
static void stretches_pick(const struct stretches *s, uint64_t at_ns, const struct stretch *two[2])
{
	two[0] = two[1] = NULL;
	for (size_t i = 0; i < s->cnt; i++) {
		const struct stretch *x = &s->v[i];
		uint64_t ns = x->end_ns - x->start_ns;

		if (at_ns < x->start_ns || at_ns >= x->end_ns)
			continue;
		if (!two[0] || ns > two[0]->end_ns - two[0]->start_ns) {
			two[1] = two[0];
			two[0] = x;
		} else if (!two[1] || ns > two[1]->end_ns - two[1]->start_ns) {
			two[1] = x;
		}
	}
}

static struct witness_part part_of(const struct model *m, const struct stretch *x, bool is_op)
{
	return (struct witness_part){
		.task_id = is_op ? m->ops[x->idx].task_id : m->tasks[x->idx].id,
		.op_id = is_op ? m->ops[x->idx].id : 0,
		.start_ns = x->start_ns,
		.end_ns = x->end_ns,
	};
}

static int part_cmp(const void *a, const void *b)
{
	const struct witness_part *x = a, *y = b;

	if (x->task_id != y->task_id)
		return x->task_id < y->task_id ? -1 : 1;
	return (x->op_id > y->op_id) - (x->op_id < y->op_id);
}

/* The middle of the longest time with two or more, and two of them. */
static void witness_fill(const struct model *m, const struct stretches *by_subject,
			 const struct longest *longest, struct report_concurrency *c)
{
	uint64_t tasks_ns = longest[SUBJECT_TASK].until_ns - longest[SUBJECT_TASK].from_ns;
	uint64_t ops_ns = longest[SUBJECT_OP].until_ns - longest[SUBJECT_OP].from_ns;
	enum subject subject = ops_ns > tasks_ns ? SUBJECT_OP : SUBJECT_TASK;
	const struct longest *l = &longest[subject];
	uint64_t at_ns = l->from_ns + (l->until_ns - l->from_ns) / 2;
	const struct stretch *two[2];

	if (!tasks_ns && !ops_ns)
		return;
	stretches_pick(&by_subject[subject], at_ns, two);
	if (!two[1])
		return;
	c->witness_is_ops = subject == SUBJECT_OP;
	c->witness.from_ns = c->witness.until_ns = at_ns;
	c->witness.part_cnt = 2;
	for (int i = 0; i < 2; i++)
		c->witness.parts[i] = part_of(m, two[i], c->witness_is_ops);
	qsort(c->witness.parts, 2, sizeof(c->witness.parts[0]), part_cmp);
}

static void concurrency_run(const struct model *m, struct report *r)
{
	struct stretches by_subject[SUBJECT_CNT];
	struct longest longest[SUBJECT_CNT] = { 0 };
	struct edges edges = { 0 };

	progress_of_tasks(m, r, &by_subject[SUBJECT_TASK]);
	progress_of_ops(m, &by_subject[SUBJECT_OP]);
	edges_add(&edges, &by_subject[SUBJECT_TASK], SUBJECT_TASK);
	edges_add(&edges, &by_subject[SUBJECT_OP], SUBJECT_OP);
	edges_sweep(&edges, &r->concurrency, longest);
	witness_fill(m, by_subject, longest, &r->concurrency);
	free(edges.v);
	free(by_subject[SUBJECT_TASK].v);
	free(by_subject[SUBJECT_OP].v);
}

const struct analysis analysis_concurrency = { .name = "concurrency", .run = concurrency_run };
