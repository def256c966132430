/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * rounds - tasks that wait for each other again and again, as at a barrier: at one futex one task
 * ends the waits of two or more others at once. That task came last, and the others waited for it.
 *
 * Wakes belong to one round if one task does them in one stay on a CPU, and all the waiters waited
 * already at the first. A barrier of two tasks has one waiter in each round, as a hand-over has:
 * it is not told apart, and not counted. Nor are waits for a lock, which end one by one.
 */
#include <stdlib.h>

#include "analyze/report.h"
#include "util/alloc.h"

#define ROUNDS_LEAST 5

/* A wait at a futex that a task of ours ended. */
struct wait {
	uint64_t addr, start_ns, end_ns;
	uint32_t mm_id;
	uint32_t waiter, waker;	/* into model.tasks */
	size_t stay;		/* of the waker, in which it did this: into its spans */
};

struct waits {
	struct wait *v;
	size_t cnt, cap;
};

static bool is_woken(const struct model_span *s)
{
	return s->state == SPAN_BLOCKED && s->reason == REASON_COND && s->flags & SPAN_FUTEX &&
	       s->waker_id &&
	       !(s->flags & (SPAN_WOKEN_BY_IRQ | SPAN_WAKER_EXITING | SPAN_WOKEN_BY_SIGNAL));
}

static void collect(const struct model *m, struct waits *waits)
{
	for (size_t i = 0; i < m->task_cnt; i++) {
		const struct model_task *t = &m->tasks[i];

		for (size_t k = 0; k < t->span_cnt; k++) {
			const struct model_span *s = &t->spans[k];
			const struct model_task *waker;

			if (!is_woken(s) || !(waker = model_task(m, s->waker_id)))
				continue;
			*vec_push(waits->v, waits->cnt, waits->cap) = (struct wait){
				.addr = s->addr, .mm_id = s->mm_id,
				.start_ns = s->start_ns, .end_ns = s->end_ns,
				.waiter = (uint32_t)i, .waker = (uint32_t)(waker - m->tasks),
				.stay = model_span_at(waker, s->end_ns),
			};
		}
	}
}

static int wait_cmp(const void *a, const void *b)
{
	const struct wait *x = a, *y = b;

	if (x->mm_id != y->mm_id)
		return x->mm_id < y->mm_id ? -1 : 1;
	if (x->addr != y->addr)
		return x->addr < y->addr ? -1 : 1;
	if (x->waker != y->waker)
		return x->waker < y->waker ? -1 : 1;
	if (x->end_ns != y->end_ns)
		return x->end_ns < y->end_ns ? -1 : 1;
	return (x->waiter > y->waiter) - (x->waiter < y->waiter);
}

static bool at_one_place(const struct wait *x, const struct wait *y)
{
	return x->mm_id == y->mm_id && x->addr == y->addr;
}

static bool in_one_round(const struct wait *first, const struct wait *w)
{
	return w->waker == first->waker && w->stay == first->stay && w->start_ns < first->end_ns;
}

/* Tasks seen at this place; marks are @stamp, so that none must be cleared. */
static void see(uint32_t *seen, uint32_t task, uint32_t stamp, struct report_rounds *out)
{
	out->task_cnt += seen[task] != stamp;
	seen[task] = stamp;
}

/* @w: all waits at one place, by waker and time. Nearly all of them must end in rounds. */
static void judge_place(const struct model *m, const struct wait *w, size_t cnt, uint32_t *seen,
			uint32_t stamp, struct report_rounds *out)
{
	uint64_t by_waker = 0, in_rounds = 0;

	*out = (struct report_rounds){ .mm_id = w->mm_id, .addr = w->addr };
	for (size_t i = 0, same; i < cnt; i += same) {
		for (same = 1; i + same < cnt && in_one_round(&w[i], &w[i + same]); same++)
			;
		if (i && w[i].waker != w[i - 1].waker)
			by_waker = 0;
		if (same < 2)
			continue;
		out->rounds++;
		in_rounds += same;
		see(seen, w[i].waker, stamp, out);
		for (size_t k = i; k < i + same; k++) {
			see(seen, w[k].waiter, stamp, out);
			out->wait_ns += w[k].end_ns - w[k].start_ns;
		}
		if (++by_waker > out->last_cnt) {
			out->last_cnt = by_waker;
			out->last_id = m->tasks[w[i].waker].id;
		}
	}
	out->tgid = m->tasks[w->waiter].tgid;
	out->present = out->rounds >= ROUNDS_LEAST && 10 * in_rounds >= 9 * cnt;
}

static void rounds_run(const struct model *m, struct report *r)
{
	uint32_t *seen = xcalloc(m->task_cnt + 1, sizeof(*seen)), stamp = 0;
	struct waits waits = { 0 };

	collect(m, &waits);
	if (waits.cnt)
		qsort(waits.v, waits.cnt, sizeof(*waits.v), wait_cmp);
	for (size_t i = 0, same; i < waits.cnt; i += same) {
		struct report_rounds one;

		for (same = 1; i + same < waits.cnt &&
			       at_one_place(&waits.v[i], &waits.v[i + same]); same++)
			;
		judge_place(m, &waits.v[i], same, seen, ++stamp, &one);
		if (one.present && one.wait_ns > r->rounds.wait_ns)
			r->rounds = one;
	}
	if (r->rounds.present)
		r->rounds.symbol = model_symbol(m, r->rounds.mm_id, r->rounds.addr);
	free(waits.v);
	free(seen);
}

const struct analysis analysis_rounds = { .name = "rounds", .run = rounds_run };
