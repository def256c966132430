/* SPDX-License-Identifier: GPL-2.0-only */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "workload/async_op.h"
#include "workload/async_tcp.h"
#include "workload/workload.h"

#define MS UINT64_C(1000000)

static int run_async(uint32_t tasks, uint32_t seed)
{
	const struct workload *async = workload_find("async");
	struct workload_args args = async->defaults;

	args.tasks = tasks;
	args.duration_ns = 200 * MS;
	args.seed = seed;
	return async->run(&args);
}

static unsigned int open_fd_cnt(void)
{
	unsigned int cnt = 0;

	for (int fd = 0; fd < 1024; fd++)
		cnt += fcntl(fd, F_GETFD) >= 0;
	return cnt;
}

TEST(workload_async_runs)
{
	static const uint32_t tasks[] = { 1, 2, 3, 30, 300 };
	unsigned int before_cnt = open_fd_cnt();

	for (size_t i = 0; i < sizeof(tasks) / sizeof(tasks[0]); i++) {
		uint64_t begin_ns = work_now_ns();

		CHECK_EQ(run_async(tasks[i], (uint32_t)i), 0);
		/* The last round of each lies in the last third. */
		CHECK(work_now_ns() - begin_ns > 130 * MS);
		CHECK_EQ(open_fd_cnt(), before_cnt);
	}
}

TEST(workload_async_raises_its_soft_limit)
{
	struct rlimit limit;

	REQUIRE(!getrlimit(RLIMIT_NOFILE, &limit));
	if (limit.rlim_max < 1000)
		SKIP("the hard limit of descriptors is too low");
	limit.rlim_cur = 20;
	REQUIRE(!setrlimit(RLIMIT_NOFILE, &limit));
	CHECK_EQ(run_async(300, 1), 0);
}

TEST(workload_async_says_when_descriptors_are_missing)
{
	struct rlimit limit = { .rlim_cur = 60, .rlim_max = 60 };

	REQUIRE(!setrlimit(RLIMIT_NOFILE, &limit));
	CHECK_EQ(run_async(300, 1), 1);
}

TEST(workload_async_kinds_take_turns)
{
	uint32_t cnt[ASYNC_KIND_CNT] = { 0 };

	for (uint32_t i = 0; i < 100; i++) {
		struct async_op op;

		async_op_init(&op, i, 1);
		cnt[op.kind]++;
		CHECK(op.round_cnt >= 3 && op.round_cnt <= 5);
	}
	CHECK_EQ(cnt[ASYNC_TIMER], 34);
	CHECK_EQ(cnt[ASYNC_PIPE], 33);
	CHECK_EQ(cnt[ASYNC_TCP], 33);
}

/* An operation whose two ends the test holds. */
static void open_pipe_op(struct async_op *op, const struct async_span *span)
{
	async_op_init(op, ASYNC_PIPE, 1);
	REQUIRE(!async_op_open(op));
	REQUIRE(async_op_begin(op, span) == ASYNC_DUE);
}

TEST(workload_async_pipe_goes_through_its_rounds)
{
	struct async_span span = { .start_ns = 1000, .duration_ns = 300 };
	uint64_t last_ns = 0;
	struct async_op op;
	int next = ASYNC_DUE;

	open_pipe_op(&op, &span);
	for (uint32_t round = 0; round < op.round_cnt; round++) {
		CHECK_EQ(next, ASYNC_DUE);
		CHECK_EQ(op.round, round);
		CHECK(op.due_ns >= last_ns && op.due_ns <= 1300);
		last_ns = op.due_ns;
		CHECK_EQ(async_op_step(&op, &span, false), ASYNC_WAIT);
		next = async_op_step(&op, &span, true);
	}
	CHECK_EQ(next, ASYNC_DONE);
	CHECK(last_ns >= 1200);
	async_op_close(&op, -1);
	async_op_close(&op, -1);
}

TEST(workload_async_refuses_what_was_not_sent)
{
	struct async_span span = { .start_ns = 0, .duration_ns = 300 };
	struct async_msg forged = { .op_idx = ASYNC_PIPE, .value = 12345 };
	struct async_op op;

	open_pipe_op(&op, &span);
	CHECK_EQ(async_op_step(&op, &span, true), -EPROTO);
	/* The forged message is in the pipe first. */
	CHECK_EQ(write(op.peer_fd, &forged, sizeof(forged)), sizeof(forged));
	CHECK_EQ(async_op_step(&op, &span, false), ASYNC_WAIT);
	CHECK_EQ(async_op_step(&op, &span, true), -EBADMSG);
	async_op_close(&op, -1);

	open_pipe_op(&op, &span);
	CHECK_EQ(async_op_step(&op, &span, false), ASYNC_WAIT);
	CHECK_EQ(read(op.fd, &forged, sizeof(forged)), sizeof(forged));
	CHECK_EQ(async_op_step(&op, &span, true), ASYNC_WAIT);
	close(op.peer_fd);
	op.peer_fd = -1;
	CHECK_EQ(async_op_step(&op, &span, true), -EPIPE);
	async_op_close(&op, -1);
}

TEST(workload_async_message_in_parts)
{
	struct async_span span = { .start_ns = 0, .duration_ns = 300 };
	struct async_msg msg;
	struct async_op op;

	open_pipe_op(&op, &span);
	CHECK_EQ(async_op_step(&op, &span, false), ASYNC_WAIT);
	REQUIRE(read(op.fd, &msg, sizeof(msg)) == sizeof(msg));
	CHECK_EQ(write(op.peer_fd, &msg, 7), 7);
	CHECK_EQ(async_op_step(&op, &span, true), ASYNC_WAIT);
	CHECK_EQ(write(op.peer_fd, (char *)&msg + 7, sizeof(msg) - 7), sizeof(msg) - 7);
	CHECK_EQ(async_op_step(&op, &span, true), ASYNC_DUE);
	CHECK_EQ(op.round, 1);
	async_op_close(&op, -1);
}

TEST(workload_async_client_checks_the_answer)
{
	struct async_span span = { .start_ns = 0, .duration_ns = 300 };
	int straight[2], detour[2];
	struct async_msg msg;
	struct async_op op;

	REQUIRE(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, straight));
	REQUIRE(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, detour));
	async_op_init(&op, ASYNC_TCP, 1);
	op.fd = straight[0];
	op.peer_fd = straight[1];
	CHECK_EQ(async_op_begin(&op, &span), ASYNC_DUE);
	CHECK_EQ(async_op_step(&op, &span, false), ASYNC_WAIT);
	CHECK_EQ(async_op_step(&op, &span, true), ASYNC_DUE);
	CHECK_EQ(op.state, ASYNC_RESTING);
	CHECK_EQ(op.round, 1);

	/* The second answer comes late, and is changed on its way. */
	CHECK_EQ(async_op_step(&op, &span, false), ASYNC_WAIT);
	op.peer_fd = detour[1];
	CHECK_EQ(async_op_step(&op, &span, true), ASYNC_DUE);
	CHECK_EQ(op.state, ASYNC_READING);
	CHECK_EQ(async_op_step(&op, &span, false), ASYNC_DUE);
	CHECK_EQ(op.state, ASYNC_READING);
	REQUIRE(read(straight[1], &msg, sizeof(msg)) == sizeof(msg));
	CHECK_EQ(work_mul(msg.value, msg.inverse), 1);
	msg.inverse ^= 1;
	CHECK_EQ(write(detour[0], &msg, sizeof(msg)), sizeof(msg));
	CHECK_EQ(async_op_step(&op, &span, false), -EBADMSG);
	close(detour[0]);
	close(straight[1]);
	async_op_close(&op, -1);
}

TEST(workload_async_connects_every_tcp_operation)
{
	struct async_op ops[30];
	struct epoll_event event;
	int epoll_fd = epoll_create1(0);

	for (uint32_t i = 0; i < 30; i++)
		async_op_init(&ops[i], i, 1);
	REQUIRE(!async_tcp_connect_all(ops, 30, epoll_fd));
	for (uint32_t i = 0; i < 30; i++) {
		if (ops[i].kind != ASYNC_TCP) {
			CHECK_EQ(ops[i].fd, -1);
			continue;
		}
		/* What a client sends is ready at its own operation and no other. */
		CHECK_EQ(write(ops[i].peer_fd, "x", 1), 1);
		REQUIRE(epoll_wait(epoll_fd, &event, 1, 1000) == 1);
		CHECK_EQ(event.data.u64, i);
		async_op_close(&ops[i], epoll_fd);
	}
	CHECK_EQ(epoll_wait(epoll_fd, &event, 1, 0), 0);
	close(epoll_fd);
}
