/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_VIEW_LOOP_H
#define LAB_VIEW_LOOP_H

/* loop - the full-screen timeline: keys, and what each does, until the reader quits. */

#include <stdbool.h>

#include "view/view.h"

/**
 * loop_run() - show a run
 * @hook: as in struct render_opts
 * @color, @utf8: what the terminal takes
 *
 * Return: 0 when the reader quits; a signal that came instead (the terminal is given back; to be
 * raised again); -errno after one logged sentence.
 */
int loop_run(const struct model *m, const struct report *r, const char *hook, bool color,
	     bool utf8);

#endif /* LAB_VIEW_LOOP_H */
