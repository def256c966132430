/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_ANALYZE_RANGE_H
#define LAB_ANALYZE_RANGE_H

/*
 * range - the numbers of a part of the window: what a reader selects.
 *
 * All are sums of spans as drawn, clipped to the range, so that those of ranges that adjoin add up,
 * and those of the whole window are the report's. No figure of a range is a verdict: it has no
 * bounds for what is hidden, and no eps. Where records are missing, unknown_ns says for how long.
 * After report_hide_missing() that time is in no other sum, so each other sum is the least that it
 * can be.
 */

#include <stdint.h>

#include "analyze/report.h"
#include "model/model.h"

struct range_task {
	uint64_t run_ns, ready_ns;
	uint64_t blocked_ns[REASON_CNT];
	uint64_t unknown_ns;	/* records are missing */
	uint64_t absent_ns;	/* not born yet, or dead; with the others the range's length */
};

/* All-zero is empty. */
struct range {
	uint64_t from_ns, until_ns;	/* since the window's start */
	struct range_task *tasks;	/* model.task_cnt rows; owned */
	struct report_cpu *cpus;	/* model.cpu_cnt rows; each sums to the length; owned */
	uint64_t run_ns, ready_ns;	/* of all tasks */
	uint64_t operations_ns;		/* of all operations, for as long as each was open */
	uint64_t parallel_ns;		/* two or more tasks on CPUs */
	uint64_t unknown_ns;		/* records of one CPU or more are missing */
	uint64_t parallel_known_ns;	/* parallel_ns; 0 if records may be missing anywhere */
	uint32_t running_max, operations_max; /* most at once */
};

/**
 * range_compute() - from the model
 * @from_ns, @until_ns: since the window's start, ascending, not beyond its end
 * @out: overwritten; range_release() it
 */
void range_compute(const struct model *m, uint64_t from_ns, uint64_t until_ns, struct range *out);

/* The same for the whole window, from what the report has already; equal to range_compute(). */
void range_whole(const struct model *m, const struct report *r, struct range *out);

/* Accepts an all-zero one. */
void range_release(struct range *range);

static inline uint64_t range_len(const struct range *range)
{
	return range->until_ns - range->from_ns;
}

#endif /* LAB_ANALYZE_RANGE_H */
