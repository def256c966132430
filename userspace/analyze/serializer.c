/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * serializer - whether one lock lets the tasks run only one at a time, as the
 * interpreter lock of CPython or Ruby does.
 *
 * At every instant a tasks run, r are ready and b are blocked on the lock or about to be. Without the lock as
 * many as min(a + r + b, P) could run; what is missing is laid first to the want of
 * CPUs (r), then to the lock. While nothing is running or ready, nothing is missing: a lock that is
 * held asleep does not cost a CPU. The claim is made if of the use for more than one CPU
 * less than 5 % was made, and 80 % or more of what is missing is the lock's. Where there was
 * hardly any use for a second CPU, as in a program that sleeps, nothing is said.
 *
 * The lock is a few addresses, not one: CPython's is a mutex and a condition variable, whose
 * waiters alternate between two words. All locks within OBJECT_BYTES of the most waited-for are
 * taken for one. Only waits told to be for a lock count (model/futex.h): waits for
 * work do not.
 */
#include <stdlib.h>

#include "analyze/fake.h"
#include "analyze/report.h"
#include "analyze/share.h"
#include "util/alloc.h"
#include "util/minmax.h"

#define OBJECT_BYTES 256
#define CANDIDATES_MAX 4	/* the most waited-for */

struct candidate {
	uint64_t addr;
	uint32_t mm_id, tgid;
	uint64_t blocked;	/* tasks, at this instant */
	unsigned __int128 demand, reached, ready;
};

struct candidates {
	struct candidate v[CANDIDATES_MAX];
	size_t cnt;
};

/* What a task begins or ends to be. */
enum what { WHAT_RUNS, WHAT_READY, WHAT_BLOCKED };	/* WHAT_BLOCKED + i: on candidate i */

struct edge {
	uint64_t at_ns;
	uint8_t what;
	int8_t step;
};

struct edges {
	struct edge *v;
	size_t cnt, cap;
};

static int edge_cmp(const void *a, const void *b)
{
	const struct edge *x = a, *y = b;

	return (x->at_ns > y->at_ns) - (x->at_ns < y->at_ns);
}

/* Return: the index of the candidate that this address belongs to, or cs->cnt. */
static size_t candidate_of(const struct candidates *cs, uint32_t mm_id, uint64_t addr)
{
	size_t i;

	for (i = 0; i < cs->cnt; i++) {
		const struct candidate *c = &cs->v[i];
		uint64_t apart = max_u64(c->addr, addr) - min_u64(c->addr, addr);

		if (c->mm_id == mm_id && apart < OBJECT_BYTES)
			break;
	}
	return i;
}

/* Candidates from report.locks, which has the longest waits first. */
static void candidates_choose(const struct report *r, struct candidates *out)
{
	for (size_t i = 0; i < r->lock_cnt && out->cnt < CANDIDATES_MAX; i++) {
		const struct report_lock *l = &r->locks[i];

		if (l->kind == LOCK_KIND_LOCK && candidate_of(out, l->mm_id, l->addr) == out->cnt)
			out->v[out->cnt++] = (struct candidate){
				.addr = l->addr, .mm_id = l->mm_id, .tgid = l->tgid
			};
	}
}

/* Return: the candidate that @s waits for, or cs->cnt. */
static size_t waits_for(const struct candidates *cs, const struct model_span *s)
{
	if (s->state != SPAN_BLOCKED || s->reason != REASON_LOCK || !(s->flags & SPAN_FUTEX))
		return cs->cnt;
	return candidate_of(cs, s->mm_id, s->addr);
}

static void edges_add(struct edges *edges, const struct model_span *s, size_t what)
{
	*vec_push(edges->v, edges->cnt, edges->cap) = (struct edge){ s->start_ns, (uint8_t)what, +1 };
	*vec_push(edges->v, edges->cnt, edges->cap) = (struct edge){ s->end_ns, (uint8_t)what, -1 };
}

/*
 * From the end to the beginning: a ready task that will only run for a moment
 * and then wait for the lock has no use for a CPU. Waits that time out and go on, as CPython's do
 * every 5 ms, are full of that.
 */
static void edges_of_task(const struct model_span *spans, size_t cnt, const struct candidates *cs,
			  struct edges *out)
{
	size_t ahead = cs->cnt;	/* the lock it is about to wait for */
	uint64_t run_ns = 0;	/* until then */

	for (size_t i = cnt; i-- > 0;) {
		const struct model_span *s = &spans[i];

		if (s->state == SPAN_RUNNING) {
			edges_add(out, s, WHAT_RUNS);
			run_ns += s->end_ns - s->start_ns;
			if (run_ns > FAKE_RUN_NS)
				ahead = cs->cnt;
		} else if (s->state == SPAN_READY) {
			edges_add(out, s, ahead < cs->cnt ? WHAT_BLOCKED + ahead : WHAT_READY);
		} else {
			ahead = waits_for(cs, s);
			run_ns = 0;
			if (ahead < cs->cnt)
				edges_add(out, s, WHAT_BLOCKED + ahead);
		}
	}
}

static void edges_collect(const struct model *m, const struct candidates *cs, struct edges *out)
{
	for (size_t i = 0; i < m->task_cnt; i++)
		edges_of_task(&m->spans[m->tasks[i].span_first], m->tasks[i].span_cnt, cs, out);
	if (out->cnt)
		qsort(out->v, out->cnt, sizeof(*out->v), edge_cmp);
}

/* (min(n, cpus) - 1)+ */
static uint64_t beyond_one(uint64_t n, uint64_t cpus)
{
	n = min_u64(n, cpus);
	return n ? n - 1 : 0;
}

static void sweep(struct candidates *cs, const struct edges *edges, uint64_t cpus)
{
	uint64_t running = 0, ready = 0, at_ns = 0;

	for (size_t i = 0; i < edges->cnt; i++) {
		const struct edge *e = &edges->v[i];
		unsigned __int128 ns = e->at_ns - at_ns;
		uint64_t step = (uint64_t)(int64_t)e->step;

		for (size_t c = 0; ns && running + ready && c < cs->cnt; c++) {
			struct candidate *lock = &cs->v[c];

			lock->reached += ns * beyond_one(running, cpus);
			lock->ready += ns * beyond_one(running + ready, cpus);
			lock->demand += ns * beyond_one(running + ready + lock->blocked, cpus);
		}
		at_ns = e->at_ns;
		if (e->what == WHAT_RUNS)
			running += step;
		else if (e->what == WHAT_READY)
			ready += step;
		else
			cs->v[e->what - WHAT_BLOCKED].blocked += step;
	}
}

static uint64_t saturate(unsigned __int128 ns)
{
	return ns > UINT64_MAX ? UINT64_MAX : (uint64_t)ns;
}

static void judge(const struct candidate *c, uint64_t window_ns, struct report_serializer *out)
{
	unsigned __int128 missing = c->demand - c->reached, locked = c->demand - c->ready;

	*out = (struct report_serializer){
		.mm_id = c->mm_id, .tgid = c->tgid, .addr = c->addr,
		.demand_ns = saturate(c->demand), .reached_ns = saturate(c->reached),
		.ready_ns = saturate(c->ready - c->reached), .locked_ns = saturate(locked),
	};
	if (!c->demand || !share_is_5_percent(out->demand_ns, window_ns))
		return;
	out->measured = true;
	out->index_ppm = (uint32_t)(missing * 1000000 / c->demand);
	out->present = 20 * missing >= 19 * c->demand && 5 * locked >= 4 * missing;
}

struct waiter {
	uint32_t id;
	uint64_t ns;
};

static int waiter_cmp(const void *a, const void *b)
{
	const struct waiter *x = a, *y = b;

	if (x->ns != y->ns)
		return x->ns > y->ns ? -1 : 1;
	return (x->id > y->id) - (x->id < y->id);
}

static void name_tasks(const struct model *m, const struct candidate *c,
		       struct report_serializer *out)
{
	const struct candidates only = { .v = { *c }, .cnt = 1 };
	struct waiter *waiters = xcalloc(m->task_cnt + 1, sizeof(*waiters));

	for (size_t i = 0; i < m->task_cnt; i++) {
		const struct model_task *t = &m->tasks[i];

		waiters[i].id = t->id;
		for (size_t j = 0; j < t->span_cnt; j++) {
			const struct model_span *s = &m->spans[t->span_first + j];

			if (!waits_for(&only, s))
				waiters[i].ns += s->end_ns - s->start_ns;
		}
		out->task_cnt += !!waiters[i].ns;
	}
	qsort(waiters, m->task_cnt, sizeof(*waiters), waiter_cmp);
	for (uint32_t i = 0; i < out->task_cnt && i < SERIALIZER_TASKS_MAX; i++)
		out->tasks[i] = waiters[i].id;
	free(waiters);
}

static bool is_better(const struct report_serializer *a, const struct report_serializer *b)
{
	if (a->present != b->present)
		return a->present;
	if (a->measured != b->measured)
		return a->measured;
	return a->locked_ns > b->locked_ns;
}

static void serializer_run(const struct model *m, struct report *r)
{
	struct candidates cs = { .cnt = 0 };
	struct edges edges = { 0 };
	size_t best = 0;

	candidates_choose(r, &cs);
	if (!cs.cnt)
		return;
	edges_collect(m, &cs, &edges);
	sweep(&cs, &edges, m->cpu_cnt);
	free(edges.v);
	for (size_t i = 0; i < cs.cnt; i++) {
		struct report_serializer one;

		judge(&cs.v[i], m->end_ns - m->start_ns, &one);
		if (i && !is_better(&one, &r->serializer))
			continue;
		r->serializer = one;
		best = i;
	}
	r->serializer.symbol = model_symbol(m, r->serializer.mm_id, r->serializer.addr);
	name_tasks(m, &cs.v[best], &r->serializer);
}

const struct analysis analysis_serializer = { .name = "serializer", .run = serializer_run };
