/* SPDX-License-Identifier: GPL-2.0-only */
/* oracle_range - the numbers of parts of the window, and of the whole. */

#include <string.h>

#include "analyze/range.h"
#include "oracle.h"
#include "util/minmax.h"

#define RANGES 6

/* How much of a moment lies in the range. */
static uint64_t inside_ns(const struct oracle *o, const struct moment *at,
			  const struct range *range)
{
	uint64_t start_ns = max_u64(at->start_ns, o->t->start_ns + range->from_ns);
	uint64_t end_ns = min_u64(at->start_ns + at->ns, o->t->start_ns + range->until_ns);

	return start_ns < end_ns ? end_ns - start_ns : 0;
}

static unsigned int ops_at(const struct oracle *o, uint64_t at_ns)
{
	unsigned int cnt = 0;

	for (size_t i = 0; i < o->t->op_cnt; i++)
		cnt += o->t->ops[i].start_ns <= at_ns && at_ns < o->t->ops[i].end_ns;
	return cnt;
}

static void check_task(struct oracle *o, size_t idx, const struct range *got)
{
	struct range_task want = { 0 };

	for (size_t k = 0; k < o->moment_cnt; k++) {
		const struct truth_span *s = o->moments[k].spans[idx];
		uint64_t ns = inside_ns(o, &o->moments[k], got);

		if (!s)
			want.absent_ns += ns;
		else if (s->state == SPAN_RUNNING)
			want.run_ns += ns;
		else if (s->state == SPAN_READY)
			want.ready_ns += ns;
		else
			want.blocked_ns[s->reason] += ns;
	}
	ORACLE(o, !memcmp(&want, &got->tasks[idx], sizeof(want)), "range of task %zu", idx);
}

static void check_cpu(struct oracle *o, size_t idx, const struct range *got)
{
	struct report_cpu want = { 0 };

	for (size_t k = 0; k < o->moment_cnt; k++) {
		const struct truth_seg *seg = o->moments[k].segs[idx];

		want.class_ns[seg ? seg->class : LAB_CPU_UNKNOWN] +=
			inside_ns(o, &o->moments[k], got);
	}
	ORACLE(o, !memcmp(&want, &got->cpus[idx], sizeof(want)), "range of CPU row %zu", idx);
}

static void check_range(struct oracle *o, const struct range *got)
{
	uint64_t run_ns = 0, ready_ns = 0, parallel_ns = 0, ops_ns = 0;
	unsigned int most = 0, most_ops = 0;

	for (size_t i = 0; i < o->t->task_cnt; i++)
		check_task(o, i, got);
	for (size_t i = 0; i < o->t->cpu_cnt; i++)
		check_cpu(o, i, got);
	for (size_t k = 0; k < o->moment_cnt; k++) {
		const struct moment *at = &o->moments[k];
		uint64_t ns = inside_ns(o, at, got);
		unsigned int running = moment_count(o, at, SPAN_RUNNING);
		unsigned int ops = ops_at(o, at->start_ns);

		if (!ns)
			continue;
		run_ns += running * ns;
		ready_ns += moment_count(o, at, SPAN_READY) * ns;
		parallel_ns += running >= 2 ? ns : 0;
		ops_ns += ops * ns;
		most = running > most ? running : most;
		most_ops = ops > most_ops ? ops : most_ops;
	}
	ORACLE_EQ(o, got->run_ns, run_ns);
	ORACLE_EQ(o, got->ready_ns, ready_ns);
	ORACLE_EQ(o, got->parallel_ns, parallel_ns);
	ORACLE_EQ(o, got->running_max, most);
	ORACLE_EQ(o, got->operations_ns, ops_ns);
	ORACLE_EQ(o, got->operations_max, most_ops);
}

void oracle_range(struct oracle *o)
{
	uint64_t window_ns = o->t->end_ns - o->t->start_ns;
	struct range range;

	range_whole(o->m, o->r, &range);
	ORACLE_EQ(o, range_len(&range), window_ns);
	check_range(o, &range);
	range_release(&range);
	for (uint64_t i = 0; i < RANGES && window_ns; i++) {
		uint64_t a = (i + 1) * 0x9e3779b97f4a7c15ULL % (window_ns + 1);
		uint64_t b = i ? (i + 7) * 0xbf58476d1ce4e5b9ULL % (window_ns + 1) : a;

		range_compute(o->m, min_u64(a, b), max_u64(a, b), &range);
		check_range(o, &range);
		range_release(&range);
	}
}
