/* SPDX-License-Identifier: GPL-2.0-only */
#include "analyze/progress.h"

#include "analyze/share.h"
#include "util/alloc.h"
#include "util/minmax.h"

#define REST_NS 100000

bool progress_is_helper(uint64_t run_ns, uint64_t longest_run_ns)
{
	return !share_is_5_percent(run_ns, longest_run_ns);
}

bool progress_is_idle(const struct model_span *s)
{
	switch (s->reason) {
	case REASON_LOCK:
	case REASON_COND:
	case REASON_EPOLL:
	case REASON_POLL:
	case REASON_SIGNAL:
	case REASON_SEMAPHORE:
	case REASON_EVENTFD:
	case REASON_OTHER:
		return true;
	default:
		return s->flags & SPAN_ACCEPT;
	}
}

static bool wait_counts(const struct model_span *s, bool helper)
{
	if (s->reason == REASON_JOIN || s->reason == REASON_CHILD)
		return false;
	if (s->ticks)
		return false;
	/* Nobody parks there, and no call is answered by it. */
	if (s->reason == REASON_FILELOCK)
		return true;
	if (s->reason != REASON_LOCK && s->flags & SPAN_WAKER_KIN)
		return false;
	return !(helper && progress_is_idle(s));
}

/* It waits for a CPU with next to nothing to do. */
static bool is_rest(const struct model_task *t, const struct model_span *s, bool helper)
{
	const struct model_span *before = s - 1, *run = s + 1, *next = s + 2;
	uint64_t run_ns = run->end_ns - run->start_ns;

	return (before->state == SPAN_RUNNING ||
		(before->state == SPAN_BLOCKED && !wait_counts(before, helper))) &&
	       run->state == SPAN_RUNNING && run_ns < REST_NS &&
	       !share_is_5_percent(run_ns, s->end_ns - s->start_ns) &&
	       (next == t->spans + t->span_cnt || next->state != SPAN_READY);
}

bool progress_counts(const struct model_task *t, const struct model_span *s, bool helper)
{
	if (s->state == SPAN_READY)
		return !is_rest(t, s, helper);
	return s->state == SPAN_RUNNING || wait_counts(s, helper);
}

/* From the first run of @t on, until its last. Return: the span behind that. */
static size_t life_of(const struct model_task *t, size_t *first)
{
	size_t end = t->span_cnt;

	*first = 0;
	while (*first < end && t->spans[*first].state != SPAN_RUNNING)
		++*first;
	while (end > *first && t->spans[end - 1].state != SPAN_RUNNING)
		end--;
	return end;
}

static void task_stretches(const struct model *m, size_t idx, bool helper, struct stretches *out)
{
	const struct model_task *t = &m->tasks[idx];
	const struct model_span *s = t->spans;
	size_t first, end = life_of(t, &first);
	bool open = false;

	for (size_t i = first; i < end; i++) {
		bool counts = progress_counts(t, &s[i], helper);

		if (counts && open)
			out->v[out->cnt - 1].end_ns = s[i].end_ns;
		else if (counts)
			*vec_push(out->v, out->cnt, out->cap) =
				(struct stretch){ s[i].start_ns, s[i].end_ns, idx };
		open = counts;
	}
}

static uint64_t longest_run_ns_of(const struct model *m, const struct report *r)
{
	uint64_t ns = 0;

	for (size_t i = 0; i < m->task_cnt; i++)
		ns = max_u64(ns, r->tasks[i].run_ns);
	return ns;
}

void progress_of_tasks(const struct model *m, const struct report *r, struct stretches *out)
{
	uint64_t longest_run_ns = longest_run_ns_of(m, r);

	*out = (struct stretches){ 0 };
	for (size_t i = 0; i < m->task_cnt; i++)
		task_stretches(m, i, progress_is_helper(r->tasks[i].run_ns, longest_run_ns), out);
}

static bool is_perhaps_sleep(const struct model_span *s)
{
	if (s->state != SPAN_BLOCKED || s->reason != REASON_COND || !(s->flags & SPAN_FUTEX))
		return false;
	return s->perhaps || (s->flags & SPAN_WOKEN_UNSEEN && !(s->flags & SPAN_NO_LIMIT));
}

uint64_t progress_perhaps_ns(const struct model *m, const struct report *r)
{
	uint64_t longest_run_ns = longest_run_ns_of(m, r), ns = 0;

	for (size_t i = 0; i < m->task_cnt; i++) {
		const struct model_task *t = &m->tasks[i];
		size_t at, end = life_of(t, &at);

		if (!progress_is_helper(r->tasks[i].run_ns, longest_run_ns))
			continue;
		for (; at < end; at++)
			if (is_perhaps_sleep(&t->spans[at]))
				ns += min_u64(t->spans[at].end_ns - t->spans[at].start_ns,
					      UINT64_MAX - ns);
	}
	return ns;
}

void progress_of_ops(const struct model *m, struct stretches *out)
{
	*out = (struct stretches){ 0 };
	for (size_t i = 0; i < m->op_cnt; i++) {
		uint64_t start_ns = max_u64(m->ops[i].start_ns, m->start_ns);
		uint64_t end_ns = min_u64(m->ops[i].end_ns, m->end_ns);

		if (start_ns < end_ns && !m->ops[i].parent_id)
			*vec_push(out->v, out->cnt, out->cap) =
				(struct stretch){ start_ns, end_ns, i };
	}
}
