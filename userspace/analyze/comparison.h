/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_ANALYZE_COMPARISON_H
#define LAB_ANALYZE_COMPARISON_H

/*
 * comparison - the same work done in several ways, each several times: what each way gained over
 * the first one. Pure, with integers only. An all-zero comparison is empty, and it owns nothing.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyze/trial.h"
#include "claim.h"

#define COMPARISON_WAYS_MAX 8
#define COMPARISON_WORKS_MAX 3
#define COMPARISON_REPEATS_MAX 99

/* From here on a way is said to have gained; between that and none lies noise. */
#define COMPARISON_GAIN_MILLI 1100

/* A way that is slower by less in its best run than another in its worst one is as fast. */
#define COMPARISON_SAME_MILLI 1050

/* So much of the CPUs' time that others had while errands waited for it makes "no gain" unclear. */
#define COMPARISON_DISTURBED_PERCENT 5

/* Of repeated runs. */
struct spread {
	uint64_t median;	/* the middle one; of an even number, the lower of the two */
	uint64_t low, high;
	uint32_t cnt;		/* of how many; 0: not known, and the others are 0 */
};

/* Every element counts. @cnt may be 0. */
struct spread spread_of(const uint64_t *values, size_t cnt);

/* Whether a way was faster than the first, by all of its runs. */
enum gain {
	GAIN_UNCLEAR = 0,	/* in some runs, or there are none */
	GAIN_NO = 1,		/* in no run by COMPARISON_GAIN_MILLI, and undisturbed */
	GAIN_YES = 2,		/* in every run, and even had the first never waited for a CPU */
};

struct comparison_row {
	const char *way;
	uint32_t run_cnt;
	struct spread wall_ns, first_ns, slowest_ns, memory_bytes, switches;
	struct spread speedup_milli;	/* wall of the first way over its own, in the same round */
	struct spread average_milli;	/* work / T, in thousandths of a CPU */
	struct spread busy_milli;	/* work / time with one or more running, likewise */
	/* That of all runs; inconclusive if one is; CLASS_NONE: they differ, or there are none. */
	enum verdict_class class;
	uint32_t class_cnt[CLASS_INCONCLUSIVE + 1];
	char reason[256];		/* of the first inconclusive run */
	struct report_capacity capacity; /* of all runs together */
	/* The largest part but work and what others had while no errand wanted it. */
	enum capacity_loss limit;
	enum reason limit_reason;	/* with LOSS_BLOCKED, else REASON_NONE */
	uint64_t limit_ns;
	bool disturbed;			/* interference is COMPARISON_DISTURBED_PERCENT or more */
	enum gain gain;
	/* no way is faster by all of its runs and by COMPARISON_SAME_MILLI */
	bool fastest;
};

/* One kind of work. */
struct comparison_work {
	const char *name;
	struct comparison_row rows[COMPARISON_WAYS_MAX]; /* the first is what speedups are of */
	size_t row_cnt;
	/* Among the fastest that have them: the least of all, strictly; else SIZE_MAX. */
	size_t least_memory, least_switches;
};

struct comparison {
	uint32_t tasks, rounds, seed, repeats;
	uint64_t cpus;			/* P */
	struct comparison_work works[COMPARISON_WORKS_MAX];
	size_t work_cnt;
};

/**
 * comparison_work() - compare one kind of work
 * @trials: of way w in round r at [r * way_cnt + w]
 * @ways: way_cnt names (at most COMPARISON_WAYS_MAX), static; the first is the base
 * @out: its name is kept, all else is overwritten
 */
void comparison_work(const struct trial *trials, const char *const *ways, size_t way_cnt,
		     size_t repeats, struct comparison_work *out);

#endif /* LAB_ANALYZE_COMPARISON_H */
