/* SPDX-License-Identifier: GPL-2.0-only */
/* What a report keeps where records are missing: what is known, and nothing else. */
#include "analyze_fixture.h"
#include "unit.h"

#include "analyze/missing.h"
#include "analyze/range.h"
#include "model/timeline.h"
#include "util/alloc.h"

#define MS 1000000ULL

struct part {
	int state;
	uint16_t cpu;
	uint64_t from_ms, until_ms;
};

static void check_parts(const struct afx *f, size_t task, const struct part *parts, size_t cnt)
{
	const struct model_task *t = &f->m.tasks[task];

	REQUIRE(t->span_cnt == cnt);
	for (size_t i = 0; i < cnt; i++) {
		const struct model_span *s = &t->spans[i];

		CHECK_EQ(s->state, parts[i].state);
		CHECK_EQ(s->cpu, parts[i].cpu);
		CHECK_EQ(s->start_ns, AFX_START_NS + parts[i].from_ms * MS);
		CHECK_EQ(s->end_ns, AFX_START_NS + parts[i].until_ms * MS);
	}
}

static void check_order(const struct model *m)
{
	const struct model_span *span;
	struct timeline timeline;
	uint64_t at_ns = 0;
	size_t cnt = 0;
	uint32_t task;

	timeline_init(&timeline, m);
	for (; (span = timeline_step(&timeline, &task)); cnt++) {
		CHECK(span->start_ns >= at_ns);
		CHECK(span >= m->tasks[task].spans &&
		      span < m->tasks[task].spans + m->tasks[task].span_cnt);
		at_ns = span->start_ns;
	}
	CHECK_EQ(cnt, m->span_cnt);
	timeline_release(&timeline);
}

static void check_sums(const struct afx *f)
{
	const struct report_capacity *c = &f->r.capacity;
	const struct report_path *p = &f->r.path;
	uint64_t ns = c->work_ns + c->unplaced_ns + c->interference_ns + c->other_ns +
		      c->unknown_ns + c->no_thread_ns,
		 path_ns = p->run_ns + p->ready_ns + p->unknown_ns + p->none_ns;

	for (int i = 0; i < REASON_CNT; i++) {
		ns += c->blocked_ns[i];
		path_ns += p->blocked_ns[i];
	}
	CHECK_EQ(ns, c->total_ns);
	CHECK_EQ(path_ns, p->length_ns);
	for (size_t i = 0; i < f->m.task_cnt; i++) {
		const struct report_task *row = &f->r.tasks[i];

		ns = row->run_ns + row->ready_ns + row->unknown_ns;
		for (int k = 0; k < REASON_CNT; k++)
			ns += row->blocked_ns[k];
		CHECK_EQ(ns, f->m.tasks[i].end_ns - f->m.tasks[i].start_ns);
	}
}

/* The first task runs where nothing is missing; the second may have run where something is. */
TEST(analyze_missing_spans_are_divided)
{
	static const struct part first[] = { { SPAN_RUNNING, 0, 0, 10 } };
	static const struct part second[] = {
		{ SPAN_RUNNING, 1, 0, 2 }, { SPAN_UNKNOWN, UINT16_MAX, 2, 6 },
		{ SPAN_BLOCKED, UINT16_MAX, 6, 8 }, { SPAN_RUNNING, 1, 8, 10 },
	};
	struct report_parallelism before;
	struct afx f;

	afx_init(&f, 2, MS, 10);
	afx_task(&f, 0, "0000000000");
	afx_task(&f, 0, "1111LLLL11");
	afx_span(&f, 1, 1)->waker_id = 1;
	afx_gap(&f, 1, AFX_START_NS + 2 * MS, AFX_START_NS + 6 * MS, 7);
	afx_compute(&f);
	before = f.r.parallelism;
	report_hide_missing(&f.m, &f.r);
	check_parts(&f, 0, first, 1);
	check_parts(&f, 1, second, 4);
	CHECK_EQ(f.m.tasks[1].spans[2].waker_id, 1);
	CHECK_EQ(f.r.tasks[1].run_ns, 4 * MS);
	CHECK_EQ(f.r.tasks[1].unknown_ns, 4 * MS);
	CHECK_EQ(f.r.tasks[1].blocked_ns[REASON_LOCK], 2 * MS);
	CHECK_EQ(f.r.cpus[1].class_ns[LAB_CPU_UNKNOWN], 4 * MS);
	CHECK_EQ(f.r.cpus[1].class_ns[LAB_CPU_OURS], 4 * MS);
	CHECK_EQ(f.r.capacity.work_ns, 14 * MS);
	CHECK_EQ(f.r.capacity.unknown_ns, 4 * MS);
	CHECK_EQ(f.r.parallelism.parallel_ns, before.parallel_ns);
	CHECK_EQ(f.r.parallelism.run_lower_ns, before.run_lower_ns);
	check_order(&f.m);
	check_sums(&f);
	afx_release(&f);
}

/* Lock waits count as far as known; an iteration in which another may have begun is none. */
TEST(analyze_missing_locks_and_loops)
{
	static const struct model_loop_wait waits[] = {
		{ .task_id = 2, .epfd = 4, .enter_ns = AFX_START_NS,
		  .return_ns = AFX_START_NS + MS },
		{ .task_id = 2, .epfd = 4, .enter_ns = AFX_START_NS + 7 * MS,
		  .return_ns = AFX_START_NS + 8 * MS },
	};
	struct afx f;

	afx_init(&f, 2, MS, 10);
	afx_task(&f, 0, "0000000000");
	afx_task(&f, 0, "1111LLLE11");
	afx_span(&f, 1, 1)->flags |= SPAN_FUTEX;
	afx_span(&f, 1, 1)->addr = 0x10;
	afx_gap(&f, 1, AFX_START_NS + 2 * MS, AFX_START_NS + 6 * MS, 7);
	for (size_t i = 0; i < 2; i++)
		*vec_push(f.m.loop_waits, f.m.loop_wait_cnt, f.m.loop_wait_cap) = waits[i];
	afx_compute(&f);
	CHECK_EQ(f.r.locks[0].wait_ns, 3 * MS);
	CHECK_EQ(f.r.loops[0].iterations, 2);
	report_hide_missing(&f.m, &f.r);
	REQUIRE(f.r.lock_cnt == 1 && f.r.loop_cnt == 1);
	CHECK_EQ(f.r.locks[0].wait_ns, 1 * MS);
	CHECK_EQ(f.r.loops[0].waits, 2);
	CHECK_EQ(f.r.loops[0].iterations, 1);
	CHECK_EQ(f.r.loops[0].longest_stall_ns, 2 * MS);
	afx_release(&f);
}

/* A wait without its middle may be two: what woke the task is known of the second part only. */
TEST(analyze_missing_in_the_middle_of_a_wait)
{
	static const struct part second[] = {
		{ SPAN_RUNNING, 1, 0, 1 }, { SPAN_BLOCKED, UINT16_MAX, 1, 3 },
		{ SPAN_UNKNOWN, UINT16_MAX, 3, 5 }, { SPAN_BLOCKED, UINT16_MAX, 5, 8 },
		{ SPAN_RUNNING, 1, 8, 10 },
	};
	struct range range, whole;
	struct afx f;

	afx_init(&f, 2, MS, 10);
	afx_task(&f, 0, "0000000000");
	afx_task(&f, 0, "1SSSSSSS11");
	afx_span(&f, 1, 1)->waker_id = 1;
	afx_gap(&f, 0, AFX_START_NS + 4 * MS, AFX_START_NS + 5 * MS, 1);
	afx_gap(&f, 1, AFX_START_NS + 3 * MS, AFX_START_NS + 5 * MS, 1);
	afx_compute(&f);
	report_hide_missing(&f.m, &f.r);
	check_parts(&f, 1, second, 5);
	CHECK_EQ(f.m.tasks[1].spans[1].waker_id, 0);
	CHECK(f.m.tasks[1].spans[1].flags & SPAN_CUT_END);
	CHECK_EQ(f.m.tasks[1].spans[3].waker_id, 1);
	CHECK_EQ(f.r.tasks[0].run_ns, 9 * MS);
	CHECK_EQ(f.r.tasks[0].unknown_ns, 1 * MS);
	check_sums(&f);
	range_whole(&f.m, &f.r, &whole);
	range_compute(&f.m, 3 * MS, 9 * MS, &range);
	CHECK_EQ(range.unknown_ns, 2 * MS);
	CHECK_EQ(range.parallel_known_ns, 1 * MS);
	CHECK_EQ(range.tasks[1].unknown_ns, 2 * MS);
	CHECK_EQ(range.tasks[1].blocked_ns[REASON_SLEEP], 3 * MS);
	CHECK_EQ(whole.parallel_known_ns, 3 * MS);
	CHECK_EQ(whole.run_ns, f.r.tasks[0].run_ns + f.r.tasks[1].run_ns);
	range_release(&range);
	range_release(&whole);
	afx_release(&f);
}

TEST(analyze_missing_to_the_end)
{
	static const struct part only[] = {
		{ SPAN_READY, UINT16_MAX, 0, 1 }, { SPAN_RUNNING, 0, 1, 4 },
		{ SPAN_UNKNOWN, UINT16_MAX, 4, 10 },
	};
	struct afx f;

	afx_init(&f, 1, MS, 10);
	afx_task(&f, 0, ".0000L0000");
	afx_gap(&f, 0, AFX_START_NS + 4 * MS, UINT64_MAX, 3);
	afx_compute(&f);
	report_hide_missing(&f.m, &f.r);
	check_parts(&f, 0, only, 3);
	CHECK_EQ(f.r.path.unknown_ns, 6 * MS);
	check_order(&f.m);
	check_sums(&f);
	afx_release(&f);
}

TEST(analyze_missing_nothing_changes_nothing)
{
	struct afx f;

	afx_init(&f, 2, MS, 6);
	afx_task(&f, 0, "000SS0");
	afx_task(&f, 0, ".11111");
	afx_compute(&f);
	report_hide_missing(&f.m, &f.r);
	CHECK_EQ(f.m.span_cnt, 5);
	CHECK_EQ(f.r.tasks[0].unknown_ns + f.r.tasks[1].unknown_ns, 0);
	check_order(&f.m);
	check_sums(&f);
	afx_release(&f);
}
