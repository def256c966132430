/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_WORKLOAD_HOG_JOB_H
#define LAB_WORKLOAD_HOG_JOB_H

/*
 * hog_job - what takes too long for an event loop: arithmetic, or a call that blocks. And two
 * places outside of the loop where it may be done: a pool of threads, and one of processes.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "workload/workload.h"

enum hog_how { HOG_COMPUTING = 0, HOG_BLOCKING = 1 };

/* The call that blocks. */
enum hog_call {
	HOG_SLEEP = 0,
	HOG_READ = 1,	/* of a pipe, for the answer of a process that takes its time */
	HOG_FSYNC = 2,	/* after writing, again and again, to a file in the working folder */
};

struct hog_job {
	enum hog_how how;
	enum hog_call call;
	uint64_t long_ns;	/* computing: on a CPU; else, at least, of time */
	uint32_t seed;
	pid_t answerer;		/* HOG_READ: the process that answers; else 0 */
	int request_fd, answer_fd;
	int file_fd;		/* HOG_FSYNC */
};

/* Make what the call needs. Return: 0, or -errno after one logged sentence. */
int hog_job_open(struct hog_job *job, const struct workload_args *args);

/* Accepts one that was not opened wholly. */
void hog_job_close(struct hog_job *job);

/* All of it, in the calling thread. Return: 0 or -errno. */
int hog_job_do(const struct hog_job *job);

/* HOG_READ: the request alone, whose answer makes answer_fd ready; then the answer. 0 or -errno. */
int hog_job_ask(const struct hog_job *job);
int hog_job_take_answer(const struct hog_job *job);

#define HOG_POOL_CNT 2

/* Workers that each do one job at a time. */
struct hog_pool {
	const struct hog_job *job;
	bool of_processes;
	uint32_t cnt;			/* workers there are */
	int fds[HOG_POOL_CNT];		/* one per worker: ready when its job is done */
	bool busy[HOG_POOL_CNT];
	pid_t pids[HOG_POOL_CNT];	/* processes */
	struct hog_threads *threads;	/* threads; owned */
};

/* Return: 0, or -errno after one logged sentence; close it in either case. */
int hog_pool_open(struct hog_pool *pool, const struct hog_job *job, bool of_processes);

/* Ends the workers. */
void hog_pool_close(struct hog_pool *pool);

/* Give the job to a worker that has none. Return: 0, -EBUSY, or -errno. */
int hog_pool_submit(struct hog_pool *pool);

/* @worker's fd is ready: take what came of its job. Return: 0 or -errno. */
int hog_pool_collect(struct hog_pool *pool, uint32_t worker);

#endif /* LAB_WORKLOAD_HOG_JOB_H */
