/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tail - the end of a run in which no two tasks ran or wanted to run at once: the last piece of
 * work, for which everybody else waits.
 *
 * From the end backwards, it reads only the spans of that part. Other programs cannot make a tail:
 * a task that they keep from running is ready. Where records are missing nothing is said, because
 * they may be of a second task.
 */
#include <stdlib.h>

#include "analyze/heap.h"
#include "analyze/lossless.h"
#include "analyze/report.h"
#include "util/alloc.h"
#include "util/minmax.h"

/* Time in which a task ran or was ready without a break, from span @first on. */
struct active {
	uint64_t start_ns, end_ns;
	size_t first;
};

/* The last such time in the spans before @end. Return: whether there is one. */
static bool active_before(const struct model_task *t, size_t end, struct active *out)
{
	const struct model_span *s = t->spans;

	while (end && s[end - 1].state == SPAN_BLOCKED)
		end--;
	if (!end)
		return false;
	*out = (struct active){ .end_ns = s[end - 1].end_ns };
	while (end && s[end - 1].state != SPAN_BLOCKED)
		end--;
	out->first = end;
	out->start_ns = s[end].start_ns;
	return true;
}

/* The latest end comes first out of the heap. */
static void push(struct heap *h, const struct active *a, size_t task)
{
	heap_push(h, UINT64_MAX - a->end_ns, task);
}

/*
 * The last instant at which two tasks were active; the window's start if there is none. The
 * shortest overlaps, a hundredth of the window in all, do not count: a task that waits for a
 * thread's end is ready before that thread is off its CPU.
 */
static uint64_t last_with_two(const struct model *m)
{
	struct active *of = xcalloc(m->task_cnt + 1, sizeof(*of));
	uint64_t at_ns = m->start_ns, spare_ns = (m->end_ns - m->start_ns) / 100;
	struct heap ends = { 0 };

	for (size_t i = 0; i < m->task_cnt; i++)
		if (active_before(&m->tasks[i], m->tasks[i].span_cnt, &of[i]))
			push(&ends, &of[i], i);
	while (ends.cnt >= 2) {
		size_t a = heap_pop(&ends).value, b = heap_pop(&ends).value;
		uint64_t from_ns = max_u64(of[a].start_ns, of[b].start_ns);
		uint64_t both_ns = of[b].end_ns > from_ns ? of[b].end_ns - from_ns : 0;
		size_t later = of[a].start_ns >= of[b].start_ns ? a : b, other = a + b - later;

		if (both_ns > spare_ns) {
			at_ns = max_u64(at_ns, of[b].end_ns);
			break;
		}
		spare_ns -= both_ns;
		push(&ends, &of[other], other);
		if (active_before(&m->tasks[later], of[later].first, &of[later]))
			push(&ends, &of[later], later);
	}
	free(of);
	free(ends.v);
	return at_ns;
}

static uint64_t run_since(const struct model_task *t, uint64_t at_ns)
{
	uint64_t ns = 0;

	for (size_t i = t->span_cnt; i-- > 0 && t->spans[i].end_ns > at_ns;)
		if (t->spans[i].state == SPAN_RUNNING)
			ns += t->spans[i].end_ns - max_u64(t->spans[i].start_ns, at_ns);
	return ns;
}

static void tail_run(const struct model *m, struct report *r)
{
	struct report_tail *tail = &r->tail;

	if (m->task_cnt < 2 || !model_is_lossless(m))
		return;
	tail->start_ns = last_with_two(m);
	tail->ns = m->end_ns - min_u64(tail->start_ns, m->end_ns);
	for (size_t i = 0; i < m->task_cnt; i++) {
		uint64_t ns = run_since(&m->tasks[i], tail->start_ns);

		tail->run_ns += ns;
		if (ns > tail->task_run_ns) {
			tail->task_run_ns = ns;
			tail->task_id = m->tasks[i].id;
		}
	}
	/* A tenth of the run, and half of it work: a wait for something else is another matter. */
	tail->present = m->cpu_cnt >= 2 && tail->start_ns > m->start_ns &&
			tail->ns >= (m->end_ns - m->start_ns) / 10 &&
			tail->run_ns >= tail->ns / 2 && r->parallelism.max >= 2;
}

const struct analysis analysis_tail = { .name = "tail", .run = tail_run };
