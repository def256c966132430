/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_CLI_RUN_SENDER_H
#define LAB_CLI_RUN_SENDER_H

/*
 * run_sender - a process that ends the workload when the recorder may not: a program that changed its
 * user (postgres, memcached -u, setpriv, --user) takes no signals from a recorder without root.
 *
 * It keeps one of root's capabilities, CAP_KILL, and it does one thing: it is told a signal's number, finds
 * the workload's tree by itself, and sends the signal to that tree. It ends with the recorder.
 */

#include <sys/types.h>

struct run_sender {
	int fd;		/* to it; 0: there is none */
	pid_t pid;
};

/**
 * run_sender_start() - fork it
 * @root: of the workload's tree, a child of the caller
 *
 * Call it while there is one thread and nothing loaded. Return: 0 or -errno after one logged sentence.
 */
int run_sender_start(struct run_sender *sender, pid_t root);

/* Have the signal sent, and wait until it was. Return: 0 or -errno, silently. */
int run_sender_send(const struct run_sender *sender, int sig);

/* End it. Accepts an all-zero one. */
void run_sender_stop(struct run_sender *sender);

#endif /* LAB_CLI_RUN_SENDER_H */
