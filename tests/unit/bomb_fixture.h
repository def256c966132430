/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_BOMB_FIXTURE_H
#define TESTS_BOMB_FIXTURE_H

/*
 * bomb_fixture - traces that no kernel makes, of any size, and what it costs to read them.
 *
 * Unlike model_fixture it knows nothing of tasks and CPUs: a record is what the test says, with
 * the next sequence number of its CPU.
 */

#include <stdbool.h>
#include <stdint.h>

#include "lab_event.h"
#include "trace/trace.h"

#define BOMB_SEC UINT64_C(1000000000)

struct bomb;

/* The root, task 1, is seeded on CPU 0 at BOMB_SEC and runs. @cpu_cnt: usable CPUs */
struct bomb *bomb_new(uint32_t cpu_cnt);

/*
 * As bomb_new(), with @meta before the first record in place of the usual one, which is all zero
 * except for CPUs. It takes what @meta owns.
 */
struct bomb *bomb_new_meta(struct trace_meta *meta);

/* The next record, all zero but for its head; valid until the next call. */
union lab_event *bomb_add(struct bomb *b, unsigned int kind, uint64_t ts_ns, uint32_t cpu,
			  uint32_t task);

/* The CPU's next number is left out. */
void bomb_lose(struct bomb *b, uint32_t cpu);

/* A task is made by @parent, and put on @cpu's queue. */
void bomb_task(struct bomb *b, uint64_t ts_ns, uint32_t cpu, uint32_t task, uint32_t parent,
	       bool thread);

/*
 * @task leaves the CPU, on which it may not have been seen, and sleeps in a system call. @next is
 * the task that comes, or 0.
 */
struct lab_ev_switch_out *bomb_out(struct bomb *b, uint64_t ts_ns, uint32_t cpu, uint32_t task,
				   uint32_t next, int32_t syscall);

/* @task is woken by @waker; 0: by an interrupt */
struct lab_ev_waking *bomb_wake(struct bomb *b, uint64_t ts_ns, uint32_t cpu, uint32_t task,
				uint32_t waker);

/* Another program has the CPU, or nobody. */
void bomb_class(struct bomb *b, uint64_t ts_ns, uint32_t cpu, bool foreign);

/* Totals of the CPUs and the end. Return: the file's descriptor; @b is freed. */
int bomb_end(struct bomb *b, uint64_t ts_ns, enum trace_end_reason reason);

/* What everything that lab makes of a trace costs. */
struct bomb_cost {
	uint64_t cpu_ns;	/* of the dearest step */
	const char *step;	/* "read", "analyze", a renderer, "check", "view", "verify" */
	uint64_t bytes;		/* of memory, at most */
	uint64_t events;
};

/* Read, judge, render in each format, and check; in a process of its own. */
struct bomb_cost bomb_cost(int fd);

#endif /* TESTS_BOMB_FIXTURE_H */
