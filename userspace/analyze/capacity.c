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
#include "util/alloc.h"
#include "util/minmax.h"

/* Idle CPUs that are put down to blocked tasks, for as long as that is the same. */
struct stretch {
	uint64_t from_ns;
	uint64_t cpus;			/* 0: none, whoever is blocked */
	uint64_t by_reason[REASON_CNT];	/* tasks blocked */
};

/* Segments or spans in time order: first the CPUs, then the tasks. */
struct source {
	size_t next, end;	/* those not yet begun */
	bool inside;		/* of the one before next */
};

struct cpu_state {
	uint8_t class;		/* enum lab_cpu_class */
	uint64_t awaited;	/* ready tasks that will run here next */
};

struct sweep {
	const struct model *m;
	struct report_capacity *c;
	struct heap heap;		/* sources, by when they change */
	struct source *sources;		/* cpu_cnt + task_cnt */
	uint64_t now_ns;

	struct cpu_state *cpus;
	uint16_t *cpu_idx;		/* [number]: 1 + index into cpus, 0: not usable */
	uint64_t class_cnt[4];		/* CPUs by class */
	uint64_t placeable;		/* idle CPUs that are awaited */
	uint64_t ready, blocked;	/* tasks */
	uint64_t by_reason[REASON_CNT];
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

static void stretch_close(struct sweep *s)
{
	const struct stretch *st = &s->stretch;
	unsigned __int128 cpu_ns = (unsigned __int128)(s->now_ns - st->from_ns) * st->cpus;
	uint64_t tasks = 0;

	for (int k = 0; k < REASON_CNT; k++)
		tasks += st->by_reason[k];
	if (!st->cpus || !tasks)
		return;
	/* cpu_ns x by_reason / tasks, in two steps that cannot overflow. */
	for (int k = 0; k < REASON_CNT; k++)
		s->shares[k] += (cpu_ns / tasks * st->by_reason[k] << APPORTION_SHIFT) +
				(cpu_ns % tasks * st->by_reason[k] << APPORTION_SHIFT) / tasks;
}

static void stretch_follow(struct sweep *s, uint64_t cpus)
{
	struct stretch *st = &s->stretch;

	if (cpus == st->cpus &&
	    (!cpus || !memcmp(st->by_reason, s->by_reason, sizeof(st->by_reason))))
		return;
	stretch_close(s);
	st->from_ns = s->now_ns;
	st->cpus = cpus;
	memcpy(st->by_reason, s->by_reason, sizeof(st->by_reason));
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
		s->bottle_clock += ((unsigned __int128)ns << APPORTION_SHIFT) / s->running;
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
	}
}

/* What source @i has at its index @at begins (@step 1) or ends (-1). */
static void source_change(struct sweep *s, size_t i, size_t at, int step)
{
	if (i < s->m->cpu_cnt)
		cpu_change(s, &s->cpus[i],
			   step > 0 ? s->m->cpu_segs[at].class : LAB_CPU_UNKNOWN, 0);
	else
		span_change(s, i - s->m->cpu_cnt, &s->m->spans[at], step);
}

static uint64_t start_of(const struct sweep *s, size_t i, size_t at)
{
	return i < s->m->cpu_cnt ? s->m->cpu_segs[at].start_ns : s->m->spans[at].start_ns;
}

static uint64_t end_of(const struct sweep *s, size_t i, size_t at)
{
	return i < s->m->cpu_cnt ? s->m->cpu_segs[at].end_ns : s->m->spans[at].end_ns;
}

static void source_step(struct sweep *s, size_t i)
{
	struct source *src = &s->sources[i];

	if (src->inside)
		source_change(s, i, src->next - 1, -1);
	src->inside = false;
	if (src->next == src->end)
		return;
	if (start_of(s, i, src->next) > s->now_ns) {
		heap_push(&s->heap, start_of(s, i, src->next), i);
		return;
	}
	source_change(s, i, src->next, +1);
	src->inside = true;
	heap_push(&s->heap, end_of(s, i, src->next++), i);
}

/* ---- the sweep ---- */

static void sweep_init(struct sweep *s, const struct model *m, struct report_capacity *c)
{
	size_t cnt = m->cpu_cnt + m->task_cnt;

	*s = (struct sweep){ .m = m, .c = c, .now_ns = m->start_ns, .bottle_at_ns = m->start_ns };
	s->sources = xcalloc(cnt + 1, sizeof(*s->sources));
	s->cpus = xcalloc(m->cpu_cnt + 1, sizeof(*s->cpus));
	s->cpu_idx = xcalloc(UINT16_MAX + 1, sizeof(*s->cpu_idx));
	s->bottles = xcalloc(m->task_cnt + 1, sizeof(*s->bottles));
	s->class_cnt[LAB_CPU_UNKNOWN] = m->cpu_cnt;
	for (size_t i = 0; i < m->cpu_cnt; i++) {
		s->cpu_idx[m->cpus[i].cpu] = (uint16_t)(i + 1);
		s->sources[i].next = m->cpus[i].seg_first;
		s->sources[i].end = m->cpus[i].seg_first + m->cpus[i].seg_cnt;
	}
	for (size_t i = 0; i < m->task_cnt; i++) {
		s->sources[m->cpu_cnt + i].next = m->tasks[i].span_first;
		s->sources[m->cpu_cnt + i].end = m->tasks[i].span_first + m->tasks[i].span_cnt;
	}
	for (size_t i = 0; i < cnt; i++)
		heap_push(&s->heap, m->start_ns, i);
}

static void sweep_release(struct sweep *s)
{
	free(s->heap.v);
	free(s->sources);
	free(s->cpus);
	free(s->cpu_idx);
	free(s->bottles);
}

static void sweep_run(struct sweep *s)
{
	while (s->heap.cnt && s->heap.v[0].key <= s->m->end_ns) {
		struct heap_item item = heap_pop(&s->heap);

		account(s, max_u64(item.key, s->now_ns));
		source_step(s, item.value);
	}
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
