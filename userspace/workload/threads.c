/* SPDX-License-Identifier: GPL-2.0-only */
#include "workload/crew.h"
#include "workload/workload.h"

static void threads_claim(const struct workload_args *args, struct claim *claim)
{
	crew_claim(args, "threads", claim);
}

static int threads_run(const struct workload_args *args)
{
	return crew_of_threads(args, "threads", CREW_ANY_CPU);
}

const struct workload workload_threads = {
	.name = "threads",
	.shows = "threads of one process, no lock between them, run on every CPU at once",
	.opts = crew_opts,
	.defaults = {
		.tasks = 4,
		.work = WORK_CPU,
		.duration_ns = UINT64_C(1000000000),
		.seed = 1,
	},
	.claim = threads_claim,
	.run = threads_run,
};
