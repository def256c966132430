/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_TRUTH_H
#define TESTS_TRUTH_H

/*
 * truth - what happened in a made-up schedule, as the simulation that made it knows it: no event
 * was read for it. The oracles compute what lab should have said from this alone.
 *
 * Times are as stamped on the CPU where a thing happened, cut to the window. Where the records
 * cannot show what happened, it is put as well as they can show it; that is said
 * at the member. An all-zero truth is empty.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/model.h"

#define TRUTH_NO_CPU UINT16_MAX

/* A stretch of a task's life. A block that no recorded waking ended lasts until the task runs. */
struct truth_span {
	uint64_t start_ns, end_ns;
	uint8_t state;		/* enum span_state */
	uint8_t reason;		/* blocked: enum reason. Of a futex: what truth_judge() says */
	/* Blocked: what the program waited for; REASON_NONE: nothing in particular. */
	uint8_t meant;
	uint16_t cpu;		/* running: where; ready: in whose queue, as far as was recorded */
	bool cut_start, cut_end;

	/* running */
	bool hidden;		/* no probe saw the switch-in */
	uint64_t earliest_ns;	/* a hidden one cannot have begun before; else start_ns */
	uint64_t seq_in, seq_out;

	/* ready */
	bool preempted;

	/* blocked */
	bool owned;		/* a futex: a living task is named as the owner */
	bool many;		/* ended by a call that may wake several */
	bool by_interrupt, by_exiting, by_signal, unseen, accept, compat;
	uint32_t waker_id, waker_tid;
	int32_t waker_syscall;
	int32_t syscall;
	uint64_t addr;
	bool futex, futex_private;
	bool futex_limited;	/* the record does not say that it has no time limit */
	bool doubtful;		/* ended by its time limit, and maybe no sleep */
	uint8_t futex_op;
	uint32_t futex_val, mm, owner; /* owner: the tid that the wait names, 0: none */
};

struct truth_task {
	uint32_t id, parent_id;
	uint32_t tid, tgid;
	uint32_t first_tid;	/* before an exec */
	uint64_t born_ns, exec_ns; /* stamps of records that gave it first_tid and tid; 0: none */
	uint32_t mm;		/* at the end */
	char comm[LAB_COMM_LEN + 1];
	uint64_t start_ns, end_ns;
	bool alive;		/* at the end of the window */
	struct truth_span *spans;
	size_t span_cnt, span_cap;
	uint64_t cpu_ns, voluntary, involuntary, migrations;
};

/* Who had a CPU. Foreign: tid and comm only as far as records tell. */
struct truth_seg {
	uint64_t start_ns, end_ns;
	uint8_t class;		/* enum lab_cpu_class; unknown: the records contradict each other */
	uint32_t task_id, tid;
	char comm[LAB_COMM_LEN + 1];
};

struct truth_cpu {
	uint16_t cpu;
	bool usable;
	struct truth_seg *segs;
	size_t seg_cnt, seg_cap;
};

struct truth_move {
	uint64_t at_ns, seq;
	uint32_t task_id;
	uint16_t cpu;		/* of the record */
	uint16_t from_cpu, to_cpu;
	enum move_cause cause;
};

/* Which CPUs a task may use from an instant on, as far as the probes told. */
struct truth_bound {
	uint64_t from_ns, seq;	/* not cut to the window */
	uint32_t task_id;
	uint16_t cpu;		/* of the record */
	uint64_t words[LAB_MASK_WORDS]; /* bit c % 64 of words[c / 64] is CPU c */
};

struct truth_op {
	uint32_t task_id, tgid;
	int32_t fd;
	uint64_t start_ns, end_ns, ready_cnt;
	bool open_at_end;
};

struct truth_wait {
	uint32_t task_id;
	int32_t epfd, ready;
	uint64_t enter_ns, return_ns;
};

struct truth {
	uint64_t start_ns, end_ns;	/* the window */
	struct truth_task *tasks;	/* by id */
	size_t task_cnt, task_cap;
	struct truth_cpu *cpus;		/* by number: usable, or ours ran there in the window */
	size_t cpu_cnt, cpu_cap;
	struct truth_move *moves;
	size_t move_cnt, move_cap;
	struct truth_bound *bounds;	/* of each task in order of time */
	size_t bound_cnt, bound_cap;
	struct truth_op *ops;
	size_t op_cnt, op_cap;
	struct truth_wait *waits;
	size_t wait_cnt, wait_cap;
	struct truth_span *unshown;	/* stays that began unseen, and had no recorded end */
	size_t unshown_cnt, unshown_cap;
	uint64_t hidden_moves;		/* that no probe saw */
	uint64_t hidden_cnt;		/* our unseen switch-ins whose end was recorded */
};

void truth_release(struct truth *t);

/* The task with this birth number. It must exist. */
const struct truth_task *truth_task(const struct truth *t, uint32_t id);

/* The name of the call that a block is in; NULL: none, or a 32-bit one. */
const char *truth_call(const struct truth_span *block);

/* Whether @task's kin, or the end of its process, ended @block: progress.h's words. */
bool truth_with_process(const struct truth *t, const struct truth_task *task,
			const struct truth_span *block);	/* the second rule alone */
bool truth_by_kin(const struct truth *t, const struct truth_task *task,
		  const struct truth_span *block);

/*
 * Rules 1 to 5 of model/futex.h, one wait at a time, with all others looked through for each.
 * Fills the reason of every wait in a futex, and whether it names its owner.
 */
void truth_judge(struct truth *t);

#endif /* TESTS_TRUTH_H */
