/* SPDX-License-Identifier: GPL-2.0-only */
#include "model/futex.h"

#include <stdlib.h>

#include "util/alloc.h"

/* A wait, with what it is sorted by. */
struct wait {
	uint64_t addr;
	uint32_t mm_id;
	uint32_t task_id;
	uint8_t reason;		/* by rules 1 to 3, or REASON_NONE */
	struct model_span *span;
};

bool futex_op_waits(uint32_t op)
{
	switch (op) {
	case FUTEX_OP_WAIT:
	case FUTEX_OP_LOCK_PI:
	case FUTEX_OP_WAIT_BITSET:
	case FUTEX_OP_WAIT_REQUEUE_PI:
	case FUTEX_OP_LOCK_PI2:
	case FUTEX_OP_WAITV:
		return true;
	}
	return false;
}

enum reason futex_judge_alone(const struct model_span *span, bool val_is_thread)
{
	bool woken_by_task = span->waker_tid && !(span->flags & SPAN_WOKEN_BY_IRQ);

	if (span->flags & SPAN_WAKER_EXITING)
		return REASON_JOIN;
	if (span->futex_op == FUTEX_OP_LOCK_PI || span->futex_op == FUTEX_OP_LOCK_PI2)
		return REASON_LOCK;
	if (span->futex_op == FUTEX_OP_WAIT_REQUEUE_PI)
		return REASON_COND;
	if (span->futex_val & FUTEX_VAL_WAITERS)
		return REASON_LOCK;
	if (val_is_thread && !woken_by_task)
		return REASON_JOIN;
	return REASON_NONE;
}

static int wait_cmp(const void *a, const void *b)
{
	const struct wait *x = a, *y = b;

	if (x->mm_id != y->mm_id)
		return x->mm_id < y->mm_id ? -1 : 1;
	if (x->addr != y->addr)
		return x->addr < y->addr ? -1 : 1;
	if (x->task_id != y->task_id)
		return x->task_id < y->task_id ? -1 : 1;
	return 0;
}

static bool waited_here(const struct wait *waits, size_t cnt, uint32_t task_id)
{
	size_t low = 0, high = cnt;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (waits[mid].task_id < task_id)
			low = mid + 1;
		else
			high = mid;
	}
	return low < cnt && waits[low].task_id == task_id;
}

/* All waits at one address, ordered by task. */
struct place {
	const struct wait *waits;
	size_t cnt;
};

static struct place place_at(const struct wait *waits, size_t cnt)
{
	struct place p = { waits, cnt ? 1 : 0 };

	while (p.cnt && p.cnt < cnt && waits[p.cnt].mm_id == waits->mm_id &&
	       waits[p.cnt].addr == waits->addr)
		p.cnt++;
	return p;
}

static bool is_mutex(const struct place *p)
{
	size_t undecided = 0, contended = 0;

	for (size_t i = 0; i < p->cnt; i++) {
		undecided += p->waits[i].reason == REASON_NONE;
		contended += p->waits[i].reason == REASON_NONE &&
			     p->waits[i].span->futex_val == FUTEX_VAL_CONTENDED;
	}
	return undecided && 2 * contended >= undecided;
}

/* The two words of one condition variable of glibc, whose waiters take turns at them. */
static bool are_twins(const struct place *a, const struct place *b)
{
	return a->cnt && b->cnt && a->waits->mm_id == b->waits->mm_id &&
	       a->waits->addr / 8 == b->waits->addr / 8 && !is_mutex(a) && !is_mutex(b);
}

/* @twin: counted as well; may be empty. */
static enum reason judge_place(const struct place *p, const struct place *twin)
{
	const struct place *both[] = { p, twin };
	size_t wakes = 0, handed_on = 0;
	bool several = false;

	if (is_mutex(p))
		return REASON_LOCK;
	for (size_t i = 0; i < p->cnt + twin->cnt; i++) {
		const struct place *at = both[i >= p->cnt];
		const struct wait *w = &at->waits[i >= p->cnt ? i - p->cnt : i];
		const struct model_span *s = w->span;

		several |= w->task_id != p->waits->task_id;
		if (!s->waker_tid || s->flags & (SPAN_WOKEN_BY_IRQ | SPAN_WAKER_EXITING))
			continue;
		wakes++;
		handed_on += s->waker_id && (waited_here(p->waits, p->cnt, s->waker_id) ||
					     waited_here(twin->waits, twin->cnt, s->waker_id));
	}
	return several && wakes && 2 * handed_on >= wakes ? REASON_LOCK : REASON_COND;
}

void futex_judge_together(struct model_span *spans, const uint32_t *owners, size_t cnt)
{
	struct place before = { 0 }, none = { 0 };
	struct wait *waits = NULL;
	size_t wait_cnt = 0, wait_cap = 0;

	for (size_t i = 0; i < cnt; i++) {
		if (spans[i].state == SPAN_BLOCKED && spans[i].flags & SPAN_FUTEX)
			*vec_push(waits, wait_cnt, wait_cap) = (struct wait){
				.addr = spans[i].addr,
				.mm_id = spans[i].mm_id,
				.task_id = owners[i],
				.reason = spans[i].reason,
				.span = &spans[i],
			};
	}
	if (wait_cnt)
		qsort(waits, wait_cnt, sizeof(*waits), wait_cmp);
	for (size_t first = 0; first < wait_cnt; first += before.cnt) {
		struct place here = place_at(&waits[first], wait_cnt - first);
		struct place after = place_at(&waits[first] + here.cnt, wait_cnt - first - here.cnt);
		enum reason reason = judge_place(&here, are_twins(&here, &after) ? &after :
						 are_twins(&before, &here) ? &before : &none);

		for (size_t i = first; i < first + here.cnt; i++) {
			if (waits[i].reason == REASON_NONE)
				waits[i].span->reason = (uint8_t)reason;
		}
		before = here;
	}
	free(waits);
}
