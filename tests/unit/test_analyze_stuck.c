/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdlib.h>

#include "analyze_fixture.h"
#include "model/futex.h"
#include "unit.h"

#define UNIT (50 * AFX_MS)
#define AT 0x1000ULL

#define TID(id) (100 + (id))	/* as afx_task() gives them */
#define NR_READ 0
#define NR_WRITE 1
#define NR_WAIT4 61
#define NR_SIGSUSPEND 130
#define SIGKILL_CODE 9

/* The last span of task @id is a wait in a futex without a time limit, for the value @val. */
static struct model_span *waits_at(struct afx *f, uint32_t id, uint64_t addr, uint32_t val)
{
	struct model_task *t = &f->m.tasks[id - 1];
	struct model_span *s = &t->spans[t->span_cnt - 1];

	s->flags |= SPAN_FUTEX | SPAN_NO_LIMIT;
	s->addr = addr;
	s->mm_id = 1;
	t->wait_start_ns = s->start_ns;
	t->wait_val = val;
	return s;
}

/* The last span of task @id is this call with this first argument. */
static struct model_span *calls(struct afx *f, uint32_t id, int32_t nr, uint64_t arg)
{
	struct model_task *t = &f->m.tasks[id - 1];
	struct model_span *s = &t->spans[t->span_cnt - 1];

	s->syscall = nr;
	s->addr = arg;
	return s;
}

static void cut(struct afx *f)
{
	f->m.end.reason = TRACE_END_FOR;
	for (size_t i = 0; i < f->m.task_cnt; i++) {
		struct model_task *t = &f->m.tasks[i];

		if (t->end_ns != f->m.end_ns)
			continue;
		t->alive = true;
		t->spans[t->span_cnt - 1].flags |= SPAN_CUT_END;
	}
}

static bool is_stuck(struct afx *f)
{
	afx_compute(f);
	CHECK(f->r.stuck.known);
	CHECK_EQ(f->r.stuck.present, f->r.stuck.wait_cnt > 0);
	return f->r.stuck.present;
}

/* 1 joins 2, which waits at a condition that nobody signals. */
static void lost_signal(struct afx *f)
{
	afx_init(f, 2, UNIT, 10);
	afx_task(f, 0, "00JJJJJJJJ");
	afx_task(f, 0, "1111CCCCCC");
	waits_at(f, 1, 0x2000, TID(2));
	waits_at(f, 2, AT, 0);
	cut(f);
}

TEST(analyze_stuck_lost_signal_is_the_end_of_the_chain)
{
	const struct report_stuck *s;
	struct afx f;

	lost_signal(&f);
	REQUIRE(is_stuck(&f));
	s = &f.r.stuck;
	CHECK(!f.r.deadlock.present);
	CHECK(report_is_stuck(&f.r));
	CHECK_EQ(s->since_ns, AFX_START_NS + 4 * UNIT);
	CHECK_EQ(s->until_ns, AFX_START_NS + 10 * UNIT);
	REQUIRE(s->wait_cnt == 2);
	CHECK_EQ(s->waits[0].task_id, 2);
	CHECK_EQ(s->waits[0].awaits_id, 0);
	CHECK_EQ(s->waits[0].behind_cnt, 1);
	CHECK_EQ(s->waits[0].addr, AT);
	CHECK_EQ(s->waits[0].reason, REASON_COND);
	CHECK_EQ(s->waits[1].task_id, 1);
	CHECK_EQ(s->waits[1].awaits_id, 2);
	CHECK_EQ(s->waits[1].reason, REASON_JOIN);

	/* Whatever class was expected: it is not what it should have been. */
	for (int class = CLASS_SEQUENTIAL; class <= CLASS_PARALLEL; class++) {
		f.m.meta.claim = (struct claim){
			.class = (enum verdict_class)class, .at_least = true };
		afx_compute(&f);
		CHECK(f.r.verdict.claim_holds != CLAIM_YES);
	}
	f.m.meta.claim.class = CLASS_SEQUENTIAL;
	afx_compute(&f);
	CHECK_EQ(f.r.verdict.claim_holds, CLAIM_NO);
	CHECK_EQ(f.r.verdict.claim_fault, FAULT_STUCK);
	afx_release(&f);
}

/* Each of these may go on: by a timer, from outside, or because it is not known that it may not. */
TEST(analyze_stuck_is_none_that_may_go_on)
{
	static const char *const lives[] = {
		"S", "E", "P", "N", "A", "D", "F", "T", "G", "U", "O", "K", "0", ".",
	};
	struct afx f;

	for (size_t i = 0; i < sizeof(lives) / sizeof(*lives); i++) {
		char life[11] = "2........."; /* a short run, then this to the end */

		lost_signal(&f);
		for (size_t k = 1; k < 10; k++)
			life[k] = lives[i][0] == '0' ? '0' : lives[i][0];
		afx_task(&f, 0, life);
		cut(&f);
		CHECK(!is_stuck(&f));
		afx_release(&f);
	}
	lost_signal(&f);
	afx_span(&f, 1, 1)->flags &= (uint16_t)~SPAN_NO_LIMIT;
	CHECK(!is_stuck(&f));
	afx_release(&f);

	lost_signal(&f);
	afx_span(&f, 1, 1)->mm_id = 0;
	CHECK(is_stuck(&f));
	f.m.meta.attach_tgid = 101;	/* who else maps that memory is not known */
	CHECK(!is_stuck(&f));
	afx_release(&f);
}

TEST(analyze_stuck_not_where_an_earlier_wait_was_ended_from_outside)
{
	struct model_span *before;
	struct afx f;

	afx_init(&f, 2, UNIT, 10);
	afx_task(&f, 0, "0C0CCCCCCC");
	before = afx_span(&f, 0, 1);
	before->flags |= SPAN_FUTEX | SPAN_NO_LIMIT;
	before->addr = AT;
	before->mm_id = 1;
	before->waker_id = 1;
	waits_at(&f, 1, AT, 0);
	cut(&f);
	CHECK(is_stuck(&f));
	before->waker_id = 0;
	before->flags |= SPAN_WOKEN_BY_IRQ;	/* a timer's signal */
	CHECK(!is_stuck(&f));
	afx_release(&f);
}

TEST(analyze_stuck_takes_all_records_and_some_time)
{
	struct afx f;

	lost_signal(&f);
	f.m.dropped = 1;
	afx_compute(&f);
	CHECK(!f.r.stuck.known && !f.r.stuck.present);
	afx_release(&f);

	afx_init(&f, 2, AFX_MS, 10);
	afx_task(&f, 0, "00CCCCCCCC");
	waits_at(&f, 1, AT, 0);
	cut(&f);
	CHECK(!is_stuck(&f));
	afx_release(&f);
}

/* Who waits for a child that is stuck; and for none. */
TEST(analyze_stuck_behind_a_child)
{
	struct afx f;

	afx_init(&f, 2, UNIT, 10);
	afx_task(&f, 0, "00WWWWWWWW");
	afx_task(&f, 0, "1111IIIIII");
	f.m.tasks[1].tgid = f.m.tasks[1].tid;
	f.m.tasks[1].parent_id = 1;
	calls(&f, 1, NR_WAIT4, TID(2));
	calls(&f, 2, NR_WRITE, 4);
	cut(&f);
	REQUIRE(is_stuck(&f));
	CHECK_EQ(f.r.stuck.waits[0].task_id, 2);
	CHECK_EQ(f.r.stuck.waits[0].reason, REASON_PIPE);
	CHECK_EQ(f.r.stuck.waits[1].awaits_id, 2);

	calls(&f, 2, NR_WRITE, 1);	/* standard output: who reads that is outside */
	CHECK(!is_stuck(&f));
	calls(&f, 2, NR_READ, 4);
	CHECK(!is_stuck(&f));
	calls(&f, 2, NR_WRITE, 4);
	f.m.tasks[0].spans[1].reason = REASON_SIGNAL;	/* as a shell's wait, and timeout(1) */
	calls(&f, 1, NR_SIGSUSPEND, 0);
	CHECK(is_stuck(&f));
	f.m.tasks[1].parent_id = 0;
	CHECK(!is_stuck(&f));
	afx_release(&f);
}

/* Ctrl-C, or another program's signal, breaks the waits off; then tasks may run for a while. */
TEST(analyze_stuck_until_a_signal_from_outside)
{
	struct afx f;

	afx_init(&f, 2, UNIT, 12);
	afx_task(&f, 0, "00JJJJJJJJ00");
	afx_task(&f, 0, "1111CCCCCC");
	afx_span(&f, 0, 1)->flags |= SPAN_FUTEX | SPAN_NO_LIMIT | SPAN_WOKEN_BY_SIGNAL;
	afx_span(&f, 0, 1)->addr = 0x2000;
	waits_at(&f, 2, AT, 0)->flags |= SPAN_WOKEN_BY_SIGNAL;
	CHECK(!is_stuck(&f));		/* it ended by itself */
	f.m.tasks[1].exit_code = SIGKILL_CODE;
	REQUIRE(is_stuck(&f));
	CHECK_EQ(f.r.stuck.since_ns, AFX_START_NS + 4 * UNIT);
	CHECK_EQ(f.r.stuck.until_ns, AFX_START_NS + 10 * UNIT);
	f.m.tasks[1].exit_code = 0;
	f.m.end.reason = TRACE_END_INTERRUPT;
	CHECK(is_stuck(&f));
	afx_span(&f, 0, 1)->waker_id = 2;	/* the first that was ended let it go on */
	CHECK(is_stuck(&f));
	afx_span(&f, 1, 1)->waker_id = 1;	/* nothing came from outside */
	CHECK(!is_stuck(&f));
	afx_release(&f);
}
