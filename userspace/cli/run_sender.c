/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/run_sender.h"

#include <errno.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli/privilege.h"
#include "cli/run_tree.h"

static void send_signals(int fd, const void *arg)
{
	const pid_t *root = arg;
	struct run_tree tree = { 0 };
	uint8_t sig;

	if (privilege_drop_but_killing())
		return;
	while (read(fd, &sig, 1) == 1) {
		run_tree_gather(&tree, *root, getppid());
		run_tree_signal(&tree, sig);
		if (write(fd, &sig, 1) != 1)
			break;
	}
}

int run_sender_start(struct side_process *sender, pid_t root)
{
	return side_process_start(sender, send_signals, &root, "ends the workload");
}

int run_sender_send(const struct side_process *sender, int sig)
{
	uint8_t byte = (uint8_t)sig;

	if (send(sender->fd, &byte, 1, MSG_NOSIGNAL) != 1)
		return -errno;
	return recv(sender->fd, &byte, 1, 0) == 1 ? 0 : -EPIPE;
}
