/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_CLI_RUN_ADVICE_H
#define LAB_CLI_RUN_ADVICE_H

/*
 * run_advice - what to type instead, where the words to be run name a file that is no command:
 * a program without a path, source code, a script of an interpreter.
 */

#include <stdbool.h>

#define RUN_ADVICE_MAX 1400

/* Return: whether there is advice for these words; then it is one clause in @advice. */
bool run_advice(int argc, char *const *argv, char advice[RUN_ADVICE_MAX]);

#endif /* LAB_CLI_RUN_ADVICE_H */
