/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * gil - threads under the one lock of an interpreter, which stands for CPython's: they compute only
 * while they hold it. While they wait for something they let go of it, so their waits overlap.
 */
#include <stdio.h>
#include <stdlib.h>

#include "util/minmax.h"
#include "workload/gang.h"
#include "workload/gil_lock.h"
#include "workload/rows.h"
#include "workload/work.h"

#define NS_PER_MS UINT64_C(1000000)
#define START_NS NS_PER_MS	/* until all have been woken */

/* Shorter turns than this are for a good part the handing on, in which two overlap. */
#define INTERVAL_CLAIMED_NS (5 * NS_PER_MS)

#define TURNS_CLAIMED 3		/* of each thread: a lock that few had is not told from a wait */

#define TASKS_MAX 16	/* each waiter looks once in an interval: many more would overlap in it */
#define STEP_UNITS 32	/* between two looks at the lock, as an interpreter between instructions */
#define STINT_MIN_UNITS 1000
#define STINT_MAX_UNITS 5000
#define IO_STINT_UNITS 200
#define IO_WAIT_MIN_NS (2 * NS_PER_MS)
#define IO_WAIT_MAX_NS (6 * NS_PER_MS)

struct interpreter {
	const struct workload_args *args;
	struct gil_lock lock;
	uint64_t start_ns, end_ns;	/* CLOCK_MONOTONIC */
};

static const char *const work_names[] = {
	[WORK_CPU] = "cpu",
	[WORK_IO] = "io",
	[WORK_MIXED] = "mixed",
	NULL,
};

static const struct opt gil_opts[] = {
	ROW_TASKS(1, TASKS_MAX, "how many threads (default 4)"),
	ROW_CHOICE("work", work, "cpu|io|mixed", work_names,
		   "compute, wait and compute briefly, or half of each (default cpu)"),
	{ .name = "free", .kind = OPT_FLAG, .off = offsetof(struct workload_args, free),
	  .help = "without the lock, as a free-threaded interpreter" },
	{ .name = "interval", .kind = OPT_DURATION,
	  .off = offsetof(struct workload_args, interval_ns), .metavar = "TIME",
	  .help = "after how long who waits asks for the lock (default 5ms)",
	  .min = NS_PER_MS / 10, .max = 1000 * NS_PER_MS },
	ROW_SECONDS("how long they work (default 1)"),
	ROW_SEED,
	{ .name = NULL },
};

static void claim_free(const struct workload_args *args, struct claim *claim)
{
	claim->class = CLASS_PARALLEL;
	claim->needs_cpus = 2;
	claim->min_parallelism_milli = args->work == WORK_MIXED ? 1100 : 1500;
	snprintf(claim->why, sizeof(claim->why), "without the lock threads use every CPU");
}

static void gil_claim(const struct workload_args *args, struct claim *claim)
{
	*claim = (struct claim){ .class = CLASS_CONCURRENT, .needs_cpus = 1 };
	if (args->tasks < 2) {
		claim->class = CLASS_SEQUENTIAL;
		snprintf(claim->why, sizeof(claim->why), "one thread has nobody to overlap with");
	} else if (args->work == WORK_IO) {
		claim->at_least = true;
		snprintf(claim->why, sizeof(claim->why), "%s: waits overlap",
			 args->free ? "who waits keeps nobody from waiting" :
				      "who waits lets go of the lock");
	} else if (args->free) {
		claim_free(args, claim);
	} else if (args->work == WORK_MIXED) {
		claim->at_least = true;
		snprintf(claim->why, sizeof(claim->why),
			 "who waits lets go of the lock: one computes while others wait");
	} else if (args->interval_ns < INTERVAL_CLAIMED_NS) {
		claim->at_least = true;
		snprintf(claim->why, sizeof(claim->why),
			 "threads take turns, and hand the lock on all the time");
	} else if (args->duration_ns / args->interval_ns < TURNS_CLAIMED * args->tasks) {
		snprintf(claim->why, sizeof(claim->why),
			 "one thread computes at a time; it is over before each had some turns");
	} else {
		claim->serializer = true;
		claim->needs_cpus = 2;
		snprintf(claim->why, sizeof(claim->why),
			 "the interpreter's lock lets one thread compute at a time");
	}
}

static void enter(struct interpreter *in)
{
	if (!in->args->free)
		gil_lock_take(&in->lock);
}

static void leave(struct interpreter *in)
{
	if (!in->args->free)
		gil_lock_drop(&in->lock);
}

/* Compute with the lock, until @units are done or the time is over. */
static int interpret(struct interpreter *in, struct work_rng *rng, uint64_t units)
{
	int err = 0;

	for (uint64_t done = 0; done < units && !err && work_now_ns() < in->end_ns;
	     done += STEP_UNITS) {
		if (!in->args->free)
			gil_lock_check(&in->lock);
		err = work_compute(rng, STEP_UNITS);
	}
	return err;
}

static uint64_t draw_stint(const struct interpreter *in, struct work_rng *rng)
{
	if (in->args->work == WORK_CPU)
		return UINT64_MAX;
	if (in->args->work == WORK_IO)
		return IO_STINT_UNITS;
	return work_random_within(rng, STINT_MIN_UNITS, STINT_MAX_UNITS);
}

static uint64_t draw_wait_ns(const struct interpreter *in, struct work_rng *rng, uint64_t took_ns)
{
	if (in->args->work == WORK_IO)
		return work_random_within(rng, IO_WAIT_MIN_NS, IO_WAIT_MAX_NS);
	return took_ns;
}

static int be_thread(void *ctx, uint32_t idx)
{
	struct interpreter *in = ctx;
	struct work_rng rng;
	int err = 0;

	work_rng_init(&rng, in->args->seed, idx + 1);
	work_sleep_until(in->start_ns);
	while (!err && work_now_ns() < in->end_ns) {
		uint64_t begin_ns, end_ns;

		enter(in);
		begin_ns = work_now_ns();
		err = interpret(in, &rng, draw_stint(in, &rng));
		end_ns = work_now_ns();
		leave(in);
		if (in->args->work != WORK_CPU)
			work_sleep_until(min_u64(end_ns + draw_wait_ns(in, &rng, end_ns - begin_ns),
						 in->end_ns));
	}
	return err;
}

static int gil_run(const struct workload_args *args)
{
	struct interpreter in = { .args = args };
	const struct gang gang = {
		.name = "gil", .label = "thread", .cnt = args->tasks, .ctx = &in, .work = be_thread,
	};
	int err;

	gil_lock_init(&in.lock, args->interval_ns);
	in.start_ns = work_now_ns() + START_NS;
	in.end_ns = in.start_ns + args->duration_ns;
	err = gang_of_threads(&gang);
	gil_lock_release(&in.lock);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}

const struct workload workload_gil = {
	.name = "gil",
	.shows = "threads under an interpreter's lock, as CPython's: they take turns, on any "
		 "number of CPUs",
	.opts = gil_opts,
	.defaults = {
		.tasks = 4,
		.work = WORK_CPU,
		.duration_ns = UINT64_C(1000000000),
		.interval_ns = 5 * NS_PER_MS,
		.seed = 1,
	},
	.claim = gil_claim,
	.run = gil_run,
};
