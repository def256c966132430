/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_CLI_READING_H
#define LAB_CLI_READING_H

/*
 * reading - a trace of somebody else's: opened with the rights of whoever called lab, read without
 * them.
 *
 * Under sudo the process becomes the invoking user, whom what it writes belongs to. A root who is
 * not there by sudo may read every file, and what is in it may be made to take over who reads it:
 * so the process becomes the file's owner, or nobody, before a byte of it is read. Then it gives up
 * every capability, and what reading needs not (confine.h).
 */

#include <stdbool.h>

#include "cli/trace_input.h"

/**
 * reading_open() - open the trace that an operand names, and become the user
 * @operand: a trace, or the folder of a run; NULL: the newest run of the folder runs, which is
 * logged
 * @flags: O_RDONLY; or O_RDWR, which is opened as the user. So is all that a set-user-ID lab opens
 * @force: goes to @in
 *
 * Call it while there is one thread. Return: 0, or the exit status after one logged sentence.
 * trace_input_close() @in in any case.
 */
int reading_open(struct trace_input *in, const char *operand, int flags, bool force);

/**
 * reading_confine() - before a byte of @in is read; there is no way back
 *
 * What is written from here on goes to descriptors that are open. Return: as reading_open().
 */
int reading_confine(const struct trace_input *in);

#endif /* LAB_CLI_READING_H */
