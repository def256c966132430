/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * hog - an event loop in which many operations tick, each for a moment, and one now and then takes
 * far too long: all others are late by that. The mends: do it in parts and let the others go
 * between them; wait for it in the loop instead of in a call that blocks; leave it to a pool of
 * threads or processes.
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
#include "util/minmax.h"
#include "workload/hog_job.h"
#include "workload/rows.h"
#include "workload/work.h"

#define NS_PER_US UINT64_C(1000)
#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_S UINT64_C(1000000000)

#define TASKS_MAX 100
#define TICK_NS (10 * NS_PER_MS)	/* of each small operation */
#define TICK_WORK_NS (20 * NS_PER_US)	/* beside a pool: far from 5 % of its time */
#define PART_NS NS_PER_MS		/* of the long one, with --mend yield */
#define LONG_MIN_NS (50 * NS_PER_MS)
#define LONG_CNT 2			/* how often it comes up: at 1/4 and at 1/2 of the time */
#define EVENTS_MAX 16

enum hog_mend { MEND_NONE = 0, MEND_YIELD = 1, MEND_THREADS = 2, MEND_PROCS = 3 };

/* What is ready, as the data of its descriptor in epoll. */
enum source {
	SOURCE_LONG = 0,
	SOURCE_ANSWER = 1,			/* LONG_CNT of them */
	SOURCE_POOL = SOURCE_ANSWER + LONG_CNT,	/* HOG_POOL_CNT */
	SOURCE_TICK = SOURCE_POOL + HOG_POOL_CNT,
};

struct loop {
	const struct workload_args *args;
	struct hog_job job;
	struct hog_pool pool;
	int epoll_fd;
	int *ticks;			/* timers of the small operations; args->tasks; owned */
	uint64_t *due_ns;		/* when each ticks next; owned */
	int long_fd;			/* the timer that brings the long one up */
	uint64_t long_due_ns;		/* when it does so next */
	int sleep_fds[LONG_CNT];	/* --mend yield: ready when the sleep of the call is over */
	uint32_t begun_cnt, done_cnt;	/* of the long ones */
	uint64_t parts_ns;		/* of the long ones, still to be computed in parts */
	uint64_t late_ns;		/* the most that a small one was late by */
	uint64_t end_ns;		/* CLOCK_MONOTONIC */
	struct work_rng rng;
};

static const char *const how_names[] = {
	[HOG_COMPUTING] = "computing", [HOG_BLOCKING] = "blocking", NULL,
};
static const char *const call_names[] = {
	[HOG_SLEEP] = "sleep", [HOG_READ] = "read", [HOG_FSYNC] = "fsync", NULL,
};
static const char *const mend_names[] = {
	[MEND_NONE] = "none", [MEND_YIELD] = "yield", [MEND_THREADS] = "threads",
	[MEND_PROCS] = "procs", NULL,
};

static const struct opt hog_opts[] = {
	ROW_TASKS(1, TASKS_MAX, "how many small operations beside the long one (default 10)"),
	ROW_CHOICE("how", how, "computing|blocking", how_names,
		   "what takes so long: it computes, or it makes a call that blocks "
		   "(default computing)"),
	ROW_CHOICE("call", call, "sleep|read|fsync", call_names,
		   "the call: to sleep, to read from a pipe, to write a file to disk "
		   "(default sleep)"),
	ROW_CHOICE("mend", mend, "none|yield|threads|procs", mend_names,
		   "do it in parts, or in a pool of threads or processes (default none)"),
	{ .name = "long", .kind = OPT_DURATION, .off = offsetof(struct workload_args, long_ns),
	  .metavar = "TIME", .help = "how long it takes (default 150ms)",
	  .min = LONG_MIN_NS, .max = 60 * NS_PER_S },
	ROW_SECONDS("how long the loop turns, at least (default 1)"),
	ROW_SEED,
	{ .name = NULL },
};

static void hog_claim(const struct workload_args *args, struct claim *claim)
{
	*claim = (struct claim){
		.class = CLASS_CONCURRENT, .min_operations = args->tasks, .needs_cpus = 1,
		.at_least = args->mend == MEND_THREADS || args->mend == MEND_PROCS,
	};
	if (args->mend != MEND_NONE) {
		claim->stall = STALL_NONE;
		claim->stall_ns = args->long_ns / 2;
		snprintf(claim->why, sizeof(claim->why),
			 "the loop goes on while what takes long is under way");
	} else if (args->how == HOG_COMPUTING) {
		claim->stall = STALL_COMPUTING;
		claim->stall_ns = args->long_ns / 4 * 3;
		snprintf(claim->why, sizeof(claim->why),
			 "one operation that computes for long keeps all others waiting");
	} else {
		/* Writing to a disk in memory takes a CPU, to another it waits: that depends. */
		claim->stall = args->call == HOG_FSYNC ? STALL_ANY : STALL_BLOCKED;
		claim->stall_ns = args->call == HOG_FSYNC ? 0 : args->long_ns / 4 * 3;
		snprintf(claim->why, sizeof(claim->why),
			 "one operation that makes a blocking call keeps all others waiting");
	}
}

static int hog_check(const struct workload_args *args)
{
	if (args->how != HOG_BLOCKING || args->call != HOG_FSYNC || args->mend != MEND_YIELD)
		return 0;
	log_err("hog: no event loop can wait for a file: --mend yield does not go with "
		"--call fsync (--mend threads and --mend procs do)");
	return -EINVAL;
}

static int watch(const struct loop *loop, int fd, uint32_t source)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u64 = source };

	return epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

/* The timer expires once: a loop's operation ends then. Return: 0 or -errno. */
static int set_timer(int fd, uint64_t at_ns)
{
	struct itimerspec spec = {
		.it_value.tv_sec = (time_t)(at_ns / NS_PER_S),
		.it_value.tv_nsec = (long)(at_ns % NS_PER_S),
	};

	return timerfd_settime(fd, TFD_TIMER_ABSTIME, &spec, NULL) ? -errno : 0;
}

/* A timer in the loop. Return: its descriptor or -errno. */
static int add_timer(const struct loop *loop, uint64_t at_ns, uint32_t source)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC), err;

	if (fd < 0)
		return -errno;
	err = set_timer(fd, at_ns);
	err = err ? err : watch(loop, fd, source);
	if (err)
		close(fd);
	return err ? err : fd;
}

static void stop_timer(const struct loop *loop, int *fd)
{
	epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, *fd, NULL);
	close(*fd);
	*fd = -1;
}

/* Whether it has, after all. */
static bool fired(int fd)
{
	uint64_t cnt;

	return read(fd, &cnt, sizeof(cnt)) == sizeof(cnt);
}

static int tick(struct loop *loop, uint32_t idx)
{
	uint64_t now_ns = work_now_ns(), late_ns;
	int err;

	if (!fired(loop->ticks[idx]))
		return 0;
	late_ns = now_ns - min_u64(now_ns, loop->due_ns[idx]);
	loop->late_ns = max_u64(loop->late_ns, late_ns);
	loop->due_ns[idx] += (late_ns / TICK_NS + 1) * TICK_NS;
	err = set_timer(loop->ticks[idx], loop->due_ns[idx]);
	return err ? err : work_compute_cpu(&loop->rng, TICK_WORK_NS);
}

/* Do not block: what it would wait for makes answer_fd ready. */
static int wait_in_loop(struct loop *loop)
{
	uint32_t nth = loop->begun_cnt - 1;
	int fd;

	if (loop->job.call == HOG_READ)
		return hog_job_ask(&loop->job);
	fd = add_timer(loop, work_now_ns() + loop->job.long_ns, SOURCE_ANSWER + nth);
	loop->sleep_fds[nth] = fd;
	return fd < 0 ? fd : 0;
}

static int begin_long(struct loop *loop)
{
	int err;

	if (!fired(loop->long_fd))
		return 0;
	if (++loop->begun_cnt == LONG_CNT) {
		stop_timer(loop, &loop->long_fd);
	} else {
		loop->long_due_ns += loop->args->duration_ns / 4;
		err = set_timer(loop->long_fd, loop->long_due_ns);
		if (err)
			return err;
	}
	switch ((enum hog_mend)loop->args->mend) {
	case MEND_NONE:
		err = hog_job_do(&loop->job);
		loop->done_cnt++;
		return err;
	case MEND_YIELD:
		if (loop->job.how == HOG_BLOCKING)
			return wait_in_loop(loop);
		loop->parts_ns += loop->job.long_ns;
		return 0;
	case MEND_THREADS:
	case MEND_PROCS:
		return hog_pool_submit(&loop->pool);
	}
	return 0;
}

static int end_wait(struct loop *loop, uint32_t nth)
{
	loop->done_cnt++;
	if (loop->job.call == HOG_READ)
		return hog_job_take_answer(&loop->job);
	stop_timer(loop, &loop->sleep_fds[nth]);
	return 0;
}

static int compute_part(struct loop *loop)
{
	uint64_t part_ns = min_u64(loop->parts_ns, PART_NS);

	loop->parts_ns -= part_ns;
	if (!loop->parts_ns)
		loop->done_cnt = loop->begun_cnt;
	return work_compute_cpu(&loop->rng, part_ns);
}

static int handle(struct loop *loop, uint32_t source)
{
	if (source >= SOURCE_TICK)
		return tick(loop, source - SOURCE_TICK);
	if (source == SOURCE_LONG)
		return begin_long(loop);
	if (source < SOURCE_POOL)
		return end_wait(loop, source - SOURCE_ANSWER);
	loop->done_cnt++;
	return hog_pool_collect(&loop->pool, source - SOURCE_POOL);
}

static bool is_over(const struct loop *loop)
{
	return loop->done_cnt == LONG_CNT && work_now_ns() >= loop->end_ns;
}

static int turn(struct loop *loop)
{
	struct epoll_event events[EVENTS_MAX];
	int n, err = 0;

	/* Who has more to compute does not wait, but lets those go first that are ready. */
	n = epoll_wait(loop->epoll_fd, events, EVENTS_MAX, loop->parts_ns ? 0 : -1);
	if (n < 0 && errno != EINTR)
		return -errno;
	for (int i = 0; i < n && !err; i++)
		err = handle(loop, (uint32_t)events[i].data.u64);
	if (!err && loop->parts_ns)
		err = compute_part(loop);
	return err;
}

static int open_timers(struct loop *loop)
{
	uint64_t now_ns = work_now_ns();

	loop->end_ns = now_ns + loop->args->duration_ns;
	loop->long_due_ns = now_ns + loop->args->duration_ns / 4;
	loop->long_fd = add_timer(loop, loop->long_due_ns, SOURCE_LONG);
	if (loop->long_fd < 0)
		return loop->long_fd;
	for (uint32_t i = 0; i < loop->args->tasks; i++) {
		/* Not all at once: a loop has always something to do. */
		loop->due_ns[i] = now_ns + TICK_NS + i * TICK_NS / loop->args->tasks;
		loop->ticks[i] = add_timer(loop, loop->due_ns[i], SOURCE_TICK + i);
		if (loop->ticks[i] < 0)
			return loop->ticks[i];
	}
	return 0;
}

/* Return: 0, or -errno, logged. */
static int open_mend(struct loop *loop)
{
	bool of_processes = loop->args->mend == MEND_PROCS;
	int err = 0;

	if (loop->args->mend == MEND_YIELD && loop->job.answer_fd >= 0)
		return watch(loop, loop->job.answer_fd, SOURCE_ANSWER);
	if (loop->args->mend != MEND_THREADS && !of_processes)
		return 0;
	err = hog_pool_open(&loop->pool, &loop->job, of_processes);
	for (uint32_t i = 0; i < HOG_POOL_CNT && !err; i++)
		err = watch(loop, loop->pool.fds[i], SOURCE_POOL + i);
	return err;
}

static int turn_until_over(struct loop *loop)
{
	int err = open_timers(loop);

	while (!err && !is_over(loop))
		err = turn(loop);
	return err;
}

static void close_all(struct loop *loop)
{
	if (loop->pool.job)
		hog_pool_close(&loop->pool);
	hog_job_close(&loop->job);
	for (uint32_t i = 0; i < loop->args->tasks; i++)
		if (loop->ticks[i] >= 0)
			close(loop->ticks[i]);
	if (loop->long_fd >= 0)
		close(loop->long_fd);
	for (uint32_t i = 0; i < LONG_CNT; i++)
		if (loop->sleep_fds[i] >= 0)
			close(loop->sleep_fds[i]);
	if (loop->epoll_fd >= 0)
		close(loop->epoll_fd);
	free(loop->ticks);
	free(loop->due_ns);
}

static int hog_run(const struct workload_args *args)
{
	struct loop loop = {
		.args = args, .long_fd = -1, .sleep_fds = { -1, -1 },
		.ticks = xcalloc(args->tasks, sizeof(*loop.ticks)),
		.due_ns = xcalloc(args->tasks, sizeof(*loop.due_ns)),
	};
	int err = hog_job_open(&loop.job, args);

	for (uint32_t i = 0; i < args->tasks; i++)
		loop.ticks[i] = -1;
	work_rng_init(&loop.rng, args->seed, 1);
	/* After the processes are born, so that none of them holds the loop's descriptors. */
	loop.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (!err)
		err = loop.epoll_fd < 0 ? -errno : open_mend(&loop);
	if (!err)
		err = turn_until_over(&loop);
	if (err)
		log_err("hog: the loop broke off: %s", strerror(-err));
	else
		log_info("hog: the small operations were late by up to %" PRIu64 ".%" PRIu64 " ms",
			 loop.late_ns / NS_PER_MS, loop.late_ns / (NS_PER_MS / 10) % 10);
	close_all(&loop);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}

const struct workload workload_hog = {
	.name = "hog",
	.shows = "one operation that takes too long stalls the whole event loop, and how to "
		 "mend that",
	.opts = hog_opts,
	.defaults = {
		.tasks = 10,
		.how = HOG_COMPUTING,
		.call = HOG_SLEEP,
		.mend = MEND_NONE,
		.long_ns = 150 * NS_PER_MS,
		.duration_ns = UINT64_C(1000000000),
		.seed = 1,
	},
	.wants_ops = true,
	.claim = hog_claim,
	.check = hog_check,
	.run = hog_run,
};
