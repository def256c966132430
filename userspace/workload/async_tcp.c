/* SPDX-License-Identifier: GPL-2.0-only */
#include "workload/async_tcp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "util/alloc.h"
#include "util/log.h"

#define BACKLOG 128
#define UNACCEPTED_MAX 64	/* below every limit on a backlog, so that no connect is lost */
#define ACCEPT_TIMEOUT_MS 10000
#define PORT_CNT 65536
#define NO_OP UINT32_MAX

struct gate {
	int listen_fd;
	struct sockaddr_in addr;
	uint32_t *op_of_port;	/* [PORT_CNT]: by the client's port */
};

static int gate_open(struct gate *gate, int epoll_fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u64 = UINT64_MAX };
	socklen_t len = sizeof(gate->addr);

	gate->op_of_port = xcalloc(PORT_CNT, sizeof(*gate->op_of_port));
	for (uint32_t i = 0; i < PORT_CNT; i++)
		gate->op_of_port[i] = NO_OP;

	gate->addr = (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	gate->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (gate->listen_fd < 0 ||
	    bind(gate->listen_fd, (struct sockaddr *)&gate->addr, len) ||
	    listen(gate->listen_fd, BACKLOG) ||
	    getsockname(gate->listen_fd, (struct sockaddr *)&gate->addr, &len) ||
	    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, gate->listen_fd, &event)) {
		int err = -errno;

		log_err("async: cannot listen on 127.0.0.1: %s", strerror(-err));
		return err;
	}
	return 0;
}

static void gate_close(struct gate *gate, int epoll_fd)
{
	if (gate->listen_fd >= 0) {
		epoll_ctl(epoll_fd, EPOLL_CTL_DEL, gate->listen_fd, NULL);
		close(gate->listen_fd);
	}
	free(gate->op_of_port);
}

static int connect_one(struct gate *gate, struct async_op *op)
{
	struct sockaddr_in self;
	socklen_t len = sizeof(self);
	int err;

	op->peer_fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (op->peer_fd < 0 ||
	    (connect(op->peer_fd, (struct sockaddr *)&gate->addr, sizeof(gate->addr)) &&
	     errno != EINPROGRESS) ||
	    getsockname(op->peer_fd, (struct sockaddr *)&self, &len)) {
		err = -errno;
		log_err("async: operation %u cannot connect to 127.0.0.1: %s", op->idx,
			strerror(-err));
		return err;
	}
	gate->op_of_port[ntohs(self.sin_port)] = op->idx;
	return 0;
}

/* Return: 1 one of ours was accepted, 0 nothing is left to accept, or -errno, logged. */
static int accept_one(struct gate *gate, struct async_op *ops, int epoll_fd)
{
	for (;;) {
		struct sockaddr_in from;
		socklen_t len = sizeof(from);
		int fd = accept4(gate->listen_fd, (struct sockaddr *)&from, &len,
				 SOCK_NONBLOCK | SOCK_CLOEXEC);
		uint32_t idx;
		int err;

		if (fd < 0 && (errno == EINTR || errno == ECONNABORTED))
			continue;
		if (fd < 0 && errno == EAGAIN)
			return 0;
		if (fd < 0) {
			err = -errno;
			log_err("async: cannot accept a connection: %s", strerror(-err));
			return err;
		}
		idx = gate->op_of_port[ntohs(from.sin_port)];
		if (idx == NO_OP || from.sin_addr.s_addr != gate->addr.sin_addr.s_addr ||
		    ops[idx].fd >= 0) {
			close(fd);
			continue;
		}
		ops[idx].fd = fd;
		err = async_op_register(&ops[idx], epoll_fd);
		if (err) {
			log_err("async: operation %u cannot be put into epoll: %s", idx,
				strerror(-err));
			return err;
		}
		return 1;
	}
}

/* Wait for the listening socket. Return: 0, or -errno after one logged sentence. */
static int wait_for_gate(int epoll_fd, uint32_t unaccepted_cnt)
{
	struct epoll_event event;
	int n;

	do {
		n = epoll_wait(epoll_fd, &event, 1, ACCEPT_TIMEOUT_MS);
	} while (n < 0 && errno == EINTR);
	if (n < 0) {
		int err = -errno;

		log_err("async: epoll_wait: %s", strerror(-err));
		return err;
	}
	if (!n) {
		log_err("async: %u connections to 127.0.0.1 did not arrive within %d s",
			unaccepted_cnt, ACCEPT_TIMEOUT_MS / 1000);
		return -ETIMEDOUT;
	}
	return 0;
}

static int connect_through(struct gate *gate, struct async_op *ops, uint32_t op_cnt, int epoll_fd)
{
	uint32_t next = ASYNC_TCP, unaccepted_cnt = 0;

	while (next < op_cnt || unaccepted_cnt) {
		int got;

		for (; next < op_cnt && unaccepted_cnt < UNACCEPTED_MAX; next += ASYNC_KIND_CNT) {
			got = connect_one(gate, &ops[next]);
			if (got)
				return got;
			unaccepted_cnt++;
		}
		got = wait_for_gate(epoll_fd, unaccepted_cnt);
		if (got)
			return got;
		while ((got = accept_one(gate, ops, epoll_fd)) > 0)
			unaccepted_cnt--;
		if (got)
			return got;
	}
	return 0;
}

int async_tcp_connect_all(struct async_op *ops, uint32_t op_cnt, int epoll_fd)
{
	struct gate gate = { .listen_fd = -1 };
	int err;

	if (op_cnt <= ASYNC_TCP)
		return 0;
	err = gate_open(&gate, epoll_fd);
	if (!err)
		err = connect_through(&gate, ops, op_cnt, epoll_fd);
	gate_close(&gate, epoll_fd);
	return err;
}
