/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_VERIFY_REPLAY_H
#define LAB_VERIFY_REPLAY_H

/*
 * replay - the events of a trace, one after the other, become what each task did:
 * stretches of running, readiness and waiting. On the way each record is held against those before it
 * and, at the end, against what the kernel counted. The rules are those of docs/certificate.md.
 *
 * Tasks are addressed by their place in facts.tasks, in order of first sight.
 */

#include "verify/map.h"
#include "verify/reader.h"

#define NOBODY UINT32_MAX
#define WAKE_INTERRUPT 0x07	/* flags of a waking: hardirq, softirq, NMI */
#define WAKE_UNKNOWN 0x08
#define NEVER UINT64_MAX
#define STAMP_MAX (1ull << 62)

/* What a stretch is to the question whether its task was in progress. */
enum sort {
	RUNS,
	READY,
	WORKS,		/* waits for something that is done for it */
	IDLES,		/* waits where a helper parks */
	LOCKED,		/* waits for a lock */
	QUEUES,		/* waits for the lock of a file, or as a worker of io_uring for a request to complete */
	ABSENT,		/* waits for a task that it made */
	AT_FUTEX,	/* IDLES or LOCKED: all waits at that place tell */
};

enum loop { LOOP_NONE, LOOP_EPOLL, LOOP_POLL, LOOP_URING, LOOP_CNT };

/* stretch.marks */
#define M_HIDDEN 0x0001		/* a run whose begin no record tells */
#define M_CUT_START 0x0002
#define M_CUT_END 0x0004
#define M_GAP 0x0008		/* a run across missing records */
#define M_BY_IRQ 0x0010		/* what ended a wait */
#define M_BY_EXIT 0x0020
#define M_BY_KNOWN 0x0040	/* the waker had been met before */
#define M_BY_TASK 0x0080	/* the waker has a tid */
#define M_FUTEX 0x0100
#define M_OWNED 0x0200		/* of a futex: it names its owner */
#define M_MANY 0x0400		/* ended by a call that may end several waits */
#define M_BY_END 0x0800		/* its own process ended, or began another program, by the waker's hand */
#define M_OBSERVED 0x1000	/* a loop's wait: what ended it, or could have, is known */

struct stretch {
	uint64_t start_ns, end_ns;
	uint64_t least_ns;	/* a run: the earliest that it can have begun */
	union {
		uint64_t seq_in;
		uint64_t addr;	/* of a futex; of a loop: the descriptor of its epoll set, or io_uring */
	};
	union {
		uint64_t seq_out;
		struct {
			uint32_t mm, value;	/* of a futex */
		};
	};
	uint32_t waker;		/* birth number of who ended a wait */
	uint32_t task;
	uint16_t cpu, marks;
	uint8_t sort, loop, op;	/* op: of a futex */
};

enum phase { UNBORN, WAITING_CPU, RUNNING, SLEEPING, DEAD };

enum cause { BY_OUT, BY_WAKING, BY_WAKEUP_NEW, BY_MOVE, CAUSE_CNT };

struct counters {
	uint64_t nvcsw, nivcsw, sum_exec_ns, migrations;
};

static inline struct counters counters_of(const struct event *ev)
{
	return (struct counters){
		ev->f[F_NVCSW], ev->f[F_NIVCSW], ev->f[F_SUM_EXEC], ev->f[F_MIGRATIONS]
	};
}

struct task {
	uint32_t id, parent;	/* birth number; place or NOBODY */
	uint32_t tid, tgid, mm;
	uint32_t owner;		/* the tid that its wait at a futex names; 0: none */
	uint32_t leader;	/* place of its process's first task */
	enum phase phase;
	bool unannounced;	/* met before a record announced it */
	bool seeded, seeded_running;
	bool raced;		/* sleeping, and woken before it slept */
	bool woken;		/* running, and a waking came */
	uint64_t woken_ready_ns; /* ready, and a waking came then: it may have run unseen; NEVER */
	struct stretch now;
	uint64_t made_ns, death_ns, seen_off_ns;
	uint32_t put_on;	/* the CPU where the records put it; NOBODY: they do not say */
	uint64_t acted_ns;	/* not running, and yet it acted on acted_cpu; NEVER */
	uint32_t acted_cpu;
	struct {
		uint64_t ts_ns;
		uint32_t cpu;
		bool set;
	} causes[CAUSE_CNT];
	struct counters base, last;
	uint64_t outs, moves, moves_at_out;
	uint64_t clock_in_ns;
	bool clock_in_known, has_total;
	bool unwoken;		/* running, and no waking explains why; none came since */
	bool late;		/* woken, raced: by a waking that came too late for this run, that one */
	uint64_t first_ns;	/* the first record that gives it a CPU, first_cpu; NEVER */
	uint32_t first_cpu;
	size_t loop_at;		/* 1 + which of all stretches its last wait in epoll was, until a call later; 0 */
	bool loop_back;		/* and the call has returned */
	size_t first, cnt;	/* its stretches within the window, once they are in order */
	uint32_t place, next_child; /* in the order of families */
	uint32_t family;	/* its own size: who descends from it follows it */
};

/* Numbers that are missing on a CPU, as first seen. */
struct hole {
	uint64_t first, last, missing;
	uint64_t from_ns, until_ns;
};

struct cpu {
	bool usable, met, ran;
	uint32_t task;		/* that has it, as the records say; or NOBODY */
	bool stated;
	uint64_t stated_ns;	/* of the last record that says who has it */
	uint64_t lost_ns;	/* until then a run across missing records is drawn on it */
	uint64_t records, next_seq, next_seq_ns;
	bool clocked;		/* the last record of a switch: its stamp and task clock */
	uint64_t clocked_ns, clock_ns;
	bool has_total;
	uint64_t seq_end, refused;
	struct hole *holes;	/* later: gaps */
	size_t hole_cnt, hole_cap, hole_closed;
	uint64_t *late;
	size_t late_cnt, late_cap;
};

struct fault {
	const char *what;	/* static */
	uint32_t task;		/* birth number; 0: of the run */
	uint64_t expected, found;
	bool explained;		/* records that are known to be missing explain it */
	bool doubtful;		/* one would that is missing on @cpu (NOBODY: on any) in between */
	uint32_t cpu;
	uint64_t from_ns, until_ns;
};

struct operation {
	uint64_t start_ns, end_ns;
	uint32_t task;		/* birth number */
	uint32_t tgid;
	int32_t fd;		/* -1: marked */
	uint64_t begin_number;	/* marked: beginnings up to its own; else 0 */
	uint64_t part_of;	/* the begin_number of which it is a part; 0: of none */
};

/* A marked operation; its ID may come again. */
struct mark {
	struct operation op;
	bool open, listed;
	uint32_t next;		/* of its process, + 1 */
};

/* What is registered and marked in one process, as lists of places + 1. */
struct process {
	uint32_t first_reg, first_mark;
	bool marks;		/* it marks its operations */
	bool has_tasks;		/* in the end there are tasks with this tgid; the last died at end_ns */
	uint64_t end_ns;
};

/* One descriptor in one epoll set. */
struct registration {
	uint32_t tgid, task;
	uint64_t epfd, data;
	int32_t fd;
	uint64_t start_ns, ready_ns;
	uint8_t kind;		/* fd_type */
	bool open, listening, told, ready;
	bool listed;
	uint32_t next;		/* of its process, + 1 */
};

struct edge {
	uint32_t from, to;
	uint64_t least_ns;
};

/* What a task_total says. */
struct total {
	uint32_t task;		/* birth number */
	uint64_t outs, moves, dead;
	struct counters last;
};

struct facts {
	const struct circumstances *about;
	uint64_t now_ns;
	uint64_t release_ns, last_seed_ns;
	bool root_seeded, any_seed;
	uint64_t start_ns, end_ns;	/* the window */

	struct task *tasks;
	size_t task_cnt, task_cap;
	struct map by_id, by_tid, threads, group_mms, edge_of, leader_of;
	uint32_t *had_tid;		/* by the value in by_tid: the last task that was given it */
	size_t had_tid_cnt, had_tid_cap;
	uint32_t *mm_of_group, *leaders;
	size_t group_cnt, group_cap, leader_cnt, leader_cap;
	uint32_t mm_cnt;
	struct stretch *stretches;
	size_t stretch_cnt, stretch_cap;
	struct cpu cpus[CPU_NUMBERS];
	struct edge *edges;
	size_t edge_cnt, edge_cap;
	struct total *totals;
	size_t total_cnt, total_cap;

	struct map fds, data;
	struct registration *regs;
	size_t reg_cnt, reg_cap;
	struct {
		uint64_t cnt, sum;	/* registrations open under it, and the sum of their places */
	} *users;
	size_t user_cnt, user_cap;
	struct operation *ops;
	size_t op_cnt, op_cap;
	struct map process_of;
	struct process *processes;
	size_t process_cnt, process_cap;
	struct map texts, mark_of;
	struct mark *marks;
	size_t mark_cnt, mark_cap;
	uint64_t begin_cnt, marks_unread;

	struct fault *faults;
	size_t fault_cnt, fault_cap;
	uint64_t unexplained;

	uint64_t records, births, deaths, alive, outs, counted, moves, moves_unseen, hidden, wakings_unseen, moves_hidden;
	uint64_t ahead_ns, unwoken_runs, late_wakings, pair_max_ns;
	uint64_t causes_checked, excess_ns, charged_ns, refused, missing, gap_cnt;
	size_t cpu_cnt;			/* usable ones */
};

void replay_begin(struct facts *f, const struct circumstances *about);
void replay_event(struct facts *f, const struct event *ev);

/* The window, and everything cut to it. False: the trace has no root. */
bool replay_end(struct facts *f);

void replay_release(struct facts *f);

/* Whether records of @cpu are missing within (@start_ns, @end_ns). After replay_end(). */
bool replay_gap(const struct facts *f, uint32_t cpu, uint64_t start_ns, uint64_t end_ns);

/* Whether what ended a wait is the end of its process, or a task of the same line. After replay_end(). */
bool replay_by_kin(const struct facts *f, const struct stretch *s);

/* ---- account.c: what the records say of each other, and the kernel of them ---- */

void fault(struct facts *f, const char *what, const struct task *t, uint64_t expected,
	   uint64_t found, bool explained);

/* One that a record explains if it is missing on @cpu in between. */
void fault_unless_lost(struct facts *f, const char *what, const struct task *t, uint32_t cpu,
		       uint64_t from_ns, uint64_t until_ns);

void account_number(struct facts *f, struct cpu *c, const struct head *h);
void account_statement(struct cpu *c, uint64_t ts_ns);
void account_out(struct facts *f, struct task *t, const struct event *ev);
void account_in(struct facts *f, struct task *t, uint32_t cpu, uint64_t ts_ns);
/* A switch: the CPU's task clock against its stamps. */
void account_clock(struct facts *f, struct cpu *c, const struct event *ev);

/* Whether a cause comes too long after its effect for clocks that disagree. */
bool account_early(const struct facts *f, uint64_t effect_ns, uint64_t cause_ns);

void account_cpu_total(struct facts *f, const struct event *ev);
void account_gaps(struct facts *f);
void account_end(struct facts *f);

/* ---- waits.c: what a task waits for ---- */

struct sleep {
	uint64_t state, flags;
	int64_t call;
	uint64_t arg0, arg1, arg2, fd_type, owner;
};

/* The tid that a wait at a futex names as the owner's; 0: none. */
uint32_t waits_owner(const struct sleep *sleep);

/* Fill the sort, and what belongs to a futex, of a wait that begins. */
void waits_sort(const struct sleep *sleep, struct stretch *s);

/* A record gives a task its numbers. */
void replay_number(struct facts *f, struct task *t, uint64_t tgid, uint64_t tid);

/* A task is announced: who leads its process? */
void replay_lead(struct facts *f, struct task *t);

/* @ev wakes the task that sleeps: what ends its wait. */
void waits_woken(const struct facts *f, struct task *t, const struct event *ev);

/* It ends: settle what one wait tells. @thread: the futex's value was the tid of a thread of its process. */
void waits_settle(struct stretch *s, bool thread);

/* All waits at each futex together: AT_FUTEX becomes IDLES or LOCKED. */
void waits_judge(struct facts *f);

/* ---- window.c ---- */

void window_set(struct facts *f);

/* The gaps are known, and what ends with the window ended. */
void window_cut(struct facts *f);

/* ---- operations.c ---- */

void operations_ctl(struct facts *f, uint32_t task, const struct event *ev);
void operations_wait(struct facts *f, uint32_t task);
void operations_ready(struct facts *f, uint32_t task, const struct event *ev);
void operations_end(struct facts *f);

/* The process with this number; made if there was none. Valid until the next one is made. */
struct process *operations_process(struct facts *f, uint32_t tgid);

/* It runs another program, or is another process: what it had open ends. */
void operations_forget(struct facts *f, uint32_t tgid, uint64_t ts_ns);

/* ---- loops.c ---- */

/* Whether some event loop waited for what was not observed. After replay_end(). */
bool loops_unseen(const struct facts *f);

/* ---- marks.c ---- */

void marks_event(struct facts *f, uint32_t task, const struct event *ev);
void marks_forget(struct facts *f, struct process *p, uint64_t ts_ns);
void marks_end(struct facts *f);

#endif /* LAB_VERIFY_REPLAY_H */
