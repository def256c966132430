/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pool - a fixed number of threads take pieces of unequal size from one queue until it ends.
 * Whoever is done first takes the next: there is no staircase.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "util/alloc.h"
#include "util/log.h"
#include "workload/channel.h"
#include "workload/gang.h"
#include "workload/rows.h"
#include "workload/work.h"

#define PIECE_MIN_UNITS 1000	/* half a millisecond */
#define PIECE_MAX_UNITS 5000
#define PIECE_NONE UINT64_MAX	/* the end of the queue, once for each worker */

struct pool {
	struct channel queue;
	uint32_t workers;
	uint32_t pieces;
	uint32_t seed;
	_Atomic uint8_t *done;		/* [piece]: how often it was done */
};

static const struct opt pool_opts[] = {
	ROW_TASKS(1, 100, "how many workers (default 4)"),
	ROW_ROUNDS(1, 1000000, "how many pieces, of about 1.5 ms each (default 400)"),
	ROW_SEED,
	{ .name = NULL },
};

static void pool_claim(const struct workload_args *args, struct claim *claim)
{
	*claim = (struct claim){ .class = CLASS_NONE, .needs_cpus = 1 };
	if (args->tasks < 2) {
		snprintf(claim->why, sizeof(claim->why),
			 "one worker and the clerk who fills the queue may or may not overlap");
	} else if (args->rounds < 4 * args->tasks) {
		snprintf(claim->why, sizeof(claim->why),
			 "pieces so few are soon gone, and not everybody gets one");
	} else {
		claim->class = CLASS_PARALLEL;
		claim->needs_cpus = 2;
		claim->min_parallelism_milli = 1300;
		snprintf(claim->why, sizeof(claim->why),
			 "whoever is done takes the next piece, so all work to the end");
	}
}

/* The first of the gang: it fills the queue, and waits where it is full. */
static int be_clerk(struct pool *pool)
{
	struct channel_message piece = { 0 };
	struct work_rng rng;

	gang_set_name("clerk", 0);
	work_rng_init(&rng, pool->seed, 0);
	for (uint64_t i = 0; i < pool->pieces + pool->workers; i++) {
		piece.number = i < pool->pieces ? i : PIECE_NONE;
		piece.value[0] = work_random_within(&rng, PIECE_MIN_UNITS, PIECE_MAX_UNITS);
		channel_send(&pool->queue, &piece);
	}
	return 0;
}

/* Works on after a wrong result: the others rely on the queue being emptied. */
static int be_worker(struct pool *pool, uint32_t idx)
{
	struct channel_message piece;
	struct work_rng rng;
	int err = 0;

	gang_set_name("worker", idx);
	work_rng_init(&rng, pool->seed, idx + 1);
	while (!channel_receive(&pool->queue, &piece) && piece.number != PIECE_NONE) {
		if (work_compute(&rng, piece.value[0]))
			err = -EIO;
		atomic_fetch_add_explicit(&pool->done[piece.number], 1, memory_order_relaxed);
	}
	return err;
}

static int pool_work(void *ctx, uint32_t idx)
{
	struct pool *pool = ctx;

	return idx ? be_worker(pool, idx - 1) : be_clerk(pool);
}

/* Return: 0, or -EIO, logged: a piece was not done exactly once. */
static int check_done(const struct pool *pool)
{
	for (uint32_t i = 0; i < pool->pieces; i++) {
		uint8_t times = atomic_load(&pool->done[i]);

		if (times == 1)
			continue;
		log_err("pool: piece %u of %u was done %u times", i + 1, pool->pieces, times);
		return -EIO;
	}
	return 0;
}

static int pool_run(const struct workload_args *args)
{
	struct pool pool = {
		.workers = args->tasks,
		.pieces = args->rounds,
		.seed = args->seed,
		.done = xcalloc(args->rounds, sizeof(*pool.done)),
	};
	const struct gang gang = {
		.name = "pool", .cnt = args->tasks + 1, .ctx = &pool, .work = pool_work,
	};
	int err = channel_open(&pool.queue, CHANNEL_THREAD);

	if (!err) {
		err = gang_of_threads(&gang);
		channel_close(&pool.queue);
	}
	if (!err)
		err = check_done(&pool);
	free(pool.done);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}

static uint64_t pool_amount(const struct workload_args *args)
{
	return args->rounds;
}

const struct workload workload_pool = {
	.name = "pool",
	.shows = "a fixed pool of threads takes pieces from a queue: unequal pieces, no staircase",
	.opts = pool_opts,
	.defaults = {
		.tasks = 4,
		.rounds = 400,
		.seed = 1,
	},
	.claim = pool_claim,
	.amount = pool_amount,
	.run = pool_run,
};
