/* SPDX-License-Identifier: GPL-2.0-only */
/* oracle_tables - tasks, CPUs, moves, and how long tasks waited for a CPU. */

#include <stdlib.h>
#include <string.h>

#include "oracle.h"
#include "util/alloc.h"
#include "util/minmax.h"

void oracle_tasks(struct oracle *o)
{
	ORACLE_EQ(o, o->r->task_cnt, o->t->task_cnt);
	for (size_t i = 0; i < o->t->task_cnt; i++) {
		const struct truth_task *task = &o->t->tasks[i];
		const struct report_task *got = &o->r->tasks[i];
		uint64_t ns[3] = { 0 }, blocked[REASON_CNT] = { 0 }, longest = 0;
		uint32_t cpus = 0;

		for (size_t k = 0; k < o->moment_cnt; k++) {
			const struct truth_span *s = o->moments[k].spans[i];

			if (!s)
				continue;
			ns[s->state] += o->moments[k].ns;
			blocked[s->state == SPAN_BLOCKED ? s->reason : 0] += o->moments[k].ns;
		}
		for (size_t j = 0; j < task->span_cnt; j++) {
			const struct truth_span *s = &task->spans[j];
			bool before = s->state != SPAN_RUNNING;

			for (size_t k = 0; k < j && !before; k++)
				before = task->spans[k].state == SPAN_RUNNING &&
					 task->spans[k].cpu == s->cpu;
			cpus += !before;
			if (s->state == SPAN_READY)
				longest = max_u64(longest, s->end_ns - s->start_ns);
			for (uint32_t c = 0; !before && c <= got->cpu_cnt; c++) {
				ORACLE(o, c < got->cpu_cnt, "CPU %u of task %u is missing", s->cpu,
				       task->id);
				if (c < got->cpu_cnt && got->cpus[c] == s->cpu)
					break;
			}
		}
		ORACLE_EQ(o, got->run_ns, ns[SPAN_RUNNING]);
		ORACLE_EQ(o, got->ready_ns, ns[SPAN_READY]);
		ORACLE_EQ(o, got->max_ready_ns, longest);
		ORACLE_EQ(o, got->cpu_cnt, cpus);
		for (uint32_t c = 1; c < got->cpu_cnt; c++)
			ORACLE(o, got->cpus[c - 1] < got->cpus[c], "CPUs of task %u in no order",
			       task->id);
		for (int k = 1; k < REASON_CNT; k++)
			ORACLE_EQ(o, got->blocked_ns[k], blocked[k]);
		ORACLE_EQ(o, ns[0] + ns[1] + ns[2], task->end_ns - task->start_ns);
	}
}

/* One row of a task's calls: what the truth has of it. */
static void check_call(struct oracle *o, const struct truth_task *task,
		       const struct report_call *got)
{
	uint64_t ns = 0, cnt = 0;

	for (size_t j = 0; j < task->span_cnt; j++) {
		const struct truth_span *s = &task->spans[j];

		if (s->state != SPAN_BLOCKED || s->reason != got->reason ||
		    truth_call(s) != got->name)
			continue;
		ns += s->end_ns - s->start_ns;
		cnt++;
	}
	ORACLE(o, cnt, "task %u was never blocked in %s", task->id, got->name ? got->name : "none");
	ORACLE_EQ(o, got->ns, ns);
	ORACLE_EQ(o, got->cnt, cnt);
}

void oracle_calls(struct oracle *o)
{
	for (size_t i = 0; i < o->t->task_cnt; i++) {
		const struct report_task *row = &o->r->tasks[i];
		const struct report_call *calls = &o->r->calls[row->call_first];
		uint64_t ns = 0, blocked = 0;

		for (size_t j = 0; j < row->call_cnt; j++) {
			check_call(o, &o->t->tasks[i], &calls[j]);
			ns += calls[j].ns;
			ORACLE(o, !j || calls[j].ns <= calls[j - 1].ns, "calls are in no order");
			for (size_t k = 0; k < j; k++)
				ORACLE(o, calls[j].name != calls[k].name ||
				       calls[j].reason != calls[k].reason, "a call stands twice");
		}
		for (int k = 1; k < REASON_CNT; k++)
			blocked += row->blocked_ns[k];
		ORACLE_EQ(o, ns, blocked);
	}
}

void oracle_cpus(struct oracle *o)
{
	ORACLE_EQ(o, o->r->cpu_cnt, o->t->cpu_cnt);
	for (size_t i = 0; i < o->t->cpu_cnt; i++) {
		uint64_t ns[4] = { 0 };

		for (size_t k = 0; k < o->moment_cnt; k++)
			ns[o->moments[k].segs[i]->class] += o->moments[k].ns;
		for (int class = 0; class < 4; class++)
			ORACLE_EQ(o, o->r->cpus[i].class_ns[class], ns[class]);
	}
}

void oracle_moves(struct oracle *o)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < o->r->migration_cnt; i++) {
		const struct migration_cell *got = &o->r->migrations[i], *last = got - 1;
		uint64_t cnt = 0;

		for (size_t j = 0; j < o->t->move_cnt; j++)
			cnt += o->t->moves[j].from_cpu == got->from_cpu &&
			       o->t->moves[j].to_cpu == got->to_cpu;
		ORACLE_EQ(o, got->cnt, cnt);
		ORACLE(o, cnt && (!i || last->from_cpu < got->from_cpu ||
				  (last->from_cpu == got->from_cpu && last->to_cpu < got->to_cpu)),
		       "moves %u to %u: none, or in no order", got->from_cpu, got->to_cpu);
		sum += cnt;
	}
	ORACLE_EQ(o, sum, o->t->move_cnt);
	for (int cause = 0; cause < MOVE_CAUSE_CNT; cause++) {
		uint64_t cnt = 0;

		for (size_t i = 0; i < o->m->migration_cnt; i++)
			cnt += o->m->migrations[i].cause == cause;
		ORACLE_EQ(o, o->r->moves.by_cause[cause], cnt);
	}
}

/* ---- waits for a CPU ---- */

/* Who had a CPU that others waited for. */
struct holder {
	uint32_t task_id, tid;
	const char *comm;
	uint64_t ns, of_one_ns;	/* of one: of the longest wait */
};

struct holders {
	struct holder *v;
	size_t cnt, cap;
	uint64_t idle_ns, unknown_ns;
};

static void holders_add(struct holders *h, const struct truth_seg *seg, uint64_t ns, bool of_one)
{
	size_t i;

	if (seg && seg->class == LAB_CPU_IDLE) {
		h->idle_ns += ns;
		return;
	}
	if (!seg || seg->class == LAB_CPU_UNKNOWN || (!seg->task_id && !seg->tid)) {
		h->unknown_ns += ns;
		return;
	}
	for (i = 0; i < h->cnt; i++)
		if (h->v[i].task_id == seg->task_id && h->v[i].tid == seg->tid &&
		    (seg->task_id || !strcmp(h->v[i].comm, seg->comm)))
			break;
	if (i == h->cnt)
		*vec_push(h->v, h->cnt, h->cap) =
			(struct holder){ seg->task_id, seg->tid, seg->comm, 0, 0 };
	h->v[i].ns += ns;
	h->v[i].of_one_ns += of_one ? ns : 0;
}

static const struct truth_seg *seg_of(const struct oracle *o, const struct moment *at, uint16_t cpu)
{
	for (size_t i = 0; i < o->t->cpu_cnt; i++)
		if (o->t->cpus[i].cpu == cpu)
			return at->segs[i];
	return NULL;
}

static void holders_collect(const struct oracle *o, struct holders *h)
{
	const struct report_waits *got = &o->r->waits;

	for (size_t k = 0; k < o->moment_cnt; k++) {
		const struct moment *at = &o->moments[k];

		for (size_t i = 0; i < o->t->task_cnt; i++)
			if (moment_is(at, i, SPAN_READY))
				holders_add(h, seg_of(o, at, at->spans[i]->cpu), at->ns,
					    o->t->tasks[i].id == got->max_task_id &&
					    at->spans[i]->start_ns == got->max_start_ns);
	}
}

static const struct holder *find(const struct oracle *o, const struct holders *h,
				 const struct antagonist *a)
{
	for (size_t i = 0; i < h->cnt; i++) {
		const char *comm = h->v[i].task_id ? truth_task(o->t, h->v[i].task_id)->comm :
						     h->v[i].comm;

		if (h->v[i].task_id == a->task_id && h->v[i].tid == a->tid &&
		    !strcmp(comm, a->comm))
			return &h->v[i];
	}
	return NULL;
}

static void check_antagonists(struct oracle *o)
{
	const struct report_waits *got = &o->r->waits;
	uint64_t listed = 0, all = 0, least = UINT64_MAX, most_of_one = 0;
	struct holders h = { 0 };
	size_t more = 0;

	holders_collect(o, &h);
	for (uint32_t i = 0; i < got->antagonist_cnt; i++) {
		const struct holder *a = find(o, &h, &got->antagonists[i]);

		ORACLE(o, a && a->ns == got->antagonists[i].ns && a->ns <= least,
		       "antagonist %s (%u, %u) with %" PRIu64, got->antagonists[i].comm,
		       got->antagonists[i].task_id, got->antagonists[i].tid,
		       got->antagonists[i].ns);
		listed += got->antagonists[i].ns;
		least = got->antagonists[i].ns;
	}
	for (size_t i = 0; i < h.cnt; i++) {
		all += h.v[i].ns;
		more += h.v[i].ns > least;
		most_of_one = max_u64(most_of_one, h.v[i].of_one_ns);
	}
	ORACLE_EQ(o, got->antagonist_cnt, min_u64(h.cnt, ANTAGONIST_MAX));
	ORACLE(o, !got->antagonist_cnt || more < got->antagonist_cnt, "an antagonist is left out");
	ORACLE_EQ(o, got->other_antagonists_ns, all - listed);
	ORACLE_EQ(o, got->idle_ns, h.idle_ns);
	ORACLE_EQ(o, got->unknown_ns, h.unknown_ns);
	ORACLE_EQ(o, got->max_antagonist.ns, most_of_one);
	if (most_of_one) {
		const struct holder *a = find(o, &h, &got->max_antagonist);

		ORACLE(o, a && a->of_one_ns == most_of_one, "antagonist of the longest: %s",
		       got->max_antagonist.comm);
	}
	free(h.v);
}

/* The smallest value that at least @percent of them do not exceed. */
static uint64_t rank(const uint64_t *ns, size_t cnt, unsigned int percent)
{
	uint64_t best = UINT64_MAX;

	for (size_t i = 0; i < cnt; i++) {
		size_t within = 0;

		if (ns[i] >= best)
			continue;
		for (size_t j = 0; j < cnt; j++)
			within += ns[j] <= ns[i];
		if (within * 100 >= cnt * percent)
			best = ns[i];
	}
	return best;
}

static unsigned int bucket(uint64_t ns)
{
	unsigned int i = 0;

	while (ns >> 1) {
		ns >>= 1;
		i++;
	}
	return i < WAIT_BUCKETS ? i : WAIT_BUCKETS - 1;
}

static bool is_longest(const struct report_waits *got, const struct truth_task *task,
		       const struct truth_span *s)
{
	return task->id == got->max_task_id && s->start_ns == got->max_start_ns &&
	       s->end_ns - s->start_ns == got->max_ns;
}

void oracle_waits(struct oracle *o)
{
	const struct report_waits *got = &o->r->waits;
	uint64_t *ns = NULL, total = 0, longest = 0, histogram[WAIT_BUCKETS] = { 0 };
	size_t cnt = 0, cap = 0;
	bool named = false;

	for (size_t i = 0; i < o->t->task_cnt; i++) {
		for (size_t j = 0; j < o->t->tasks[i].span_cnt; j++) {
			const struct truth_span *s = &o->t->tasks[i].spans[j];

			if (s->state != SPAN_READY)
				continue;
			*vec_push(ns, cnt, cap) = s->end_ns - s->start_ns;
			total += s->end_ns - s->start_ns;
			longest = max_u64(longest, s->end_ns - s->start_ns);
			histogram[bucket(s->end_ns - s->start_ns)]++;
			named |= is_longest(got, &o->t->tasks[i], s);
		}
	}
	ORACLE_EQ(o, got->cnt, cnt);
	ORACLE_EQ(o, got->total_ns, total);
	ORACLE_EQ(o, got->max_ns, longest);
	for (int i = 0; i < WAIT_BUCKETS; i++)
		ORACLE_EQ(o, got->histogram[i], histogram[i]);
	if (cnt) {
		ORACLE(o, named, "no wait of task %u at %" PRIu64, got->max_task_id,
		       got->max_start_ns);
		ORACLE_EQ(o, got->p50_ns, rank(ns, cnt, 50));
		ORACLE_EQ(o, got->p90_ns, rank(ns, cnt, 90));
		ORACLE_EQ(o, got->p99_ns, rank(ns, cnt, 99));
	}
	check_antagonists(o);
	free(ns);
}
