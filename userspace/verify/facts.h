/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_VERIFY_FACTS_H
#define LAB_VERIFY_FACTS_H

/*
 * facts - what the records of a trace say. Sections are those of docs/certificate.md.
 *
 * replay.c takes the records one by one and keeps, of each task, its stretches: what it did from
 * one change to the next. waits.c, operations.c, checks.c and clocks.c keep what they need then.
 * When all are taken, figures.c cuts everything to the window and adds it up.
 */

#include "reread/reader.h"
#include "reread/tools.h"

#define BEYOND_NS (1ull << 62)	/* no record is stamped later */
#define ANY_CPU CPU_NUMBERS

/* Flags of switch_out (NO_RQ: of switch_in, too) and of waking. */
enum { OUT_PREEMPT = 1, OUT_IOWAIT = 2, OUT_COMPAT = 4, OUT_WORKER = 8, NO_RQ = 0x10,
       OUT_EXITING = 0x20 };
enum { WAKE_INTERRUPT = 7, WAKE_UNKNOWN = 8, WAKE_EXITING = 0x10, WAKE_MANY = 0x20 };

enum what { UNBORN, READY, RUN, WAIT, DEAD };
enum sort { IDLE, WORKING, LOCKED, QUEUED, ABSENT, OPEN };	/* OPEN: at a futex, not told yet */
enum ender { BY_NOBODY_KNOWN, BY_INTERRUPT, BY_TASK, BY_EXITING, BY_UNSEEN };

/* Marks of a stretch. A run that is neither hidden nor cut at its start was opened by a record. */
enum {
	HIDDEN = 1, CUT_START = 2, CUT_END = 4, ACROSS = 8,			/* of runs */
	OBSERVED = 16, BY_MANY = 32, BY_KIN = 64, BY_WORKLOAD = 128,	/* of waits */
};

/* What a task does from one change to the next, [start, end). Tasks are places in facts.tasks. */
struct stretch {
	uint64_t start_ns, end_ns;
	uint32_t task;
	uint8_t what, marks;
	uint8_t sort, ender;		/* of a wait */
	uint16_t cpu;			/* of a run */
	union {
		uint64_t earliest_ns;
		struct {
			uint32_t waker;		/* NONE: none that was met before */
			uint32_t futex, loop;	/* the place of a wait there; NONE */
			uint32_t futex_value, futex_owner;
			uint8_t futex_op;
			bool futex_private, futex_no_limit, in_epoll;
			bool sleeps;			/* the call does */
			bool with_process;		/* it ended as its process did */
			bool doubtful;			/* section 6 */
			bool ticks;			/* section 10 */
		};
	};
};

struct counters {
	uint64_t nvcsw, nivcsw, sum_exec_ns, migrations;
};

struct task {
	struct stretch now;
	uint32_t id, tid, tgid, leader, memory;
	uint32_t parent, jump, depth;	/* jump: some task that the parents lead to */
	uint64_t seen_off_ns, death_ns;
	uint64_t acted_ns;		/* since the last change; NEVER */
	uint64_t woken_ready_ns;	/* the last waking while it was ready; NEVER */
	uint16_t acted_cpu, put_cpu;	/* put: where the records have it */
	uint16_t woken_cpu;		/* ready since a waking there; ANY_CPU: not since one */
	uint16_t first_cpu;		/* that it took first by a record, at first_ns; NEVER */
	uint64_t first_ns, open_clock_ns;
	struct counters last;		/* at its last switch-out; before: its baseline */
	uint64_t base_cnt, outs;	/* base: nvcsw + nivcsw */
	uint32_t base_migrations, moves, moves_at_out;
	uint32_t epoll_wait;		/* its last wait in epoll that ended, a stretch; NONE */
	uint8_t epoll_stage;		/* epoll_waits since then, plus one */
	bool announced, has_total, open_no_rq;
	bool counted;	/* a record said its counters */
	bool seed_counts, as_seeded;	/* its task_seed: is its baseline; is still true */
	bool unwoken, unwoken_met;	/* this run is; and its first waking was seen */
	bool woken, woken_in_time;	/* while it ran, now or before this sleep */
};

/* Section 4: numbers that did not come. @to_ns: NEVER if nothing is stated after it. */
struct hole {
	uint64_t from_ns, to_ns, first, end, left;
};

struct cpu {
	uint32_t owner;			/* the task that has it, by the records; NONE */
	uint64_t stated_ns, across_ns;	/* the last statement; the last end of a run across a gap */
	uint64_t records, expected, top_ns;
	VEC(struct hole) holes;		/* when all is read: the gaps alone */
	size_t open_hole;		/* from here on nothing is stated after them */
	uint64_t clock_ns, clock_at_ns;	/* the last task clock, and its stamp */
	uint64_t bound_ns;		/* of its clock; NEVER: none */
	uint64_t seq_end, refused;
	bool has_clock, has_total, usable;
};

/* A check that failed. A doubt is explained by a gap between from_ns and until_ns. */
struct fault {
	const char *what;
	uint64_t expected, found, from_ns, until_ns;
	uint32_t task;			/* a birth number; 0 */
	uint16_t cpu;			/* of the doubt; ANY_CPU */
	bool is_doubt, explained;
};

/* A task_total. */
struct total {
	struct counters last;
	uint64_t outs, migrates, dead, task;
};

/* Where tasks wait at a futex; memory is NONE if it is of none. */
struct place {
	uint64_t addr;
	uint32_t memory;
	bool mutex, locks;
};

/* Section 7: what a mark began, or an epoll_ctl opened. */
struct operation {
	uint64_t start_ns, end_ns;	/* end: NEVER if open; a registration's last readiness */
	uint64_t begun, data;
	uint32_t task;			/* of a registration: who was told last; NONE */
	uint32_t tgid, set, number;	/* number: from 1; 0: it is not left */
	uint32_t part_of, next;		/* an operation; NONE. next: of this process */
	int64_t fd;
	uint8_t fd_type;
	bool mark, open, listening, counts;
	bool crowded;			/* its set was, by its end */
	bool told;			/* it was ready since its data changed */
};

struct facts {
	const struct circumstances *about;
	VEC(struct task) tasks;
	VEC(struct stretch) stretches;
	VEC(struct fault) faults;
	VEC(struct total) totals;
	VEC(struct place) places;
	VEC(struct operation) ops;
	struct cpu cpus[CPU_NUMBERS];
	struct idmap by_id, numbers, leader_of, threads, by_tid, memory_of, place_of, loop_of;
	uint32_t memory_cnt;
	struct operations *operations;	/* of operations.c */
	uint64_t early_ns;		/* an effect may be stamped before its cause by so much */
	uint64_t now_ns, first_ns, last_seed_ns, last_death_ns;
	uint64_t start_ns, end_ns;	/* the window */
	uint64_t records, missing, refused, outs, counted, hidden, unseen, births, deaths, alive;
	uint64_t ahead_ns, late, doubled, late_wakings, timely_wakings, unwoken_runs;
	unsigned __int128 charged_ns, uncharged_ns;
	bool seeded, root_seeded, misplaced, marker_unread, gaps;
};

static inline uint32_t place_of_task(const struct facts *f, const struct task *t)
{
	return (uint32_t)(t - f->tasks.v);
}

/* replay.c. replay_end() after the last record; false: no verdict exists (section 7). */
void replay_begin(struct facts *f, const struct circumstances *about);
void replay_event(struct facts *f, const struct event *ev);
bool replay_end(struct facts *f);
void facts_release(struct facts *f);

/* waits.c: a wait begins, what wakes it, it ends; and when all is read, what is open is told. */
void wait_begin(struct facts *f, struct task *t, const struct event *ev);
void wait_woken(struct facts *f, struct task *t, const struct event *ev);
void wait_end(struct facts *f, struct task *t);
void waits_settle(struct facts *f);

/* operations.c */
void operations_begin(struct facts *f);
void operations_event(struct facts *f, struct task *t, const struct event *ev);
void process_ends(struct facts *f, uint32_t tgid, uint64_t ns);
void operations_settle(struct facts *f);
void operations_release(struct facts *f);

/* checks.c */
void fault(struct facts *f, const struct task *t, const char *what, uint64_t expected,
	   uint64_t found, bool explained);
void doubt(struct facts *f, const struct task *t, const char *what, uint32_t cpu, uint64_t from_ns,
	   uint64_t until_ns);
struct counters counters_of(const struct event *ev);
void check_number(struct facts *f, const struct head *h);
void check_counters(struct facts *f, struct task *t, const struct event *ev);
void check_all(struct facts *f);
bool in_gap(const struct cpu *c, uint64_t start_ns, uint64_t end_ns);

/* clocks.c. clocks_eps(): how far the clocks of two CPUs may disagree. */
void clocks_begin(struct facts *f);
void check_clock(struct facts *f, const struct event *ev);
bool is_early(const struct facts *f, uint32_t cause_cpu, uint64_t cause_ns, uint32_t cpu,
	      uint64_t ns);
uint64_t clocks_eps(const struct facts *f, uint32_t cpu_a, uint32_t cpu_b);

#endif /* LAB_VERIFY_FACTS_H */
