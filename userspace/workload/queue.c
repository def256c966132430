/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * queue - producers and consumers with a queue of a few places between them, a mutex and two
 * condition variables: a thread that finds the queue full, or empty, waits. The slower side sets
 * the speed.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "util/alloc.h"
#include "util/log.h"
#include "workload/gang.h"
#include "workload/rows.h"
#include "workload/work.h"

#define TASKS_MAX 1000
#define ROUNDS_MAX 1000000
#define SLOTS_MAX 100000

/* What an item costs, on either side; the slow side's costs as many times as much. */
#define UNITS_MIN 400
#define UNITS_MAX 1200
#define SLOW_FACTOR 4

enum slow { SLOW_NOBODY = 0, SLOW_PRODUCERS = 1, SLOW_CONSUMERS = 2 };

struct queue {
	const struct workload_args *args;
	uint32_t producer_cnt;
	pthread_mutex_t mutex;
	pthread_cond_t not_full, not_empty;
	uint64_t *slots;	/* args->slots; owned */
	uint32_t first, cnt;
	uint64_t left_cnt;	/* items that no consumer has taken */
	uint64_t put_sum, got_sum; /* of the items, modulo 2^64 */
};

static const char *const slow_names[] = {
	[SLOW_NOBODY] = "nobody",
	[SLOW_PRODUCERS] = "producers",
	[SLOW_CONSUMERS] = "consumers",
	NULL,
};

static const struct opt queue_opts[] = {
	ROW_TASKS(2, TASKS_MAX, "how many threads: half produce, the others consume (default 4)"),
	ROW_ROUNDS(1, ROUNDS_MAX, "how many items each producer makes (default 200)"),
	{ .name = "slots", .kind = OPT_U32, .off = offsetof(struct workload_args, slots),
	  .metavar = "N", .help = "how many items the queue holds (default 4)",
	  .min = 1, .max = SLOTS_MAX },
	ROW_CHOICE("slow", how, "nobody|producers|consumers", slow_names,
		   "which side takes 4 times as long for an item (default nobody)"),
	ROW_SEED,
	{ .name = NULL },
};

static void queue_claim(const struct workload_args *args, struct claim *claim)
{
	(void)args;
	*claim = (struct claim){ .class = CLASS_CONCURRENT, .at_least = true, .needs_cpus = 1 };
	snprintf(claim->why, sizeof(claim->why),
		 "producers and consumers go on side by side, "
		 "and wait for each other at the queue");
}

static void put(struct queue *queue, uint64_t item)
{
	pthread_mutex_lock(&queue->mutex);
	while (queue->cnt == queue->args->slots)
		pthread_cond_wait(&queue->not_full, &queue->mutex);
	queue->slots[(queue->first + queue->cnt++) % queue->args->slots] = item;
	queue->put_sum += item;
	pthread_cond_signal(&queue->not_empty);
	pthread_mutex_unlock(&queue->mutex);
}

/* Return: false when there is nothing left to come. */
static bool get(struct queue *queue, uint64_t *item)
{
	bool got;

	pthread_mutex_lock(&queue->mutex);
	while (!queue->cnt && queue->left_cnt)
		pthread_cond_wait(&queue->not_empty, &queue->mutex);
	got = queue->cnt > 0;
	if (got) {
		*item = queue->slots[queue->first];
		queue->first = (queue->first + 1) % queue->args->slots;
		queue->cnt--;
		queue->left_cnt--;
		queue->got_sum += *item;
		pthread_cond_signal(&queue->not_full);
	}
	if (!queue->left_cnt)
		pthread_cond_broadcast(&queue->not_empty);
	pthread_mutex_unlock(&queue->mutex);
	return got;
}

static int compute(const struct queue *queue, struct work_rng *rng, enum slow side)
{
	uint64_t units = work_random_within(rng, UNITS_MIN, UNITS_MAX);

	return work_compute(rng, queue->args->how == side ? units * SLOW_FACTOR : units);
}

static int produce(struct queue *queue, struct work_rng *rng)
{
	int err = 0;

	for (uint32_t i = 0; i < queue->args->rounds; i++) {
		err |= compute(queue, rng, SLOW_PRODUCERS);
		put(queue, work_random_residue(rng));
	}
	return err;
}

static int consume(struct queue *queue, struct work_rng *rng)
{
	uint64_t item;
	int err = 0;

	while (get(queue, &item)) {
		err |= compute(queue, rng, SLOW_CONSUMERS);
		if (work_mul(item, work_inverse(item)) != 1)
			err = -EIO;
	}
	return err;
}

static int be_thread(void *ctx, uint32_t idx)
{
	struct queue *queue = ctx;
	bool producer = idx < queue->producer_cnt;
	struct work_rng rng;

	if (producer)
		gang_set_name("producer", idx);
	else
		gang_set_name("consumer", idx - queue->producer_cnt);
	work_rng_init(&rng, queue->args->seed, idx + 1);
	return producer ? produce(queue, &rng) : consume(queue, &rng);
}

static int queue_run(const struct workload_args *args)
{
	struct queue queue = {
		.args = args,
		.producer_cnt = args->tasks / 2,
		.mutex = PTHREAD_MUTEX_INITIALIZER,
		.not_full = PTHREAD_COND_INITIALIZER,
		.not_empty = PTHREAD_COND_INITIALIZER,
		.left_cnt = (uint64_t)(args->tasks / 2) * args->rounds,
		.slots = xcalloc(args->slots, sizeof(*queue.slots)),
	};
	const struct gang gang = {
		.name = "queue", .cnt = args->tasks, .ctx = &queue, .work = be_thread,
	};
	int err = gang_of_threads(&gang);

	if (!err && queue.put_sum != queue.got_sum) {
		log_err("queue: what was taken out is not what was put in");
		err = -EIO;
	}
	free(queue.slots);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}

const struct workload workload_queue = {
	.name = "queue",
	.shows = "producers and consumers at a bounded queue: a full one stops these, "
		 "an empty one those",
	.opts = queue_opts,
	.defaults = { .tasks = 4, .rounds = 200, .slots = 4, .how = SLOW_NOBODY, .seed = 1 },
	.claim = queue_claim,
	.run = queue_run,
};
