/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * stuck - whether the run stood still at its end: every living task was blocked in a wait
 * that only another task of the run could have ended, so none of them could ever run again.
 *
 * Only these waits count, because nothing outside the run ends them:
 *
 *	a futex	without a time limit (SPAN_NO_LIMIT); but not one at which the same task was once
 *		woken from outside the run, and after --pid no futex that processes share
 *	a child	wait4, waitid, vfork, and sigsuspend, by a task that has a living child of the run
 *	a pipe	a write to a descriptor that no program inherits as its standard output; any
 *		other only if a task of the run ended such a wait there before
 *
 * All others (a timer, a socket, an event loop, a terminal, a disk, a signal) may end from outside:
 * a server that waits for its next request is not stuck. A run with a single task of that kind
 * is never called stuck.
 *
 * The end is the cut (--for); or, if the run was interrupted or its tasks were killed, the instant
 * at which the first of these waits was broken off from outside. Where records are missing
 * nothing is said, because a wake may be among them.
 */
#include <stdlib.h>

#include "analyze/lossless.h"
#include "analyze/report.h"
#include "model/syscalls.h"
#include "util/alloc.h"
#include "util/idmap.h"
#include "util/minmax.h"

#define STUCK_MIN_NS 100000000ULL	/* a shorter stand is not worth a word */
#define AFTER_END_NS 6000000000ULL	/* from Ctrl-C to the end: lab sends harder signals */
#define CHAIN_MAX 64
#define STANDARD_FDS 3
#define NR_RT_SIGSUSPEND 130
#define NR_WAIT4 61
#define EXIT_SIGNAL_BITS 0x7fu		/* of an exit code, as wait(2) has it */

static bool is_write(int32_t nr)
{
	/* write, and with p and v */
	return nr == 1 || nr == 18 || nr == 20 || nr == 296 || nr == 328;
}

static bool ended_from_outside(const struct model_span *s)
{
	return !s->waker_id &&
	       !(s->flags & (SPAN_CUT_END | SPAN_WOKEN_UNSEEN | SPAN_WAKER_EXITING));
}

/* True if an earlier wait of @t for the same thing ended like this. */
static bool ended_before(const struct model_task *t, const struct model_span *s, bool from_outside)
{
	for (const struct model_span *p = t->spans; p < s; p++) {
		if (p->state != SPAN_BLOCKED || p->addr != s->addr || p->reason != s->reason ||
		    p->syscall != s->syscall ||
		    (p->flags ^ s->flags) & (SPAN_FUTEX | SPAN_NO_LIMIT))
			continue;
		if (from_outside ? ended_from_outside(p) : p->waker_id != 0)
			return true;
	}
	return false;
}

static bool waits_for_child(const struct model_span *s)
{
	return s->reason == REASON_CHILD ||
	       (s->reason == REASON_SIGNAL && s->syscall == NR_RT_SIGSUSPEND &&
		!(s->flags & SPAN_COMPAT));
}

/*
 * What one wait shows: nothing outside the run ends it, unless an earlier one like it says
 * otherwise.
 */
static bool may_be_inner(const struct model *m, const struct model_span *s)
{
	if (s->state != SPAN_BLOCKED)
		return false;
	if (s->flags & SPAN_FUTEX)
		return s->flags & SPAN_NO_LIMIT && (s->mm_id || !m->meta.attach_tgid);
	return s->reason == REASON_PIPE || waits_for_child(s);
}

/*
 * True if nothing outside the run ends this wait; of a wait for a child, if there is a child.
 * Linear in the spans.
 */
static bool is_inner(const struct model *m, const struct model_task *t, const struct model_span *s)
{
	if (!may_be_inner(m, s))
		return false;
	if (s->flags & SPAN_FUTEX)
		return !ended_before(t, s, true);
	if (s->reason == REASON_PIPE)
		return (is_write(s->syscall) && s->addr >= STANDARD_FDS) ||
		       ended_before(t, s, false);
	return true;
}

static uint64_t len_of(const struct model_span *s)
{
	return s->end_ns - s->start_ns;
}

static bool was_broken_off(const struct model_span *s)
{
	return s->flags & SPAN_CUT_END || ended_from_outside(s);
}

/* True if the run did not end by itself: it was interrupted, or a task of it killed. */
static bool run_was_ended(const struct model *m)
{
	/* Where wakers are not known, they may be of the run. */
	if (m->wakes_unattributed)
		return false;
	if (m->end.reason == TRACE_END_INTERRUPT)
		return true;
	for (size_t i = 0; i < m->task_cnt; i++)
		if (!m->tasks[i].alive && m->tasks[i].exit_code & EXIT_SIGNAL_BITS)
			return true;
	return false;
}

/*
 * The wait in which @t may have been when the run was ended, or NULL. At the cut: its last span.
 * Else its longest that was broken off from outside; a program may do some work after Ctrl-C.
 * If there is none, its last, which the end of its process broke off.
 */
static const struct model_span *wait_at_end(const struct model *m, const struct model_task *t,
					    bool ended)
{
	const struct model_span *best = NULL, *s = &t->spans[t->span_cnt];

	if (t->alive && t->span_cnt && s[-1].flags & SPAN_CUT_END && is_inner(m, t, &s[-1]))
		return &s[-1];
	while (ended && s-- > t->spans && s->end_ns + AFTER_END_NS >= m->end_ns) {
		bool better = !best || (was_broken_off(s) &&
					(!was_broken_off(best) || len_of(s) > len_of(best)));

		if (better && may_be_inner(m, s))
			best = s;
	}
	return best && is_inner(m, t, best) ? best : NULL;
}

/* The longest wait that was broken off from outside: if the run stood still, then within it. */
static bool find_longest(const struct model *m, const struct model_span **waits,
			 struct report_stuck *out)
{
	const struct model_span *longest = NULL;

	for (size_t i = 0; i < m->task_cnt; i++) {
		const struct model_span *s = waits[i];

		if (s && was_broken_off(s) &&
		    (!longest || len_of(s) > len_of(longest)))
			longest = s;
	}
	if (!longest)
		return false;
	out->since_ns = longest->start_ns;
	out->until_ns = longest->end_ns;
	return true;
}

/* Shorten the stretch to where all these waits stood; false if some task was not waiting. */
static bool intersect(const struct model *m, const struct model_span **waits,
		      struct report_stuck *out)
{
	for (size_t i = 0; i < m->task_cnt; i++) {
		const struct model_task *t = &m->tasks[i];
		const struct model_span *s = waits[i];
		bool died = t->end_ns < out->until_ns && !(s && was_broken_off(s));

		if (t->end_ns <= out->since_ns || t->start_ns >= out->until_ns)
			continue;
		if (!died && s && s->start_ns < out->until_ns && s->end_ns > out->since_ns) {
			out->since_ns = max_u64(out->since_ns, s->start_ns);
			out->until_ns = min_u64(out->until_ns, s->end_ns);
		} else if (t->end_ns < out->until_ns) {
			out->since_ns = max_u64(out->since_ns, t->end_ns);
		} else {
			return false;
		}
	}
	return out->until_ns > out->since_ns && out->until_ns - out->since_ns >= STUCK_MIN_NS;
}

static bool stood(const struct model_task *t, const struct report_stuck *out)
{
	return t->start_ns < out->until_ns && t->end_ns > out->since_ns;
}

/* Whom tasks can wait for; each map leads to the eldest. */
struct others {
	/* of a process: a child that stood; the one with this number */
	struct idmap child, child_by_tid;
	struct idmap thread;			/* (tid, memory) */
};

static void others_find(struct others *o, const struct model *m, const struct report_stuck *out)
{
	for (size_t i = 0; i < m->task_cnt; i++) {
		const struct model_task *c = &m->tasks[i];
		const struct model_task *parent = c->parent_id ? model_task(m, c->parent_id) : NULL;

		idmap_put(&o->thread, c->tid, c->mm_id, (uint32_t)i);
		if (c->tid != c->tgid || !parent || c->tgid == parent->tgid || !stood(c, out))
			continue;
		idmap_put(&o->child, parent->tgid, 0, (uint32_t)i);
		idmap_put(&o->child_by_tid, parent->tgid, c->tid, (uint32_t)i);
	}
}

static void others_release(struct others *o)
{
	idmap_release(&o->child);
	idmap_release(&o->child_by_tid);
	idmap_release(&o->thread);
}

/* A child of the process of @t that stood: that of its number if the call names one; or NULL. */
static const struct model_task *child_of(const struct model *m, const struct others *o,
					 const struct model_task *t, const struct model_span *s)
{
	bool named = s->syscall == NR_WAIT4 && !(s->flags & SPAN_COMPAT) && (int32_t)s->addr > 0;
	const uint32_t *idx = NULL;

	if (named)
		idx = idmap_get(&o->child_by_tid, t->tgid, (uint32_t)s->addr);
	if (!idx)
		idx = idmap_get(&o->child, t->tgid, 0);
	return idx ? &m->tasks[*idx] : NULL;
}

static const struct deadlock_wait *link_of(const struct report_deadlock *d,
					   const struct model_task *t, const struct model_span *s)
{
	size_t low = 0, high = d->link_cnt;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (d->links[mid].task_id < t->id)
			low = mid + 1;
		else
			high = mid;
	}
	return low < d->link_cnt && d->links[low].task_id == t->id &&
	       d->links[low].start_ns == s->start_ns ? &d->links[low] : NULL;
}

/* The owner that a lock names, if no thread that shares the lock's memory has this number. */
static uint32_t foreign_owner(const struct others *o, const struct model_task *t,
			      const struct model_span *s)
{
	if (s->reason != REASON_LOCK || !s->mm_id || t->wait_start_ns != s->start_ns)
		return 0;
	return idmap_get(&o->thread, t->wait_owner_tid, t->mm_id) ? 0 : t->wait_owner_tid;
}

/* False if the task waits for children and has none. */
static bool add_wait(const struct model *m, const struct report_deadlock *d,
		     const struct others *o, const struct model_task *t,
		     const struct model_span *s, struct report_stuck *out)
{
	const struct deadlock_wait *link = link_of(d, t, s);
	struct stuck_wait wait = {
		.task_id = t->id, .reason = s->reason, .start_ns = s->start_ns,
		.call = span_syscall_name(s), .addr = s->addr, .mm_id = s->mm_id,
	};

	if (waits_for_child(s)) {
		const struct model_task *child = child_of(m, o, t, s);

		if (!child)
			return false;
		wait.reason = REASON_CHILD;
		wait.awaits_id = child->id;
	}
	if (s->flags & SPAN_FUTEX) {
		wait.symbol = model_symbol(m, s->mm_id, s->addr);
		wait.awaits_id = link ? link->owner_id : 0;
		if (link && link->evidence == EVIDENCE_JOIN)
			wait.reason = REASON_JOIN;
		wait.owner_tid = link ? 0 : foreign_owner(o, t, s);
	}
	vec_add(out->waits, out->wait_cnt, out->wait_cap, wait);
	return true;
}

static bool collect(const struct model *m, const struct report_deadlock *d,
		    const struct model_span **waits, struct report_stuck *out)
{
	struct others others = { 0 };
	bool all = true;

	others_find(&others, m, out);
	for (size_t i = 0; i < m->task_cnt && all; i++) {
		const struct model_span *s = waits[i];

		if (stood(&m->tasks[i], out))
			all = s && s->start_ns <= out->since_ns && s->end_ns >= out->until_ns &&
			      add_wait(m, d, &others, &m->tasks[i], s, out);
	}
	others_release(&others);
	return all && out->wait_cnt > 0;
}

/* The waits are still in order of birth. */
static struct stuck_wait *wait_of(const struct report_stuck *out, uint32_t task_id)
{
	size_t low = 0, high = out->wait_cnt;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (out->waits[mid].task_id < task_id)
			low = mid + 1;
		else
			high = mid;
	}
	return low < out->wait_cnt && out->waits[low].task_id == task_id ? &out->waits[low] : NULL;
}

/* Each wait counts once behind every other that its chain leads through, up to CHAIN_MAX. */
static void count_behind(struct report_stuck *out)
{
	size_t *seen_from = xcalloc(out->wait_cnt, sizeof(*seen_from)); /* 1 + last to count it */

	for (size_t i = 0; i < out->wait_cnt; i++) {
		struct stuck_wait *w = wait_of(out, out->waits[i].awaits_id);

		seen_from[i] = i + 1;
		for (int steps = 0; w && steps < CHAIN_MAX; steps++) {
			if (seen_from[w - out->waits] == i + 1)
				break;
			seen_from[w - out->waits] = i + 1;
			w->behind_cnt++;
			w = wait_of(out, w->awaits_id);
		}
	}
	free(seen_from);
}

/* First the ends of chains, those with the most behind them; of equal ones what began last. */
static int wait_cmp(const void *a, const void *b)
{
	const struct stuck_wait *x = a, *y = b;

	if (!x->awaits_id != !y->awaits_id)
		return x->awaits_id ? 1 : -1;
	if (x->behind_cnt != y->behind_cnt)
		return x->behind_cnt > y->behind_cnt ? -1 : 1;
	if (x->start_ns != y->start_ns)
		return x->start_ns > y->start_ns ? -1 : 1;
	return (x->task_id > y->task_id) - (x->task_id < y->task_id);
}

static void stuck_run(const struct model *m, struct report *r)
{
	struct report_stuck *out = &r->stuck;
	const struct model_span **waits;
	bool ended = run_was_ended(m);

	out->known = model_is_lossless(m);
	if (!out->known)
		return;
	waits = xcalloc(m->task_cnt + 1, sizeof(*waits));
	for (size_t i = 0; i < m->task_cnt; i++)
		waits[i] = wait_at_end(m, &m->tasks[i], ended);
	out->present = find_longest(m, waits, out) && intersect(m, waits, out) &&
		       collect(m, &r->deadlock, waits, out);
	if (out->present) {
		count_behind(out);
		qsort(out->waits, out->wait_cnt, sizeof(*out->waits), wait_cmp);
	} else {
		out->since_ns = out->until_ns = 0;
		out->wait_cnt = 0;
	}
	free(waits);
}

const struct analysis analysis_stuck = { .name = "stuck", .run = stuck_run };
