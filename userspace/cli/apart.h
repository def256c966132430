/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_CLI_APART_H
#define LAB_CLI_APART_H

/*
 * apart - a part of a command in a process of its own, with fewer rights: a traced run, which gives
 * up root for good, of several; a trace that is read. The caller keeps its rights, reads no trace,
 * and gets a few plain bytes.
 */

#include <stddef.h>
#include <sys/types.h>

/*
 * In the process of its own: fill @answer. Signals are blocked as the caller of apart_run() has
 * them.
 */
typedef void apart_fn(void *arg, void *answer);

/* From here on apart_run() takes Ctrl-C and its like. Before the first one. */
void apart_block_signals(void);

/* The opposite, in the process of its own. */
void apart_unblock_signals(void);

/**
 * apart_run() - fork, let the child do @fn, and wait for its answer
 * @answer: of @size bytes, PIPE_BUF at most; all zero if there is none
 * @interrupted_by: the signal that came meanwhile, or 0; the child had it too
 *
 * Return: 0; or LAB_EXIT_CANNOT_TRACE after one logged sentence if there was no process, or if it
 * ended without an answer though nothing interrupted it.
 */
int apart_run(apart_fn *fn, void *arg, void *answer, size_t size, int *interrupted_by);

#endif /* LAB_CLI_APART_H */
