/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pipeline - processes joined by pipes. Each does its part of every item and passes
 * it on: an item goes through one stage after the other, the stages work at once.
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
#define ITEM_MIN_UNITS 1000	/* of each stage: half a millisecond */
#define ITEM_MAX_UNITS 3000

struct line {
	struct channel belts[TASKS_MAX];	/* [i]: from stage i to stage i + 1 */
	uint32_t stages;
	uint32_t items;
	uint32_t seed;
};

static const struct opt pipeline_opts[] = {
	ROW_TASKS(1, TASKS_MAX, "how many stages, a process each (default 3)"),
	ROW_ROUNDS(1, 1000000, "how many items, of about 1 ms in each stage (default 300)"),
	ROW_SEED,
	{ .name = NULL },
};

static void pipeline_claim(const struct workload_args *args, struct claim *claim)
{
	*claim = (struct claim){ .class = CLASS_NONE, .needs_cpus = 1 };
	if (args->tasks < 2) {
		claim->class = CLASS_SEQUENTIAL;
		snprintf(claim->why, sizeof(claim->why), "one stage is no pipeline");
	} else if (args->rounds < 4 * args->tasks) {
		snprintf(claim->why, sizeof(claim->why),
			 "items so few are gone before the last stage has one");
	} else {
		claim->class = CLASS_PARALLEL;
		claim->needs_cpus = 2;
		claim->min_parallelism_milli = 1200;
		snprintf(claim->why, sizeof(claim->why),
			 "while a stage works on one item the next works on the one before");
	}
}

/* What stage @stage multiplies every item by; the same whoever asks. */
static uint64_t factor_of(const struct line *line, uint32_t stage)
{
	struct work_rng rng;

	work_rng_init(&rng, line->seed, 2 * stage + 1);
	return work_random_residue(&rng);
}

/* Return: 0, or -EBADMSG: @item did not come in its turn, or through every stage. */
static int check_item(const struct line *line, uint64_t number, const struct channel_message *item)
{
	uint64_t expected = item->value[0];

	for (uint32_t stage = 0; stage < line->stages; stage++)
		expected = work_mul(expected, factor_of(line, stage));
	return item->number == number && item->value[1] == expected ? 0 : -EBADMSG;
}

static int do_item(struct line *line, uint32_t stage, uint64_t number, struct work_rng *rng)
{
	struct channel_message item = { .number = number };
	int err = 0;

	if (stage)
		err = channel_receive(&line->belts[stage - 1], &item);
	else
		item.value[0] = item.value[1] = work_random_residue(rng);
	if (!err)
		err = work_compute(rng, work_random_within(rng, ITEM_MIN_UNITS, ITEM_MAX_UNITS));
	if (err)
		return err;
	item.value[1] = work_mul(item.value[1], factor_of(line, stage));
	if (stage + 1 < line->stages)
		return channel_send(&line->belts[stage], &item);
	return check_item(line, number, &item);
}

static int pipeline_work(void *ctx, uint32_t idx)
{
	struct line *line = ctx;
	struct work_rng rng;
	int err = 0;

	work_rng_init(&rng, line->seed, 2 * idx + 2);
	for (uint64_t i = 0; i < line->items && !err; i++) {
		err = do_item(line, idx, i, &rng);
		if (err && err != -EIO)
			log_err("pipeline: stage %u, item %" PRIu64 ": %s", idx + 1, i + 1,
				err == -EBADMSG ? "it is not what the stages before made of it" :
						  strerror(-err));
	}
	return err;
}

static int pipeline_run(const struct workload_args *args)
{
	struct line line = { .stages = args->tasks, .items = args->rounds, .seed = args->seed };
	const struct gang gang = {
		.name = "pipeline", .label = "stage", .cnt = args->tasks, .ctx = &line,
		.work = pipeline_work,
	};
	uint32_t open_cnt;
	int err = 0;

	for (open_cnt = 0; open_cnt + 1 < line.stages; open_cnt++) {
		err = channel_open(&line.belts[open_cnt], CHANNEL_PIPE);
		if (err) {
			log_err("pipeline: cannot make pipe %u: %s", open_cnt + 1, strerror(-err));
			break;
		}
	}
	if (!err)
		err = gang_of_processes(&gang);
	while (open_cnt)
		channel_close(&line.belts[--open_cnt]);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}

const struct workload workload_pipeline = {
	.name = "pipeline",
	.shows = "stages joined by pipes: an item goes through one by one, all work at once",
	.opts = pipeline_opts,
	.defaults = {
		.tasks = 3,
		.rounds = 300,
		.seed = 1,
	},
	.claim = pipeline_claim,
	.run = pipeline_run,
};
