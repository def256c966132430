/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_CLI_RUN_SENDER_H
#define LAB_CLI_RUN_SENDER_H

/*
 * run_sender - the parent of the workload's first process, between it and the recorder: ends the
 * workload when the recorder may not. A program that changed its user (postgres, memcached -u,
 * setpriv, --user) takes no signals from a recorder without root.
 *
 * It keeps one of root's capabilities, CAP_KILL, and root's user id, so that the workload's user
 * can neither signal nor trace it. It adopts who loses its parent (a child subreaper, as `systemd
 * --user` is; a daemon that waits for getppid() to be 1 waits until lab has ended), so that
 * everything which the workload started is below it, and nothing else is: not the recorder's other
 * processes, nor what lab was given by exec. It waits for all of them, tells how the first one
 * ended, and when none is left; and it sends the signals that it is told to.
 *
 * It ends when it is told to, and when the recorder is killed; then, where there are start-up
 * hooks, it waits for the end of the workload, and has their folder removed.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "cli/run_tree.h"
#include "cli/side_process.h"

/* What the recorder knows of it. All-zero: there is none. */
struct run_sender {
	struct side_process process;
	pid_t root;
	bool gone;		/* it was killed: nothing more is heard */
	bool root_ended;
	bool none_left;		/* the root and all that it started have ended */
	int wait_status;	/* of the root, once it has ended */
	uint32_t asked_cnt, answered_cnt;
	struct run_tree_seen seen;	/* by the last answer */
};

/* In the workload's first process, with all that the caller has open. Does not return. */
typedef void run_sender_child_fn(const void *arg);

/**
 * run_sender_start() - fork it, and have it fork the workload's first process
 * @hook_keeper_fd: to who removes the hooks' folder; 0: there are no hooks
 *
 * As side_process_start(), and waits for the fork. Return: 0, or -errno after one logged sentence.
 */
int run_sender_start(struct run_sender *sender, run_sender_child_fn *child, const void *arg,
		     int hook_keeper_fd);

/**
 * run_sender_tell() - have a signal sent to the workload's tree
 * @sig: 0: only look. SIGKILL is sent again and again until none is left, or for RUN_SENDER_KILL_NS
 *
 * Does not wait: once all is answered @sender->seen says what was there and, after SIGKILL, what
 * was left.
 */
void run_sender_tell(struct run_sender *sender, int sig);

#define RUN_SENDER_KILL_NS UINT64_C(2000000000)

/* Take what it has said, without waiting; its descriptor is readable when there is something. */
void run_sender_hear(struct run_sender *sender);

/* Accepts an all-zero one. */
void run_sender_stop(struct run_sender *sender);

#endif /* LAB_CLI_RUN_SENDER_H */
