/* SPDX-License-Identifier: GPL-2.0-only */
#include "oracle.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "unit.h"
#include "util/alloc.h"

#define FAILURES_SHOWN 8	/* of one schedule */

void oracle_failed(struct oracle *o, const char *file, int line, const char *fmt, ...)
{
	char text[400];
	va_list ap;

	if (o->failures++ >= FAILURES_SHOWN)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	unit_failed(file, line, "seed %" PRIu64 ": %s", o->s->opt.seed, text);
}

/* ---- moments ---- */

struct instants {
	uint64_t *v;
	size_t cnt, cap;
};

static void instants_add(struct instants *in, uint64_t start_ns, uint64_t end_ns)
{
	*vec_push(in->v, in->cnt, in->cap) = start_ns;
	*vec_push(in->v, in->cnt, in->cap) = end_ns;
}

static int u64_cmp(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void instants_collect(const struct truth *t, struct instants *in)
{
	instants_add(in, t->start_ns, t->end_ns);
	for (size_t i = 0; i < t->task_cnt; i++)
		for (size_t j = 0; j < t->tasks[i].span_cnt; j++)
			instants_add(in, t->tasks[i].spans[j].start_ns,
				     t->tasks[i].spans[j].end_ns);
	for (size_t i = 0; i < t->cpu_cnt; i++)
		for (size_t j = 0; j < t->cpus[i].seg_cnt; j++)
			instants_add(in, t->cpus[i].segs[j].start_ns, t->cpus[i].segs[j].end_ns);
	for (size_t i = 0; i < t->bound_cnt; i++)
		if (t->bounds[i].from_ns > t->start_ns && t->bounds[i].from_ns < t->end_ns)
			instants_add(in, t->bounds[i].from_ns, t->bounds[i].from_ns);
	for (size_t i = 0; i < t->op_cnt; i++)
		instants_add(in, t->ops[i].start_ns, t->ops[i].end_ns);
	qsort(in->v, in->cnt, sizeof(*in->v), u64_cmp);
}

/* Spans and segments are in order of time: each place is looked for from the last one on. */
static void moment_fill(const struct truth *t, struct moment *at, size_t *span, size_t *seg)
{
	at->spans = xcalloc(t->task_cnt + 1, sizeof(*at->spans));
	at->segs = xcalloc(t->cpu_cnt + 1, sizeof(*at->segs));
	for (size_t i = 0; i < t->task_cnt; i++) {
		const struct truth_task *task = &t->tasks[i];

		while (span[i] < task->span_cnt && task->spans[span[i]].end_ns <= at->start_ns)
			span[i]++;
		if (span[i] < task->span_cnt && task->spans[span[i]].start_ns <= at->start_ns)
			at->spans[i] = &task->spans[span[i]];
	}
	for (size_t i = 0; i < t->cpu_cnt; i++) {
		const struct truth_cpu *cpu = &t->cpus[i];

		while (seg[i] < cpu->seg_cnt && cpu->segs[seg[i]].end_ns <= at->start_ns)
			seg[i]++;
		if (seg[i] < cpu->seg_cnt && cpu->segs[seg[i]].start_ns <= at->start_ns)
			at->segs[i] = &cpu->segs[seg[i]];
	}
}

void oracle_init(struct oracle *o)
{
	const struct truth *t = o->t;
	size_t *span = xcalloc(t->task_cnt + 1, sizeof(*span));
	size_t *seg = xcalloc(t->cpu_cnt + 1, sizeof(*seg));
	struct instants in = { 0 };

	instants_collect(t, &in);
	o->moments = xcalloc(in.cnt, sizeof(*o->moments));
	for (size_t i = 0; i + 1 < in.cnt; i++) {
		struct moment *at = &o->moments[o->moment_cnt];

		if (in.v[i] == in.v[i + 1])
			continue;
		at->start_ns = in.v[i];
		at->ns = in.v[i + 1] - in.v[i];
		moment_fill(t, at, span, seg);
		o->moment_cnt++;
	}
	free(in.v);
	free(span);
	free(seg);
}

void oracle_release(struct oracle *o)
{
	for (size_t i = 0; i < o->moment_cnt; i++) {
		free(o->moments[i].spans);
		free(o->moments[i].segs);
	}
	free(o->moments);
}

unsigned int moment_count(const struct oracle *o, const struct moment *at, enum span_state state)
{
	unsigned int cnt = 0;

	for (size_t i = 0; i < o->t->task_cnt; i++)
		cnt += moment_is(at, i, state);
	return cnt;
}
