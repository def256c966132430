/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/trial.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/exit.h"
#include "cli/output.h"
#include "cli/run.h"
#include "util/alloc.h"
#include "util/io.h"
#include "util/log.h"

#define MEMORY_WALL_MIN_NS UINT64_C(100000000)

/* What the process of a trial says before it ends; one write that a pipe takes whole or not. */
struct answer {
	int status;		/* -1: there is a trial */
	struct trial trial;
};
_Static_assert(sizeof(struct answer) <= PIPE_BUF, "one write is one message");

static void taken_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGHUP);
}

void trial_block_signals(void)
{
	sigset_t set;

	taken_signals(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

/* ---- in the process of its own ---- */

static int make_folder(const struct privilege_user *user, char *path, size_t size)
{
	const char *tmp = user->differs ? NULL : getenv("TMPDIR");

	snprintf(path, size, "%s/lab-trial-XXXXXX", tmp && *tmp ? tmp : "/tmp");
	if (mkdtemp(path) && (!user->differs || !chown(path, user->uid, user->gid)))
		return 0;
	log_err("cannot make a folder for the trace, %s: %s", path, strerror(errno));
	rmdir(path);
	return -1;
}

static void look_at(const struct run *run, struct answer *answer)
{
	struct output out;

	if (output_load(&out, run->folder.trace_path)) {
		answer->status = LAB_EXIT_FILE;
	} else {
		trial_of(&out.model, &out.report, &answer->trial);
		/* In a shorter run it was looked at too seldom for a peak. */
		if (answer->trial.wall_ns >= MEMORY_WALL_MIN_NS)
			answer->trial.memory_bytes = run->result.memory_bytes;
		answer->status = run_workload_status(run) == LAB_EXIT_OK ? -1 : LAB_EXIT_CONTRADICTED;
	}
	output_release(&out);
}

__attribute__((noreturn))
static void be_trial(const struct trial_spec *spec, int to_fd)
{
	struct run *run = xcalloc(1, sizeof(*run));
	char *argv[] = { (char *)spec->workload->name, NULL };
	struct answer answer = { 0 };
	char folder[PATH_MAX];

	run->opts = (struct run_opts){
		.folder = folder, .grace_ns = RUN_GRACE_DEFAULT_NS, .ops = spec->workload->wants_ops,
		.keep_root = spec->keep_root, .memory = true, .look.brief = true,
	};
	run->workload = spec->workload;
	run->args = spec->args;
	run->user = *spec->user;
	run->argv = argv;
	run->argc = 1;
	run->cpu_cnt = spec->cpu_cnt;
	if (spec->cpu_cnt)
		memcpy(run->cpus, spec->cpus, spec->cpu_cnt * sizeof(*run->cpus));
	if (make_folder(spec->user, folder, sizeof(folder)))
		_exit(LAB_EXIT_FILE);
	answer.status = run_record(run);
	run_release(run);
	if (answer.status < 0 && run->result.interrupted)
		answer.status = 128 + SIGINT;
	if (answer.status < 0)
		look_at(run, &answer);
	if (run->folder.trace_path[0])
		run_folder_remove(&run->folder);
	rmdir(folder);
	io_write_all(to_fd, &answer, sizeof(answer));
	_exit(LAB_EXIT_OK);
}

/* ---- in the caller ---- */

/* From the terminal the process has it already; what came by kill(2) is handed on to @pid, if that is not 0. */
static int take_signal(int signal_fd, pid_t pid)
{
	struct signalfd_siginfo info;

	if (read(signal_fd, &info, sizeof(info)) != sizeof(info))
		return 0;
	if (info.ssi_code != SI_KERNEL && pid)
		kill(pid, (int)info.ssi_signo);
	return (int)info.ssi_signo;
}

/* Return: whether it answered; @interrupted_by is a signal, or 0. */
static bool await_answer(int from_fd, pid_t pid, struct answer *answer, int *interrupted_by)
{
	sigset_t set;
	struct pollfd fds[2] = { { .fd = from_fd, .events = POLLIN }, { .events = POLLIN } };
	ssize_t got = 0;

	taken_signals(&set);
	fds[1].fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	while (!fds[0].revents) {
		if (poll(fds, 2, -1) < 0)
			continue;
		if (fds[1].revents) {
			int sig = take_signal(fds[1].fd, pid);

			*interrupted_by = sig ? sig : *interrupted_by;
		}
	}
	got = read(from_fd, answer, sizeof(*answer));
	waitpid(pid, NULL, 0);
	/* It may have come when the run was over already. */
	if (!*interrupted_by)
		*interrupted_by = take_signal(fds[1].fd, 0);
	close(fds[1].fd);
	return got == (ssize_t)sizeof(*answer);
}

int trial_run(const struct trial_spec *spec, struct trial *out)
{
	int fds[2], interrupted_by = 0;
	struct answer answer = { 0 };
	bool answered;
	pid_t pid;

	fflush(NULL);
	pid = pipe2(fds, O_CLOEXEC) ? -1 : fork();
	if (pid < 0) {
		log_err("cannot start a process for the run: %s", strerror(errno));
		return LAB_EXIT_CANNOT_TRACE;
	}
	if (!pid) {
		close(fds[0]);
		be_trial(spec, fds[1]);
	}
	close(fds[1]);
	answered = await_answer(fds[0], pid, &answer, &interrupted_by);
	close(fds[0]);
	if (interrupted_by) {
		log_info("interrupted: what was measured so far is thrown away");
		return 128 + interrupted_by;
	}
	if (!answered) {
		log_err("the process of a run ended without an answer");
		return LAB_EXIT_CANNOT_TRACE;
	}
	*out = answer.trial;
	return answer.status;
}
