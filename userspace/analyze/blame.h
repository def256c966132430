/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_ANALYZE_BLAME_H
#define LAB_ANALYZE_BLAME_H

/*
 * blame - which reason an idle CPU gets while tasks are blocked: the one at the end of the chain of
 * waits. Part of the analysis of capacity; see "blame" in report.h for the whole convention.
 *
 * A blocked task waits for the task of ours whose wake ends the wait. The chain goes on from there.
 * It ends at a task that is not blocked, or whose wait no task of ours ends. The chains are trees,
 * and an end is the root of a tree (analyze/forest.h).
 */

#include "analyze/forest.h"
#include "analyze/report.h"
#include "util/idmap.h"

/* Which ends give a reason. A lower one is asked only where the ones before it have no end. */
enum blame_tier {
	BLAME_WORKERS,		/* chains of tasks that are no helpers */
	BLAME_ANY,		/* and while no task runs or is ready: chains of all tasks */
	BLAME_CALLERS,		/* and last: tasks that wait for an unknown child or thread */
	BLAME_TIER_CNT,
};

/* The ends of one tier, by reason. */
struct blame_ends {
	uint32_t ends[REASON_CNT];
	uint32_t behind[REASON_CNT]; /* tasks at and behind these ends, beyond one for each end */
	uint32_t end_cnt, behind_cnt; /* their sums */
};

/* What the tree of a root adds to the ends. */
struct blame_part {
	uint8_t reason;		/* REASON_NONE: nothing */
	uint32_t tasks[BLAME_TIER_CNT];	/* at the end and behind it; 0: not in this tier */
};

struct blame_task {
	const struct model_span *wait;	/* NULL: not blocked */
	/* index of the task it waits for; FOREST_NONE: that is not known, or none of ours */
	uint32_t awaited;
	bool linked;		/* to @awaited in the forest */
	bool is_helper;
	struct blame_part part;	/* of a root: as it was counted */
};

/* CPUs that are put down to blocked tasks, while nothing of this changes. */
struct blame_stretch {
	uint64_t ns;
	uint64_t first, rest;	/* idle CPUs: shared among the ends; among those behind them */
	uint64_t other_first, other_rest; /* likewise, those that other programs had */
	struct blame_ends ends;
};

struct blame {
	const struct model *m;
	struct forest forest;
	struct blame_task *tasks;
	struct idmap by_tid;	/* index of the last task with this tid; filled at first use */
	bool tids_known;	/* it is filled */
	struct blame_ends tiers[BLAME_TIER_CNT];
	struct blame_stretch stretch;
	unsigned __int128 shares[REASON_CNT], other_shares[REASON_CNT];
	uint64_t blocked_ns, other_blocked_ns;	/* all reasons */
};

void blame_init(struct blame *b, const struct model *m, const struct report *r);
void blame_release(struct blame *b);

/* @task goes on to this span; NULL: its life ends. Tasks begin as not blocked. */
void blame_span(struct blame *b, uint32_t task, const struct model_span *span);

/*
 * For @ns, @idle CPUs had nothing ready to run, nor would @other more that other programs had.
 * @busy: a task of ours runs or is ready.
 *
 * Return in *@idle and *@other: how many of them blocked tasks explain.
 */
void blame_last(struct blame *b, uint64_t ns, bool busy, uint64_t *idle, uint64_t *other);

/* The sums by reason, in whole nanoseconds. */
void blame_finish(struct blame *b, uint64_t *blocked_ns, uint64_t *other_blocked_ns);

#endif /* LAB_ANALYZE_BLAME_H */
