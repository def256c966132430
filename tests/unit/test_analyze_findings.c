/* SPDX-License-Identifier: GPL-2.0-only */
#include "analyze_fixture.h"
#include "unit.h"
#include "util/alloc.h"

#define MS AFX_MS
#define BARRIER 0x7f0000001000ULL

/* ---- spinning ---- */

TEST(analyze_spinning_counts_yields_and_no_preemption)
{
	char one[402], two[402];
	struct afx f;

	for (int i = 0; i < 400; i++) {
		one[i] = i % 2 ? '.' : '0';
		two[i] = i % 2 ? '0' : '.';
	}
	one[400] = two[400] = '\0';
	afx_init(&f, 1, MS, 400);
	afx_task(&f, 0, one);
	afx_task(&f, 0, two);
	for (size_t i = 1; i < 400; i += 2)
		afx_span(&f, 0, i)->flags |= SPAN_PREEMPTED;
	for (size_t i = 2; i < 400; i += 2)
		afx_span(&f, 1, i)->flags |= SPAN_YIELDED;
	afx_compute(&f);
	/* The first is preempted; what the second is ready for before its first run is no yield. */
	CHECK(f.r.spinning.present);
	CHECK_EQ(f.r.spinning.yields, 199);
	CHECK_EQ(f.r.spinning.run_ns, 199 * MS);
	CHECK_EQ(f.r.spinning.task_cnt, 1);
	CHECK_EQ(f.r.spinning.task_id, 2);
	/* Nor is a wait that was over before it began. */
	for (size_t i = 2; i < 400; i += 2)
		afx_span(&f, 1, i)->flags = 0;
	afx_compute(&f);
	CHECK(!f.r.spinning.present);
	CHECK_EQ(f.r.spinning.yields, 0);
	CHECK_EQ(f.r.spinning.task_id, 0);
	afx_release(&f);
}

TEST(analyze_spinning_sees_polls_that_do_not_wait)
{
	struct afx f;

	afx_init(&f, 1, MS, 3);
	afx_task(&f, 0, "0E0");
	for (uint64_t i = 0; i < 2001; i++) {
		bool waits = i == 2000;		/* the last wait ended without an event */
		uint64_t from_ns = AFX_START_NS + (waits ? MS : i);

		*vec_push(f.m.loop_waits, f.m.loop_wait_cnt, f.m.loop_wait_cap) =
			(struct model_loop_wait){
				.task_id = 1, .epfd = 3, .enter_ns = from_ns,
				.return_ns = from_ns + (waits ? MS : 1), .ready = i % 2,
			};
	}
	afx_compute(&f);
	CHECK(f.r.spinning.present);
	CHECK_EQ(f.r.spinning.empty_polls, 1000);
	afx_release(&f);
}

/* ---- rounds ---- */

/* All waits of @task of kind cond are at the barrier, and end by @waker. */
static void woken_by(struct afx *f, size_t task, uint32_t waker)
{
	for (size_t i = 0; i < f->m.tasks[task].span_cnt; i++) {
		struct model_span *s = afx_span(f, task, i);

		if (s->state != SPAN_BLOCKED)
			continue;
		s->flags |= SPAN_FUTEX;
		s->addr = BARRIER;
		s->mm_id = 1;
		s->waker_id = waker;
		s->waker_tid = 100 + waker;
	}
}

TEST(analyze_rounds_names_who_came_last)
{
	struct afx f;

	afx_init(&f, 3, MS, 21);
	afx_task(&f, 0, "0CC0CC0CC0CC0CC0CC000");
	afx_task(&f, 0, "1CC1CC1CC1CC1CC1CC111");
	afx_task(&f, 0, "22|22|22|22|22|22|22|22|22|22|2");
	woken_by(&f, 0, 3);
	woken_by(&f, 1, 3);
	afx_compute(&f);
	CHECK(f.r.rounds.present);
	CHECK_EQ(f.r.rounds.addr, BARRIER);
	CHECK_EQ(f.r.rounds.rounds, 6);
	CHECK_EQ(f.r.rounds.task_cnt, 3);
	CHECK_EQ(f.r.rounds.last_id, 3);
	CHECK_EQ(f.r.rounds.last_cnt, 6);
	CHECK_EQ(f.r.rounds.wait_ns, 24 * MS);
	CHECK_EQ(f.r.rounds.tgid, 101);

	/* One waiter at a time: a hand-over, and no round. */
	woken_by(&f, 1, 0);
	afx_compute(&f);
	CHECK(!f.r.rounds.present);
	/* Waits for a lock end one by one. */
	woken_by(&f, 1, 3);
	for (size_t t = 0; t < 2; t++)
		for (size_t i = 1; i < f.m.tasks[t].span_cnt; i += 2)
			afx_span(&f, t, i)->reason = REASON_LOCK;
	afx_compute(&f);
	CHECK(!f.r.rounds.present);
	afx_release(&f);
}

/* A queue whose consumers are woken now and then by two at once is no barrier. */
TEST(analyze_rounds_takes_nearly_all_waits)
{
	struct afx f;

	afx_init(&f, 3, MS, 21);
	afx_task(&f, 0, "0CC0CC0CC0CC0CC0C0000");
	afx_task(&f, 0, "1CC1CC1CC1CC1CC1CC111");
	afx_task(&f, 0, "222222222222222222222");
	woken_by(&f, 0, 3);
	woken_by(&f, 1, 3);
	for (size_t i = 1; i < f.m.tasks[1].span_cnt; i += 4)
		afx_span(&f, 1, i)->waker_id = 0;
	afx_compute(&f);
	CHECK(!f.r.rounds.present);
	afx_release(&f);
}

/* ---- pool ---- */

#define POOL 0x7f0000002000ULL

/* All idle waits of threads 1 .. @cnt are at one condition, of which it uses two words in turn. */
static void at_one_condition(struct afx *f, size_t cnt)
{
	for (size_t t = 1; t <= cnt; t++) {
		for (size_t i = 0; i < f->m.tasks[t].span_cnt; i++) {
			struct model_span *s = afx_span(f, t, i);

			if (s->state != SPAN_BLOCKED)
				continue;
			s->flags |= SPAN_FUTEX;
			s->addr = POOL + i % 2 * 4;
			s->mm_id = 1;
		}
	}
}

TEST(analyze_pool_has_too_few_jobs)
{
	const struct report_pool *p;
	struct afx f;

	afx_init(&f, 2, MS, 20);
	p = &f.r.pool;
	afx_task(&f, 0, "0WWWWWWWWWWWWWWWWWW0");
	afx_task(&f, 0, "1cccccc1111cccccccc");
	afx_task(&f, 0, "c1111cccccccc1111c1");
	at_one_condition(&f, 2);
	afx_compute(&f);
	CHECK(p->present && p->idles);
	CHECK_EQ(p->task_cnt, 2);
	CHECK_EQ(p->parent_id, 1);
	CHECK_EQ(p->task_id, 3);
	CHECK_EQ(p->at_once, 1);
	CHECK_EQ(p->active_ns, 14 * MS);
	CHECK_EQ(p->beyond_ns, 0);
	CHECK_EQ(p->queued_ns, 0);
	/* A job may be missing. */
	afx_gap(&f, 1, AFX_START_NS + 2 * MS, AFX_START_NS + 3 * MS, 1);
	afx_compute(&f);
	CHECK(!p->present);
	f.m.gap_cnt = 0;
	/* At different places they are no pool. */
	for (size_t i = 0; i < f.m.tasks[2].span_cnt; i++)
		if (afx_span(&f, 2, i)->state == SPAN_BLOCKED)
			afx_span(&f, 2, i)->addr += 64;
	afx_compute(&f);
	CHECK(!p->present);
	afx_release(&f);

	/* Jobs for both. */
	afx_init(&f, 2, MS, 20);
	afx_task(&f, 0, "0WWWWWWWWWWWWWWWWWW0");
	afx_task(&f, 0, "0cc0000cccc000000c0");
	afx_task(&f, 0, "1ccc1111ccc111111c1");
	at_one_condition(&f, 2);
	afx_compute(&f);
	CHECK(!p->present);
	afx_release(&f);
}

/* Operation number @nth was marked, and has this name. */
static void name_op(struct afx *f, size_t nth, const char *name)
{
	f->m.ops[nth].fd = MODEL_OP_NO_FD;
	f->m.ops[nth].tgid = f->m.tasks[0].tgid;
	if (!f->m.name_cnt)
		*vec_push(f->m.names, f->m.name_cnt, f->m.name_cap) = xstrdup("");
	f->m.ops[nth].name_idx = (uint32_t)f->m.name_cnt;
	*vec_push(f->m.names, f->m.name_cnt, f->m.name_cap) = xstrdup(name);
}

TEST(analyze_pool_has_more_operations_than_threads)
{
	struct afx f;

	afx_init(&f, 2, MS, 20);
	afx_task(&f, 0, "0WWWWWWWWWWWWWWWWWW0");
	afx_task(&f, 0, "0cc0000cccc000000c0");
	afx_task(&f, 0, "1ccc1111ccc111111c1");
	at_one_condition(&f, 2);
	for (size_t i = 1; i < f.m.task_cnt; i++)
		f.m.tasks[i].tgid = f.m.tasks[0].tgid;
	for (size_t i = 0; i < 4; i++) {
		afx_op(&f, 1, 4, i ? 10 : 6);
		name_op(&f, i, i == 1 ? "file in main" : "dns");
	}
	afx_compute(&f);
	CHECK(f.r.pool.present && !f.r.pool.idles);
	CHECK_EQ(f.r.pool.at_once, 2);
	CHECK_EQ(f.r.pool.op_cnt, 4);
	CHECK_EQ(f.r.pool.queued_ns, 3 * MS);	/* from 4 to 7: then one has no job */
	/* What needs no thread does not wait for one. */
	for (size_t i = 0; i < 4; i++)
		f.m.names[f.m.ops[i].name_idx][0] = 'x';
	afx_compute(&f);
	CHECK(!f.r.pool.present);
	afx_release(&f);
}

/* ---- tail ---- */

TEST(analyze_tail_is_the_last_piece)
{
	struct afx f;

	afx_init(&f, 2, 10 * MS, 10);
	afx_task(&f, 0, "JJJJJJJJJ0");
	afx_task(&f, 0, "0000");
	afx_task(&f, 0, "111111111");
	afx_compute(&f);
	CHECK(f.r.tail.present);
	CHECK_EQ(f.r.tail.start_ns, AFX_START_NS + 40 * MS);
	CHECK_EQ(f.r.tail.ns, 60 * MS);
	CHECK_EQ(f.r.tail.run_ns, 60 * MS);
	CHECK_EQ(f.r.tail.task_id, 3);
	CHECK_EQ(f.r.tail.task_run_ns, 50 * MS);
	/* A second task may be missing there. */
	afx_gap(&f, 0, AFX_START_NS + 50 * MS, AFX_START_NS + 60 * MS, 1);
	afx_compute(&f);
	CHECK(!f.r.tail.present);
	afx_release(&f);
}

/* Whoever is ready has work, and other programs have its CPU. */
TEST(analyze_tail_is_not_the_work_of_others)
{
	struct afx f;

	afx_init(&f, 2, MS, 40);
	afx_task(&f, 0, "0000000000..............................");
	afx_task(&f, 0, "1111111111111111111111111111111111111111");
	afx_compute(&f);
	CHECK(!f.r.tail.present);
	CHECK_EQ(f.r.tail.ns, 0);
	afx_release(&f);
}

TEST(analyze_findings_of_an_empty_run)
{
	struct afx f;

	afx_init(&f, 2, MS, 1);
	afx_compute(&f);
	CHECK(!f.r.tail.present && !f.r.rounds.present && !f.r.spinning.present);
	afx_release(&f);
}
