/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * convoy - many threads, and one lock that each holds for long: they stand in line for it, and go
 * no faster than one. The mend does the long part before it takes the lock.
 */
#include <pthread.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "util/log.h"
#include "workload/gang.h"
#include "workload/rows.h"
#include "workload/work.h"

#define NS_PER_MS UINT64_C(1000000)
#define START_NS NS_PER_MS	/* until all have been woken */

#define TASKS_MAX 1000

/*
 * The long part, and what a thread does between two of them: little enough that it hardly
 * matters, and enough for the one that was woken to come first.
 */
#define LONG_NS (10 * NS_PER_MS)
#define SHORT_NS (NS_PER_MS / 5)

enum convoy_mend { MEND_NONE = 0, MEND_SHORT = 1 };

struct convoy {
	const struct workload_args *args;
	uint64_t start_ns, end_ns;	/* CLOCK_MONOTONIC */
	pthread_mutex_t lock;
	uint64_t done_cnt;		/* guarded by it */
};

static const char *const work_names[] = { [WORK_CPU] = "cpu", [WORK_IO] = "io", NULL };
static const char *const mend_names[] = { [MEND_NONE] = "none", [MEND_SHORT] = "short", NULL };

static const struct opt convoy_opts[] = {
	ROW_TASKS(1, TASKS_MAX, "how many threads (default 4)"),
	ROW_CHOICE("work", work, "cpu|io", work_names,
		   "what takes long: to compute, or to wait for an answer (default cpu)"),
	ROW_CHOICE("mend", mend, "none|short", mend_names,
		   "hold the lock for all of it, or only to write the result down (default none)"),
	ROW_SECONDS("how long they work (default 1)"),
	ROW_SEED,
	{ .name = NULL },
};

static void convoy_claim(const struct workload_args *args, struct claim *claim)
{
	*claim = (struct claim){ .class = CLASS_CONCURRENT, .needs_cpus = 1 };
	if (args->tasks < 2) {
		claim->class = CLASS_SEQUENTIAL;
		snprintf(claim->why, sizeof(claim->why), "one thread never stands in line");
	} else if (args->work == WORK_IO) {
		claim->at_least = true;
		snprintf(claim->why, sizeof(claim->why), "%s", args->mend == MEND_SHORT ?
			 "all wait for their answers at once" :
			 "one waits for its answer, and the others for its lock");
	} else if (args->mend == MEND_SHORT) {
		claim->class = CLASS_PARALLEL;
		claim->needs_cpus = 2;
		claim->min_parallelism_milli = 1500;
		snprintf(claim->why, sizeof(claim->why),
			 "what needs no lock is done without it, on every CPU");
	} else {
		claim->serializer = true;
		claim->needs_cpus = 2;
		snprintf(claim->why, sizeof(claim->why),
			 "a lock that is held for long lets one thread compute at a time");
	}
}

static int take_long(const struct convoy *convoy, struct work_rng *rng)
{
	if (convoy->args->work == WORK_CPU)
		return work_compute_cpu(rng, LONG_NS);
	work_sleep_until(work_now_ns() + LONG_NS);
	return 0;
}

static int be_thread(void *ctx, uint32_t idx)
{
	struct convoy *convoy = ctx;
	struct work_rng rng;
	int err = 0;

	work_rng_init(&rng, convoy->args->seed, idx + 1);
	work_sleep_until(convoy->start_ns);
	while (!err && work_now_ns() < convoy->end_ns) {
		if (convoy->args->mend == MEND_SHORT)
			err = take_long(convoy, &rng);
		pthread_mutex_lock(&convoy->lock);
		if (convoy->args->mend == MEND_NONE)
			err = take_long(convoy, &rng);
		convoy->done_cnt++;
		pthread_mutex_unlock(&convoy->lock);
		err |= work_compute_cpu(&rng, SHORT_NS);
	}
	return err;
}

static int convoy_run(const struct workload_args *args)
{
	struct convoy convoy = { .args = args, .lock = PTHREAD_MUTEX_INITIALIZER };
	const struct gang gang = {
		.name = "convoy", .label = "thread", .cnt = args->tasks, .ctx = &convoy,
		.work = be_thread,
	};

	convoy.start_ns = work_now_ns() + START_NS;
	convoy.end_ns = convoy.start_ns + args->duration_ns;
	if (gang_of_threads(&gang))
		return EXIT_FAILURE;
	log_info("convoy: %" PRIu64 " pieces of work were done", convoy.done_cnt);
	return EXIT_SUCCESS;
}

const struct workload workload_convoy = {
	.name = "convoy",
	.shows = "threads in line for one lock that each holds for long, and what a shorter "
		 "hold brings",
	.opts = convoy_opts,
	.defaults = {
		.tasks = 4,
		.work = WORK_CPU,
		.mend = MEND_NONE,
		.duration_ns = UINT64_C(1000000000),
		.seed = 1,
	},
	.claim = convoy_claim,
	.run = convoy_run,
};
