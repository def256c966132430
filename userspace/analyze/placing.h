/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_ANALYZE_PLACING_H
#define LAB_ANALYZE_PLACING_H

/*
 * placing - at one instant after another: which idle CPUs, and CPUs of other programs, ready tasks
 * could have used. It is part of the analysis of capacity, and divides CPUs into the parts of
 * struct report_capacity.
 *
 * CPUs and tasks are counted as in model.cpus and model.tasks. All CPUs begin as unknown, all
 * tasks as not ready, not held, and allowed everywhere.
 */

#include "analyze/cpusets.h"
#include "analyze/matching.h"
#include "model/model.h"

#define PLACING_NOWHERE UINT32_MAX /* no usable CPU */

struct placing_cpu {
	uint8_t class;		/* enum lab_cpu_class */
	uint64_t awaited;	/* tasks that could run here, and will next */
};

struct placing_task {
	uint32_t set;		/* of cpusets, or MATCHING_EVERY */
	uint32_t cpu;		/* where it will run next, or PLACING_NOWHERE */
	bool ready, held;
};

/* CPUs, by what explains that they are not ours. */
struct placing_parts {
	uint64_t unplaced, affinity, throttled, latency, balancing;
	uint64_t interference;
	/* Of the remaining CPUs of other programs, those that would be so if they were idle. */
	uint64_t other_throttled, other_affinity;
};

struct placing {
	const struct cpusets *sets;
	bool holds;		/* some task is held at some time */
	struct placing_cpu *cpus;
	struct placing_task *tasks;
	uint64_t class_cnt[4];	/* CPUs by class */
	uint64_t ready_cnt, free_cnt; /* tasks; those of them that are not held */
	uint64_t latent_cnt;	/* idle CPUs that are awaited */
	/* idle CPUs, with ready tasks; only if @holds: without it, for_free is used instead */
	struct matching for_all;
	struct matching for_free; /* idle CPUs, with those that are not held */
	struct matching beyond;	/* CPUs idle or of other programs, with those that are not held */

	/*
	 * [set * cpu_cnt + cpu]: for how long affinity cost something while a task of the set was
	 * ready and the CPU idle.
	 */
	uint64_t *pinned_ns;	/* NULL: too many to look */
};

/* @sets: borrowed. @holds: whether placing_hold() will be called. */
void placing_init(struct placing *p, const struct model *m, const struct cpusets *sets, bool holds);
void placing_release(struct placing *p);

void placing_class(struct placing *p, uint32_t cpu, enum lab_cpu_class class);

/* Task @task is ready and will run on @cpu next; or it is ready no longer. */
void placing_ready(struct placing *p, uint32_t task, uint32_t cpu);
void placing_not_ready(struct placing *p, uint32_t task);

void placing_hold(struct placing *p, uint32_t task, bool held);
void placing_allow(struct placing *p, uint32_t task, uint32_t set);

/* How it is now; and that it was so for @ns. */
void placing_parts(const struct placing *p, struct placing_parts *out);
void placing_last(struct placing *p, const struct placing_parts *parts, uint64_t ns);

#endif /* LAB_ANALYZE_PLACING_H */
