/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * locks - one row per futex that tasks were blocked in. A private futex is
 * known by its memory and address, a shared one by its address alone.
 */
#include <stdlib.h>

#include "analyze/report.h"
#include "util/alloc.h"
#include "util/minmax.h"

/* One wait, with what it is sorted by. */
struct wait {
	uint64_t addr;
	uint32_t mm_id;
	const struct model_task *task;
	const struct model_span *span;
};

struct waits {
	struct wait *v;
	size_t cnt, cap;
};

struct waker {
	uint32_t id;
	uint64_t cnt;
};

static int wait_cmp(const void *a, const void *b)
{
	const struct wait *x = a, *y = b;

	if (x->mm_id != y->mm_id)
		return x->mm_id < y->mm_id ? -1 : 1;
	if (x->addr != y->addr)
		return x->addr < y->addr ? -1 : 1;
	if (x->task->id != y->task->id)
		return x->task->id < y->task->id ? -1 : 1;
	return (x->span->start_ns > y->span->start_ns) - (x->span->start_ns < y->span->start_ns);
}

static int waker_id_cmp(const void *a, const void *b)
{
	const struct waker *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

static int waker_most_cmp(const void *a, const void *b)
{
	const struct waker *x = a, *y = b;

	if (x->cnt != y->cnt)
		return x->cnt > y->cnt ? -1 : 1;
	return waker_id_cmp(a, b);
}

static int lock_cmp(const void *a, const void *b)
{
	const struct report_lock *x = a, *y = b;

	if (x->wait_ns != y->wait_ns)
		return x->wait_ns > y->wait_ns ? -1 : 1;
	if (x->mm_id != y->mm_id)
		return x->mm_id < y->mm_id ? -1 : 1;
	return (x->addr > y->addr) - (x->addr < y->addr);
}

static void waits_collect(const struct model *m, struct waits *out)
{
	for (size_t i = 0; i < m->task_cnt; i++) {
		const struct model_task *t = &m->tasks[i];

		for (size_t j = 0; j < t->span_cnt; j++) {
			const struct model_span *s = &m->spans[t->span_first + j];

			if (s->state != SPAN_BLOCKED || !(s->flags & SPAN_FUTEX))
				continue;
			*vec_push(out->v, out->cnt, out->cap) = (struct wait){
				s->addr, s->mm_id, t, s
			};
		}
	}
	if (out->cnt)
		qsort(out->v, out->cnt, sizeof(*out->v), wait_cmp);
}

/* Those who woke waiters: an interrupt's bystander did not. */
static void lock_holders(struct report_lock *lock, const struct wait *waits, size_t cnt)
{
	struct waker *wakers = xcalloc(cnt + 1, sizeof(*wakers));
	size_t waker_cnt = 0, kept = 0;

	for (size_t i = 0; i < cnt; i++) {
		const struct model_span *s = waits[i].span;

		if (s->waker_id && !(s->flags & SPAN_WOKEN_BY_IRQ))
			wakers[waker_cnt++] = (struct waker){ s->waker_id, 1 };
	}
	qsort(wakers, waker_cnt, sizeof(*wakers), waker_id_cmp);
	for (size_t i = 0; i < waker_cnt; i++) {
		if (kept && wakers[kept - 1].id == wakers[i].id)
			wakers[kept - 1].cnt++;
		else
			wakers[kept++] = wakers[i];
	}
	qsort(wakers, kept, sizeof(*wakers), waker_most_cmp);
	lock->holder_cnt = (uint32_t)kept;
	for (size_t i = 0; i < min_u64(kept, LOCK_HOLDERS_MAX); i++)
		lock->holders[i] = wakers[i].id;
	free(wakers);
}

/* @waits: all of one futex, by task. */
static void lock_fill(struct report_lock *lock, const struct wait *waits, size_t cnt)
{
	uint64_t kinds[LOCK_KIND_JOIN + 1] = { 0 };
	const struct wait *first = &waits[0];

	lock->mm_id = first->mm_id;
	lock->addr = first->addr;
	lock->waits = cnt;
	for (size_t i = 0; i < cnt; i++) {
		const struct model_span *s = waits[i].span;
		uint64_t ns = s->end_ns - s->start_ns;

		lock->wait_ns += ns;
		lock->max_wait_ns = max_u64(lock->max_wait_ns, ns);
		lock->waiter_cnt += !i || waits[i].task != waits[i - 1].task;
		lock->timeouts += !!(s->flags & SPAN_WOKEN_BY_IRQ);
		if (s->futex_op < 32)
			lock->ops |= 1U << s->futex_op;
		kinds[LOCK_KIND_LOCK] += s->reason == REASON_LOCK;
		kinds[LOCK_KIND_COND] += s->reason == REASON_COND;
		kinds[LOCK_KIND_JOIN] += s->reason == REASON_JOIN;
		if (s->start_ns < first->span->start_ns)
			first = &waits[i];
	}
	lock->tgid = first->task->tgid;
	lock->kind = LOCK_KIND_LOCK;
	for (int k = LOCK_KIND_COND; k <= LOCK_KIND_JOIN; k++)
		if (kinds[k] > kinds[lock->kind])
			lock->kind = (enum lock_kind)k;
	lock_holders(lock, waits, cnt);
}

static void locks_run(const struct model *m, struct report *r)
{
	struct waits waits = { 0 };

	waits_collect(m, &waits);
	for (size_t first = 0, end; first < waits.cnt; first = end) {
		end = first + 1;
		while (end < waits.cnt && waits.v[end].mm_id == waits.v[first].mm_id &&
		       waits.v[end].addr == waits.v[first].addr)
			end++;
		lock_fill(vec_push(r->locks, r->lock_cnt, r->lock_cap), &waits.v[first],
			  end - first);
	}
	if (r->lock_cnt)
		qsort(r->locks, r->lock_cnt, sizeof(*r->locks), lock_cmp);
	free(waits.v);
}

const struct analysis analysis_locks = { .name = "locks", .run = locks_run };
