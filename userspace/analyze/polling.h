/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_ANALYZE_POLLING_H
#define LAB_ANALYZE_POLLING_H

/*
 * polling - tasks that look again and again whether something has happened.
 *
 * A task polls if timers end two of its waits in a row, in the same call and for the same reason,
 * and it runs in between for less than 5 % of the first wait. Time is not what it waits for. A wait
 * for a child that does nothing but sleep is also such a wait (sleep(1), as shells use it). It
 * includes the earlier waits since that child's birth that the end of another child broke off.
 */

#include "model/model.h"

/* The wait before @s, if @t polled from there to @s; else NULL. */
const struct model_span *polling_before(const struct model *m, const struct model_task *t,
					const struct model_span *s);

/* When the wait began in which @t polls, if @s is the last part of one. */
uint64_t polling_since(const struct model *m, const struct model_task *t,
		       const struct model_span *s);

/* Whether @t polls from @s on to its next wait. */
bool polling_goes_on(const struct model *m, const struct model_task *t,
		     const struct model_span *s);

#endif /* LAB_ANALYZE_POLLING_H */
