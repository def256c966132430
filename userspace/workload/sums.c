/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * sums - processes that compute, first one after the other and then all together: the same work,
 * and on several CPUs the second time takes less.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "util/log.h"
#include "workload/gang.h"
#include "workload/rows.h"
#include "workload/work.h"

#define NS_PER_MS UINT64_C(1000000)

#define TASKS_MAX 100
#define ROUNDS_MAX 1000000
#define UNITS_PER_ROUND 1000

struct sums {
	const struct workload_args *args;
	uint32_t first_idx;	/* of those that are computed now */
};

static const struct opt sums_opts[] = {
	ROW_TASKS(2, TASKS_MAX, "how many processes (default 2)"),
	ROW_ROUNDS(1, ROUNDS_MAX, "how much each computes, in thousands of units (default 500)"),
	ROW_SEED,
	{ .name = NULL },
};

static void sums_claim(const struct workload_args *args, struct claim *claim)
{
	(void)args;
	/* Half of it is in sequence: no degree is claimed, only that the other half is not. */
	*claim = (struct claim){ .class = CLASS_PARALLEL, .needs_cpus = 2 };
	snprintf(claim->why, sizeof(claim->why),
		 "processes that compute are done sooner together than one after the other");
}

static int be_process(void *ctx, uint32_t idx)
{
	const struct sums *sums = ctx;
	struct work_rng rng;
	int err = 0;

	gang_set_name("process", sums->first_idx + idx);
	work_rng_init(&rng, sums->args->seed, sums->first_idx + idx + 1);
	for (uint32_t i = 0; i < sums->args->rounds && !err; i++)
		err = work_compute(&rng, UNITS_PER_ROUND);
	return err;
}

static int one_after_the_other(struct sums *sums)
{
	const struct gang one = { .name = "sums", .cnt = 1, .ctx = sums, .work = be_process };
	int err = 0;

	for (uint32_t i = 0; i < sums->args->tasks && !err; i++) {
		sums->first_idx = i;
		err = gang_of_processes(&one);
	}
	sums->first_idx = 0;
	return err;
}

static int sums_run(const struct workload_args *args)
{
	struct sums sums = { .args = args };
	const struct gang all = {
		.name = "sums", .cnt = args->tasks, .ctx = &sums, .work = be_process,
	};
	uint64_t start_ns = work_now_ns(), between_ns, end_ns;

	if (one_after_the_other(&sums))
		return EXIT_FAILURE;
	between_ns = work_now_ns();
	if (gang_of_processes(&all))
		return EXIT_FAILURE;
	end_ns = work_now_ns();
	log_info("sums: %u processes took %" PRIu64 " ms one after the other, and %" PRIu64
		 " ms together", args->tasks, (between_ns - start_ns) / NS_PER_MS,
		 (end_ns - between_ns) / NS_PER_MS);
	return EXIT_SUCCESS;
}

const struct workload workload_sums = {
	.name = "sums",
	.shows = "processes that compute, one after the other and then together: with more "
		 "CPUs, sooner",
	.opts = sums_opts,
	.defaults = { .tasks = 2, .rounds = 500, .seed = 1 },
	.claim = sums_claim,
	.run = sums_run,
};
