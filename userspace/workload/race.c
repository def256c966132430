/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * race - threads that each add to one counter. Without a lock what two add at once is counted once:
 * both read, both add one to what they read, both write the same. The other ways
 * are right, and each has its price.
 *
 * An update takes as long as a unit of arithmetic, between its reading and its writing, as in any
 * program that works out a new value from the old one. The atomic way works it out, and begins anew
 * if the counter is not what it was.
 */
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <errno.h>
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
#define OWN_UNITS 3		/* of arithmetic that is a thread's own, between two updates */

enum race_how { RACE_NONE = 0, RACE_MUTEX = 1, RACE_ATOMIC = 2, RACE_SEMAPHORE = 3 };

struct race {
	const struct workload_args *args;
	uint64_t start_ns;		/* CLOCK_MONOTONIC */
	pthread_mutex_t mutex;
	sem_t semaphore;
	/* Relaxed loads and stores: the program's order loses updates, not the compiler. */
	_Alignas(64) _Atomic uint64_t counter;
	_Alignas(64) _Atomic uint64_t retry_cnt;
};

static const char *const how_names[] = {
	[RACE_NONE] = "none",
	[RACE_MUTEX] = "mutex",
	[RACE_ATOMIC] = "atomic",
	[RACE_SEMAPHORE] = "semaphore",
	NULL,
};

static const struct opt race_opts[] = {
	ROW_TASKS(1, TASKS_MAX, "how many threads (default 4)"),
	ROW_ROUNDS(1, 100000000, "how often each adds to the counter (default 50000)"),
	ROW_CHOICE("how", how, "none|mutex|atomic|semaphore", how_names,
		   "what keeps two from adding at once (default none)"),
	ROW_SEED,
	{ .name = NULL },
};

static void race_claim(const struct workload_args *args, struct claim *claim)
{
	*claim = (struct claim){ .class = CLASS_SEQUENTIAL, .needs_cpus = 1 };
	if (args->tasks < 2) {
		snprintf(claim->why, sizeof(claim->why), "one thread has nobody to race with");
		return;
	}
	claim->class = CLASS_PARALLEL;
	claim->needs_cpus = 2;
	if (args->how == RACE_NONE)
		snprintf(claim->why, sizeof(claim->why),
			 "nothing keeps two threads from adding at the same time");
	else
		snprintf(claim->why, sizeof(claim->why),
			 "one thread adds at a time, while others do what is their own");
}

static int work_out(struct work_rng *rng, uint64_t old, uint64_t *new)
{
	*new = old + 1;
	return work_compute(rng, 1);
}

static int add_unlocked(struct race *race, struct work_rng *rng)
{
	uint64_t old = atomic_load_explicit(&race->counter, memory_order_relaxed), new;
	int err = work_out(rng, old, &new);

	atomic_store_explicit(&race->counter, new, memory_order_relaxed);
	return err;
}

static int add_atomically(struct race *race, struct work_rng *rng, uint64_t *retry_cnt)
{
	uint64_t old = atomic_load(&race->counter), new;
	int err;

	for (;; (*retry_cnt)++) {
		err = work_out(rng, old, &new);
		if (err || atomic_compare_exchange_strong(&race->counter, &old, new))
			return err;
	}
}

static int add(struct race *race, struct work_rng *rng, uint64_t *retry_cnt)
{
	int err = 0;

	switch ((enum race_how)race->args->how) {
	case RACE_NONE:
		err = add_unlocked(race, rng);
		break;
	case RACE_MUTEX:
		pthread_mutex_lock(&race->mutex);
		err = add_unlocked(race, rng);
		pthread_mutex_unlock(&race->mutex);
		break;
	case RACE_ATOMIC:
		err = add_atomically(race, rng, retry_cnt);
		break;
	case RACE_SEMAPHORE:
		while (sem_wait(&race->semaphore))
			;
		err = add_unlocked(race, rng);
		sem_post(&race->semaphore);
		break;
	}
	return err;
}

static int be_adder(void *ctx, uint32_t idx)
{
	struct race *race = ctx;
	uint64_t retry_cnt = 0;
	struct work_rng rng;
	int err = 0;

	work_rng_init(&rng, race->args->seed, idx + 1);
	work_sleep_until(race->start_ns);
	for (uint32_t i = 0; i < race->args->rounds && !err; i++) {
		err = work_compute(&rng, OWN_UNITS);
		if (!err)
			err = add(race, &rng, &retry_cnt);
	}
	atomic_fetch_add(&race->retry_cnt, retry_cnt);
	return err;
}

static int tell(const struct race *race, uint64_t took_ns)
{
	uint64_t added = (uint64_t)race->args->tasks * race->args->rounds;
	uint64_t counted = atomic_load(&race->counter), lost = added - counted;
	uint64_t retry_cnt = atomic_load(&race->retry_cnt);

	if (race->args->how == RACE_NONE) {
		log_info("race: of %" PRIu64 " updates %" PRIu64 " were counted: %" PRIu64
			 " are lost%s; they took %" PRIu64 " ms", added, counted, lost,
			 lost ? "" : ", this time", took_ns / NS_PER_MS);
		return 0;
	}
	if (lost) {
		log_err("race: of %" PRIu64 " updates only %" PRIu64
			" were counted, although %s is there: this machine is broken",
			added, counted, how_names[race->args->how]);
		return -EIO;
	}
	if (race->args->how == RACE_ATOMIC)
		log_info("race: of %" PRIu64 " updates all were counted; they took %" PRIu64
			 " ms, and %" PRIu64 " more were worked out in vain", added,
			 took_ns / NS_PER_MS, retry_cnt);
	else
		log_info("race: of %" PRIu64 " updates all were counted; they took %" PRIu64 " ms",
			 added, took_ns / NS_PER_MS);
	return 0;
}

static int race_run(const struct workload_args *args)
{
	struct race race = { .args = args, .mutex = PTHREAD_MUTEX_INITIALIZER };
	const struct gang gang = {
		.name = "race", .label = "adder", .cnt = args->tasks, .ctx = &race,
		.work = be_adder,
	};
	int err;

	sem_init(&race.semaphore, 0, 1);
	race.start_ns = work_now_ns() + START_NS;
	err = gang_of_threads(&gang);
	sem_destroy(&race.semaphore);
	return err || tell(&race, work_now_ns() - race.start_ns) ? EXIT_FAILURE : EXIT_SUCCESS;
}

const struct workload workload_race = {
	.name = "race",
	.shows = "threads add to one counter: without a lock updates are lost, with one they "
		 "cost more",
	.opts = race_opts,
	.defaults = { .tasks = 4, .rounds = 50000, .how = RACE_NONE, .seed = 1 },
	.claim = race_claim,
	.run = race_run,
};
