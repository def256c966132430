/* SPDX-License-Identifier: GPL-2.0-only */
#include "analyze/blame.h"

#include <stdlib.h>
#include <string.h>

#include "analyze/apportion.h"
#include "analyze/polling.h"
#include "analyze/progress.h"
#include "util/alloc.h"
#include "util/minmax.h"

/* The counters of the forest: blocked tasks of a tree. */
enum counter {
	WORKERS,		/* no helpers */
	WORKERS_NOT_CALLING,	/* of these, those that do not wait for a thread or a child */
	NOT_CALLING,		/* helpers, too */
	/* and what comes after it: workers that wait for this kind of lock */
	WORKERS_AT,
};

/* Where several kinds keep tasks waiting, the first of them is the reason. */
static const uint8_t locks[] = {
	REASON_LOCK, REASON_FILELOCK, REASON_SEMAPHORE, REASON_KERNEL,
};
_Static_assert(WORKERS_AT + ARRAY_SIZE(locks) == FOREST_COUNTERS,
	       "the forest has a place for each");

void blame_init(struct blame *b, const struct model *m, const struct report *r)
{
	uint64_t longest_run_ns = 0;

	*b = (struct blame){ .m = m };
	forest_init(&b->forest, (uint32_t)m->task_cnt);
	b->tasks = xcalloc(m->task_cnt + 1, sizeof(*b->tasks));
	for (size_t i = 0; i < m->task_cnt; i++)
		longest_run_ns = max_u64(longest_run_ns, r->tasks[i].run_ns);
	for (size_t i = 0; i < m->task_cnt; i++) {
		b->tasks[i].awaited = FOREST_NONE;
		b->tasks[i].is_helper = progress_is_helper(r->tasks[i].run_ns, longest_run_ns);
	}
}

void blame_release(struct blame *b)
{
	forest_release(&b->forest);
	idmap_release(&b->by_tid);
	free(b->tasks);
}

/* ---- for whom a task waits ---- */

static bool is_call(const struct model_span *wait)
{
	return wait->reason == REASON_JOIN || wait->reason == REASON_CHILD;
}

/* It was not woken until the end, though a task of ours may have been meant to. */
static bool is_parked(const struct model_span *wait)
{
	switch (wait->reason) {
	case REASON_SLEEP:
	case REASON_DISK:
	case REASON_PAGEFAULT:
	case REASON_KERNEL:
		return false;
	default:
		return wait->flags & SPAN_CUT_END;
	}
}

static uint32_t idx_of_tid(struct blame *b, uint32_t tid)
{
	const uint32_t *idx;

	for (size_t i = 0; !b->tids_known && i < b->m->task_cnt; i++)
		*idmap_put(&b->by_tid, b->m->tasks[i].tid, 0, 0) = (uint32_t)i;
	b->tids_known = true;
	idx = idmap_get(&b->by_tid, tid, 0);
	return idx ? *idx : FOREST_NONE;
}

/*
 * A wait in a futex that no wake ended: the thread that it is for, or the owner of the lock when it
 * began. Both are known for a task's last such wait alone.
 */
static const struct model_task *owner_of(struct blame *b, const struct model_task *t,
					 const struct model_span *wait)
{
	bool stands = wait->flags & SPAN_CUT_END ||
		      (wait->flags & SPAN_WOKEN_BY_SIGNAL && !t->alive);
	const struct model_task *owner;
	uint32_t idx;

	if (!stands || !(wait->flags & SPAN_FUTEX) || wait->start_ns != t->wait_start_ns)
		return NULL;
	if (wait->reason != REASON_LOCK && wait->reason != REASON_JOIN)
		return NULL;
	idx = idx_of_tid(b, wait->reason == REASON_LOCK ? t->wait_owner_tid : t->wait_val);
	owner = idx != FOREST_NONE ? &b->m->tasks[idx] : NULL;
	if (!owner || owner == t || owner->start_ns > wait->start_ns ||
	    (wait->mm_id && owner->mm_id != wait->mm_id))
		return NULL;
	return owner;
}

/* The task that @t waits for; before its birth, the ancestor that lived when the wait began. */
static uint32_t awaited_by(struct blame *b, const struct model_task *t,
			   const struct model_span *wait)
{
	const struct model_task *who = owner_of(b, t, wait);

	if (!who && wait->reason != REASON_SLEEP &&
	    !(wait->flags & (SPAN_CUT_END | SPAN_WOKEN_BY_IRQ)))
		who = model_task(b->m, wait->waker_id);
	while (who && who->start_ns > wait->start_ns)
		who = who->parent_id < who->id ? model_task(b->m, who->parent_id) : NULL;
	if (!who || who == t || who->end_ns <= wait->start_ns)
		return FOREST_NONE;
	return (uint32_t)(who - b->m->tasks);
}

/* ---- ends ---- */

static void ends_add(struct blame_ends *e, uint8_t reason, uint32_t tasks, uint32_t one)
{
	if (!tasks)
		return;
	e->ends[reason] += one;
	e->end_cnt += one;
	e->behind[reason] += (tasks - 1) * one;
	e->behind_cnt += (tasks - 1) * one;
}

/* @one: 1, or minus 1 as it wraps around */
static void part_add(struct blame *b, const struct blame_part *p, uint32_t one)
{
	if (!p->reason)
		return;
	for (int i = 0; i < BLAME_TIER_CNT; i++)
		ends_add(&b->tiers[i], p->reason, p->tasks[i], one);
}

/* The tree of @root is about to change. */
static void uncount(struct blame *b, uint32_t root)
{
	part_add(b, &b->tasks[root].part, UINT32_MAX);
	b->tasks[root].part.reason = REASON_NONE;
}

static uint32_t one_or_more(uint32_t cnt)
{
	return cnt ? cnt : 1;
}

static struct blame_part part_of(const struct blame_task *end, const uint32_t *cnt)
{
	struct blame_part p = { .reason = REASON_NONE };

	if (!end->wait) {
		/* It goes on: only a lock that it holds keeps others waiting. */
		for (size_t i = 0; i < ARRAY_SIZE(locks); i++) {
			if (cnt[WORKERS_AT + i] && !p.reason)
				p.reason = locks[i];
			p.tasks[BLAME_WORKERS] += cnt[WORKERS_AT + i];
		}
		return p;
	}
	p.reason = end->wait->reason;
	if (end->awaited != FOREST_NONE) {
		/* The chain leads back to where it began. */
		p.reason = REASON_LOCK;
		p.tasks[BLAME_WORKERS] = one_or_more(cnt[NOT_CALLING]);
	} else if (!is_parked(end->wait)) {
		if (cnt[WORKERS])
			p.tasks[BLAME_WORKERS] = one_or_more(cnt[WORKERS_NOT_CALLING]);
		p.tasks[BLAME_ANY] = one_or_more(cnt[NOT_CALLING]);
	} else {
		p.tasks[is_call(end->wait) ? BLAME_CALLERS : BLAME_ANY] =
			one_or_more(cnt[NOT_CALLING]);
	}
	return p;
}

static void count(struct blame *b, uint32_t root)
{
	struct blame_task *end = &b->tasks[root];

	end->part = part_of(end, forest_sum(&b->forest, root)->v);
	part_add(b, &end->part, 1);
}

/* ---- what begins and ends ---- */

/* @task, the root of a tree that is not counted, is blocked: on to whom it waits for. */
static void hang_on(struct blame *b, uint32_t task)
{
	struct blame_task *t = &b->tasks[task];
	uint32_t root = t->awaited;

	if (root != FOREST_NONE)
		root = forest_root(&b->forest, root);
	if (root == FOREST_NONE || root == task) {
		count(b, task);
		return;
	}
	uncount(b, root);
	forest_link(&b->forest, task, t->awaited);
	t->linked = true;
	count(b, root);
}

static bool is_polling(const struct blame *b, const struct model_task *t,
		       const struct model_span *wait)
{
	return polling_before(b->m, t, wait) || polling_goes_on(b->m, t, wait);
}

/* Whether @t sleeps for its parent, which polls. */
static bool sleeps_for_parent(const struct blame *b, const struct model_task *t)
{
	const struct model_task *parent = model_task(b->m, t->parent_id);
	const struct model_span *wait = parent ? b->tasks[parent - b->m->tasks].wait : NULL;

	return wait && wait->reason == REASON_CHILD && wait->waker_id == t->id &&
	       is_polling(b, parent, wait);
}

/* Where a helper parks, and what a task that polls waits for, keeps no CPU from work. */
static bool is_of_work(const struct blame *b, uint32_t task, const struct model_span *wait)
{
	const struct model_task *t = &b->m->tasks[task];

	/* A lock that is never free can make a helper of any task. Semaphores may be no locks. */
	if (wait->reason == REASON_LOCK || wait->reason == REASON_FILELOCK)
		return true;
	if (b->tasks[task].is_helper && (progress_is_idle(wait) || is_call(wait)))
		return false;
	return !is_polling(b, t, wait) && !sleeps_for_parent(b, t);
}

static void wait_begin(struct blame *b, uint32_t task, const struct model_span *wait)
{
	struct blame_task *t = &b->tasks[task];
	bool works = is_of_work(b, task, wait);
	struct forest_sum own = { {
		[WORKERS] = works,
		[WORKERS_NOT_CALLING] = works && !is_call(wait),
		[NOT_CALLING] = !is_call(wait),
	} };

	for (size_t i = 0; i < ARRAY_SIZE(locks); i++)
		own.v[WORKERS_AT + i] = works && wait->reason == locks[i];
	uncount(b, task);
	t->wait = wait;
	t->awaited = awaited_by(b, &b->m->tasks[task], wait);
	forest_set(&b->forest, task, &own);
	hang_on(b, task);
}

static void wait_end(struct blame *b, uint32_t task)
{
	struct blame_task *t = &b->tasks[task];
	const struct forest_sum none = { { 0 } };
	uint32_t root = task;

	if (t->linked) {
		root = forest_root(&b->forest, task);
		uncount(b, root);
		forest_cut(&b->forest, task);
		t->linked = false;
	} else {
		uncount(b, task);
	}
	t->wait = NULL;
	t->awaited = FOREST_NONE;
	forest_set(&b->forest, task, &none);
	count(b, task);
	/* If that was a circle, it is none any longer. */
	if (root != task)
		hang_on(b, root);
}

void blame_span(struct blame *b, uint32_t task, const struct model_span *span)
{
	if (b->tasks[task].wait)
		wait_end(b, task);
	if (span && span->state == SPAN_BLOCKED)
		wait_begin(b, task, span);
}

/* ---- shares of CPUs ---- */

/* Of 128 bits only where it must be. */
static unsigned __int128 divide(unsigned __int128 a, uint64_t b)
{
	return a >> 64 ? a / b : (uint64_t)a / b;
}

/* @cpu_ns x @num / @den, in two steps that cannot overflow. */
static unsigned __int128 share(unsigned __int128 cpu_ns, uint32_t num, uint32_t den)
{
	return (divide(cpu_ns, den) * num << APPORTION_SHIFT) +
	       divide(cpu_ns % den * num << APPORTION_SHIFT, den);
}

static void stretch_close(struct blame *b)
{
	const struct blame_stretch *st = &b->stretch;
	const struct blame_ends *e = &st->ends;
	unsigned __int128 ns = st->ns;

	for (int k = 0; k < REASON_CNT && (st->first || st->other_first || st->other_rest); k++) {
		if (!e->ends[k])
			continue;
		b->shares[k] += share(ns * st->first, e->ends[k], e->end_cnt);
		b->other_shares[k] += share(ns * st->other_first, e->ends[k], e->end_cnt);
		if (!e->behind[k])
			continue;
		b->shares[k] += share(ns * st->rest, e->behind[k], e->behind_cnt);
		b->other_shares[k] += share(ns * st->other_rest, e->behind[k], e->behind_cnt);
	}
}

/* The ends that give the reasons now, or NULL: none does. */
static const struct blame_ends *ends_now(const struct blame *b, bool busy)
{
	for (int i = 0; i < (busy ? BLAME_ANY : BLAME_TIER_CNT); i++)
		if (b->tiers[i].end_cnt)
			return &b->tiers[i];
	return NULL;
}

void blame_last(struct blame *b, uint64_t ns, bool busy, uint64_t *idle, uint64_t *other)
{
	const struct blame_ends *e = ends_now(b, busy);
	uint64_t end_cnt = e ? e->end_cnt : 0, behind_cnt = e ? e->behind_cnt : 0;
	uint64_t first = min_u64(*idle, end_cnt), rest = min_u64(*idle - first, behind_cnt);
	uint64_t both = *idle + *other, both_first = min_u64(both, end_cnt);
	uint64_t other_first = both_first - first;
	uint64_t other_rest = min_u64(both - both_first, behind_cnt) - rest;
	struct blame_stretch *st = &b->stretch;

	*idle = first + rest;
	*other = other_first + other_rest;
	b->blocked_ns += ns * *idle;
	b->other_blocked_ns += ns * *other;
	if (first != st->first || rest != st->rest || other_first != st->other_first ||
	    other_rest != st->other_rest ||
	    (both_first && memcmp(e, &st->ends, sizeof(*e)))) {
		stretch_close(b);
		*st = (struct blame_stretch){
			.first = first, .rest = rest,
			.other_first = other_first, .other_rest = other_rest,
		};
		if (e)
			st->ends = *e;
	}
	st->ns += ns;
}

void blame_finish(struct blame *b, uint64_t *blocked_ns, uint64_t *other_blocked_ns)
{
	stretch_close(b);
	apportion(b->shares, REASON_CNT, b->blocked_ns, blocked_ns);
	apportion(b->other_shares, REASON_CNT, b->other_blocked_ns, other_blocked_ns);
}
