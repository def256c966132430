/* SPDX-License-Identifier: GPL-2.0-only */
#include "analyze/polling.h"

#include "analyze/share.h"
#include "util/minmax.h"

#define SLEEPER_SPANS_MAX 64	/* sleep(1) has about ten */
#define BETWEEN_SPANS_MAX 1024	/* from one wait of a kind to the next; a shell has some dozens */

/*
 * A wait that only time ended. A wait is not taken for one where the interrupt may as well have
 * come from a device or the network, as in poll.
 */
static bool is_own_sleep(const struct model_span *s)
{
	bool by_device = s->reason != REASON_SLEEP && s->reason != REASON_OTHER &&
			 !(s->flags & SPAN_FUTEX);

	return s->state == SPAN_BLOCKED && s->flags & SPAN_WOKEN_BY_IRQ && !s->waker_id &&
	       !by_device;
}

/* Whether @t was only there to sleep. It may have waited for the disk to become its program. */
static bool is_sleeper(const struct model_task *t)
{
	uint64_t slept_ns = 0, run_ns = 0;

	if (t->alive || t->span_cnt > SLEEPER_SPANS_MAX)
		return false;
	for (size_t i = 0; i < t->span_cnt; i++) {
		const struct model_span *s = &t->spans[i];

		if (s->state == SPAN_RUNNING)
			run_ns += s->end_ns - s->start_ns;
		else if (is_own_sleep(s))
			slept_ns += s->end_ns - s->start_ns;
		else if (s->state == SPAN_BLOCKED && s->reason != REASON_DISK)
			return false;
	}
	return slept_ns > run_ns;
}

/* The child whose end is that of @s, if it was there to sleep; or NULL. */
static const struct model_task *sleeper_of(const struct model *m, const struct model_task *t,
					   const struct model_span *s)
{
	const struct model_task *waker;

	if (s->state != SPAN_BLOCKED || s->reason != REASON_CHILD)
		return NULL;
	waker = model_task(m, s->waker_id);
	return waker && waker->parent_id == t->id && is_sleeper(waker) ? waker : NULL;
}

static bool is_timed(const struct model *m, const struct model_task *t, const struct model_span *s)
{
	return is_own_sleep(s) || sleeper_of(m, t, s);
}

uint64_t polling_since(const struct model *m, const struct model_task *t,
		       const struct model_span *s)
{
	const struct model_task *sleeper = sleeper_of(m, t, s);

	return sleeper ? min_u64(sleeper->start_ns, s->start_ns) : s->start_ns;
}

const struct model_span *polling_before(const struct model *m, const struct model_task *t,
					const struct model_span *s)
{
	const struct model_span *before = s;
	uint64_t run_ns = 0, since_ns;

	if (!is_timed(m, t, s))
		return NULL;
	since_ns = polling_since(m, t, s);
	while (before > t->spans && s - before < BETWEEN_SPANS_MAX &&
	       ((--before)->state != SPAN_BLOCKED || before->start_ns >= since_ns))
		run_ns += before->state == SPAN_RUNNING ? before->end_ns - before->start_ns : 0;
	if (before == s || s - before >= BETWEEN_SPANS_MAX || !is_timed(m, t, before) ||
	    before->reason != s->reason || before->syscall != s->syscall ||
	    share_is_5_percent(run_ns, before->end_ns - before->start_ns))
		return NULL;
	return before;
}

bool polling_goes_on(const struct model *m, const struct model_task *t,
		     const struct model_span *s)
{
	const struct model_span *end = t->spans + t->span_cnt, *next = s + 1;

	while (next < end && next->state != SPAN_BLOCKED)
		next++;
	return next < end && polling_before(m, t, next) == s;
}
