/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_CLI_RUN_TREE_H
#define LAB_CLI_RUN_TREE_H

/* run_tree - signals for a process and all that descend from it. Logs nothing. */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Processes, each held by a pidfd. All-zero is empty. */
struct run_tree {
	struct run_process {
		pid_t pid;
		int pidfd;
	} *v;
	size_t cnt, cap;
};

/**
 * run_tree_gather() - take hold of @root and its descendants, as /proc shows them at this moment
 *
 * Those that are in @tree already stay, and their descendants are taken too: a parent that ends
 * after this takes nobody out of it. A process that had left before (its parent
 * ended, so that another one adopted it) is not found. Each is held before its parent is looked at
 * once more, so that a number that was given to somebody else in between is never taken. @root, a child of @parent, may have ended.
 */
void run_tree_gather(struct run_tree *tree, pid_t root, pid_t parent);

/* Signal all that are held and have not ended. */
void run_tree_signal(const struct run_tree *tree, int sig);

/* Whether all that are held have ended. */
bool run_tree_is_gone(const struct run_tree *tree);

/* Accepts an all-zero one. */
void run_tree_release(struct run_tree *tree);

#endif /* LAB_CLI_RUN_TREE_H */
