/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * capacity - where P x T went, and what each task's share of the busy time is.
 *
 * One sweep over the CPUs' segments, the tasks' spans, and what bounds these (where each task may
 * run, and when a quota holds it back), merged by time. The CPU's segments say who has a CPU. Spans
 * say only who else wanted one.
 */
#include <stdlib.h>

#include "analyze/apportion.h"
#include "analyze/blame.h"
#include "analyze/capacity.h"
#include "analyze/cpusets.h"
#include "analyze/heap.h"
#include "analyze/placing.h"
#include "analyze/report.h"
#include "model/timeline.h"
#include "util/alloc.h"
#include "util/minmax.h"

/* What a row of a source is. */
enum row_kind { ROW_SEG, ROW_HOLD, ROW_ALLOWED };

/* Rows of a CPU or a task, in time order. Spans are not among them: the timeline has them. */
struct source {
	enum row_kind kind;
	uint32_t of;		/* index into model.cpus or model.tasks */
	bool inside;		/* of the row before next */
	size_t next, end;	/* those not yet begun */
};

struct sweep {
	const struct model *m;
	struct report_capacity *c;
	struct timeline timeline;	/* when tasks change */
	struct heap ends;		/* when tasks end */
	struct heap turns;		/* when sources change */
	struct source *sources;
	size_t source_cnt;
	uint64_t now_ns;

	struct cpusets sets;
	struct placing placing;
	bool sets_known;
	uint16_t *cpu_idx;		/* [number]: 1 + index into model.cpus, 0: not usable */
	size_t cpu_idx_cnt, cpu_idx_cap;
	uint64_t held;			/* tasks */
	uint64_t lost;			/* tasks of which records are missing */
	struct blame blame;

	/*
	 * A clock that advances by 1/k while k tasks run: a task's bottle is what this clock shows
	 * of the task's stays.
	 */
	unsigned __int128 bottle_clock;
	uint64_t bottle_at_ns;
	uint64_t running;		/* tasks, as spans tell */
	uint64_t busy_ns;
	unsigned __int128 *bottles;	/* task_cnt */
};

/* ---- from one instant to the next ---- */

/* Of 128 bits only where it must be. */
static unsigned __int128 divide(unsigned __int128 a, uint64_t b)
{
	return a >> 64 ? a / b : (uint64_t)a / b;
}

/* The CPUs that other programs had and no ready task could have used: as if they had been idle. */
static void account_other(struct sweep *s, const struct placing_parts *p, uint64_t cpus,
			  uint64_t blocked, uint64_t ns)
{
	struct capacity_other *o = &s->c->other;

	o->throttled_ns += ns * p->other_throttled;
	o->affinity_ns += ns * p->other_affinity;
	o->no_thread_ns += ns * (cpus - blocked);
}

/* Nothing changes from now until @at_ns. */
static void account(struct sweep *s, uint64_t at_ns)
{
	const uint64_t *class_cnt = s->placing.class_cnt;
	struct report_capacity *c = s->c;
	uint64_t ns = at_ns - s->now_ns, rest, other, blocked, other_blocked;
	struct placing_parts p;

	if (!ns)
		return;
	if (s->lost) {	/* what the other CPUs could have done is not known */
		c->work_ns += ns * class_cnt[LAB_CPU_OURS];
		c->other_ns += ns * class_cnt[LAB_CPU_FOREIGN];
		c->other.unknown_ns += ns * class_cnt[LAB_CPU_FOREIGN];
		c->unknown_ns += ns * (class_cnt[LAB_CPU_IDLE] + class_cnt[LAB_CPU_UNKNOWN]);
		s->now_ns = at_ns;
		return;
	}
	placing_parts(&s->placing, &p);
	placing_last(&s->placing, &p, ns);
	blocked = rest = class_cnt[LAB_CPU_IDLE] - p.unplaced;
	other_blocked = other = class_cnt[LAB_CPU_FOREIGN] - p.interference - p.other_throttled -
				p.other_affinity;
	blame_last(&s->blame, ns, s->running || s->placing.ready_cnt, &blocked, &other_blocked);
	c->work_ns += ns * class_cnt[LAB_CPU_OURS];
	c->unplaced_ns += ns * p.unplaced;
	c->latency_ns += ns * p.latency;
	c->affinity_ns += ns * p.affinity;
	c->throttled_ns += ns * p.throttled;
	c->balancing_ns += ns * p.balancing;
	c->interference_ns += ns * p.interference;
	c->other_ns += ns * (class_cnt[LAB_CPU_FOREIGN] - p.interference);
	c->unknown_ns += ns * class_cnt[LAB_CPU_UNKNOWN];
	c->no_thread_ns += ns * (rest - blocked);
	c->held_ns += s->held ? ns : 0;
	account_other(s, &p, other, other_blocked, ns);
	s->now_ns = at_ns;
}

/* ---- what begins and ends ---- */

static void bottle_change(struct sweep *s, unsigned __int128 *bottle, int step)
{
	uint64_t ns = s->now_ns - s->bottle_at_ns;

	if (s->running) {
		s->bottle_clock += divide((unsigned __int128)ns << APPORTION_SHIFT, s->running);
		s->busy_ns += ns;
	}
	s->bottle_at_ns = s->now_ns;
	s->running += (uint64_t)(int64_t)step;
	*bottle += step > 0 ? -s->bottle_clock : s->bottle_clock;
}

static void span_change(struct sweep *s, uint32_t task, const struct model_span *span, int step)
{
	if (span->state == SPAN_RUNNING) {
		bottle_change(s, &s->bottles[task], step);
	} else if (span->state == SPAN_READY) {
		uint16_t idx = span->cpu < s->cpu_idx_cnt ? s->cpu_idx[span->cpu] : 0;

		if (step > 0)
			placing_ready(&s->placing, task, idx ? idx - 1u : PLACING_NOWHERE);
		else
			placing_not_ready(&s->placing, task);
	} else if (span->state == SPAN_UNKNOWN) {
		s->lost += (uint64_t)(int64_t)step;
	}
}

/* Row @at of a source begins (@step 1) or ends (-1). */
static void row_change(struct sweep *s, const struct source *src, size_t at, int step)
{
	const struct model *m = s->m;

	switch (src->kind) {
	case ROW_SEG:
		placing_class(&s->placing, src->of, step > 0 ?
			      (enum lab_cpu_class)m->cpu_segs[at].class : LAB_CPU_UNKNOWN);
		break;
	case ROW_HOLD:
		s->held += (uint64_t)(int64_t)step;
		placing_hold(&s->placing, src->of, step > 0);
		break;
	case ROW_ALLOWED:
		if (step > 0)
			placing_allow(&s->placing, src->of, s->sets.of[m->allowed[at].set]);
		break;
	}
}

static uint64_t start_of(const struct model *m, const struct source *src, size_t at)
{
	switch (src->kind) {
	case ROW_SEG: return m->cpu_segs[at].start_ns;
	case ROW_HOLD: return m->holds[at].start_ns;
	default: return m->allowed[at].from_ns;
	}
}

static uint64_t end_of(const struct model *m, const struct source *src, size_t at)
{
	switch (src->kind) {
	case ROW_SEG: return m->cpu_segs[at].end_ns;
	case ROW_HOLD: return m->holds[at].end_ns;
	default: return at + 1 < src->end ? m->allowed[at + 1].from_ns : UINT64_MAX;
	}
}

static void source_step(struct sweep *s, size_t i)
{
	struct source *src = &s->sources[i];
	bool more = src->next < src->end;
	bool adjoins = more && start_of(s->m, src, src->next) <= s->now_ns;

	/* A CPU goes from one class to another at once. */
	if (src->inside && !(adjoins && src->kind == ROW_SEG))
		row_change(s, src, src->next - 1, -1);
	src->inside = false;
	if (!more)
		return;
	if (!adjoins) {
		heap_push(&s->turns, start_of(s->m, src, src->next), i);
		return;
	}
	row_change(s, src, src->next, +1);
	src->inside = true;
	heap_push(&s->turns, end_of(s->m, src, src->next++), i);
}

/* A task goes on to @span from the one before. */
static void task_step(struct sweep *s, uint32_t task, const struct model_span *span)
{
	if (span != s->m->tasks[task].spans)
		span_change(s, task, span - 1, -1);
	span_change(s, task, span, +1);
	blame_span(&s->blame, task, span);
}

static void task_end(struct sweep *s, uint32_t task)
{
	const struct model_task *t = &s->m->tasks[task];

	span_change(s, task, &t->spans[t->span_cnt - 1], -1);
	blame_span(&s->blame, task, NULL);
}

/* ---- the sweep ---- */

static void add_source(struct sweep *s, enum row_kind kind, size_t of, size_t first, size_t cnt)
{
	if (!cnt)
		return;
	s->sources[s->source_cnt] = (struct source){
		.kind = kind, .of = (uint32_t)of, .next = first, .end = first + cnt,
	};
	heap_push(&s->turns, s->m->start_ns, s->source_cnt++);
}

static void add_sources(struct sweep *s)
{
	const struct model *m = s->m;

	s->sources = xcalloc(m->cpu_cnt + 2 * m->task_cnt, sizeof(*s->sources));
	for (size_t i = 0; i < m->cpu_cnt; i++)
		add_source(s, ROW_SEG, i, m->cpus[i].seg_first, m->cpus[i].seg_cnt);
	for (size_t i = 0; i < m->task_cnt; i++) {
		const struct model_task *t = &m->tasks[i];

		/* Whoever may use every CPU throughout needs no row for it. */
		if (s->sets_known && s->sets.cnt)
			add_source(s, ROW_ALLOWED, i, t->allowed_first, t->allowed_cnt);
		if (m->holds_known)
			add_source(s, ROW_HOLD, i, t->hold_first, t->hold_cnt);
		if (t->span_cnt)
			heap_push(&s->ends, t->spans[t->span_cnt - 1].end_ns, i);
	}
}

static void sweep_init(struct sweep *s, const struct model *m, struct report *r)
{
	*s = (struct sweep){
		.m = m, .c = &r->capacity, .now_ns = m->start_ns, .bottle_at_ns = m->start_ns,
	};
	blame_init(&s->blame, m, r);
	timeline_init(&s->timeline, m);
	s->bottles = xcalloc(m->task_cnt + 1, sizeof(*s->bottles));
	for (size_t i = 0; i < m->cpu_cnt; i++) {
		while (s->cpu_idx_cnt <= m->cpus[i].cpu)
			vec_push(s->cpu_idx, s->cpu_idx_cnt, s->cpu_idx_cap);
		s->cpu_idx[m->cpus[i].cpu] = (uint16_t)(i + 1);
	}
	s->sets_known = cpusets_init(&s->sets, m);
	placing_init(&s->placing, m, &s->sets, m->holds_known && m->hold_cnt);
	add_sources(s);
}

static void sweep_release(struct sweep *s)
{
	blame_release(&s->blame);
	placing_release(&s->placing);
	cpusets_release(&s->sets);
	timeline_release(&s->timeline);
	free(s->turns.v);
	free(s->ends.v);
	free(s->sources);
	free(s->cpu_idx);
	free(s->bottles);
}

/* All but the tasks' turns, until @until_ns. */
static void heaps_run(struct sweep *s, uint64_t until_ns)
{
	for (;;) {
		uint64_t turn_ns = s->turns.cnt ? s->turns.v[0].key : UINT64_MAX;
		uint64_t end_ns = s->ends.cnt ? s->ends.v[0].key : UINT64_MAX;
		uint64_t at_ns = min_u64(turn_ns, end_ns);

		if (at_ns > until_ns)
			return;
		account(s, max_u64(at_ns, s->now_ns));
		if (turn_ns == at_ns)
			source_step(s, heap_pop(&s->turns).value);
		else
			task_end(s, (uint32_t)heap_pop(&s->ends).value);
	}
}

static void sweep_run(struct sweep *s)
{
	const struct model_span *span;
	uint32_t task;

	while ((span = timeline_step(&s->timeline, &task)) && span->start_ns <= s->m->end_ns) {
		heaps_run(s, span->start_ns);
		account(s, max_u64(span->start_ns, s->now_ns));
		task_step(s, task, span);
	}
	heaps_run(s, s->m->end_ns);
	account(s, s->m->end_ns);
}

/* What was computed as if it were known, and is not, stays together. */
static void unplaced_divide(struct sweep *s)
{
	struct report_capacity *c = s->c;

	c->affinity_known = s->sets_known;
	c->throttled_known = s->m->holds_known && (s->sets_known || !s->m->hold_cnt);
	c->latency_known = s->m->holds_known;
	if (!c->affinity_known)
		c->affinity_ns = 0;
	if (!c->throttled_known)
		c->throttled_ns = c->held_ns = 0;
	if (!c->latency_known)
		c->latency_ns = 0;
	if (!c->affinity_known || !c->throttled_known)
		c->balancing_ns = 0;
	if (!c->affinity_known || !c->throttled_known) {
		c->other.undivided_ns = c->other.affinity_ns + c->other.throttled_ns;
		c->other.affinity_ns = c->other.throttled_ns = 0;
	}
	c->undivided_ns = c->unplaced_ns - c->affinity_ns - c->throttled_ns - c->latency_ns -
			  c->balancing_ns;
}

static void pinned_find(struct sweep *s)
{
	struct report_capacity *c = s->c;
	const struct cpusets *sets = &s->sets;
	size_t best = 0, cells = s->placing.pinned_ns ? (size_t)sets->cnt * sets->cpu_cnt : 0;

	for (size_t i = 1; i < cells; i++)
		if (s->placing.pinned_ns[i] > s->placing.pinned_ns[best])
			best = i;
	if (!cells || !s->placing.pinned_ns[best])
		return;
	c->pinned_ns = s->placing.pinned_ns[best];
	c->pinned_idle_cpu = s->m->cpus[best % sets->cpu_cnt].cpu;
	for (uint32_t i = 0; i < sets->cpu_cnt; i++)
		if (cpusets_allow(sets, (uint32_t)(best / sets->cpu_cnt), i))
			c->pinned_to[c->pinned_to_cnt++] = s->m->cpus[i].cpu;
}

static void capacity_fill(struct sweep *s)
{
	blame_finish(&s->blame, s->c->blocked_ns, s->c->other.blocked_ns);
	unplaced_divide(s);
	pinned_find(s);
}

static void capacity_run(const struct model *m, struct report *r)
{
	struct report_capacity *c = &r->capacity;
	uint64_t *heights = xcalloc(m->task_cnt + 1, sizeof(*heights));
	struct sweep s;

	sweep_init(&s, m, r);
	sweep_run(&s);
	apportion(s.bottles, m->task_cnt, s.busy_ns, heights);
	for (size_t i = 0; i < m->task_cnt; i++)
		r->tasks[i].bottle_ns = heights[i];
	free(heights);
	c->known = !__builtin_mul_overflow(m->end_ns - m->start_ns, m->cpu_cnt, &c->total_ns);
	if (c->known)
		capacity_fill(&s);
	else
		*c = (struct report_capacity){ 0 };
	sweep_release(&s);
}

const struct analysis analysis_capacity = { .name = "capacity", .run = capacity_run };
