/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_MODEL_MODEL_H
#define LAB_MODEL_MODEL_H

/*
 * model - what happened, in the words of docs/HACKING.md: tasks whose
 * lifetimes are divided without gap into running, ready and blocked(reason); CPUs whose
 * time is divided without gap into ours, foreign, idle and unknown;
 * operations of event loops. Raw events end here: analyses see only this.
 *
 * Times are CLOCK_MONOTONIC nanoseconds as stamped, made monotone per CPU and
 * clipped to the window. An interval covers [start_ns, end_ns). An all-zero
 * struct model is empty; model_release() frees what it owns.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "claim.h"
#include "lab_event.h"
#include "trace/trace.h"

enum span_state {
	SPAN_RUNNING = 0,	/* on a CPU */
	SPAN_READY = 1,		/* wants one */
	SPAN_BLOCKED = 2,	/* waits for a reason */
	SPAN_UNKNOWN = 3,	/* records are missing; only after model_hide_missing() */
};

/* Why a task is blocked. Append-only; names in reason_name(). */
enum reason {
	REASON_NONE = 0,	/* not blocked */
	REASON_LOCK,
	REASON_COND,
	REASON_JOIN,
	REASON_CHILD,
	REASON_EPOLL,
	REASON_POLL,
	REASON_SLEEP,
	REASON_PIPE,
	REASON_SOCKET,
	REASON_URING,
	REASON_DISK,
	REASON_PAGEFAULT,
	REASON_KERNEL,
	REASON_STOPPED,
	REASON_SIGNAL,
	REASON_OTHER,
	REASON_FILELOCK,	/* of a file: flock(2), fcntl(2) */
	REASON_SEMAPHORE,	/* of System V; POSIX's are futexes */
	REASON_QUEUE,		/* of messages: System V's and POSIX's */
	REASON_EVENTFD,		/* of eventfd(2): its count */
	REASON_CNT,
};

/* "lock", "cond", ...; the keys of blocked_ns{reason} in the JSON. */
const char *reason_name(enum reason reason);

/* model_span.flags */
#define SPAN_HIDDEN_START	0x0001	/* running: its switch-in was not recorded; no witness */
/* began before lab looked, before the window, or in a loss */
#define SPAN_CUT_START		0x0002
#define SPAN_CUT_END		0x0004	/* still going on at the cut, or where a loss begins */
#define SPAN_PREEMPTED		0x0008	/* ready: it was preempted (not woken, not born) */
/* blocked: an interrupt ended it: a timer, a device, the network */
#define SPAN_WOKEN_BY_IRQ	0x0010
#define SPAN_WAKER_EXITING	0x0020	/* blocked: ended by an exiting task */
#define SPAN_WAKER_KIN	0x0040	/* blocked: ended by its kin, or with its process: see progress.h */
#define SPAN_ACCEPT		0x0080	/* blocked in accept(2) */
#define SPAN_WOKEN_UNSEEN	0x0100	/* blocked: it ran again though no waking was recorded */
/* running: records of its CPU are missing between its ends */
#define SPAN_ACROSS_GAP		0x0200
#define SPAN_FUTEX		0x0400	/* blocked in a futex: addr and futex_op are valid */
/* blocked in a 32-bit call: syscall is a number of the i386 table */
#define SPAN_COMPAT		0x0800
/* blocked in epoll, poll: what ended it, or could have, is known; see analyze/unseen.h */
#define SPAN_OBSERVED		0x2000
/* blocked in a futex: whoever ended it was in no futex call */
#define SPAN_WOKEN_BY_SIGNAL	0x1000

/* blocked in a futex: the call is known to have had no time limit */
#define SPAN_NO_LIMIT		0x8000
#define SPAN_YIELDED		0x4000	/* ready: it gave its CPU up with sched_yield(2) */

/* Those that say what ended a block. */
#define SPAN_ENDED		(SPAN_WOKEN_BY_IRQ | SPAN_WAKER_EXITING | SPAN_WAKER_KIN | \
				 SPAN_WOKEN_UNSEEN | SPAN_WOKEN_BY_SIGNAL)

/*
 * One stretch of a task's life in one state. Millions are kept: what only one
 * state has shares its place with what only another has.
 */
struct model_span {
	uint64_t start_ns, end_ns;
	union {
		/* running: the record on `cpu` that opens it; void if hidden or cut */
		uint64_t seq_in;
		uint64_t addr;	/* blocked: futex address, or the first argument of the call */
	};
	union {
		uint64_t seq_out; /* running: the record on `cpu` that closes it */
		struct {
			/* blocked: birth number of ours that ended it, 0: none */
			uint32_t waker_id;
			uint32_t waker_tid; /* blocked: 0 if in interrupt or unknown */
		};
	};
	union {
		/* running: earliest it can have begun; start_ns unless SPAN_HIDDEN_START */
		uint64_t start_min_ns;
		struct {
			int32_t syscall; /* blocked: LAB_SYSCALL_NONE if in none */
			/*
			 * blocked in a futex: whose memory addr is in; 0: shared, addr is the key
			 */
			uint32_t mm_id;
		};
	};
	/* running: there; ready: queued there as far as known, else UINT16_MAX */
	uint16_t cpu;
	uint16_t flags;		/* SPAN_* */
	uint8_t state;		/* enum span_state */
	uint8_t reason;		/* enum reason */
	uint8_t futex_op;	/* FUTEX_* without flags; see futex.h */
	bool futex_private:1;	/* FUTEX_PRIVATE_FLAG, so keyed by process */
	bool futex_owned:1;	/* it names a living task as the owner */
	bool futex_many:1;	/* the call that ended it may have ended others as well */
	/* a waking came before it began: blocked if another follows, else ready */
	bool guess:1;
	/* between two switch-outs of its task that were recorded others are missing */
	bool unsure:1;
	bool with_process:1;	/* blocked: it ended as its process did, or ran another program */
	bool perhaps:1;		/* blocked: in a futex, it may have been a sleep; see futex.h */
	/* blocked: a nap between looks at the clock, and no work; see build_naps.c */
	bool ticks:1;
};
_Static_assert(sizeof(struct model_span) == 48, "a model is mostly spans");

struct model_task {
	uint32_t id;		/* birth number */
	uint32_t parent_id;	/* 0: the root, or seeded */
	uint32_t tid, tgid;
	/* tasks with the same one share their memory (CLONE_VM), until exec */
	uint32_t mm_id;
	uint32_t policy;
	int32_t nice;
	char comm[LAB_COMM_LEN + 1];	/* the last one it had; raw bytes, NUL-terminated */
	/* its wakeup_new; the root: its release; a seeded one: the window's start */
	uint64_t start_ns;
	uint64_t end_ns;	/* its TASK_DEAD switch-out, or the cut */
	bool alive;		/* at the cut */
	bool never_ran;
	/* the model's, in time order; they cover [start_ns, end_ns) exactly */
	struct model_span *spans;
	size_t span_cnt, span_cap; /* no span is empty */
	size_t span_first;	/* how many spans the tasks before it have */
	/* what the kernel charged: last sum_exec_runtime less the baseline */
	uint64_t cpu_ns;
	uint64_t voluntary, involuntary; /* kernel's counts less the baseline */
	uint64_t migrations;	/* sched_migrate_task events */
	uint32_t exit_code;
	size_t allowed_first, allowed_cnt; /* into model.allowed, in time order */
	size_t hold_first, hold_cnt;	/* into model.holds, in time order */
	/* the start of its last span of a wait in a futex; 0: it has none */
	uint64_t wait_start_ns;
	uint32_t wait_val;	/* the value that it expected */
	/* who had what it waited for when it began; 0: not known; see futex.h */
	uint32_t wait_owner_tid;
};

/* Bit c % 64 of words[c / 64] is CPU c. */
struct model_cpuset {
	uint64_t words[LAB_MASK_WORDS];
};

/*
 * Which CPUs a task may use from an instant on, until its next row. Before its first row that is
 * not known. A change by someone else while the task is ready counts from when
 * it was noticed: when the task is moved or gets a CPU.
 */
struct model_allowed {
	uint64_t from_ns;
	uint32_t task_id;
	uint32_t set;		/* into model.cpusets; equal sets may stand there more than once */
};

/*
 * A stretch of a ready span in which no CPU could take the task, for a quota, or its own budget,
 * was used up.
 */
struct model_hold {
	uint64_t start_ns, end_ns;
	uint32_t task_id;
	bool by_budget;		/* of the deadline class */
};

/* One stretch of a CPU's time with one kind of holder. */
struct model_cpu_seg {
	uint64_t start_ns, end_ns;
	uint32_t task_id;	/* ours: who; else 0 */
	uint32_t tid;		/* foreign: whose; 0: not known */
	uint32_t comm_idx;	/* foreign: into model.comms; 0 is "" (not known) */
	uint8_t class;		/* enum lab_cpu_class */
};

struct model_cpu {
	uint16_t cpu;
	bool usable_at_release;	/* else it counts because a task of ours ran on it */
	size_t seg_first, seg_cnt; /* into model.cpu_segs; they cover the window exactly */
};

#define MODEL_OP_NO_FD (-1)

/*
 * A logical task: what a program marks as one (markers.h), from its beginning to its end; or, in a
 * process that marks none, an fd in an epoll set, from arming to its last readiness.
 */
struct model_op {
	uint32_t id;		/* 1, 2, ... in order of start */
	uint32_t parent_id;	/* of which it is a part, and no operation of its own; 0: of none */
	uint32_t task_id;	/* whose loop; marked: who said that it begins */
	uint32_t tgid;		/* of what process, whatever number that task has in the end */
	int32_t fd;		/* MODEL_OP_NO_FD: marked */
	uint32_t name_idx;	/* marked: into model.names */
	uint64_t start_ns, end_ns;
	uint64_t active_ns;	/* marked: not suspended */
	uint64_t ready_cnt;	/* an fd's */
	uint8_t fd_type;	/* inode mode >> 12, or enum lab_fd_kind; 0: not known */
	/* still registered at the cut (end_ns is its last readiness all the same) */
	bool open_at_end;
};

/* A stretch in which a marked operation was not suspended. */
struct model_op_part {
	uint32_t op_id;
	uint32_t task_id;	/* who said that it begins or goes on */
	uint64_t start_ns, end_ns;
};

/* One return of epoll_wait. */
struct model_loop_wait {
	uint32_t task_id;
	int32_t epfd;
	uint64_t enter_ns, return_ns;
	int32_t ready;
};

/* Why a task was moved, as far as the records tell: the first that applies. */
enum move_cause {
	/* none of the others; or the recording tells no affinity, and so no cause */
	MOVE_UNKNOWN = 0,
	MOVE_AFFINITY,		/* it may no longer use the CPU that it was on */
	/* it was being woken: its state was TASK_WAKING (try_to_wake_up(), kernel/sched/core.c) */
	MOVE_WAKEUP,
	/* the CPU it was on moved it out of execve(2), where the kernel chooses anew */
	MOVE_EXEC,
	MOVE_BALANCE,		/* it was ready, and pulled or pushed to another queue */
	MOVE_CAUSE_CNT,
};

/* One move. */
struct model_migration {
	uint64_t at_ns;
	uint32_t task_id;
	uint16_t from_cpu, to_cpu;
	uint8_t cause;		/* enum move_cause */
};

/* A task that was about to sleep in a futex was woken before it did: no wait of it is drawn. */
struct model_early_wake {
	uint64_t at_ns;
	uint64_t addr;		/* that the waker gave */
	uint32_t task_id;	/* who was woken */
};

/* A failed check of the audit. */
struct audit_failure {
	const char *name;	/* static: "switches", "cpu_time", ... */
	uint32_t task_id;	/* 0: about the run */
	uint64_t expected, observed;
	bool by_loss;		/* records that are known to be missing explain it */
};

/*
 * What the audit compared, filled while the model is built (kernel-notes 9; HACKING.md lists the
 * checks).
 */
struct model_audit {
	uint64_t births, deaths, alive;	/* seen: births is deaths + alive */
	uint64_t tasks_checked;
	uint64_t switches_checked;	/* switch-outs recorded */
	uint64_t switches_counted;	/* by the kernel, up to each task's last of them */
	uint64_t migrations_checked;
	/* by which task clocks ran ahead of the stamps on their CPUs, beyond what happens */
	uint64_t clock_ahead_ns;
	/* sum over stints of exec_start(out) - clock_task(in) - charged */
	uint64_t exec_excess_ns;
	uint64_t hidden_switch_ins;	/* reported, never folded in */
	uint64_t unseen_moves;		/* a task took a CPU to which no record had moved it */
	uint64_t unseen_wakings;	/* a blocked task ran again: no waking, or a hidden one */
	uint64_t repicks;		/* stints with a non-zero excess */
	struct audit_failure *failures;
	size_t failure_cnt, failure_cap;
	uint64_t failures_total;	/* failures[] keeps the first 1000 */
	uint64_t unexplained_total;	/* those that are not by_loss */
};

/*
 * A stretch of one CPU in which records are missing: from the last record before to the first one
 * after that says who has the CPU.
 */
struct model_gap {
	uint16_t cpu;
	uint64_t from_ns, until_ns;	/* until UINT64_MAX: to the end */
	uint64_t cnt;
};

/* What a futex's address is. Texts are raw, and borrowed from model.symbol_texts. */
struct model_symbol {
	uint32_t mm_id;		/* as in model_span; 0: shared */
	uint64_t addr;
	const char *object;	/* path of the mapped file, or "[heap]", "[stack]", "[anon]", ... */
	uint64_t offset;	/* see struct trace_symbol */
	const char *symbol;	/* NULL: only the object is known */
	uint64_t symbol_off;	/* from the symbol's start */
};

struct model {
	struct trace_meta meta;		/* owned */
	struct trace_end end;
	bool complete;			/* the file had its end and no damage */
	char *damage;			/* why not, or ""; owned */
	uint64_t file_bytes, event_cnt;

	uint64_t start_ns, end_ns;	/* the window; T is the difference */

	struct model_task *tasks;	/* by birth number, ascending */
	size_t task_cnt, task_cap;
	size_t span_cnt;		/* of all tasks */
	/* span_cnt of them: all spans in order of time, see timeline.h */
	uint32_t *turns;
	struct model_cpu *cpus;		/* P of them, ascending */
	size_t cpu_cnt, cpu_cap;
	/* those of a CPU adjoin; behind them unused ones may follow */
	struct model_cpu_seg *cpu_segs;
	size_t cpu_seg_cnt, cpu_seg_cap;
	char (*comms)[LAB_COMM_LEN + 1];/* names of foreign tasks, each once */
	size_t comm_cnt, comm_cap;
	struct model_op *ops;
	size_t op_cnt, op_cap;
	struct model_op_part *op_parts;	/* by operation, then in order of time */
	size_t op_part_cnt, op_part_cap;
	/* of marked operations, raw; [0] is ""; NULL if there are none; owned */
	char **names;
	size_t name_cnt, name_cap;
	struct model_loop_wait *loop_waits; /* in order of return */
	size_t loop_wait_cnt, loop_wait_cap;
	struct model_migration *migrations; /* in time order */
	size_t migration_cnt, migration_cap;
	struct model_early_wake *early_wakes; /* in time order */
	size_t early_wake_cnt, early_wake_cap;
	struct model_cpuset *cpusets;
	size_t cpuset_cnt, cpuset_cap;
	struct model_allowed *allowed;	/* by task */
	size_t allowed_cnt, allowed_cap;
	/* the tightest that one of ours was under, in CPUs x 1000; 0: none is known */
	uint32_t quota_milli_cpus;
	/* it came into that one after the start, or the start's was not as tight */
	bool quota_entered;
	/* false: holds are missing, for the recording did not look, or not enough */
	bool holds_known;
	bool quota_holds, budget_holds;	/* there are holds by a quota; by tasks' own budgets */
	struct model_hold *holds;	/* by task */
	size_t hold_cnt, hold_cap;
	struct model_gap *gaps;
	size_t gap_cnt, gap_cap;
	struct model_symbol *symbols;	/* by mm_id and addr, each once */
	size_t symbol_cnt, symbol_cap;
	char **symbol_texts;		/* owned */
	size_t symbol_text_cnt;
	struct model_audit audit;
	uint64_t dropped;		/* refused records, all CPUs, the kernel's count */
	uint64_t daemons;		/* tasks alive at the cut */
	uint64_t wakes_unattributed;	/* in a context that could not be read: no waker is named */
	uint64_t ready_ambiguous;	/* epoll events whose data is that of several fds */
	uint64_t ready_unknown;		/* epoll events not read, or of no known fd */
	uint64_t markers_unread;	/* began as a marker, and could not be read */
	uint64_t markers_malformed;	/* said nothing that markers.h knows */
	/* of an operation that was not open, or begun anew without an end */
	uint64_t markers_unmatched;
	/* counted by the kernel, told by no event; 0 if nothing was hidden */
	uint64_t migrations_unseen;
};

/**
 * model_build() - read a whole trace
 * @r: read to its end; borrowed
 * @out: caller's storage, overwritten; model_release() it even after an error
 *
 * Return: 0; -EBADMSG after one logged sentence if the events contradict each other so that no
 * model exists (no root); -errno of the reader. The model of an incomplete file without any event
 * is empty.
 */
int model_build(struct trace_reader *r, struct model *out);

void model_release(struct model *m);

/* True if records of @cpu are missing somewhere inside (@start_ns, @end_ns). */
bool model_gap_within(const struct model *m, uint16_t cpu, uint64_t start_ns, uint64_t end_ns);

/* Return: the task with this birth number, or NULL. */
const struct model_task *model_task(const struct model *m, uint32_t id);

/* Return: where @cpu is in model.cpus; cpu_cnt if it is not. */
size_t model_cpu_row(const struct model *m, uint16_t cpu);

/* Return: what lies at this address of a futex, or NULL. */
const struct model_symbol *model_symbol(const struct model *m, uint32_t mm_id, uint64_t addr);

/*
 * Return: which of a task's spans, or of a CPU's segments, is the first that ends after @at_ns;
 * their number if none does.
 */
size_t model_span_at(const struct model_task *task, uint64_t at_ns);
size_t model_seg_at(const struct model *m, const struct model_cpu *cpu, uint64_t at_ns);

#endif /* LAB_MODEL_MODEL_H */
