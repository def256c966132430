/* SPDX-License-Identifier: GPL-2.0-only */
#include "analyze_fixture.h"
#include "unit.h"

#define MS AFX_MS

static uint64_t profile_sum(const struct report_operations *ops)
{
	uint64_t sum_ns = 0;

	for (uint32_t i = 0; i < OPERATIONS_BUCKETS; i++)
		sum_ns += ops->profile_ns[i];
	return sum_ns;
}

TEST(analyze_operations_in_flight)
{
	const struct report_operations *ops;
	struct afx f;

	afx_init(&f, 1, MS, 20);
	afx_task(&f, 0, "0EEEEEEEEEEEEEEEE0SS");
	afx_compute(&f);
	ops = &f.r.operations;
	CHECK_EQ(ops->step, 1);
	CHECK_EQ(ops->profile_cnt, 1);
	CHECK_EQ(ops->profile_ns[0], 20 * MS);

	afx_op(&f, 1, 1, 4);
	afx_op(&f, 1, 4, 10);	/* touches the first */
	afx_op(&f, 1, 6, 12);
	afx_op(&f, 1, 7, 7);	/* no time */
	afx_op(&f, 1, 8, 9);
	afx_compute(&f);
	CHECK_EQ(ops->step, 1);
	CHECK_EQ(ops->profile_cnt, 4);
	CHECK_EQ(ops->profile_ns[0], 9 * MS);
	CHECK_EQ(ops->profile_ns[1], 7 * MS);
	CHECK_EQ(ops->profile_ns[2], 3 * MS);
	CHECK_EQ(ops->profile_ns[3], 1 * MS);
	CHECK_EQ(profile_sum(ops), 20 * MS);
	afx_release(&f);
}

/* @cnt operations begin by turns and end together. */
static void stairs(struct afx *f, unsigned int cnt)
{
	afx_init(f, 1, MS, cnt + 5);
	afx_task(f, 0, "0E");
	for (unsigned int i = 0; i < cnt; i++)
		afx_op(f, 1, i, cnt);
	afx_compute(f);
	CHECK_EQ(f->r.concurrency.max_operations, cnt);
	CHECK_EQ(profile_sum(&f->r.operations), (cnt + 5) * MS);
	CHECK_EQ(f->r.operations.profile_ns[0], 5 * MS);
}

TEST(analyze_operations_share_buckets_where_they_are_many)
{
	struct afx f;

	stairs(&f, 63);
	CHECK_EQ(f.r.operations.step, 1);
	CHECK_EQ(f.r.operations.profile_cnt, 64);
	CHECK_EQ(f.r.operations.profile_ns[63], MS);
	afx_release(&f);
	stairs(&f, 64);
	CHECK_EQ(f.r.operations.step, 2);
	CHECK_EQ(f.r.operations.profile_cnt, 33);
	CHECK_EQ(f.r.operations.profile_ns[1], 2 * MS);	/* 1 and 2 */
	CHECK_EQ(f.r.operations.profile_ns[32], 2 * MS);
	afx_release(&f);
	stairs(&f, 1001);
	CHECK_EQ(f.r.operations.step, 16);
	CHECK_EQ(f.r.operations.profile_ns[62], 16 * MS);
	CHECK_EQ(f.r.operations.profile_ns[63], 9 * MS);	/* 993 .. 1001 */
	CHECK_EQ(f.r.operations.profile_cnt, 64);
	afx_release(&f);
}

/* At each unit of time: count who is open. */
TEST(analyze_operations_as_counted_one_by_one)
{
	uint64_t seed = 7;

	for (int round = 0; round < 300; round++) {
		unsigned int cnt = afx_random(&seed, 40), from[40], until[40];
		uint64_t want[OPERATIONS_BUCKETS] = { 0 };
		struct afx f;

		afx_init(&f, 1, 1000, 50);
		afx_task(&f, 0, "0E");
		for (unsigned int i = 0; i < cnt; i++) {
			from[i] = afx_random(&seed, 50);
			until[i] = from[i] + afx_random(&seed, 60); /* some outlive the window */
			afx_op(&f, 1, from[i], until[i]);
		}
		for (unsigned int at = 0; at < 50; at++) {
			unsigned int open = 0;

			for (unsigned int i = 0; i < cnt; i++)
				open += from[i] <= at && at < until[i];
			want[open] += 1000;
		}
		afx_compute(&f);
		CHECK_EQ(f.r.operations.step, 1);
		for (unsigned int k = 0; k < OPERATIONS_BUCKETS; k++)
			CHECK_EQ(f.r.operations.profile_ns[k], want[k]);
		afx_release(&f);
	}
}
