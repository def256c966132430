/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdint.h>
#include <stdio.h>

#include "analyze/comparison.h"
#include "unit.h"

static const char *const ways[] = { "sequential", "threads", "async" };

/* 2 CPUs, all of one of which is work. */
static struct trial trial_of_wall(uint64_t wall_ns, enum verdict_class class)
{
	struct trial t = {
		.class = class, .audit_clean = true, .wall_ns = wall_ns, .cpus = 2,
		.run_ns = wall_ns, .busy_ns = wall_ns, .voluntary = 3, .involuntary = 4,
		.first_ns = wall_ns / 4, .slowest_ns = wall_ns,
		.capacity = {
			.known = true, .latency_known = true, .total_ns = 2 * wall_ns,
			.work_ns = wall_ns, .no_thread_ns = wall_ns,
		},
	};

	return t;
}

TEST(comparison_spread_is_the_middle_and_the_ends)
{
	const uint64_t odd[] = { 9, 1, 5 }, even[] = { 4, 1, 3, 2 };
	struct spread s = spread_of(odd, 3);

	CHECK_EQ(s.median, 5);
	CHECK_EQ(s.low, 1);
	CHECK_EQ(s.high, 9);
	CHECK_EQ(spread_of(even, 4).median, 2);
	CHECK_EQ(spread_of(odd, 1).median, 9);
	CHECK_EQ(spread_of(odd, 0).cnt, 0);
}

/* A speedup is within its round: a machine that was slow in one of them was slow for all. */
TEST(comparison_pairs_runs_of_a_round)
{
	const struct trial trials[] = {
		trial_of_wall(400, CLASS_SEQUENTIAL), trial_of_wall(200, CLASS_PARALLEL),
		trial_of_wall(400, CLASS_CONCURRENT),
		trial_of_wall(800, CLASS_SEQUENTIAL), trial_of_wall(400, CLASS_PARALLEL),
		trial_of_wall(808, CLASS_CONCURRENT),
		trial_of_wall(400, CLASS_SEQUENTIAL), trial_of_wall(190, CLASS_PARALLEL),
		trial_of_wall(390, CLASS_CONCURRENT),
	};
	struct comparison_work work = { .name = "cpu" };

	comparison_work(trials, ways, 3, 3, &work);
	CHECK_STR(work.name, "cpu");
	CHECK_EQ(work.row_cnt, 3);
	CHECK_EQ(work.rows[1].speedup_milli.median, 2000);
	CHECK_EQ(work.rows[1].speedup_milli.low, 2000);
	CHECK_EQ(work.rows[1].speedup_milli.high, 2105);
	CHECK_EQ(work.rows[2].speedup_milli.low, 990);
	CHECK_EQ(work.rows[0].speedup_milli.high, 1000);
	CHECK_EQ(work.rows[1].gain, GAIN_YES);
	CHECK_EQ(work.rows[2].gain, GAIN_NO);
	CHECK_EQ(work.rows[1].class, CLASS_PARALLEL);
	CHECK_EQ(work.rows[1].wall_ns.median, 200);
	CHECK_EQ(work.rows[1].first_ns.median, 50);
	CHECK_EQ(work.rows[1].switches.median, 7);
	CHECK_EQ(work.rows[1].capacity.total_ns, 2 * 790);
	CHECK_EQ(work.rows[1].limit, LOSS_NO_THREAD);
	CHECK_EQ(work.rows[1].limit_ns, 790);
	/* 400 in the worst of one, 390 in the best of the other: they are not told apart. */
	CHECK(work.rows[1].fastest && work.rows[2].fastest && work.rows[0].fastest);
}

TEST(comparison_never_guesses_a_class)
{
	struct trial trials[] = {
		trial_of_wall(400, CLASS_SEQUENTIAL), trial_of_wall(200, CLASS_PARALLEL),
		trial_of_wall(400, CLASS_CONCURRENT),
		trial_of_wall(400, CLASS_SEQUENTIAL), trial_of_wall(200, CLASS_CONCURRENT),
		trial_of_wall(400, CLASS_INCONCLUSIVE),
	};
	struct comparison_work work = { .name = "io" };

	snprintf(trials[5].reason, sizeof(trials[5].reason), "records are missing");
	comparison_work(trials, ways, 3, 2, &work);
	CHECK_EQ(work.rows[0].class, CLASS_SEQUENTIAL);
	CHECK_EQ(work.rows[1].class, CLASS_NONE);
	CHECK_EQ(work.rows[1].class_cnt[CLASS_PARALLEL], 1);
	CHECK_EQ(work.rows[2].class, CLASS_INCONCLUSIVE);
	CHECK_STR(work.rows[2].reason, "records are missing");
	CHECK_STR(work.rows[0].reason, "");
	CHECK(!work.rows[0].fastest && !work.rows[2].fastest && work.rows[1].fastest);
}

/* Where others had the CPUs that errands waited for, that nothing was gained says nothing. */
TEST(comparison_gains_nothing_only_undisturbed)
{
	struct trial trials[] = {
		trial_of_wall(400, CLASS_SEQUENTIAL), trial_of_wall(400, CLASS_CONCURRENT),
		trial_of_wall(200, CLASS_CONCURRENT),
	};
	struct comparison_work work = { .name = "cpu" };

	trials[1].capacity.interference_ns = trials[2].capacity.interference_ns = 40;
	comparison_work(trials, ways, 3, 1, &work);
	CHECK(!work.rows[0].disturbed && work.rows[1].disturbed && work.rows[2].disturbed);
	CHECK_EQ(work.rows[0].gain, GAIN_NO);
	CHECK_EQ(work.rows[1].gain, GAIN_UNCLEAR);
	CHECK_EQ(work.rows[2].gain, GAIN_YES);
	trials[1].capacity.interference_ns = 39;
	comparison_work(trials, ways, 3, 1, &work);
	CHECK(!work.rows[1].disturbed);
	CHECK_EQ(work.rows[1].gain, GAIN_NO);
}

/* What the first way lost waiting for a CPU is no gain of the others. */
TEST(comparison_gains_in_spite_of_a_slow_base)
{
	struct trial trials[] = {
		trial_of_wall(400, CLASS_SEQUENTIAL), trial_of_wall(200, CLASS_CONCURRENT),
		trial_of_wall(100, CLASS_CONCURRENT),
	};
	struct comparison_work work = { .name = "cpu" };

	trials[0].ready_ns = 181;
	comparison_work(trials, ways, 3, 1, &work);
	CHECK_EQ(work.rows[1].speedup_milli.low, 2000);
	CHECK_EQ(work.rows[1].gain, GAIN_UNCLEAR);
	CHECK_EQ(work.rows[2].gain, GAIN_YES);
	trials[0].ready_ns = 180;
	comparison_work(trials, ways, 3, 1, &work);
	CHECK_EQ(work.rows[1].gain, GAIN_YES);
	trials[0].ready_ns = UINT64_MAX;
	comparison_work(trials, ways, 3, 1, &work);
	CHECK_EQ(work.rows[2].gain, GAIN_UNCLEAR);
}

/* What others had while nobody waited limited nobody. */
TEST(comparison_limit_is_not_what_nobody_wanted)
{
	struct trial trials[] = { trial_of_wall(100, CLASS_SEQUENTIAL) };
	struct comparison_work work = { .name = "io" };

	trials[0].capacity.no_thread_ns = 0;
	trials[0].capacity.other_ns = trials[0].capacity.other.no_thread_ns = 90;
	trials[0].capacity.blocked_ns[REASON_SLEEP] = 10;
	comparison_work(trials, ways, 1, 1, &work);
	CHECK_EQ(work.rows[0].capacity.largest, LOSS_NO_THREAD);
	CHECK_EQ(work.rows[0].limit, LOSS_BLOCKED);
	CHECK_EQ(work.rows[0].limit_reason, REASON_SLEEP);
	CHECK_EQ(work.rows[0].limit_ns, 10);
}

TEST(comparison_least_is_by_all_runs_and_known)
{
	struct trial trials[] = {
		trial_of_wall(400, CLASS_SEQUENTIAL), trial_of_wall(200, CLASS_PARALLEL),
		trial_of_wall(200, CLASS_CONCURRENT),
		trial_of_wall(400, CLASS_SEQUENTIAL), trial_of_wall(200, CLASS_PARALLEL),
		trial_of_wall(200, CLASS_CONCURRENT),
	};
	struct comparison_work work = { .name = "io" };

	for (int i = 0; i < 6; i++)
		trials[i].memory_bytes = 1000 + 100 * (uint64_t)(i % 3);
	comparison_work(trials, ways, 3, 2, &work);
	CHECK_EQ(work.least_memory, 1);
	CHECK_EQ(work.least_switches, SIZE_MAX);	/* they are equal */
	trials[4].memory_bytes = 1200;			/* as much as the other in one run */
	comparison_work(trials, ways, 3, 2, &work);
	CHECK_EQ(work.least_memory, SIZE_MAX);
	trials[4].memory_bytes = 0;			/* not known in one run: of none */
	comparison_work(trials, ways, 3, 2, &work);
	CHECK_EQ(work.rows[1].memory_bytes.cnt, 0);
	CHECK_EQ(work.least_memory, SIZE_MAX);
}
