/* SPDX-License-Identifier: GPL-2.0-only */
#include "truth.h"

#include <stdlib.h>

#include "model/syscalls.h"
#include "unit.h"
#include "util/alloc.h"

#define OP_WAIT_REQUEUE_PI 11

void truth_release(struct truth *t)
{
	for (size_t i = 0; i < t->task_cnt; i++)
		free(t->tasks[i].spans);
	for (size_t i = 0; i < t->cpu_cnt; i++)
		free(t->cpus[i].segs);
	free(t->tasks);
	free(t->cpus);
	free(t->moves);
	free(t->bounds);
	free(t->ops);
	free(t->waits);
	free(t->unshown);
	*t = (struct truth){ 0 };
}

static const struct truth_task *find(const struct truth *t, uint32_t id)
{
	for (size_t i = 0; i < t->task_cnt; i++)
		if (t->tasks[i].id == id)
			return &t->tasks[i];
	return NULL;
}

const struct truth_task *truth_task(const struct truth *t, uint32_t id)
{
	const struct truth_task *task = find(t, id);

	REQUIRE(task);
	return task;
}

const char *truth_call(const struct truth_span *block)
{
	return block->compat ? NULL : syscall_name(block->syscall);
}

static bool descends(const struct truth *t, uint32_t id, uint32_t ancestor)
{
	const struct truth_task *task = find(t, id);

	while (task && task->parent_id) {
		if (task->parent_id == ancestor)
			return true;
		task = find(t, task->parent_id);
	}
	return false;
}

/* The first task of a task's process: the last before it that began a process of that number. */
static uint32_t leader_of(const struct truth *t, const struct truth_task *task)
{
	uint32_t first = 0, leader = 0;

	for (size_t i = 0; i < t->task_cnt; i++) {
		const struct truth_task *x = &t->tasks[i];

		if (x->tgid != task->tgid || x->id > task->id)
			continue;
		first = first ? first : x->id;
		if (x->first_tid == x->tgid)
			leader = x->id;
	}
	return leader ? leader : first;
}

static bool made_by(const struct truth *t, const struct truth_task *low,
		    const struct truth_task *high)
{
	uint32_t leader = leader_of(t, high);

	return descends(t, low->id, high->id) ||
	       (leader_of(t, low) != leader && descends(t, low->id, leader));
}

bool truth_with_process(const struct truth *t, const struct truth_task *task,
			const struct truth_span *block)
{
	const struct truth_task *waker = block->waker_id ? find(t, block->waker_id) : NULL;
	int32_t call = block->waker_syscall;

	return waker && leader_of(t, task) == leader_of(t, waker) &&
	       (call == 231 || call == 59 || call == 322);
}

bool truth_by_kin(const struct truth *t, const struct truth_task *task,
		  const struct truth_span *block)
{
	const struct truth_task *waker = block->waker_id ? find(t, block->waker_id) : NULL;

	if (!waker)
		return false;
	if (truth_with_process(t, task, block))
		return true;
	return made_by(t, task, waker) || made_by(t, waker, task);
}

/* ---- futexes ---- */

static bool is_thread_of(const struct truth *t, uint32_t tgid, uint32_t tid)
{
	for (size_t i = 0; i < t->task_cnt; i++)
		if (t->tasks[i].tgid == tgid &&
		    (t->tasks[i].tid == tid || t->tasks[i].first_tid == tid))
			return true;
	return false;
}

/* Whether a task lives that has what @task waits for in @w. */
static bool names_owner(const struct truth *t, const struct truth_task *task,
			const struct truth_span *w)
{
	const struct truth_task *owner = task;
	uint64_t given_ns = 0;

	for (size_t i = 0; w->owner && i < t->task_cnt; i++) {
		const struct truth_task *x = &t->tasks[i];
		uint64_t at[] = { x->first_tid == w->owner ? x->born_ns : 0,
				  x->tid == w->owner ? x->exec_ns : 0 };

		for (int k = 0; k < 2; k++) {
			if (at[k] <= given_ns || at[k] > w->end_ns)
				continue;
			given_ns = at[k];
			owner = x;
		}
	}
	return owner != task && (!owner->end_ns || owner->end_ns >= w->start_ns) &&
	       (!w->futex_private || owner->tgid == task->tgid);
}

static enum reason judge_alone(const struct truth *t, const struct truth_task *task,
			       const struct truth_span *w)
{
	bool by_task = w->waker_tid && !w->by_interrupt;

	if (w->futex_op == 6 || w->futex_op == 13)
		return REASON_LOCK;
	if (w->futex_op == OP_WAIT_REQUEUE_PI)
		return REASON_COND;
	if (w->owned)
		return REASON_LOCK;
	if (w->by_exiting)
		return REASON_JOIN;
	if (!by_task && is_thread_of(t, task->tgid, w->futex_val))
		return REASON_JOIN;
	return REASON_NONE;
}

/* One wait, of all there are. */
struct wait {
	const struct truth_task *task;
	struct truth_span *span;
	enum reason alone;
};

struct waits {
	struct wait *v;
	size_t cnt, cap;
};

static bool at_place(const struct wait *w, uint32_t mm, uint64_t addr)
{
	return w->span->mm == mm && w->span->addr == addr;
}

static bool place_is_mutex(const struct waits *all, uint32_t mm, uint64_t addr)
{
	for (size_t i = 0; i < all->cnt; i++)
		if (at_place(&all->v[i], mm, addr) && all->v[i].span->owned)
			return true;
	return false;
}

/* At the same word, or at the other of an aligned pair if neither is a mutex. */
static bool is_near(const struct waits *all, const struct wait *w, const struct truth_span *place)
{
	if (w->span->mm != place->mm || w->span->addr / 8 != place->addr / 8)
		return false;
	return w->span->addr == place->addr ||
	       !place_is_mutex(all, w->span->mm, w->span->addr);
}

/* Whether this task began a wait near there, at one of these stamps. */
static bool waits_near(const struct waits *near, uint32_t id, uint64_t from_ns, uint64_t to_ns)
{
	for (size_t i = 0; i < near->cnt; i++)
		if (near->v[i].task->id == id && near->v[i].span->start_ns >= from_ns &&
		    near->v[i].span->start_ns <= to_ns)
			return true;
	return false;
}

static bool is_by_task(const struct truth_span *w)
{
	return w->waker_tid && !w->by_interrupt && !w->by_exiting;
}

static bool is_hand_over(const struct waits *near, const struct truth_span *w, uint32_t id)
{
	return is_by_task(w) && w->waker_id == id && !w->many &&
	       waits_near(near, id, 0, UINT64_MAX);
}

/* Whether @id handed over twice and did not wait in between. */
static bool keeps_on(const struct waits *near, uint32_t id)
{
	for (size_t i = 0; i < near->cnt; i++) {
		const struct truth_span *one = near->v[i].span, *next = NULL;

		if (!is_hand_over(near, one, id))
			continue;
		for (size_t k = 0; k < near->cnt; k++) {
			const struct truth_span *w = near->v[k].span;
			bool later = w->end_ns > one->end_ns || (w->end_ns == one->end_ns && k > i);

			if (later && is_hand_over(near, w, id) &&
			    (!next || w->end_ns < next->end_ns))
				next = w;
		}
		if (next && !waits_near(near, id, one->end_ns, next->end_ns))
			return true;
	}
	return false;
}

static bool goes_round(const struct truth *t, const struct waits *near)
{
	size_t wakes = 0, theirs = 0, holders = 0;
	bool on = false;

	for (size_t i = 0; i < near->cnt; i++) {
		wakes += is_by_task(near->v[i].span);
		on |= near->v[i].span->by_interrupt;
	}
	for (size_t i = 0; i < t->task_cnt; i++) {
		size_t hands = 0;

		for (size_t k = 0; k < near->cnt; k++)
			hands += is_hand_over(near, near->v[k].span, t->tasks[i].id);
		if (hands < 2)
			continue;
		holders++;
		theirs += hands;
		on |= keeps_on(near, t->tasks[i].id);
	}
	return holders >= 2 && 2 * theirs >= wakes && on;
}

/*
 * Whether nobody saw what ended @w; or a task ended it, and the task slept a time out near there
 * that was over a hundred times as long.
 */
static bool says_nothing(const struct waits *near, const struct truth_task *task,
			 const struct truth_span *w)
{
	bool slept = false;

	if (w->unseen)
		return true;
	for (size_t i = 0; i < near->cnt; i++) {
		const struct truth_span *other = near->v[i].span;

		if (near->v[i].task != task || !other->futex_limited || !other->by_interrupt)
			continue;
		slept = true;
		if ((other->end_ns - other->start_ns) / 100 <= w->end_ns - w->start_ns)
			return false;
	}
	return slept && is_by_task(w);
}

static uint64_t length_ns(const struct wait *w)
{
	return w->span->end_ns - w->span->start_ns;
}

/* Whether near there the task only sleeps for one time, repeatedly, and is then woken at once. */
static bool doubtful_near(const struct waits *near, const struct truth_task *task)
{
	const struct wait *woken = NULL;

	for (size_t i = 0; i < near->cnt; i++) {
		const struct wait *w = &near->v[i];

		if (w->task != task || !w->span->futex_limited || !is_by_task(w->span))
			continue;
		if (woken || !says_nothing(near, task, w->span))
			return false;
		woken = w;
	}
	for (size_t i = 0; woken && i < near->cnt; i++) {
		const struct wait *w = &near->v[i];

		if (w->task != task || !w->span->futex_limited || w->span->unseen)
			continue;
		if (w->span->start_ns > woken->span->start_ns)
			return false;
		for (size_t j = 0; w->span->by_interrupt && j < near->cnt; j++)
			if (near->v[j].task == task && near->v[j].span->futex_limited &&
			    near->v[j].span->by_interrupt &&
			    length_ns(&near->v[j]) > length_ns(w) &&
			    length_ns(&near->v[j]) - length_ns(w) >= length_ns(w) / 20)
				return false;
	}
	return woken;
}

/* Whether most of the time limits that the task set there were reached, and the last one was. */
static bool sleeps_near(const struct waits *near, const struct truth_task *task)
{
	int more = 0;
	bool slept = false;

	for (size_t i = 0; i < near->cnt; i++) {
		const struct truth_span *w = near->v[i].span;

		if (near->v[i].task != task || !w->futex_limited || says_nothing(near, task, w))
			continue;
		slept = w->by_interrupt;
		more += slept ? 1 : is_by_task(w) ? -1 : 0;
	}
	return slept && more >= 0;
}

static enum reason judge_together(const struct truth *t, const struct waits *all, struct wait *one)
{
	struct waits near = { 0 };
	bool lock, sleeps;

	if (place_is_mutex(all, one->span->mm, one->span->addr))
		return REASON_LOCK;
	for (size_t i = 0; i < all->cnt; i++)
		if (is_near(all, &all->v[i], one->span))
			*vec_push(near.v, near.cnt, near.cap) = all->v[i];
	lock = goes_round(t, &near);
	sleeps = !lock && one->span->by_interrupt && one->span->futex_limited &&
		 sleeps_near(&near, one->task);
	one->span->doubtful = sleeps && doubtful_near(&near, one->task);
	free(near.v);
	return lock ? REASON_LOCK : sleeps && !one->span->doubtful ? REASON_SLEEP : REASON_COND;
}

void truth_judge(struct truth *t)
{
	struct waits all = { 0 };

	for (size_t i = 0; i < t->task_cnt; i++) {
		for (size_t j = 0; j < t->tasks[i].span_cnt; j++) {
			struct truth_span *span = &t->tasks[i].spans[j];

			if (span->state != SPAN_BLOCKED || !span->futex)
				continue;
			span->owned = names_owner(t, &t->tasks[i], span);
			*vec_push(all.v, all.cnt, all.cap) = (struct wait){
				&t->tasks[i], span, judge_alone(t, &t->tasks[i], span)
			};
		}
	}
	for (size_t i = 0; i < all.cnt; i++)
		all.v[i].span->reason = (uint8_t)(all.v[i].alone != REASON_NONE ? all.v[i].alone :
						  judge_together(t, &all, &all.v[i]));
	free(all.v);
}
