/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdio.h>
#include <string.h>

#include "analyze_fixture.h"
#include "unit.h"
#include "util/alloc.h"

#define MS AFX_MS
#define LOCK_ADDR 0x7f0000001000ULL

static void check_kept(struct afx *f)
{
	afx_compute(f);
	CHECK_EQ(f->r.verdict.claim_holds, CLAIM_YES);
	CHECK_EQ(f->r.verdict.claim_fault, FAULT_NONE);
	CHECK_EQ(f->r.verdict.claim_doubt, DOUBT_NONE);
}

static void check_broken(struct afx *f, enum claim_fault fault)
{
	afx_compute(f);
	CHECK_EQ(f->r.verdict.claim_holds, CLAIM_NO);
	CHECK_EQ(f->r.verdict.claim_fault, fault);
	CHECK_EQ(f->r.verdict.claim_doubt, DOUBT_NONE);
}

static void check_doubted(struct afx *f, enum claim_doubt doubt)
{
	afx_compute(f);
	CHECK_EQ(f->r.verdict.claim_holds, CLAIM_UNDECIDED);
	CHECK_EQ(f->r.verdict.claim_fault, FAULT_NONE);
	CHECK_EQ(f->r.verdict.claim_doubt, doubt);
}

TEST(analyze_judge_at_least)
{
	static const char *const lives[][2] = {
		{ "000SSS......", "......000000" },	/* the second is born as the first ends */
		{ "000SSS000000", "SSS000SSSSSS" },
		{ "000000000000", "111111111111" },
	};

	for (unsigned int seen = 0; seen < 3; seen++) {
		for (int class = CLASS_SEQUENTIAL; class <= CLASS_PARALLEL; class++) {
			struct afx f;

			afx_init(&f, 2, MS, 12);
			afx_task(&f, 0, seen ? lives[seen][0] : "000000");
			afx_task(&f, seen ? 0 : 6, seen ? lives[seen][1] : "000000");
			f.m.meta.claim = (struct claim){ .class = (enum verdict_class)class };
			afx_compute(&f);
			CHECK_EQ(f.r.verdict.class, CLASS_SEQUENTIAL + (int)seen);
			CHECK_EQ(f.r.verdict.claim_holds,
				 class == CLASS_SEQUENTIAL + (int)seen ? CLAIM_YES : CLAIM_NO);
			f.m.meta.claim.at_least = true;
			if (class <= CLASS_SEQUENTIAL + (int)seen)
				check_kept(&f);
			else
				check_broken(&f, FAULT_CLASS);

			/* Inconclusive is no class, and not above the others. */
			afx_audit_failure(&f, "births", 2, 1);
			check_doubted(&f, DOUBT_VERDICT);
			afx_release(&f);
		}
	}
}

static void wait_at_lock(struct model_span *s, enum reason reason)
{
	if (s->state != SPAN_BLOCKED)
		return;
	s->flags |= SPAN_FUTEX;
	s->addr = LOCK_ADDR;
	s->mm_id = 1;
	s->reason = (uint8_t)reason;
}

static void two_with_a_lock(struct afx *f, enum reason reason)
{
	afx_init(f, 2, MS, 12);
	afx_task(f, 0, "000LLL000LLL");
	afx_task(f, 0, "LLL000LLL000");
	for (size_t i = 0; i < f->m.task_cnt; i++)
		for (size_t j = 0; j < f->m.tasks[i].span_cnt; j++)
			wait_at_lock(&f->m.tasks[i].spans[j], reason);
	f->m.meta.claim = (struct claim){
		.class = CLASS_CONCURRENT, .serializer = true, .needs_cpus = 2,
	};
}

TEST(analyze_judge_serializer)
{
	struct afx f;

	two_with_a_lock(&f, REASON_LOCK);
	check_kept(&f);
	f.m.cpu_cnt = 1;
	check_doubted(&f, DOUBT_FEW_CPUS);
	afx_release(&f);

	/* They take turns by a condition: nothing serializes them. */
	two_with_a_lock(&f, REASON_COND);
	check_broken(&f, FAULT_SERIALIZER);
	f.m.meta.claim.serializer = false;
	check_kept(&f);
	afx_release(&f);
}

/* A loop of task 1 that returns from its wait at @from and waits again at @until. */
static void iteration(struct afx *f, unsigned int from, unsigned int until)
{
	struct model_loop_wait *waits;

	(void)vec_push(f->m.loop_waits, f->m.loop_wait_cnt, f->m.loop_wait_cap);
	(void)vec_push(f->m.loop_waits, f->m.loop_wait_cnt, f->m.loop_wait_cap);
	waits = &f->m.loop_waits[f->m.loop_wait_cnt - 2];
	waits[0] = (struct model_loop_wait){
		.task_id = 1, .epfd = 3, .ready = 1,
		.enter_ns = f->m.start_ns, .return_ns = f->m.start_ns + from * MS,
	};
	waits[1] = (struct model_loop_wait){
		.task_id = 1, .epfd = 3, .ready = 1,
		.enter_ns = f->m.start_ns + until * MS, .return_ns = f->m.end_ns,
	};
}

/* 2 ms in the loop's wait, then @life, then the wait again: 24 ms in all. */
static void loop_with(struct afx *f, const char *life)
{
	char all[32];

	afx_init(f, 2, MS, 24);
	snprintf(all, sizeof(all), "EE%s%.*s", life, 22 - (int)strlen(life),
		 "EEEEEEEEEEEEEEEEEEEEEE");
	afx_task(f, 0, all);
	iteration(f, 2, 2 + (unsigned int)strlen(life));
	f->m.meta.claim = (struct claim){ .class = CLASS_SEQUENTIAL, .at_least = true };
	f->m.meta.ops_hooked = true;
	afx_op(f, 1, 0, 24);
	afx_op(f, 1, 0, 24);
}

TEST(analyze_judge_stall)
{
	static const struct {
		const char *life;
		bool holds[CLAIM_STALL_CNT];	/* that it lasts for 8 ms */
	} rows[] = {
		{ "00000000", { true, true, false, false } },
		{ "00000SSS000", { true, true, false, false } },
		{ "0SSSSSSSS0", { true, false, true, false } },
		{ "0000000SSSSSSS", { true, false, false, true } },
		{ "0..........0", { true, false, false, true } },	/* the machine's doing */
		{ "00000000SSSSSSSS", { true, false, false, false } },
		{ "0000000", { true, false, false, true } },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct afx f;

		loop_with(&f, rows[i].life);
		for (uint32_t stall = 0; stall < CLAIM_STALL_CNT; stall++) {
			f.m.meta.claim.stall = stall;
			f.m.meta.claim.stall_ns = 8 * MS;
			if (rows[i].holds[stall])
				check_kept(&f);
			else
				check_broken(&f, FAULT_STALL);
		}
		afx_release(&f);
	}
}

TEST(analyze_judge_stall_takes_observed_loops)
{
	struct afx f;

	loop_with(&f, "00000000");
	f.m.meta.claim.stall = STALL_COMPUTING;
	f.m.meta.claim.stall_ns = 8 * MS;
	f.m.loop_wait_cnt = 0;
	check_broken(&f, FAULT_STALL);
	f.m.meta.ops_hooked = false;
	check_doubted(&f, DOUBT_OPERATIONS);
	afx_release(&f);
}
