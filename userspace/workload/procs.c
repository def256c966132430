/* SPDX-License-Identifier: GPL-2.0-only */
#include "workload/crew.h"
#include "workload/workload.h"

static void procs_claim(const struct workload_args *args, struct claim *claim)
{
	crew_claim(args, "processes", claim);
}

static int procs_run(const struct workload_args *args)
{
	return crew_of_processes(args, "procs");
}

const struct workload workload_procs = {
	.name = "procs",
	.shows = "forked processes share nothing and run on every CPU at once",
	.opts = crew_opts,
	.defaults = {
		.tasks = 4,
		.work = WORK_CPU,
		.duration_ns = UINT64_C(1000000000),
		.seed = 1,
	},
	.claim = procs_claim,
	.run = procs_run,
};
