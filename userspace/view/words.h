/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_VIEW_WORDS_H
#define LAB_VIEW_WORDS_H

/*
 * words - what the full-screen timeline says. Every text is safe for a terminal, whatever names
 * the trace has in it. Computes nothing but what range.h gives.
 */

#include <stdbool.h>

#include "view/view.h"

#define WORDS_MAX 400

struct words {
	char s[WORDS_MAX];
};

/* The verdict, as every report begins. */
struct words words_verdict(const struct view *v, bool utf8);

/* "CPU 0", "worker/1 4711", in at most @cols columns. */
struct words words_lane(const struct view *v, size_t lane, uint32_t cols, bool utf8);

/* What each symbol of a task's lane means but those of CPUs. */
struct words words_legend(const struct view *v, bool utf8);

/* What the chosen lane shows at the cursor: state, since when, how long, why, and who ended it. */
struct words words_cursor(const struct view *v, bool utf8);

/* The numbers of what is selected, of all tasks and of the chosen lane. */
struct words words_selection(const struct view *v);

#endif /* LAB_VIEW_WORDS_H */
