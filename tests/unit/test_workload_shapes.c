/* SPDX-License-Identifier: GPL-2.0-only */
/* Workloads that show one shape each: they do what they say, and claim what follows from it. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/minmax.h"
#include "workload/cpus.h"
#include "workload/work.h"
#include "workload/workload.h"

#define MS UINT64_C(1000000)

static const struct workload *find(const char *name, struct workload_args *args)
{
	const struct workload *workload = workload_find(name);

	REQUIRE(workload);
	*args = workload->defaults;
	args->duration_ns = workload->defaults.duration_ns ? 50 * MS : 0;
	if (!workload->defaults.duration_ns)
		args->rounds = 40;
	return workload;
}

static struct claim claim_of(const struct workload *workload, const struct workload_args *args)
{
	struct claim claim;

	memset(&claim, 0xff, sizeof(claim));
	workload->claim(args, &claim);
	CHECK(memchr(claim.why, '\0', sizeof(claim.why)) && claim.why[0]);
	CHECK(claim.needs_cpus == (claim.class == CLASS_PARALLEL ? 2 : 1));
	return claim;
}

static void run(const struct workload *workload, const struct workload_args *args)
{
	if (workload->check && workload->check(args))
		return;
	CHECK_EQ(workload->run(args), 0);
	/* Nobody is left behind. */
	CHECK_EQ(waitpid(-1, NULL, WNOHANG), -1);
	CHECK_EQ(errno, ECHILD);
}

/* As many ways as the workload has, from one task to five. */
static void run_all(const char *name, uint32_t how_cnt, uint32_t over_cnt)
{
	for (uint32_t i = 0; i < how_cnt * over_cnt; i++) {
		for (uint32_t tasks = 1; tasks <= 5; tasks += 2) {
			struct workload_args args;
			const struct workload *workload = find(name, &args);

			args.how = i % how_cnt;
			args.over = i / how_cnt;
			args.tasks = tasks;
			if (args.touch_mib)
				args.touch_mib = 2;
			if (!strcmp(name, "pingpong") || !strcmp(name, "uring") ||
			    !strcmp(name, "memory"))
				args.tasks = tasks + 1;	/* one alone has nobody to play with */
			run(workload, &args);
		}
	}
}

TEST(workload_pinned_runs)
{
	run_all("pinned", 1, 1);
}

TEST(workload_oversubscribed_runs)
{
	struct workload_args args;
	const struct workload *workload = find("oversubscribed", &args);

	run_all("oversubscribed", 1, 1);
	run(workload, &args);
	CHECK_EQ(claim_of(workload, &args).class, CLASS_PARALLEL);
}

TEST(workload_unbalanced_runs)
{
	run_all("unbalanced", 1, 1);
}

TEST(workload_pingpong_runs)
{
	run_all("pingpong", 1, 2);
}

TEST(workload_amdahl_runs)
{
	run_all("amdahl", 1, 1);
}

TEST(workload_migrate_runs)
{
	run_all("migrate", 2, 1);
}

TEST(workload_pool_runs)
{
	run_all("pool", 1, 1);
}

TEST(workload_pipeline_runs)
{
	run_all("pipeline", 1, 1);
}

TEST(workload_spawn_runs)
{
	run_all("spawn", 4, 1);
}

TEST(workload_memory_runs)
{
	run_all("memory", 2, 1);
}

TEST(workload_uring_runs)
{
	run_all("uring", 2, 1);
}

TEST(workload_ipc_runs)
{
	for (uint32_t i = 0; i < 40; i++) {
		struct workload_args args;
		const struct workload *workload = find("ipc", &args);

		args.over = i % 5;
		args.where = i / 5 % 2;
		args.batch = (uint32_t[]){ 1, 3, 20, 1000 }[i / 10];
		args.rounds = 1001;
		run(workload, &args);
	}
}

TEST(workload_amdahl_claims_what_follows)
{
	static const struct {
		uint32_t tasks, serial;
		enum verdict_class class;
		uint32_t milli;
	} rows[] = {
		/* On 4 CPUs the wide part of 50 takes 12.5 beside 50: a fifth. */
		{ 4, 50, CLASS_PARALLEL, 1166 },
		{ 2, 0, CLASS_PARALLEL, 1500 },
		{ 100, 0, CLASS_PARALLEL, 1500 },
		/* On 9 CPUs 50 / 9 beside 50: a tenth. */
		{ 9, 50, CLASS_PARALLEL, 1166 },
		{ 10, 50, CLASS_NONE, 0 },
		{ 2, 90, CLASS_NONE, 0 },	/* 5 beside 90 */
		{ 4, 97, CLASS_NONE, 0 },
		{ 4, 98, CLASS_SEQUENTIAL, 0 },
		{ 4, 100, CLASS_SEQUENTIAL, 0 },
		{ 1, 0, CLASS_SEQUENTIAL, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct workload_args args;
		const struct workload *workload = find("amdahl", &args);
		struct claim claim;

		args.tasks = rows[i].tasks;
		args.serial_percent = rows[i].serial;
		claim = claim_of(workload, &args);
		CHECK_EQ(claim.class, rows[i].class);
		CHECK_EQ(claim.min_parallelism_milli, rows[i].milli);
	}
}

TEST(workload_spawn_claims_nothing_of_short_lives)
{
	struct workload_args args;
	const struct workload *workload = find("spawn", &args);

	for (args.how = 0; args.how < 4; args.how++) {
		bool spawn = args.how == 2, vfork = args.how == 1;
		uint64_t long_ns = (spawn ? 200 : 20) * MS;

		args.rounds = 7;
		args.tasks = 1;
		args.duration_ns = 7 * long_ns;
		CHECK_EQ(claim_of(workload, &args).class, CLASS_SEQUENTIAL);
		args.duration_ns -= 1;
		CHECK_EQ(claim_of(workload, &args).class, CLASS_NONE);
		args.tasks = 2;
		args.duration_ns = 140 * MS;
		CHECK_EQ(claim_of(workload, &args).class,
			 vfork ? CLASS_SEQUENTIAL : CLASS_PARALLEL);
		args.duration_ns -= 1;
		CHECK_EQ(claim_of(workload, &args).class, CLASS_NONE);
	}
}

TEST(workload_one_task_is_sequential)
{
	static const char *const names[] = {
		"pinned", "oversubscribed", "unbalanced", "amdahl", "migrate", "pipeline",
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct workload_args args;
		const struct workload *workload = find(names[i], &args);

		args.tasks = 1;
		CHECK_EQ(claim_of(workload, &args).class, CLASS_SEQUENTIAL);
		args.tasks = 4;
		CHECK_EQ(claim_of(workload, &args).class,
			 i ? CLASS_PARALLEL : CLASS_CONCURRENT);
	}
}

TEST(workload_pieces_too_few_for_all_claim_nothing)
{
	static const char *const names[] = { "pool", "pipeline" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct workload_args args;
		const struct workload *workload = find(names[i], &args);

		args.tasks = 10;
		args.rounds = 40;
		CHECK_EQ(claim_of(workload, &args).class, CLASS_PARALLEL);
		args.rounds = 39;
		CHECK_EQ(claim_of(workload, &args).class, CLASS_NONE);
	}
}

TEST(workload_memory_check_counts_copies)
{
	struct workload_args args;
	const struct workload *workload = find("memory", &args);

	args.touch_mib = UINT32_MAX / 64;
	CHECK_EQ(workload->check(&args), -ENOMEM);
	args.touch_mib = 1;
	CHECK_EQ(workload->check(&args), 0);
}

TEST(workload_cpus_are_those_that_may_be_used)
{
	struct cpus cpus;
	uint16_t last;

	cpus_usable(&cpus);
	REQUIRE(cpus.cnt >= 1);
	for (uint32_t i = 1; i < cpus.cnt; i++)
		CHECK(cpus.v[i] > cpus.v[i - 1]);
	last = cpus.v[cpus.cnt - 1];
	CHECK_EQ(cpus_pin(last, "test"), 0);
	CHECK_EQ(cpus_current(), last);
	cpus_usable(&cpus);
	CHECK_EQ(cpus.cnt, 1);
	CHECK_EQ(cpus.v[0], last);
	CHECK_EQ(cpus_pin(CPUS_MAX - 1, "test"), -EINVAL);
}

/* The children of a workload that is killed hold the write end of a pipe: it ends with them. */
static void dies_with_its_parent(const char *name, uint32_t how, uint32_t over)
{
	struct workload_args args;
	const struct workload *workload = find(name, &args);
	struct pollfd end;
	int alive[2];
	pid_t pid;

	REQUIRE(!pipe(alive));
	args.how = how;
	args.over = over;
	args.duration_ns = 3600000 * MS;
	args.rounds = strcmp(name, "spawn") ? 1000000 : 1;
	pid = fork();
	REQUIRE(pid >= 0);
	if (!pid) {
		close(alive[0]);
		_exit(workload->run(&args));
	}
	close(alive[1]);
	work_sleep_until(work_now_ns() + 50 * MS);
	end = (struct pollfd){ .fd = alive[0], .events = POLLIN };
	CHECK_EQ(poll(&end, 1, 0), 0);
	CHECK_EQ(kill(pid, SIGKILL), 0);
	CHECK_EQ(waitpid(pid, NULL, 0), pid);
	CHECK_EQ(poll(&end, 1, 10000), 1);
	close(alive[0]);
}

TEST(workload_children_die_with_their_parent)
{
	for (uint32_t how = 0; how < 4; how++)
		dies_with_its_parent("spawn", how, 0);
	for (uint32_t over = 0; over < 4; over++)
		dies_with_its_parent("ipc", 0, over);
	dies_with_its_parent("pingpong", 0, 0);
	dies_with_its_parent("pingpong", 0, 1);
	dies_with_its_parent("pipeline", 0, 0);
	dies_with_its_parent("memory", 1, 0);
}

/* Nothing may be written to stdout, whose reader waits for the report. */
TEST(workload_shapes_print_nothing_on_stdout)
{
	static const char *const names[] = {
		"pinned", "oversubscribed", "unbalanced", "pingpong", "amdahl", "migrate", "pool",
		"pipeline", "spawn", "ipc", "memory", "uring",
	};
	int out[2];
	char c;

	REQUIRE(!pipe2(out, O_NONBLOCK));
	fflush(stdout);
	REQUIRE(dup2(out[1], STDOUT_FILENO) == STDOUT_FILENO);
	close(out[1]);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct workload_args args;
		const struct workload *workload = find(names[i], &args);

		run(workload, &args);
		fflush(stdout);
		CHECK_EQ(read(out[0], &c, 1), -1);
	}
}
