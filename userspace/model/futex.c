/* SPDX-License-Identifier: GPL-2.0-only */
#include "model/futex.h"

#include <stdlib.h>

#include "util/alloc.h"

/* A wait, with what it is sorted by. */
struct wait {
	uint64_t addr;
	uint32_t mm_id;
	uint32_t task_id;
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

/* @waits are all at one address, ordered by task. */
static enum reason judge_address(const struct wait *waits, size_t cnt)
{
	size_t undecided = 0, contended = 0, waiters = 0, wakes = 0, handed_on = 0;

	for (size_t i = 0; i < cnt; i++) {
		const struct model_span *s = waits[i].span;

		if (!i || waits[i].task_id != waits[i - 1].task_id)
			waiters++;
		if (s->reason == REASON_NONE) {
			undecided++;
			contended += s->futex_val == FUTEX_VAL_CONTENDED;
		}
		if (!s->waker_tid || s->flags & (SPAN_WOKEN_BY_IRQ | SPAN_WAKER_EXITING))
			continue;
		wakes++;
		handed_on += s->waker_id && waited_here(waits, cnt, s->waker_id);
	}
	if (undecided && 2 * contended >= undecided)
		return REASON_LOCK;
	return waiters >= 2 && wakes && 2 * handed_on >= wakes ? REASON_LOCK : REASON_COND;
}

void futex_judge_together(struct model_span *spans, const uint32_t *owners, size_t cnt)
{
	struct wait *waits = NULL;
	size_t wait_cnt = 0, wait_cap = 0, end;

	for (size_t i = 0; i < cnt; i++) {
		if (spans[i].state == SPAN_BLOCKED && spans[i].flags & SPAN_FUTEX)
			*vec_push(waits, wait_cnt, wait_cap) = (struct wait){
				.addr = spans[i].addr,
				.mm_id = spans[i].mm_id,
				.task_id = owners[i],
				.span = &spans[i],
			};
	}
	if (wait_cnt)
		qsort(waits, wait_cnt, sizeof(*waits), wait_cmp);
	for (size_t first = 0; first < wait_cnt; first = end) {
		enum reason reason;

		end = first + 1;
		while (end < wait_cnt && waits[end].mm_id == waits[first].mm_id &&
		       waits[end].addr == waits[first].addr)
			end++;
		reason = judge_address(&waits[first], end - first);
		for (size_t i = first; i < end; i++) {
			if (waits[i].span->reason == REASON_NONE)
				waits[i].span->reason = reason;
		}
	}
	free(waits);
}
