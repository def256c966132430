/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * capacity - where P x T went, and what each task's share of the busy time is.
 *
 * One sweep over the CPUs' segments and the tasks' spans, merged by time. Who has
 * a CPU is what the CPU's segments say; spans tell only who else wanted one.
 */
#include <stdlib.h>
#include <string.h>

#include "analyze/apportion.h"
#include "analyze/heap.h"
#include "analyze/report.h"
#include "model/timeline.h"
#include "util/alloc.h"
#include "util/minmax.h"

/* Idle CPUs that are put down to blocked tasks, for as long as that is the same. */
struct stretch {
	uint64_t from_ns;
	uint64_t cpus;			/* 0: none, whoever is blocked */
	uint64_t by_reason[REASON_CNT];	/* tasks blocked */
};

/* A CPU's segments that have not begun. */
struct source {
	size_t next, end;
};

struct cpu_state {
	uint8_t class;		/* enum lab_cpu_class */
	uint64_t awaited;	/* ready tasks that will run here next */
};

struct sweep {
	const struct model *m;
	struct report_capacity *c;
	struct timeline timeline;	/* when tasks change */
	struct heap turns;		/* when CPUs do */
	struct heap ends;		/* when tasks end */
	struct source *sources;		/* cpu_cnt */
	uint64_t now_ns;

	struct cpu_state *cpus;
	uint16_t *cpu_idx;		/* [number]: 1 + index into cpus, 0: not usable */
	uint64_t class_cnt[4];		/* CPUs by class */
	uint64_t placeable;		/* idle CPUs that are awaited */
	uint64_t ready, blocked;	/* tasks */
	uint64_t by_reason[REASON_CNT];
	bool by_reason_moved;		/* since the stretch began */
	struct stretch stretch;
	unsigned __int128 shares[REASON_CNT];
	uint64_t blocked_ns;		/* all reasons */

	/* A clock that advances by 1/k while k tasks run: a bottle is what it shows of a task's stays. */
	unsigned __int128 bottle_clock;
	uint64_t bottle_at_ns;
	uint64_t running;		/* tasks, as spans tell */
	uint64_t busy_ns;
	unsigned __int128 *bottles;	/* task_cnt */
};

/* ---- blocked: shares of idle CPUs ---- */

/* Of 128 bits only where it must be. */
static unsigned __int128 divide(unsigned __int128 a, uint64_t b)
{
	return a >> 64 ? a / b : (uint64_t)a / b;
}

static void stretch_close(struct sweep *s)
{
	const struct stretch *st = &s->stretch;
	unsigned __int128 cpu_ns = (unsigned __int128)(s->now_ns - st->from_ns) * st->cpus;
	uint64_t tasks = 0;

	if (!st->cpus)
		return;
	for (int k = 0; k < REASON_CNT; k++)
		tasks += st->by_reason[k];
	/* cpu_ns x by_reason / tasks, in two steps that cannot overflow. */
	for (int k = 0; k < REASON_CNT; k++) {
		if (st->by_reason[k])
			s->shares[k] += (divide(cpu_ns, tasks) * st->by_reason[k] << APPORTION_SHIFT) +
					divide(cpu_ns % tasks * st->by_reason[k] << APPORTION_SHIFT, tasks);
	}
}

static void stretch_follow(struct sweep *s, uint64_t cpus)
{
	struct stretch *st = &s->stretch;

	if (cpus == st->cpus && (!cpus || !s->by_reason_moved ||
				 !memcmp(st->by_reason, s->by_reason, sizeof(st->by_reason))))
		return;
	stretch_close(s);
	st->from_ns = s->now_ns;
	st->cpus = cpus;
	memcpy(st->by_reason, s->by_reason, sizeof(st->by_reason));
	s->by_reason_moved = false;
}

/* Nothing changes from now until @at_ns. */
static void account(struct sweep *s, uint64_t at_ns)
{
	struct report_capacity *c = s->c;
	uint64_t ns = at_ns - s->now_ns, idle = s->class_cnt[LAB_CPU_IDLE];
	uint64_t foreign = s->class_cnt[LAB_CPU_FOREIGN];
	uint64_t unplaced = min_u64(idle, s->ready);
	uint64_t interference = min_u64(foreign, s->ready - unplaced);
	uint64_t rest = idle - unplaced, blocked = min_u64(rest, s->blocked);

	if (!ns)
		return;
	c->work_ns += ns * s->class_cnt[LAB_CPU_OURS];
	c->unplaced_ns += ns * unplaced;
	c->latency_ns += ns * s->placeable;
	c->interference_ns += ns * interference;
	c->other_ns += ns * (foreign - interference);
	c->unknown_ns += ns * s->class_cnt[LAB_CPU_UNKNOWN];
	c->no_thread_ns += ns * (rest - blocked);
	s->blocked_ns += ns * blocked;
	stretch_follow(s, blocked);
	s->now_ns = at_ns;
}

/* ---- what begins and ends ---- */

static bool is_placeable(const struct cpu_state *cpu)
{
	return cpu->class == LAB_CPU_IDLE && cpu->awaited;
}

static void cpu_change(struct sweep *s, struct cpu_state *cpu, uint8_t class, int awaited)
{
	s->placeable -= is_placeable(cpu);
	s->class_cnt[cpu->class]--;
	cpu->class = class;
	cpu->awaited += (uint64_t)(int64_t)awaited;
	s->class_cnt[cpu->class]++;
	s->placeable += is_placeable(cpu);
}

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

static void span_change(struct sweep *s, size_t task, const struct model_span *span, int step)
{
	uint64_t one = (uint64_t)(int64_t)step;

	if (span->state == SPAN_RUNNING) {
		bottle_change(s, &s->bottles[task], step);
	} else if (span->state == SPAN_READY) {
		uint16_t idx = s->cpu_idx[span->cpu];

		s->ready += one;
		if (idx)
			cpu_change(s, &s->cpus[idx - 1], s->cpus[idx - 1].class, step);
	} else {
		s->blocked += one;
		s->by_reason[span->reason] += one;
		s->by_reason_moved = true;
	}
}

/* A CPU goes on to its next segment, or has none left. */
static void cpu_step(struct sweep *s, size_t cpu)
{
	const struct model_cpu_seg *segs = s->m->cpu_segs;
	struct source *src = &s->sources[cpu];

	if (src->next == src->end) {
		cpu_change(s, &s->cpus[cpu], LAB_CPU_UNKNOWN, 0);
		return;
	}
	if (segs[src->next].start_ns > s->now_ns) {
		cpu_change(s, &s->cpus[cpu], LAB_CPU_UNKNOWN, 0);
		heap_push(&s->turns, segs[src->next].start_ns, cpu);
		return;
	}
	cpu_change(s, &s->cpus[cpu], segs[src->next].class, 0);
	heap_push(&s->turns, segs[src->next++].end_ns, cpu);
}

/* A task goes on to @span from the one before. */
static void task_step(struct sweep *s, size_t task, const struct model_span *span)
{
	if (span != s->m->tasks[task].spans)
		span_change(s, task, span - 1, -1);
	span_change(s, task, span, +1);
}

static void task_end(struct sweep *s, size_t task)
{
	const struct model_task *t = &s->m->tasks[task];

	span_change(s, task, &t->spans[t->span_cnt - 1], -1);
}

/* ---- the sweep ---- */

static void sweep_init(struct sweep *s, const struct model *m, struct report_capacity *c)
{
	*s = (struct sweep){ .m = m, .c = c, .now_ns = m->start_ns, .bottle_at_ns = m->start_ns };
	timeline_init(&s->timeline, m);
	s->sources = xcalloc(m->cpu_cnt + 1, sizeof(*s->sources));
	s->cpus = xcalloc(m->cpu_cnt + 1, sizeof(*s->cpus));
	s->cpu_idx = xcalloc(UINT16_MAX + 1, sizeof(*s->cpu_idx));
	s->bottles = xcalloc(m->task_cnt + 1, sizeof(*s->bottles));
	s->class_cnt[LAB_CPU_UNKNOWN] = m->cpu_cnt;
	for (size_t i = 0; i < m->cpu_cnt; i++) {
		s->cpu_idx[m->cpus[i].cpu] = (uint16_t)(i + 1);
		s->sources[i].next = m->cpus[i].seg_first;
		s->sources[i].end = m->cpus[i].seg_first + m->cpus[i].seg_cnt;
		heap_push(&s->turns, m->start_ns, i);
	}
	for (size_t i = 0; i < m->task_cnt; i++)
		if (m->tasks[i].span_cnt)
			heap_push(&s->ends, m->tasks[i].spans[m->tasks[i].span_cnt - 1].end_ns, i);
}

static void sweep_release(struct sweep *s)
{
	timeline_release(&s->timeline);
	free(s->turns.v);
	free(s->ends.v);
	free(s->sources);
	free(s->cpus);
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
			cpu_step(s, heap_pop(&s->turns).value);
		else
			task_end(s, heap_pop(&s->ends).value);
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
	stretch_close(s);
}

/* ---- the largest loss ---- */

static void loss_consider(struct report_capacity *c, enum capacity_loss loss, enum reason reason,
			  uint64_t ns)
{
	if (ns <= c->largest_ns)
		return;
	c->largest = loss;
	c->largest_reason = reason;
	c->largest_ns = ns;
}

static void loss_find(struct report_capacity *c)
{
	loss_consider(c, LOSS_LATENCY, REASON_NONE, c->latency_ns);
	loss_consider(c, LOSS_UNDIVIDED, REASON_NONE, c->undivided_ns);
	loss_consider(c, LOSS_INTERFERENCE, REASON_NONE, c->interference_ns);
	loss_consider(c, LOSS_OTHER, REASON_NONE, c->other_ns);
	loss_consider(c, LOSS_UNKNOWN, REASON_NONE, c->unknown_ns);
	for (int k = 0; k < REASON_CNT; k++)
		loss_consider(c, LOSS_BLOCKED, (enum reason)k, c->blocked_ns[k]);
	loss_consider(c, LOSS_NO_THREAD, REASON_NONE, c->no_thread_ns);
}

static void capacity_fill(struct sweep *s)
{
	struct report_capacity *c = s->c;

	apportion(s->shares, REASON_CNT, s->blocked_ns, c->blocked_ns);
	c->latency_known = !s->m->meta.quota_milli_cpus;
	if (!c->latency_known)
		c->latency_ns = 0;
	c->undivided_ns = c->unplaced_ns - c->latency_ns;
	loss_find(c);
}

static void capacity_run(const struct model *m, struct report *r)
{
	struct report_capacity *c = &r->capacity;
	uint64_t *heights = xcalloc(m->task_cnt + 1, sizeof(*heights));
	struct sweep s;

	sweep_init(&s, m, c);
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
