/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/run_sender.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/privilege.h"
#include "cli/run_tree.h"
#include "util/log.h"

#define FD 3	/* all that it has open beside the standard ones */

__attribute__((noreturn))
static void be_sender(int fd, pid_t root)
{
	struct run_tree tree = { 0 };
	sigset_t all;
	uint8_t sig;

	/* What the terminal sends to all of its processes is for the workload and lab. */
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	if (dup2(fd, FD) != FD || syscall(SYS_close_range, FD + 1, ~0U, 0) ||
	    privilege_drop_but_killing())
		_exit(1);
	while (read(FD, &sig, 1) == 1) {
		run_tree_gather(&tree, root, getppid());
		run_tree_signal(&tree, sig);
		if (write(FD, &sig, 1) != 1)
			break;
	}
	_exit(0);
}

int run_sender_start(struct run_sender *sender, pid_t root)
{
	int fds[2], err = 0;
	pid_t pid = -1;

	*sender = (struct run_sender){ 0 };
	if (!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds)) {
		pid = fork();
		if (!pid) {
			close(fds[0]);
			be_sender(fds[1], root);
		}
		err = pid < 0 ? -errno : 0;
		close(fds[1]);
		if (err)
			close(fds[0]);
	} else {
		err = -errno;
	}
	if (err)
		log_err("cannot start the process that ends the workload: %s", strerror(-err));
	else
		*sender = (struct run_sender){ .fd = fds[0], .pid = pid };
	return err;
}

int run_sender_send(const struct run_sender *sender, int sig)
{
	uint8_t byte = (uint8_t)sig;

	if (send(sender->fd, &byte, 1, MSG_NOSIGNAL) != 1)
		return -errno;
	return recv(sender->fd, &byte, 1, 0) == 1 ? 0 : -EPIPE;
}

void run_sender_stop(struct run_sender *sender)
{
	if (sender->fd > 0)
		close(sender->fd);
	if (sender->pid > 0)
		waitpid(sender->pid, NULL, 0);
	*sender = (struct run_sender){ 0 };
}
