/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_VIEW_TERMINAL_H
#define LAB_VIEW_TERMINAL_H

/*
 * terminal - ncurses begun and ended. Whatever ends the program, the terminal is as it was: exit()
 * and signals that one can catch are seen to here.
 */

#include <stdbool.h>

/* Return: 0; -errno after one logged sentence. */
int terminal_open(void);

/* Accepts a terminal that is not open. */
void terminal_close(void);

/* Wait for the next key of ncurses. ERR: a signal asked the program to end (terminal_signal()). */
int terminal_key(void);

/* SIGINT, SIGTERM, SIGHUP or another that ends a program, if one came; else 0. */
int terminal_signal(void);

#endif /* LAB_VIEW_TERMINAL_H */
