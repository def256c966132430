/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * migrate - threads that change CPUs: because they ask for it, all of them at once, at every
 * beat; or because there is one more than CPUs and the kernel shares out the CPUs anew.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "util/log.h"
#include "util/minmax.h"
#include "workload/cpus.h"
#include "workload/gang.h"
#include "workload/rows.h"
#include "workload/work.h"

#define NS_PER_MS UINT64_C(1000000)

#define TASKS_MAX 100
#define BEAT_NS (10 * NS_PER_MS)	/* long against what a move takes */
#define STINT_MIN_UNITS 1000
#define STINT_MAX_UNITS 5000

enum how { HOW_FORCED = 0, HOW_NATURAL = 1 };

struct march {
	struct cpus cpus;
	uint32_t seed;
	uint64_t start_ns, end_ns;
	_Atomic uint64_t move_cnt;	/* as the threads see it */
};

static const char *const how_names[] = { "forced", "natural", NULL };

static const struct opt migrate_opts[] = {
	ROW_TASKS(1, TASKS_MAX, "how many threads (default 2; natural: more than CPUs)"),
	ROW_CHOICE("how", how, "forced|natural", how_names,
		   "to the next CPU every 10 ms, or where the kernel puts them (default forced)"),
	ROW_SECONDS("how long they compute (default 1)"),
	ROW_SEED,
	{ .name = NULL },
};

static void migrate_claim(const struct workload_args *args, struct claim *claim)
{
	*claim = (struct claim){ .class = CLASS_PARALLEL, .needs_cpus = 2,
				 .min_parallelism_milli = 1100 };
	if (args->how == HOW_NATURAL) {
		snprintf(claim->why, sizeof(claim->why),
			 "threads that are moved about still use every CPU");
	} else if (args->tasks < 2) {
		*claim = (struct claim){ .class = CLASS_SEQUENTIAL, .needs_cpus = 1 };
		snprintf(claim->why, sizeof(claim->why),
			 "one thread is alone, on whichever CPU it is");
	} else {
		snprintf(claim->why, sizeof(claim->why),
			 "threads that change CPUs at every beat are on different ones in between");
	}
}

/* Return: 0, or -errno, logged; -EINVAL also where the kernel left it elsewhere. */
static int go_to(struct march *march, uint16_t cpu)
{
	uint16_t before = cpus_current();
	int err = cpus_pin(cpu, "migrate");

	if (err)
		return err;
	if (cpus_current() != cpu) {
		log_err("migrate: a thread that may use CPU %u only is on CPU %u", cpu,
			cpus_current());
		return -EINVAL;
	}
	if (before != cpu)
		atomic_fetch_add_explicit(&march->move_cnt, 1, memory_order_relaxed);
	return 0;
}

static int do_forced(struct march *march, uint32_t idx, struct work_rng *rng)
{
	int err = 0;

	for (uint64_t now_ns; !err && (now_ns = work_now_ns()) < march->end_ns;) {
		uint64_t beat = (now_ns - march->start_ns) / BEAT_NS;
		uint64_t until_ns = march->start_ns + (beat + 1) * BEAT_NS;

		err = go_to(march, march->cpus.v[(beat + idx) % march->cpus.cnt]);
		if (!err)
			err = work_compute_until(rng, min_u64(until_ns, march->end_ns));
	}
	return err;
}

/* The short sleeps let the kernel choose a CPU, which it does at every waking. */
static int do_natural(struct march *march, struct work_rng *rng)
{
	uint16_t cpu = cpus_current();
	int err = 0;

	while (!err && work_now_ns() < march->end_ns) {
		err = work_compute(rng, work_random_within(rng, STINT_MIN_UNITS, STINT_MAX_UNITS));
		work_sleep_until(work_now_ns() + work_random_within(rng, NS_PER_MS / 4, NS_PER_MS));
		if (cpus_current() != cpu)
			atomic_fetch_add_explicit(&march->move_cnt, 1, memory_order_relaxed);
		cpu = cpus_current();
	}
	return err;
}

static int forced_work(void *ctx, uint32_t idx)
{
	struct march *march = ctx;
	struct work_rng rng;

	work_rng_init(&rng, march->seed, idx + 1);
	return do_forced(march, idx, &rng);
}

static int natural_work(void *ctx, uint32_t idx)
{
	struct march *march = ctx;
	struct work_rng rng;

	work_rng_init(&rng, march->seed, idx + 1);
	return do_natural(march, &rng);
}

static int migrate_run(const struct workload_args *args)
{
	struct march march = { .seed = args->seed, .start_ns = work_now_ns() };
	struct gang gang = {
		.name = "migrate", .label = "worker", .cnt = args->tasks, .ctx = &march,
		.work = args->how == HOW_NATURAL ? natural_work : forced_work,
	};
	int err;

	cpus_usable(&march.cpus);
	if (args->how == HOW_NATURAL)
		gang.cnt = (uint32_t)max_u64(gang.cnt, march.cpus.cnt + 1);
	march.end_ns = march.start_ns + args->duration_ns;
	err = gang_of_threads(&gang);
	log_info("migrate: %u threads on %u CPUs saw themselves move %" PRIu64 " times", gang.cnt,
		 march.cpus.cnt, atomic_load(&march.move_cnt));
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}

const struct workload workload_migrate = {
	.name = "migrate",
	.shows = "threads that move from CPU to CPU, by sched_setaffinity or by the kernel",
	.opts = migrate_opts,
	.defaults = {
		.tasks = 2,
		.how = HOW_FORCED,
		.duration_ns = UINT64_C(1000000000),
		.seed = 1,
	},
	.claim = migrate_claim,
	.run = migrate_run,
};
