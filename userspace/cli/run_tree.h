/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_CLI_RUN_TREE_H
#define LAB_CLI_RUN_TREE_H

/* run_tree - signals for a process and all that descend from it now. */

#include <sys/types.h>

/**
 * run_tree_signal() - signal @root and its descendants, as /proc shows them at this moment
 *
 * A process that has left the tree (its parent ended, so that another one adopted it) is not
 * found. Each is held by a pidfd while its parent is looked at once more, so that a number that was
 * given to somebody else in between is never signalled. Does nothing if @root has ended. Logs nothing.
 */
void run_tree_signal(pid_t root, int sig);

#endif /* LAB_CLI_RUN_TREE_H */
