/* SPDX-License-Identifier: GPL-2.0-only */
/* errands - the same work, in whichever way: what is to be compared. */
#include "workload/errands.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "util/log.h"
#include "workload/gang.h"
#include "workload/gil_lock.h"
#include "workload/rows.h"


#define NS_PER_MS UINT64_C(1000000)
#define UNIT_NS 500		/* about; only what waits are in proportion to */
#define CPU_UNITS 5000
#define IO_UNITS 100
#define IO_WAIT_MIN_NS (4 * NS_PER_MS)
#define IO_WAIT_MAX_NS (12 * NS_PER_MS)
#define MIXED_MIN_UNITS 1000
#define MIXED_MAX_UNITS 5000
#define STEP_UNITS 32		/* between two looks at the lock */
#define SWITCH_INTERVAL_NS (5 * NS_PER_MS)	/* CPython's */
#define STREAM_PLAN 0x10000	/* beside those of errand_do() */

static const char *const work_names[] = {
	[WORK_CPU] = "cpu",
	[WORK_IO] = "io",
	[WORK_MIXED] = "mixed",
	NULL,
};

enum way { WAY_SEQUENTIAL, WAY_THREADS, WAY_PROCS, WAY_ASYNC, WAY_GIL };

static const char *const way_names[] = {
	[WAY_SEQUENTIAL] = "sequential",
	[WAY_THREADS] = "threads",
	[WAY_PROCS] = "procs",
	[WAY_ASYNC] = "async",
	[WAY_GIL] = "gil",
	NULL,
};

static const struct opt errands_opts[] = {
	ROW_TASKS(1, ERRANDS_TASKS_MAX, "how many errands (default 4)"),
	ROW_CHOICE("as", how, "WAY", way_names,
		   "sequential, threads, procs, async, and gil if there is the workload gil"),
	ROW_CHOICE("work", work, "cpu|io|mixed", work_names,
		   "compute, wait and compute briefly, or half of each (default cpu)"),
	ROW_ROUNDS(1, 100000, "pieces of each errand (default 40: 100 to 320 ms)"),
	ROW_SEED,
	{ .name = NULL },
};

void errand_init(struct errand *errand, const struct workload_args *args, uint32_t idx)
{
	*errand = (struct errand){
		.work = (enum work_kind)args->work, .idx = idx, .left = args->rounds,
	};
	work_rng_init(&errand->plan, args->seed, STREAM_PLAN + idx);
	work_rng_init(&errand->rng, args->seed, idx + 1);
}

bool errand_next(struct errand *errand, struct errand_piece *piece)
{
	if (!errand->left)
		return false;
	errand->left--;
	*piece = (struct errand_piece){ .units = CPU_UNITS };
	if (errand->work == WORK_IO) {
		piece->units = IO_UNITS;
		piece->wait_ns = work_random_within(&errand->plan, IO_WAIT_MIN_NS, IO_WAIT_MAX_NS);
	} else if (errand->work == WORK_MIXED) {
		piece->units = work_random_within(&errand->plan, MIXED_MIN_UNITS, MIXED_MAX_UNITS);
		piece->wait_ns = UNIT_NS * work_random_within(&errand->plan, MIXED_MIN_UNITS,
							      MIXED_MAX_UNITS);
	}
	return true;
}

void errand_mark(const struct errand *errand, bool begins)
{
	char path[64];

	snprintf(path, sizeof(path), begins ? "lab:begin:%u:errand" : "lab:end:%u",
		 errand->idx + 1);
	/* Such a path does not exist, and the answer does not matter. */
	if (!access(path, F_OK))
		return;
}

int errand_do(struct errand *errand)
{
	struct errand_piece piece;
	int err = 0;

	errand_mark(errand, true);
	while (!err && errand_next(errand, &piece)) {
		if (piece.wait_ns)
			work_sleep_until(work_now_ns() + piece.wait_ns);
		err = work_compute(&errand->rng, piece.units);
	}
	errand_mark(errand, false);
	return err;
}

static int be_worker(void *ctx, uint32_t idx)
{
	struct errand errand;

	errand_init(&errand, ctx, idx);
	return errand_do(&errand);
}

static int one_by_one(struct workload_args *args)
{
	int err = 0;

	for (uint32_t i = 0; i < args->tasks && !err; i++)
		err = be_worker(args, i);
	if (err)
		log_err("errands: a result was wrong: this machine's arithmetic is broken");
	return err;
}

/* ---- under one lock ---- */

struct interpreter {
	struct workload_args *args;
	struct gil_lock lock;
};

static int be_locked(void *ctx, uint32_t idx)
{
	struct interpreter *in = ctx;
	struct errand_piece piece;
	struct errand errand;
	int err = 0;

	errand_init(&errand, in->args, idx);
	errand_mark(&errand, true);
	gil_lock_take(&in->lock);
	while (!err && errand_next(&errand, &piece)) {
		if (piece.wait_ns) {
			gil_lock_drop(&in->lock);
			work_sleep_until(work_now_ns() + piece.wait_ns);
			gil_lock_take(&in->lock);
		}
		for (uint64_t done = 0; done < piece.units && !err; done += STEP_UNITS) {
			uint64_t left = piece.units - done;

			gil_lock_check(&in->lock);
			err = work_compute(&errand.rng, left < STEP_UNITS ? left : STEP_UNITS);
		}
	}
	gil_lock_drop(&in->lock);
	errand_mark(&errand, false);
	return err;
}

static int under_a_lock(struct workload_args *args)
{
	struct interpreter in = { .args = args };
	const struct gang gang = {
		.name = "errands", .label = "errand", .cnt = args->tasks, .ctx = &in,
		.work = be_locked,
	};
	int err;

	gil_lock_init(&in.lock, SWITCH_INTERVAL_NS);
	err = gang_of_threads(&gang);
	gil_lock_release(&in.lock);
	return err;
}

/* ---- the workload ---- */

static void claim_parallel(const struct workload_args *args, struct claim *claim)
{
	if (args->work != WORK_CPU) {
		snprintf(claim->why, sizeof(claim->why),
			 "waits overlap, and whether computing does is left to chance");
		return;
	}
	claim->class = CLASS_PARALLEL;
	claim->needs_cpus = 2;
	claim->min_parallelism_milli = 1300;
	snprintf(claim->why, sizeof(claim->why), "%s use every CPU", way_names[args->how]);
}

static void errands_claim(const struct workload_args *args, struct claim *claim)
{
	*claim = (struct claim){ .needs_cpus = 1 };
	if (args->how == WAY_SEQUENTIAL || args->tasks < 2) {
		claim->class = CLASS_SEQUENTIAL;
		snprintf(claim->why, sizeof(claim->why), "one errand is done after another");
	} else if (args->how == WAY_ASYNC) {
		claim->class = CLASS_CONCURRENT;
		claim->min_operations = args->tasks;
		snprintf(claim->why, sizeof(claim->why),
			 "one thread turns to whichever errand does not wait");
	} else if (args->how == WAY_GIL && args->work == WORK_CPU) {
		claim->class = CLASS_CONCURRENT;
		snprintf(claim->why, sizeof(claim->why),
			 "one lock lets one thread compute at a time");
	} else {
		claim_parallel(args, claim);
	}
}

static int errands_run(const struct workload_args *given)
{
	struct workload_args args = *given;
	const struct gang gang = {
		.name = "errands", .label = "errand", .cnt = args.tasks, .ctx = &args,
		.work = be_worker,
	};
	int err = 0;

	switch ((enum way)args.how) {
	case WAY_SEQUENTIAL:
		err = one_by_one(&args);
		break;
	case WAY_THREADS:
		err = gang_of_threads(&gang);
		break;
	case WAY_PROCS:
		err = gang_of_processes(&gang);
		break;
	case WAY_ASYNC:
		err = errands_in_a_loop(&args);
		break;
	case WAY_GIL:
		err = under_a_lock(&args);
		break;
	}
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* Their waits and their arithmetic; what a task does does not depend on how many there are. */
static uint64_t errands_amount(const struct workload_args *args)
{
	return (uint64_t)args->tasks * args->rounds;
}

const struct workload workload_errands = {
	.name = "errands",
	.shows = "a fixed amount of work, one by one, in threads, processes or an event loop: "
		 "see lab compare",
	.opts = errands_opts,
	.defaults = {
		.tasks = 4,
		.how = WAY_THREADS,
		.work = WORK_CPU,
		.rounds = 40,
		.seed = 1,
	},
	.wants_ops = true,
	.claim = errands_claim,
	.amount = errands_amount,
	.run = errands_run,
};
