/* SPDX-License-Identifier: GPL-2.0-only */
#include "workload/async_op.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define NS_PER_S UINT64_C(1000000000)
#define RETRY_NS UINT64_C(100000)

#define ROUND_CNT_MIN 3		/* at least 2: the last one has a time of its own */
#define ROUND_CNT_MAX 5

const char *async_kind_name(enum async_kind kind)
{
	static const char *const names[ASYNC_KIND_CNT] = {
		[ASYNC_TIMER] = "timer",
		[ASYNC_PIPE] = "pipe",
		[ASYNC_TCP] = "tcp",
	};

	return names[kind];
}

void async_op_init(struct async_op *op, uint32_t idx, uint32_t seed)
{
	*op = (struct async_op){
		.idx = idx,
		.kind = (enum async_kind)(idx % ASYNC_KIND_CNT),
		.fd = -1,
		.peer_fd = -1,
	};
	work_rng_init(&op->rng, seed, idx);
	op->round_cnt = (uint32_t)work_random_within(&op->rng, ROUND_CNT_MIN, ROUND_CNT_MAX);
}

int async_op_open(struct async_op *op)
{
	int ends[2];

	switch (op->kind) {
	case ASYNC_TIMER:
		op->fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
		return op->fd < 0 ? -errno : 0;
	case ASYNC_PIPE:
		if (pipe2(ends, O_NONBLOCK | O_CLOEXEC))
			return -errno;
		op->fd = ends[0];
		op->peer_fd = ends[1];
		return 0;
	case ASYNC_TCP:
		break;
	}
	return 0;
}

static int control(const struct async_op *op, int epoll_fd, int how)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u64 = op->idx };

	return epoll_ctl(epoll_fd, how, op->fd, &event) ? -errno : 0;
}

int async_op_register(const struct async_op *op, int epoll_fd)
{
	return control(op, epoll_fd, EPOLL_CTL_ADD);
}

int async_op_register_again(const struct async_op *op, int epoll_fd)
{
	return control(op, epoll_fd, EPOLL_CTL_MOD);
}

void async_op_close(struct async_op *op, int epoll_fd)
{
	/* Out of epoll first, so that closing the peer is no readiness. */
	if (op->fd >= 0) {
		epoll_ctl(epoll_fd, EPOLL_CTL_DEL, op->fd, NULL);
		close(op->fd);
	}
	if (op->peer_fd >= 0)
		close(op->peer_fd);
	op->fd = -1;
	op->peer_fd = -1;
}

/* All rounds but the last share the first two thirds, each with a part of its own. */
static uint64_t draw_due_ns(struct async_op *op, const struct async_span *span)
{
	uint64_t early_ns = span->duration_ns / 3 * 2;
	uint64_t part_ns = early_ns / (op->round_cnt - 1);
	uint64_t low_ns = op->round * part_ns;

	if (op->round + 1 == op->round_cnt)
		return span->start_ns +
		       work_random_within(&op->rng, early_ns, span->duration_ns);
	return span->start_ns + work_random_within(&op->rng, low_ns, low_ns + part_ns);
}

static int arm(struct async_op *op, uint64_t at_ns)
{
	struct itimerspec spec = {
		.it_value.tv_sec = (time_t)(at_ns / NS_PER_S),
		.it_value.tv_nsec = (long)(at_ns % NS_PER_S),
	};

	return timerfd_settime(op->fd, TFD_TIMER_ABSTIME, &spec, NULL) ? -errno : 0;
}

int async_op_begin(struct async_op *op, const struct async_span *span)
{
	uint64_t due_ns = draw_due_ns(op, span);

	op->value = work_random_residue(&op->rng);
	op->msg = (struct async_msg){ .op_idx = op->idx, .round = op->round, .value = op->value };
	op->msg_at_bytes = 0;
	if (op->kind == ASYNC_TIMER) {
		int err = arm(op, due_ns);

		op->state = ASYNC_ARMED;
		return err ? err : ASYNC_WAIT;
	}
	op->state = ASYNC_RESTING;
	op->due_ns = due_ns;
	return ASYNC_DUE;
}

static int end_round(struct async_op *op, const struct async_span *span)
{
	if (++op->round == op->round_cnt)
		return ASYNC_DONE;
	return async_op_begin(op, span);
}

static int retry_later(struct async_op *op)
{
	op->due_ns = work_now_ns() + RETRY_NS;
	return ASYNC_DUE;
}

/* Move the rest of op->msg, out or in. Return: 1 when all of it is moved, 0 not yet, -errno. */
static int transfer(struct async_op *op, int fd, bool out)
{
	while (op->msg_at_bytes < sizeof(op->msg)) {
		char *at = (char *)&op->msg + op->msg_at_bytes;
		size_t len = sizeof(op->msg) - op->msg_at_bytes;
		ssize_t n;

		if (!out)
			n = read(fd, at, len);
		else if (op->kind == ASYNC_TCP)
			n = send(fd, at, len, MSG_NOSIGNAL);
		else
			n = write(fd, at, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? 0 : -errno;
		if (!n)
			return -EPIPE;
		op->msg_at_bytes += (uint32_t)n;
	}
	op->msg_at_bytes = 0;
	return 1;
}

static int fire(struct async_op *op, const struct async_span *span)
{
	uint64_t fired_cnt;
	ssize_t n = read(op->fd, &fired_cnt, sizeof(fired_cnt));

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? ASYNC_WAIT : -errno;
	if (n != sizeof(fired_cnt) || fired_cnt != 1)
		return -EPROTO;
	if (work_mul(op->value, work_inverse(op->value)) != 1)
		return -EBADMSG;
	return end_round(op, span);
}

static bool msg_is_ours(const struct async_op *op, uint64_t product)
{
	return op->msg.op_idx == op->idx && op->msg.round == op->round &&
	       op->msg.value == op->value && work_mul(op->msg.value, op->msg.inverse) == product;
}

/* The message or request is here: work out its answer. */
static int receive(struct async_op *op)
{
	int got = transfer(op, op->fd, false);

	if (got <= 0)
		return got;
	if (!msg_is_ours(op, 0))
		return -EBADMSG;
	op->msg.inverse = work_inverse(op->msg.value);
	return 1;
}

int async_op_step(struct async_op *op, const struct async_span *span, bool ready)
{
	int got;

	if (ready && op->state != ASYNC_ARMED && op->state != ASYNC_SENDING &&
	    op->state != ASYNC_RECEIVING)
		return -EPROTO;

	switch (op->state) {
	case ASYNC_ARMED:
		return fire(op, span);
	case ASYNC_RESTING:
		op->state = ASYNC_SENDING;
		/* fallthrough */
	case ASYNC_SENDING:
		got = transfer(op, op->peer_fd, true);
		if (got <= 0)
			return got ? got : retry_later(op);
		op->state = ASYNC_RECEIVING;
		return ASYNC_WAIT;
	case ASYNC_RECEIVING:
		got = receive(op);
		if (got <= 0)
			return got ? got : ASYNC_WAIT;
		if (op->kind == ASYNC_PIPE)
			return msg_is_ours(op, 1) ? end_round(op, span) : -EBADMSG;
		op->state = ASYNC_ANSWERING;
		/* fallthrough */
	case ASYNC_ANSWERING:
		got = transfer(op, op->fd, true);
		if (got <= 0)
			return got ? got : retry_later(op);
		/* The client must not find what the server left in memory. */
		op->msg = (struct async_msg){ 0 };
		op->state = ASYNC_READING;
		/* fallthrough */
	case ASYNC_READING:
		got = transfer(op, op->peer_fd, false);
		if (got <= 0)
			return got ? got : retry_later(op);
		return msg_is_ours(op, 1) ? end_round(op, span) : -EBADMSG;
	}
	return -EPROTO;
}
