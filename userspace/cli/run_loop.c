/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/run_loop.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cli/run_memory.h"
#include "cli/run_tree.h"
#include "util/io.h"
#include "util/log.h"
#include "util/minmax.h"

#define SECOND_NS UINT64_C(1000000000)
#define DRAIN_BUSY_MS 5		/* between two drains; a 16 MiB ring holds about a quarter of a second */
#define DRAIN_CALM_MS 20
#define CALM_RECORDS 500	/* fewer than this at a drain is calm */
#define FLUSH_FIRST_NS (SECOND_NS / 10)	/* then at twice the time, and so on, so that a lab that is */
#define FLUSH_MAX_NS SECOND_NS		/* killed early leaves half of its run, or all but a second */
#define STATUS_NS (SECOND_NS / 4)
#define MEMORY_NS (SECOND_NS / 50)
#define SAME_NS (SECOND_NS / 10)	/* timeout(1) sends a signal to lab and to its group, so lab has two */
#define KILL_NS (2 * SECOND_NS)	/* from the polite signal to the next harder one */

struct loop {
	const struct run_loop_opts *opts;
	struct run_loop_result *result;
	int signal_fd;
	uint64_t start_ns;
	uint64_t flush_ns;	/* when the writer is flushed next */
	uint64_t status_ns;
	uint64_t status_events;
	uint64_t memory_ns;	/* when memory was last looked at */
	uint64_t daemon_ns;	/* deadline for what the root left behind; 0: it has not ended */
	uint64_t kill_ns;	/* deadline for the next harder signal; 0: none was sent */
	int signals_sent;
	struct run_tree tree;	/* what was signalled */
	bool ending;		/* interrupted: the workload is being ended */
	uint64_t ending_ns;	/* since then */
	bool over;
};

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * SECOND_NS + ts.tv_nsec;
}

static void taken_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGHUP);
}

void run_loop_block_signals(void)
{
	sigset_t set;

	taken_signals(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

void run_loop_release_signals(void)
{
	const struct timespec none = { 0 };
	sigset_t set;

	taken_signals(&set);
	while (sigtimedwait(&set, NULL, &none) > 0)
		;
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

bool run_loop_signal_waits(void)
{
	sigset_t set;

	return !sigpending(&set) && (sigismember(&set, SIGINT) == 1 || sigismember(&set, SIGTERM) == 1 ||
				     sigismember(&set, SIGHUP) == 1);
}

static void finish(struct loop *loop, enum trace_end_reason reason)
{
	if (!loop->over) {
		loop->result->end.reason = reason;
		loop->result->end.end_ns = now_ns();
		record_stop(loop->opts->record);
	}
	loop->over = true;
}

static void signal_tree(struct loop *loop, int sig)
{
	if (!loop->opts->pid || (loop->result->end.root_reaped && !loop->tree.cnt))
		return;
	run_tree_gather(&loop->tree, loop->opts->pid, getpid());
	if (run_sender_send(loop->opts->sender, sig))
		run_tree_signal(&loop->tree, sig);
}

/* SIGINT came to the workload from the terminal as well; then SIGTERM, then SIGKILL. */
static void press_harder(struct loop *loop, uint64_t now)
{
	static const int signals[] = { SIGTERM, SIGKILL };

	if (!loop->kill_ns || now < loop->kill_ns || loop->signals_sent >= 2)
		return;
	signal_tree(loop, signals[loop->signals_sent++]);
	loop->kill_ns = now + KILL_NS;
}

static void on_signal(struct loop *loop, const struct signalfd_siginfo *info)
{
	loop->result->interrupted = true;
	if (!loop->opts->pid) {
		finish(loop, TRACE_END_DETACH);
		return;
	}
	if (loop->ending && now_ns() - loop->ending_ns < SAME_NS)
		return;
	if (loop->ending) {
		loop->result->abandoned = true;
		signal_tree(loop, SIGKILL);
		finish(loop, TRACE_END_INTERRUPT);
		return;
	}
	loop->ending = true;
	loop->ending_ns = now_ns();
	loop->kill_ns = loop->ending_ns + KILL_NS;
	/* From the terminal, the workload has it already; from kill(2), lab alone. */
	if (info->ssi_code != SI_KERNEL)
		signal_tree(loop, info->ssi_signo);
}

static void reap(struct loop *loop)
{
	struct trace_end *end = &loop->result->end;
	int status;

	if (!loop->opts->pid || end->root_reaped ||
	    waitpid(loop->opts->pid, &status, WNOHANG) != loop->opts->pid)
		return;
	end->root_reaped = true;
	end->wait_status = status;
	loop->daemon_ns = now_ns() + loop->opts->grace_ns;
}

static void drain(struct loop *loop, uint64_t now, int *wait_ms)
{
	int64_t n;

	*wait_ms = DRAIN_CALM_MS;
	if (loop->result->write_err)
		return;
	n = record_drain(loop->opts->record, loop->opts->writer);
	if (n >= 0 && now >= loop->flush_ns) {
		n = trace_writer_flush(loop->opts->writer);
		loop->flush_ns = now + min_u64(now - loop->start_ns, FLUSH_MAX_NS);
	}
	if (n < 0) {
		loop->result->write_err = n;
		log_err("the trace could not be written any further: %s. Recording has ended, the "
			"workload goes on", io_reason(-n));
		record_stop(loop->opts->record);
		loop->result->end.reason = TRACE_END_WRITE_ERROR;
		loop->result->end.end_ns = now;
		return;
	}
	if (n >= CALM_RECORDS)
		*wait_ms = DRAIN_BUSY_MS;
}

static void show_status(struct loop *loop, uint64_t now)
{
	uint64_t events = trace_writer_events(loop->opts->writer);
	uint64_t dropped = record_refused_cnt(loop->opts->record);

	if (!loop->opts->status_line || now - loop->status_ns < STATUS_NS)
		return;
	fprintf(stderr, "\r\033[Klab: %" PRIu64 ".%" PRIu64 " s  %" PRIu64 " events/s  %" PRIu64
		" tasks  %" PRIu64 " dropped",
		(now - loop->start_ns) / SECOND_NS, (now - loop->start_ns) / (SECOND_NS / 10) % 10,
		(events - loop->status_events) * SECOND_NS / max_u64(now - loop->status_ns, 1),
		record_live_cnt(loop->opts->record), dropped);
	fflush(stderr);
	loop->status_ns = now;
	loop->status_events = events;
}

static void look_at_memory(struct loop *loop, uint64_t now)
{
	if (!loop->opts->memory || loop->result->end.root_reaped || now - loop->memory_ns < MEMORY_NS)
		return;
	loop->memory_ns = now;
	loop->result->memory_bytes = max_u64(loop->result->memory_bytes,
					     run_memory_bytes(loop->opts->pid));
}

static void check_end(struct loop *loop, uint64_t now)
{
	const struct run_loop_opts *opts = loop->opts;
	struct run_loop_result *result = loop->result;
	bool root_gone = result->end.root_reaped || !opts->pid;

	if (result->write_err) {
		loop->over = root_gone;
		return;
	}
	/* Whether its children outlived the root by a moment says nothing of why it ended. */
	if (root_gone && !record_live_cnt(opts->record))
		finish(loop, loop->ending ? TRACE_END_INTERRUPT : TRACE_END_EXIT);
	else if (opts->for_ns && now - loop->start_ns >= opts->for_ns)
		finish(loop, TRACE_END_FOR);
	else if (result->end.root_reaped && loop->ending)
		finish(loop, TRACE_END_INTERRUPT);
	else if (result->end.root_reaped && now >= loop->daemon_ns)
		finish(loop, TRACE_END_DAEMON);
}

static bool is_ended(const struct loop *loop)
{
	return loop->result->end.root_reaped && run_tree_is_gone(&loop->tree);
}

/* --for is over and the recording with it: end the workload, all of it, and fetch its status. */
static void end_root(struct loop *loop)
{
	static const int signals[] = { SIGTERM, SIGKILL };

	if (!loop->opts->pid || loop->result->end.root_reaped)
		return;
	for (int i = 0; i < 2 && !is_ended(loop); i++) {
		uint64_t until_ns = now_ns() + KILL_NS;

		signal_tree(loop, signals[i]);
		do {
			struct pollfd fd = { .fd = loop->opts->pidfd, .events = POLLIN };

			/* Once it has ended it stays readable. */
			poll(&fd, !loop->result->end.root_reaped, 10);
			reap(loop);
		} while (!is_ended(loop) && now_ns() < until_ns);
	}
}

static void wait_for_news(struct loop *loop, int wait_ms)
{
	struct pollfd fds[2] = {
		{ .fd = loop->signal_fd, .events = POLLIN },
		{ .fd = loop->result->end.root_reaped ? -1 : loop->opts->pidfd, .events = POLLIN },
	};
	struct signalfd_siginfo info;

	/* An attached process that has ended stays readable: its threads' last records are what counts. */
	if (!loop->opts->pid)
		fds[1].fd = -1;
	if (poll(fds, 2, wait_ms) <= 0)
		return;
	if (fds[0].revents & POLLIN && read(loop->signal_fd, &info, sizeof(info)) == sizeof(info))
		on_signal(loop, &info);
	if (fds[1].revents)
		reap(loop);
}

void run_loop(const struct run_loop_opts *opts, struct run_loop_result *result)
{
	struct loop loop = { .opts = opts, .result = result, .start_ns = now_ns() };
	sigset_t set;
	int wait_ms;

	*result = (struct run_loop_result){ 0 };
	loop.flush_ns = loop.start_ns + FLUSH_FIRST_NS;
	loop.status_ns = loop.start_ns;
	taken_signals(&set);
	loop.signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	while (!loop.over) {
		uint64_t now = now_ns();

		drain(&loop, now, &wait_ms);
		show_status(&loop, now);
		look_at_memory(&loop, now);
		press_harder(&loop, now);
		check_end(&loop, now);
		if (!loop.over)
			wait_for_news(&loop, wait_ms);
	}
	if (opts->status_line)
		fprintf(stderr, "\r\033[K");
	if (!result->abandoned)
		end_root(&loop);
	run_tree_release(&loop.tree);
	close(loop.signal_fd);
}
