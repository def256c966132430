/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_VIEW_SCREEN_H
#define LAB_VIEW_SCREEN_H

/*
 * screen - the terminal of the full-screen timeline, by ncurses: taken and given back, and what
 * is drawn on it. There is one.
 */

#include <stdbool.h>

#include "view/view.h"

#define SCREEN_COLS_MIN 40
#define SCREEN_ROWS_MIN 10

struct screen;

/**
 * screen_open() - take the terminal that is standard input and output
 * @v: borrowed until screen_close()
 *
 * Given back by screen_close(), at exit(), and where a crash or abort() ends the program.
 *
 * Return: the screen, or NULL after one logged sentence (this TERM is not known).
 */
struct screen *screen_open(struct view *v, bool color, bool utf8);

/* Accepts NULL. */
void screen_close(struct screen *s);

/* Fit the view to the terminal's size as it is now. */
void screen_fit(struct screen *s);

/* Draw all. @message: instead of what is selected; or NULL */
void screen_draw(struct screen *s, const char *message);

/* Draw what a reader types, after @prompt, instead of what is selected. */
void screen_draw_prompt(struct screen *s, const char *prompt, const char *typed);

/* Draw everything anew, where another program has written over it. */
void screen_repaint(struct screen *s);

/*
 * Draw these lines, as many as there is room for, in place of the timeline. Return: how many; at
 * least one.
 */
size_t screen_draw_help(struct screen *s, const char *const *lines);

/* Whether the terminal's row and column show a lane, and which, and what instant. */
bool screen_at(const struct screen *s, int row, int col, size_t *lane, uint64_t *at_ns);

#endif /* LAB_VIEW_SCREEN_H */
