/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_ANALYZE_FINDINGS_H
#define LAB_ANALYZE_FINDINGS_H

/* findings - the part of report.h that says what held the run up; the rules of report.h apply. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/model.h"

/* ---- serializer: what lets one task run at a time (analyze/serializer.c, handovers.c) ---- */

#define SERIALIZER_TASKS_MAX 8

enum serializer_kind {
	SERIALIZER_LOCK = 0,	/* one lock */
	SERIALIZER_HANDOVERS = 1, /* tasks that end each other's waits, whatever these are for */
};

/*
 * Integrals over the window, with a tasks running, r ready, b blocked on the lock (or ready, and
 * about to be, after a run of no account: fake.h), P usable CPUs, and [n] for
 * max(min(n, P) - 1, 0): the CPUs beyond the first that n tasks can use. Only instants at which one
 * or more run or are ready count. reached + ready + locked is demand. For hand-overs, b counts the
 * tasks that wait for another of the group while one of the group runs or is ready. Such a task
 * counts only for as long before its wait's end as it then runs.
 */
struct report_serializer {
	enum serializer_kind kind;
	enum reason through;	/* what most of the waits are for */
	bool present;
	bool measured;		/* a lock was waited for while a second CPU could have been used */
	uint32_t mm_id, tgid;	/* as in struct report_lock */
	/*
	 * where most of the waits for it were; hand-overs: 0, if not nine tenths of the time at
	 * one futex
	 */
	uint64_t addr;
	const struct model_symbol *symbol; /* of the model; NULL: not known */
	uint64_t demand_ns;	/* [a + r + b]: use for more than one CPU */
	uint64_t reached_ns;	/* [a]: use made of more than one */
	uint64_t ready_ns;	/* [a + r] - [a]: kept from it for want of CPUs */
	uint64_t locked_ns;	/* the rest: kept from it by the lock */
	uint32_t index_ppm;	/* 1 - reached / demand, in millionths, rounded down */
	uint32_t tasks[SERIALIZER_TASKS_MAX]; /* who waited for it, longest first */
	uint32_t task_cnt;	/* different tasks; may exceed SERIALIZER_TASKS_MAX */
	uint32_t had_by;	/* a lock: of these, those that had it then; hand-overs: 0 */
};

/* ---- deadlock: tasks that wait for each other in a circle at the end (analyze/deadlock.c) ---- */

/* How it is known who had what is waited for. */
enum deadlock_evidence {
	EVIDENCE_JOIN = 0,	/* a thread's end: the value that the kernel compared is its tid */
	EVIDENCE_VALUE = 1,	/* a lock: the value that the kernel compared has its owner's tid */
	EVIDENCE_PI = 2,	/* a PI lock: so does its word, as the kernel wants it */
	EVIDENCE_LIBRARY = 3,	/* a lock: the C library keeps its owner beside it */
	EVIDENCE_WAKE = 4,	/* a lock that keeps its owner: who was woken there last */
};

struct deadlock_wait {
	uint32_t task_id;	/* waits */
	uint32_t owner_id;	/* for this one, which is the next of the circle */
	uint64_t addr;
	uint32_t mm_id;		/* as in struct report_lock */
	const struct model_symbol *symbol; /* of the model; NULL: not known */
	enum deadlock_evidence evidence;
	uint64_t start_ns;
};

struct report_deadlock {
	bool known;		/* false: records are missing, and they might refute a deadlock */
	bool present;
	struct deadlock_wait *waits; /* one circle, from its eldest task on; owned */
	size_t wait_cnt, wait_cap;
	uint64_t since_ns;	/* when its last wait began */
	uint32_t circles;	/* all there are; the one with the eldest task is kept */
	uint32_t behind_cnt;	/* tasks outside of circles whose waits lead into one */
	/* Every futex wait at the end whose owner is known, in a circle or not, by task; owned. */
	struct deadlock_wait *links;
	size_t link_cnt, link_cap;
};

/* ---- stuck: a run in which nothing could go on at its end (analyze/stuck.c) ---- */

/* A wait that lasted until the run was cut off. */
struct stuck_wait {
	uint32_t task_id;
	uint32_t awaits_id;	/* the task that it waits for; 0: not known */
	uint32_t behind_cnt;	/* tasks that wait for this one, directly or through others */
	uint32_t owner_tid;	/* of a lock whose owner is a thread of another process; else 0 */
	uint8_t reason;		/* enum reason */
	const char *call;	/* static; NULL: none that has a name */
	uint64_t addr;		/* of a futex; of a pipe its descriptor */
	uint32_t mm_id;		/* as in struct report_lock */
	const struct model_symbol *symbol; /* of the model; NULL: not known */
	uint64_t start_ns;
};

/*
 * From since_ns to until_ns every living task was blocked in a wait that only another task of
 * the run could have ended: none of them could run again.
 */
struct report_stuck {
	bool known;		/* false: records are missing, and a wake may be among them */
	bool present;
	uint64_t since_ns;	/* when the last of the waits began */
	uint64_t until_ns;	/* the cut, or when a signal from outside ended the first of them */
	struct stuck_wait *waits; /* first those that wait for no task; owned */
	size_t wait_cnt, wait_cap;
};

/* ---- spinning: CPUs kept busy by tasks that wait in a loop (analyze/spinning.c) ---- */

struct report_spinning {
	bool present;		/* often enough to matter */
	uint64_t yields;	/* times that a task left its CPU to another with sched_yield(2) */
	uint64_t empty_polls;	/* returns of epoll_wait without an event or a wait (--ops) */
	uint64_t run_ns;	/* run time that ended with such a yield */
	uint32_t task_cnt;	/* different tasks */
	uint32_t task_id;	/* who did it most often */
};

/* ---- rounds: tasks that wait for each other repeatedly, as at barriers (analyze/rounds.c) ---- */

/*
 * A round is over when one task ends the waits of two or more at one futex, at once: it came last.
 * wait_ns sums over the waiters.
 */
struct report_rounds {
	bool present;
	uint32_t mm_id, tgid;	/* as in struct report_lock */
	uint64_t addr;
	const struct model_symbol *symbol; /* of the model; NULL: not known */
	uint64_t rounds, wait_ns;
	uint32_t task_cnt;	/* different tasks, who came last included */
	uint32_t last_id;	/* who came last most often */
	uint64_t last_cnt;	/* so many times */
};

/* ---- pool: threads that wait for jobs, and too few or too many of these (analyze/pool.c) ---- */

struct report_pool {
	/* for 5 % of the run or more one of them had a job, and one of the two below */
	bool present;
	/* jobs enough to use every thread or CPU were there for less than 5 % of active_ns */
	bool idles;
	uint32_t task_cnt;	/* threads */
	uint32_t parent_id;	/* who made them */
	uint32_t task_id;	/* the one that ran longest */
	uint32_t at_once;	/* so many had one at once; more did for under 5 % of active_ns */
	uint64_t active_ns;	/* one of them had a job, or more */
	uint64_t beyond_ns;	/* more than at_once had */
	uint64_t queued_ns;	/* each had one, and more operations than threads were in flight */
	uint32_t op_cnt;	/* so many at most then; 0: never */
};

/* ---- tail: the last part of the run, with one task at a time active (analyze/tail.c) ---- */

struct report_tail {
	bool present;		/* a tenth of the run or more, and half of it or more was work */
	/* the last instant at which two tasks ran or were ready, except for moments */
	uint64_t start_ns;
	uint64_t ns;		/* from then to the window's end */
	uint64_t run_ns;	/* work in it */
	uint32_t task_id;	/* who ran longest in it; 0: nobody */
	uint64_t task_run_ns;
};

#endif /* LAB_ANALYZE_FINDINGS_H */
