/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * serializer - whether one lock lets the tasks run only one at a time, as the
 * interpreter lock of CPython or Ruby does.
 *
 * At every instant a tasks run, r are ready and b are blocked on the lock or about to be. Without
 * the lock as many as min(a + r + b, P) could run. What is missing is put down first to the want of
 * CPUs (r), then to the lock. While nothing is running or ready, nothing is missing: a lock that is
 * held asleep does not cost a CPU. The claim is made if of the use for more than one CPU at most a
 * tenth was made, and 80 % or more of what is missing is the lock's. Where there was hardly any use
 * for a second CPU, as in a program that sleeps, nothing is said. Nor is anything said where
 * records are missing for 5 % of that use or more.
 *
 * The lock is a few addresses, not one: CPython's is a mutex and a condition variable, whose
 * waiters alternate between two words. All locks within SERIAL_OBJECT_BYTES of the most waited-for
 * are taken for one. Only waits known to be for a lock count (model/futex.h): waits for work do
 * not. And only a lock counts for which two tasks or more waited, and went on: a task that never
 * waited for the lock may never have had it. handovers.c finds a lock that is no futex, or many.
 */
#include <stdlib.h>

#include "analyze/fake.h"
#include "analyze/heap.h"
#include "analyze/report.h"
#include "analyze/serial.h"
#include "model/timeline.h"
#include "util/alloc.h"
#include "util/minmax.h"

#define CANDIDATES_MAX 4	/* the most waited-for */

struct candidate {
	uint64_t addr;
	uint32_t mm_id, tgid;
	uint32_t had_by;	/* tasks that waited for it, and went on */
	struct serial_sums sums;
};

struct candidates {
	struct candidate v[CANDIDATES_MAX];
	size_t cnt;
};

/* What a span counts as. WHAT_BLOCKED + i: on candidate i. */
enum what { WHAT_NOTHING, WHAT_RUNS, WHAT_READY, WHAT_BLOCKED };

/* Return: the index of the candidate that this address belongs to, or cs->cnt. */
static size_t candidate_of(const struct candidates *cs, uint32_t mm_id, uint64_t addr)
{
	size_t i;

	for (i = 0; i < cs->cnt; i++) {
		const struct candidate *c = &cs->v[i];
		uint64_t apart = max_u64(c->addr, addr) - min_u64(c->addr, addr);

		if (c->mm_id == mm_id && apart < SERIAL_OBJECT_BYTES)
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

/*
 * From the end to the beginning: a ready task that will only run for a moment
 * and then wait for the lock has no use for a CPU. Waits that time out and go on, as CPython's do
 * every 5 ms, are full of that.
 */
static void task_whats(const struct model_task *t, const struct candidates *cs, uint8_t *whats)
{
	size_t ahead = cs->cnt;	/* the lock it is about to wait for */
	uint64_t run_ns = 0;	/* until then */

	for (size_t i = t->span_cnt; i-- > 0;) {
		const struct model_span *s = &t->spans[i];

		if (s->state == SPAN_RUNNING) {
			whats[i] = WHAT_RUNS;
			run_ns += s->end_ns - s->start_ns;
			if (run_ns > FAKE_RUN_NS)
				ahead = cs->cnt;
			continue;
		}
		if (s->state == SPAN_BLOCKED) {
			ahead = waits_for(cs, s);
			run_ns = 0;
		}
		if (ahead < cs->cnt)
			whats[i] = (uint8_t)(WHAT_BLOCKED + ahead);
		else
			whats[i] = s->state == SPAN_READY ? WHAT_READY : WHAT_NOTHING;
	}
}

/* How many tasks are what, at this instant. */
struct sweep {
	struct candidates *cs;
	uint64_t cpus, at_ns;
	uint64_t tasks[WHAT_BLOCKED + CANDIDATES_MAX];
};

static void sweep_to(struct sweep *s, uint64_t at_ns)
{
	uint64_t ns = at_ns - s->at_ns;

	s->at_ns = at_ns;
	for (size_t c = 0; ns && c < s->cs->cnt; c++)
		serial_add(&s->cs->v[c].sums, ns, s->tasks[WHAT_RUNS], s->tasks[WHAT_READY],
			   s->tasks[WHAT_BLOCKED + c], s->cpus);
}

static void ends_run(struct sweep *s, struct heap *ends, uint64_t until_ns)
{
	while (ends->cnt && ends->v[0].key <= until_ns) {
		struct heap_item end = heap_pop(ends);

		sweep_to(s, end.key);
		s->tasks[end.value]--;
	}
}

/* @whats: of all spans, one task after the other */
static void sweep(const struct model *m, struct candidates *cs, const uint8_t *whats)
{
	struct sweep s = { .cs = cs, .cpus = m->cpu_cnt };
	const struct model_span *span;
	struct timeline timeline;
	struct heap ends = { 0 };	/* of tasks; values are what they are then */
	uint32_t idx;

	timeline_init(&timeline, m);
	while ((span = timeline_step(&timeline, &idx))) {
		const struct model_task *t = &m->tasks[idx];
		const uint8_t *what = &whats[t->span_first + (size_t)(span - t->spans)];

		ends_run(&s, &ends, span->start_ns);
		sweep_to(&s, span->start_ns);
		if (span != t->spans)
			s.tasks[what[-1]]--;
		s.tasks[*what]++;
		if (span == t->spans + t->span_cnt - 1)
			heap_push(&ends, span->end_ns, *what);
	}
	ends_run(&s, &ends, UINT64_MAX);
	timeline_release(&timeline);
	free(ends.v);
}

static void count_had(const struct model *m, struct candidates *cs)
{
	for (size_t i = 0; i < m->task_cnt; i++) {
		const struct model_task *t = &m->tasks[i];
		bool had[CANDIDATES_MAX + 1] = { false };

		for (size_t j = 0; j + 1 < t->span_cnt; j++)
			had[waits_for(cs, &t->spans[j])] = true;
		for (size_t c = 0; c < cs->cnt; c++)
			cs->v[c].had_by += had[c];
	}
}

static void judge(const struct model *m, const struct candidate *c, struct report_serializer *out)
{
	*out = (struct report_serializer){
		.kind = SERIALIZER_LOCK, .through = REASON_LOCK,
		.mm_id = c->mm_id, .tgid = c->tgid, .addr = c->addr, .had_by = c->had_by,
	};
	out->present = serial_judge(&c->sums, m->end_ns - m->start_ns, out) && c->had_by >= 2 &&
		       serial_is_known(m, out);
}

static void name_tasks(const struct model *m, const struct candidate *c,
		       struct report_serializer *out)
{
	const struct candidates only = { .v = { *c }, .cnt = 1 };
	struct serial_waiter *waiters = xcalloc(m->task_cnt + 1, sizeof(*waiters));

	for (size_t i = 0; i < m->task_cnt; i++) {
		const struct model_task *t = &m->tasks[i];

		waiters[i].id = t->id;
		for (size_t j = 0; j < t->span_cnt; j++) {
			const struct model_span *s = &t->spans[j];

			if (!waits_for(&only, s))
				waiters[i].ns += s->end_ns - s->start_ns;
		}
	}
	serial_name_tasks(waiters, m->task_cnt, out);
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
	size_t best = 0;
	uint8_t *whats;

	candidates_choose(r, &cs);
	if (!cs.cnt)
		return;
	whats = xcalloc(m->span_cnt, sizeof(*whats));
	for (size_t i = 0; i < m->task_cnt; i++)
		task_whats(&m->tasks[i], &cs, whats + m->tasks[i].span_first);
	sweep(m, &cs, whats);
	free(whats);
	count_had(m, &cs);
	for (size_t i = 0; i < cs.cnt; i++) {
		struct report_serializer one;

		judge(m, &cs.v[i], &one);
		if (i && !is_better(&one, &r->serializer))
			continue;
		r->serializer = one;
		best = i;
	}
	r->serializer.symbol = model_symbol(m, r->serializer.mm_id, r->serializer.addr);
	name_tasks(m, &cs.v[best], &r->serializer);
}

const struct analysis analysis_serializer = { .name = "serializer", .run = serializer_run };
