/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_CLI_RUN_ATTEMPTS_H
#define LAB_CLI_RUN_ATTEMPTS_H

/*
 * run_attempts - --until-quiet: a run that is made again while other programs had CPUs that could
 * have changed what it shows. Each attempt is a whole run in a process of its own (apart.h); only
 * the last one leaves files.
 */

#include <stdbool.h>

#include "cli/run.h"

/*
 * One attempt, from recording to the report. Return: the exit status, or -1: make another one, and
 * nothing was left behind.
 */
typedef int run_attempt_fn(struct run *run);

/*
 * Standard input can be given to each attempt anew. Return: 0, or -EINVAL after one logged
 * sentence.
 */
int run_attempts_check_stdin(void);

/* Up to run->opts.attempts_max attempts, with run->attempt set. Return: the exit status. */
int run_attempts(struct run *run, run_attempt_fn *attempt);

#endif /* LAB_CLI_RUN_ATTEMPTS_H */
