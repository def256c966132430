/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/trace_keeper.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* A message of one byte with one descriptor. */
struct message {
	char byte;
	struct iovec iov;
	struct msghdr head;
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))];
};

static struct msghdr *message_init(struct message *m)
{
	*m = (struct message){ 0 };
	m->iov = (struct iovec){ &m->byte, 1 };
	m->head = (struct msghdr){ .msg_iov = &m->iov, .msg_iovlen = 1, .msg_control = m->control,
				   .msg_controllen = sizeof(m->control) };
	return &m->head;
}

/* Return: the descriptor, or -1. */
static int receive(int fd)
{
	struct message m;
	struct cmsghdr *control;
	int got = -1;

	if (recvmsg(fd, message_init(&m), MSG_CMSG_CLOEXEC) != 1)
		return -1;
	control = CMSG_FIRSTHDR(&m.head);
	if (control && control->cmsg_level == SOL_SOCKET && control->cmsg_type == SCM_RIGHTS &&
	    control->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(&got, CMSG_DATA(control), sizeof(got));
	return got;
}

static void keep(int fd, const void *arg)
{
	const struct privilege_user *user = arg;
	bool is_taken;
	struct stat st;
	char byte = 0;
	int file;

	if (privilege_drop_but_owning())
		return;
	file = receive(fd);
	is_taken = file >= 0 && !fstat(file,
				       &st) && S_ISREG(st.st_mode) && st.st_uid == user->uid &&
		   !fchown(file, 0, (gid_t)-1);
	/* Until it is told, or the recorder is gone. */
	if (write(fd, &byte, 1) == 1)
		while (read(fd, &byte, 1) > 0)
			;
	if (is_taken && fchown(file, user->uid, (gid_t)-1))
		_exit(1);
}

int trace_keeper_start(struct side_process *keeper, const struct privilege_user *user)
{
	if (!user->differs)
		return 0;
	return side_process_start(keeper, NULL, keep, user, 0, "keeps the trace");
}

void trace_keeper_take(const struct side_process *keeper, int trace_fd)
{
	struct message m;
	struct cmsghdr *control;
	struct msghdr *head = message_init(&m);

	if (keeper->fd <= 0)
		return;
	control = CMSG_FIRSTHDR(head);
	control->cmsg_level = SOL_SOCKET;
	control->cmsg_type = SCM_RIGHTS;
	control->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(control), &trace_fd, sizeof(trace_fd));
	if (sendmsg(keeper->fd, head, MSG_NOSIGNAL) == 1)
		while (recv(keeper->fd, &m.byte, 1, 0) < 0 && errno == EINTR)
			;
}

void trace_keeper_end(struct side_process *keeper)
{
	side_process_stop(keeper);
}
