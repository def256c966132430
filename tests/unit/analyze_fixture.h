/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_TESTS_ANALYZE_FIXTURE_H
#define LAB_TESTS_ANALYZE_FIXTURE_H

/*
 * analyze_fixture - models made by hand for the tests of the analyses.
 *
 * A task's life is a string with one character per unit of time:
 *
 *	0..9	running on that CPU
 *	.	ready
 *	L C J W	blocked: lock, cond, join, child
 *	E P S I	epoll, poll, sleep, pipe
 *	N U D F	socket, io_uring, disk, page fault
 *	K T G O	kernel lock, stopped, signal, other
 *	X M Q	lock of a file, semaphore, queue of messages
 *	A	socket, in accept
 *	l c ...	the same, ended by the task's own descendant
 *	|	takes no time, and ends a span that would go on
 *
 * Tasks get birth numbers 1, 2, ... and tids 101, 102, ...; the window begins
 * at AFX_START_NS. The model is complete, clean and ended by the last exit.
 */

#include "analyze/report.h"
#include "model/model.h"

#define AFX_START_NS 7000000000ULL
#define AFX_MS 1000000ULL

struct afx {
	struct model m;
	struct report r;
	uint64_t unit_ns;
};

/* An empty window of @unit_cnt units on CPUs 0 .. @cpu_cnt - 1. */
void afx_init(struct afx *f, unsigned int cpu_cnt, uint64_t unit_ns, unsigned int unit_cnt);

/* A task born @at units after the start. Return: its index. */
size_t afx_task(struct afx *f, unsigned int at, const char *life);

/* The nth span of a task. */
struct model_span *afx_span(struct afx *f, size_t task, size_t nth);

/* The nth span of all tasks, one task after the other. */
struct model_span *afx_any_span(struct afx *f, size_t nth);

/* An operation of task @task_id, open during these units. */
void afx_op(struct afx *f, uint32_t task_id, unsigned int from, unsigned int until);

/*
 * From @at units on, task number @task may use these CPUs; bit c is CPU c. A quota holds the task
 * back from @from until @until. Call these in the order of the tasks, and for each task in order
 * of time.
 */
void afx_allow(struct afx *f, size_t task, unsigned int at, uint64_t cpus);
void afx_hold(struct afx *f, size_t task, unsigned int from, unsigned int until);

void afx_pair(struct afx *f, uint16_t cpu_a, uint16_t cpu_b, uint32_t ns);
void afx_gap(struct afx *f, uint16_t cpu, uint64_t from_ns, uint64_t until_ns, uint64_t cnt);
void afx_audit_failure(struct afx *f, const char *name, uint64_t expected, uint64_t observed);

/* Every pair of CPUs agrees to @ns. */
void afx_clocks(struct afx *f, uint32_t ns);

/* Number the records and divide the CPUs' time into ours and idle; an own division is kept. */
void afx_finish(struct afx *f);

/* afx_finish() if need be, then f->r. May be called again after changes to the model. */
void afx_compute(struct afx *f);

void afx_release(struct afx *f);

/* A small generator for random models: the same numbers for the same seed. */
uint32_t afx_random(uint64_t *seed, uint32_t below);

#endif /* LAB_TESTS_ANALYZE_FIXTURE_H */
