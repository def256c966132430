/* SPDX-License-Identifier: GPL-2.0-only */
/* oracle_locks - each futex that tasks waited for, and whether one lets one task run at a time. */

#include <stdlib.h>

#include "oracle.h"
#include "util/alloc.h"
#include "util/minmax.h"

#define FAKE_RUN_NS 50000	/* a run of no account, between two waits for a lock */
#define OBJECT_BYTES 256	/* words that are so near are of one lock */
#define CANDIDATES 4
#define NAMED 8

/* A wait in a futex. */
struct wait {
	const struct truth_task *task;
	const struct truth_span *span;
};

struct waits {
	struct wait *v;
	size_t cnt, cap;
};

/* All of them, or those at one place. */
static struct waits waits_of(const struct oracle *o, const struct truth_span *place)
{
	struct waits waits = { 0 };

	for (size_t i = 0; i < o->t->task_cnt; i++) {
		for (size_t j = 0; j < o->t->tasks[i].span_cnt; j++) {
			const struct truth_span *s = &o->t->tasks[i].spans[j];

			if (s->state != SPAN_BLOCKED || !s->futex)
				continue;
			if (!place || (s->mm == place->mm && s->addr == place->addr))
				*vec_push(waits.v, waits.cnt, waits.cap) =
					(struct wait){ &o->t->tasks[i], s };
		}
	}
	return waits;
}

/* The truth's number of a memory that the model calls @mm_id, by a wait that both have. */
static bool mm_is(const struct oracle *o, uint32_t mm_id, uint32_t mm)
{
	if (!mm_id || !mm)
		return mm_id == mm;
	for (size_t i = 0; i < o->t->task_cnt; i++) {
		for (size_t j = 0; j < o->t->tasks[i].span_cnt; j++) {
			const struct truth_span *s = &o->t->tasks[i].spans[j];
			const struct model_span *m =
				&o->m->tasks[i].spans[j];

			if (s->futex && m->mm_id == mm_id)
				return s->mm == mm;
		}
	}
	return false;
}

static const struct report_lock *row_of(const struct oracle *o, const struct truth_span *place)
{
	for (size_t i = 0; i < o->r->lock_cnt; i++)
		if (o->r->locks[i].addr == place->addr && mm_is(o, o->r->locks[i].mm_id, place->mm))
			return &o->r->locks[i];
	return NULL;
}

/* ---- one futex ---- */

static uint64_t wakes_by(const struct waits *waits, uint32_t id)
{
	uint64_t cnt = 0;

	for (size_t i = 0; i < waits->cnt; i++)
		cnt += waits->v[i].span->waker_id == id && !waits->v[i].span->by_interrupt &&
		       !waits->v[i].span->by_signal;
	return cnt;
}

static void check_holders(struct oracle *o, const struct report_lock *row,
			  const struct waits *waits)
{
	uint32_t wakers = 0;

	for (size_t i = 0; i < o->t->task_cnt; i++)
		wakers += wakes_by(waits, o->t->tasks[i].id) > 0;
	ORACLE_EQ(o, row->holder_cnt, wakers);
	for (uint32_t i = 0; i < row->holder_cnt && i < LOCK_HOLDERS_MAX; i++) {
		uint64_t cnt = wakes_by(waits, row->holders[i]), better = 0;

		for (size_t j = 0; j < o->t->task_cnt; j++) {
			uint32_t id = o->t->tasks[j].id;
			uint64_t others = wakes_by(waits, id);

			better += others > cnt || (others == cnt && others && id < row->holders[i]);
		}
		ORACLE(o, cnt && better == i, "holder %u of %" PRIx64 " is not the %u.",
		       row->holders[i], row->addr, i);
	}
}

static enum lock_kind most_kind(const struct waits *waits)
{
	uint64_t lock = 0, cond = 0, join = 0;

	for (size_t i = 0; i < waits->cnt; i++) {
		lock += waits->v[i].span->reason == REASON_LOCK;
		cond += waits->v[i].span->reason == REASON_COND ||
			waits->v[i].span->reason == REASON_SLEEP;
		join += waits->v[i].span->reason == REASON_JOIN;
	}
	if (lock >= cond && lock >= join)
		return LOCK_KIND_LOCK;
	return cond >= join ? LOCK_KIND_COND : LOCK_KIND_JOIN;
}

/* For how long of a wait the task whose wake ended it was ready. */
static uint64_t holder_ready(const struct oracle *o, const struct truth_span *wait)
{
	uint64_t ns = 0;

	if (!wait->waker_id || wait->by_interrupt || wait->by_signal)
		return 0;
	for (size_t k = 0; k < o->moment_cnt; k++) {
		const struct moment *at = &o->moments[k];

		if (at->start_ns < wait->start_ns || at->start_ns >= wait->end_ns)
			continue;
		for (size_t i = 0; i < o->t->task_cnt; i++)
			if (o->t->tasks[i].id == wait->waker_id && moment_is(at, i, SPAN_READY))
				ns += at->ns;
	}
	return ns;
}

static void check_place(struct oracle *o, const struct wait *first)
{
	const struct report_lock *row = row_of(o, first->span);
	struct waits waits = waits_of(o, first->span);
	uint64_t ns = 0, longest = 0, timeouts = 0, kept = 0;
	uint32_t waiters = 0, ops = 0;

	ORACLE(o, row, "no row of %" PRIx64, first->span->addr);
	for (size_t i = 0; row && i < waits.cnt; i++) {
		const struct truth_span *s = waits.v[i].span;

		ns += s->end_ns - s->start_ns;
		longest = max_u64(longest, s->end_ns - s->start_ns);
		timeouts += s->by_interrupt;
		kept += holder_ready(o, s);
		ops |= s->futex_op < 32 ? 1u << s->futex_op : 0;
		waiters += !i || waits.v[i].task != waits.v[i - 1].task;
		if (s->start_ns < first->span->start_ns)
			first = &waits.v[i];
	}
	if (row) {
		ORACLE_EQ(o, row->waits, waits.cnt);
		ORACLE_EQ(o, row->wait_ns, ns);
		ORACLE_EQ(o, row->max_wait_ns, longest);
		ORACLE_EQ(o, row->timeouts, timeouts);
		ORACLE_EQ(o, row->holder_ready_ns, kept);
		ORACLE_EQ(o, row->ops, ops);
		ORACLE_EQ(o, row->waiter_cnt, waiters);
		ORACLE_EQ(o, row->tgid, first->task->tgid);
		ORACLE_EQ(o, row->kind, most_kind(&waits));
		check_holders(o, row, &waits);
	}
	free(waits.v);
}

/*
 * What a program did for sure, whatever the rules of futex.h make of it. A mutex that does not say
 * which task has it looks like a condition, and, if an exiting owner hands it on, like a join.
 */
static void check_meaning(struct oracle *o, const struct wait *w)
{
	const struct truth_span *s = w->span;

	if (s->meant == REASON_LOCK && s->owned)
		ORACLE(o, s->reason == REASON_LOCK, "a mutex at %" PRIx64 " is a %s", s->addr,
		       reason_name(s->reason));
	if (s->meant == REASON_JOIN && (s->by_exiting || s->by_interrupt))
		ORACLE(o, s->reason == REASON_JOIN, "a join at %" PRIx64 " is a %s", s->addr,
		       reason_name(s->reason));
}

void oracle_locks(struct oracle *o)
{
	struct waits all = waits_of(o, NULL);
	size_t places = 0;

	for (size_t i = 0; i < all.cnt; i++) {
		bool again = false;

		for (size_t j = 0; j < i && !again; j++)
			again = all.v[j].span->mm == all.v[i].span->mm &&
				all.v[j].span->addr == all.v[i].span->addr;
		places += !again;
		if (!again)
			check_place(o, &all.v[i]);
		check_meaning(o, &all.v[i]);
	}
	ORACLE_EQ(o, o->r->lock_cnt, places);
	for (size_t i = 1; i < o->r->lock_cnt; i++)
		ORACLE(o, o->r->locks[i].wait_ns <= o->r->locks[i - 1].wait_ns,
		       "locks are in no order");
	free(all.v);
}

/* ---- one lock that lets one task run at a time ---- */

static bool is_of(const struct oracle *o, const struct report_lock *lock,
		  const struct truth_span *s)
{
	uint64_t apart = max_u64(lock->addr, s->addr) - min_u64(lock->addr, s->addr);

	return s->state == SPAN_BLOCKED && s->futex && s->reason == REASON_LOCK &&
	       apart < OBJECT_BYTES && mm_is(o, lock->mm_id, s->mm);
}

/* The most waited-for locks; words near one that has its place already belong to it. */
static size_t choose(const struct oracle *o, const struct report_lock **out)
{
	size_t cnt = 0;

	for (size_t i = 0; i < o->r->lock_cnt && cnt < CANDIDATES; i++) {
		const struct report_lock *l = &o->r->locks[i];
		bool near = false;

		for (size_t j = 0; j < cnt; j++)
			near |= out[j]->mm_id == l->mm_id &&
				max_u64(out[j]->addr, l->addr) - min_u64(out[j]->addr, l->addr) <
				OBJECT_BYTES;
		if (l->kind == LOCK_KIND_LOCK && !near)
			out[cnt++] = l;
	}
	return cnt;
}

/* The lock, of @cnt, for which this task is waiting, or will be after a run of no account. */
static size_t waits_for(const struct oracle *o, const struct report_lock **locks, size_t cnt,
			const struct truth_task *task, const struct truth_span *s)
{
	const struct truth_span *end = task->spans + task->span_cnt;
	uint64_t run_ns = 0;
	size_t i;

	for (; s < end && s->state != SPAN_BLOCKED; s++)
		if (s->state == SPAN_RUNNING)
			run_ns += s->end_ns - s->start_ns;
	if (s == end || run_ns > FAKE_RUN_NS)
		return cnt;
	for (i = 0; i < cnt; i++)
		if (is_of(o, locks[i], s))
			break;
	return i;
}

static uint64_t beyond_one(uint64_t n, uint64_t cpus)
{
	n = min_u64(n, cpus);
	return n ? n - 1 : 0;
}

struct sums {
	uint64_t demand, reached, ready;
};

/* @of[task * spans]: which lock each span is blocked on, or about to be; by truth_span. */
static void add_moment(const struct oracle *o, const struct report_lock **locks, size_t cnt,
		       const struct moment *at, struct sums *sums)
{
	uint64_t a = moment_count(o, at, SPAN_RUNNING), r = 0, b[CANDIDATES] = { 0 };

	for (size_t i = 0; i < o->t->task_cnt; i++) {
		size_t lock;

		if (!at->spans[i] || at->spans[i]->state == SPAN_RUNNING)
			continue;
		lock = waits_for(o, locks, cnt, &o->t->tasks[i], at->spans[i]);
		if (lock < cnt)
			b[lock]++;
		else
			r += at->spans[i]->state == SPAN_READY;
	}
	for (size_t i = 0; i < cnt && a + r; i++) {
		sums[i].reached += at->ns * beyond_one(a, o->t->cpu_cnt);
		sums[i].ready += at->ns * beyond_one(a + r, o->t->cpu_cnt);
		sums[i].demand += at->ns * beyond_one(a + r + b[i], o->t->cpu_cnt);
	}
}

/* Tasks that waited for it, and did something after that. */
static uint32_t had_by(const struct oracle *o, const struct report_lock *lock)
{
	uint32_t cnt = 0;

	for (size_t i = 0; i < o->t->task_cnt; i++) {
		bool had = false;

		for (size_t j = 0; j + 1 < o->t->tasks[i].span_cnt; j++)
			had |= is_of(o, lock, &o->t->tasks[i].spans[j]);
		cnt += had;
	}
	return cnt;
}

static struct report_serializer judge(const struct oracle *o, const struct report_lock *lock,
				      const struct sums *s)
{
	unsigned __int128 missing = s->demand - s->reached, locked = s->demand - s->ready;
	struct report_serializer r = {
		.mm_id = lock->mm_id, .tgid = lock->tgid, .addr = lock->addr,
		.demand_ns = s->demand, .reached_ns = s->reached,
		.ready_ns = s->ready - s->reached, .locked_ns = s->demand - s->ready,
	};

	r.measured = s->demand && 20 * s->demand >= o->t->end_ns - o->t->start_ns;
	if (!r.measured)
		return r;
	r.index_ppm = (uint32_t)(missing * 1000000 / s->demand);
	r.present = missing * 100 >= (unsigned __int128)s->demand * 90 &&
		    locked * 100 >= missing * 80 && had_by(o, lock) >= 2;
	return r;
}

static void check_tasks(struct oracle *o, const struct report_lock *lock)
{
	const struct report_serializer *got = &o->r->serializer;
	uint64_t last = UINT64_MAX;
	uint32_t waiters = 0;

	for (size_t i = 0; i < o->t->task_cnt; i++) {
		uint64_t ns = 0;

		for (size_t j = 0; j < o->t->tasks[i].span_cnt; j++)
			ns += is_of(o, lock, &o->t->tasks[i].spans[j]);
		waiters += ns > 0;
	}
	ORACLE_EQ(o, got->task_cnt, waiters);
	for (uint32_t i = 0; i < got->task_cnt && i < NAMED; i++) {
		const struct truth_task *task = truth_task(o->t, got->tasks[i]);
		uint64_t ns = 0;

		for (size_t j = 0; j < task->span_cnt; j++)
			if (is_of(o, lock, &task->spans[j]))
				ns += task->spans[j].end_ns - task->spans[j].start_ns;
		ORACLE(o, ns && ns <= last, "waiter %u in no order", task->id);
		last = ns;
	}
}

static bool is_better(const struct report_serializer *a, const struct report_serializer *b)
{
	if (a->present != b->present)
		return a->present;
	if (a->measured != b->measured)
		return a->measured;
	return a->locked_ns > b->locked_ns;
}

void oracle_serializer(struct oracle *o)
{
	const struct report_serializer *got = &o->r->serializer;
	const struct report_lock *locks[CANDIDATES];
	struct sums sums[CANDIDATES] = { { 0 } };
	size_t cnt = choose(o, locks), best = 0;
	struct report_serializer want = { 0 };

	for (size_t k = 0; k < o->moment_cnt && cnt; k++)
		add_moment(o, locks, cnt, &o->moments[k], sums);
	for (size_t i = 0; i < cnt; i++) {
		struct report_serializer one = judge(o, locks[i], &sums[i]);

		if (i && !is_better(&one, &want))
			continue;
		want = one;
		best = i;
	}
	if (!want.present)
		oracle_handovers(o);
	if (got->kind == SERIALIZER_HANDOVERS) {
		ORACLE(o, got->present && !want.present,
		       "hand-overs where a lock is the serializer");
		return;
	}
	ORACLE(o, got->present == want.present && got->measured == want.measured &&
	       got->addr == want.addr && got->mm_id == want.mm_id && got->tgid == want.tgid,
	       "%" PRIx64 " present %d measured %d, should be %" PRIx64 " present %d measured %d",
	       got->addr, got->present, got->measured, want.addr, want.present, want.measured);
	ORACLE_EQ(o, got->demand_ns, want.demand_ns);
	ORACLE_EQ(o, got->reached_ns, want.reached_ns);
	ORACLE_EQ(o, got->ready_ns, want.ready_ns);
	ORACLE_EQ(o, got->locked_ns, want.locked_ns);
	ORACLE_EQ(o, got->index_ppm, want.index_ppm);
	if (cnt)
		check_tasks(o, locks[best]);
	else
		ORACLE_EQ(o, got->task_cnt, 0);
}
