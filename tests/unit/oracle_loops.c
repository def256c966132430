/* SPDX-License-Identifier: GPL-2.0-only */
/* oracle_loops - what event loops did between their waits. */

#include <stdlib.h>

#include "oracle.h"
#include "util/minmax.h"

/* One iteration: from the return of a wait to the next call. */
struct turn {
	uint64_t from_ns, until_ns;
	uint64_t ns[3], longest_block_ns;
	const struct truth_span *longest; /* block */
};

static bool is_of(const struct report_loop *loop, const struct truth_wait *w)
{
	return w->task_id == loop->task_id && w->epfd == loop->epfd;
}

/* The first return of a wait of this loop after @at_ns; NULL if there is none. */
static const struct truth_wait *next_wait(const struct oracle *o, const struct report_loop *loop,
					  uint64_t at_ns)
{
	const struct truth_wait *next = NULL;

	for (size_t i = 0; i < o->t->wait_cnt; i++) {
		const struct truth_wait *w = &o->t->waits[i];

		if (is_of(loop, w) && w->return_ns > at_ns &&
		    (!next || w->return_ns < next->return_ns))
			next = w;
	}
	return next;
}

/* The last one ends with the task, or where a wait in the same set began that never returned. */
static uint64_t last_end(const struct truth_task *task, int32_t epfd, uint64_t from_ns)
{
	for (size_t i = 0; i < task->span_cnt; i++) {
		const struct truth_span *s = &task->spans[i];

		if (s->start_ns >= from_ns && s->state == SPAN_BLOCKED &&
		    s->reason == REASON_EPOLL && (int32_t)s->addr == epfd)
			return s->start_ns;
	}
	return task->end_ns;
}

static void turn_fill(const struct truth_task *task, struct turn *turn)
{
	for (size_t i = 0; i < task->span_cnt; i++) {
		const struct truth_span *s = &task->spans[i];
		uint64_t from = max_u64(s->start_ns, turn->from_ns);
		uint64_t until = min_u64(s->end_ns, turn->until_ns);

		if (from >= until)
			continue;
		turn->ns[s->state] += until - from;
		if (s->state == SPAN_BLOCKED && until - from > turn->longest_block_ns) {
			turn->longest_block_ns = until - from;
			turn->longest = s;
		}
	}
}

/* What took most of the longest stall. */
static void check_stall(struct oracle *o, const struct report_loop *loop,
			const struct truth_task *task)
{
	struct turn turn = {
		.from_ns = loop->longest_stall_start_ns,
		.until_ns = loop->longest_stall_start_ns + loop->longest_stall_ns,
	};

	turn_fill(task, &turn);
	for (int k = 0; k < 3; k++)
		ORACLE(o, turn.ns[k] <= turn.ns[loop->stall_state],
		       "a stall of state %d, but there is more of %d", loop->stall_state, k);
	if (loop->stall_state != SPAN_BLOCKED) {
		ORACLE(o, !loop->stall_reason && !loop->stall_call,
		       "a stall, not blocked, has a call");
		return;
	}
	ORACLE_EQ(o, loop->stall_reason, turn.longest->reason);
	ORACLE(o, loop->stall_call == truth_call(turn.longest), "a stall in %s, should be %s",
	       loop->stall_call ? loop->stall_call : "none",
	       truth_call(turn.longest) ? truth_call(turn.longest) : "none");
}

static void check_turns(struct oracle *o, const struct report_loop *loop)
{
	const struct truth_task *task = truth_task(o->t, loop->task_id);
	uint64_t waits = 0, ready = 0, iterations = 0, ns[3] = { 0 }, longest = 0;
	bool found = !loop->longest_stall_ns;

	for (size_t i = 0; i < o->t->wait_cnt; i++) {
		const struct truth_wait *w = &o->t->waits[i], *next;
		struct turn turn = { .from_ns = w->return_ns };

		if (!is_of(loop, w))
			continue;
		waits++;
		ready += w->ready > 0 ? (uint64_t)w->ready : 0;
		next = next_wait(o, loop, w->return_ns);
		turn.until_ns = next ? next->enter_ns : last_end(task, loop->epfd, w->return_ns);
		turn.until_ns = min_u64(turn.until_ns, o->t->end_ns);
		if (turn.until_ns <= turn.from_ns)
			continue;
		turn_fill(task, &turn);
		iterations++;
		for (int k = 0; k < 3; k++)
			ns[k] += turn.ns[k];
		longest = max_u64(longest, turn.until_ns - turn.from_ns);
		found |= turn.from_ns == loop->longest_stall_start_ns &&
			 turn.until_ns - turn.from_ns == loop->longest_stall_ns;
	}
	ORACLE_EQ(o, loop->waits, waits);
	ORACLE_EQ(o, loop->ready, ready);
	ORACLE_EQ(o, loop->iterations, iterations);
	ORACLE_EQ(o, loop->cpu_ns, ns[SPAN_RUNNING]);
	ORACLE_EQ(o, loop->ready_ns, ns[SPAN_READY]);
	ORACLE_EQ(o, loop->blocked_ns, ns[SPAN_BLOCKED]);
	ORACLE_EQ(o, loop->longest_stall_ns, longest);
	ORACLE(o, found, "no iteration of task %u at %" PRIu64, loop->task_id,
	       loop->longest_stall_start_ns);
	if (longest)
		check_stall(o, loop, task);
}

static uint32_t most_ops(const struct oracle *o, uint32_t task_id)
{
	uint32_t most = 0;

	for (size_t k = 0; k < o->moment_cnt; k++) {
		uint64_t at_ns = o->moments[k].start_ns;
		uint32_t cnt = 0;

		for (size_t i = 0; i < o->t->op_cnt; i++)
			cnt += o->t->ops[i].task_id == task_id && o->t->ops[i].start_ns <= at_ns &&
			       at_ns < o->t->ops[i].end_ns;
		most = cnt > most ? cnt : most;
	}
	return most;
}

/* How many rows to expect: loops whose waits were seen, and tasks that have operations only. */
static size_t row_cnt(const struct oracle *o)
{
	const struct truth *t = o->t;
	size_t cnt = 0;

	for (size_t i = 0; i < t->wait_cnt; i++) {
		bool again = false;

		for (size_t j = 0; j < i; j++)
			again |= t->waits[j].task_id == t->waits[i].task_id &&
				 t->waits[j].epfd == t->waits[i].epfd;
		cnt += !again;
	}
	for (size_t i = 0; i < t->op_cnt; i++) {
		bool again = false;

		for (size_t j = 0; j < i; j++)
			again |= t->ops[j].task_id == t->ops[i].task_id;
		for (size_t j = 0; j < t->wait_cnt; j++)
			again |= t->waits[j].task_id == t->ops[i].task_id;
		cnt += !again;
	}
	return cnt;
}

void oracle_loops(struct oracle *o)
{
	ORACLE_EQ(o, o->r->loop_cnt, row_cnt(o));
	for (size_t i = 0; i < o->r->loop_cnt; i++) {
		const struct report_loop *loop = &o->r->loops[i];

		ORACLE(o, !i || loop[-1].task_id < loop->task_id ||
		       (loop[-1].task_id == loop->task_id && loop[-1].epfd < loop->epfd),
		       "loops are in no order");
		ORACLE_EQ(o, loop->max_operations, most_ops(o, loop->task_id));
		check_turns(o, loop);
	}
}
