/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_ANALYZE_PROGRESS_H
#define LAB_ANALYZE_PROGRESS_H

/*
 * progress - when tasks and operations are in progress, in DESIGN's sense.
 *
 * A task is, between its first and its last run, while it runs, is ready or is
 * blocked; except while it waits for a task it began or called (join,
 * child, any wait but a lock, of memory or of a file, that its own descendant ends), and except for
 * the idle waits of a parked helper: a task that runs for less than 5 % of what the
 * longest-running one does.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyze/report.h"

/* One unbroken time in which a task or an operation is in progress. */
struct stretch {
	uint64_t start_ns, end_ns;
	size_t idx;		/* into model.tasks or model.ops */
};

struct stretches {
	struct stretch *v;
	size_t cnt, cap;
};

/* The task ran for less than 5 % of @longest_run_ns. */
bool progress_is_helper(uint64_t run_ns, uint64_t longest_run_ns);

/* A task between its first and last run is in progress during @s; @helper: progress_is_helper(). */
bool progress_counts(const struct model_span *s, bool helper);

/* All stretches of all tasks, by task and time; needs report.tasks. free(out->v) releases them. */
void progress_of_tasks(const struct model *m, const struct report *r, struct stretches *out);

/* All operations that lasted, within the window; a part of one is none of its own. */
void progress_of_ops(const struct model *m, struct stretches *out);

#endif /* LAB_ANALYZE_PROGRESS_H */
