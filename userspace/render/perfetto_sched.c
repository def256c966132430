/* SPDX-License-Identifier: GPL-2.0-only */
#include "render/perfetto.h"

#include <stdlib.h>
#include <string.h>

#include "util/alloc.h"

#define SYNTHETIC 0x40000000u	/* plus the birth number: beyond PID_MAX_LIMIT (2^22) */
#define NO_CPU UINT16_MAX

/* prev_state (include/trace/events/sched.h, __trace_sched_switch_state()) */
#define STATE_SLEEPS 0x01
#define STATE_UNINTERRUPTIBLE 0x02
#define STATE_STOPPED 0x04
#define STATE_DEAD 0x10
#define STATE_PREEMPTED 0x100
#define STATE_UNKNOWN 0x4000	/* more than any state that Perfetto knows: it shows "?" */

/* ---- numbers ---- */

struct bearer {
	uint32_t tid, idx;
};

static int bearer_cmp(const void *a, const void *b)
{
	const struct bearer *x = a, *y = b;

	if (x->tid != y->tid)
		return x->tid < y->tid ? -1 : 1;
	return (x->idx > y->idx) - (x->idx < y->idx);
}

/* The last with this tid that was born no later than row @idx; NULL. */
static const struct bearer *bearer_find(const struct bearer *v, size_t cnt, uint32_t tid,
					uint32_t idx)
{
	size_t low = 0, high = cnt;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (v[mid].tid < tid || (v[mid].tid == tid && v[mid].idx <= idx))
			low = mid + 1;
		else
			high = mid;
	}
	return low && v[low - 1].tid == tid ? &v[low - 1] : NULL;
}

void perfetto_pids_init(struct perfetto_pids *pids, const struct model *m)
{
	struct bearer *v = xcalloc(m->task_cnt + 1, sizeof(*v));

	pids->tids = xcalloc(m->task_cnt + 1, sizeof(*pids->tids));
	pids->tgids = xcalloc(m->task_cnt + 1, sizeof(*pids->tgids));
	for (size_t i = 0; i < m->task_cnt; i++)
		v[i] = (struct bearer){ m->tasks[i].tid, (uint32_t)i };
	qsort(v, m->task_cnt, sizeof(*v), bearer_cmp);
	for (size_t i = 0; i < m->task_cnt; i++) {
		bool again = !v[i].tid || (i && v[i].tid == v[i - 1].tid);

		pids->tids[v[i].idx] = again ? SYNTHETIC + m->tasks[v[i].idx].id : v[i].tid;
	}
	for (size_t i = 0; i < m->task_cnt; i++) {
		const struct bearer *leader = bearer_find(v, m->task_cnt, m->tasks[i].tgid,
							  (uint32_t)i);

		pids->tgids[i] = leader ? pids->tids[leader->idx] : m->tasks[i].tgid;
	}
	free(v);
}

void perfetto_pids_release(struct perfetto_pids *pids)
{
	free(pids->tids);
	free(pids->tgids);
}

/* ---- states ---- */

/* The last span that begins by @at_ns; NULL. */
static const struct model_span *span_at(const struct model_task *t, uint64_t at_ns)
{
	size_t low = 0, high = t->span_cnt;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (t->spans[mid].start_ns <= at_ns)
			low = mid + 1;
		else
			high = mid;
	}
	return low ? &t->spans[low - 1] : NULL;
}

static uint32_t blocked_as(enum reason reason)
{
	switch (reason) {
	case REASON_DISK:
	case REASON_PAGEFAULT:
	case REASON_KERNEL:
		return STATE_UNINTERRUPTIBLE;
	case REASON_STOPPED:
		return STATE_STOPPED;
	default:
		return STATE_SLEEPS;
	}
}

uint32_t perfetto_left_as(const struct model *m, const struct model_cpu_seg *seg)
{
	const struct model_task *t = seg->task_id ? model_task(m, seg->task_id) : NULL;
	const struct model_span *next;

	if (!t)
		return seg->class == LAB_CPU_FOREIGN ? STATE_SLEEPS : 0;
	next = span_at(t, seg->end_ns);
	if (!next || next->end_ns <= seg->end_ns)
		return STATE_DEAD;
	if (next->state == SPAN_UNKNOWN)
		return STATE_UNKNOWN;
	if (next->state == SPAN_BLOCKED)
		return blocked_as(next->reason);
	return next->flags & SPAN_PREEMPTED ? STATE_PREEMPTED : 0;
}

/* ---- wakings ---- */

static uint16_t cpu_of_task(const struct model_task *t, uint64_t at_ns)
{
	const struct model_span *s = t ? span_at(t, at_ns) : NULL;

	if (s && s->state != SPAN_RUNNING && s->start_ns == at_ns && s > t->spans)
		s--;
	return s && s->state == SPAN_RUNNING ? s->cpu : NO_CPU;
}

/* Where a task that is not ours was. */
static uint16_t cpu_of_other(const struct model *m, uint32_t tid, uint64_t at_ns)
{
	for (size_t i = 0; i < m->cpu_cnt; i++) {
		const struct model_cpu_seg *segs = m->cpu_segs + m->cpus[i].seg_first;
		size_t low = 0, high = m->cpus[i].seg_cnt;

		while (low < high) {
			size_t mid = low + (high - low) / 2;

			if (segs[mid].start_ns <= at_ns)
				low = mid + 1;
			else
				high = mid;
		}
		if (low && segs[low - 1].class == LAB_CPU_FOREIGN && segs[low - 1].tid == tid)
			return m->cpus[i].cpu;
	}
	return NO_CPU;
}

static bool is_usable(const struct model *m, uint16_t cpu)
{
	for (size_t i = 0; i < m->cpu_cnt; i++)
		if (m->cpus[i].cpu == cpu)
			return true;
	return false;
}

struct wakings {
	const struct model *m;
	struct perfetto_waking *v;
	size_t cnt, cap;
};

/* Task @idx can go on from @at_ns, as @next shows. @waker_cpu: NO_CPU: not known. */
static void add(struct wakings *w, size_t idx, uint64_t at_ns, const struct model_span *next,
		uint16_t waker_cpu)
{
	uint16_t target = is_usable(w->m, next->cpu) ? next->cpu : w->m->cpus[0].cpu;
	bool known = waker_cpu != NO_CPU && is_usable(w->m, waker_cpu);

	vec_add(w->v, w->cnt, w->cap, (struct perfetto_waking){
		.at_ns = at_ns, .task = (uint32_t)idx, .cpu = known ? waker_cpu : target,
		.target_cpu = target, .by_nobody = !known,
	});
}

static void add_of_task(struct wakings *w, size_t idx)
{
	const struct model_task *t = &w->m->tasks[idx];

	for (size_t i = 0; i < t->span_cnt; i++) {
		const struct model_span *s = &t->spans[i];
		uint16_t cpu = NO_CPU;

		if (!i && s->state == SPAN_READY && !(s->flags & SPAN_CUT_START))
			add(w, idx, s->start_ns, s,
			    cpu_of_task(model_task(w->m, t->parent_id), s->start_ns));
		if (s->state != SPAN_BLOCKED || s->flags & SPAN_CUT_END || i + 1 == t->span_cnt)
			continue;
		if (s->waker_id)
			cpu = cpu_of_task(model_task(w->m, s->waker_id), s->end_ns);
		else if (s->waker_tid && !(s->flags & SPAN_WOKEN_BY_IRQ))
			cpu = cpu_of_other(w->m, s->waker_tid, s->end_ns);
		add(w, idx, s->end_ns, s + 1, s->flags & SPAN_WOKEN_BY_IRQ ? NO_CPU : cpu);
	}
}

static int waking_cmp(const void *a, const void *b)
{
	const struct perfetto_waking *x = a, *y = b;

	if (x->cpu != y->cpu)
		return x->cpu < y->cpu ? -1 : 1;
	if (x->at_ns != y->at_ns)
		return x->at_ns < y->at_ns ? -1 : 1;
	return (x->task > y->task) - (x->task < y->task);
}

size_t perfetto_wakings(const struct model *m, struct perfetto_waking **out)
{
	struct wakings w = { .m = m };

	for (size_t i = 0; m->cpu_cnt && i < m->task_cnt; i++)
		add_of_task(&w, i);
	if (w.cnt)
		qsort(w.v, w.cnt, sizeof(*w.v), waking_cmp);
	*out = w.v;
	return w.cnt;
}
