/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/side_process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/io.h"
#include "util/log.h"

#define END_LOOK_US 100
#define END_LOOKS 20000	/* two seconds, and what looking takes */
/* to the recorder. All else but the standard descriptors, and what it is to keep, is closed. */
#define FD 3

/*
 * All but the two (@kept_fd: 0, if there is only one): to move those takes room, where few are
 * allowed.
 */
static void close_others(int fd, int kept_fd)
{
	int low = kept_fd > 0 && kept_fd < fd ? kept_fd : fd;
	int high = kept_fd > fd ? kept_fd : fd;

	if (low > FD)
		syscall(SYS_close_range, FD, low - 1, 0);
	if (high > low + 1)
		syscall(SYS_close_range, low + 1, high - 1, 0);
	syscall(SYS_close_range, high + 1, ~0U, 0);
}

__attribute__((noreturn))
static void be_side_process(int fd, int kept_fd, side_process_fn *first, side_process_fn *fn,
			    const void *arg)
{
	int beyond = kept_fd > 0 ? SIDE_PROCESS_KEPT_FD + 1 : FD + 1;
	sigset_t all;

	if (first)
		first(fd, arg);
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	close_others(fd, kept_fd);
	/* First out of the way: each may be where the other is to go. */
	if (kept_fd > 0 && ((fd = fcntl(fd, F_DUPFD, beyond)) < 0 ||
			    (kept_fd = fcntl(kept_fd, F_DUPFD, beyond)) < 0 ||
			    dup2(kept_fd, SIDE_PROCESS_KEPT_FD) < 0))
		_exit(1);
	if (dup2(fd, FD) != FD || syscall(SYS_close_range, beyond, ~0U, 0))
		_exit(1);
	fn(FD, arg);
	_exit(0);
}

int side_process_start(struct side_process *process, side_process_fn *first, side_process_fn *fn,
		       const void *arg, int kept_fd, const char *what)
{
	int fds[2], err = 0;
	pid_t pid = -1;

	*process = (struct side_process){ 0 };
	if (!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds)) {
		pid = fork();
		if (!pid) {
			close(fds[0]);
			be_side_process(fds[1], kept_fd, first, fn, arg);
		}
		err = pid < 0 ? -errno : 0;
		close(fds[1]);
		if (err)
			close(fds[0]);
	} else {
		err = -errno;
	}
	if (err)
		log_err("cannot start the process that %s: %s", what, io_reason(-err));
	else
		*process = (struct side_process){ .fd = fds[0], .pid = pid };
	return err;
}

/* A workload of root's may have stopped it. */
static void await_end(pid_t pid)
{
	for (int i = 0; i < END_LOOKS; i++) {
		if (waitpid(pid, NULL, WNOHANG))
			return;
		usleep(END_LOOK_US);
	}
	if (!kill(pid, SIGKILL))
		waitpid(pid, NULL, 0);
}

void side_process_stop(struct side_process *process)
{
	if (process->fd > 0)
		close(process->fd);
	if (process->pid > 0)
		await_end(process->pid);
	*process = (struct side_process){ 0 };
}
