/* SPDX-License-Identifier: GPL-2.0-only */
/* errands_loop - one thread, one epoll, a timer for each errand: a wait, and to be called again. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "util/alloc.h"
#include "util/log.h"
#include "workload/errands.h"

#define NS_PER_S UINT64_C(1000000000)
#define EVENTS_MAX 64

struct pending {
	struct errand errand;
	struct errand_piece piece;	/* whose wait goes on */
	int fd;
};

/*
 * Its next piece is due after its wait. A piece without a wait is due at once, after the turns of
 * the others.
 */
static int arm(struct pending *pending)
{
	uint64_t wait_ns = pending->piece.wait_ns ? pending->piece.wait_ns : 1;
	const struct itimerspec at = {
		.it_value = { .tv_sec = (time_t)(wait_ns / NS_PER_S),
			      .tv_nsec = (long)(wait_ns % NS_PER_S) },
	};

	return timerfd_settime(pending->fd, 0, &at, NULL) ? -errno : 0;
}

static int begin(struct pending *pending, int epoll_fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = pending };

	pending->fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (pending->fd < 0 || epoll_ctl(epoll_fd, EPOLL_CTL_ADD, pending->fd, &event))
		return -errno;
	errand_mark(&pending->errand, true);
	if (!errand_next(&pending->errand, &pending->piece))
		return -EINVAL;
	return arm(pending);
}

/* Return: 1 when it has ended, 0, or -errno. */
static int step(struct pending *pending)
{
	uint64_t expired;
	int err;

	if (read(pending->fd, &expired, sizeof(expired)) < 0)
		return errno == EAGAIN ? 0 : -errno;
	err = work_compute(&pending->errand.rng, pending->piece.units);
	if (err)
		return err;
	if (errand_next(&pending->errand, &pending->piece))
		return arm(pending);
	errand_mark(&pending->errand, false);
	close(pending->fd);
	pending->fd = -1;
	return 1;
}

static int turn(int epoll_fd, uint32_t left)
{
	while (left) {
		struct epoll_event events[EVENTS_MAX];
		int n = epoll_wait(epoll_fd, events, EVENTS_MAX, -1);

		if (n < 0 && errno != EINTR)
			return -errno;
		for (int i = 0; i < n; i++) {
			int done = step(events[i].data.ptr);

			if (done < 0)
				return done;
			left -= (uint32_t)done;
		}
	}
	return 0;
}

int errands_in_a_loop(const struct workload_args *args)
{
	struct pending *all = xcalloc(args->tasks, sizeof(*all));
	int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	int err = epoll_fd < 0 ? -errno : 0;

	for (uint32_t i = 0; i < args->tasks; i++)
		all[i].fd = -1;
	for (uint32_t i = 0; i < args->tasks && !err; i++) {
		errand_init(&all[i].errand, args, i);
		err = begin(&all[i], epoll_fd);
	}
	if (!err)
		err = turn(epoll_fd, args->tasks);
	if (err)
		log_err("errands: the event loop failed: %s",
			err == -EIO ? "a result was wrong, this machine's arithmetic is broken" :
				      strerror(-err));
	for (uint32_t i = 0; i < args->tasks; i++)
		if (all[i].fd >= 0)
			close(all[i].fd);
	if (epoll_fd >= 0)
		close(epoll_fd);
	free(all);
	return err;
}
