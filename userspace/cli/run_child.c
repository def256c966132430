/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/run_child.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cli/exit.h"
#include "util/io.h"
#include "util/log.h"

#define PARK_TRIES 2000		/* of 50 us: how long it may take to fall asleep in read(2) */

/* What the child says on its status pipe. Silence at the end of the pipe: the exec went well. */
struct word {
	/*
	 * 'R': ready to be parked; 'C': CPUs refused; 'U': user refused; 'H': no hook; 'X': exec
	 * refused
	 */
	char stage;
	int err;
};

static int say(int fd, char stage, int err)
{
	struct word word;

	memset(&word, 0, sizeof(word));
	word.stage = stage;
	word.err = err;
	return io_write_all(fd, &word, sizeof(word));
}

static int limit_cpus(const struct run_child_opts *opts)
{
	cpu_set_t set;

	if (!opts->cpu_cnt)
		return 0;
	CPU_ZERO(&set);
	for (uint32_t i = 0; i < opts->cpu_cnt; i++)
		if (opts->cpus[i] < CPU_SETSIZE)
			CPU_SET(opts->cpus[i], &set);
	return sched_setaffinity(0, sizeof(set), &set) ? errno : 0;
}

static void set_environment(const struct privilege_user *user)
{
	if (!user->differs)
		return;
	setenv("HOME", user->home, 1);
	setenv("USER", user->name, 1);
	setenv("LOGNAME", user->name, 1);
}

__attribute__((noreturn))
static void child_main(const struct run_child_opts *opts, int release_fd, int status_fd)
{
	int err = limit_cpus(opts);
	sigset_t none;
	char byte;

	if (err) {
		say(status_fd, 'C', err);
		_exit(LAB_EXIT_USAGE);
	}
	if (privilege_become(opts->user)) {
		say(status_fd, 'U', EPERM);
		_exit(LAB_EXIT_CANNOT_TRACE);
	}
	set_environment(opts->user);
	if (opts->marks)
		setenv(LAB_MARKERS_ENV, "1", 1);
	else
		unsetenv(LAB_MARKERS_ENV);
	err = hook_install(opts->hooks);
	if (err) {
		say(status_fd, 'H', -err);
		_exit(LAB_EXIT_CANNOT_TRACE);
	}
	if (opts->workload) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		signal(SIGXFSZ, SIG_DFL);
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
	}
	if (say(status_fd, 'R', 0) || read(release_fd, &byte, 1) != 1)
		_exit(0);
	close(release_fd);
	if (opts->workload) {
		close(status_fd);
		_exit(opts->workload->run(opts->args));
	}
	execvp(opts->argv[0], opts->argv);
	err = errno;
	say(status_fd, 'X', err);
	_exit(err == ENOENT ? LAB_EXIT_NOT_FOUND : LAB_EXIT_NOT_EXECUTABLE);
}

/* Return: 1 and a word, 0 at the end of the pipe, -errno. */
static int hear(int fd, struct word *word)
{
	ssize_t n;

	do
		n = read(fd, word, sizeof(*word));
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return n == (ssize_t)sizeof(*word);
}

/* It has said that it is ready; wait until the kernel shows it asleep in its read(2). */
static int await_sleep(pid_t pid)
{
	char path[64], text[512];

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	for (int i = 0; i < PARK_TRIES; i++) {
		const char *end;

		if (io_read_text(path, text, sizeof(text)) < 0)
			return -ESRCH;
		end = strrchr(text, ')');
		if (end && !strncmp(end, ") S ", 4))
			return 0;
		usleep(50);
	}
	return -ETIMEDOUT;
}

static int await_parked(struct run_child *child, const struct run_child_opts *opts)
{
	struct word word = { 0 };
	int err = hear(child->status_fd, &word);

	if (err == 1 && word.stage == 'R') {
		child->pidfd = syscall(SYS_pidfd_open, child->pid, 0);
		if (child->pidfd < 0) {
			log_err("cannot hold the workload's process: %s", io_reason(errno));
			return -errno;
		}
		err = await_sleep(child->pid);
		if (err)
			log_err("the workload's process did not come to rest: %s", strerror(-err));
		return err;
	}
	if (err == 1 && word.stage == 'C') {
		log_err("--cpus: this machine or cpuset allows none of these CPUs (%s); lab doctor "
			"shows "
			"which are allowed", strerror(word.err));
		return -EINVAL;
	}
	if (err == 1 && word.stage == 'H') {
		log_err("--%s: its files cannot be put into /tmp: %s",
			hook_first(opts->hooks)->name,
			io_reason(word.err));
		return -EPERM;
	}
	if (err != 1)
		log_err("the workload's process died before it began");
	return -EPERM;
}

struct start {
	const struct run_child_opts *opts;
	int release[2], status[2];	/* pipes */
};

static void be_child(const void *arg)
{
	const struct start *start = arg;

	close(start->release[1]);
	close(start->status[0]);
	child_main(start->opts, start->release[0], start->status[1]);
}

int run_child_start(struct run_child *child, const struct run_child_opts *opts)
{
	struct start start = { opts, { -1, -1 }, { -1, -1 } };
	int err = 0;

	*child = (struct run_child){ .pidfd = -1 };
	if (pipe2(start.release, O_CLOEXEC) || pipe2(start.status, O_CLOEXEC)) {
		err = -errno;
		log_err("cannot make a pipe to the workload: %s", io_reason(-err));
	} else {
		err = run_sender_start(&child->sender, be_child, &start, opts->hook_keeper_fd);
	}
	if (start.release[0] >= 0)
		close(start.release[0]);
	if (start.status[1] >= 0)
		close(start.status[1]);
	child->release_fd = start.release[1];
	child->status_fd = start.status[0];
	child->pid = err ? 0 : child->sender.root;
	return err ? err : await_parked(child, opts);
}

int run_child_release(struct run_child *child, int *exec_errno)
{
	struct word word;
	int heard;

	*exec_errno = 0;
	if (io_write_all(child->release_fd, "g", 1)) {
		log_err("the workload's process died while it was parked");
		return -EIO;
	}
	heard = hear(child->status_fd, &word);
	if (heard == 1 && word.stage == 'X')
		*exec_errno = word.err;
	return 0;
}

void run_child_close(struct run_child *child)
{
	if (child->release_fd > 0)
		close(child->release_fd);
	if (child->status_fd > 0)
		close(child->status_fd);
	if (child->pidfd > 0)
		close(child->pidfd);
	run_sender_stop(&child->sender);
	*child = (struct run_child){ 0 };
}
