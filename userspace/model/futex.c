/* SPDX-License-Identifier: GPL-2.0-only */
#include "model/futex.h"

#include <stdlib.h>
#include <string.h>

#include "model/idmap.h"
#include "util/alloc.h"

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

bool futex_call_wakes(int32_t syscall)
{
	switch (syscall) {
	case 202: case 240: case 422:		/* futex, and of i386: futex, futex_time64 */
	case 449: case 454: case 455: case 456:	/* futex_waitv, _wake, _wait, _requeue */
	case 426:				/* io_uring_enter */
		return true;
	}
	return false;
}

enum reason futex_judge_alone(const struct model_span *span, uint32_t val, bool val_is_thread)
{
	bool woken_by_task = span->waker_tid && !(span->flags & SPAN_WOKEN_BY_IRQ);

	if (span->flags & SPAN_WAKER_EXITING)
		return REASON_JOIN;
	if (span->futex_op == FUTEX_OP_LOCK_PI || span->futex_op == FUTEX_OP_LOCK_PI2)
		return REASON_LOCK;
	if (span->futex_op == FUTEX_OP_WAIT_REQUEUE_PI)
		return REASON_COND;
	if (val & FUTEX_VAL_WAITERS)
		return REASON_LOCK;
	if (val_is_thread && !woken_by_task)
		return REASON_JOIN;
	return REASON_NONE;
}

/* ---- by address ---- */

struct address {
	uint64_t addr;
	uint32_t mm_id;
	uint32_t idx;		/* in order of first sight */
	size_t cnt;		/* of waits */
};

static int address_cmp(const void *a, const void *b)
{
	const struct address *x = a, *y = b;

	if (x->mm_id != y->mm_id)
		return x->mm_id < y->mm_id ? -1 : 1;
	return (x->addr > y->addr) - (x->addr < y->addr);
}

/* Give each wait a number for its address, and each number the place where its waits go. */
static void number_addresses(const struct futex_wait *waits, size_t cnt, uint32_t *of_wait,
			     size_t **firsts)
{
	struct address *addresses = NULL;
	size_t address_cnt = 0, address_cap = 0, first = 0;
	struct idmap idx_of = { 0 };

	for (size_t i = 0; i < cnt; i++) {
		const struct model_span *s = waits[i].span;

		of_wait[i] = *idmap_put(&idx_of, s->addr, s->mm_id, (uint32_t)address_cnt);
		if (of_wait[i] == address_cnt)
			vec_add(addresses, address_cnt, address_cap, (struct address){
				s->addr, s->mm_id, of_wait[i], 0
			});
		addresses[of_wait[i]].cnt++;
	}
	idmap_release(&idx_of);
	*firsts = xcalloc(address_cnt, sizeof(**firsts));
	qsort(addresses, address_cnt, sizeof(*addresses), address_cmp);
	for (size_t i = 0; i < address_cnt; i++) {
		(*firsts)[addresses[i].idx] = first;
		first += addresses[i].cnt;
	}
	free(addresses);
}

void futex_sort(struct futex_wait *waits, size_t cnt)
{
	struct futex_wait *sorted = xcalloc(cnt, sizeof(*sorted));
	uint32_t *of_wait = xcalloc(cnt, sizeof(*of_wait));
	size_t *next;

	if (cnt) {
		number_addresses(waits, cnt, of_wait, &next);
		for (size_t i = 0; i < cnt; i++)
			sorted[next[of_wait[i]]++] = waits[i];
		memcpy(waits, sorted, cnt * sizeof(*waits));
		free(next);
	}
	free(sorted);
	free(of_wait);
}

size_t futex_same(const struct futex_wait *waits, size_t cnt)
{
	size_t same = cnt ? 1 : 0;

	while (same && same < cnt && waits[same].span->mm_id == waits->span->mm_id &&
	       waits[same].span->addr == waits->span->addr)
		same++;
	return same;
}

/* ---- rule 4 ---- */

/* All waits at one address, ordered by task. */
struct place {
	const struct futex_wait *waits;
	size_t cnt;
	bool mutex;
};

static bool is_mutex(const struct futex_wait *waits, size_t cnt)
{
	size_t undecided = 0, contended = 0;

	for (size_t i = 0; i < cnt; i++) {
		if (waits[i].span->reason != REASON_NONE)
			continue;
		undecided++;
		contended += waits[i].span->futex_contended;
	}
	return undecided && 2 * contended >= undecided;
}

static struct place place_at(const struct futex_wait *waits, size_t cnt)
{
	struct place p = { .waits = waits, .cnt = futex_same(waits, cnt) };

	p.mutex = is_mutex(waits, p.cnt);
	return p;
}

static bool waited_here(const struct place *p, uint32_t task_id)
{
	size_t low = 0, high = p->cnt;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (p->waits[mid].task_id < task_id)
			low = mid + 1;
		else
			high = mid;
	}
	return low < p->cnt && p->waits[low].task_id == task_id;
}

/* The two words of one condition variable of glibc, whose waiters take turns at them. */
static bool are_twins(const struct place *a, const struct place *b)
{
	return a->cnt && b->cnt && a->waits->span->mm_id == b->waits->span->mm_id &&
	       a->waits->span->addr / 8 == b->waits->span->addr / 8 && !a->mutex && !b->mutex;
}

/* @twin: counted as well; may be empty. */
static enum reason judge_place(const struct place *p, const struct place *twin)
{
	const struct place *both[] = { p, twin };
	size_t wakes = 0, handed_on = 0;
	bool several = false;

	if (p->mutex)
		return REASON_LOCK;
	for (size_t i = 0; i < p->cnt + twin->cnt; i++) {
		const struct place *at = both[i >= p->cnt];
		const struct futex_wait *w = &at->waits[i >= p->cnt ? i - p->cnt : i];
		const struct model_span *s = w->span;

		several |= w->task_id != p->waits->task_id;
		if (!s->waker_tid || s->flags & (SPAN_WOKEN_BY_IRQ | SPAN_WAKER_EXITING))
			continue;
		wakes++;
		handed_on += s->waker_id &&
			     (waited_here(p, s->waker_id) || waited_here(twin, s->waker_id));
	}
	return several && wakes && 2 * handed_on >= wakes ? REASON_LOCK : REASON_COND;
}

void futex_judge_together(struct futex_wait *waits, size_t cnt)
{
	struct place before = { 0 }, none = { 0 }, here, after;

	futex_sort(waits, cnt);
	here = place_at(waits, cnt);
	for (size_t end = here.cnt; here.cnt; end += after.cnt) {
		enum reason reason;

		after = place_at(waits + end, cnt - end);
		reason = judge_place(&here, are_twins(&here, &after) ? &after :
				     are_twins(&before, &here) ? &before : &none);
		for (size_t i = end - here.cnt; i < end; i++) {
			if (waits[i].span->reason == REASON_NONE)
				waits[i].span->reason = (uint8_t)reason;
		}
		before = here;
		here = after;
	}
}
