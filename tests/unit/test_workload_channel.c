/* SPDX-License-Identifier: GPL-2.0-only */
#include "unit.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "util/minmax.h"
#include "workload/channel.h"
#include "workload/gang.h"
#include "workload/ranks.h"
#include "workload/work.h"

#define MESSAGE_CNT 20000

struct talk {
	struct channel channel;
	uint32_t slow;		/* the side that stops now and then: it fills, or empties */
};

static void fill(struct channel_message *message, uint64_t number)
{
	message->number = number;
	for (int i = 0; i < CHANNEL_MESSAGE_WORDS; i++)
		message->value[i] = number * 7 + (uint64_t)i;
}

static int talk_work(void *ctx, uint32_t idx)
{
	struct talk *talk = ctx;

	for (uint64_t i = 0; i < MESSAGE_CNT; i++) {
		struct channel_message message, expected;
		int err;

		fill(&expected, i);
		if (idx == talk->slow && i % 1000 == 0)
			work_sleep_until(work_now_ns() + 300000);
		err = idx ? channel_receive(&talk->channel, &message) :
			    channel_send(&talk->channel, &expected);
		if (!err && idx && memcmp(&message, &expected, sizeof(message)))
			err = -EBADMSG;
		if (err)
			return err;
	}
	return 0;
}

TEST(workload_channels_keep_messages_and_their_order)
{
	for (int kind = 0; kind < CHANNEL_KIND_CNT; kind++) {
		for (uint32_t slow = 0; slow < 2; slow++) {
			struct talk talk = { .slow = slow };
			struct gang gang = {
				.name = "test", .cnt = 2, .ctx = &talk, .work = talk_work,
			};
			int err = channel_open(&talk.channel, (enum channel_kind)kind);

			if (err && kind == CHANNEL_MQUEUE)
				break;		/* some containers have none */
			REQUIRE(!err);
			CHECK_EQ(gang_of_threads(&gang), 0);
			if (kind != CHANNEL_THREAD)
				CHECK_EQ(gang_of_processes(&gang), 0);
			channel_close(&talk.channel);
		}
	}
}

TEST(workload_channel_names_match_their_kinds)
{
	CHECK_STR(channel_names[CHANNEL_PIPE], "pipe");
	CHECK_STR(channel_names[CHANNEL_SOCKETPAIR], "socketpair");
	CHECK_STR(channel_names[CHANNEL_SHM], "shm");
	CHECK_STR(channel_names[CHANNEL_MQUEUE], "mqueue");
	CHECK_STR(channel_names[CHANNEL_THREAD], "thread");
	CHECK(!channel_names[CHANNEL_KIND_CNT]);
}

TEST(workload_ranks)
{
	uint64_t v[] = { 30, 10, 20, 40 };

	CHECK_EQ(ranks_at(v, 0, 500), 0);
	ranks_sort(v, ARRAY_SIZE(v));
	CHECK_EQ(v[0], 10);
	CHECK_EQ(v[3], 40);
	CHECK_EQ(ranks_at(v, 4, 0), 10);
	CHECK_EQ(ranks_at(v, 4, 500), 20);
	CHECK_EQ(ranks_at(v, 4, 501), 30);
	CHECK_EQ(ranks_at(v, 4, 990), 40);
	CHECK_EQ(ranks_at(v, 4, 1000), 40);
	CHECK_EQ(ranks_at(v, 1, 500), 10);
}
