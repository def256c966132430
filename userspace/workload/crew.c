/* SPDX-License-Identifier: GPL-2.0-only */
#include "workload/crew.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "util/minmax.h"
#include "workload/cpus.h"
#include "workload/gang.h"
#include "workload/work.h"

#define NS_PER_US UINT64_C(1000)
#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_S UINT64_C(1000000000)

#define START_NS (1 * NS_PER_MS)	/* beside the births */
#define BIRTH_NS (300 * NS_PER_US)	/* ample for a fork */
#define BIRTH_SPACE_NS (400 * NS_PER_US)

#define SLOT_MIN_NS (2 * NS_PER_MS)
#define SLOT_MAX_NS (5 * NS_PER_MS)
#define SLOT_COMPUTE_SHARE 12		/* computes for 1/12 of its slot */
#define ROUND_CNT_WISHED 8		/* shorter slots make room for so many */
#define ROUND_CNT_MIN 3			/* else births and exits would outweigh the work */

#define STINT_MIN_UNITS 1000
#define STINT_MAX_UNITS 5000
#define STINT_STEP_UNITS 32

/* The stream of chance that all workers draw in step; worker idx has idx + 1. */
#define STREAM_COMMON 0

static const char *const work_names[] = {
	[WORK_CPU] = "cpu",
	[WORK_IO] = "io",
	[WORK_MIXED] = "mixed",
	NULL,
};

const struct opt crew_opts[] = {
	{ .name = "tasks", .kind = OPT_U32, .off = offsetof(struct workload_args, tasks),
	  .metavar = "N", .help = "how many workers (default 4)",
	  .min = 1, .max = CREW_TASKS_MAX },
	{ .name = "work", .kind = OPT_CHOICE, .off = offsetof(struct workload_args, work),
	  .metavar = "cpu|io|mixed", .choices = work_names,
	  .help = "compute, sleep and compute briefly, or half of each (default cpu)" },
	{ .name = "seconds", .kind = OPT_DURATION,
	  .off = offsetof(struct workload_args, duration_ns),
	  .metavar = "S", .help = "how long they work (default 1)",
	  .min = 50 * NS_PER_MS, .max = 3600 * NS_PER_S },
	{ .name = "seed", .kind = OPT_U32, .off = offsetof(struct workload_args, seed),
	  .metavar = "N", .help = "where chance begins (default 1)" },
	{ .name = NULL },
};

void crew_claim(const struct workload_args *args, const char *who, struct claim *claim)
{
	*claim = (struct claim){ .needs_cpus = 1 };

	if (args->tasks < 2) {
		claim->class = CLASS_SEQUENTIAL;
		snprintf(claim->why, sizeof(claim->why), "one worker has nobody to overlap with");
		return;
	}
	if (args->work == WORK_IO) {
		claim->class = CLASS_CONCURRENT;
		snprintf(claim->why, sizeof(claim->why),
			 "%s that wait overlap, and one CPU is enough for them", who);
		return;
	}
	claim->class = CLASS_PARALLEL;
	claim->needs_cpus = 2;
	if (args->work == WORK_MIXED) {
		/* Two that compute half of the time: 4/3 on average while busy. */
		claim->min_parallelism_milli = 1100;
		snprintf(claim->why, sizeof(claim->why),
			 "%s that compute half of the time often do so at once", who);
	} else {
		claim->min_parallelism_milli = 1500;
		snprintf(claim->why, sizeof(claim->why), "%s use every CPU", who);
	}
}

void crew_init(struct crew *crew, const struct workload_args *args)
{
	uint64_t birth_ns = BIRTH_NS;

	*crew = (struct crew){
		.tasks = args->tasks,
		.work = (enum work_kind)args->work,
		.seed = args->seed,
		.cpu = CREW_ANY_CPU,
	};
	if (crew->work == WORK_IO) {
		uint64_t slot_ns = args->duration_ns / args->tasks / ROUND_CNT_WISHED;

		birth_ns += BIRTH_SPACE_NS;
		crew->slot_ns = max_u64(SLOT_MIN_NS, min_u64(slot_ns, SLOT_MAX_NS));
		crew->round_cnt = max_u64(ROUND_CNT_MIN,
					  args->duration_ns / (crew->slot_ns * args->tasks));
	}
	crew->start_ns = work_now_ns() + START_NS + args->tasks * birth_ns;
	crew->end_ns = crew->start_ns + args->duration_ns;
}

static bool over(const struct crew *crew)
{
	return work_now_ns() >= crew->end_ns ||
	       atomic_load_explicit(&crew->stop, memory_order_relaxed);
}

static int do_cpu(const struct crew *crew, struct work_rng *rng)
{
	int err;

	do {
		err = work_compute(rng, STINT_STEP_UNITS);
	} while (!err && !over(crew));
	return err;
}

static int do_mixed(const struct crew *crew, struct work_rng *rng)
{
	int err = 0;

	do {
		uint64_t units = work_random_within(rng, STINT_MIN_UNITS, STINT_MAX_UNITS);
		uint64_t begin_ns = work_now_ns(), now_ns;

		for (uint64_t done = 0; done < units && !err; done += STINT_STEP_UNITS) {
			err = work_compute(rng, STINT_STEP_UNITS);
			if (over(crew))
				return err;
		}
		now_ns = work_now_ns();
		work_sleep_until(min_u64(now_ns + (now_ns - begin_ns), crew->end_ns));
	} while (!err && !over(crew));
	return err;
}

/* A random order of the workers' slots, drawn alike by every worker. */
static void shuffle_slots(struct work_rng *common, uint16_t *slot_of, uint32_t cnt)
{
	for (uint32_t i = 0; i < cnt; i++) {
		uint32_t j = (uint32_t)work_random_within(common, 0, i);

		slot_of[i] = (uint16_t)i;
		slot_of[i] = slot_of[j];
		slot_of[j] = (uint16_t)i;
	}
}

static int do_io(const struct crew *crew, uint32_t idx, struct work_rng *rng)
{
	uint16_t slot_of[CREW_TASKS_MAX];
	struct work_rng common;

	work_rng_init(&common, crew->seed, STREAM_COMMON);
	for (uint64_t round = 0; round < crew->round_cnt; round++) {
		uint64_t slot;
		int err;

		shuffle_slots(&common, slot_of, crew->tasks);
		slot = round * crew->tasks + slot_of[idx];
		work_sleep_until(crew->start_ns + slot * crew->slot_ns);
		if (atomic_load_explicit(&crew->stop, memory_order_relaxed))
			break;
		err = work_compute_until(rng, work_now_ns() + crew->slot_ns / SLOT_COMPUTE_SHARE);
		if (err)
			return err;
	}
	return 0;
}

int crew_work(const struct crew *crew, uint32_t idx)
{
	struct work_rng rng;
	int err = 0;

	work_rng_init(&rng, crew->seed, idx + 1);
	if (crew->cpu != CREW_ANY_CPU)
		err = cpus_pin((uint16_t)crew->cpu, crew->name);
	if (err)
		return err;
	/* For io, the start is the first slot, and not everybody's. */
	if (crew->work != WORK_IO)
		work_sleep_until(crew->start_ns);

	switch (crew->work) {
	case WORK_CPU:
		err = do_cpu(crew, &rng);
		break;
	case WORK_IO:
		err = do_io(crew, idx, &rng);
		break;
	case WORK_MIXED:
		err = do_mixed(crew, &rng);
		break;
	}
	return err;
}

static int be_worker(void *ctx, uint32_t idx)
{
	return crew_work(ctx, idx);
}

static void space_births(void *ctx, uint32_t born_cnt)
{
	const struct crew *crew = ctx;

	/* The new worker runs until it sleeps; a next birth meanwhile would overlap with it. */
	if (crew->work == WORK_IO && born_cnt < crew->tasks)
		work_sleep_until(work_now_ns() + BIRTH_SPACE_NS);
}

static void stop(void *ctx)
{
	struct crew *crew = ctx;

	atomic_store_explicit(&crew->stop, true, memory_order_relaxed);
}

int crew_of_processes(const struct workload_args *args, const char *name)
{
	struct crew crew;
	const struct gang gang = {
		.name = name, .label = "worker", .cnt = args->tasks, .ctx = &crew,
		.work = be_worker, .born = space_births,
	};

	crew_init(&crew, args);
	return gang_of_processes(&gang) ? EXIT_FAILURE : EXIT_SUCCESS;
}

int crew_of_threads(const struct workload_args *args, const char *name, int32_t cpu)
{
	struct crew crew;
	const struct gang gang = {
		.name = name, .label = "worker", .cnt = args->tasks, .ctx = &crew,
		.work = be_worker, .born = space_births, .call_off = stop,
	};

	crew_init(&crew, args);
	crew.name = name;
	crew.cpu = cpu;
	return gang_of_threads(&gang) ? EXIT_FAILURE : EXIT_SUCCESS;
}
