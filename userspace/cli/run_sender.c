/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/run_sender.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cli/hook_keeper.h"
#include "cli/privilege.h"
#include "util/io.h"
#include "util/log.h"

#define CLOSE_LOOKS 20		/* at the children alone, for each at all processes */
#define CLOSE_LOOK_NS 1000000	/* at most between two, if none ends */

#define END UINT8_MAX		/* in place of a signal: it is to end */

/* What it says. */
struct word {
	enum { WORD_BORN, WORD_ROOT_ENDED, WORD_NONE_LEFT, WORD_SEEN } kind;
	int32_t value;			/* -errno or 0; the wait status */
	pid_t root;
	struct run_tree_seen seen;
};

/* ---- in the process ---- */

struct start {
	run_sender_child_fn *child;
	const void *arg;
	pid_t *root;		/* or -errno */
	bool hooked;
};

static void bear(int fd, const void *arg)
{
	const struct start *start = arg;

	*start->root = prctl(PR_SET_CHILD_SUBREAPER, 1) ? -1 : fork();
	if (!*start->root) {
		close(fd);
		start->child(start->arg);
		_exit(1);
	}
	if (*start->root < 0)
		*start->root = -errno;
}

struct parent {
	int fd;
	pid_t root;
	bool childless, hooked;
};

/*
 * The recorder has gone, or would wait for ever for a word that could not be said. Does not return.
 */
static void outlive_recorder(const struct parent *parent)
{
	close(parent->fd);
	if (parent->hooked) {
		while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
			;
		hook_keeper_tell(SIDE_PROCESS_KEPT_FD);
	}
	_exit(1);
}

static void say(const struct parent *parent, const struct word *word)
{
	if (send(parent->fd, word, sizeof(*word), MSG_NOSIGNAL) != sizeof(*word))
		outlive_recorder(parent);
}

/* Return: whether there are children left. */
static bool reap(struct parent *parent)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		if (pid == parent->root)
			say(parent, &(struct word){ .kind = WORD_ROOT_ENDED, .value = status });
	if (pid < 0 && errno == ECHILD && !parent->childless) {
		parent->childless = true;
		say(parent, &(struct word){ .kind = WORD_NONE_LEFT });
	}
	return !parent->childless;
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static void child_signal(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGCHLD);
}

/* Whose parent is killed becomes a child here. It is looked at as soon as one of them ends. */
static void kill_all(struct parent *parent)
{
	const struct timespec wait = { .tv_nsec = CLOSE_LOOK_NS };
	uint64_t until_ns = now_ns() + RUN_SENDER_KILL_NS;
	sigset_t set;

	child_signal(&set);
	while (reap(parent) && now_ns() < until_ns) {
		run_tree_signal(SIGKILL);
		for (int i = 0; i < CLOSE_LOOKS && reap(parent); i++) {
			run_tree_signal_children(SIGKILL);
			sigtimedwait(&set, NULL, &wait);
		}
	}
}

static void obey(struct parent *parent, int sig)
{
	struct word word = { .kind = WORD_SEEN };

	if (sig == SIGKILL)
		kill_all(parent);
	if (reap(parent))
		word.seen = run_tree_signal(sig);
	say(parent, &word);
}

static void be_parent(int fd, const void *arg)
{
	const struct start *start = arg;
	struct parent parent = { .fd = fd, .root = *start->root, .hooked = start->hooked };
	struct word born = { .kind = WORD_BORN, .root = parent.root };
	struct signalfd_siginfo info;
	uint8_t sig;
	sigset_t set;
	int child_fd;

	/* Where SIGCHLD is ignored nobody can be waited for. */
	signal(SIGCHLD, SIG_DFL);
	child_signal(&set);
	child_fd = signalfd(-1, &set, SFD_NONBLOCK);
	if (child_fd < 0)
		born.value = -errno;
	else if (privilege_drop_but_killing())
		born.value = -EPERM;
	say(&parent, &born);
	while (!born.value) {
		struct pollfd fds[2] = {
			{ .fd = fd, .events = POLLIN }, { .fd = child_fd, .events = POLLIN },
		};

		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return;
		while (read(child_fd, &info, sizeof(info)) == sizeof(info))
			;
		reap(&parent);
		if (fds[0].revents) {
			if (read(fd, &sig, 1) != 1)
				outlive_recorder(&parent);
			if (sig == END)
				return;
			obey(&parent, sig);
		}
	}
}

/* ---- in the recorder ---- */

int run_sender_start(struct run_sender *sender, run_sender_child_fn *child, const void *arg,
		     int hook_keeper_fd)
{
	const struct start start = { child, arg, &sender->root, hook_keeper_fd > 0 };
	struct word word;
	int err;

	*sender = (struct run_sender){ 0 };
	err = side_process_start(&sender->process, bear, be_parent, &start, hook_keeper_fd,
				 "ends the workload");
	if (err)
		return err;
	if (recv(sender->process.fd, &word, sizeof(word), 0) != sizeof(word))
		err = -EPIPE;
	else
		err = word.root < 0 ? word.root : word.value;
	if (err)
		log_err("cannot start a process for the workload: %s", io_reason(-err));
	else
		sender->root = word.root;
	return err;
}

void run_sender_tell(struct run_sender *sender, int sig)
{
	uint8_t byte = (uint8_t)sig;

	/* If it has gone, its end of the socket says so. */
	send(sender->process.fd, &byte, 1, MSG_NOSIGNAL);
	sender->asked_cnt++;
}

static void take_word(struct run_sender *sender, const struct word *word)
{
	switch (word->kind) {
	case WORD_ROOT_ENDED:
		sender->root_ended = true;
		sender->wait_status = word->value;
		break;
	case WORD_NONE_LEFT:
		sender->none_left = true;
		break;
	case WORD_SEEN:
		sender->answered_cnt++;
		sender->seen = word->seen;
		break;
	default:
		break;
	}
}

void run_sender_hear(struct run_sender *sender)
{
	struct word word;
	ssize_t n;

	while ((n = recv(sender->process.fd, &word, sizeof(word), MSG_DONTWAIT)) == sizeof(word))
		take_word(sender, &word);
	if (n >= 0 || (errno != EAGAIN && errno != EINTR))
		sender->gone = true;
}

void run_sender_stop(struct run_sender *sender)
{
	if (sender->process.fd > 0)
		run_sender_tell(sender, END);
	side_process_stop(&sender->process);
	*sender = (struct run_sender){ 0 };
}
