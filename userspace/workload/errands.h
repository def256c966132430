/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_WORKLOAD_ERRANDS_H
#define LAB_WORKLOAD_ERRANDS_H

/*
 * errands - a fixed amount of work, done in one of several ways. An errand is a number of pieces;
 * each is a wait (perhaps of no time) and then so many units of arithmetic. The
 * seed gives what is in them, so that every way has exactly the same to do.
 *
 * cpu    pieces of about 2.5 ms, no waits
 * io     waits of 4 to 12 ms, and 0.05 ms of arithmetic behind each
 * mixed  arithmetic of 0.5 to 2.5 ms, behind a wait of about as long
 *
 * An errand marks its beginning and its end (access(2), see README), so that a tracer which looks
 * for marks sees when each was done.
 */

#include <stdbool.h>
#include <stdint.h>

#include "workload/work.h"
#include "workload/workload.h"

#define ERRANDS_TASKS_MAX 1000

struct errand {
	struct work_rng plan;	/* what the pieces are */
	struct work_rng rng;	/* what is computed */
	enum work_kind work;
	uint32_t idx;		/* from 0 */
	uint32_t left;		/* pieces that errand_next() has not told yet */
};

/* One piece of an errand. */
struct errand_piece {
	uint64_t wait_ns;
	uint64_t units;
};

void errand_init(struct errand *errand, const struct workload_args *args, uint32_t idx);

/* The next piece; false: there is none left. */
bool errand_next(struct errand *errand, struct errand_piece *piece);

/* Say, to whoever looks, that it begins or has ended. */
void errand_mark(const struct errand *errand, bool begins);

/*
 * All of it, in the calling thread, sleeping where there is a wait. Return: 0, or -EIO as
 * work_compute().
 */
int errand_do(struct errand *errand);

/*
 * All @args->tasks of them in the calling thread, which turns to whichever is not waiting. Return:
 * 0 or -errno, logged.
 */
int errands_in_a_loop(const struct workload_args *args);

#endif /* LAB_WORKLOAD_ERRANDS_H */
