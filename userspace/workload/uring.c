/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * uring - one thread keeps N requests in flight with io_uring. Each is for a message
 * that arrives after a while; when it has, the thread computes and makes the next request. The
 * messages come from the ring, too: a timer, and linked to it a write into the request's pipe.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <linux/time_types.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/alloc.h"
#include "util/log.h"
#include "workload/rows.h"
#include "workload/uring_ring.h"
#include "workload/work.h"

#define NS_PER_MS UINT64_C(1000000)

#define TASKS_MAX 64
#define PARTS 4			/* of a request in the ring at most, rounded up to a power of two */
#define DUE_MIN_NS (5 * NS_PER_MS)
#define DUE_MAX_NS (30 * NS_PER_MS)
#define COMPUTE_UNITS 6000	/* 3 ms: long against what a worker of the kernel runs */

enum how { HOW_WORKERS = 0, HOW_POLL = 1 };

/* What a completion is of; the request's number is above it. */
enum part { PART_TIMER = 0, PART_WRITE = 1, PART_MESSAGE = 2, PART_BITS = 2 };

struct request {
	int message[2];		/* the pipe that it comes through */
	int sink[2];		/* workers: the pipe that it is spliced into */
	uint64_t sent, got;
	struct __kernel_timespec due;
};

struct reader {
	struct uring_ring ring;
	struct request *requests;
	uint32_t request_cnt;
	uint32_t in_flight;
	enum how how;
	struct work_rng rng;
	uint64_t end_ns;
};

static const char *const how_names[] = { "workers", "poll", NULL };

static const struct opt uring_opts[] = {
	ROW_TASKS(2, TASKS_MAX, "how many requests in flight (default 8)"),
	ROW_CHOICE("how", how, "workers|poll", how_names,
		   "what waits for them: the kernel's threads, or callbacks (default workers)"),
	ROW_SECONDS("how long new requests are made (default 1)"),
	ROW_SEED,
	{ .name = NULL },
};

static void uring_claim(const struct workload_args *args, struct claim *claim)
{
	*claim = (struct claim){ .class = CLASS_CONCURRENT, .needs_cpus = 1 };
	if (args->how == HOW_WORKERS)
		snprintf(claim->why, sizeof(claim->why),
			 "threads that the kernel makes for it wait for the requests in flight");
	else
		snprintf(claim->why, sizeof(claim->why),
			 "one thread keeps every request in flight");
}

static int open_ring(struct uring_ring *ring, uint32_t task_cnt)
{
	int err = uring_ring_open(ring, task_cnt * PARTS);

	if (err)
		log_err("uring: io_uring cannot be used here: %s", uring_ring_why(err));
	return err;
}

static int uring_check(const struct workload_args *args)
{
	struct uring_ring ring;
	int err = open_ring(&ring, args->tasks);

	if (!err)
		uring_ring_close(&ring);
	return err;
}

/*
 * A splice from an empty pipe is waited for by a thread of the kernel's own making,
 * a worker. A read from one is not: the kernel puts a callback there.
 */
static void fill_request(struct io_uring_sqe *sqe, struct request *request, enum how how)
{
	if (how == HOW_WORKERS)
		*sqe = (struct io_uring_sqe){
			.opcode = IORING_OP_SPLICE,
			.splice_fd_in = request->message[0],
			.splice_off_in = (uint64_t)-1,
			.fd = request->sink[1],
			.off = (uint64_t)-1,
			.len = sizeof(request->got),
		};
	else
		*sqe = (struct io_uring_sqe){
			.opcode = IORING_OP_READ,
			.fd = request->message[0],
			.off = (uint64_t)-1,
			.addr = (uintptr_t)&request->got,
			.len = sizeof(request->got),
		};
}

/* Request message @idx, and have it sent after a while. Return: 0, or -errno. */
static int begin(struct reader *reader, uint64_t idx)
{
	struct request *request = &reader->requests[idx];
	/* A hard link: that a timer has run out is an error to it, and breaks a soft one. */
	struct io_uring_sqe timer = {
		.opcode = IORING_OP_TIMEOUT,
		.flags = IOSQE_IO_HARDLINK,
		.addr = (uintptr_t)&request->due,
		.len = 1,
		.user_data = idx << PART_BITS | PART_TIMER,
	};
	struct io_uring_sqe write = {
		.opcode = IORING_OP_WRITE,
		.fd = request->message[1],
		.off = (uint64_t)-1,
		.addr = (uintptr_t)&request->sent,
		.len = sizeof(request->sent),
		.user_data = idx << PART_BITS | PART_WRITE,
	};
	struct io_uring_sqe message;
	int err;

	request->sent = work_random(&reader->rng);
	request->due.tv_nsec = (long)work_random_within(&reader->rng, DUE_MIN_NS, DUE_MAX_NS);
	fill_request(&message, request, reader->how);
	message.user_data = idx << PART_BITS | PART_MESSAGE;
	err = uring_ring_add(&reader->ring, &message);
	if (!err)
		err = uring_ring_add(&reader->ring, &timer);
	if (!err)
		err = uring_ring_add(&reader->ring, &write);
	if (!err)
		reader->in_flight++;
	return err;
}

/* Return: 0, or -errno; -EBADMSG: what arrived is not what was sent. */
static int receive(struct reader *reader, struct request *request)
{
	if (reader->how == HOW_WORKERS &&
	    read(request->sink[0], &request->got, sizeof(request->got)) != sizeof(request->got))
		return -EBADMSG;
	return request->got == request->sent ? 0 : -EBADMSG;
}

/* Return: 0, or -errno. */
static int complete(struct reader *reader, uint64_t data, int32_t result)
{
	enum part part = data & ((1 << PART_BITS) - 1);
	uint64_t idx = data >> PART_BITS;
	int err;

	if (part == PART_TIMER)
		return result == -ETIME ? 0 : -EBADMSG;
	if (result < 0)
		return result;
	if (result != sizeof(uint64_t))
		return -EBADMSG;
	if (part == PART_WRITE)
		return 0;
	reader->in_flight--;
	err = receive(reader, &reader->requests[idx]);
	if (!err)
		err = work_compute(&reader->rng, COMPUTE_UNITS);
	if (!err && work_now_ns() < reader->end_ns)
		err = begin(reader, idx);
	return err;
}

static int turn_until_done(struct reader *reader)
{
	while (reader->in_flight) {
		uint64_t data;
		int32_t result;
		int err = uring_ring_enter(&reader->ring);

		while (!err && uring_ring_take(&reader->ring, &data, &result))
			err = complete(reader, data, result);
		if (err) {
			log_err("uring: a request failed: %s",
				err == -EBADMSG ? "what arrived is not what was sent" :
				err == -EIO ? "this machine's arithmetic is broken" :
					      strerror(-err));
			return err;
		}
	}
	return 0;
}

/* Return: 0, or -errno, logged; close_pipes() in any case. */
static int begin_all(struct reader *reader)
{
	for (uint32_t i = 0; i < reader->request_cnt; i++) {
		struct request *request = &reader->requests[i];
		int err = 0;

		if (pipe2(request->message, O_CLOEXEC) || pipe2(request->sink, O_CLOEXEC))
			err = -errno;
		if (!err)
			err = begin(reader, i);
		if (err) {
			log_err("uring: request %u of %u cannot be made: %s", i + 1,
				reader->request_cnt, strerror(-err));
			return err;
		}
	}
	return 0;
}

static void close_pipes(struct reader *reader)
{
	for (uint32_t i = 0; i < reader->request_cnt; i++) {
		for (int side = 0; side < 2; side++) {
			if (reader->requests[i].message[side])
				close(reader->requests[i].message[side]);
			if (reader->requests[i].sink[side])
				close(reader->requests[i].sink[side]);
		}
	}
}

static int uring_run(const struct workload_args *args)
{
	struct reader reader = {
		.request_cnt = args->tasks,
		.how = (enum how)args->how,
		.end_ns = work_now_ns() + args->duration_ns,
	};
	int err = open_ring(&reader.ring, args->tasks);

	if (err)
		return EXIT_FAILURE;
	/* Else it makes one more whenever the last has not quite come to rest. */
	uring_ring_limit_workers(&reader.ring, args->tasks);
	work_rng_init(&reader.rng, args->seed, 0);
	reader.requests = xcalloc(args->tasks, sizeof(*reader.requests));
	err = begin_all(&reader);
	if (!err)
		err = turn_until_done(&reader);
	uring_ring_close(&reader.ring);
	close_pipes(&reader);
	free(reader.requests);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}

const struct workload workload_uring = {
	.name = "uring",
	.shows = "one thread with many requests in flight through io_uring, and who waits for them",
	.opts = uring_opts,
	.defaults = {
		.tasks = 8,
		.how = HOW_WORKERS,
		.duration_ns = UINT64_C(1000000000),
		.seed = 1,
	},
	.claim = uring_claim,
	.check = uring_check,
	.run = uring_run,
};
