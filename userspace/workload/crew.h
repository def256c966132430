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
	atomic_bool stop;	/* set by the owner: threads end early */
};

/* --tasks, --work, --seconds and --seed, for every workload that is a crew. */
extern const struct opt crew_opts[];

/* What a crew of these arguments turns out to be; @who are "processes" or "threads". */
void crew_claim(const struct workload_args *args, const char *who, struct claim *claim);

/* Choose the instants. To be called right before the first birth; owns no memory. */
void crew_init(struct crew *crew, const struct workload_args *args);

/* To be called after each birth; sleeps where the kind of work wants births spaced. */
void crew_space_births(const struct crew *crew, uint32_t born_cnt);

/**
 * crew_work() - be worker @idx (from 0) of the crew, in the calling thread
 *
 * Names the thread "worker/1" for @idx 0, and so on.
 * Return: 0, or -EIO after one logged sentence if a result was wrong.
 */
int crew_work(const struct crew *crew, uint32_t idx);

#endif /* LAB_WORKLOAD_CREW_H */
