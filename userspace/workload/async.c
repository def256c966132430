/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include "util/alloc.h"
#include "util/log.h"
#include "util/minmax.h"
#include "workload/async_op.h"
#include "workload/async_tcp.h"
#include "workload/due_heap.h"
#include "workload/work.h"
#include "workload/workload.h"

#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_S UINT64_C(1000000000)

#define TASKS_MAX 10000
#define FDS_SPARE 64		/* epoll, the listening socket, and what is open already */
#define EVENTS_MAX 256		/* of one turn */
#define DUE_MAX 64		/* of one turn, so that what is ready is not kept waiting */
#define STALL_NS (10 * NS_PER_S)	/* without any progress beyond the end */

struct loop {
	struct async_op *ops;
	uint32_t op_cnt;
	uint32_t open_cnt;		/* not done yet */
	int epoll_fd;
	struct due_heap due;
	struct async_span span;
	uint64_t progress_ns;		/* CLOCK_MONOTONIC, when something last happened */
};

static const struct opt async_opts[] = {
	{ .name = "tasks", .kind = OPT_U32, .off = offsetof(struct workload_args, tasks),
	  .metavar = "N", .help = "how many operations, a third of each kind (default 100)",
	  .min = 1, .max = TASKS_MAX },
	{ .name = "seconds", .kind = OPT_DURATION,
	  .off = offsetof(struct workload_args, duration_ns),
	  .metavar = "S", .help = "how long they take (default 1)",
	  .min = 50 * NS_PER_MS, .max = 3600 * NS_PER_S },
	{ .name = "seed", .kind = OPT_U32, .off = offsetof(struct workload_args, seed),
	  .metavar = "N", .help = "where chance begins (default 1)" },
	{ .name = NULL },
};

static void async_claim(const struct workload_args *args, struct claim *claim)
{
	*claim = (struct claim){ .class = CLASS_SEQUENTIAL, .needs_cpus = 1 };
	if (args->tasks < 2) {
		snprintf(claim->why, sizeof(claim->why),
			 "one operation has nothing to overlap with");
		return;
	}
	claim->class = CLASS_CONCURRENT;
	claim->min_operations = args->tasks;
	snprintf(claim->why, sizeof(claim->why), "one thread keeps every operation in flight");
}

static uint64_t fds_needed(uint64_t op_cnt)
{
	/* A timer has one descriptor, the others have two; timers come first. */
	return op_cnt + op_cnt / 3 + (op_cnt + 1) / 3 + FDS_SPARE;
}

static int async_check(const struct workload_args *args)
{
	uint64_t need = fds_needed(args->tasks), fit_cnt = args->tasks;
	char fit[64] = "too few for a single one";
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_max >= need)
		return 0;
	while (fit_cnt && fds_needed(fit_cnt) > limit.rlim_max)
		fit_cnt--;
	if (fit_cnt)
		snprintf(fit, sizeof(fit), "at most --tasks %llu fits",
			 (unsigned long long)fit_cnt);
	log_err("async: %u operations need %llu descriptors and the limit is %llu (ulimit -Hn): %s",
		args->tasks, (unsigned long long)need, (unsigned long long)limit.rlim_max, fit);
	return -EMFILE;
}

/* As far as the hard limit goes; what is still missing shows where a descriptor is opened. */
static void raise_fd_limit(uint64_t need)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur >= need)
		return;
	limit.rlim_cur = min_u64(need, limit.rlim_max);
	setrlimit(RLIMIT_NOFILE, &limit);
}

/* Act on what async_op_begin() or async_op_step() returned. Return: 0, or -errno, logged. */
static int handle(struct loop *loop, struct async_op *op, int next)
{
	/* Coming again for the same thing is no progress. */
	if (next != ASYNC_DUE || op->state == ASYNC_RESTING)
		loop->progress_ns = work_now_ns();
	if (next == ASYNC_WAIT && op->state == ASYNC_ARMED && op->round) {
		int err = async_op_register_again(op, loop->epoll_fd);

		next = err ? err : next;
	}
	switch (next) {
	case ASYNC_WAIT:
		return 0;
	case ASYNC_DUE:
		due_heap_push(&loop->due, op->due_ns, op->idx);
		return 0;
	case ASYNC_DONE:
		async_op_close(op, loop->epoll_fd);
		loop->open_cnt--;
		return 0;
	}
	log_err("async: operation %u (%s, round %u of %u) failed: %s", op->idx,
		async_kind_name(op->kind), op->round + 1, op->round_cnt,
		next == -EBADMSG ? "what arrived is not what was sent" : strerror(-next));
	return next;
}

/* One pipe to itself is how a loop wakes itself: to who watches from outside it is no operation. */
static void init_all(struct loop *loop, uint32_t seed)
{
	bool lone_pipe = loop->op_cnt <= ASYNC_PIPE + ASYNC_KIND_CNT;

	for (uint32_t i = 0; i < loop->op_cnt; i++) {
		async_op_init(&loop->ops[i], i, seed);
		if (lone_pipe && loop->ops[i].kind == ASYNC_PIPE)
			loop->ops[i].kind = ASYNC_TIMER;
	}
}

/* Everything is registered, and nothing is ready yet, when this returns 0. */
static int open_all(struct loop *loop)
{
	for (uint32_t i = 0; i < loop->op_cnt; i++) {
		struct async_op *op = &loop->ops[i];
		int err = async_op_open(op);

		if (!err && op->fd >= 0)
			err = async_op_register(op, loop->epoll_fd);
		if (err) {
			log_err("async: operation %u of %u (%s) cannot be opened: %s", i,
				loop->op_cnt, async_kind_name(op->kind), strerror(-err));
			return err;
		}
	}
	return async_tcp_connect_all(loop->ops, loop->op_cnt, loop->epoll_fd);
}

static int begin_all(struct loop *loop, uint64_t duration_ns)
{
	loop->span = (struct async_span){ .start_ns = work_now_ns(), .duration_ns = duration_ns };
	for (uint32_t i = 0; i < loop->op_cnt; i++) {
		struct async_op *op = &loop->ops[i];
		int err = handle(loop, op, async_op_begin(op, &loop->span));

		if (err)
			return err;
	}
	return 0;
}

static int step_due(struct loop *loop)
{
	uint64_t now_ns = work_now_ns();

	for (uint32_t i = 0; i < DUE_MAX; i++) {
		const struct due *top = due_heap_peek(&loop->due);
		struct async_op *op;
		int err;

		if (!top || top->at_ns > now_ns)
			return 0;
		op = &loop->ops[due_heap_pop(&loop->due).idx];
		err = handle(loop, op, async_op_step(op, &loop->span, false));
		if (err)
			return err;
	}
	return 0;
}

static uint64_t stall_at_ns(const struct loop *loop)
{
	return max_u64(loop->span.start_ns + loop->span.duration_ns, loop->progress_ns) + STALL_NS;
}

/* How long to wait for readiness: until the next is due, rounded up to a millisecond. */
static int timeout_ms(const struct loop *loop)
{
	const struct due *top = due_heap_peek(&loop->due);
	uint64_t until_ns = top ? top->at_ns : stall_at_ns(loop);
	uint64_t now_ns = work_now_ns();

	if (until_ns <= now_ns)
		return 0;
	return (int)min_u64((until_ns - now_ns + NS_PER_MS - 1) / NS_PER_MS, INT_MAX);
}

static int step_ready(struct loop *loop)
{
	struct epoll_event events[EVENTS_MAX];
	int n = epoll_wait(loop->epoll_fd, events, EVENTS_MAX, timeout_ms(loop));

	if (n < 0 && errno != EINTR) {
		int err = -errno;

		log_err("async: epoll_wait: %s", strerror(-err));
		return err;
	}
	for (int i = 0; i < n; i++) {
		struct async_op *op = &loop->ops[events[i].data.u64];
		int err = handle(loop, op, async_op_step(op, &loop->span, true));

		if (err)
			return err;
	}
	return 0;
}

static int turn_until_done(struct loop *loop)
{
	while (loop->open_cnt) {
		int err = step_due(loop);

		if (!err && loop->open_cnt)
			err = step_ready(loop);
		if (err)
			return err;
		if (work_now_ns() > stall_at_ns(loop)) {
			log_err("async: %u of %u operations never ended: nothing happened for %d s",
				loop->open_cnt, loop->op_cnt, (int)(STALL_NS / NS_PER_S));
			return -ETIMEDOUT;
		}
	}
	return 0;
}

static int async_run(const struct workload_args *args)
{
	struct loop loop = { .op_cnt = args->tasks, .open_cnt = args->tasks };
	int err;

	raise_fd_limit(fds_needed(args->tasks));
	loop.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (loop.epoll_fd < 0) {
		log_err("async: cannot make an epoll: %s", strerror(errno));
		return EXIT_FAILURE;
	}
	loop.ops = xcalloc(loop.op_cnt, sizeof(*loop.ops));
	init_all(&loop, args->seed);
	err = open_all(&loop);
	if (!err)
		err = begin_all(&loop, args->duration_ns);
	if (!err)
		err = turn_until_done(&loop);

	for (uint32_t i = 0; i < loop.op_cnt; i++)
		async_op_close(&loop.ops[i], loop.epoll_fd);
	due_heap_release(&loop.due);
	free(loop.ops);
	close(loop.epoll_fd);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}

const struct workload workload_async = {
	.name = "async",
	.shows = "one thread, one event loop: timers, pipes and TCP connections in flight at once",
	.opts = async_opts,
	.defaults = {
		.tasks = 100,
		.duration_ns = UINT64_C(1000000000),
		.seed = 1,
	},
	.wants_ops = true,
	.claim = async_claim,
	.check = async_check,
	.run = async_run,
};
