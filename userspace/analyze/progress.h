/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_ANALYZE_PROGRESS_H
#define LAB_ANALYZE_PROGRESS_H

/*
 * progress - when tasks and operations are in progress, in DESIGN's sense.
 *
 * A task is, between its first and its last run, while it runs, is ready or is blocked; except
 * - in join or child;
 * - in any other wait that its kin ends: its ancestor, its descendant, or a task of another process
 *   from whose first task it descends, or that descends from its own process's first one. Two kinds
 *   of wait are no such exception: a wait for a lock, of memory or of a file, and that of a worker
 *   of io_uring that has a request;
 * - in a wait that ends as its process does;
 * - in a nap that ticks (model/build_naps.c);
 * - in an idle wait, if it is a parked helper: a task that runs for less than 5 % of what the
 *   longest-running one does;
 * - while it waits for a CPU that it has just had, or after a wait in which it is not in progress,
 *   only to run for less than 5 % of that time, and for less than 100 us, and not to be ready at
 *   once again: what is left is to go and wait (below).
 *
 * Kin, because the relation shows whether two tasks call or converse. A task that waits for a task
 * that it made waits for an answer: its callee is at work for it. A task that waits for the one
 * that made it has no work: it is a thread of a pool between its answer and its next request. So a
 * job that is handed to one of N threads and waited for counts once, by whatever means it is handed
 * over. A parent and a child that both have work are both seen running or ready, or in waits of
 * their own. Peers, which another task made, count in their waits for each other: each of them has
 * work of its own (a pipeline, two players), as far as the kernel can tell. Only a task that has
 * work waits for a lock, whoever had the lock. A worker of io_uring has a request or none, and the
 * kernel tells which.
 *
 * Naps that tick, because a task that only looks at the clock until its process or its child ends
 * does nothing. The monitor of a runtime beside a task that computes is no second activity, nor is
 * a parent that asks whether its child has ended. Several tasks that nap until their process ends
 * are what the process is made of. A task that stops by itself has slept for its work, which may be
 * a course's stand-in for a download.
 *
 * What is left, because a task that has handed a job over is often preempted by the task it woke, a
 * few microseconds before it would wait. On a busy machine, and on one CPU, it would then count for
 * as long as the job lasts. And because many are woken where one job is to be had (an eventfd wakes
 * all that read it): a task that comes too late waits for the CPU of the one that has the job, and
 * then waits on.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyze/report.h"

/* One unbroken time in which a task or an operation is in progress. */
struct stretch {
	uint64_t start_ns, end_ns;
	size_t idx;		/* into model.tasks or model.ops */
};

struct stretches {
	struct stretch *v;
	size_t cnt, cap;
};

/* The task ran for less than 5 % of @longest_run_ns. */
bool progress_is_helper(uint64_t run_ns, uint64_t longest_run_ns);

/* The wait is one in which a helper parks when it has nothing to do. */
bool progress_is_idle(const struct model_span *s);

/*
 * @t is in progress during its span @s, which is not before its first run, nor after its last.
 * @helper: progress_is_helper().
 */
bool progress_counts(const struct model_task *t, const struct model_span *s, bool helper);

/* All stretches of all tasks, by task and time; needs report.tasks. free(out->v) releases them. */
void progress_of_tasks(const struct model *m, const struct report *r, struct stretches *out);

/*
 * How long helpers were in waits that may have been sleeps: in a futex, with a time limit, and no
 * probe saw whether the limit or a task ended them; or what follows makes it doubtful
 * (model/futex.h, rule 5). Idle waits, as far as is known. Likewise; saturates.
 */
uint64_t progress_perhaps_ns(const struct model *m, const struct report *r);

/* All operations that lasted, within the window; a part of one is none of its own. */
void progress_of_ops(const struct model *m, struct stretches *out);

#endif /* LAB_ANALYZE_PROGRESS_H */
