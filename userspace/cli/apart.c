/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/apart.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/exit.h"
#include "cli/run_loop.h"
#include "util/alloc.h"
#include "util/io.h"
#include "util/log.h"

void apart_block_signals(void)
{
	sigset_t set;

	run_loop_signals(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

void apart_unblock_signals(void)
{
	sigset_t set;

	run_loop_signals(&set);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

__attribute__((noreturn))
static void be_apart(apart_fn *fn, void *arg, size_t size, int to_fd)
{
	void *answer = xcalloc(1, size);

	fn(arg, answer);
	fflush(NULL);
	io_write_all(to_fd, answer, size);
	_exit(LAB_EXIT_OK);
}

/* What the process does not have already is handed on to @pid, if that is not 0. */
static int take_signal(int signal_fd, pid_t pid)
{
	struct signalfd_siginfo info;

	if (read(signal_fd, &info, sizeof(info)) != sizeof(info))
		return 0;
	if (!run_loop_signal_is_shared(&info) && pid)
		kill(pid, (int)info.ssi_signo);
	return (int)info.ssi_signo;
}

/* Return: whether it answered; one write that a pipe takes whole or not. */
static bool await_answer(int from_fd, pid_t pid, void *answer, size_t size, int *interrupted_by)
{
	sigset_t set;
	struct pollfd fds[2] = { { .fd = from_fd, .events = POLLIN }, { .events = POLLIN } };
	ssize_t got = 0;

	run_loop_signals(&set);
	fds[1].fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	while (!fds[0].revents) {
		if (poll(fds, 2, -1) < 0) {
			if (errno == EINTR)
				continue;
			break;
		}
		if (fds[1].revents) {
			int sig = take_signal(fds[1].fd, pid);

			*interrupted_by = sig ? sig : *interrupted_by;
		}
	}
	got = read(from_fd, answer, size);
	waitpid(pid, NULL, 0);
	/* It may have come when the run was over already. */
	if (!*interrupted_by)
		*interrupted_by = take_signal(fds[1].fd, 0);
	close(fds[1].fd);
	return got == (ssize_t)size;
}

int apart_run(apart_fn *fn, void *arg, void *answer, size_t size, int *interrupted_by)
{
	bool answered;
	int fds[2];
	pid_t pid;

	*interrupted_by = 0;
	memset(answer, 0, size);
	fflush(NULL);
	pid = pipe2(fds, O_CLOEXEC) ? -1 : fork();
	if (pid < 0) {
		log_err("cannot start another process: %s", io_reason(errno));
		return LAB_EXIT_CANNOT_TRACE;
	}
	if (!pid) {
		close(fds[0]);
		be_apart(fn, arg, size, fds[1]);
	}
	close(fds[1]);
	answered = await_answer(fds[0], pid, answer, size, interrupted_by);
	close(fds[0]);
	if (answered || *interrupted_by)
		return 0;
	log_err("a process of lab ended without an answer");
	return LAB_EXIT_CANNOT_TRACE;
}
