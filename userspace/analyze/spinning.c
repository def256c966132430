/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * spinning - tasks that keep a CPU busy while they wait. They give the CPU up with sched_yield(2)
 * and want it back at once, or they ask epoll again and again without a time limit and get nothing.
 *
 * The kernel sees a yield only where another task was ready on that CPU, and lab sees polls that
 * return at once only under --ops. Waiting in a loop without any system call looks like work.
 */
#include <stdlib.h>

#include "analyze/report.h"
#include "analyze/share.h"
#include "util/alloc.h"
#include "util/minmax.h"

/* Fewer are no habit. */
#define YIELDS_LEAST 100
#define EMPTY_POLLS_LEAST 1000

/* The task was on a CPU, or ready, all the time: nothing limited the wait but a limit of 0. */
static bool is_empty_poll(const struct model *m, const struct model_loop_wait *w)
{
	const struct model_task *t = model_task(m, w->task_id);

	if (w->ready || !t)
		return false;
	for (size_t i = model_span_at(t, w->enter_ns); i < t->span_cnt; i++) {
		if (t->spans[i].start_ns >= w->return_ns)
			break;
		if (t->spans[i].state == SPAN_BLOCKED)
			return false;
	}
	return true;
}

/* One task's counts. */
struct habit {
	uint64_t yields, polls;
	uint64_t run_ns;	/* in stays that end with a yield */
};

static void count_yields(const struct model_task *t, struct habit *h)
{
	for (size_t i = 1; i < t->span_cnt; i++) {
		if (!(t->spans[i].flags & SPAN_YIELDED) || t->spans[i - 1].state != SPAN_RUNNING)
			continue;
		h->yields++;
		h->run_ns += t->spans[i - 1].end_ns - t->spans[i - 1].start_ns;
	}
}

static void spinning_run(const struct model *m, struct report *r)
{
	struct habit *habits = xcalloc(m->task_cnt + 1, sizeof(*habits));
	struct report_spinning *s = &r->spinning;
	uint64_t most = 0;

	for (size_t i = 0; i < m->loop_wait_cnt; i++) {
		const struct model_loop_wait *w = &m->loop_waits[i];

		if (is_empty_poll(m, w))
			habits[model_task(m, w->task_id) - m->tasks].polls++;
	}
	for (size_t i = 0; i < m->task_cnt; i++) {
		struct habit *h = &habits[i];

		count_yields(&m->tasks[i], h);
		s->yields += h->yields;
		s->empty_polls += h->polls;
		s->run_ns += h->run_ns;
		s->task_cnt += h->yields || h->polls;
		if (h->yields + h->polls > most) {
			most = h->yields + h->polls;
			s->task_id = m->tasks[i].id;
		}
	}
	s->present = s->empty_polls >= EMPTY_POLLS_LEAST ||
		     (s->yields >= YIELDS_LEAST && s->run_ns &&
		      share_is_5_percent(s->run_ns, r->parallelism.run_ns));
	free(habits);
}

const struct analysis analysis_spinning = { .name = "spinning", .run = spinning_run };
