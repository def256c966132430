/* SPDX-License-Identifier: GPL-2.0-only */
#include "analyze/polling.h"

#include "analyze/share.h"

/*
 * A wait that only time ended. Where an interrupt may as well have come from a device or the network, as in
 * poll, it is not taken for one.
 */
static bool is_timed(const struct model_span *s)
{
	bool by_device = s->reason != REASON_SLEEP && s->reason != REASON_OTHER &&
			 !(s->flags & SPAN_FUTEX);

	return s->state == SPAN_BLOCKED && s->flags & SPAN_WOKEN_BY_IRQ && !s->waker_id && !by_device;
}

const struct model_span *polling_before(const struct model_task *t, const struct model_span *s)
{
	const struct model_span *before = s;
	uint64_t run_ns = 0;

	if (!is_timed(s))
		return NULL;
	while (before > t->spans && (--before)->state != SPAN_BLOCKED)
		run_ns += before->state == SPAN_RUNNING ? before->end_ns - before->start_ns : 0;
	if (before == s || !is_timed(before) || before->reason != s->reason ||
	    before->syscall != s->syscall || share_is_5_percent(run_ns, before->end_ns - before->start_ns))
		return NULL;
	return before;
}

bool polling_goes_on(const struct model_task *t, const struct model_span *s)
{
	const struct model_span *end = t->spans + t->span_cnt, *next = s + 1;

	while (next < end && next->state != SPAN_BLOCKED)
		next++;
	return next < end && polling_before(t, next) == s;
}
