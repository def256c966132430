/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_CLI_RUN_TREE_H
#define LAB_CLI_RUN_TREE_H

/*
 * run_tree - signals for all that descend from the calling process. Logs nothing.
 *
 * The caller is a child subreaper with one thread: whoever loses its parent becomes a child of the
 * caller, so that nobody leaves the tree, and what has ended keeps its number until the caller
 * waits for it.
 */

#include <stdint.h>
#include <sys/types.h>

struct run_tree_seen {
	uint32_t cnt;	/* processes that had not ended */
	pid_t pid;	/* one of them; 0: none */
};

/**
 * run_tree_signal() - signal every descendant, as /proc shows them at this moment
 * @sig: 0: only look
 *
 * Parents before their children. A number that was given to somebody else meanwhile is never
 * signalled: a child's cannot be, and any other process is held while its parent is looked at once
 * more. Needs a descriptor for each level of the tree that it is in, and none for each process.
 */
struct run_tree_seen run_tree_signal(int sig);

/*
 * The same for the caller's children alone, which takes much less time: who moves on to a new
 * process again and again is ahead of a look at all processes. Where the kernel does not list
 * children it does nothing.
 */
struct run_tree_seen run_tree_signal_children(int sig);

#endif /* LAB_CLI_RUN_TREE_H */
