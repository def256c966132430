/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/trial.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "cli/apart.h"
#include "cli/exit.h"
#include "cli/output.h"
#include "cli/run.h"
#include "util/alloc.h"
#include "util/log.h"

#define MEMORY_WALL_MIN_NS UINT64_C(100000000)

/* What the process of a trial says before it ends. */
struct answer {
	int status;		/* -1: there is a trial */
	struct trial trial;
};
_Static_assert(sizeof(struct answer) <= PIPE_BUF, "as apart_run() takes it");

/* ---- in the process of its own ---- */

/* A name that nobody can know before; the folder is made by the user whom it belongs to. */
static int choose_folder(const struct privilege_user *user, char *path, size_t size)
{
	const char *tmp = user->differs ? NULL : getenv("TMPDIR");
	uint64_t number;

	if (getrandom(&number, sizeof(number), 0) != sizeof(number)) {
		log_err("cannot choose a name for the folder of the trace: %s", strerror(errno));
		return -errno;
	}
	snprintf(path, size, "%s/lab-trial-%016" PRIx64, tmp && *tmp ? tmp : "/tmp", number);
	return 0;
}

static void look_at(const struct run *run, struct answer *answer)
{
	struct trace_input trace = run_trace(run);
	struct output out;

	if (output_load(&out, &trace)) {
		answer->status = LAB_EXIT_FILE;
	} else {
		trial_of(&out.model, &out.report, &answer->trial);
		/* In a shorter run it was looked at too seldom for a peak. */
		if (answer->trial.wall_ns >= MEMORY_WALL_MIN_NS)
			answer->trial.memory_bytes = run->result.memory_bytes;
		answer->status = run_workload_status(run) == LAB_EXIT_OK ? -1 :
									   LAB_EXIT_CONTRADICTED;
	}
	output_release(&out);
}

static void be_trial(void *arg, void *out)
{
	const struct trial_spec *spec = arg;
	struct answer *answer = out;
	struct run *run = xcalloc(1, sizeof(*run));
	char *argv[] = { (char *)spec->workload->name, NULL };
	char folder[PATH_MAX];

	run->opts = (struct run_opts){
		.folder = folder, .grace_ns = RUN_GRACE_DEFAULT_NS,
		.ops = spec->workload->wants_ops,
		.keep_root = spec->keep_root, .memory = true, .look.brief = true,
	};
	run->workload = spec->workload;
	run->args = spec->args;
	run->user = run->child_user = *spec->user;
	run->argv = argv;
	run->argc = 1;
	run->cpu_cnt = spec->cpu_cnt;
	if (spec->cpu_cnt)
		memcpy(run->cpus, spec->cpus, spec->cpu_cnt * sizeof(*run->cpus));
	if (choose_folder(spec->user, folder, sizeof(folder))) {
		answer->status = LAB_EXIT_FILE;
		return;
	}
	answer->status = run_record(run);
	run_release(run);
	if (answer->status < 0 && run->result.interrupted)
		answer->status = 128 + SIGINT;
	if (answer->status < 0)
		look_at(run, answer);
	run_discard(run);
}

/* ---- in the caller ---- */

int trial_run(const struct trial_spec *spec, struct trial *out)
{
	struct answer answer;
	int interrupted_by;
	int status = apart_run(be_trial, (void *)spec, &answer, sizeof(answer), &interrupted_by);

	if (status)
		return status;
	if (interrupted_by) {
		log_info("interrupted: what was measured so far is thrown away");
		return 128 + interrupted_by;
	}
	*out = answer.trial;
	return answer.status;
}
