/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * sleepers - a thread that sleeps for 2 units, and one that sleeps for 1: started in this order,
 * they sleep at the same time and end in the order of their lengths. With N threads the lengths are
 * N .. 1.
 */
#include <pthread.h>
#include <semaphore.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "util/alloc.h"
#include "util/log.h"
#include "workload/gang.h"
#include "workload/rows.h"
#include "workload/work.h"

#define NS_PER_MS UINT64_C(1000000)

#define TASKS_MAX 100

/* What a thread does before it sleeps and afterwards, so that there is something to see. */
#define SPEECH_NS NS_PER_MS

struct bedroom {
	const struct workload_args *args;
	pthread_mutex_t mutex;
	uint32_t ended_cnt;
	uint32_t *ended;	/* lengths, in order of their ends; owned */
	sem_t asleep;		/* the last one that was started has spoken, and goes to sleep */
};

static const struct opt sleepers_opts[] = {
	ROW_TASKS(1, TASKS_MAX, "how many threads: they sleep N, N - 1, ... 1 units (default 2)"),
	ROW_UNIT("how long a unit is (default 100ms)"),
	ROW_SEED,
	{ .name = NULL },
};

static void sleepers_claim(const struct workload_args *args, struct claim *claim)
{
	*claim = (struct claim){ .class = CLASS_CONCURRENT, .needs_cpus = 1 };
	if (args->tasks < 2) {
		claim->class = CLASS_SEQUENTIAL;
		snprintf(claim->why, sizeof(claim->why), "one thread has nobody to sleep beside");
		return;
	}
	snprintf(claim->why, sizeof(claim->why),
		 "threads sleep at the same time, and one CPU is enough for that");
}

static int speak(const struct bedroom *room, uint32_t idx, uint32_t stream)
{
	struct work_rng rng;

	work_rng_init(&rng, room->args->seed, 2 * idx + stream);
	return work_compute_cpu(&rng, SPEECH_NS);
}

static void note_end(struct bedroom *room, uint32_t length)
{
	pthread_mutex_lock(&room->mutex);
	room->ended[room->ended_cnt++] = length;
	pthread_mutex_unlock(&room->mutex);
}

static int be_sleeper(void *ctx, uint32_t idx)
{
	struct bedroom *room = ctx;
	uint32_t length = room->args->tasks - idx;
	int err = speak(room, idx, 0);

	sem_post(&room->asleep);
	work_sleep_until(work_now_ns() + length * room->args->unit_ns);
	err |= speak(room, idx, 1);
	note_end(room, length);
	return err;
}

static void await_asleep(void *ctx, uint32_t born_cnt)
{
	struct bedroom *room = ctx;

	(void)born_cnt;
	while (sem_wait(&room->asleep))
		;
}

/* Each ends by itself, after its time. */
static void call_off(void *ctx)
{
	(void)ctx;
}

static void tell(const struct bedroom *room, uint64_t took_ns)
{
	uint32_t cnt = room->args->tasks;
	uint64_t sum_ns = (uint64_t)cnt * (cnt + 1) / 2 * room->args->unit_ns;
	char order[TASKS_MAX * 5] = "";
	size_t len = 0;

	for (uint32_t i = 0; i < cnt; i++)
		len += (size_t)snprintf(order + len, sizeof(order) - len, "%s%u", i ? ", " : "",
					room->ended[i]);
	log_info("sleepers: they took %" PRIu64 " ms, and not the sum of %" PRIu64
		 " ms; their lengths, as they ended: %s", took_ns / NS_PER_MS, sum_ns / NS_PER_MS,
		 order);
}

static int sleepers_run(const struct workload_args *args)
{
	struct bedroom room = {
		.args = args,
		.mutex = PTHREAD_MUTEX_INITIALIZER,
		.ended = xcalloc(args->tasks, sizeof(*room.ended)),
	};
	const struct gang gang = {
		.name = "sleepers", .label = "sleeper", .cnt = args->tasks, .ctx = &room,
		.work = be_sleeper, .born = await_asleep, .call_off = call_off,
	};
	uint64_t start_ns = work_now_ns();
	int err;

	sem_init(&room.asleep, 0, 0);
	err = gang_of_threads(&gang);
	if (!err)
		tell(&room, work_now_ns() - start_ns);
	sem_destroy(&room.asleep);
	free(room.ended);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}

const struct workload workload_sleepers = {
	.name = "sleepers",
	.shows = "two threads that sleep 2 and 1 units: at the same time, the shorter one "
		 "ends first",
	.opts = sleepers_opts,
	.defaults = { .tasks = 2, .unit_ns = 100 * NS_PER_MS, .seed = 1 },
	.claim = sleepers_claim,
	.run = sleepers_run,
};
