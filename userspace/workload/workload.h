/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_WORKLOAD_WORKLOAD_H
#define LAB_WORKLOAD_WORKLOAD_H

/*
 * workload - programs that show one thing each. A workload is an ordinary
 * program: it does not know that it is watched, and may include only claim.h
 * and util.
 *
 * One file each, defining `const struct workload workload_NAME`, and one line
 * WORKLOAD(NAME) in workload.def.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "claim.h"
#include "util/opts.h"

enum work_kind {
	WORK_CPU = 0,	/* computes all the time */
	WORK_IO = 1,	/* sleeps most of the time, computes briefly in between */
	WORK_MIXED = 2,	/* half and half */
};

/* The values of every parameter that any workload takes; each takes a subset. */
struct workload_args {
	uint32_t tasks;
	uint32_t work;		/* enum work_kind */
	uint64_t duration_ns;	/* --seconds */
	uint32_t seed;
	uint32_t rounds;	/* how often, or how many pieces */
	uint32_t how;		/* one of the ways that the workload has */
	uint32_t over;		/* what messages go over, likewise */
	uint32_t where;		/* where the workers are, likewise */
	uint32_t batch;		/* messages before an answer */
	uint32_t touch_mib;
	uint32_t serial_percent;
	uint32_t mend;		/* one of its ways to do better */
	uint32_t slots;		/* of a queue */
	uint32_t call;		/* one of the calls that it may make */
	uint64_t long_ns;
	uint64_t interval_ns;
	uint64_t unit_ns;	/* of lengths that are told in units */
	bool free;		/* without the lock */
};

struct workload {
	const char *name;
	const char *shows;		/* one line for `lab list` */
	const struct opt *opts;		/* its own options, offsets in struct workload_args */
	struct workload_args defaults;
	bool wants_ops;			/* its operations show only with the syscall hooks on */

	/* What these arguments should turn out to be; fills @claim wholly. */
	void (*claim)(const struct workload_args *args, struct claim *claim);

	/**
	 * check - whether this machine lets it run with these arguments
	 *
	 * Runs in lab itself before anything is recorded. May be NULL.
	 * Return: 0, or -errno after one logged sentence (the run is then refused, exit 2).
	 */
	int (*check)(const struct workload_args *args);

	/**
	 * amount - how much work these arguments are, in a unit of its own
	 *
	 * NULL: it works for a time, or for what it has to show, and runs of other arguments
	 * cannot be compared by how long they took.
	 */
	uint64_t (*amount)(const struct workload_args *args);

	/**
	 * run - do it
	 *
	 * Called in a process of its own with one thread, default signal
	 * dispositions and no lab state; what it returns becomes the exit status. Prints
	 * nothing on stdout. Ends its children when it is killed.
	 */
	int (*run)(const struct workload_args *args);
};

/* All of workload.def, in its order, ended by NULL. */
extern const struct workload *const workloads[];

/* Return: the workload, or NULL. */
const struct workload *workload_find(const char *name);

#endif /* LAB_WORKLOAD_WORKLOAD_H */
