/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_UNSEEN_TERMINAL_H
#define TESTS_UNSEEN_TERMINAL_H

/* unseen_terminal - lab view on a terminal that nobody sees: it gets keys, the drawing is lost. */

#include <stddef.h>

#define UNSEEN_KEYS_MAX 512		/* fewer than a terminal holds */

/*
 * Standard input becomes a terminal, and standard output goes nowhere. For the whole process.
 * Return: the terminal's other end; -1: there is none
 */
int unseen_terminal_open(void);

/*
 * The terminal has @cols and @rows, and only these keys were pressed (those beyond UNSEEN_KEYS_MAX
 * are left out); behind them come those that end lab view, from wherever it is. Return: 0, or -1.
 */
int unseen_terminal_press(int master, unsigned int cols, unsigned int rows, const void *keys,
			  size_t len);

#endif /* TESTS_UNSEEN_TERMINAL_H */
