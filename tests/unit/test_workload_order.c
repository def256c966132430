/* SPDX-License-Identifier: GPL-2.0-only */
/* Workloads in which tasks wait for each other, or for one of them: what they do and claim. */
#include "unit.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/minmax.h"
#include "workload/hog_job.h"
#include "workload/work.h"
#include "workload/workload.h"

#define MS UINT64_C(1000000)

static const struct workload *find(const char *name, struct workload_args *args)
{
	const struct workload *workload = workload_find(name);

	REQUIRE(workload);
	*args = workload->defaults;
	if (args->duration_ns)
		args->duration_ns = 60 * MS;
	if (args->unit_ns)
		args->unit_ns = 10 * MS;
	if (args->rounds)
		args->rounds = 50;
	return workload;
}

static struct claim claim_of(const struct workload *workload, const struct workload_args *args)
{
	struct claim claim;

	memset(&claim, 0xff, sizeof(claim));
	workload->claim(args, &claim);
	CHECK(memchr(claim.why, '\0', sizeof(claim.why)) && claim.why[0]);
	CHECK(claim.needs_cpus == (claim.class == CLASS_PARALLEL || claim.serializer ? 2 : 1));
	CHECK(!claim.stall == !claim.stall_ns);
	return claim;
}

static void run(const struct workload *workload, const struct workload_args *args)
{
	CHECK_EQ(workload->run(args), 0);
	/* Nobody is left behind. */
	CHECK_EQ(waitpid(-1, NULL, WNOHANG), -1);
	CHECK_EQ(errno, ECHILD);
}

TEST(workload_gil_runs_and_claims)
{
	for (uint32_t i = 0; i < 12; i++) {
		struct workload_args args;
		const struct workload *gil = find("gil", &args);
		struct claim claim;

		args.work = i % 3;
		args.free = i / 3 % 2;
		args.tasks = i / 6 ? 4 : 1;
		run(gil, &args);
		claim = claim_of(gil, &args);
		if (args.tasks == 1)
			CHECK_EQ(claim.class, CLASS_SEQUENTIAL);
		else if (args.work == WORK_IO)
			CHECK(claim.class == CLASS_CONCURRENT && claim.at_least &&
			      !claim.serializer);
		else if (args.free)
			CHECK(claim.class == CLASS_PARALLEL && !claim.serializer);
		else if (args.work == WORK_CPU)
			CHECK(claim.class == CLASS_CONCURRENT && !claim.at_least &&
			      claim.serializer);
	}
}

TEST(workload_race_runs_and_claims)
{
	for (uint32_t i = 0; i < 8; i++) {
		struct workload_args args;
		const struct workload *race = find("race", &args);

		args.how = i % 4;
		args.tasks = i < 4 ? 1 : 4;
		args.rounds = 2000;
		run(race, &args);
		CHECK_EQ(claim_of(race, &args).class, i < 4 ? CLASS_SEQUENTIAL : CLASS_PARALLEL);
	}
}

TEST(workload_event_runs_and_claims)
{
	for (uint32_t tasks = 1; tasks <= 7; tasks += 3) {
		struct workload_args args;
		const struct workload *event = find("event", &args);

		args.tasks = tasks;
		run(event, &args);
		CHECK_EQ(claim_of(event, &args).class,
			 tasks == 1 ? CLASS_SEQUENTIAL : CLASS_CONCURRENT);
	}
}

TEST(workload_queue_runs_with_few_places_and_many)
{
	for (uint32_t i = 0; i < 18; i++) {
		struct workload_args args;
		const struct workload *queue = find("queue", &args);

		args.how = i % 3;
		args.slots = (uint32_t[]){ 1, 3, 1000 }[i / 3 % 3];
		args.tasks = i / 9 ? 5 : 2;
		run(queue, &args);
		CHECK_EQ(claim_of(queue, &args).class, CLASS_CONCURRENT);
	}
}

TEST(workload_convoy_runs_and_claims)
{
	for (uint32_t i = 0; i < 8; i++) {
		struct workload_args args;
		const struct workload *convoy = find("convoy", &args);
		struct claim claim;

		args.work = i % 2 ? WORK_IO : WORK_CPU;
		args.mend = i / 2 % 2;
		args.tasks = i < 4 ? 1 : 4;
		run(convoy, &args);
		claim = claim_of(convoy, &args);
		if (args.tasks == 1)
			CHECK_EQ(claim.class, CLASS_SEQUENTIAL);
		else
			CHECK_EQ(claim.class, i == 6 ? CLASS_PARALLEL : CLASS_CONCURRENT);
		CHECK_EQ(claim.serializer, i == 4);
	}
}

TEST(workload_deadlock_in_one_order_ends)
{
	for (uint32_t tasks = 1; tasks <= 6; tasks++) {
		struct workload_args args;
		const struct workload *deadlock = find("deadlock", &args);

		args.tasks = tasks;
		args.how = tasks % 2;
		CHECK_EQ(claim_of(deadlock, &args).deadlock, tasks > 1);
		args.mend = 1;
		args.duration_ns = 60000 * MS;
		CHECK(!claim_of(deadlock, &args).deadlock);
		run(deadlock, &args);
	}
}

/* Turns so short that handing the lock on is a part of them are not claimed to be serialized. */
TEST(workload_gil_claims_nothing_of_short_turns)
{
	struct workload_args args;
	const struct workload *gil = find("gil", &args);

	args.interval_ns = 5 * MS;
	CHECK(claim_of(gil, &args).serializer);
	args.interval_ns -= 1;
	CHECK(!claim_of(gil, &args).serializer);
	CHECK(claim_of(gil, &args).at_least);
}

static uint64_t took_units(const struct workload *workload, const struct workload_args *args)
{
	uint64_t start_ns = work_now_ns();

	run(workload, args);
	return (work_now_ns() - start_ns) / args->unit_ns;
}

/* Never less than the longest; and not the sum, if the machine lets it once in ten times. */
static void check_overlaps(const char *name, uint32_t tasks, uint64_t longest, uint64_t sum)
{
	uint64_t least = UINT64_MAX;

	for (int i = 0; i < 10 && least >= sum; i++) {
		struct workload_args args;
		const struct workload *workload = find(name, &args);

		args.tasks = tasks;
		args.unit_ns = 20 * MS;
		least = min_u64(least, took_units(workload, &args));
		CHECK(least >= longest);
		CHECK_EQ(claim_of(workload, &args).class, CLASS_CONCURRENT);
	}
	CHECK(least < sum);
}

TEST(workload_sleepers_overlap)
{
	check_overlaps("sleepers", 2, 2, 3);
	check_overlaps("sleepers", 5, 5, 15);
}

TEST(workload_gather_overlaps)
{
	check_overlaps("gather", 3, 3, 6);
	check_overlaps("gather", 300, 3, 600);
	check_overlaps("gather", 2, 2, 3);
}

TEST(workload_one_alone_overlaps_with_nothing)
{
	static const char *const names[] = { "sleepers", "gather" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct workload_args args;
		const struct workload *workload = find(names[i], &args);

		args.tasks = 1;
		run(workload, &args);
		CHECK_EQ(claim_of(workload, &args).class, CLASS_SEQUENTIAL);
	}
}

TEST(workload_sums_runs_and_claims)
{
	struct workload_args args;
	const struct workload *sums = find("sums", &args);

	args.tasks = 3;
	args.rounds = 3;
	run(sums, &args);
	CHECK_EQ(claim_of(sums, &args).class, CLASS_PARALLEL);
}

/* ---- hog ---- */

TEST(workload_hog_runs_in_every_way)
{
	for (uint32_t i = 0; i < 24; i++) {
		struct workload_args args;
		const struct workload *hog = find("hog", &args);
		struct claim claim;

		args.how = i / 12;
		args.call = i / 4 % 3;
		args.mend = i % 4;
		args.long_ns = 10 * MS;
		claim = claim_of(hog, &args);
		CHECK_EQ(claim.min_operations, args.tasks);
		if (args.mend)
			CHECK_EQ(claim.stall, STALL_NONE);
		else if (args.how == HOG_COMPUTING)
			CHECK_EQ(claim.stall, STALL_COMPUTING);
		else
			CHECK_EQ(claim.stall, args.call == HOG_FSYNC ? STALL_ANY : STALL_BLOCKED);
		if (hog->check(&args))
			CHECK(args.how == HOG_BLOCKING && args.call == HOG_FSYNC && args.mend == 1);
		else
			run(hog, &args);
	}
}

static void await_worker(const struct hog_pool *pool, uint32_t worker)
{
	struct pollfd fd = { .fd = pool->fds[worker], .events = POLLIN };

	CHECK_EQ(poll(&fd, 1, 60000), 1);
}

/* Each worker has one job at a time, and its descriptor is ready when that is done. */
TEST(workload_hog_pool_has_one_job_per_worker)
{
	for (int of_processes = 0; of_processes < 2; of_processes++) {
		struct workload_args args;
		struct hog_pool pool;
		struct hog_job job;

		(void)find("hog", &args);
		args.long_ns = MS;
		REQUIRE(!hog_job_open(&job, &args));
		REQUIRE(!hog_pool_open(&pool, &job, of_processes));
		for (int round = 0; round < 3; round++) {
			for (uint32_t i = 0; i < HOG_POOL_CNT; i++)
				CHECK_EQ(hog_pool_submit(&pool), 0);
			CHECK_EQ(hog_pool_submit(&pool), -EBUSY);
			for (uint32_t i = 0; i < HOG_POOL_CNT; i++) {
				await_worker(&pool, i);
				CHECK_EQ(hog_pool_collect(&pool, i), 0);
			}
		}
		/* It may be closed with a job under way. */
		CHECK_EQ(hog_pool_submit(&pool), 0);
		hog_pool_close(&pool);
		hog_job_close(&job);
		CHECK_EQ(waitpid(-1, NULL, WNOHANG), -1);
	}
}
