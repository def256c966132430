/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/log.h"
#include "workload/crew.h"
#include "workload/workload.h"

static void procs_claim(const struct workload_args *args, struct claim *claim)
{
	crew_claim(args, "processes", claim);
}

static int be_worker(const struct crew *crew, uint32_t idx, pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* The parent may have died before the line above; that death sends nothing. */
	if (getppid() != parent)
		return EXIT_FAILURE;
	return crew_work(crew, idx) ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* Return: how many were born; fewer than crew->tasks after one logged sentence. */
static uint32_t fork_all(const struct crew *crew, pid_t *pids)
{
	pid_t parent = getpid();

	for (uint32_t i = 0; i < crew->tasks; i++) {
		pids[i] = fork();
		if (pids[i] < 0) {
			log_err("procs: worker %u of %u cannot be forked: %s", i + 1, crew->tasks,
				strerror(errno));
			return i;
		}
		if (!pids[i])
			_exit(be_worker(crew, i, parent));
		crew_space_births(crew, i + 1);
	}
	return crew->tasks;
}

/* Return: 0, or -EIO if one ended badly, which is logged unless @killed. */
static int wait_all(uint32_t cnt, bool killed)
{
	int err = 0;

	while (cnt) {
		int status;
		pid_t pid = wait4(-1, &status, 0, NULL);

		if (pid < 0 && errno == EINTR)
			continue;
		if (pid < 0) {
			err = -errno;
			log_err("procs: the workers cannot be waited for: %s", strerror(errno));
			return err;
		}
		cnt--;
		if (!status || killed)
			continue;
		err = -EIO;
		if (WIFSIGNALED(status))
			log_err("procs: the worker of process %d was ended by signal %d", (int)pid,
				WTERMSIG(status));
	}
	return err;
}

static int procs_run(const struct workload_args *args)
{
	pid_t pids[CREW_TASKS_MAX];
	struct crew crew;
	uint32_t born_cnt;

	crew_init(&crew, args);
	born_cnt = fork_all(&crew, pids);
	if (born_cnt < crew.tasks) {
		for (uint32_t i = 0; i < born_cnt; i++)
			kill(pids[i], SIGKILL);
		wait_all(born_cnt, true);
		return EXIT_FAILURE;
	}
	return wait_all(born_cnt, false) ? EXIT_FAILURE : EXIT_SUCCESS;
}

const struct workload workload_procs = {
	.name = "procs",
	.shows = "forked processes share nothing and run on every CPU at once",
	.opts = crew_opts,
	.defaults = {
		.tasks = 4,
		.work = WORK_CPU,
		.duration_ns = UINT64_C(1000000000),
		.seed = 1,
	},
	.claim = procs_claim,
	.run = procs_run,
};
