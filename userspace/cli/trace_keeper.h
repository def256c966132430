/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_CLI_TRACE_KEEPER_H
#define LAB_CLI_TRACE_KEEPER_H

/*
 * trace_keeper - a process that makes the trace root's own while the workload lives, and gives it
 * to the user afterwards: so that a program which runs as that user cannot write to it.
 *
 * It keeps one of root's capabilities, CAP_CHOWN, and knows no path: it is given the open file. It
 * takes only a regular file which is the user's already, so that no more can be had by it than the
 * user has. Where the file system knows no owners, or refuses, the file stays the user's; that it
 * was changed is found by its seal (trace/seal.h).
 */

#include "cli/privilege.h"
#include "cli/side_process.h"

/**
 * trace_keeper_start() - fork it, if the files are not root's
 * @user: whom the files belong to
 *
 * As side_process_start(), as root.
 */
int trace_keeper_start(struct side_process *keeper, const struct privilege_user *user);

/* The trace was made: it becomes root's, if that can be. */
void trace_keeper_take(const struct side_process *keeper, int trace_fd);

/*
 * It becomes the user's again, and the process ends; as when the recorder is killed. Accepts an
 * all-zero one.
 */
void trace_keeper_end(struct side_process *keeper);

#endif /* LAB_CLI_TRACE_KEEPER_H */
