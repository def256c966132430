/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_WORKLOAD_ASYNC_OP_H
#define LAB_WORKLOAD_ASYNC_OP_H

/*
 * async_op - one operation of the event loop: a small state machine that
 * never blocks. It goes through several rounds, at instants drawn from the
 * seed; the last one lies in the last third of the time given.
 *
 * timer  waits for its timerfd, computes, arms it again
 * pipe   sends itself a message when it is due, reads it, checks it, computes
 * tcp    its client end sends a request when it is due; its server end reads
 *        it, computes and answers; the client end checks the answer
 *
 * An operation has exactly one descriptor in epoll, level-triggered, for
 * reading, with the operation's idx as data: the timerfd, the pipe's read end
 * or the connection's server end. Whoever counts descriptors in epoll counts operations.
 */

#include <stdbool.h>
#include <stdint.h>

#include "workload/work.h"

enum async_kind {
	ASYNC_TIMER = 0,
	ASYNC_PIPE = 1,
	ASYNC_TCP = 2,
};

#define ASYNC_KIND_CNT 3

enum async_next {
	ASYNC_WAIT = 0,		/* call again when the descriptor is ready */
	ASYNC_DUE = 1,		/* call again at due_ns */
	ASYNC_DONE = 2,		/* every round was done, and was right */
};

enum async_state {
	ASYNC_ARMED,		/* timer: will fire */
	ASYNC_RESTING,		/* until it is due to send */
	ASYNC_SENDING,
	ASYNC_RECEIVING,	/* the descriptor in epoll will be ready */
	ASYNC_ANSWERING,
	ASYNC_READING,		/* the client reads the answer */
};

struct async_msg {
	uint32_t op_idx;
	uint32_t round;
	uint64_t value;
	uint64_t inverse;	/* in an answer: times value it is 1; else 0 */
};

struct async_op {
	uint32_t idx;
	enum async_kind kind;
	enum async_state state;
	uint32_t round, round_cnt;
	int fd;			/* the one in epoll; -1: none */
	int peer_fd;		/* the pipe's write end, the client's end; -1: none */
	uint64_t due_ns;	/* CLOCK_MONOTONIC; valid after ASYNC_DUE */
	uint64_t value;		/* of this round */
	struct async_msg msg;	/* under way */
	uint32_t msg_at_bytes;	/* how much of it is */
	struct work_rng rng;
};

/* When all of it happens, CLOCK_MONOTONIC. */
struct async_span {
	uint64_t start_ns;
	uint64_t duration_ns;
};

/* Kinds take turns by @idx. Opens nothing. */
void async_op_init(struct async_op *op, uint32_t idx, uint32_t seed);

/* Open what a timer or a pipe needs; nothing for tcp, which is connected by its owner. */
int async_op_open(struct async_op *op);

/* Put op->fd into @epoll_fd. Return: 0 or -errno, as async_op_open(). */
int async_op_register(const struct async_op *op, int epoll_fd);

/*
 * It was armed again, and epoll is told: who watches from outside knows then that one timer is one
 * operation, and not many that share it. Return: 0 or -errno.
 */
int async_op_register_again(const struct async_op *op, int epoll_fd);

/* Begin the first round. Return: enum async_next or -errno. */
int async_op_begin(struct async_op *op, const struct async_span *span);

/**
 * async_op_step() - go as far as possible without waiting
 * @ready: called since op->fd is ready; else since it is due
 *
 * Return: enum async_next, or -errno: -EBADMSG if what arrived is not what
 * was sent, -EPROTO if it is ready or fired when nothing was expected.
 */
int async_op_step(struct async_op *op, const struct async_span *span, bool ready);

/* Take it out of @epoll_fd and close what it has; harmless when there is nothing. */
void async_op_close(struct async_op *op, int epoll_fd);

/* "timer", "pipe", "tcp". */
const char *async_kind_name(enum async_kind kind);

#endif /* LAB_WORKLOAD_ASYNC_OP_H */
