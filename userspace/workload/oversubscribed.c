/* SPDX-License-Identifier: GPL-2.0-only */
/* oversubscribed - more threads than CPUs, all of which want one: what grows is the time ready. */
#include <stdio.h>

#include "util/minmax.h"
#include "workload/cpus.h"
#include "workload/crew.h"
#include "workload/rows.h"

#define TASKS_PER_CPU 4

static const struct opt oversubscribed_opts[] = {
	ROW_TASKS(1, CREW_TASKS_MAX, "how many threads (default: 4 for each CPU)"),
	ROW_SECONDS("how long they compute (default 1)"),
	ROW_SEED,
	{ .name = NULL },
};

static void oversubscribed_claim(const struct workload_args *args, struct claim *claim)
{
	struct workload_args crew_args = *args;

	if (!crew_args.tasks)
		crew_args.tasks = TASKS_PER_CPU;
	crew_claim(&crew_args, "threads", claim);
	if (claim->class == CLASS_PARALLEL)
		snprintf(claim->why, sizeof(claim->why),
			 "more threads than CPUs use every CPU, and wait for one in turn");
}

static int oversubscribed_run(const struct workload_args *args)
{
	struct workload_args crew_args = *args;
	struct cpus cpus;

	cpus_usable(&cpus);
	if (!crew_args.tasks)
		crew_args.tasks = (uint32_t)min_u64(TASKS_PER_CPU * cpus.cnt, CREW_TASKS_MAX);
	return crew_of_threads(&crew_args, "oversubscribed", CREW_ANY_CPU);
}

const struct workload workload_oversubscribed = {
	.name = "oversubscribed",
	.shows = "more threads than CPUs are no faster: each is ready, and waits, most of the time",
	.opts = oversubscribed_opts,
	.defaults = {
		.tasks = 0,
		.work = WORK_CPU,
		.duration_ns = UINT64_C(1000000000),
		.seed = 1,
	},
	.claim = oversubscribed_claim,
	.run = oversubscribed_run,
};
