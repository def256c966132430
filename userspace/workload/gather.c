/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * gather - one thread starts three operations of 2, 1 and 3 units and awaits them all: that takes 3
 * units and not 6, they end in the order of their lengths, and their results come in the order in
 * which they were started. With N operations the lengths are 2, 1, 3, 2, 1, 3, ...
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "util/alloc.h"
#include "util/log.h"
#include "workload/rows.h"
#include "workload/work.h"

#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_S UINT64_C(1000000000)

#define TASKS_MAX 300
#define EVENTS_MAX 16

struct operation {
	int fd;			/* a timer; -1: it has ended */
	uint32_t length;	/* units */
	uint64_t argument;
	uint64_t result;	/* its inverse */
};

struct gather {
	const struct workload_args *args;
	struct operation *ops;	/* in order of start; owned */
	uint32_t *ended;	/* lengths, in order of their ends; owned */
	uint32_t ended_cnt;
	int epoll_fd;
};

static const struct opt gather_opts[] = {
	ROW_TASKS(1, TASKS_MAX, "how many operations, of 2, 1, 3, 2, 1, 3 ... units (default 3)"),
	ROW_UNIT("how long a unit is (default 100ms)"),
	ROW_SEED,
	{ .name = NULL },
};

static void gather_claim(const struct workload_args *args, struct claim *claim)
{
	*claim = (struct claim){ .class = CLASS_SEQUENTIAL, .needs_cpus = 1 };
	if (args->tasks < 2) {
		snprintf(claim->why, sizeof(claim->why),
			 "one operation has nothing to overlap with");
		return;
	}
	claim->class = CLASS_CONCURRENT;
	claim->min_operations = args->tasks;
	snprintf(claim->why, sizeof(claim->why),
		 "what one thread awaits together takes as long as the longest of it");
}

static uint32_t length_of(uint32_t idx)
{
	static const uint32_t lengths[] = { 2, 1, 3 };

	return lengths[idx % 3];
}

static int start(struct gather *gather, uint32_t idx, struct work_rng *rng)
{
	struct operation *op = &gather->ops[idx];
	struct epoll_event event = { .events = EPOLLIN, .data.u64 = idx };
	uint64_t wait_ns = length_of(idx) * gather->args->unit_ns;
	struct itimerspec spec = {
		.it_value.tv_sec = (time_t)(wait_ns / NS_PER_S),
		.it_value.tv_nsec = (long)(wait_ns % NS_PER_S),
	};

	op->length = length_of(idx);
	op->argument = work_random_residue(rng);
	op->fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (op->fd < 0 || timerfd_settime(op->fd, 0, &spec, NULL) ||
	    epoll_ctl(gather->epoll_fd, EPOLL_CTL_ADD, op->fd, &event))
		return -errno;
	return 0;
}

static int end(struct gather *gather, struct operation *op)
{
	uint64_t fired_cnt;

	if (read(op->fd, &fired_cnt, sizeof(fired_cnt)) != sizeof(fired_cnt))
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	epoll_ctl(gather->epoll_fd, EPOLL_CTL_DEL, op->fd, NULL);
	close(op->fd);
	op->fd = -1;
	op->result = work_inverse(op->argument);
	gather->ended[gather->ended_cnt++] = op->length;
	return 0;
}

static int await_all(struct gather *gather)
{
	while (gather->ended_cnt < gather->args->tasks) {
		struct epoll_event events[EVENTS_MAX];
		int n = epoll_wait(gather->epoll_fd, events, EVENTS_MAX, -1);

		if (n < 0 && errno != EINTR)
			return -errno;
		for (int i = 0; i < n; i++) {
			int err = end(gather, &gather->ops[events[i].data.u64]);

			if (err)
				return err;
		}
	}
	return 0;
}

static int start_all(struct gather *gather)
{
	struct work_rng rng;
	int err = 0;

	work_rng_init(&rng, gather->args->seed, 0);
	for (uint32_t i = 0; i < gather->args->tasks && !err; i++)
		err = start(gather, i, &rng);
	return err;
}

/* Return: 0, or -EIO, logged, if the results are not those of the arguments in their order. */
static int check_results(const struct gather *gather)
{
	for (uint32_t i = 0; i < gather->args->tasks; i++) {
		const struct operation *op = &gather->ops[i];

		if (work_mul(op->argument, op->result) == 1)
			continue;
		log_err("gather: result %u of %u is not that of operation %u", i + 1,
			gather->args->tasks, i + 1);
		return -EIO;
	}
	return 0;
}

#define LENGTHS_SHOWN 12

static void tell(const struct gather *gather, uint64_t took_ns)
{
	char order[LENGTHS_SHOWN * 4] = "";
	uint32_t cnt = gather->args->tasks;
	uint64_t sum = 0;
	size_t len = 0;

	for (uint32_t i = 0; i < cnt; i++) {
		sum += gather->ops[i].length;
		if (i < LENGTHS_SHOWN)
			len += (size_t)snprintf(order + len, sizeof(order) - len, "%s%u",
						i ? ", " : "", gather->ended[i]);
	}
	log_info("gather: they took %" PRIu64 " ms, and not the sum of %" PRIu64
		 " ms; their lengths, as they ended: %s%s; their results are in the order of "
		 "the start",
		 took_ns / NS_PER_MS, sum * gather->args->unit_ns / NS_PER_MS, order,
		 cnt > LENGTHS_SHOWN ? ", ..." : "");
}

static int gather_run(const struct workload_args *args)
{
	struct gather gather = {
		.args = args,
		.ops = xcalloc(args->tasks, sizeof(*gather.ops)),
		.ended = xcalloc(args->tasks, sizeof(*gather.ended)),
		.epoll_fd = epoll_create1(EPOLL_CLOEXEC),
	};
	uint64_t start_ns = work_now_ns();
	int err = gather.epoll_fd < 0 ? -errno : 0;

	for (uint32_t i = 0; i < args->tasks; i++)
		gather.ops[i].fd = -1;
	if (!err)
		err = start_all(&gather);
	if (!err)
		err = await_all(&gather);
	if (err)
		log_err("gather: the operations cannot be started and awaited: %s", strerror(-err));
	else
		err = check_results(&gather);
	if (!err)
		tell(&gather, work_now_ns() - start_ns);
	for (uint32_t i = 0; i < args->tasks; i++)
		if (gather.ops[i].fd >= 0)
			close(gather.ops[i].fd);
	if (gather.epoll_fd >= 0)
		close(gather.epoll_fd);
	free(gather.ended);
	free(gather.ops);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}

const struct workload workload_gather = {
	.name = "gather",
	.shows = "one thread awaits operations of 2, 1 and 3 units: 3 units, not 6, results "
		 "in order",
	.opts = gather_opts,
	.defaults = { .tasks = 3, .unit_ns = 100 * NS_PER_MS, .seed = 1 },
	.wants_ops = true,
	.claim = gather_claim,
	.run = gather_run,
};
