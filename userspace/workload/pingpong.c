/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pingpong - processes in a ring pass one ball: whoever has it computes and
 * passes it on, the others wait. All are in progress, and one runs.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/log.h"
#include "workload/channel.h"
#include "workload/gang.h"
#include "workload/rows.h"
#include "workload/work.h"

#define TASKS_MAX 100

/*
 * A turn takes about a millisecond, long against the moment in which one that passes the
 * ball is still on its way to sleep and the next is awake.
 */
#define TURN_UNITS 2000

#define BALL_LAST UINT64_MAX	/* the number of the ball that ends the game */

struct table {
	struct channel channels[TASKS_MAX];	/* [i]: to player i */
	uint32_t tasks;
	uint32_t seed;
	uint64_t end_ns;
};

static const char *const over_names[] = { "pipe", "futex", NULL };

static const struct opt pingpong_opts[] = {
	ROW_TASKS(2, TASKS_MAX, "how many players (default 2)"),
	ROW_CHOICE("over", over, "pipe|futex", over_names,
		   "what the ball is passed by; futex: in shared memory (default pipe)"),
	ROW_SECONDS("how long they play (default 1)"),
	ROW_SEED,
	{ .name = NULL },
};

static void pingpong_claim(const struct workload_args *args, struct claim *claim)
{
	(void)args;
	*claim = (struct claim){ .class = CLASS_CONCURRENT, .needs_cpus = 1 };
	snprintf(claim->why, sizeof(claim->why),
		 "all have begun and none has ended, but only the one with the ball runs");
}

static int pass(struct table *table, uint32_t from, const struct channel_message *ball)
{
	int err = channel_send(&table->channels[(from + 1) % table->tasks], ball);

	if (err)
		log_err("pingpong: player %u cannot pass the ball: %s", from + 1, strerror(-err));
	return err;
}

/* Return: 0, or -errno, logged: the ball is not the one that player @idx must get. */
static int catch(struct table *table, uint32_t idx, uint64_t turn, struct channel_message *ball)
{
	int err = channel_receive(&table->channels[idx], ball);

	if (!err && ball->number != turn && ball->number != BALL_LAST)
		err = -EBADMSG;
	if (err)
		log_err("pingpong: player %u waited for turn %" PRIu64 " and got %" PRIu64 ": %s",
			idx + 1, turn, err == -EBADMSG ? ball->number : 0, strerror(-err));
	return err;
}

/* Player 1 begins, and throws the last ball, which comes back to nobody. */
static int pingpong_work(void *ctx, uint32_t idx)
{
	struct table *table = ctx;
	struct channel_message ball = { 0 };
	struct work_rng rng;
	uint64_t turn = idx;
	int err = 0;

	work_rng_init(&rng, table->seed, idx + 1);
	for (;; turn += table->tasks) {
		if (turn)
			err = catch(table, idx, turn, &ball);
		if (err || ball.number == BALL_LAST)
			break;
		err = work_compute(&rng, TURN_UNITS);
		if (err)
			return err;
		ball.number = turn + 1;
		if (!idx && work_now_ns() >= table->end_ns)
			ball.number = BALL_LAST;
		err = pass(table, idx, &ball);
		if (err || ball.number == BALL_LAST)
			return err;
	}
	if (!err && idx + 1 < table->tasks)
		err = pass(table, idx, &ball);
	return err;
}

/* Return: 0, or -errno, logged, with nothing open. */
static int open_all(struct table *table, enum channel_kind kind)
{
	for (uint32_t i = 0; i < table->tasks; i++) {
		int err = channel_open(&table->channels[i], kind);

		if (!err)
			continue;
		log_err("pingpong: cannot make %s: %s", channel_phrase(kind), strerror(-err));
		while (i--)
			channel_close(&table->channels[i]);
		return err;
	}
	return 0;
}

static int pingpong_run(const struct workload_args *args)
{
	struct table table = {
		.tasks = args->tasks,
		.seed = args->seed,
		.end_ns = work_now_ns() + args->duration_ns,
	};
	const struct gang gang = {
		.name = "pingpong", .label = "player", .cnt = args->tasks, .ctx = &table,
		.work = pingpong_work,
	};
	int err = open_all(&table, args->over ? CHANNEL_SHM : CHANNEL_PIPE);

	if (err)
		return EXIT_FAILURE;
	err = gang_of_processes(&gang);
	for (uint32_t i = 0; i < table.tasks; i++)
		channel_close(&table.channels[i]);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}

const struct workload workload_pingpong = {
	.name = "pingpong",
	.shows = "processes that wait for each other in turn overlap, and never run at once",
	.opts = pingpong_opts,
	.defaults = {
		.tasks = 2,
		.over = 0,
		.duration_ns = UINT64_C(1000000000),
		.seed = 1,
	},
	.claim = pingpong_claim,
	.run = pingpong_run,
};
