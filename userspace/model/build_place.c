/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * build_place - which CPUs tasks may use, which of the waiting ones a quota holds back, and why
 * tasks are moved.
 *
 * By queue (before Linux 6.18) a quota holds back whoever waits on a queue of its group that is
 * throttled; each waiting task is kept in a list of its queue. By task it holds back the one whose
 * switch-out says so, until its queue goes on: only these are in the lists. A task of the deadline
 * class that has used up its own runtime is in none.
 */

#include <stdlib.h>
#include <string.h>

#include "model/build.h"
#include "util/alloc.h"
#include "util/minmax.h"

/* A hundred tasks that wait on one queue make as many holds in a period, of a few records. */
#define HOLDS_PER_EVENT 16
#define HOLDS_ALWAYS 65536

/* ---- what tasks may use ---- */

static void allow(struct model_builder *b, uint32_t idx, uint32_t set, uint64_t ts_ns)
{
	b->tasks[idx].set = set;
	*vec_push(b->m.allowed, b->m.allowed_cnt, b->m.allowed_cap) =
		(struct model_allowed){ ts_ns, b->tasks[idx].t.id, set };
}

void place_on_affinity(struct model_builder *b, const struct lab_ev_affinity *ev)
{
	uint32_t idx = task_lookup(b, ev->head.task, ev->head.ts_ns);
	size_t last = b->m.cpuset_cnt;

	if (!last || memcmp(b->m.cpusets[last - 1].words, ev->words, sizeof(ev->words)))
		memcpy(vec_push(b->m.cpusets, b->m.cpuset_cnt, b->m.cpuset_cap)->words, ev->words,
		       sizeof(ev->words));
	allow(b, idx, (uint32_t)b->m.cpuset_cnt - 1, ev->head.ts_ns);
}

void place_born(struct model_builder *b, uint32_t idx, uint32_t parent, uint64_t ts_ns)
{
	uint32_t set = b->tasks[parent].set;

	if (b->tasks[idx].set == NO_SET && set != NO_SET)
		allow(b, idx, set, ts_ns);
	b->tasks[idx].group = b->tasks[parent].group;
}

/* ---- whom a quota holds back ---- */

static void hold_end(struct model_builder *b, struct btask *t, uint64_t ts_ns)
{
	if (!t->held)
		return;
	t->held = false;
	if (ts_ns > t->held_ns && !b->holds_given_up)
		*vec_push(b->m.holds, b->m.hold_cnt, b->m.hold_cap) = (struct model_hold){
			t->held_ns, ts_ns, t->t.id, t->spent
		};
	t->spent = false;
}

/* Also those that end at once count: each costs a step of a queue. */
static void hold_begin(struct model_builder *b, struct btask *t, uint64_t ts_ns)
{
	if (b->holds_begun++ / HOLDS_PER_EVENT >=
	    b->m.event_cnt + HOLDS_ALWAYS / HOLDS_PER_EVENT)
		b->holds_given_up = true;
	t->held = true;
	t->held_ns = ts_ns;
}

void place_ready(struct model_builder *b, uint32_t idx, uint16_t cpu, bool throttled,
		 uint64_t ts_ns)
{
	struct btask *t = &b->tasks[idx];
	uint32_t *first, group = t->group;
	bool on;

	if (t->spent || !group || cpu >= b->cpu_cnt ||
	    b->m.meta.throttling == LAB_THROTTLING_UNSEEN)
		return;
	place_left(b, idx, ts_ns);
	on = b->cpus[cpu].throttled >> group & 1;
	if (b->m.meta.throttling != LAB_THROTTLING_QUEUE && !(throttled && on))
		return;
	first = &b->cpus[cpu].queues[group];
	t->queue_cpu = cpu;
	t->queue_group = group;
	t->queue_prev = NO_TASK;
	t->queue_next = *first ? *first - 1 : NO_TASK;
	if (t->queue_next != NO_TASK)
		b->tasks[t->queue_next].queue_prev = idx;
	*first = idx + 1;
	if (on)
		hold_begin(b, t, ts_ns);
}

void place_spent(struct model_builder *b, uint32_t idx, uint64_t ts_ns)
{
	hold_begin(b, &b->tasks[idx], ts_ns);
	b->tasks[idx].spent = true;
}

void place_left(struct model_builder *b, uint32_t idx, uint64_t ts_ns)
{
	struct btask *t = &b->tasks[idx];

	hold_end(b, t, ts_ns);
	if (t->queue_cpu == NO_CPU)
		return;
	if (t->queue_next != NO_TASK)
		b->tasks[t->queue_next].queue_prev = t->queue_prev;
	if (t->queue_prev != NO_TASK)
		b->tasks[t->queue_prev].queue_next = t->queue_next;
	else
		b->cpus[t->queue_cpu].queues[t->queue_group] =
			t->queue_next == NO_TASK ? 0 : t->queue_next + 1;
	t->queue_cpu = NO_CPU;
}

void place_moved(struct model_builder *b, uint32_t idx, uint16_t cpu, uint64_t ts_ns)
{
	struct btask *t = &b->tasks[idx];
	bool held = t->held;

	if (t->life == LIFE_READY || t->tentative)
		place_ready(b, idx, cpu, held, ts_ns);
}

void place_on_group(struct model_builder *b, const struct lab_ev_group *ev)
{
	uint32_t idx = task_lookup(b, ev->head.task, ev->head.ts_ns);
	struct btask *t = &b->tasks[idx];
	uint16_t cpu = t->queue_cpu;
	bool held = t->held;

	if (!t->spent)
		place_left(b, idx, ev->head.ts_ns);
	t->group = ev->group <= LAB_GROUPS_MAX ? ev->group : 0;
	if (ev->quota_milli && (!b->m.quota_milli_cpus || ev->quota_milli < b->m.quota_milli_cpus))
		b->m.quota_milli_cpus = ev->quota_milli;
	if (cpu != NO_CPU)
		place_ready(b, idx, cpu, held, ev->head.ts_ns);
}

void place_on_throttle(struct model_builder *b, const struct lab_ev_throttle *ev)
{
	bool on = ev->head.flags & LAB_F_THROTTLED;
	struct bcpu *cpu = cpu_state(b, (uint16_t)min_u64(ev->queue_cpu, UINT16_MAX));
	uint32_t bit, next;

	if (!cpu || !ev->group || ev->group > LAB_GROUPS_MAX)
		return;
	bit = 1u << ev->group;
	if (on == !!(cpu->throttled & bit))
		return;
	cpu->throttled ^= bit;
	if (b->holds_given_up)
		return;
	for (uint32_t idx = cpu->queues[ev->group] - 1; idx != NO_TASK; idx = next) {
		next = b->tasks[idx].queue_next;
		if (on)
			hold_begin(b, &b->tasks[idx], ev->head.ts_ns);
		else if (b->m.meta.throttling == LAB_THROTTLING_QUEUE)
			hold_end(b, &b->tasks[idx], ev->head.ts_ns);
		else
			place_left(b, idx, ev->head.ts_ns);
	}
}

/* ---- why tasks are moved ---- */

enum move_cause place_move_cause(const struct model_builder *b, uint32_t idx,
				 const struct lab_ev_migrate *ev)
{
	const struct btask *t = &b->tasks[idx];
	const uint64_t *may;

	/* A recorder that tells no affinity tells no wake-ups here either. */
	if (t->set == NO_SET)
		return MOVE_UNKNOWN;
	may = b->m.cpusets[t->set].words;
	if (!(may[ev->orig_cpu / 64] >> ev->orig_cpu % 64 & 1))
		return MOVE_AFFINITY;
	if (ev->head.flags & LAB_F_WAKING)
		return MOVE_WAKEUP;
	if (t->life != LIFE_READY)
		return MOVE_UNKNOWN;
	return ev->head.cpu == ev->orig_cpu && t->in_exec ? MOVE_EXEC : MOVE_BALANCE;
}

/* ---- the end ---- */

/* Rows of one task adjoin afterwards, in the order in which they came. */
static void by_task(const struct model *m, void *rows, size_t cnt, size_t size, size_t id_off,
		    size_t *first)
{
	char *from = rows, *to = xcalloc(cnt, size);

	memset(first, 0, (m->task_cnt + 1) * sizeof(*first));
	if (!cnt)
		goto out;
	for (size_t pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < cnt; i++) {
			uint32_t id;

			memcpy(&id, from + i * size + id_off, sizeof(id));
			if (pass)
				memcpy(to + first[model_task(m, id) - m->tasks]++ * size,
				       from + i * size, size);
			else
				first[model_task(m, id) - m->tasks + 1]++;
		}
		for (size_t t = 0; t < m->task_cnt && !pass; t++)
			first[t + 1] += first[t];
	}
	/* Each stands where the next began. */
	memmove(first + 1, first, m->task_cnt * sizeof(*first));
	first[0] = 0;
	memcpy(rows, to, cnt * size);
out:
	free(to);
}

/* What of @t's rows in @from lies in its ready spans. */
static void clip_holds(struct model *m, struct model_task *t, const struct model_hold *from,
		       size_t cnt)
{
	const struct model_span *span = t->spans, *end = span + t->span_cnt;

	t->hold_first = m->hold_cnt;
	for (size_t i = 0; i < cnt; i++) {
		while (span < end && span->end_ns <= from[i].start_ns)
			span++;
		for (const struct model_span *s = span;
		     s < end && s->start_ns < from[i].end_ns; s++)
			if (s->state == SPAN_READY)
				*vec_push(m->holds, m->hold_cnt, m->hold_cap) = (struct model_hold){
					.start_ns = max_u64(s->start_ns, from[i].start_ns),
					.end_ns = min_u64(s->end_ns, from[i].end_ns),
					.task_id = t->id,
					.by_budget = from[i].by_budget,
				};
		m->budget_holds |= from[i].by_budget;
		m->quota_holds |= !from[i].by_budget;
	}
	t->hold_cnt = m->hold_cnt - t->hold_first;
}

static bool holds_known(const struct model_builder *b, const struct trace_end *end)
{
	if (b->m.meta.throttling == LAB_THROTTLING_UNSEEN)
		return !b->m.meta.quota_milli_cpus && !b->throttled_outs;
	return !b->holds_given_up && !(end && end->groups_unseen);
}

/* That of lab itself is the root's at the start. */
static void quota_finish(struct model *m)
{
	uint32_t start = m->meta.quota_milli_cpus;

	m->quota_entered = m->quota_milli_cpus && (!start || m->quota_milli_cpus < start);
	if (!m->quota_entered)
		m->quota_milli_cpus = start;
}

void place_finish(struct model_builder *b, const struct trace_end *end)
{
	struct model *m = &b->m;
	size_t *first = xcalloc(m->task_cnt + 1, sizeof(*first));
	struct model_hold *holds;
	size_t hold_cnt;

	by_task(m, m->allowed, m->allowed_cnt, sizeof(*m->allowed),
		offsetof(struct model_allowed, task_id), first);
	for (size_t i = 0; i < m->task_cnt; i++) {
		m->tasks[i].allowed_first = first[i];
		m->tasks[i].allowed_cnt = first[i + 1] - first[i];
	}
	for (size_t i = 0; i < b->task_cnt; i++)
		hold_end(b, &b->tasks[i], m->end_ns);
	holds = m->holds;
	hold_cnt = m->hold_cnt;
	m->holds = NULL;
	m->hold_cnt = m->hold_cap = 0;
	m->holds_known = holds_known(b, end);
	quota_finish(m);
	by_task(m, holds, hold_cnt, sizeof(*holds), offsetof(struct model_hold, task_id), first);
	for (size_t i = 0; i < m->task_cnt && m->holds_known; i++)
		clip_holds(m, &m->tasks[i], holds + first[i], first[i + 1] - first[i]);
	free(holds);
	free(first);
}
