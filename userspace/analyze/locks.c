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

struct ready_sums {
	const struct model *m;
	uint64_t *before_ns;	/* [i]: ready time of the task of model.spans[i] before that span */
};

static struct ready_sums ready_sums_new(const struct model *m)
{
	struct ready_sums sums = { m, xcalloc(m->span_cnt + 1, sizeof(*sums.before_ns)) };

	for (size_t i = 0; i < m->task_cnt; i++) {
		const struct model_task *t = &m->tasks[i];
		uint64_t sum_ns = 0;

		for (size_t k = t->span_first; k < t->span_first + t->span_cnt; k++) {
			sums.before_ns[k] = sum_ns;
			if (m->spans[k].state == SPAN_READY)
				sum_ns += m->spans[k].end_ns - m->spans[k].start_ns;
		}
	}
	return sums;
}

/* For how long @t was ready from its start until @at_ns. */
static uint64_t ready_until(const struct ready_sums *sums, const struct model_task *t,
			    uint64_t at_ns)
{
	const struct model_span *s, *spans = &sums->m->spans[t->span_first];
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
	return sums->before_ns[s - sums->m->spans] +
	       (s->state == SPAN_READY ? min_u64(s->end_ns, at_ns) - s->start_ns : 0);
}

static uint64_t holder_ready_ns(const struct ready_sums *sums, const struct model_span *wait)
{
	const struct model_task *holder = model_task(sums->m, wait->waker_id);

	if (!holder || wait->flags & SPAN_WOKEN_BY_IRQ)
		return 0;
	return ready_until(sums, holder, wait->end_ns) - ready_until(sums, holder, wait->start_ns);
}

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
static void lock_fill(struct report_lock *lock, const struct ready_sums *sums,
		      const struct wait *waits, size_t cnt)
{
	uint64_t kinds[LOCK_KIND_JOIN + 1] = { 0 };
	const struct wait *first = &waits[0];

	lock->mm_id = first->mm_id;
	lock->addr = first->addr;
	lock->symbol = model_symbol(sums->m, lock->mm_id, lock->addr);
	lock->waits = cnt;
	for (size_t i = 0; i < cnt; i++) {
		const struct model_span *s = waits[i].span;
		uint64_t ns = s->end_ns - s->start_ns;

		lock->wait_ns += ns;
		lock->max_wait_ns = max_u64(lock->max_wait_ns, ns);
		lock->waiter_cnt += !i || waits[i].task != waits[i - 1].task;
		lock->timeouts += !!(s->flags & SPAN_WOKEN_BY_IRQ);
		lock->holder_ready_ns += holder_ready_ns(sums, s);
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
	struct ready_sums sums;

	waits_collect(m, &waits);
	if (!waits.cnt)
		return;
	sums = ready_sums_new(m);
	for (size_t first = 0, end; first < waits.cnt; first = end) {
		end = first + 1;
		while (end < waits.cnt && waits.v[end].mm_id == waits.v[first].mm_id &&
		       waits.v[end].addr == waits.v[first].addr)
			end++;
		lock_fill(vec_push(r->locks, r->lock_cnt, r->lock_cap), &sums, &waits.v[first],
			  end - first);
	}
	qsort(r->locks, r->lock_cnt, sizeof(*r->locks), lock_cmp);
	free(sums.before_ns);
	free(waits.v);
}

const struct analysis analysis_locks = { .name = "locks", .run = locks_run };
