/* SPDX-License-Identifier: GPL-2.0-only
 *
 * One thread, one loop. "poll", "select" and "epoll" keep timers of their own (two at a time)
 * and wait with a time limit for descriptors that never become ready: what is in flight is not
 * visible, so the class is never "sequential". "tick" (a timerfd), "self" (a pipe to itself),
 * "event" (an eventfd to itself) and "signal" (a signalfd) wait only for themselves: such a
 * descriptor is a loop's own alarm clock, no operation. "two": two one-shot timerfds are in
 * flight at the same time: two operations with --ops. "shared": three timers in flight share one
 * timerfd, as libsystemd and Boost.Asio have it. "uring": two timeouts in flight in an
 * io_uring.
 */
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>
#include "work.h"

static int timer(long first_ms, long every_ms)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	struct itimerspec spec = { { 0, every_ms * 1000000 }, { 0, first_ms * 1000000 } };

	timerfd_settime(fd, 0, &spec, NULL);
	return fd;
}

static int signals(void)
{
	struct itimerspec spec = { { 0, 10000000 }, { 0, 10000000 } };
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM };
	sigset_t set;
	timer_t id;

	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	timer_create(CLOCK_MONOTONIC, &event, &id);
	timer_settime(id, 0, &spec, NULL);
	return signalfd(-1, &set, SFD_NONBLOCK);
}

static void add(int set, int fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

	epoll_ctl(set, EPOLL_CTL_ADD, fd, &event);
}

/* 30 waits of 10 ms with nothing but the time limit. */
static void by_limit(const char *how, int set, int never)
{
	for (int i = 0; i < 30; i++) {
		struct pollfd entry = { never, POLLIN, 0 };
		struct timeval limit = { 0, 10000 };
		struct epoll_event event;
		fd_set readable;

		FD_ZERO(&readable);
		FD_SET(never, &readable);
		if (*how == 'p')
			poll(&entry, 1, 10);
		else if (strcmp(how, "select") == 0)
			select(never + 1, &readable, NULL, NULL, &limit);
		else
			epoll_wait(set, &event, 1, 10);
		burn(1);
	}
}

int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "poll";
	int set = epoll_create1(0), ends[2], alarm_fd = -1, left = 30;
	struct epoll_event event;
	char drain[128];

	if (pipe(ends) < 0)
		return 1;
	if (*how == 'p' || strcmp(how, "select") == 0 || strcmp(how, "epoll") == 0) {
		add(set, ends[0]);
		by_limit(how, set, ends[0]);
		return 0;
	}
	if (strcmp(how, "two") == 0) {
		add(set, timer(200, 0));
		add(set, timer(300, 0));
		for (int i = 0; i < 2; i++)
			if (epoll_wait(set, &event, 1, -1) == 1)
				epoll_ctl(set, EPOLL_CTL_DEL, event.data.fd, NULL);
		return 0;
	}
	if (strcmp(how, "shared") == 0) {
		const struct itimerspec next = { .it_value.tv_nsec = 100000000 };

		add(set, alarm_fd = timer(100, 0));
		for (int i = 0; i < 3; i++) {
			epoll_wait(set, &event, 1, -1);
			if (read(alarm_fd, drain, 8) < 0)
				return 1;
			timerfd_settime(alarm_fd, 0, &next, NULL);
		}
		return 0;
	}
	if (strcmp(how, "tick") == 0)
		alarm_fd = timer(10, 10);
	else if (strcmp(how, "signal") == 0)
		alarm_fd = signals();
	else if (strcmp(how, "event") == 0)
		alarm_fd = eventfd(1, EFD_NONBLOCK);
	else
		alarm_fd = ends[0];
	add(set, alarm_fd);
	if (alarm_fd == ends[0] && write(ends[1], "12345678", 8) != 8)
		return 1;
	while (left-- > 0) {
		epoll_wait(set, &event, 1, -1);
		if (read(alarm_fd, drain, alarm_fd == ends[0] ? 8 : sizeof(drain)) < 0)
			return 1;
		burn(5);
		if (strcmp(how, "event") == 0 && write(alarm_fd, &(long){ 1 }, 8) != 8)
			return 1;
		if (alarm_fd == ends[0] && write(ends[1], "12345678", 8) != 8)
			return 1;
	}
	return 0;
}
