/* SPDX-License-Identifier: GPL-2.0-only */
/* oracle_progress - what was in progress, in DESIGN's words, and what class that makes. */

#include <stdlib.h>
#include <string.h>

#include "oracle.h"
#include "util/alloc.h"
#include "util/minmax.h"

/* What the definition needs of each task. */
struct life {
	uint64_t first_run_ns, last_run_ns, run_ns;	/* first start, last end */
	bool ran, helper;
};

static struct life *lives_of(const struct oracle *o)
{
	struct life *lives = xcalloc(o->t->task_cnt + 1, sizeof(*lives));
	uint64_t most = 0;

	for (size_t i = 0; i < o->t->task_cnt; i++) {
		for (size_t j = 0; j < o->t->tasks[i].span_cnt; j++) {
			const struct truth_span *s = &o->t->tasks[i].spans[j];

			if (s->state != SPAN_RUNNING)
				continue;
			if (!lives[i].ran)
				lives[i].first_run_ns = s->start_ns;
			lives[i].ran = true;
			lives[i].last_run_ns = s->end_ns;
			lives[i].run_ns += s->end_ns - s->start_ns;
		}
		most = max_u64(most, lives[i].run_ns);
	}
	for (size_t i = 0; i < o->t->task_cnt; i++)
		lives[i].helper = 20 * lives[i].run_ns < most;
	return lives;
}

bool oracle_parks(const struct truth_span *s)
{
	return s->reason == REASON_LOCK || s->reason == REASON_COND || s->reason == REASON_EPOLL ||
	       s->reason == REASON_POLL || s->accept || s->reason == REASON_SIGNAL ||
	       s->reason == REASON_OTHER || s->reason == REASON_SEMAPHORE ||
	       s->reason == REASON_EVENTFD;
}

/* ---- naps ---- */

static bool is_nap(const struct truth_span *s)
{
	return s->state == SPAN_BLOCKED && s->reason == REASON_SLEEP && !s->futex &&
	       s->by_interrupt;
}

/* The next wait of the task, @step 1 or -1 on from number @i; -1: there is none. */
static long next_wait(const struct truth_task *task, long i, int step)
{
	for (i += step; i >= 0 && i < (long)task->span_cnt; i += step)
		if (task->spans[i].state == SPAN_BLOCKED)
			return i;
	return -1;
}

/* Number @b is the next wait behind number @a, and both are naps. */
static bool naps_on(const struct truth_task *task, long a, long b)
{
	return a >= 0 && b >= 0 && is_nap(&task->spans[a]) && is_nap(&task->spans[b]);
}

static bool naps_until_process_ends(const struct oracle *o, const struct truth_task *task)
{
	long end = next_wait(task, (long)task->span_cnt, -1);
	bool again = false;

	for (long i = next_wait(task, -1, 1); i >= 0; i = next_wait(task, i, 1))
		again |= naps_on(task, i, next_wait(task, i, 1));
	return again && truth_with_process(o->t, task, &task->spans[end]);
}

/* It only looks at the clock, until its process or a child of its ends. */
static bool ticks(const struct oracle *o, const struct truth_task *task, const struct truth_span *s)
{
	long i = s - task->spans, last = i, run;
	size_t monitors = 0;

	while (naps_on(task, last, next_wait(task, last, 1)))
		last = next_wait(task, last, 1);
	if (last == i && !naps_on(task, next_wait(task, i, -1), i))
		return false;
	for (size_t k = 0; k < o->t->task_cnt; k++)
		monitors += o->t->tasks[k].tgid == task->tgid &&
			    naps_until_process_ends(o, &o->t->tasks[k]);
	if (monitors == 1 && naps_until_process_ends(o, task))
		return true;
	for (run = last + 1; run < (long)task->span_cnt && task->spans[run].state == SPAN_READY;)
		run++;
	if (run == (long)task->span_cnt || task->spans[run].state != SPAN_RUNNING)
		run = -1;
	for (size_t k = 0; k < o->t->task_cnt; k++) {
		const struct truth_task *child = &o->t->tasks[k];

		if (child->parent_id == task->id && !child->alive &&
		    child->end_ns > task->spans[next_wait(task, last, -1)].end_ns &&
		    child->end_ns <= 1000000 + (run < 0 ? task->spans[last].end_ns :
							  task->spans[run].start_ns))
			return true;
	}
	return false;
}

static bool waits_in_progress(const struct oracle *o, const struct life *life,
			      const struct truth_task *task, const struct truth_span *s)
{
	if (s->reason == REASON_JOIN || s->reason == REASON_CHILD)
		return false;
	if (s->reason == REASON_FILELOCK)
		return true;
	if (is_nap(s) && ticks(o, task, s))
		return false;
	if (s->reason != REASON_LOCK && truth_by_kin(o->t, task, s))
		return false;
	return !(life->helper && oracle_parks(s));
}

/*
 * The task had a CPU or no work. Then it has a CPU for less than 5 % of the time that it waited for
 * it, and for less than 100 us, and does not wait for one again.
 */
static bool all_but_done(const struct oracle *o, const struct life *life,
			 const struct truth_task *task, const struct truth_span *s)
{
	uint64_t run_ns = 0, until_ns = 0;
	bool had = false, again = false;

	for (size_t i = 0; i < task->span_cnt; i++) {
		const struct truth_span *x = &task->spans[i];

		if (x->end_ns == s->start_ns)
			had = x->state == SPAN_RUNNING ||
			      (x->state == SPAN_BLOCKED && !waits_in_progress(o, life, task, x));
		if (x->state == SPAN_RUNNING && x->start_ns == s->end_ns) {
			run_ns = x->end_ns - x->start_ns;
			until_ns = x->end_ns;
		}
		again |= until_ns && x->state == SPAN_READY && x->start_ns == until_ns;
	}
	return had && !again && run_ns && run_ns < 100000 && 20 * run_ns < s->end_ns - s->start_ns;
}

static bool in_progress(const struct oracle *o, const struct life *life,
			const struct truth_task *task, const struct truth_span *s, uint64_t at_ns)
{
	if (!s || !life->ran || at_ns < life->first_run_ns || at_ns >= life->last_run_ns)
		return false;
	if (s->state == SPAN_READY)
		return !all_but_done(o, life, task, s);
	return s->state == SPAN_RUNNING || waits_in_progress(o, life, task, s);
}

static unsigned int ops_at(const struct truth *t, uint64_t at_ns)
{
	unsigned int cnt = 0;

	for (size_t i = 0; i < t->op_cnt; i++)
		cnt += t->ops[i].start_ns <= at_ns && at_ns < t->ops[i].end_ns;
	return cnt;
}

/* ---- the witness ---- */

static const struct truth_span *span_at(const struct truth_task *task, uint64_t at_ns)
{
	for (size_t i = 0; i < task->span_cnt; i++)
		if (task->spans[i].start_ns <= at_ns && at_ns < task->spans[i].end_ns)
			return &task->spans[i];
	return NULL;
}

static void check_task_part(struct oracle *o, const struct life *lives,
			    const struct witness_part *part, uint64_t at_ns)
{
	const struct truth_task *task = truth_task(o->t, part->task_id);
	const struct life *life = &lives[task - o->t->tasks];
	uint64_t from = part->start_ns, until = part->end_ns;

	ORACLE(o, from <= at_ns && at_ns < until, "part %u is not around its instant", task->id);
	/* In progress all the way, and not just before and after. */
	for (size_t i = 0; i < task->span_cnt; i++) {
		const struct truth_span *s = &task->spans[i];
		bool is = in_progress(o, life, task, s, s->start_ns);

		if (s->end_ns <= from || s->start_ns >= until)
			ORACLE(o, !is || (s->end_ns != from && s->start_ns != until),
			       "part %u goes on beyond its ends", task->id);
		else
			ORACLE(o, is, "part %u is interrupted", task->id);
	}
	ORACLE(o, span_at(task, from) && span_at(task, until - 1), "part %u is beyond its life",
	       task->id);
}

static void check_op_part(struct oracle *o, const struct witness_part *part, uint64_t at_ns)
{
	bool found = false;

	for (size_t i = 0; i < o->t->op_cnt; i++)
		found |= o->t->ops[i].task_id == part->task_id &&
			 o->t->ops[i].start_ns == part->start_ns &&
			 o->t->ops[i].end_ns == part->end_ns;
	ORACLE(o, found && part->start_ns <= at_ns && at_ns < part->end_ns,
	       "operation %u of task %u is not around its instant", part->op_id, part->task_id);
}

static void check_witness(struct oracle *o, const struct life *lives)
{
	const struct report_concurrency *c = &o->r->concurrency;
	const struct witness_part *parts = c->witness.parts;

	ORACLE_EQ(o, c->witness.part_cnt, o->concurrent_ns ? 2 : 0);
	for (uint32_t i = 0; i < c->witness.part_cnt; i++) {
		if (c->witness_is_ops)
			check_op_part(o, &parts[i], c->witness.from_ns);
		else
			check_task_part(o, lives, &parts[i], c->witness.from_ns);
	}
	if (c->witness.part_cnt == 2)
		ORACLE(o, c->witness_is_ops ? parts[0].op_id != parts[1].op_id :
					      parts[0].task_id != parts[1].task_id,
		       "the witness is one and the same");
}

void oracle_concurrency(struct oracle *o)
{
	const struct report_concurrency *c = &o->r->concurrency;
	struct life *lives = lives_of(o);
	unsigned int max_tasks = 0, max_ops = 0;

	for (size_t k = 0; k < o->moment_cnt; k++) {
		const struct moment *at = &o->moments[k];
		unsigned int ops = ops_at(o->t, at->start_ns), tasks = 0;

		for (size_t i = 0; i < o->t->task_cnt; i++)
			tasks += in_progress(o, &lives[i], &o->t->tasks[i], at->spans[i],
					     at->start_ns);
		max_tasks = tasks > max_tasks ? tasks : max_tasks;
		max_ops = ops > max_ops ? ops : max_ops;
		o->active_ns += tasks || ops ? at->ns : 0;
		o->concurrent_ns += tasks >= 2 || ops >= 2 ? at->ns : 0;
	}
	ORACLE_EQ(o, c->max_in_progress, max_tasks);
	ORACLE_EQ(o, c->max_operations, max_ops);
	ORACLE_EQ(o, c->active_ns, o->active_ns);
	ORACLE_EQ(o, c->concurrent_ns, o->concurrent_ns);
	check_witness(o, lives);
	free(lives);
}

/* For how long between @least and @most operations were open. */
static uint64_t ops_between(const struct oracle *o, uint64_t least, uint64_t most)
{
	uint64_t ns = 0;

	for (size_t k = 0; k < o->moment_cnt; k++) {
		unsigned int ops = ops_at(o->t, o->moments[k].start_ns);

		ns += ops >= least && ops <= most ? o->moments[k].ns : 0;
	}
	return ns;
}

void oracle_operations(struct oracle *o)
{
	const struct report_operations *got = &o->r->operations;

	ORACLE_EQ(o, got->profile_ns[0], ops_between(o, 0, 0));
	for (uint64_t k = 1; k < OPERATIONS_BUCKETS; k++)
		ORACLE_EQ(o, got->profile_ns[k],
			  ops_between(o, (k - 1) * got->step + 1, k * got->step));
	ORACLE_EQ(o, ops_between(o, (uint64_t)got->step * (OPERATIONS_BUCKETS - 1) + 1,
				 UINT64_MAX), 0);
}

/* ---- the class ---- */

static bool is_loop(const struct truth_span *s)
{
	return s->state == SPAN_BLOCKED &&
	       (s->reason == REASON_EPOLL || s->reason == REASON_POLL ||
		(s->reason == REASON_URING && s->syscall != LAB_SYSCALL_NONE));
}

static bool same_place(const struct truth_span *a, const struct truth_span *b)
{
	return a->reason == b->reason &&
	       (a->reason == REASON_POLL || (uint32_t)a->addr == (uint32_t)b->addr);
}

/* A loop had a wait, and it is not known what ended it. The model says what --ops told of it. */
static bool waits_unseen(const struct oracle *o)
{
	for (size_t i = 0; i < o->t->task_cnt; i++) {
		const struct truth_task *task = &o->t->tasks[i];

		for (size_t j = 0; j < task->span_cnt; j++) {
			const struct truth_span *s = &task->spans[j];
			unsigned int waits = 0;

			if (!is_loop(s) || s->waker_id || s->cut_end ||
			    o->m->tasks[i].spans[j].flags & SPAN_OBSERVED)
				continue;
			for (size_t k = 0; k < task->span_cnt; k++)
				waits += is_loop(&task->spans[k]) && same_place(&task->spans[k], s);
			if (waits >= 2)
				return true;
		}
	}
	return false;
}

/* In the time that helpers waited so, they may have slept, had it been seen what woke them. */
static bool may_have_slept(const struct oracle *o)
{
	struct life *lives = lives_of(o);
	unsigned __int128 ns = 0;

	for (size_t i = 0; i < o->t->task_cnt; i++) {
		for (size_t j = 0; j < o->t->tasks[i].span_cnt; j++) {
			const struct truth_span *s = &o->t->tasks[i].spans[j];

			if (lives[i].helper && lives[i].ran && s->state == SPAN_BLOCKED &&
			    s->futex && (s->unseen || s->doubtful) && s->futex_limited &&
			    s->reason == REASON_COND && s->start_ns >= lives[i].first_run_ns &&
			    s->end_ns <= lives[i].last_run_ns)
				ns += s->end_ns - s->start_ns;
		}
	}
	free(lives);
	return ns && 20 * (ns + o->concurrent_ns) >= o->active_ns;
}

static enum verdict_class class_of(const struct oracle *o)
{
	const struct report_parallelism *p = &o->r->parallelism;

	if (o->m->audit.failures_total)
		return CLASS_INCONCLUSIVE;
	if (o->proven && 20 * p->parallel_lower_ns >= p->busy_upper_ns)
		return CLASS_PARALLEL;
	if (!p->busy_ns || 20 * p->parallel_upper_ns >= p->busy_lower_ns)
		return CLASS_INCONCLUSIVE;
	if (o->concurrent_ns && 20 * o->concurrent_ns >= o->active_ns)
		return CLASS_CONCURRENT;
	return waits_unseen(o) || may_have_slept(o) ? CLASS_INCONCLUSIVE : CLASS_SEQUENTIAL;
}

void oracle_verdict(struct oracle *o)
{
	const struct report_verdict *v = &o->r->verdict;
	enum verdict_class class = class_of(o);

	ORACLE(o, v->class == class, "class %s, should be %s", verdict_class_name(v->class),
	       verdict_class_name(class));
	ORACLE(o, v->reason[0], "no reason");
	ORACLE_EQ(o, v->incidental_ns, class == CLASS_PARALLEL ? 0 : o->parallel_ns);
	ORACLE_EQ(o, v->never_two, !o->m->audit.failures_total && o->busy_ns && !o->beyond_eps);
	ORACLE_EQ(o, v->eps_ns, class == CLASS_PARALLEL ? o->r->parallelism.witness.eps_ns :
							   o->r->clocks.eps_max_ns);
}
