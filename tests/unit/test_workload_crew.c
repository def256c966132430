/* SPDX-License-Identifier: GPL-2.0-only */
#include "unit.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "workload/crew.h"
#include "workload/work.h"
#include "workload/workload.h"

#define MS UINT64_C(1000000)

static void run_all_kinds(const char *name)
{
	const struct workload *workload = workload_find(name);

	for (uint32_t tasks = 1; tasks <= 5; tasks += 2) {
		for (int work = WORK_CPU; work <= WORK_MIXED; work++) {
			struct workload_args args = workload->defaults;
			uint64_t begin_ns = work_now_ns(), took_ns;

			args.tasks = tasks;
			args.work = (uint32_t)work;
			args.duration_ns = 100 * MS;
			CHECK_EQ(workload->run(&args), 0);
			took_ns = work_now_ns() - begin_ns;
			/* io may end with a slot that comes early. */
			CHECK(took_ns >= (work == WORK_IO ? 60 : 100) * MS);
		}
	}
	/* Nobody is left behind. */
	CHECK_EQ(waitpid(-1, NULL, WNOHANG), -1);
	CHECK_EQ(errno, ECHILD);
}

TEST(workload_procs_run)
{
	run_all_kinds("procs");
}

TEST(workload_threads_run)
{
	run_all_kinds("threads");
}

TEST(workload_procs_die_with_their_parent)
{
	const struct workload *procs = workload_find("procs");
	struct workload_args args = procs->defaults;
	int alive[2];
	pid_t pid;
	char c;

	/* The workers hold the write end: it ends when the last of them is gone. */
	REQUIRE(!pipe(alive));
	args.duration_ns = 30000 * MS;
	args.work = WORK_IO;
	pid = fork();
	REQUIRE(pid >= 0);
	if (!pid) {
		close(alive[0]);
		_exit(procs->run(&args));
	}
	close(alive[1]);
	work_sleep_until(work_now_ns() + 50 * MS);
	CHECK_EQ(kill(pid, SIGTERM), 0);
	CHECK_EQ(waitpid(pid, NULL, 0), pid);
	alarm(5);
	CHECK_EQ(read(alive[0], &c, 1), 0);
}

/* Return: the first child of @pid, 0 if it has none within a second, -1 if nobody can tell. */
static int find_child(pid_t pid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid, (int)pid);
	for (int i = 0; i < 1000; i++) {
		FILE *file = fopen(path, "r");
		int child = 0, got;

		if (!file)
			return -1;
		got = fscanf(file, "%d", &child);
		fclose(file);
		if (got == 1)
			return child;
		work_sleep_until(work_now_ns() + MS);
	}
	return 0;
}

TEST(workload_procs_tell_of_a_worker_that_was_killed)
{
	const struct workload *procs = workload_find("procs");
	struct workload_args args = procs->defaults;
	int status = 0, child;
	pid_t pid;

	args.tasks = 1;
	args.duration_ns = 3000 * MS;
	args.work = WORK_IO;
	pid = fork();
	REQUIRE(pid >= 0);
	if (!pid)
		_exit(procs->run(&args));
	child = find_child(pid);
	if (child <= 0)
		kill(pid, SIGKILL);
	if (child < 0)
		SKIP("this kernel does not list children");
	REQUIRE(child > 0);
	CHECK_EQ(kill(child, SIGKILL), 0);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 1);
}

static void crew_of(struct crew *crew, uint32_t tasks, uint64_t duration_ns)
{
	struct workload_args args = {
		.tasks = tasks, .work = WORK_IO, .duration_ns = duration_ns, .seed = 1,
	};

	crew_init(crew, &args);
}

TEST(workload_io_slots)
{
	struct crew crew;

	crew_of(&crew, 4, 1000 * MS);
	CHECK_EQ(crew.slot_ns, 5 * MS);
	CHECK_EQ(crew.round_cnt, 50);
	crew_of(&crew, 50, 1000 * MS);
	CHECK_EQ(crew.slot_ns, 2500000);
	CHECK_EQ(crew.round_cnt, 8);
	crew_of(&crew, 1000, 1000 * MS);
	CHECK_EQ(crew.slot_ns, 2 * MS);
	CHECK_EQ(crew.round_cnt, 3);
}
