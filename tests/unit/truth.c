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
	free(t->edges);
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

bool truth_descends(const struct truth *t, uint32_t id, uint32_t ancestor)
{
	const struct truth_task *task = find(t, id);

	while (task && task->parent_id) {
		if (task->parent_id == ancestor)
			return true;
		task = find(t, task->parent_id);
	}
	return false;
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

static enum reason judge_alone(const struct truth *t, const struct truth_task *task,
			       const struct truth_span *w)
{
	bool by_task = w->waker_tid && !w->by_interrupt;

	if (w->by_exiting)
		return REASON_JOIN;
	if (w->futex_op == 6 || w->futex_op == 13)
		return REASON_LOCK;
	if (w->futex_op == OP_WAIT_REQUEUE_PI)
		return REASON_COND;
	if (w->futex_val & 0x80000000u)
		return REASON_LOCK;
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
	size_t undecided = 0, contended = 0;

	for (size_t i = 0; i < all->cnt; i++) {
		if (!at_place(&all->v[i], mm, addr) || all->v[i].alone != REASON_NONE)
			continue;
		undecided++;
		contended += all->v[i].span->futex_val == 2;
	}
	return undecided && 2 * contended >= undecided;
}

/* At the same word, or at the other of an aligned pair if neither is a mutex. */
static bool is_near(const struct waits *all, const struct wait *w, const struct truth_span *place)
{
	if (w->span->mm != place->mm || w->span->addr / 8 != place->addr / 8)
		return false;
	return w->span->addr == place->addr ||
	       !place_is_mutex(all, w->span->mm, w->span->addr);
}

static bool waits_near(const struct waits *all, uint32_t id, const struct truth_span *place)
{
	for (size_t i = 0; i < all->cnt; i++)
		if (all->v[i].task->id == id && is_near(all, &all->v[i], place))
			return true;
	return false;
}

static enum reason judge_together(const struct waits *all, const struct wait *one)
{
	size_t wakes = 0, handed_on = 0;
	bool several = false;

	if (place_is_mutex(all, one->span->mm, one->span->addr))
		return REASON_LOCK;
	for (size_t i = 0; i < all->cnt; i++) {
		const struct truth_span *w = all->v[i].span;

		if (!is_near(all, &all->v[i], one->span))
			continue;
		several |= all->v[i].task != one->task;
		if (!w->waker_tid || w->by_interrupt || w->by_exiting)
			continue;
		wakes++;
		handed_on += w->waker_id && waits_near(all, w->waker_id, one->span);
	}
	return several && wakes && 2 * handed_on >= wakes ? REASON_LOCK : REASON_COND;
}

void truth_judge(struct truth *t)
{
	struct waits all = { 0 };

	for (size_t i = 0; i < t->task_cnt; i++) {
		for (size_t j = 0; j < t->tasks[i].span_cnt; j++) {
			struct truth_span *span = &t->tasks[i].spans[j];

			if (span->state == SPAN_BLOCKED && span->futex)
				*vec_push(all.v, all.cnt, all.cap) = (struct wait){
					&t->tasks[i], span, judge_alone(t, &t->tasks[i], span)
				};
		}
	}
	for (size_t i = 0; i < all.cnt; i++)
		all.v[i].span->reason = (uint8_t)(all.v[i].alone != REASON_NONE ? all.v[i].alone :
						  judge_together(&all, &all.v[i]));
	free(all.v);
}
