/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_CLI_SIDE_PROCESS_H
#define LAB_CLI_SIDE_PROCESS_H

/*
 * side_process - a process beside the recorder, with other rights than the recorder's, that does
 * one thing when it is told to. It takes no signals (those of a terminal are for the workload and
 * lab), and has nothing open but the standard descriptors, the way to the recorder, with which it
 * ends, and what it is given to keep.
 */

#include <sys/types.h>

#define SIDE_PROCESS_KEPT_FD 4

struct side_process {
	int fd;		/* to it; 0: there is none */
	pid_t pid;
};

/* What it does: reads and writes @fd. When it returns, the process ends. */
typedef void side_process_fn(int fd, const void *arg);

/**
 * side_process_start() - fork it
 * @first: it does before it closes and blocks anything; NULL: nothing
 * @kept_fd: what it has open as SIDE_PROCESS_KEPT_FD; 0: nothing
 * @what: it does, for the one sentence that is logged if it cannot be started
 *
 * Call it while there is one thread and nothing loaded. Return: 0 or -errno.
 */
int side_process_start(struct side_process *process, side_process_fn *first, side_process_fn *fn,
		       const void *arg, int kept_fd, const char *what);

/* Let it end, and wait for that. Accepts an all-zero one. */
void side_process_stop(struct side_process *process);

#endif /* LAB_CLI_SIDE_PROCESS_H */
