/* SPDX-License-Identifier: GPL-2.0-only */
/* pinned - threads that may use one CPU only, however many are idle beside it. */
#include <stdio.h>

#include "workload/cpus.h"
#include "workload/crew.h"
#include "workload/workload.h"

static void pinned_claim(const struct workload_args *args, struct claim *claim)
{
	crew_claim(args, "threads", claim);
	if (claim->class != CLASS_PARALLEL)
		return;
	*claim = (struct claim){ .class = CLASS_CONCURRENT, .needs_cpus = 1 };
	snprintf(claim->why, sizeof(claim->why),
		 "threads that may use one CPU take turns on it, though others are idle");
}

static int pinned_run(const struct workload_args *args)
{
	return crew_of_threads(args, "pinned", cpus_current());
}

const struct workload workload_pinned = {
	.name = "pinned",
	.shows = "threads that are all kept on one CPU take turns on it while other CPUs are idle",
	.opts = crew_opts,
	.defaults = {
		.tasks = 4,
		.work = WORK_CPU,
		.duration_ns = UINT64_C(1000000000),
		.seed = 1,
	},
	.claim = pinned_claim,
	.run = pinned_run,
};
