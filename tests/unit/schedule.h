/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_SCHEDULE_H
#define TESTS_SCHEDULE_H

/*
 * schedule - made-up runs, from a seed: a small simulation of a kernel's scheduler, of programs
 * that use it, and of the probes and the recorder that watch them.
 *
 * What the simulation does is written down twice: as the records that the probes would make
 * (bpf/ is the model of schedule_record.c), which become a trace file; and as the truth
 * (truth.h), for oracles to compute from. The same seed gives the same run.
 *
 *	struct schedule_options opt;
 *	struct schedule *s;
 *	struct model m;
 *
 *	schedule_options(&opt, seed);
 *	s = schedule_make(&opt);
 *	CHECK_EQ(schedule_load(s, &m), 0);	// through a file
 *	... s->truth against m, or against a report on m ...
 *	model_release(&m);
 *	schedule_free(s);
 */

#include <stdbool.h>
#include <stdint.h>

#include "model/model.h"
#include "trace/trace.h"
#include "truth.h"

#define SCHEDULE_CPUS_MAX 16

/* What the programs do most; see the table in schedule_action.c. */
enum schedule_profile {
	PROFILE_MIXED,
	PROFILE_COMPUTE,
	PROFILE_LOCKS,
	PROFILE_PIPES,
	PROFILE_LOOPS,
	PROFILE_SHELL,
	PROFILE_SLEEP,
	PROFILE_ONE_LOCK,
	PROFILE_CNT,
};

struct schedule_options {
	uint64_t seed;
	enum schedule_profile profile;
	unsigned int cpu_cnt;		/* up to SCHEDULE_CPUS_MAX */
	unsigned int usable_cnt;	/* of them, allowed to the root */
	unsigned int foreign_cnt;	/* tasks that are not ours */
	unsigned int birth_max;		/* of tasks of ours */
	unsigned int step_max;		/* of the simulation, until the end begins */
	uint64_t grain_ns;		/* all true times are multiples of it */
	uint64_t skew_ns;		/* CPUs' clocks are apart by up to this */
	unsigned int pace;		/* of 16: how long computing lasts */
	bool cut;			/* ended while tasks are alive */
	bool attach;			/* to a process that has threads already */
	bool ops;			/* the hooks behind --ops */
	bool hidden;			/* no probe runs while some foreign tasks have the CPU */
	bool steal;			/* tasks are charged less than they were on the CPU */
	bool context_unknown;		/* probes cannot tell an interrupt's waking */
	bool no_rq;			/* nor read the run queue's clock */
	bool stale_state;		/* a switch-out shows the state that a signal undid */
	bool far_numbers;		/* CPU numbers have holes */
	bool masks;			/* the probes tell which CPUs tasks may use */
	unsigned int refuse;		/* of 1000: records that rings refuse; bursts among them */
};

struct schedule {
	struct schedule_options opt;
	struct trace_meta meta;		/* owned */
	struct trace_end end;
	union lab_event *events;	/* by CPU and, for each, as they were put into its ring */
	size_t event_cnt, event_cap;
	uint64_t refused_cnt;
	uint64_t offset_ns[SCHEDULE_CPUS_MAX]; /* of each CPU's clock, in the order of cpus[] */
	uint16_t cpus[SCHEDULE_CPUS_MAX];
	struct truth truth;
};

/* What is made from @seed: lossless. Mostly small; some have 16 CPUs or 200 tasks. */
void schedule_options(struct schedule_options *out, uint64_t seed);

/* Never NULL. */
struct schedule *schedule_make(const struct schedule_options *opt);

/* Accepts NULL. */
void schedule_free(struct schedule *s);

/* A finished trace file, in chunks as a recorder would write them. @fd: empty. */
void schedule_write(const struct schedule *s, int fd);

/* Write, read and build. Return: model_build()'s. */
int schedule_load(const struct schedule *s, struct model *m);

/* The events as a reader gives them: by (ts_ns, cpu, seq). free() it. */
union lab_event *schedule_sorted(const struct schedule *s);

/* Build from @cnt events as they are, without a file. Return: model_builder_finish()'s. */
int schedule_build(const struct schedule *s, const union lab_event *events, size_t cnt,
		   struct model *m);

#endif /* TESTS_SCHEDULE_H */
