/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * oracle_path - the critical path, walked back as path.c's rule says: nanosecond counts only, over
 * the truth; and what any critical path must be.
 */

#include <stdlib.h>

#include "oracle.h"
#include "util/alloc.h"
#include "util/minmax.h"

#define FAKE_RUN_NS 50000
#define STEPS_MAX 64		/* that take no time, in a row */

/* What the task does just before an instant; NULL: it is not alive then. */
static const struct truth_span *before(const struct truth_task *task, uint64_t at_ns)
{
	for (size_t i = 0; i < task->span_cnt; i++)
		if (task->spans[i].start_ns < at_ns && at_ns <= task->spans[i].end_ns)
			return &task->spans[i];
	return NULL;
}

static const struct truth_task *find(const struct truth *t, uint32_t id)
{
	for (size_t i = 0; i < t->task_cnt; i++)
		if (t->tasks[i].id == id)
			return &t->tasks[i];
	return NULL;
}

/* Who ended last: of several one that ran, and of these the eldest. */
static const struct truth_task *last_task(const struct truth *t)
{
	const struct truth_task *last = NULL;
	bool last_runs = false;

	for (size_t i = 0; i < t->task_cnt; i++) {
		const struct truth_task *task = &t->tasks[i];
		bool runs;

		if (!task->span_cnt)
			continue;
		runs = task->spans[task->span_cnt - 1].state == SPAN_RUNNING;
		if (last && (task->end_ns < last->end_ns ||
			     (task->end_ns == last->end_ns && (last_runs || !runs))))
			continue;
		last = task;
		last_runs = runs;
	}
	return last;
}

static bool same_futex(const struct truth_span *a, const struct truth_span *b)
{
	return a->state == SPAN_BLOCKED && b->state == SPAN_BLOCKED && a->futex && b->futex &&
	       a->mm == b->mm && a->addr == b->addr;
}

/* The wait that @s only goes on with, after a moment's run. */
static const struct truth_span *continues(const struct truth_task *task,
					  const struct truth_span *s)
{
	size_t i = (size_t)(s - task->spans);

	if (i < 2 || s[-1].state != SPAN_RUNNING || s[-1].end_ns - s[-1].start_ns > FAKE_RUN_NS)
		return NULL;
	if (s[-2].state == SPAN_READY)
		return i >= 3 && same_futex(&s[-3], s) ? &s[-3] : NULL;
	return same_futex(&s[-2], s) ? &s[-2] : NULL;
}

/* Who woke it then, in its own context, and could have. */
static const struct truth_task *waker(const struct oracle *o, const struct truth_task *task,
				      const struct truth_span *s, uint64_t at_ns)
{
	const struct truth_task *w = s->waker_id ? find(o->t, s->waker_id) : NULL;
	const struct truth_span *does = w && w != task ? before(w, at_ns) : NULL;

	if (s->end_ns != at_ns || s->by_interrupt || !does)
		return NULL;
	return does->state == SPAN_BLOCKED && does->end_ns > at_ns ? NULL : w;
}

struct path {
	struct path_segment *v;	/* last first */
	size_t cnt, cap;
};

static void charge(struct path *p, struct path_segment seg)
{
	struct path_segment *last = p->cnt ? &p->v[p->cnt - 1] : NULL;

	if (last && last->task_id == seg.task_id && last->state == seg.state &&
	    last->reason == seg.reason)
		last->start_ns = seg.start_ns;
	else
		*vec_push(p->v, p->cnt, p->cap) = seg;
}

/* On from the task's first instant: with who made it, if that one was there. */
static const struct truth_task *parent(const struct oracle *o, const struct truth_task *task,
				       uint64_t at_ns)
{
	const struct truth_task *p = find(o->t, task->parent_id);

	return p && task->start_ns == at_ns && p->start_ns <= at_ns && at_ns <= p->end_ns ? p :
											    NULL;
}

/* ---- waits that only let time pass ---- */

static bool lets_time_pass(const struct truth_span *s)
{
	return s->state == SPAN_BLOCKED && s->by_interrupt && !s->waker_id &&
	       (s->futex || s->reason == REASON_SLEEP || s->reason == REASON_OTHER);
}

/* The one before, if next to nothing was done between the two; NULL if it was not so. */
static const struct truth_span *again(const struct truth_task *task, const struct truth_span *s)
{
	size_t i = (size_t)(s - task->spans);
	uint64_t run_ns = 0;

	while (i-- > 0) {
		const struct truth_span *b = &task->spans[i];

		if (b->state == SPAN_RUNNING)
			run_ns += b->end_ns - b->start_ns;
		if (b->state != SPAN_BLOCKED)
			continue;
		return lets_time_pass(b) && lets_time_pass(s) && b->reason == s->reason &&
		       b->syscall == s->syscall && 20 * run_ns < b->end_ns - b->start_ns ? b : NULL;
	}
	return NULL;
}

static bool goes_on(const struct truth_task *task, const struct truth_span *s)
{
	for (size_t i = (size_t)(s - task->spans) + 1; i < task->span_cnt; i++)
		if (task->spans[i].state == SPAN_BLOCKED)
			return again(task, &task->spans[i]) == s;
	return false;
}

bool oracle_polls(const struct truth_task *task, const struct truth_span *s)
{
	return again(task, s) || goes_on(task, s);
}

/* Of those that @task made, the one that ended last, in @s until @at_ns. */
static const struct truth_task *ended_in(const struct oracle *o, const struct truth_task *task,
					 const struct truth_span *s, uint64_t at_ns)
{
	const struct truth_task *last = NULL;

	for (size_t i = 0; i < o->t->task_cnt; i++) {
		const struct truth_task *t = &o->t->tasks[i];

		if (t->parent_id == task->id && !t->alive && t->end_ns > s->start_ns &&
		    t->end_ns <= at_ns && (!last || t->end_ns >= last->end_ns))
			last = t;
	}
	return last;
}

/* The walk: on whom, and by whose wait for that one's end, if it came by such a wait. */
struct place {
	const struct truth_task *task, *came_from;
	uint64_t came_ns;
};

/* Where the walk goes on if @s, charged in place until @at_ns, polls; else the task is NULL. */
static struct place leave(const struct oracle *o, const struct place *at,
			  const struct truth_span *s, uint64_t at_ns)
{
	struct place to = { NULL, NULL, 0 };

	if (!again(at->task, s))
		return to;
	if (at->came_from && s->start_ns < at->came_ns && at->came_ns < at_ns) {
		to.task = at->came_from;
		to.came_ns = at->came_ns;
	} else if (!goes_on(at->task, s)) {
		to.task = ended_in(o, at->task, s, at_ns);
		to.came_ns = to.task ? to.task->end_ns : 0;
	}
	return to;
}

/* On the task that ended last, as if by the last wait for its end. */
static struct place begin(const struct oracle *o)
{
	struct place at = { .task = last_task(o->t) };
	uint64_t end_ns = 0;

	for (size_t i = 0; at.task && i < o->t->task_cnt; i++) {
		const struct truth_task *task = &o->t->tasks[i];

		for (size_t j = 0; j < task->span_cnt; j++) {
			const struct truth_span *s = &task->spans[j];

			if (s->state != SPAN_BLOCKED || s->waker_id != at.task->id ||
			    s->end_ns <= end_ns ||
			    (s->reason != REASON_JOIN && s->reason != REASON_CHILD))
				continue;
			end_ns = s->end_ns;
			at.came_from = task;
			at.came_ns = s->start_ns;
		}
	}
	return at;
}

static void walk(const struct oracle *o, struct path *p)
{
	struct place at = begin(o);
	const struct truth_span *fake = NULL;
	const struct truth_task *to;
	uint64_t at_ns = o->t->end_ns, from_ns;
	unsigned int idle = 0;

	if (at.task && at.task->end_ns < at_ns) {
		charge(p, (struct path_segment){ at.task->end_ns, at_ns, 0, 0, 0 });
		at_ns = at.task->end_ns;
	}
	while (at_ns > o->t->start_ns) {
		const struct truth_span *s = at.task ? before(at.task, at_ns) : NULL;
		struct place left = { NULL, NULL, 0 };

		if (!s) {
			to = at.task && idle < STEPS_MAX ? parent(o, at.task, at_ns) : NULL;
			if (!to) {
				charge(p, (struct path_segment){ o->t->start_ns, at_ns, 0, 0, 0 });
				return;
			}
			at = (struct place){ .task = to };
			idle++;
			continue;
		}
		from_ns = s->start_ns;
		if (s->state == SPAN_BLOCKED) {
			bool for_end = s->reason == REASON_JOIN || s->reason == REASON_CHILD;

			to = s != fake && idle < STEPS_MAX ? waker(o, at.task, s, at_ns) : NULL;
			if (to) {
				at = (struct place){ to, for_end ? at.task : NULL, s->start_ns };
				idle++;
				continue;
			}
			if (idle < STEPS_MAX)
				left = leave(o, &at, s, at_ns);
			fake = left.task ? NULL : continues(at.task, s);
			from_ns = left.task ? left.came_ns : from_ns;
		}
		if (from_ns < at_ns)
			charge(p, (struct path_segment){
				from_ns, at_ns, at.task->id, s->state,
				s->state == SPAN_BLOCKED ? s->reason : 0 });
		idle = from_ns < at_ns ? 0 : idle;
		at_ns = from_ns;
		if (left.task) {
			at = (struct place){ .task = left.task };
			idle++;
		}
	}
}

/* ---- what any path must be ---- */

/*
 * From one segment to the next: the same task, or one that this one woke, made, waited for, or
 * ended for.
 */
static bool leads_to(const struct oracle *o, const struct path_segment *a,
		     const struct path_segment *b)
{
	const struct truth_task *task = find(o->t, b->task_id), *other;

	if (!b->task_id || !a->task_id || a->task_id == b->task_id)
		return true;
	for (size_t i = 0; i < task->span_cnt; i++)
		if (task->spans[i].end_ns == b->start_ns && task->spans[i].waker_id)
			return true;
	/* It polled: until the first ended, or until the first had come to wait for it. */
	other = find(o->t, a->task_id);
	for (size_t i = 0; i < other->span_cnt; i++)
		if (other->spans[i].start_ns == b->start_ns &&
		    (other->spans[i].reason == REASON_JOIN ||
		     other->spans[i].reason == REASON_CHILD))
			return true;
	return task->start_ns == b->start_ns || other->end_ns == b->start_ns;
}

static void check_sense(struct oracle *o)
{
	const struct report_path *got = &o->r->path;
	uint64_t at_ns = o->t->start_ns, sum = got->run_ns + got->ready_ns + got->none_ns;

	for (int k = 0; k < REASON_CNT; k++)
		sum += got->blocked_ns[k];
	ORACLE_EQ(o, got->length_ns, o->t->end_ns - o->t->start_ns);
	ORACLE_EQ(o, sum, got->length_ns);
	for (size_t i = 0; i < got->segment_cnt; i++) {
		const struct path_segment *seg = &got->segments[i];
		const struct truth_task *task = find(o->t, seg->task_id);

		ORACLE(o, seg->start_ns == at_ns && seg->end_ns > at_ns,
		       "segment %zu does not begin where the one before ends", i);
		at_ns = seg->end_ns;
		if (i)
			ORACLE(o, leads_to(o, seg - 1, seg), "segment %zu: nothing leads to it", i);
		for (size_t j = 0; task && j < task->span_cnt; j++) {
			const struct truth_span *s = &task->spans[j];

			if (s->end_ns <= seg->start_ns || s->start_ns >= seg->end_ns)
				continue;
			ORACLE(o, s->state == seg->state &&
			       (s->state != SPAN_BLOCKED || s->reason == seg->reason),
			       "segment %zu of task %u is not what it did", i, task->id);
		}
	}
	ORACLE_EQ(o, at_ns, o->t->end_ns);
}

static void check_tasks(struct oracle *o, const struct path *p)
{
	const struct report_path *got = &o->r->path;
	uint64_t last = UINT64_MAX;
	uint32_t cnt = 0;

	for (size_t i = 0; i < o->t->task_cnt; i++) {
		bool on_it = false;

		for (size_t j = 0; j < p->cnt; j++)
			on_it |= p->v[j].task_id == o->t->tasks[i].id;
		cnt += on_it;
	}
	ORACLE_EQ(o, got->task_cnt, cnt);
	for (uint32_t i = 0; i < got->task_cnt && i < PATH_TOP_MAX; i++) {
		uint64_t ns = 0;

		for (size_t j = 0; j < p->cnt; j++)
			if (p->v[j].task_id == got->top[i].task_id)
				ns += p->v[j].end_ns - p->v[j].start_ns;
		ORACLE_EQ(o, got->top[i].ns, ns);
		ORACLE(o, ns && ns <= last, "the top of the path is in no order");
		last = ns;
	}
}

void oracle_path(struct oracle *o)
{
	const struct report_path *got = &o->r->path;
	uint64_t ns[3] = { 0 }, blocked[REASON_CNT] = { 0 }, none = 0;
	struct path p = { 0 };

	walk(o, &p);
	ORACLE_EQ(o, got->segment_cnt, p.cnt);
	for (size_t i = 0; i < p.cnt && i < got->segment_cnt; i++) {
		const struct path_segment *a = &got->segments[i], *b = &p.v[p.cnt - 1 - i];

		ORACLE(o, a->start_ns == b->start_ns && a->end_ns == b->end_ns &&
		       a->task_id == b->task_id && a->state == b->state && a->reason == b->reason,
		       "segment %zu: task %u until %" PRIu64 ", should be task %u until %" PRIu64,
		       i, a->task_id, a->end_ns, b->task_id, b->end_ns);
		if (!b->task_id)
			none += b->end_ns - b->start_ns;
		else if (b->state == SPAN_BLOCKED)
			blocked[b->reason] += b->end_ns - b->start_ns;
		else
			ns[b->state] += b->end_ns - b->start_ns;
	}
	ORACLE_EQ(o, got->run_ns, ns[SPAN_RUNNING]);
	ORACLE_EQ(o, got->ready_ns, ns[SPAN_READY]);
	ORACLE_EQ(o, got->none_ns, none);
	for (int k = 0; k < REASON_CNT; k++)
		ORACLE_EQ(o, got->blocked_ns[k], blocked[k]);
	check_tasks(o, &p);
	check_sense(o);
	free(p.v);
}
