/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_ANALYZE_REPORT_H
#define LAB_ANALYZE_REPORT_H

/*
 * report - everything that is computed from a model. Each part is filled by
 * one analysis (analysis.def); renderers read it and compute nothing.
 *
 * Times are ns, absolute CLOCK_MONOTONIC where they are instants. Integers
 * only. An all-zero report is empty.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyze/findings.h"
#include "claim.h"
#include "model/model.h"

/* ---- parallelism: how many tasks held a CPU at once (analyze/parallelism.c) ---- */

#define WITNESS_MAX 64	/* slices kept of a witness; a wider one is cut to this many */

struct witness_part {
	uint32_t task_id;
	uint32_t op_id;		/* operations; else 0 */
	uint64_t start_ns, end_ns;
	/* Of a slice: its CPU, and the numbers there of the records that open and close it. */
	uint16_t cpu;
	bool cut_out;		/* seq_out is void: it was still going on at the cut */
	uint64_t seq_in, seq_out;
};

struct witness {
	uint32_t part_cnt;	/* 0: none */
	/* the common overlap (parallel), or the instant at from_ns (concurrent) */
	uint64_t from_ns, until_ns;
	uint64_t eps_ns;	/* of the pair that disagrees most among the parts */
	struct witness_part parts[WITNESS_MAX];
};

/*
 * Each figure as drawn, and its bounds. Lower: only what is certain; hidden starts at their latest,
 * and left out of overlaps; stays across missing records left out. Upper: hidden starts at
 * their earliest; a CPU held wherever its records are missing; every CPU always, if the kernel
 * skipped probes or tasks could not be followed, for nothing tells where. The bounds
 * are the figure itself if nothing is hidden or missing; the truth is never outside them.
 */
struct report_parallelism {
	uint32_t max;		/* most tasks running at once */
	uint32_t max_lower, max_upper;
	uint64_t run_ns;	/* sum of all running spans: work */
	uint64_t run_lower_ns, run_upper_ns;
	uint64_t busy_ns;	/* time with one or more running */
	uint64_t busy_lower_ns, busy_upper_ns;
	uint64_t parallel_ns;	/* time with two or more running */
	uint64_t parallel_lower_ns, parallel_upper_ns;
	uint64_t average_busy_lower_ppm, average_busy_upper_ppm; /* of run / busy, in millionths */
	uint64_t longest_overlap_ns; /* longest common stretch of two slices, as drawn */
	bool beyond_eps;	/* two slices, at their longest, overlap by more than their eps */
	uint64_t *profile_ns;	/* [k]: exactly k running, k < profile_cnt; sums to T; owned */
	uint32_t profile_cnt;
	struct witness witness;	/* of the highest degree whose overlap exceeds eps and 1 us */
};

/* ---- concurrency: how many were in progress at once (analyze/concurrency.c) ---- */

struct report_concurrency {
	uint32_t max_in_progress;	/* tasks */
	uint32_t max_operations;	/* open at once */
	uint64_t active_ns;		/* one or more task or operation in progress */
	uint64_t concurrent_ns;		/* two or more tasks, or operations, in progress */
	struct witness witness;		/* two tasks or two operations in progress at from_ns */
	bool witness_is_ops;
};

/* ---- operations: how many were in flight at once (analyze/operations.c) ---- */

#define OPERATIONS_BUCKETS 64

struct report_operations {
	uint32_t step;		/* 1, or so much more that all levels find a bucket */
	/* [0]: none; [k]: (k - 1) * step + 1 .. k * step at once. Sums to T. */
	uint64_t profile_ns[OPERATIONS_BUCKETS];
	uint32_t profile_cnt;
};

/* ---- clocks: eps per CPU pair (analyze/clocks.c) ---- */

struct report_clocks {
	uint16_t *cpus;		/* cpu_cnt numbers, those of model.cpus; owned */
	uint32_t cpu_cnt;
	/* [row]: from the reference; CLOCK_BOUND_NONE (analyze/clocks.h); owned */
	uint64_t *bound_ns;
	uint64_t eps_max_ns;
};

/* ---- noise: what the run could have been without other programs (analyze/noise.c) ---- */

/*
 * The run without others is between two ends: the run that was seen, and the run in which ready
 * tasks had the CPUs that others had (or nobody knows who had) and that they could use. Each figure
 * here is that of the second end. Work is the same in both: what overlaps more is done in less busy
 * time. A ready task counts for as long as it then ran until its next wait, and of the tasks that a
 * serializer serializes one counts at a time. Steal is taken from the busy time, if anything could
 * overlap.
 */
struct report_noise {
	uint64_t interference_ns; /* CPU time that ready tasks could have had */
	uint64_t interfered_ns;	/* time in which one of them could have had some */
	/*
	 * Time that others lengthened without keeping two tasks from running at once: one task
	 * alone was kept from its CPU, or a ready task would have done all that it had to do and
	 * waited again.
	 */
	uint64_t stretched_ns;
	uint32_t max;		/* most tasks running at once */
	uint64_t parallel_ns;	/* time with two or more running: at most */
	uint64_t busy_ns;	/* time with one or more running: at least */
	uint64_t full_ns;	/* the length of the run, as it was seen */
	uint64_t window_ns;	/* the same: at least */
	bool could_be[CLASS_INCONCLUSIVE]; /* by class; none if report_lowest_class() is */
};

/* ---- verdict (analyze/verdict.c) ---- */

#define SCOPE_MAX 16

enum claim_holds { CLAIM_NO = 0, CLAIM_YES = 1, CLAIM_UNDECIDED = 2, CLAIM_NOT_MADE = 3 };

/* What of a claim was not kept: the first of them in this order. */
enum claim_fault {
	FAULT_NONE = 0,
	FAULT_CLASS = 1,
	FAULT_PARALLELISM = 2,
	FAULT_SERIALIZER = 3,
	FAULT_OPERATIONS = 4,
	FAULT_STALL = 5,
	FAULT_DEADLOCK = 6,
	/* before all others: it could not go on at its end, and no deadlock was claimed */
	FAULT_STUCK = 7,
};

/* Why a claim is undecided. */
enum claim_doubt {
	DOUBT_NONE = 0,
	DOUBT_VERDICT = 1,	/* the verdict is inconclusive */
	DOUBT_FEW_CPUS = 2,	/* fewer usable than the claim needs */
	DOUBT_BUSY_CPUS = 3,	/* without other programs it could have been the other way */
	DOUBT_OPERATIONS = 4,	/* claimed, and not observed */
	DOUBT_LOSS = 5,		/* records are missing, and the claim takes all of them */
};

struct report_verdict {
	enum verdict_class class;
	enum verdict_class at_least;	/* if inconclusive: the lowest possible; NONE: not known */
	/* of an inconclusive one: another run may tell; judge_chance_decides() */
	bool chance_decides;
	enum claim_holds claim_holds;
	enum claim_doubt claim_doubt;	/* with CLAIM_UNDECIDED, else DOUBT_NONE */
	enum claim_fault claim_fault;	/* with CLAIM_NO, else FAULT_NONE */
	uint64_t claim_cpus_needed;	/* usable CPUs that the claim takes */
	char reason[256];	/* why this class; inconclusive: what is missing and what to do */
	uint64_t eps_ns;	/* of the witness's pairs, else of all usable CPUs */
	const char *scope[SCOPE_MAX]; /* sentences that bound the verdict: static, or physical */
	/* The sentence holds for every such run, whatever happened in this one. */
	bool scope_stands[SCOPE_MAX];
	size_t scope_cnt;
	char physical[288];	/* that CPUs were seen to run at once; "" where that is not said */
	uint64_t incidental_ns;	/* parallel_ns when it did not make the class */
	bool never_two;		/* proven: lossless, audit clean, and no overlap exceeds eps */
};

/* ---- tasks: one row each, same order as model.tasks (analyze/tasks.c) ---- */

struct report_task {
	uint64_t run_ns, ready_ns, max_ready_ns;
	uint64_t blocked_ns[REASON_CNT];
	uint64_t unknown_ns;	/* only after report_hide_missing() */
	uint16_t *cpus;		/* ascending; owned */
	uint32_t cpu_cnt;
	uint64_t bottle_ns;	/* its share of the busy time; see struct report_capacity */
	size_t call_first, call_cnt; /* into report.calls */
};

/* ---- what each task was blocked in (analyze/calls.c) ---- */

/* A task's blocks in one system call for one reason. Those of a reason sum to its blocked_ns. */
struct report_call {
	int32_t nr;		/* LAB_SYSCALL_NONE: in none that has a name */
	const char *name;	/* static; NULL: likewise */
	uint8_t reason;		/* enum reason */
	uint64_t ns, cnt;
};

/* ---- capacity: where the CPUs' time went (analyze/capacity.c) ---- */

#define PINNED_CPUS_MAX 64

/* What took most of the capacity that was not work. */
enum capacity_loss {
	LOSS_NONE = 0,		/* nothing was lost */
	LOSS_LATENCY,
	LOSS_UNDIVIDED,
	LOSS_INTERFERENCE,
	LOSS_UNKNOWN,
	LOSS_BLOCKED,		/* for largest_reason */
	LOSS_NO_THREAD,
	LOSS_AFFINITY,
	LOSS_THROTTLED,
	LOSS_BALANCING,
	/* blocked for largest_reason: something lets one task run at a time */
	LOSS_SERIALIZED,
};

/* What the CPUs of other_ns would have been, if they had been idle. Exactly its sum. */
struct capacity_other {
	uint64_t affinity_ns, throttled_ns, undivided_ns;
	uint64_t blocked_ns[REASON_CNT];
	uint64_t no_thread_ns, unknown_ns; /* unknown: records of a task are missing */
};

/*
 * At every instant each usable CPU belongs to one part. Idle CPUs go first to ready tasks, then to
 * blocked ones, then to nobody. CPUs that other programs had go to the tasks that are still ready.
 * A ready task explains one CPU at most.
 *
 * The reason that blocked tasks give is at the ends of their chains of waits (analyze/blame.c). A
 * task waits for the task of ours whose wake ends the wait; if that task was not yet born when the
 * wait began, for its ancestor that lived then. A wait that no task has ended is for the thread or
 * the lock owner that the kernel named when the wait began. The chain goes on with what that task
 * does:
 *
 *	it runs, is ready or has ended	there was too little to do, so there is no reason; but if a
 *				task in the chain waits for a lock, the reason is this lock
 *				(likewise a lock of a file, a semaphore of System V, and, if
 *				there are none of these, a lock of the kernel)
 *	no task of ours ends its wait	the reason of this wait: sleep, disk, network, a timer
 *	its wait never ended	none: a helper that is parked, or a call to a task that goes on.
 *				Only sleep, disk, page fault and kernel are reasons all the same
 *	the chain leads into a circle	lock: a deadlock
 *
 * Tasks that run for less than 5 % of what the longest-running one does are helpers where they park
 * (progress_is_idle(), and calls), and so is a task while it polls (analyze/polling.h). The chains
 * of helpers count in two places: where another task's chain ends at the same task, and where they
 * wait for a lock of the program or of a file. While no task of ours runs or is ready, and no chain
 * gives a reason, the chains of helpers do, and with them the waits that never ended; if there are
 * none, the waits for threads and children that never ended.
 *
 * Idle CPUs are shared among the ends of chains, not among the tasks: each end explains one CPU,
 * or all of them the same part of one. What CPUs are left are shared in the same way among the
 * other tasks of these chains that would have used one: those that wait for locks where the last
 * task goes on, else those that do not wait for a thread or a child. So a reason's part may be a
 * fraction of a CPU. Such shares are summed in 2^-32 ns over stretches in which they do not
 * change, and rounded once (analyze/apportion.h).
 *
 * The CPUs that other programs had while no task of ours could have used them are other_ns. The
 * program did not lack them: the largest loss counts them as if they had been idle (other).
 *
 * Unplaced, at an instant, is u = min(I, R) of the I idle CPUs, with R tasks ready. A quota may
 * hold some of these tasks back. Unplaced is divided by what the idle CPUs could have been used
 * for. Let m be how many can be given a ready task each that may use it (its affinity), and f how
 * many if the tasks that are held back are left out (maximum matchings). Then
 *
 *	affinity	u - m: whoever was ready was not allowed there
 *	throttled	m - f: it could have been used, had no quota, nor a task's own budget, held
 *			tasks back
 *	latency		of the f, the CPUs on which one of these tasks, allowed there, ran next
 *	balancing	the others of the f: it could have been used at once, and the scheduler had
 *			queued the tasks elsewhere, or kept one where its caches are
 *
 * so affinity comes before throttled, and that before the other two. undivided is what of unplaced
 * is in none of them because what tells them apart is not known, and 0 where all four are known.
 *
 * Interference is how many more CPUs the ready tasks that are not held back could have used if
 * those of other programs had been idle too. A task that explains an idle CPU is not counted again,
 * and held tasks explain idle CPUs first. Where affinity is not known, every task may use every CPU
 * for this. Where throttled is not known, none is held back.
 *
 * total_ns is P x T, and is exactly work + unplaced + interference + other + unknown + the sum of
 * blocked + no_thread. unplaced is latency + affinity + throttled + balancing (those that are
 * known) + undivided. The bottle_ns of all tasks (time, divided at every instant among those that
 * run) sum to T less the time in which none runs, parallelism.profile_ns[0].
 */
struct report_capacity {
	bool known;		/* false: P x T is beyond 64 bits, and all that follows is 0 */
	uint64_t total_ns;
	uint64_t work_ns;	/* ours */
	uint64_t unplaced_ns;	/* idle although a task of ours was ready */
	bool latency_known;	/* false: under a quota a ready task may have been throttled */
	bool affinity_known;	/* false: not recorded, or of more than 1024 kinds */
	bool throttled_known;	/* balancing is known if both are */
	uint64_t latency_ns;
	uint64_t affinity_ns;
	uint64_t throttled_ns;
	uint64_t balancing_ns;
	uint64_t undivided_ns;
	uint64_t interference_ns; /* other programs', while tasks of ours were ready */
	uint64_t other_ns;	/* other programs', while none was */
	uint64_t unknown_ns;	/* who had it; also idle CPUs while records of a task are missing */
	uint64_t blocked_ns[REASON_CNT]; /* idle, and tasks of ours were blocked */
	uint64_t no_thread_ns;	/* idle, and there was no task to use it */
	struct capacity_other other;
	/* Filled by analyze/loss.c. Each part is counted with its part of other. */
	enum capacity_loss largest;
	enum reason largest_reason; /* with LOSS_BLOCKED and LOSS_SERIALIZED, else REASON_NONE */
	uint64_t largest_ns;

	/* time in which a quota held back one or more tasks; 0 if throttled is not known */
	uint64_t held_ns;
	/*
	 * An example of what affinity_ns is made of, the longest one: for so long (0: none is
	 * given) a task that may use these CPUs alone was ready while that other CPU was idle, and
	 * affinity kept some CPU idle. Of equal ones the first, of sets read as binary numbers,
	 * then of CPUs. Looked for among up to PINNED_CPUS_MAX usable CPUs and as many sets.
	 */
	uint64_t pinned_ns;
	uint16_t pinned_to[PINNED_CPUS_MAX]; /* ascending */
	uint32_t pinned_to_cnt;
	uint16_t pinned_idle_cpu;
};

/* ---- run-queue wait (analyze/wakeups.c) ---- */

#define WAIT_BUCKETS 40		/* [i]: waits in [2^i, 2^(i+1)) ns; [0] also 0 */
#define ANTAGONIST_MAX 8

/* Who held a CPU while tasks of ours waited for that CPU. */
struct antagonist {
	uint32_t task_id;	/* ours; 0: foreign */
	uint32_t tid;		/* foreign */
	char comm[LAB_COMM_LEN + 1]; /* raw */
	uint64_t ns;
};

struct report_waits {
	uint64_t cnt;		/* ready spans */
	uint64_t total_ns;
	uint64_t p50_ns, p90_ns, p99_ns, max_ns; /* nearest rank, over all ready spans */
	uint32_t max_task_id;	/* who waited longest */
	uint64_t max_start_ns;
	uint64_t histogram[WAIT_BUCKETS];
	struct antagonist antagonists[ANTAGONIST_MAX]; /* most first, over all waits */
	uint32_t antagonist_cnt;
	uint64_t other_antagonists_ns; /* of those not listed */
	uint64_t held_ns;	/* a quota held the task back, whoever had the CPU */
	/* the CPU was idle: the wake-up itself under way, or (if that is not known) a quota */
	uint64_t idle_ns;
	uint64_t unknown_ns;	/* the CPU, or who had it, is not known */
	/* who had the CPU for most of the longest wait; ns 0: nobody known */
	struct antagonist max_antagonist;
	uint64_t max_held_ns;	/* for so long of it a quota held the task back */
};

/* ---- locks: one row per futex (analyze/locks.c) ---- */

enum lock_kind { LOCK_KIND_LOCK = 1, LOCK_KIND_COND = 2, LOCK_KIND_JOIN = 3 };

#define LOCK_HOLDERS_MAX 8

struct report_lock {
	uint32_t mm_id;		/* 0: shared between processes */
	uint32_t tgid;		/* of the first waiter */
	uint64_t addr;
	const struct model_symbol *symbol; /* of the model; NULL: not known */
	enum lock_kind kind;	/* of most of its waits */
	uint32_t ops;		/* bit set: 1 << FUTEX_* op seen; see model/futex.h */
	uint64_t waits;		/* blocked spans */
	uint64_t wait_ns, max_wait_ns;
	uint32_t waiter_cnt;	/* different tasks */
	uint32_t holders[LOCK_HOLDERS_MAX]; /* birth numbers of the wakers, most wakes first */
	uint32_t holder_cnt;	/* different tasks that woke; may exceed LOCK_HOLDERS_MAX */
	uint64_t timeouts;	/* waits ended by an interrupt (a timer) */
	uint64_t holder_ready_ns; /* of wait_ns: the task that ended the wait was ready */
};

/* ---- migrations (analyze/migrations.c) ---- */

struct migration_cell {
	uint16_t from_cpu, to_cpu;
	uint64_t cnt;
};

/*
 * How often tasks were moved, from where to where, and why (enum move_cause). What a move costs, in
 * caches that are cold at the new place, is not claimed: no record tells it.
 */
struct report_moves {
	uint64_t by_cause[MOVE_CAUSE_CNT]; /* sums to model.migration_cnt */
};

/* ---- event loops (analyze/loops.c) ---- */

struct report_loop {
	uint32_t task_id;
	int32_t epfd;		/* -1: its waits were not recorded, only operations */
	uint64_t waits;		/* returns of epoll_wait */
	uint64_t ready;		/* events they returned */
	uint32_t max_operations;/* of this task; the most open at once */

	/* An iteration lasts from one return to the next call, or to the task's end. */
	uint64_t iterations;
	uint64_t cpu_ns, ready_ns, blocked_ns; /* sums over the iterations */
	uint64_t longest_cpu_ns, longest_blocked_ns; /* the most of each in one iteration */
	uint64_t longest_stall_ns; /* the longest iteration */
	uint64_t longest_stall_start_ns;
	uint8_t stall_state;	/* enum span_state of most of it: hog, starved, blocking call */
	/* enum reason of the longest block in it, if stall_state is SPAN_BLOCKED */
	uint8_t stall_reason;
	const char *stall_call;	/* static: the system call of that block; NULL: none with a name */
};

/* ---- CPUs: one row each, same order as model.cpus (analyze/cpus.c) ---- */

struct report_cpu {
	uint64_t class_ns[4];	/* [enum lab_cpu_class]; sums to T */
};

/* ---- critical path: what the end waited for (analyze/path.c) ---- */

#define PATH_TOP_MAX 3

struct path_segment {
	uint64_t start_ns, end_ns;
	uint32_t task_id;	/* 0: no task of ours is known to have led on from here */
	uint8_t state;		/* enum span_state, that of the task throughout */
	uint8_t reason;		/* enum reason, if blocked */
};

struct path_share {
	uint32_t task_id;
	uint64_t ns;
};

/* length_ns is T; run + ready + blocked + unknown + none is length_ns. */
struct report_path {
	uint64_t length_ns;
	uint64_t run_ns, ready_ns;
	uint64_t blocked_ns[REASON_CNT];
	uint64_t unknown_ns;	/* only after report_hide_missing() */
	uint64_t none_ns;	/* with no task: after the last end, or before an unseen birth */
	struct path_segment *segments; /* they cover the window, in order of time; owned */
	size_t segment_cnt, segment_cap;
	struct path_share top[PATH_TOP_MAX]; /* the tasks that are longest on it, most first */
	uint32_t task_cnt;	/* different tasks; may exceed PATH_TOP_MAX */
};

struct report {
	struct report_clocks clocks;
	struct report_parallelism parallelism;
	struct report_concurrency concurrency;
	struct report_operations operations;
	struct report_noise noise;
	struct report_verdict verdict;
	bool audit_clean;
	bool lossless;		/* nothing dropped, no gap, complete, all tasks followed */
	struct report_task *tasks;	/* owned; model.task_cnt rows */
	size_t task_cnt;
	struct report_call *calls;	/* owned; by task, most time first */
	size_t call_cnt, call_cap;
	struct report_cpu *cpus;	/* owned; model.cpu_cnt rows */
	size_t cpu_cnt;
	struct report_capacity capacity;
	struct report_waits waits;
	struct report_lock *locks;	/* owned; most wait_ns first */
	size_t lock_cnt, lock_cap;
	struct migration_cell *migrations; /* owned; ascending */
	size_t migration_cnt, migration_cap;
	struct report_moves moves;
	struct report_loop *loops;	/* owned */
	size_t loop_cnt, loop_cap;
	struct report_path path;
	struct report_serializer serializer;
	struct report_deadlock deadlock;
	struct report_stuck stuck;
	struct report_spinning spinning;
	struct report_rounds rounds;
	struct report_pool pool;
	struct report_tail tail;
};

/* True if the run could not go on at its end: the class is that of what ran before. */
static inline bool report_is_stuck(const struct report *r)
{
	return r->deadlock.present || r->stuck.present;
}

/* The class, or the lowest that it can be; CLASS_NONE: not known. */
static inline enum verdict_class report_lowest_class(const struct report *r)
{
	return r->verdict.class == CLASS_INCONCLUSIVE ? r->verdict.at_least : r->verdict.class;
}

/* One analysis: reads the model and what analysis.def lets it, fills its own part. */
struct analysis {
	const char *name;
	void (*run)(const struct model *m, struct report *r);
};

/*
 * Every analysis of analysis.def, those that are free of each other in several threads where there
 * are CPUs for them: the report does not depend on it. @out is overwritten; report_release() it.
 */
void report_compute(const struct model *m, struct report *out);

void report_release(struct report *r);

#endif /* LAB_ANALYZE_REPORT_H */
