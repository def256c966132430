/* SPDX-License-Identifier: GPL-2.0-only */
#include "model/futex.h"

#include <stdlib.h>
#include <string.h>

#include "util/idmap.h"
#include "util/alloc.h"
#include "util/minmax.h"

/*
 * A wait that a task ends within this part of the shortest sleep of its task there is none of its
 * sleeps.
 */
#define GLIMPSE_PART 100
/* Sleeps that differ by less than this part of the shortest are of one length. */
#define SAME_PART 20

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

enum reason futex_judge_alone(const struct model_span *span, bool val_is_thread)
{
	bool woken_by_task = span->waker_tid && !(span->flags & SPAN_WOKEN_BY_IRQ);

	if (span->futex_op == FUTEX_OP_LOCK_PI || span->futex_op == FUTEX_OP_LOCK_PI2)
		return REASON_LOCK;
	if (span->futex_op == FUTEX_OP_WAIT_REQUEUE_PI)
		return REASON_COND;
	if (span->futex_owned)
		return REASON_LOCK;
	if (span->flags & SPAN_WAKER_EXITING)
		return REASON_JOIN;
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

/* ---- rule 5 ---- */

/* All waits at one address, ordered by task and, of each, by time. */
struct place {
	const struct futex_wait *waits;
	size_t cnt;
	bool mutex;
};

/* The waits of a place and its twin. */
struct site {
	struct place at[2];
};

static struct place place_at(const struct futex_wait *waits, size_t cnt)
{
	struct place p = { .waits = waits, .cnt = futex_same(waits, cnt) };

	for (size_t i = 0; i < p.cnt; i++)
		p.mutex |= waits[i].span->futex_owned;
	return p;
}

/* The first wait of this task here, or of one after it. */
static size_t first_of(const struct place *p, uint32_t task_id)
{
	size_t low = 0, high = p->cnt;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (p->waits[mid].task_id < task_id)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static bool waited_here(const struct place *p, uint32_t task_id)
{
	size_t i = first_of(p, task_id);

	return i < p->cnt && p->waits[i].task_id == task_id;
}

/* The two words of one condition variable of glibc, whose waiters take turns at them. */
static bool are_twins(const struct place *a, const struct place *b)
{
	return a->cnt && b->cnt && a->waits->span->mm_id == b->waits->span->mm_id &&
	       a->waits->span->addr / 8 == b->waits->span->addr / 8 && !a->mutex && !b->mutex;
}

static bool ended_by_task(const struct model_span *s)
{
	return s->waker_tid && !(s->flags & (SPAN_WOKEN_BY_IRQ | SPAN_WAKER_EXITING));
}

/* When a task handed over. */
struct hand {
	uint32_t task_id;
	uint64_t at_ns;
};

static int hand_cmp(const void *a, const void *b)
{
	const struct hand *x = a, *y = b;

	if (x->task_id != y->task_id)
		return x->task_id < y->task_id ? -1 : 1;
	return (x->at_ns > y->at_ns) - (x->at_ns < y->at_ns);
}

static struct hand *hands_collect(const struct site *site, size_t *cnt)
{
	struct hand *hands = NULL;
	size_t cap = 0;

	*cnt = 0;
	for (size_t p = 0; p < 2; p++) {
		for (size_t i = 0; i < site->at[p].cnt; i++) {
			const struct model_span *s = site->at[p].waits[i].span;

			if (ended_by_task(s) && !s->futex_many && s->waker_id &&
			    (waited_here(&site->at[0], s->waker_id) ||
			     waited_here(&site->at[1], s->waker_id)))
				vec_add(hands, *cnt, cap, (struct hand){ s->waker_id, s->end_ns });
		}
	}
	if (*cnt)
		qsort(hands, *cnt, sizeof(*hands), hand_cmp);
	return hands;
}

/* A wait of the task here begins in [@from_ns, @until_ns]. */
static bool waits_between(const struct site *site, uint32_t task_id, uint64_t from_ns,
			  uint64_t until_ns)
{
	for (size_t p = 0; p < 2; p++) {
		const struct place *at = &site->at[p];
		size_t low = first_of(at, task_id), high = first_of(at, task_id + 1);
		size_t end = high;

		while (low < high) {
			size_t mid = low + (high - low) / 2;

			if (at->waits[mid].span->start_ns < from_ns)
				low = mid + 1;
			else
				high = mid;
		}
		if (low < end && at->waits[low].span->start_ns <= until_ns)
			return true;
	}
	return false;
}

/* Who let go has it again, or did not wait for what it gave: turns taken in a talk are neither. */
static bool keeps_on(const struct site *site, const struct hand *hands, size_t cnt)
{
	for (size_t p = 0; p < 2; p++)
		for (size_t i = 0; i < site->at[p].cnt; i++)
			if (site->at[p].waits[i].span->flags & SPAN_WOKEN_BY_IRQ)
				return true;
	for (size_t i = 1; i < cnt; i++)
		if (hands[i].task_id == hands[i - 1].task_id &&
		    !waits_between(site, hands[i].task_id, hands[i - 1].at_ns, hands[i].at_ns))
			return true;
	return false;
}

static bool goes_round(const struct site *site)
{
	size_t wakes = 0, cnt, by_holders = 0, holders = 0;
	struct hand *hands = hands_collect(site, &cnt);
	bool is_lock;

	for (size_t i = 0, next; i < cnt; i = next) {
		for (next = i + 1; next < cnt && hands[next].task_id == hands[i].task_id;)
			next++;
		if (next - i < 2)
			continue;
		holders++;
		by_holders += next - i;
	}
	for (size_t p = 0; p < 2; p++)
		for (size_t i = 0; i < site->at[p].cnt; i++)
			wakes += ended_by_task(site->at[p].waits[i].span);
	is_lock = holders >= 2 && 2 * by_holders >= wakes && keeps_on(site, hands, cnt);
	free(hands);
	return is_lock;
}

static bool reached_limit(const struct model_span *s)
{
	return s->flags & SPAN_WOKEN_BY_IRQ && !(s->flags & SPAN_NO_LIMIT);
}

/* How the waits with a time limit of one task at one site ended. */
struct limits {
	const struct model_span *last;		/* the last one that says something */
	/* the last one that a task ended right after it began */
	const struct model_span *glimpse;
	/* of those that reached their limit; UINT64_MAX, 0: none did */
	uint64_t shortest_ns, longest_ns;
	size_t reached_cnt, cut_short_cnt, glimpse_cnt;
};

/* All are of one task: later in its array is later. */
static void note_last(const struct model_span **last, const struct model_span *s)
{
	if (!*last || s > *last)
		*last = s;
}

/*
 * A wait that a task ends right after it began says nothing: the same word may be that of a sleep
 * and of a lock (Ruby's threads), and what was slept is known from those that reached their limit.
 * Nor does a wait whose end no probe saw.
 */
static void count_limit(struct limits *l, const struct model_span *s)
{
	if (s->flags & (SPAN_NO_LIMIT | SPAN_WOKEN_UNSEEN))
		return;
	if (ended_by_task(s)) {
		if (l->shortest_ns != UINT64_MAX &&
		    s->end_ns - s->start_ns < l->shortest_ns / GLIMPSE_PART) {
			l->glimpse_cnt++;
			note_last(&l->glimpse, s);
			return;
		}
		l->cut_short_cnt++;
	}
	l->reached_cnt += reached_limit(s);
	note_last(&l->last, s);
}

static void measure_limit(struct limits *l, const struct model_span *s)
{
	uint64_t ns = s->end_ns - s->start_ns;

	if (!reached_limit(s))
		return;
	l->shortest_ns = min_u64(l->shortest_ns, ns);
	l->longest_ns = max_u64(l->longest_ns, ns);
}

static struct limits limits_of(const struct site *site, uint32_t task_id)
{
	struct limits l = { .shortest_ns = UINT64_MAX };

	for (int pass = 0; pass < 2; pass++) {
		for (size_t p = 0; p < 2; p++) {
			const struct place *at = &site->at[p];

			for (size_t i = first_of(at, task_id);
			     i < at->cnt && at->waits[i].task_id == task_id; i++)
				(pass ? count_limit : measure_limit)(&l, at->waits[i].span);
		}
	}
	return l;
}

enum sleeps { SLEEPS_NOT, SLEEPS_PERHAPS, SLEEPS };

/*
 * Whether the task came here to sleep: of its waits with a time limit the last one reached it, and
 * tasks cut no more of them short than did. Perhaps, if all were of one length, and a task ended a
 * further one at once: so does a runtime's periodic thread end that is told to stop when it has
 * just begun to wait.
 */
static enum sleeps sleeps_here(const struct site *site, uint32_t task_id)
{
	struct limits l = limits_of(site, task_id);

	if (!l.last || !reached_limit(l.last) || l.reached_cnt < l.cut_short_cnt)
		return SLEEPS_NOT;
	if (l.glimpse_cnt == 1 && l.glimpse > l.last && !l.cut_short_cnt &&
	    l.longest_ns - l.shortest_ns < l.shortest_ns / SAME_PART)
		return SLEEPS_PERHAPS;
	return SLEEPS;
}

/* @twin: counted as well; may be empty. */
static void judge_place(const struct place *p, const struct place *twin)
{
	const struct site site = { .at = { *p, *twin } };
	bool is_lock = p->mutex || goes_round(&site);
	enum sleeps sleeps = SLEEPS_NOT;

	for (size_t i = 0; i < p->cnt; i++) {
		struct model_span *s = p->waits[i].span;

		if (!i || p->waits[i].task_id != p->waits[i - 1].task_id)
			sleeps = is_lock ? SLEEPS_NOT : sleeps_here(&site, p->waits[i].task_id);
		if (s->reason != REASON_NONE)
			continue;
		s->perhaps = sleeps == SLEEPS_PERHAPS && reached_limit(s);
		s->reason = is_lock ? REASON_LOCK :
			    sleeps == SLEEPS && reached_limit(s) ? REASON_SLEEP : REASON_COND;
	}
}

void futex_judge_together(struct futex_wait *waits, size_t cnt)
{
	struct place before = { 0 }, none = { 0 }, here, after;

	futex_sort(waits, cnt);
	here = place_at(waits, cnt);
	for (size_t end = here.cnt; here.cnt; end += after.cnt) {
		after = place_at(waits + end, cnt - end);
		judge_place(&here, are_twins(&here, &after) ? &after :
			    are_twins(&before, &here) ? &before : &none);
		before = here;
		here = after;
	}
}
