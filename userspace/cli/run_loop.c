/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/run_loop.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "cli/run_memory.h"
#include "util/io.h"
#include "util/log.h"
#include "util/minmax.h"

#define SECOND_NS UINT64_C(1000000000)
/* between two drains; a 16 MiB ring holds about a quarter of a second */
#define DRAIN_BUSY_MS 5
#define DRAIN_CALM_MS 20
#define CALM_RECORDS 500	/* fewer than this at a drain is calm */
/* then at twice the time, and so on, so that a lab that is */
#define FLUSH_FIRST_NS (SECOND_NS / 10)
/* killed early leaves half of its run, or all but a second */
#define FLUSH_MAX_NS SECOND_NS
#define STATUS_NS (SECOND_NS / 4)
#define MEMORY_NS (SECOND_NS / 50)
/* timeout(1) sends a signal to lab and to its group, so lab has two */
#define SAME_NS (SECOND_NS / 10)
#define KILL_NS (2 * SECOND_NS)	/* from the polite signal to the next harder one */
#define ANSWER_NS SECOND_NS	/* that the sender has for an answer */
#define LAST_NS (SECOND_NS / 5)	/* from the last record of a task to the end of its process */

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
	bool terminated;	/* SIGTERM was sent */
	bool root_gone;
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

static const int taken[] = { SIGINT, SIGTERM, SIGHUP };

static bool is_ignored(int sig)
{
	struct sigaction action;

	return !sigaction(sig, NULL, &action) && action.sa_handler == SIG_IGN;
}

void run_loop_signals(sigset_t *set)
{
	sigemptyset(set);
	for (size_t i = 0; i < ARRAY_SIZE(taken); i++)
		if (taken[i] != SIGHUP || !is_ignored(SIGHUP))
			sigaddset(set, taken[i]);
}

void run_loop_block_signals(void)
{
	sigset_t set;

	run_loop_signals(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

bool run_loop_signal_is_shared(const struct signalfd_siginfo *info)
{
	return info->ssi_code == SI_KERNEL && (info->ssi_signo != SIGHUP || getsid(0) != getpid());
}

static void forget_signals(const sigset_t *set)
{
	const struct timespec none = { 0 };

	while (sigtimedwait(set, NULL, &none) > 0)
		;
}

static volatile sig_atomic_t signal_came;	/* one that a further one does not wait for */
static volatile uint64_t signal_ns;
static struct sigaction before[ARRAY_SIZE(taken)];
static bool are_handled;

/* What is said to be safe here: clock_gettime(2), raise(3) and sigaction(2). */
static void leave_at_second(int sig)
{
	const struct sigaction to_default = { .sa_handler = SIG_DFL };
	uint64_t now = now_ns();

	if (signal_came && now - signal_ns < SAME_NS)
		return;
	if (signal_came) {
		sigaction(sig, &to_default, NULL);
		raise(sig);
	}
	signal_came = 1;
	signal_ns = now;
}

void run_loop_allow_leaving(bool interrupted)
{
	const struct sigaction action = { .sa_handler = leave_at_second, .sa_flags = SA_RESTART };
	sigset_t set;

	signal_came = interrupted;
	signal_ns = now_ns();
	run_loop_signals(&set);
	forget_signals(&set);
	for (size_t i = 0; i < ARRAY_SIZE(taken); i++)
		if (!sigaction(taken[i], NULL, &before[i]) && before[i].sa_handler != SIG_IGN)
			sigaction(taken[i], &action, NULL);
	are_handled = true;
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

void run_loop_release_signals(void)
{
	sigset_t set;

	run_loop_signals(&set);
	forget_signals(&set);
	for (size_t i = 0; are_handled && i < ARRAY_SIZE(taken); i++)
		sigaction(taken[i], &before[i], NULL);
	are_handled = false;
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

bool run_loop_signal_waits(void)
{
	sigset_t set;

	if (sigpending(&set))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(taken); i++)
		if (sigismember(&set, taken[i]) == 1)
			return true;
	return false;
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

static void on_root_end(struct loop *loop)
{
	if (!loop->root_gone)
		loop->daemon_ns = now_ns() + loop->opts->grace_ns;
	loop->root_gone = true;
}

static void hear_sender(struct loop *loop)
{
	struct run_sender *sender = loop->opts->sender;

	run_sender_hear(sender);
	if (sender->root_ended) {
		loop->result->end.root_reaped = true;
		loop->result->end.wait_status = sender->wait_status;
		on_root_end(loop);
	}
	if (sender->gone)
		log_warn("the process that ends the workload was killed: what becomes of the "
			 "workload "
			 "is not known");
}

static void signal_tree(struct loop *loop, int sig)
{
	struct run_sender *sender = loop->opts->sender;

	if (!sender->gone)
		hear_sender(loop);
	if (!sender->gone)
		run_sender_tell(sender, sig);
	else	/* the root alone, and only if it is of the same user */
		syscall(SYS_pidfd_send_signal, loop->opts->pidfd, sig, NULL, 0);
	loop->terminated |= sig == SIGTERM;
}

/*
 * SIGINT came to the workload from the terminal as well; then SIGTERM; then the recording ends, and
 * SIGKILL.
 */
static void press_harder(struct loop *loop, uint64_t now)
{
	if (!loop->kill_ns || now < loop->kill_ns)
		return;
	if (loop->terminated)
		finish(loop, TRACE_END_INTERRUPT);
	else
		signal_tree(loop, SIGTERM);
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
		finish(loop, TRACE_END_INTERRUPT);
		return;
	}
	loop->ending = true;
	loop->ending_ns = now_ns();
	loop->kill_ns = loop->ending_ns + KILL_NS;
	if (!run_loop_signal_is_shared(info))
		signal_tree(loop, info->ssi_signo);
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
	if (!loop->opts->memory || loop->root_gone || now - loop->memory_ns < MEMORY_NS)
		return;
	loop->memory_ns = now;
	loop->result->memory_bytes = max_u64(loop->result->memory_bytes,
					     run_memory_bytes(loop->opts->pid));
}

static void check_end(struct loop *loop, uint64_t now)
{
	const struct run_loop_opts *opts = loop->opts;
	struct run_loop_result *result = loop->result;
	bool root_gone = loop->root_gone || !opts->pid;

	if (result->write_err) {
		loop->over |= root_gone;
		return;
	}
	/* Whether its children outlived the root by a moment says nothing of why it ended. */
	if (root_gone && !record_live_cnt(opts->record))
		finish(loop, loop->ending ? TRACE_END_INTERRUPT : TRACE_END_EXIT);
	else if (opts->for_ns && now - loop->start_ns >= opts->for_ns)
		finish(loop, TRACE_END_FOR);
	else if (loop->root_gone && loop->ending)
		finish(loop, TRACE_END_INTERRUPT);
	else if (loop->root_gone && now >= loop->daemon_ns)
		finish(loop, TRACE_END_DAEMON);
}

/* Whether a process has ended, where it cannot be polled for. */
static bool is_gone(int pidfd)
{
	return syscall(SYS_pidfd_send_signal, pidfd, 0, NULL, 0) && errno == ESRCH;
}

/* A workload of the same user may have taken lab's descriptors (prlimit(2)): then poll(2) fails. */
static void wait_for_news(struct loop *loop, int wait_ms)
{
	const struct run_loop_opts *opts = loop->opts;
	bool heard = opts->pid && !opts->sender->gone, look;
	/*
	 * An attached process that has ended stays readable: its threads' last records are what
	 * counts.
	 */
	struct pollfd fds[] = {
		{ .fd = loop->signal_fd, .events = POLLIN },
		{ .fd = heard ? opts->sender->process.fd : -1, .events = POLLIN },
		{ .fd = heard || !opts->pid || loop->root_gone ? -1 : opts->pidfd,
		  .events = POLLIN },
	};
	struct signalfd_siginfo info;

	look = poll(fds, ARRAY_SIZE(fds), wait_ms) < 0 && errno != EINTR;
	if (look)
		usleep((useconds_t)wait_ms * 1000);
	if ((look || fds[0].revents & POLLIN) &&
	    read(loop->signal_fd, &info, sizeof(info)) == sizeof(info))
		on_signal(loop, &info);
	if (heard && (look || fds[1].revents))
		hear_sender(loop);
	if (fds[2].fd >= 0 && (look ? is_gone(fds[2].fd) : fds[2].revents))
		on_root_end(loop);
}

/* Nothing more comes from the workload, as far as can be known. */
static bool is_ended(const struct loop *loop)
{
	const struct run_sender *sender = loop->opts->sender;

	return sender->gone ? loop->root_gone : sender->none_left;
}

static bool is_answered(const struct loop *loop)
{
	const struct run_sender *sender = loop->opts->sender;

	return is_ended(loop) || (!sender->gone && sender->answered_cnt == sender->asked_cnt);
}

/* A Ctrl-C too many does not wait for what is polite. */
static void await(struct loop *loop, bool (*is_so)(const struct loop *), uint64_t until_ns)
{
	while (!is_so(loop) && now_ns() < until_ns &&
	       !(loop->result->abandoned && is_so == is_ended))
		wait_for_news(loop, 10);
}

/*
 * The recording is over. Whoever asked for that wants no process to stay, and else it is counted
 * who does.
 */
static void end_tree(struct loop *loop)
{
	struct trace_end *end = &loop->result->end;
	const struct run_sender *sender = loop->opts->sender;
	bool wanted = loop->ending || end->reason == TRACE_END_FOR;

	if (wanted && !loop->terminated && !loop->result->abandoned) {
		signal_tree(loop, SIGTERM);
		loop->kill_ns = now_ns() + KILL_NS;
	}
	if (wanted)
		await(loop, is_ended, loop->kill_ns);
	else if (end->reason == TRACE_END_EXIT)
		await(loop, is_ended, now_ns() + LAST_NS);
	if (!is_ended(loop)) {
		signal_tree(loop, wanted ? SIGKILL : 0);
		await(loop, is_answered, now_ns() + ANSWER_NS + (wanted ? RUN_SENDER_KILL_NS : 0));
	}
	end->left_known = !sender->gone && is_answered(loop);
	end->left = end->left_known && !sender->none_left ? sender->seen.cnt : 0;
	if (wanted && end->left)
		log_warn("%" PRIu32 " %s of the workload could not be ended, process %d among them",
			 end->left,
			 end->left == 1 ? "process" : "processes", (int)sender->seen.pid);
	else if (wanted && !end->left_known)
		log_warn("whether processes of the workload are left is not known");
}

void run_loop(const struct run_loop_opts *opts, struct run_loop_result *result)
{
	struct loop loop = { .opts = opts, .result = result, .start_ns = now_ns() };
	sigset_t set;
	int wait_ms;

	*result = (struct run_loop_result){ 0 };
	loop.flush_ns = loop.start_ns + FLUSH_FIRST_NS;
	loop.status_ns = loop.start_ns;
	run_loop_signals(&set);
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
	if (opts->pid)
		end_tree(&loop);
	close(loop.signal_fd);
}
