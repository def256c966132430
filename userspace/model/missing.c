/* SPDX-License-Identifier: GPL-2.0-only */
#include "model/missing.h"

#include <stdlib.h>
#include <string.h>

#include "model/timeline.h"
#include "util/alloc.h"
#include "util/minmax.h"

#define CUTS_ALWAYS 65536u	/* see gaps_thin_out() */
#define CUTS_PER_SPAN 4u
#define APART_FIRST_NS 1000u
#define APART_STEP 8u

/* Gaps in order of time. No two of them overlap. */
struct gap_list {
	struct model_gap *v;
	size_t cnt;
};

/* A stretch of time in pieces: the records of a piece are there, or they are missing. */
struct pieces {
	const struct model_gap *gap, *gaps_end;
	uint64_t at_ns, end_ns;
};

static struct pieces pieces_of(const struct gap_list *gaps, uint64_t start_ns, uint64_t end_ns)
{
	size_t low = 0, high = gaps->cnt;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (gaps->v[mid].until_ns <= start_ns)
			low = mid + 1;
		else
			high = mid;
	}
	return (struct pieces){ gaps->v + low, gaps->v + gaps->cnt, start_ns, end_ns };
}

static bool pieces_next(struct pieces *p, uint64_t *start_ns, uint64_t *end_ns, bool *missing)
{
	if (p->at_ns >= p->end_ns)
		return false;
	while (p->gap < p->gaps_end && p->gap->until_ns <= p->at_ns)
		p->gap++;
	*start_ns = p->at_ns;
	*end_ns = p->end_ns;
	*missing = p->gap < p->gaps_end && p->gap->from_ns <= p->at_ns;
	if (p->gap < p->gaps_end)
		*end_ns = min_u64(p->end_ns, *missing ? p->gap->until_ns : p->gap->from_ns);
	p->at_ns = *end_ns;
	return true;
}

static int gap_cmp(const void *a, const void *b)
{
	const struct model_gap *x = a, *y = b;

	return (x->from_ns > y->from_ns) - (x->from_ns < y->from_ns);
}

/* The gaps of all CPUs together; the caller frees the list's array. */
static struct gap_list gaps_of_any(const struct model *m)
{
	struct model_gap *v = xcalloc(m->gap_cnt, sizeof(*v));
	size_t cnt = 0;

	memcpy(v, m->gaps, m->gap_cnt * sizeof(*v));
	qsort(v, m->gap_cnt, sizeof(*v), gap_cmp);
	for (size_t i = 0; i < m->gap_cnt; i++) {
		if (cnt && v[i].from_ns <= v[cnt - 1].until_ns)
			v[cnt - 1].until_ns = max_u64(v[cnt - 1].until_ns, v[i].until_ns);
		else
			v[cnt++] = v[i];
	}
	return (struct gap_list){ v, cnt };
}

/* How many pieces more than spans the tasks would have: a gap cuts all who wait meanwhile. */
static uint64_t cuts_of_waits(const struct model *m, const struct gap_list *any)
{
	uint64_t cuts = 0;

	for (size_t i = 0; i < m->task_cnt; i++) {
		const struct model_task *t = &m->tasks[i];

		for (size_t k = 0; k < t->span_cnt; k++) {
			const struct model_span *s = &t->spans[k];

			if (s->state != SPAN_RUNNING)
				cuts += 2 * (size_t)(pieces_of(any, s->end_ns, s->end_ns).gap -
						     pieces_of(any, s->start_ns, s->end_ns).gap);
		}
	}
	return cuts;
}

/*
 * Many tasks that wait through many gaps would be cut into more pieces than there is memory for.
 * Then gaps that are near each other become one: less is known, and nothing that is not.
 */
static void gaps_thin_out(const struct model *m, struct gap_list *any)
{
	struct model_gap *v = any->v;
	uint64_t apart_ns = APART_FIRST_NS;

	while (any->cnt > 1 && cuts_of_waits(m, any) > CUTS_ALWAYS + CUTS_PER_SPAN * m->span_cnt) {
		size_t cnt = 1;

		for (size_t i = 1; i < any->cnt; i++) {
			if (v[i].from_ns - v[cnt - 1].until_ns <= apart_ns)
				v[cnt - 1].until_ns = v[i].until_ns;
			else
				v[cnt++] = v[i];
		}
		any->cnt = cnt;
		apart_ns *= APART_STEP;
	}
}

/* The gaps of each CPU, which are together in the model; the caller frees the array. */
static struct gap_list *gaps_by_cpu(const struct model *m)
{
	struct gap_list *lists = xcalloc(UINT16_MAX + 1, sizeof(*lists));

	for (size_t i = 0; i < m->gap_cnt; i++) {
		struct gap_list *list = &lists[m->gaps[i].cpu];

		if (!list->cnt++)
			list->v = &m->gaps[i];
	}
	return lists;
}

/* ---- tasks ---- */

/* The spans of one task, as they are being written. */
struct spans {
	struct model_span *v;
	size_t cnt, cap;
};

/* A part of @span that is known. What happened at the other side of a loss is not known. */
static void put_known(struct spans *out, const struct model_span *span, uint64_t start_ns,
		      uint64_t end_ns)
{
	struct model_span part = *span;

	part.start_ns = start_ns;
	part.end_ns = end_ns;
	if (start_ns > span->start_ns) {
		part.flags |= SPAN_CUT_START;
		part.flags &= (uint16_t)~(SPAN_HIDDEN_START | SPAN_PREEMPTED | SPAN_YIELDED);
		if (part.state == SPAN_RUNNING)
			part.start_min_ns = start_ns;
	}
	if (end_ns < span->end_ns) {
		part.flags |= SPAN_CUT_END;
		part.flags &= (uint16_t)~SPAN_ENDED;
		if (part.state == SPAN_BLOCKED)
			part.waker_id = part.waker_tid = 0;
	}
	vec_add(out->v, out->cnt, out->cap, part);
}

static void put_unknown(struct spans *out, uint64_t start_ns, uint64_t end_ns)
{
	if (out->cnt && out->v[out->cnt - 1].state == SPAN_UNKNOWN) {
		out->v[out->cnt - 1].end_ns = end_ns;
		return;
	}
	vec_add(out->v, out->cnt, out->cap, (struct model_span){
		.start_ns = start_ns, .end_ns = end_ns, .cpu = UINT16_MAX, .state = SPAN_UNKNOWN,
	});
}

static bool is_cut(const struct gap_list *gaps, uint64_t start_ns, uint64_t end_ns)
{
	struct pieces p = pieces_of(gaps, start_ns, end_ns);

	return p.gap < p.gaps_end && p.gap->from_ns < end_ns;
}

/*
 * Whether it is not known how the task waits in @s, from its start on: the waking that would say it
 * may be missing. It may have come while the task still ran.
 */
static bool is_guess(const struct model_task *t, const struct model_span *s,
		     const struct gap_list *any)
{
	bool unwoken = s->state == SPAN_BLOCKED && s->flags & (SPAN_WOKEN_UNSEEN | SPAN_CUT_END);

	return (s->guess || unwoken) &&
	       is_cut(any, s > t->spans ? s[-1].start_ns : s->start_ns, s->end_ns);
}

/*
 * Whether the task may have run or waited for something else since a loss: nothing says when it
 * took a CPU.
 */
static bool is_vague(const struct model_task *t, const struct model_span *s)
{
	return s->unsure ||
	       (s + 1 < t->spans + t->span_cnt && s[1].flags & SPAN_HIDDEN_START);
}

/*
 * Only a task that ran on a CPU whose records are there is known while those of others are missing.
 * Where switches of the task itself are missing, its waits are not known from the loss on until its
 * next switch-out.
 */
static void split_task(struct model_task *t, const struct gap_list *by_cpu,
		       const struct gap_list *any)
{
	struct spans out = { 0 };
	bool lost = false;

	for (size_t i = 0; i < t->span_cnt; i++) {
		const struct model_span *s = &t->spans[i];
		bool ran = s->state == SPAN_RUNNING, guess = !ran && is_guess(t, s, any), missing;
		struct pieces p = pieces_of(ran ? &by_cpu[s->cpu] : any, s->start_ns, s->end_ns);
		uint64_t start_ns, end_ns;

		lost &= s->unsure;
		while (pieces_next(&p, &start_ns, &end_ns, &missing)) {
			lost |= missing;
			if (missing || guess || (lost && !ran && is_vague(t, s)))
				put_unknown(&out, start_ns, end_ns);
			else
				put_known(&out, s, start_ns, end_ns);
		}
	}
	free(t->spans);
	t->spans = out.v;
	t->span_cnt = out.cnt;
	t->span_cap = out.cap;
}

/* A span, and whose it is. */
struct turn {
	const struct model_span *span;
	uint32_t task;
};

static int turn_cmp(const void *a, const void *b)
{
	const struct turn *x = a, *y = b;

	if (x->span->start_ns != y->span->start_ns)
		return x->span->start_ns < y->span->start_ns ? -1 : 1;
	if (x->span->cpu != y->span->cpu)
		return x->span->cpu < y->span->cpu ? -1 : 1;
	if (x->span->end_ns != y->span->end_ns)
		return x->span->end_ns < y->span->end_ns ? -1 : 1;
	return (x->task > y->task) - (x->task < y->task);
}

static void order_turns(struct model *m)
{
	struct turn *turns;
	size_t cnt = 0;

	m->span_cnt = 0;
	for (size_t i = 0; i < m->task_cnt; i++) {
		m->tasks[i].span_first = m->span_cnt;
		m->span_cnt += m->tasks[i].span_cnt;
	}
	turns = xcalloc(m->span_cnt + 1, sizeof(*turns));
	for (size_t i = 0; i < m->task_cnt; i++)
		for (size_t k = 0; k < m->tasks[i].span_cnt; k++)
			turns[cnt++] = (struct turn){ &m->tasks[i].spans[k], (uint32_t)i };
	qsort(turns, cnt, sizeof(*turns), turn_cmp);
	m->turns = xreallocarray(m->turns, cnt + 1, sizeof(*m->turns));
	for (size_t i = 0; i < cnt; i++)
		m->turns[i] = timeline_turn(turns[i].task, turns[i].span);
	free(turns);
}

/* ---- CPUs ---- */

static void split_cpus(struct model *m, const struct gap_list *by_cpu)
{
	struct model_cpu_seg *v = NULL;
	size_t cnt = 0, cap = 0;

	for (size_t i = 0; i < m->cpu_cnt; i++) {
		struct model_cpu *c = &m->cpus[i];
		size_t first = cnt;

		for (size_t k = 0; k < c->seg_cnt; k++) {
			struct model_cpu_seg part = m->cpu_segs[c->seg_first + k];
			struct pieces p = pieces_of(&by_cpu[c->cpu], part.start_ns, part.end_ns);
			bool missing;

			while (pieces_next(&p, &part.start_ns, &part.end_ns, &missing)) {
				struct model_cpu_seg unknown = {
					.start_ns = part.start_ns, .end_ns = part.end_ns,
					.class = LAB_CPU_UNKNOWN,
				};
				bool goes_on = cnt > first && v[cnt - 1].class == LAB_CPU_UNKNOWN;

				if (missing && goes_on)
					v[cnt - 1].end_ns = part.end_ns;
				else
					vec_add(v, cnt, cap, missing ? unknown : part);
			}
		}
		c->seg_first = first;
		c->seg_cnt = cnt - first;
	}
	free(m->cpu_segs);
	m->cpu_segs = v;
	m->cpu_seg_cnt = cnt;
	m->cpu_seg_cap = cap;
}

void model_hide_missing(struct model *m)
{
	struct gap_list any, *by_cpu;

	if (!m->gap_cnt)
		return;
	any = gaps_of_any(m);
	gaps_thin_out(m, &any);
	by_cpu = gaps_by_cpu(m);
	for (size_t i = 0; i < m->task_cnt; i++)
		split_task(&m->tasks[i], by_cpu, &any);
	split_cpus(m, by_cpu);
	order_turns(m);
	free(by_cpu);
	free(any.v);
}
