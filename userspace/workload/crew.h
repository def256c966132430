/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_WORKLOAD_CREW_H
#define LAB_WORKLOAD_CREW_H

/*
 * crew - N workers that work side by side, whatever they are made of: procs
 * makes them of processes, threads of threads. Workers share nothing but the
 * crew, which they only read, and take no lock.
 *
 * The work begins at one instant, which lies far enough ahead for all to be born.
 *
 * cpu    computes from the start to the end, which is one instant for all.
 * mixed  computes for a random while (some milliseconds), sleeps as long as
 *        that took, and so on to the same end. Two workers compute at once in
 *        about a third of the time in which one does.
 * io     waits for answers, as if from one device that serves one request at
 *        a time: time is cut into slots, every round of N slots gives each
 *        worker one of them in a random order, and the worker sleeps until its
 *        slot and computes for a small part of it. Everybody waits at once and
 *        nearly nobody computes at once, however many they are. The births
 *        are spaced for the same reason, and a worker ends after its last
 *        slot. The slots are 2 to 5 ms and there are three rounds at least, so
 *        many workers may take longer than was asked (1,000: 6 s).
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "claim.h"
#include "util/opts.h"
#include "workload/workload.h"

#define CREW_TASKS_MAX 1000

struct crew {
	uint32_t tasks;
	enum work_kind work;
	uint32_t seed;
	uint64_t start_ns;	/* CLOCK_MONOTONIC, as end_ns */
	uint64_t end_ns;
	uint64_t slot_ns;	/* io only, as round_cnt */
	uint64_t round_cnt;
	int32_t cpu;		/* all workers are kept on it; CREW_ANY_CPU: on none */
	const char *name;	/* the workload's, for messages; with a cpu only */
	atomic_bool stop;	/* set by the owner: threads end early */
};

#define CREW_ANY_CPU (-1)

/* --tasks, --work, --seconds and --seed, for every workload that is a crew. */
extern const struct opt crew_opts[];

/* What a crew of these arguments turns out to be; @who are "processes" or "threads". */
void crew_claim(const struct workload_args *args, const char *who, struct claim *claim);

/* Choose the instants. To be called right before the first birth; owns no memory. */
void crew_init(struct crew *crew, const struct workload_args *args);

/**
 * crew_work() - be worker @idx (from 0) of the crew, in the calling thread
 *
 * Return: 0; -EIO if a result was wrong, not logged; or another -errno after one logged sentence.
 */
int crew_work(const struct crew *crew, uint32_t idx);

/**
 * crew_of_processes() - a whole crew, from the first birth to the last end
 * @name: the workload's, for messages
 *
 * Return: the exit status.
 */
int crew_of_processes(const struct workload_args *args, const char *name);

/* As crew_of_processes(). @cpu: keep the workers there, and only them; or CREW_ANY_CPU. */
int crew_of_threads(const struct workload_args *args, const char *name, int32_t cpu);

#endif /* LAB_WORKLOAD_CREW_H */
