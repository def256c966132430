/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ipc - one side asks, the other answers, over a channel in each direction: the same
 * messages over whatever the kernel offers. Per message the report's switches and wakings can be
 * compared; how long a question takes to be answered is measured here.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "util/alloc.h"
#include "util/log.h"
#include "util/minmax.h"
#include "workload/channel.h"
#include "workload/cpus.h"
#include "workload/gang.h"
#include "workload/ranks.h"
#include "workload/rows.h"
#include "workload/work.h"

enum ipc_where {
	WHERE_TOGETHER = 0,	/* both on one CPU: what counts is the message */
	WHERE_APART = 1,	/* on two: and the way from one to the other */
};

enum side { SIDE_ASKER = 0, SIDE_ANSWERER = 1, SIDE_CNT };

struct talk {
	struct channel to[SIDE_CNT];	/* [side]: what it receives */
	uint16_t cpu[SIDE_CNT];
	enum channel_kind over;
	uint32_t seed;
	uint32_t message_cnt;
	uint32_t batch;		/* questions before an answer is waited for */
};

static const char *const where_names[] = { "together", "apart", NULL };

static const struct opt ipc_opts[] = {
	ROW_CHOICE("over", over, "pipe|socketpair|shm|mqueue|thread", channel_names,
		   "shm: a ring and a futex; thread: a mutex in one process (default pipe)"),
	ROW_ROUNDS(1, 10000000, "how many questions (default 20000)"),
	{ .name = "batch", .kind = OPT_U32, .off = offsetof(struct workload_args, batch),
	  .metavar = "N", .help = "questions before an answer is waited for (default 1)",
	  .min = 1, .max = 1000 },
	ROW_CHOICE("where", where, "together|apart", where_names,
		   "both sides on one CPU, or on two (default together)"),
	ROW_SEED,
	{ .name = NULL },
};

static void ipc_claim(const struct workload_args *args, struct claim *claim)
{
	*claim = (struct claim){ .class = CLASS_CONCURRENT, .needs_cpus = 1 };
	snprintf(claim->why, sizeof(claim->why),
		 "while one side waits for an answer the other works on it");
	if (args->where == WHERE_APART) {
		claim->class = CLASS_NONE;
		snprintf(claim->why, sizeof(claim->why),
			 "how long both run at a hand-over depends on how soon a CPU wakes up");
	}
}

static int ipc_check(const struct workload_args *args)
{
	struct channel channel;
	int err;

	if (args->over != CHANNEL_MQUEUE)
		return 0;
	err = channel_open(&channel, CHANNEL_MQUEUE);
	if (err)
		log_err("ipc: this kernel gives no message queue (%s): another --over",
			strerror(-err));
	else
		channel_close(&channel);
	return err;
}

static void fill_question(struct channel_message *message, uint32_t seed, uint64_t number)
{
	struct work_rng rng;

	message->number = number;
	work_rng_init(&rng, seed, (uint32_t)number);
	for (int i = 0; i < CHANNEL_MESSAGE_WORDS; i++)
		message->value[i] = work_random_residue(&rng);
}

static void fill_answer(struct channel_message *message)
{
	for (int i = 0; i < CHANNEL_MESSAGE_WORDS; i++)
		message->value[i] = work_mul(message->value[i], message->value[i]);
}

/* Return: 0, or -errno; -EBADMSG: it is not the answer to question @number. */
static int hear_answer(struct talk *talk, uint64_t number)
{
	struct channel_message answer, expected;
	int err = channel_receive(&talk->to[SIDE_ASKER], &answer);

	if (err)
		return err;
	fill_question(&expected, talk->seed, number);
	fill_answer(&expected);
	return memcmp(&answer, &expected, sizeof(answer)) ? -EBADMSG : 0;
}

/* One line; @took_ns are the times of the batches, in any order. */
static void tell(const struct talk *talk, uint64_t *took_ns, uint32_t batch_cnt,
		 uint64_t all_ns)
{
	uint64_t median_ns, late_ns;
	unsigned __int128 rate;
	char together[40] = "one by one";

	if (talk->batch > 1)
		snprintf(together, sizeof(together), "in batches of %u", talk->batch);
	ranks_sort(took_ns, batch_cnt);
	median_ns = ranks_at(took_ns, batch_cnt, 500);
	late_ns = ranks_at(took_ns, batch_cnt, 990);
	rate = (unsigned __int128)talk->message_cnt * 1000000000 / max_u64(all_ns, 1);
	log_info("ipc: %u questions of 64 bytes over %s, answered %s: in %" PRIu64 ".%" PRIu64
		 " us at the median, %" PRIu64 ".%" PRIu64 " us at the 99th percentile; %" PRIu64
		 " a second",
		 talk->message_cnt, channel_phrase(talk->over), together, median_ns / 1000,
		 median_ns % 1000 / 100, late_ns / 1000, late_ns % 1000 / 100,
		 (uint64_t)rate);
}

/* Return: 0, or -errno; *@number is then the message at which it happened. */
static int ask_batch(struct talk *talk, uint64_t *number)
{
	uint64_t first = *number, end = min_u64(first + talk->batch, talk->message_cnt);
	struct channel_message question;
	int err = 0;

	for (; *number < end && !err; ++*number) {
		fill_question(&question, talk->seed, *number);
		err = channel_send(&talk->to[SIDE_ANSWERER], &question);
	}
	/* The last answer of a batch is the only one: answers cannot fill a channel up. */
	return err ? err : hear_answer(talk, *number - 1);
}

static int be_asker(struct talk *talk)
{
	uint32_t batch_cnt = (talk->message_cnt + talk->batch - 1) / talk->batch, done_cnt = 0;
	uint64_t *took_ns = xcalloc(batch_cnt, sizeof(*took_ns));
	uint64_t start_ns = work_now_ns(), number = 0;
	int err = 0;

	while (number < talk->message_cnt && !err) {
		uint64_t begin_ns = work_now_ns();

		err = ask_batch(talk, &number);
		took_ns[done_cnt++] = work_now_ns() - begin_ns;
	}
	if (err)
		log_err("ipc: message %" PRIu64 ": %s", number,
			err == -EBADMSG ? "the answer is not to this question" : strerror(-err));
	else
		tell(talk, took_ns, batch_cnt, work_now_ns() - start_ns);
	free(took_ns);
	return err;
}

static int be_answerer(struct talk *talk)
{
	struct channel_message message;

	for (uint64_t i = 0; i < talk->message_cnt; i++) {
		int err = channel_receive(&talk->to[SIDE_ANSWERER], &message);

		fill_answer(&message);
		if (!err && ((i + 1) % talk->batch == 0 || i + 1 == talk->message_cnt))
			err = channel_send(&talk->to[SIDE_ASKER], &message);
		if (err) {
			log_err("ipc: answer %" PRIu64 ": %s", i + 1, strerror(-err));
			return err;
		}
	}
	return 0;
}

static int ipc_work(void *ctx, uint32_t idx)
{
	struct talk *talk = ctx;
	int err = cpus_pin(talk->cpu[idx], "ipc");

	if (err)
		return err;
	prctl(PR_SET_NAME, idx == SIDE_ASKER ? "asker" : "answerer");
	return idx == SIDE_ASKER ? be_asker(talk) : be_answerer(talk);
}

/* Return: 0, or -errno, logged, with nothing open. */
static int open_both(struct talk *talk)
{
	for (int side = 0; side < SIDE_CNT; side++) {
		int err = channel_open(&talk->to[side], talk->over);

		if (!err)
			continue;
		log_err("ipc: cannot make %s: %s", channel_phrase(talk->over), strerror(-err));
		if (side)
			channel_close(&talk->to[0]);
		return err;
	}
	return 0;
}

static void choose_cpus(struct talk *talk, bool apart)
{
	struct cpus cpus;

	talk->cpu[SIDE_ASKER] = talk->cpu[SIDE_ANSWERER] = cpus_current();
	if (!apart)
		return;
	cpus_usable(&cpus);
	if (cpus.cnt < 2)
		log_warn("ipc: there is one CPU, so both sides are together");
	talk->cpu[SIDE_ASKER] = cpus.v[0];
	talk->cpu[SIDE_ANSWERER] = cpus.v[cpus.cnt > 1];
}

static int ipc_run(const struct workload_args *args)
{
	struct talk talk = {
		.over = (enum channel_kind)args->over,
		.seed = args->seed,
		.message_cnt = args->rounds,
		.batch = args->batch,
	};
	const struct gang gang = {
		.name = "ipc", .cnt = SIDE_CNT, .ctx = &talk, .work = ipc_work,
	};
	int err = open_both(&talk);

	if (err)
		return EXIT_FAILURE;
	choose_cpus(&talk, args->where == WHERE_APART);
	if (talk.over == CHANNEL_THREAD)
		err = gang_of_threads(&gang);
	else
		err = gang_of_processes(&gang);
	channel_close(&talk.to[SIDE_ASKER]);
	channel_close(&talk.to[SIDE_ANSWERER]);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}

const struct workload workload_ipc = {
	.name = "ipc",
	.shows = "the same messages over a pipe, sockets, shared memory, a queue, in one process",
	.opts = ipc_opts,
	.defaults = {
		.over = CHANNEL_PIPE,
		.where = WHERE_TOGETHER,
		.rounds = 20000,
		.batch = 1,
		.seed = 1,
	},
	.claim = ipc_claim,
	.check = ipc_check,
	.run = ipc_run,
};
