/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * loops - one row per event loop: a task and its epoll set.
 *
 * What holds a loop up is what it does between one return of epoll_wait and
 * its next call: computing (a hog), waiting for a CPU (starved), or blocked
 * elsewhere (a blocking call). The iteration under way at the end counts.
 */
#include <stdlib.h>

#include "analyze/levels.h"
#include "analyze/report.h"
#include "model/syscalls.h"
#include "util/alloc.h"
#include "util/minmax.h"

/* One loop while its waits are gone through in order. */
struct cursor {
	const struct model_task *task;
	size_t span;		/* of the task: none before it matters any more */
	struct report_loop *loop;
};

static int wait_cmp(const void *a, const void *b)
{
	const struct model_loop_wait *x = *(const struct model_loop_wait *const *)a;
	const struct model_loop_wait *y = *(const struct model_loop_wait *const *)b;

	if (x->task_id != y->task_id)
		return x->task_id < y->task_id ? -1 : 1;
	if (x->epfd != y->epfd)
		return x->epfd < y->epfd ? -1 : 1;
	return (x->return_ns > y->return_ns) - (x->return_ns < y->return_ns);
}

/*
 * What the loop's task did in [from_ns, until_ns), which is never before the last range asked for.
 * Where records are missing another iteration may have begun: that one is left out.
 */
static void iteration_add(struct cursor *c, uint64_t from_ns, uint64_t until_ns)
{
	uint64_t ns[SPAN_UNKNOWN + 1] = { 0 }, longest_block_ns = 0;
	enum span_state most = SPAN_RUNNING;
	const struct model_span *longest = NULL;

	for (size_t i = c->span; i < c->task->span_cnt; i++) {
		const struct model_span *s = &c->task->spans[i];
		uint64_t start_ns = max_u64(s->start_ns, from_ns);
		uint64_t end_ns = min_u64(s->end_ns, until_ns);

		if (s->start_ns >= until_ns)
			break;
		c->span = i;
		if (start_ns >= end_ns)
			continue;
		ns[s->state] += end_ns - start_ns;
		if (s->state == SPAN_BLOCKED && end_ns - start_ns > longest_block_ns) {
			longest_block_ns = end_ns - start_ns;
			longest = s;
		}
	}
	if (ns[SPAN_UNKNOWN])
		return;
	for (int k = SPAN_READY; k <= SPAN_BLOCKED; k++)
		if (ns[k] > ns[most])
			most = k;
	c->loop->iterations++;
	c->loop->cpu_ns += ns[SPAN_RUNNING];
	c->loop->ready_ns += ns[SPAN_READY];
	c->loop->blocked_ns += ns[SPAN_BLOCKED];
	c->loop->longest_cpu_ns = max_u64(c->loop->longest_cpu_ns, ns[SPAN_RUNNING]);
	c->loop->longest_blocked_ns = max_u64(c->loop->longest_blocked_ns, ns[SPAN_BLOCKED]);
	if (until_ns - from_ns <= c->loop->longest_stall_ns)
		return;
	c->loop->longest_stall_ns = until_ns - from_ns;
	c->loop->longest_stall_start_ns = from_ns;
	c->loop->stall_state = (uint8_t)most;
	c->loop->stall_reason = most == SPAN_BLOCKED ? longest->reason : REASON_NONE;
	c->loop->stall_call = most == SPAN_BLOCKED ? span_syscall_name(longest) : NULL;
}

/* The last iteration ends where a wait begins that never returned, or with the task. */
static uint64_t last_end_ns(const struct model_task *t, int32_t epfd, uint64_t from_ns)
{
	uint64_t end_ns = t->end_ns;

	for (size_t i = t->span_cnt; i > 0; i--) {
		const struct model_span *s = &t->spans[i - 1];

		if (s->start_ns < from_ns)
			break;
		if (s->state == SPAN_BLOCKED && s->reason == REASON_EPOLL &&
		    (int32_t)s->addr == epfd)
			end_ns = s->start_ns;
	}
	return end_ns;
}

/* @waits: all of one loop, in order of return. A wait whose call was not seen ends no iteration. */
static void loop_add(const struct model *m, struct report *r,
		     const struct model_loop_wait *const *waits, size_t cnt)
{
	struct cursor c = {
		.task = model_task(m, waits[0]->task_id),
		.loop = vec_push(r->loops, r->loop_cnt, r->loop_cap),
	};

	c.loop->task_id = waits[0]->task_id;
	c.loop->epfd = waits[0]->epfd;
	for (size_t i = 0; i < cnt; i++) {
		uint64_t from_ns = max_u64(waits[i]->return_ns, m->start_ns), until_ns;

		c.loop->waits++;
		if (waits[i]->ready > 0)
			c.loop->ready += (uint64_t)waits[i]->ready;
		if (!c.task)
			continue;
		until_ns = i + 1 < cnt ? waits[i + 1]->enter_ns :
					 last_end_ns(c.task, waits[i]->epfd, from_ns);
		until_ns = min_u64(until_ns, m->end_ns);
		if (until_ns > from_ns)
			iteration_add(&c, from_ns, until_ns);
	}
}

/* By task, so that each task's operations adjoin. */
static int op_cmp(const void *a, const void *b)
{
	const struct model_op *x = *(const struct model_op *const *)a;
	const struct model_op *y = *(const struct model_op *const *)b;

	if (x->task_id != y->task_id)
		return x->task_id < y->task_id ? -1 : 1;
	return (x->id > y->id) - (x->id < y->id);
}

/*
 * Give @max to every loop of the task; a task of which no wait was recorded gets a row.
 * @waited_cnt: rows of loops that waited, by task; the others are behind them
 */
static void loops_set_operations(struct report *r, size_t waited_cnt, uint32_t task_id,
				 uint32_t max)
{
	size_t low = 0, high = waited_cnt;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (r->loops[mid].task_id < task_id)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == waited_cnt || r->loops[low].task_id != task_id)
		*vec_push(r->loops, r->loop_cnt, r->loop_cap) = (struct report_loop){
			.task_id = task_id,
			.epfd = -1,
			.max_operations = max,
		};
	for (; low < waited_cnt && r->loops[low].task_id == task_id; low++)
		r->loops[low].max_operations = max;
}

static void operations_count(const struct model *m, struct report *r)
{
	const struct model_op **ops = xcalloc(m->op_cnt + 1, sizeof(*ops));
	size_t cnt = 0, waited_cnt = r->loop_cnt;
	struct intervals open = { 0 };

	for (size_t i = 0; i < m->op_cnt; i++)
		if (!m->ops[i].parent_id)
			ops[cnt++] = &m->ops[i];
	qsort(ops, cnt, sizeof(*ops), op_cmp);
	for (size_t i = 0; i < cnt; i++) {
		struct levels levels;

		intervals_add(&open, ops[i]->start_ns, ops[i]->end_ns, m->start_ns, m->end_ns);
		if (i + 1 < cnt && ops[i + 1]->task_id == ops[i]->task_id)
			continue;
		levels_compute(&open, m->start_ns, m->end_ns, &levels);
		loops_set_operations(r, waited_cnt, ops[i]->task_id, levels.cnt - 1);
		free(levels.ns);
		open.cnt = 0;
	}
	free(open.v);
	free(ops);
}

static int loop_cmp(const void *a, const void *b)
{
	const struct report_loop *x = a, *y = b;

	if (x->task_id != y->task_id)
		return x->task_id < y->task_id ? -1 : 1;
	return (x->epfd > y->epfd) - (x->epfd < y->epfd);
}

static void loops_run(const struct model *m, struct report *r)
{
	const struct model_loop_wait **waits = xcalloc(m->loop_wait_cnt + 1, sizeof(*waits));

	for (size_t i = 0; i < m->loop_wait_cnt; i++)
		waits[i] = &m->loop_waits[i];
	qsort(waits, m->loop_wait_cnt, sizeof(*waits), wait_cmp);
	for (size_t first = 0, end; first < m->loop_wait_cnt; first = end) {
		end = first + 1;
		while (end < m->loop_wait_cnt && waits[end]->task_id == waits[first]->task_id &&
		       waits[end]->epfd == waits[first]->epfd)
			end++;
		loop_add(m, r, waits + first, end - first);
	}
	free(waits);
	operations_count(m, r);
	if (r->loop_cnt)
		qsort(r->loops, r->loop_cnt, sizeof(*r->loops), loop_cmp);
}

const struct analysis analysis_loops = { .name = "loops", .run = loops_run };
