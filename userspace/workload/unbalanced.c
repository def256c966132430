/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * unbalanced - one job cut into pieces of 1, 2, ... k units, a thread for each: a
 * staircase, at whose end one thread works and the others have gone.
 */
#include <stdio.h>
#include <stdlib.h>

#include "workload/gang.h"
#include "workload/rows.h"
#include "workload/work.h"

struct stairs {
	uint64_t unit_ns;	/* of CPU time */
	uint32_t seed;
};

static const struct opt unbalanced_opts[] = {
	ROW_TASKS(1, 100, "how many threads, the last of which has N times the work (default 4)"),
	ROW_SECONDS("how long the longest piece takes on a CPU of its own (default 1)"),
	ROW_SEED,
	{ .name = NULL },
};

static void unbalanced_claim(const struct workload_args *args, struct claim *claim)
{
	*claim = (struct claim){ .class = CLASS_SEQUENTIAL, .needs_cpus = 1 };
	if (args->tasks < 2) {
		snprintf(claim->why, sizeof(claim->why), "one thread has nobody to overlap with");
		return;
	}
	claim->class = CLASS_PARALLEL;
	claim->needs_cpus = 2;
	/* Two are the worst: 3 units in the time of 2, on a machine that is all theirs. */
	claim->min_parallelism_milli = 1100;
	snprintf(claim->why, sizeof(claim->why),
		 "unequal pieces run at once until only the longest is left");
}

static int unbalanced_work(void *ctx, uint32_t idx)
{
	const struct stairs *stairs = ctx;
	struct work_rng rng;

	work_rng_init(&rng, stairs->seed, idx + 1);
	return work_compute_cpu(&rng, stairs->unit_ns * (idx + 1));
}

static int unbalanced_run(const struct workload_args *args)
{
	struct stairs stairs = {
		.unit_ns = args->duration_ns / args->tasks,
		.seed = args->seed,
	};
	const struct gang gang = {
		.name = "unbalanced", .label = "piece", .cnt = args->tasks, .ctx = &stairs,
		.work = unbalanced_work,
	};

	return gang_of_threads(&gang) ? EXIT_FAILURE : EXIT_SUCCESS;
}

const struct workload workload_unbalanced = {
	.name = "unbalanced",
	.shows = "unequal pieces make a staircase: parallel at first, one thread alone at the end",
	.opts = unbalanced_opts,
	.defaults = {
		.tasks = 4,
		.duration_ns = UINT64_C(1000000000),
		.seed = 1,
	},
	.claim = unbalanced_claim,
	.run = unbalanced_run,
};
