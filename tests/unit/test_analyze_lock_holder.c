/* SPDX-License-Identifier: GPL-2.0-only */
#include <string.h>

#include "analyze_fixture.h"
#include "unit.h"

#define MS AFX_MS

static void futex_at(struct model_span *s, uint64_t addr, uint32_t waker_id, uint16_t flags)
{
	s->flags |= SPAN_FUTEX | flags;
	s->mm_id = 1;
	s->addr = addr;
	s->waker_id = waker_id;
	s->waker_tid = waker_id ? 100 + waker_id : 0;
}

/* Task 1 waits from 2 to 10 for task 2, which other programs keep off its CPU for 3 + 1 of that. */
TEST(analyze_lock_holder_was_kept_from_its_cpu)
{
	struct afx f;

	afx_init(&f, 2, MS, 12);
	afx_task(&f, 0, "00LLLLLLLL00");
	afx_task(&f, 0, ".1..11SS.111");
	futex_at(afx_span(&f, 0, 1), 0x1000, 2, 0);
	afx_compute(&f);
	REQUIRE(f.r.lock_cnt == 1);
	CHECK_EQ(f.r.locks[0].wait_ns, 8 * MS);
	CHECK_EQ(f.r.locks[0].holder_ready_ns, 3 * MS);

	/* Its ready time is cut to the wait at both ends. */
	afx_span(&f, 0, 1)->start_ns += MS;
	afx_span(&f, 0, 0)->end_ns += MS;
	afx_span(&f, 0, 1)->end_ns -= 3 * MS / 2;
	afx_span(&f, 0, 2)->start_ns -= 3 * MS / 2;
	afx_compute(&f);
	CHECK_EQ(f.r.locks[0].holder_ready_ns, MS + MS / 2);
	afx_release(&f);
}

/* Nobody is to blame: a timer, another program, a task that the model lacks, one not yet born. */
TEST(analyze_lock_holder_unknown)
{
	static const struct {
		uint32_t waker_id;
		uint16_t flags;
	} none[] = { { 2, SPAN_WOKEN_BY_IRQ }, { 0, 0 }, { 99, 0 }, { 3, 0 } };

	for (size_t i = 0; i < 4; i++) {
		struct afx f;

		afx_init(&f, 2, MS, 12);
		afx_task(&f, 0, "00LLLLLLLL00");
		afx_task(&f, 0, "............");
		afx_task(&f, 10, ".");
		futex_at(afx_span(&f, 0, 1), 0x1000, none[i].waker_id, none[i].flags);
		afx_compute(&f);
		REQUIRE(f.r.lock_cnt == 1);
		CHECK_EQ(f.r.locks[0].holder_ready_ns, 0);
		afx_release(&f);
	}
}

static char state_at(const char *life, unsigned int born, unsigned int at)
{
	return at >= born && at - born < strlen(life) ? life[at - born] : ' ';
}

/* Random lives; each unit of each wait is looked up one by one. */
TEST(analyze_lock_holder_as_counted_one_by_one)
{
	enum { TASKS = 5, UNITS = 60 };
	uint64_t seed = 11;

	for (int round = 0; round < 500; round++) {
		unsigned int born[TASKS], waker[TASKS][UNITS] = { 0 };
		uint64_t want_ns = 0, wait_ns = 0, got_ns = 0, got_wait_ns = 0;
		char life[TASKS][UNITS + 1];
		struct afx f;

		afx_init(&f, 2, 1000, UNITS);
		for (unsigned int t = 0; t < TASKS; t++) {
			unsigned int len = afx_random(&seed, UNITS) + 1;
			char c = '.';

			born[t] = afx_random(&seed, UNITS - len + 1);
			for (unsigned int i = 0; i < len; i++) {
				if (!afx_random(&seed, 3))
					c = "0.LS"[afx_random(&seed, 4)];
				life[t][i] = c;
			}
			life[t][len] = '\0';
			afx_task(&f, born[t], life[t]);
			for (size_t i = 0; i < f.m.tasks[t].span_cnt; i++) {
				struct model_span *s = afx_span(&f, t, i);

				if (s->state != SPAN_BLOCKED || s->reason != REASON_LOCK)
					continue;
				futex_at(s, 0x1000 + 8 * afx_random(&seed, 3),
					 afx_random(&seed, TASKS + 2), 0);
				for (uint64_t at = s->start_ns; at < s->end_ns; at += 1000)
					waker[t][(at - AFX_START_NS) / 1000] = s->waker_id;
			}
		}
		for (unsigned int t = 0; t < TASKS; t++)
			for (unsigned int at = 0; at < UNITS; at++) {
				unsigned int by = waker[t][at];

				if (state_at(life[t], born[t], at) != 'L')
					continue;
				wait_ns += 1000;
				if (by && by <= TASKS &&
				    state_at(life[by - 1], born[by - 1], at) == '.')
					want_ns += 1000;
			}
		afx_compute(&f);
		for (size_t i = 0; i < f.r.lock_cnt; i++) {
			got_ns += f.r.locks[i].holder_ready_ns;
			got_wait_ns += f.r.locks[i].wait_ns;
			CHECK(f.r.locks[i].holder_ready_ns <= f.r.locks[i].wait_ns);
		}
		CHECK_EQ(got_ns, want_ns);
		CHECK_EQ(got_wait_ns, wait_ns);
		afx_release(&f);
	}
}
