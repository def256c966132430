/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_CLI_RUN_SENDER_H
#define LAB_CLI_RUN_SENDER_H

/*
 * run_sender - a process that ends the workload when the recorder may not: a program that changed its
 * user (postgres, memcached -u, setpriv, --user) takes no signals from a recorder without root.
 *
 * It keeps one of root's capabilities, CAP_KILL, and it does one thing: it is told a signal's number, finds
 * the workload's tree by itself, and sends the signal to that tree.
 */

#include "cli/side_process.h"

/**
 * run_sender_start() - fork it
 * @root: of the workload's tree, a child of the caller
 *
 * As side_process_start(). side_process_stop() ends it.
 */
int run_sender_start(struct side_process *sender, pid_t root);

/* Have the signal sent, and wait until it was. Return: 0 or -errno, silently. */
int run_sender_send(const struct side_process *sender, int sig);

#endif /* LAB_CLI_RUN_SENDER_H */
