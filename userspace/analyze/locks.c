/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * locks - one row per futex that tasks were blocked in. A private futex is
 * known by its memory and address, a shared one by its address alone.
 *
 * The holder of a wait is the task whose wake ended it. While it was ready, it had the lock (or was
 * to signal the condition) and the scheduler kept it from going on: the wait is then
 * the lack of a CPU, not the lock's. A wait that no task of ours ended has no holder.
 */
#include <stdlib.h>

#include "analyze/report.h"
#include "model/futex.h"
#include "util/idmap.h"
#include "util/alloc.h"
#include "util/minmax.h"

struct waker {
	uint32_t id;
	uint64_t cnt;
};

struct ready_sums {
	const struct model *m;
	uint64_t *before_ns;	/* [span], task by task: ready time of its task before the span */
};

static struct ready_sums ready_sums_new(const struct model *m)
{
	struct ready_sums sums = { m, xcalloc(m->span_cnt + 1, sizeof(*sums.before_ns)) };

	for (size_t i = 0; i < m->task_cnt; i++) {
		const struct model_task *t = &m->tasks[i];
		uint64_t sum_ns = 0;

		for (size_t k = 0; k < t->span_cnt; k++) {
			const struct model_span *s = &t->spans[k];

			sums.before_ns[t->span_first + k] = sum_ns;
			if (s->state == SPAN_READY)
				sum_ns += s->end_ns - s->start_ns;
		}
	}
	return sums;
}

/* For how long @t was ready from its start until @at_ns. */
static uint64_t ready_until(const struct ready_sums *sums, const struct model_task *t,
			    uint64_t at_ns)
{
	const struct model_span *s, *spans = t->spans;
	size_t low = 0, high = t->span_cnt;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (spans[mid].start_ns < at_ns)
			low = mid + 1;
		else
			high = mid;
	}
	if (!low)
		return 0;
	s = &spans[low - 1];
	return sums->before_ns[t->span_first + low - 1] +
	       (s->state == SPAN_READY ? min_u64(s->end_ns, at_ns) - s->start_ns : 0);
}

/*
 * Who let the wait end: not the task that an interrupt hit, nor the sender of a signal. 0: nobody
 * of ours.
 */
static uint32_t holder_of(const struct model_span *wait)
{
	return wait->flags & (SPAN_WOKEN_BY_IRQ | SPAN_WOKEN_BY_SIGNAL) ? 0 : wait->waker_id;
}

static uint64_t holder_ready_ns(const struct ready_sums *sums, const struct model_span *wait)
{
	const struct model_task *holder = model_task(sums->m, holder_of(wait));

	if (!holder)
		return 0;
	return ready_until(sums, holder, wait->end_ns) - ready_until(sums, holder, wait->start_ns);
}

static int waker_most_cmp(const void *a, const void *b)
{
	const struct waker *x = a, *y = b;

	if (x->cnt != y->cnt)
		return x->cnt > y->cnt ? -1 : 1;
	return (x->id > y->id) - (x->id < y->id);
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

/* By task and time. Return: NULL, or @cnt of them to be freed. */
static struct futex_wait *waits_collect(const struct model *m, size_t *cnt)
{
	struct futex_wait *waits = NULL;
	size_t cap = 0;

	*cnt = 0;
	for (size_t i = 0; i < m->task_cnt; i++) {
		const struct model_task *t = &m->tasks[i];

		for (size_t j = 0; j < t->span_cnt; j++) {
			struct model_span *s = &t->spans[j];

			if (s->state == SPAN_BLOCKED && s->flags & SPAN_FUTEX)
				vec_add(waits, *cnt, cap, (struct futex_wait){ s, t->id });
		}
	}
	return waits;
}

static void lock_holders(struct report_lock *lock, const struct futex_wait *waits, size_t cnt)
{
	struct waker *wakers = NULL;
	size_t waker_cnt = 0, waker_cap = 0;
	struct idmap by_id = { 0 };

	for (size_t i = 0; i < cnt; i++) {
		uint32_t id = holder_of(waits[i].span), idx;

		if (!id)
			continue;
		idx = *idmap_put(&by_id, id, 0, (uint32_t)waker_cnt);
		if (idx == waker_cnt)
			vec_add(wakers, waker_cnt, waker_cap, (struct waker){ id, 0 });
		wakers[idx].cnt++;
	}
	idmap_release(&by_id);
	if (waker_cnt)
		qsort(wakers, waker_cnt, sizeof(*wakers), waker_most_cmp);
	lock->holder_cnt = (uint32_t)waker_cnt;
	for (size_t i = 0; i < min_u64(waker_cnt, LOCK_HOLDERS_MAX); i++)
		lock->holders[i] = wakers[i].id;
	free(wakers);
}

/* @waits: all of one futex, by task. */
static void lock_fill(struct report_lock *lock, const struct ready_sums *sums,
		      const struct futex_wait *waits, size_t cnt)
{
	uint64_t kinds[LOCK_KIND_JOIN + 1] = { 0 };
	const struct futex_wait *first = &waits[0];

	lock->mm_id = first->span->mm_id;
	lock->addr = first->span->addr;
	lock->symbol = model_symbol(sums->m, lock->mm_id, lock->addr);
	lock->waits = cnt;
	for (size_t i = 0; i < cnt; i++) {
		const struct model_span *s = waits[i].span;
		uint64_t ns = s->end_ns - s->start_ns;

		lock->wait_ns += ns;
		lock->max_wait_ns = max_u64(lock->max_wait_ns, ns);
		lock->waiter_cnt += !i || waits[i].task_id != waits[i - 1].task_id;
		lock->timeouts += !!(s->flags & SPAN_WOKEN_BY_IRQ);
		lock->holder_ready_ns += holder_ready_ns(sums, s);
		if (s->futex_op < 32)
			lock->ops |= 1U << s->futex_op;
		kinds[LOCK_KIND_LOCK] += s->reason == REASON_LOCK;
		kinds[LOCK_KIND_COND] += s->reason == REASON_COND || s->reason == REASON_SLEEP;
		kinds[LOCK_KIND_JOIN] += s->reason == REASON_JOIN;
		if (s->start_ns < first->span->start_ns)
			first = &waits[i];
	}
	lock->tgid = model_task(sums->m, first->task_id)->tgid;
	lock->kind = LOCK_KIND_LOCK;
	for (int k = LOCK_KIND_COND; k <= LOCK_KIND_JOIN; k++)
		if (kinds[k] > kinds[lock->kind])
			lock->kind = (enum lock_kind)k;
	lock_holders(lock, waits, cnt);
}

static void locks_run(const struct model *m, struct report *r)
{
	size_t cnt, same;
	struct futex_wait *waits = waits_collect(m, &cnt);
	struct ready_sums sums;

	if (!cnt)
		return;
	sums = ready_sums_new(m);
	futex_sort(waits, cnt);
	for (size_t first = 0; first < cnt; first += same) {
		same = futex_same(&waits[first], cnt - first);
		lock_fill(vec_push(r->locks, r->lock_cnt, r->lock_cap), &sums, &waits[first], same);
	}
	qsort(r->locks, r->lock_cnt, sizeof(*r->locks), lock_cmp);
	free(sums.before_ns);
	free(waits);
}

const struct analysis analysis_locks = { .name = "locks", .run = locks_run };
