/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * event - threads that wait for something that one thread brings about: a flag with a mutex and a
 * condition variable, as threading.Event. When it is set all go on at once; when
 * all are done the next round begins.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "workload/gang.h"
#include "workload/rows.h"
#include "workload/work.h"

#define TASKS_MAX 1000
#define ROUNDS_MAX 100000

/* The one that sets, and those that wait, compute for so long in each round. */
#define UNITS_MIN 2000
#define UNITS_MAX 6000

struct event {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	uint32_t set_cnt;	/* the event of round r is set when this is above r */
};

struct party {
	const struct workload_args *args;
	struct event ready;	/* the setter has prepared the round */
	struct event done;	/* every waiter is done with it */
	pthread_mutex_t mutex;
	uint32_t done_cnt;	/* waiters, in this round */
};

static const struct opt event_opts[] = {
	ROW_TASKS(1, TASKS_MAX, "how many threads wait (default 4)"),
	ROW_ROUNDS(1, ROUNDS_MAX, "how often (default 40)"),
	ROW_SEED,
	{ .name = NULL },
};

static void event_claim(const struct workload_args *args, struct claim *claim)
{
	*claim = (struct claim){ .class = CLASS_SEQUENTIAL, .at_least = true, .needs_cpus = 1 };
	/* One waits while the other computes, then the other way round: no overlap is certain. */
	if (args->tasks < 2) {
		snprintf(claim->why, sizeof(claim->why),
			 "one thread that waits takes turns with the one it waits for");
		return;
	}
	claim->class = CLASS_CONCURRENT;
	snprintf(claim->why, sizeof(claim->why), "threads wait for one event at once");
}

static void event_init(struct event *event)
{
	pthread_mutex_init(&event->mutex, NULL);
	pthread_cond_init(&event->changed, NULL);
	event->set_cnt = 0;
}

static void event_release(struct event *event)
{
	pthread_cond_destroy(&event->changed);
	pthread_mutex_destroy(&event->mutex);
}

static void event_set(struct event *event)
{
	pthread_mutex_lock(&event->mutex);
	event->set_cnt++;
	pthread_cond_broadcast(&event->changed);
	pthread_mutex_unlock(&event->mutex);
}

static void event_wait(struct event *event, uint32_t round)
{
	pthread_mutex_lock(&event->mutex);
	while (event->set_cnt <= round)
		pthread_cond_wait(&event->changed, &event->mutex);
	pthread_mutex_unlock(&event->mutex);
}

static int compute(struct work_rng *rng)
{
	return work_compute(rng, work_random_within(rng, UNITS_MIN, UNITS_MAX));
}

static int be_setter(struct party *party, struct work_rng *rng)
{
	int err = 0;

	gang_set_name("setter", 0);
	for (uint32_t round = 0; round < party->args->rounds; round++) {
		err |= compute(rng);
		event_set(&party->ready);
		event_wait(&party->done, round);
	}
	return err;
}

static void be_done(struct party *party)
{
	bool last;

	pthread_mutex_lock(&party->mutex);
	last = ++party->done_cnt == party->args->tasks;
	if (last)
		party->done_cnt = 0;
	pthread_mutex_unlock(&party->mutex);
	if (last)
		event_set(&party->done);
}

static int be_waiter(struct party *party, uint32_t idx, struct work_rng *rng)
{
	int err = 0;

	gang_set_name("waiter", idx - 1);
	for (uint32_t round = 0; round < party->args->rounds; round++) {
		event_wait(&party->ready, round);
		err |= compute(rng);
		be_done(party);
	}
	return err;
}

static int be_thread(void *ctx, uint32_t idx)
{
	struct party *party = ctx;
	struct work_rng rng;

	work_rng_init(&rng, party->args->seed, idx);
	return idx ? be_waiter(party, idx, &rng) : be_setter(party, &rng);
}

static int event_run(const struct workload_args *args)
{
	struct party party = { .args = args, .mutex = PTHREAD_MUTEX_INITIALIZER };
	const struct gang gang = {
		.name = "event", .cnt = args->tasks + 1, .ctx = &party, .work = be_thread,
	};
	int err;

	event_init(&party.ready);
	event_init(&party.done);
	err = gang_of_threads(&gang);
	event_release(&party.done);
	event_release(&party.ready);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}

const struct workload workload_event = {
	.name = "event",
	.shows = "threads wait on a condition variable until one of them sets the event: "
		 "then all go on",
	.opts = event_opts,
	.defaults = { .tasks = 4, .rounds = 40, .seed = 1 },
	.claim = event_claim,
	.run = event_run,
};
