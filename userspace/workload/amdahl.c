/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * amdahl - one job of which a part is done by one thread, and the rest is divided among many.
 * The thread of the serial part is the tall bottle.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>

#include "util/log.h"
#include "workload/gang.h"
#include "workload/rows.h"
#include "workload/work.h"

struct job {
	uint64_t serial_ns;	/* of CPU time, as wide_ns */
	uint64_t wide_ns;	/* of each thread */
	uint32_t seed;
};

static const struct opt amdahl_opts[] = {
	ROW_TASKS(1, 100, "how many threads share the part that is not serial (default 4)"),
	{ .name = "serial", .kind = OPT_U32, .off = offsetof(struct workload_args, serial_percent),
	  .metavar = "PERCENT", .help = "of the work, what one thread does alone (default 50)",
	  .min = 0, .max = 100 },
	ROW_SECONDS("how long the whole takes on one CPU (default 1)"),
	ROW_SEED,
	{ .name = NULL },
};

/*
 * Two or more run in the wide part, for W/n on n CPUs, and one in the serial part, for S. The share
 * of the wide part is least on as many CPUs as there are threads, and largest on two.
 */
static void amdahl_claim(const struct workload_args *args, struct claim *claim)
{
	uint32_t serial = args->serial_percent, wide = 100 - serial, tasks = args->tasks;

	*claim = (struct claim){ .class = CLASS_NONE, .needs_cpus = 1 };
	if (tasks < 2 || serial >= 98) {
		claim->class = CLASS_SEQUENTIAL;
		snprintf(claim->why, sizeof(claim->why), "there is nearly nothing to do at once");
	} else if (10 * wide >= tasks * serial + wide) {
		claim->class = CLASS_PARALLEL;
		claim->needs_cpus = 2;
		/* Half of the gain that two CPUs bring at best, 200 / (100 + serial) in all. */
		claim->min_parallelism_milli = 1000 + (200000 / (100 + serial) - 1000) / 2;
		snprintf(claim->why, sizeof(claim->why),
			 "%u %% of the work is divided, so it is at most %u.%02u times as fast",
			 wide, serial ? 100 / serial : tasks,
			 serial ? 10000 / serial % 100 : 0);
	} else {
		snprintf(claim->why, sizeof(claim->why),
			 "for how long two share %u %% of the work depends on the number of CPUs",
			 wide);
	}
}

static int compute(const struct job *job, uint32_t stream, uint64_t cpu_ns)
{
	struct work_rng rng;

	if (!cpu_ns)
		return 0;
	work_rng_init(&rng, job->seed, stream);
	return work_compute_cpu(&rng, cpu_ns);
}

static int amdahl_work(void *ctx, uint32_t idx)
{
	const struct job *job = ctx;

	return compute(job, idx + 1, job->wide_ns);
}

static int amdahl_run(const struct workload_args *args)
{
	uint64_t serial_ns = args->duration_ns / 100 * args->serial_percent;
	struct job job = {
		.serial_ns = serial_ns,
		.wide_ns = (args->duration_ns - serial_ns) / args->tasks,
		.seed = args->seed,
	};
	const struct gang gang = {
		.name = "amdahl", .label = "wide", .cnt = args->tasks, .ctx = &job,
		.work = amdahl_work,
	};

	prctl(PR_SET_NAME, "serial");
	if (compute(&job, 0, job.serial_ns)) {
		log_err("amdahl: the serial part computed a wrong result: "
			"this machine's arithmetic is broken");
		return EXIT_FAILURE;
	}
	return gang_of_threads(&gang) ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* One job, however many share it. */
static uint64_t amdahl_amount(const struct workload_args *args)
{
	return args->duration_ns;
}

const struct workload workload_amdahl = {
	.name = "amdahl",
	.shows = "what one thread does alone bounds the speed, however many CPUs share the rest",
	.opts = amdahl_opts,
	.defaults = {
		.tasks = 4,
		.serial_percent = 50,
		.duration_ns = UINT64_C(1000000000),
		.seed = 1,
	},
	.claim = amdahl_claim,
	.amount = amdahl_amount,
	.run = amdahl_run,
};
