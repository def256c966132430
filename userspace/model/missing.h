/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_MODEL_MISSING_H
#define LAB_MODEL_MISSING_H

/*
 * missing - where records are missing. What is drawn there is a guess: a task may have run on the
 * CPU whose records are missing, however its spans are drawn.
 */

#include "model/model.h"

/**
 * model_hide_missing() - divide spans and CPU time where records are missing
 *
 * The part of a span inside a loss becomes SPAN_UNKNOWN: of a running task a loss of its own CPU,
 * of any other task a loss of any CPU, because the task may have run there. A CPU's time inside a
 * loss becomes LAB_CPU_UNKNOWN. The analyses of the verdict need the spans as drawn, so this comes
 * after them: report_hide_missing() calls it.
 */
void model_hide_missing(struct model *m);

/* True if records may be missing anywhere, and nothing tells where. */
static inline bool missing_anywhere(const struct model *m)
{
	return m->end.storage_failures || m->end.recursion_misses || (m->dropped && !m->gap_cnt);
}

#endif /* LAB_MODEL_MISSING_H */
