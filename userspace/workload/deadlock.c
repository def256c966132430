/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * deadlock - threads that each hold one lock and want the next one's, the last that of the first:
 * with two threads, two locks taken in opposite order. Nobody can go on; after the time limit the
 * process ends. The mend takes the locks of a pair in one order everywhere.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "util/alloc.h"
#include "util/log.h"
#include "workload/gang.h"
#include "workload/rows.h"
#include "workload/work.h"

#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_S UINT64_C(1000000000)

#define TASKS_MAX 100
#define WORK_NS (2 * NS_PER_MS)		/* with each lock, and before the first */
#define PAUSE_NS (2 * NS_PER_MS)	/* between them, with --mend order */

enum deadlock_how { DEADLOCK_MUTEX = 0, DEADLOCK_ROBUST = 1 };
enum deadlock_mend { MEND_NONE = 0, MEND_ORDER = 1 };

struct table {
	const struct workload_args *args;
	pthread_mutex_t *locks;		/* one per thread; owned */
	pthread_barrier_t all_have_one;
	pthread_mutex_t mutex;		/* guards what follows */
	pthread_cond_t one_ended;
	uint32_t ended_cnt;
};

struct guest {
	struct table *table;
	uint32_t idx;
	pthread_t thread;
};

static const char *const how_names[] = {
	[DEADLOCK_MUTEX] = "mutex", [DEADLOCK_ROBUST] = "robust", NULL,
};
static const char *const mend_names[] = { [MEND_NONE] = "none", [MEND_ORDER] = "order", NULL };

static const struct opt deadlock_opts[] = {
	ROW_TASKS(1, TASKS_MAX, "how many threads, and locks (default 2)"),
	ROW_CHOICE("how", how, "mutex|robust", how_names,
		   "an ordinary mutex, or one whose word names its owner (default mutex)"),
	ROW_CHOICE("mend", mend, "none|order", mend_names,
		   "take the locks crosswise, or in one order (default none)"),
	ROW_SECONDS("after how long the process ends although they wait (default 0.5)"),
	ROW_SEED,
	{ .name = NULL },
};

static void deadlock_claim(const struct workload_args *args, struct claim *claim)
{
	*claim = (struct claim){ .class = CLASS_CONCURRENT, .at_least = true, .needs_cpus = 1 };
	if (args->tasks < 2) {
		claim->class = CLASS_SEQUENTIAL;
		snprintf(claim->why, sizeof(claim->why), "one thread has nobody to wait for");
	} else if (args->mend == MEND_ORDER) {
		snprintf(claim->why, sizeof(claim->why),
			 "who takes locks in one order never waits in a circle");
	} else {
		claim->deadlock = true;
		snprintf(claim->why, sizeof(claim->why),
			 "each has what another wants, and waits for what another has");
	}
}

static void with_both(struct table *table, uint32_t first, uint32_t second, struct work_rng *rng,
		      int *err)
{
	pthread_mutex_lock(&table->locks[first]);
	*err |= work_compute_cpu(rng, WORK_NS);
	if (table->args->mend == MEND_NONE)
		pthread_barrier_wait(&table->all_have_one);
	else
		work_sleep_until(work_now_ns() + PAUSE_NS);
	if (second != first)
		pthread_mutex_lock(&table->locks[second]);
	*err |= work_compute_cpu(rng, WORK_NS);
	if (second != first)
		pthread_mutex_unlock(&table->locks[second]);
	pthread_mutex_unlock(&table->locks[first]);
}

static void *be_guest(void *arg)
{
	const struct guest *guest = arg;
	struct table *table = guest->table;
	uint32_t first = guest->idx, second = (guest->idx + 1) % table->args->tasks;
	struct work_rng rng;
	int err;

	gang_set_name("guest", guest->idx);
	work_rng_init(&rng, table->args->seed, guest->idx + 1);
	err = work_compute_cpu(&rng, WORK_NS);
	/* The last one is the only one whose second lock comes before its first. */
	if (table->args->mend == MEND_ORDER && second < first)
		with_both(table, second, first, &rng, &err);
	else
		with_both(table, first, second, &rng, &err);
	if (err)
		log_err("deadlock: thread %u computed a wrong result: this machine's arithmetic is "
			"broken", guest->idx + 1);
	pthread_mutex_lock(&table->mutex);
	table->ended_cnt++;
	pthread_cond_signal(&table->one_ended);
	pthread_mutex_unlock(&table->mutex);
	return err ? table : NULL;
}

/* Return: true if all have ended within the time. */
static bool await_all(struct table *table)
{
	uint64_t until_ns = work_now_ns() + table->args->duration_ns;
	struct timespec until = {
		.tv_sec = (time_t)(until_ns / NS_PER_S),
		.tv_nsec = (long)(until_ns % NS_PER_S),
	};
	bool ended, in_time = true;

	pthread_mutex_lock(&table->mutex);
	while (table->ended_cnt < table->args->tasks && in_time)
		in_time = pthread_cond_timedwait(&table->one_ended, &table->mutex, &until) !=
			  ETIMEDOUT;
	ended = table->ended_cnt == table->args->tasks;
	pthread_mutex_unlock(&table->mutex);
	return ended;
}

static void table_init(struct table *table, const struct workload_args *args)
{
	pthread_mutexattr_t attr;
	pthread_condattr_t cond_attr;

	*table = (struct table){
		.args = args,
		.locks = xcalloc(args->tasks, sizeof(*table->locks)),
		.mutex = PTHREAD_MUTEX_INITIALIZER,
	};
	pthread_mutexattr_init(&attr);
	if (args->how == DEADLOCK_ROBUST)
		pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	for (uint32_t i = 0; i < args->tasks; i++)
		pthread_mutex_init(&table->locks[i], &attr);
	pthread_mutexattr_destroy(&attr);
	pthread_condattr_init(&cond_attr);
	pthread_condattr_setclock(&cond_attr, CLOCK_MONOTONIC);
	pthread_cond_init(&table->one_ended, &cond_attr);
	pthread_condattr_destroy(&cond_attr);
	pthread_barrier_init(&table->all_have_one, NULL, args->tasks);
}

/* Whoever still waits ends with the process, and what it waits in must be there until then. */
static int deadlock_run(const struct workload_args *args)
{
	struct table *table = xcalloc(1, sizeof(*table));
	struct guest *guests = xcalloc(args->tasks, sizeof(*guests));
	bool failed = false;

	table_init(table, args);
	for (uint32_t i = 0; i < args->tasks; i++) {
		int err;

		guests[i] = (struct guest){ .table = table, .idx = i };
		err = pthread_create(&guests[i].thread, NULL, be_guest, &guests[i]);
		if (err) {
			log_err("deadlock: thread %u of %u cannot be created: %s", i + 1,
				args->tasks, strerror(err));
			return EXIT_FAILURE;
		}
	}
	if (!await_all(table)) {
		log_info("deadlock: nobody went on until the time was over; the process ends");
		return EXIT_SUCCESS;
	}
	for (uint32_t i = 0; i < args->tasks; i++) {
		void *result;

		pthread_join(guests[i].thread, &result);
		failed |= result != NULL;
	}
	log_info("deadlock: all went on to their end");
	free(table->locks);
	free(table);
	free(guests);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

const struct workload workload_deadlock = {
	.name = "deadlock",
	.shows = "locks taken in opposite order: threads wait for each other in a circle, "
		 "without end",
	.opts = deadlock_opts,
	.defaults = {
		.tasks = 2,
		.how = DEADLOCK_MUTEX,
		.mend = MEND_NONE,
		.duration_ns = 500 * NS_PER_MS,
		.seed = 1,
	},
	.claim = deadlock_claim,
	.run = deadlock_run,
};
