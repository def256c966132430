/* SPDX-License-Identifier: GPL-2.0-only */
#include <string.h>

#include "analyze_fixture.h"
#include "unit.h"

/* One that is no child of the first. */
static void sibling(struct afx *f, const char *life)
{
	f->m.tasks[afx_task(f, 0, life)].parent_id = 0;
}

/* Of this task each wait that is for what @c stands for is ended by task number @by. */
static void given_by(struct afx *f, size_t task, enum reason reason, size_t by)
{
	for (size_t i = 0; i < f->m.tasks[task].span_cnt; i++) {
		struct model_span *s = afx_span(f, task, i);

		if (s->state != SPAN_BLOCKED || s->reason != reason)
			continue;
		s->waker_id = f->m.tasks[by].id;
		s->waker_tid = f->m.tasks[by].tid;
	}
}

/* Two tasks, and a token between them. */
static void two(struct afx *f, const char *a, const char *b, enum reason reason)
{
	afx_init(f, 2, AFX_MS, (unsigned int)strlen(a));
	afx_task(f, 0, a);
	sibling(f, b);
	given_by(f, 0, reason, 1);
	given_by(f, 1, reason, 0);
}

TEST(analyze_handovers_a_token_goes_round)
{
	const struct report_serializer *s;
	struct afx f;

	two(&f, "00II00II00II", "II11II11II11", REASON_PIPE);
	s = &f.r.serializer;
	afx_compute(&f);
	CHECK(s->present && s->measured);
	CHECK_EQ(s->kind, SERIALIZER_HANDOVERS);
	CHECK_EQ(s->through, REASON_PIPE);
	CHECK_EQ(s->index_ppm, 1000000);
	CHECK_EQ(s->demand_ns, 10 * AFX_MS);	/* the last wait of the first leads to nothing */
	CHECK_EQ(s->locked_ns, 10 * AFX_MS);
	CHECK_EQ(s->addr, 0);
	CHECK_EQ(s->task_cnt, 2);
	afx_release(&f);

	/* The same through condition variables, one of each thread: Ruby, Java. */
	two(&f, "00CC00CC00CC", "CC11CC11CC11", REASON_COND);
	afx_compute(&f);
	CHECK(f.r.serializer.present);
	CHECK_EQ(f.r.serializer.through, REASON_COND);
	afx_release(&f);
}

/* All waits of a task are at this word. */
static void wait_at(struct afx *f, size_t task, uint64_t addr)
{
	for (size_t i = 0; i < f->m.tasks[task].span_cnt; i++) {
		struct model_span *s = afx_span(f, task, i);

		if (s->state != SPAN_BLOCKED)
			continue;
		s->flags |= SPAN_FUTEX;
		s->addr = addr;
		s->mm_id = 3;
	}
}

TEST(analyze_handovers_are_named_by_the_one_futex)
{
	struct afx f;

	two(&f, "0C00CC00CC00CC00CC00CC", "C1CC11CC11CC11CC11CC11", REASON_COND);
	wait_at(&f, 0, 0x7000);
	wait_at(&f, 1, 0x7004);
	afx_compute(&f);
	CHECK(f.r.serializer.present);
	CHECK_EQ(f.r.serializer.mm_id, 3);
	CHECK_EQ(f.r.serializer.addr & ~4ull, 0x7000);
	/* A short wait elsewhere is of no account. */
	afx_span(&f, 0, 1)->addr = 0x9000;
	afx_compute(&f);
	CHECK(f.r.serializer.present);
	CHECK_EQ(f.r.serializer.addr & ~4ull, 0x7000);
	/* Of two there is no one to be named. */
	wait_at(&f, 0, 0x9000);
	afx_compute(&f);
	CHECK(f.r.serializer.present);
	CHECK_EQ(f.r.serializer.addr, 0);
	afx_release(&f);
}

/* Whether anything is found when the first and the second do this. */
static bool found(const char *a, const char *b, enum reason reason)
{
	struct afx f;
	bool present;

	two(&f, a, b, reason);
	afx_compute(&f);
	present = f.r.serializer.present;
	afx_release(&f);
	return present;
}

/* Each wakes the other a moment before it waits itself. */
TEST(analyze_handovers_take_as_long_as_the_waking)
{
	const struct report_serializer *s;
	struct afx f;

	two(&f, "00I.00I.00I.", "I.11I.11I.11", REASON_PIPE);
	s = &f.r.serializer;
	for (size_t t = 0; t < 2; t++)
		for (size_t i = 0; i < f.m.tasks[t].span_cnt; i++)
			if (afx_span(&f, t, i)->state == SPAN_READY)
				afx_span(&f, t, i)->cpu = (uint16_t)t;
	afx_compute(&f);
	CHECK(s->present);
	CHECK_EQ(s->ready_ns, 0);
	CHECK_EQ(s->locked_ns, s->demand_ns);
	afx_release(&f);

	/* On a CPU that the other has, it waits for that. */
	two(&f, "00I.00I.00I.", "I.00I.00I.00", REASON_PIPE);
	afx_compute(&f);
	CHECK(!s->present);
	afx_release(&f);
}

TEST(analyze_handovers_that_are_none)
{
	CHECK(found("00II00II00II", "II11II11II11", REASON_PIPE));
	CHECK(!found("0000II0000II", "II11111111II", REASON_PIPE));	/* both at once */
	CHECK(!found("00SS00SS00SS", "SS11SS11SS11", REASON_SLEEP));	/* timers */
	CHECK(!found("00JJ00JJ00JJ", "JJ11JJ11JJ11", REASON_JOIN));
	CHECK(!found("00IIIIIIIIII", "II11SSSSSSSS", REASON_PIPE));	/* once */
	CHECK(!found("000000000000", "II11II11II11", REASON_PIPE));	/* one gives, one takes */
}

TEST(analyze_handovers_to_kin_are_calls)
{
	struct afx f;

	two(&f, "00CC00CC00CC", "CC11CC11CC11", REASON_COND);
	for (size_t t = 0; t < 2; t++)
		for (size_t i = 0; i < f.m.tasks[t].span_cnt; i++)
			if (afx_span(&f, t, i)->state == SPAN_BLOCKED)
				afx_span(&f, t, i)->flags |= SPAN_WAKER_KIN;
	afx_compute(&f);
	CHECK(!f.r.serializer.present);
	afx_release(&f);
}

TEST(analyze_handovers_to_many_are_none)
{
	struct afx f;

	two(&f, "00CC00CC00CC", "CC11CC11CC11", REASON_COND);
	for (size_t i = 0; i < f.m.tasks[1].span_cnt; i++)
		afx_span(&f, 1, i)->futex_many = true;
	afx_compute(&f);
	CHECK(!f.r.serializer.present);
	afx_release(&f);
}

/* Who waits long and does little is kept from little: `cat big | gzip`. */
TEST(analyze_handovers_helper)
{
	struct afx f;
	char cat[101] = { 0 }, gzip[101] = { 0 };

	for (int i = 0; i < 100; i++) {
		cat[i] = i % 25 == 24 ? '1' : 'I';
		gzip[i] = i % 25 == 24 ? 'I' : '0';
	}
	afx_init(&f, 2, AFX_MS, 100);
	afx_task(&f, 0, gzip);
	sibling(&f, cat);
	given_by(&f, 0, REASON_PIPE, 1);
	given_by(&f, 1, REASON_PIPE, 0);
	afx_compute(&f);
	CHECK(!f.r.serializer.present);
	afx_release(&f);
}

/* A timed-out wait that is resumed at once is one with the next: Ruby's, for 10 ms at a time. */
TEST(analyze_handovers_timed_waits)
{
	struct afx f;
	const struct report_serializer *s = &f.r.serializer;

	afx_init(&f, 2, 40000, 36);	/* a unit is a run of no account */
	afx_task(&f, 0, "000000CCC1CCC000000CCCCCC000000CCCCC");
	sibling(&f, "CCCCCC1111111CCCCCC111111CCCCCC11111");
	given_by(&f, 0, REASON_COND, 1);
	given_by(&f, 1, REASON_COND, 0);
	afx_span(&f, 0, 1)->flags |= SPAN_WOKEN_BY_IRQ;
	afx_span(&f, 0, 1)->waker_id = 0;
	afx_compute(&f);
	CHECK(s->present);
	CHECK_EQ(s->reached_ns, 40000);
	afx_release(&f);
}

/* At its time limit one asks the other for the lock, and has it before it could wait again. */
TEST(analyze_handovers_asked_for)
{
	struct afx f;
	const struct report_serializer *s = &f.r.serializer;

	for (int there = 0; there < 2; there++) {
		two(&f, "00CC00CC00CC00CC00CC", "CC11CC11CC11CC11CC11", REASON_COND);
		for (size_t t = 0; t < 2; t++) {
			for (size_t i = 0; i < f.m.tasks[t].span_cnt; i++) {
				struct model_span *w = afx_span(&f, t, i);

				if (w->state != SPAN_BLOCKED)
					continue;
				w->flags |= SPAN_FUTEX;
				w->addr = 0x7000 + 64 * t;
				w->mm_id = 3;
				if (i / 2 % 2) {
					w->flags |= SPAN_WOKEN_BY_IRQ;
					w->waker_id = 0;
					w->addr += there ? 4 : 32;
				}
			}
		}
		afx_compute(&f);
		CHECK_EQ(s->demand_ns, (there ? 18 : 10) * AFX_MS);
		afx_release(&f);
	}
}

/* Task 1 is woken nine times at one word, and waits on; what it does then is what it waited for. */
TEST(analyze_handovers_lock_that_one_always_loses)
{
	struct afx f;

	/* and a consumer of small jobs, which has as little to do in the end as before */
	for (int consumer = 0; consumer < 2; consumer++) {
		char holder[561] = { 0 }, waiter[561] = { 0 };

		for (size_t i = 0; i < 560; i++) {
			holder[i] = i < 400 ? '0' : 'I';
			waiter[i] = i < 400 ? (i % 40 ? 'C' : '1') : consumer ? 'C' : '1';
		}
		afx_init(&f, 2, 40000, 560);	/* a unit is a run of no account */
		afx_task(&f, 0, holder);
		sibling(&f, waiter);
		given_by(&f, 1, REASON_COND, 0);
		for (size_t i = 0; i < f.m.tasks[1].span_cnt; i++) {
			struct model_span *s = afx_span(&f, 1, i);

			if (s->state == SPAN_BLOCKED) {
				s->flags |= SPAN_FUTEX;
				s->addr = 0x7000;
				s->mm_id = 3;
			}
		}
		afx_compute(&f);
		CHECK_EQ(f.r.serializer.present, !consumer);
		afx_release(&f);
	}
}

/* A ring of three, each hands on to the next only. */
TEST(analyze_handovers_ring)
{
	struct afx f;

	afx_init(&f, 2, AFX_MS, 18);
	afx_task(&f, 0, "00IIII00IIII00IIII");
	sibling(&f, "II11IIII11IIII11II");
	sibling(&f, "IIII00IIII00IIII00");
	for (size_t t = 0; t < 3; t++)
		given_by(&f, t, REASON_PIPE, (t + 2) % 3);
	afx_compute(&f);
	CHECK(f.r.serializer.present);
	CHECK_EQ(f.r.serializer.task_cnt, 3);
	afx_release(&f);
}
