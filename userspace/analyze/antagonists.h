/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_ANALYZE_ANTAGONISTS_H
#define LAB_ANALYZE_ANTAGONISTS_H

/*
 * antagonists - who held the CPUs for which ready tasks waited. Part of the
 * analysis of wake-ups.
 *
 * A nanosecond in which three tasks wait for one CPU counts three times, so that all parts together
 * are exactly the time waited. A task that a quota holds back waits for no CPU.
 */

#include "analyze/report.h"

/* Fill all of @w that names or counts who held the CPUs; the parts sum to w->total_ns. */
void antagonists_of_all(const struct model *m, struct report_waits *w);

/*
 * Who had the CPU for most of the ready span @s of @t; @out->ns is 0 if nobody known.
 * Return: for how much of it a quota held @t back.
 */
uint64_t antagonist_of_one(const struct model *m, const struct model_task *t,
			   const struct model_span *s, struct antagonist *out);

#endif /* LAB_ANALYZE_ANTAGONISTS_H */
