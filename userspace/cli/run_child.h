/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_CLI_RUN_CHILD_H
#define LAB_CLI_RUN_CHILD_H

/*
 * run_child - the workload's first process: forked (by the sender) before anything is loaded,
 * parked until all is attached, then released into a built-in workload or a command.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "cli/hook.h"
#include "cli/privilege.h"
#include "cli/run_sender.h"
#include "workload/workload.h"

/* Set to 1 in the environment of what is run while markers are recorded, and in no other. */
#define LAB_MARKERS_ENV "LAB_MARKERS"

struct run_child_opts {
	const struct workload *workload;	/* or NULL: a command */
	const struct workload_args *args;	/* of the workload */
	char *const *argv;			/* of the command, ended by NULL */
	const struct privilege_user *user;	/* whom it runs as */
	const uint16_t *cpus;			/* cpu_cnt that it may use; 0: all it inherits */
	uint32_t cpu_cnt;
	bool marks;				/* markers are recorded: LAB_MARKERS_ENV is set */
	const struct hook_set *hooks;
	int hook_keeper_fd;			/* see run_sender.h */
};

struct run_child {
	pid_t pid;	/* a child of the sender */
	int pidfd;
	int release_fd;	/* a byte lets it go; closing it ends it */
	int status_fd;	/* its word on how far it came */
	struct run_sender sender;
};

/**
 * run_child_start() - fork, and wait until it is parked
 *
 * Call it while lab has one thread and nothing loaded. Return: 0, or -errno after one logged
 * sentence (-EINVAL: a CPU that it may not use).
 */
int run_child_start(struct run_child *child, const struct run_child_opts *opts);

/**
 * run_child_release() - let it go
 * @exec_errno: 0, or why the command could not be executed
 *
 * Waits for the exec of a command, which takes no longer than its loading.
 * Return: 0, or -EIO (logged) if it died before.
 */
int run_child_release(struct run_child *child, int *exec_errno);

/*
 * Close what is open, which ends it if it is still parked, and end the sender. Accepts an all-zero
 * one.
 */
void run_child_close(struct run_child *child);

#endif /* LAB_CLI_RUN_CHILD_H */
