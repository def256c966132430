/* SPDX-License-Identifier: GPL-2.0-only */
#include <string.h>

#include "analyze_fixture.h"
#include "unit.h"

#define MS AFX_MS

TEST(analyze_calls_of_a_task)
{
	const struct report_call *c;
	struct afx f;

	afx_init(&f, 1, MS, 30);
	afx_task(&f, 0, "0III0II0IIII0DD0F0O0II0");
	afx_span(&f, 0, 1)->syscall = 0;
	afx_span(&f, 0, 3)->syscall = 1;
	afx_span(&f, 0, 5)->syscall = 1;
	afx_span(&f, 0, 7)->syscall = 74;
	afx_span(&f, 0, 11)->syscall = 400;		/* no such call */
	afx_span(&f, 0, 13)->syscall = 0;
	afx_span(&f, 0, 13)->flags |= SPAN_COMPAT;	/* 0 of another table */
	afx_task(&f, 0, "S0");
	afx_task(&f, 0, "0");
	afx_compute(&f);
	REQUIRE(f.r.call_cnt == 7);
	CHECK_EQ(f.r.tasks[0].call_cnt, 6);
	c = &f.r.calls[f.r.tasks[0].call_first];
	CHECK_STR(c[0].name, "write");
	CHECK_EQ(c[0].reason, REASON_PIPE);
	CHECK_EQ(c[0].ns, 6 * MS);
	CHECK_EQ(c[0].cnt, 2);
	CHECK_STR(c[1].name, "read");
	CHECK_EQ(c[1].ns, 3 * MS);
	/* Of the 2 ms, those of the lower reason come first. */
	CHECK(!c[2].name && c[2].reason == REASON_PIPE);
	CHECK_STR(c[3].name, "fsync");
	CHECK(!c[4].name && c[4].reason == REASON_PAGEFAULT);
	CHECK(!c[5].name && c[5].reason == REASON_OTHER);
	CHECK_EQ(f.r.tasks[1].call_cnt, 1);
	CHECK_EQ(f.r.tasks[2].call_cnt, 0);
	afx_release(&f);
}

/* Whatever the calls, those of a reason are its time, and their number that of the blocks. */
TEST(analyze_calls_sum_to_the_reasons)
{
	static const char letters[] = "0LCJWEPSINUDFKTGO.";
	uint64_t seed = 3;

	for (int round = 0; round < 300; round++) {
		uint64_t blocks = 0, counted = 0;
		char life[61] = "";
		struct afx f;

		afx_init(&f, 1, 1000, 60);
		for (int t = 0; t < 3; t++) {
			for (int i = 0; i < 60; i++)
				life[i] = letters[afx_random(&seed, sizeof(letters) - 1)];
			afx_task(&f, 0, life);
		}
		for (size_t i = 0; i < f.m.span_cnt; i++) {
			struct model_span *s = afx_any_span(&f, i);

			if (s->state != SPAN_BLOCKED)
				continue;
			s->syscall = (int32_t)afx_random(&seed, 600) - 1;
			if (!afx_random(&seed, 8))
				s->syscall = INT32_MAX;
			blocks++;
		}
		afx_compute(&f);
		for (size_t t = 0; t < 3; t++) {
			uint64_t sums_ns[REASON_CNT] = { 0 };
			const struct report_task *row = &f.r.tasks[t];

			for (size_t i = 0; i < row->call_cnt; i++) {
				const struct report_call *c = &f.r.calls[row->call_first + i];

				sums_ns[c->reason] += c->ns;
				counted += c->cnt;
				CHECK(!i || c[-1].ns >= c->ns);
			}
			CHECK(!memcmp(sums_ns, row->blocked_ns, sizeof(sums_ns)));
		}
		CHECK_EQ(counted, blocks);
		afx_release(&f);
	}
}
