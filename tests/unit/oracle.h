/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_ORACLE_H
#define TESTS_ORACLE_H

/*
 * oracle - what lab should have said of a made-up schedule, computed the slow and obvious way from
 * the truth, and compared to the nanosecond.
 *
 * Time is cut at every instant at which anything begins or ends. Between two neighbouring
 * instants nothing changes, so every analysis is a sum over such moments; there are no sweeps,
 * heaps or sorted merges here. Nothing of userspace/analyze is used but the structures of
 * its results.
 */

#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyze/report.h"
#include "schedule.h"
#include "truth.h"

/* Between two neighbouring instants. */
struct moment {
	uint64_t start_ns, ns;
	const struct truth_span **spans;	/* [task]: what it does; NULL: not alive */
	const struct truth_seg **segs;		/* [CPU] */
};

struct oracle {
	const struct schedule *s;
	const struct truth *t;
	const struct model *m;
	const struct report *r;
	struct moment *moments;
	size_t moment_cnt;
	unsigned int failures;
	/* what one oracle finds for the next */
	uint64_t run_ns, busy_ns, parallel_ns, active_ns, concurrent_ns;
	bool beyond_eps, proven;	/* proven: two stays prove that two ran at once */
};

/* @o: what it borrows is filled in. oracle_release() it. */
void oracle_init(struct oracle *o);
void oracle_release(struct oracle *o);

/* One sentence with the seed before it, at most a few per schedule. */
void oracle_failed(struct oracle *o, const char *file, int line, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

#define ORACLE(o, cond, ...) \
	do { \
		if (!(cond)) \
			oracle_failed(o, __FILE__, __LINE__, __VA_ARGS__); \
	} while (0)

#define ORACLE_EQ(o, got, want) \
	do { \
		uint64_t got_ = (got), want_ = (want); \
		ORACLE(o, got_ == want_, #got ": %" PRIu64 ", should be %" PRIu64, got_, want_); \
	} while (0)

/* Whether a span is of this state in this moment. */
static inline bool moment_is(const struct moment *at, size_t task, enum span_state state)
{
	return at->spans[task] && at->spans[task]->state == state;
}

/* How many tasks are. */
unsigned int moment_count(const struct oracle *o, const struct moment *at, enum span_state state);

/* Of two CPUs, once oracle_clocks() has run. */
uint64_t oracle_eps(const struct oracle *o, uint16_t cpu_a, uint16_t cpu_b);

/* What becomes of CPUs in one moment because of ready tasks (oracle_placing.c). */
struct placed {
	uint64_t affinity, latency, balancing, interference;
};

/* Whether each ready task's CPUs are known; what follows takes every one for allowed if not. */
bool oracle_affinity_known(const struct oracle *o);
struct placed oracle_placed(const struct oracle *o, const struct moment *at, bool known);
void oracle_pinned(struct oracle *o);

/* The wait is one in which a helper parks. */
bool oracle_parks(const struct truth_span *s);

/* Whether @s is one of several waits that only let time pass (oracle_path.c). */
bool oracle_polls(const struct truth_task *task, const struct truth_span *s);

/* ---- the oracles, in the order that they need ---- */

void oracle_model(struct oracle *o);		/* the model is the truth */
void oracle_audit(struct oracle *o);		/* clean */
void oracle_tasks(struct oracle *o);
void oracle_calls(struct oracle *o);
void oracle_cpus(struct oracle *o);
void oracle_moves(struct oracle *o);
void oracle_waits(struct oracle *o);
void oracle_clocks(struct oracle *o);
void oracle_parallelism(struct oracle *o);
void oracle_capacity(struct oracle *o);
void oracle_bottles(struct oracle *o);
void oracle_concurrency(struct oracle *o);
void oracle_operations(struct oracle *o);
void oracle_range(struct oracle *o);
void oracle_locks(struct oracle *o);
void oracle_serializer(struct oracle *o);
void oracle_handovers(struct oracle *o);	/* for the one before, where no lock is one */
void oracle_loops(struct oracle *o);
void oracle_path(struct oracle *o);
void oracle_verdict(struct oracle *o);

#endif /* TESTS_ORACLE_H */
