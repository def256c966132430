/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_MODEL_BUILD_H
#define LAB_MODEL_BUILD_H

/*
 * build - the inside of the builder, shared by the build_*.c files and by
 * nobody else.
 *
 * Events drive two kinds of state machine, one per task (build_task.c,
 * build_switch.c) and one per CPU (build_cpu.c). Both write unclipped stretches; the
 * window is known only at the end, when build_finish.c cuts them to it. Tasks
 * are addressed by their index in builder.tasks, in order of first sight; NO_TASK is none.
 */

#include "model/builder.h"
#include "util/idmap.h"
#include "model/reasons.h"

#define NO_TASK UINT32_MAX
#define NO_CPU UINT16_MAX
#define NO_SET UINT32_MAX
#define NEVER UINT64_MAX
#define STAMP_MAX (1ull << 62)	/* 146 years of uptime: a later stamp is none */

enum life {
	LIFE_UNBORN = 0,	/* made, not yet put on a queue */
	LIFE_READY,
	LIFE_RUNNING,
	LIFE_BLOCKED,
	LIFE_DEAD,
};

/* The kernel's counters of a task, as one record gives them. */
struct counters {
	uint64_t nvcsw, nivcsw, sum_exec_ns;
	uint32_t migrations;
};

struct btask {
	struct model_task t;	/* spans, start_ns and end_ns are set at the end */
	uint32_t parent, jump, depth; /* indices; jump: some ancestor, for task_descends() */
	/* index of its process's first task; its own where that is not known */
	uint32_t leader;
	enum life life;
	uint32_t futex_val;	/* blocked in a futex: the value it expects */
	size_t futex_first, futex_last; /* 1 + index into builder.futex_links, 0: none */
	bool implicit;		/* seen in a record, its TASK_NEW or SEED was not */
	/* no record said its counters: neither a switch-out nor what introduced it */
	bool uncounted;
	bool seeded, seeded_on_cpu;
	bool seed_counts;	/* no record came before its seed, which said its counters */
	bool ran;
	/* the first record that says that it took a CPU, ran_first_cpu; NEVER */
	uint64_t ran_first_ns;
	uint16_t ran_first_cpu;
	/* blocked, but woken while it still ran: ready, if no waking follows */
	bool tentative;
	bool woken_running;	/* running, and a waking came */
	bool in_unwoken;	/* running, and no waking explains why; none came since */
	uint16_t woken_cpu;	/* ready since a waking there; NO_CPU: not since one */
	/* woken_running, tentative: by a waking that came too late for this run, that one */
	bool late;
	uint64_t woken_ready_ns; /* ready, and a waking came then: it may have run unseen; NEVER */
	struct model_span open;	/* of LIFE_READY, _RUNNING, _BLOCKED */
	uint64_t made_ns, death_ns; /* death: NEVER while alive */
	uint64_t own_ns;	/* last stamp that shows it off every CPU */
	uint64_t ran_by_ns;	/* ready or blocked, and yet it acted on ran_cpu then; NEVER */
	uint16_t ran_cpu;
	uint16_t queued_cpu;	/* where it was last put */
	struct counters base, last;
	uint64_t outs;		/* switch-outs recorded */
	size_t out_span_cnt;	/* spans that had ended at the last of them */
	bool tail_whole;	/* no other followed, by what the kernel counted */
	uint64_t migrates, migrates_at_out;
	uint64_t hidden;	/* switch-ins not seen */
	uint64_t clock_in_ns;	/* clock_task at the start of this stint */
	bool clock_in_known;
	/* 1 + its last span, if that was a wait in epoll, until it is known how that ended; 0 */
	size_t epoll_span;
	bool epoll_returned;	/* that call has returned */
	bool has_total;
	bool in_exec;		/* its last switch-out was in execve(2) */
	bool has_request;	/* and it was a worker of io_uring that completes one */
	uint32_t set;		/* what it may use: index into model.cpusets, NO_SET: not known */
	uint32_t group;		/* whose quota binds it; 0: none, or not known */
	/* On a queue on which a quota can hold it: */
	uint16_t queue_cpu;	/* NO_CPU: on none */
	uint32_t queue_group;
	uint32_t queue_prev, queue_next; /* indices, NO_TASK */
	/* spent: until it runs, for its own budget is used up; else by its group's quota */
	bool held, spent;
	uint64_t held_ns;	/* since */
};

/* A hole in the sequence numbers of a CPU, as first seen: late records may fill it. */
struct hole {
	uint64_t first, last;
	uint64_t from_ns, until_ns; /* until a record says who has the CPU; NEVER: none did */
};

struct bcpu {
	bool known;		/* a record or a statement named it */
	bool ran_ours;		/* within the window */
	uint32_t cur;		/* the task of ours that has it, else NO_TASK */
	uint64_t lost_until_ns;	/* until then a stay is drawn on it whose switch-out was lost */
	bool stated;		/* class and the next two are valid */
	uint8_t class;
	uint32_t tid;
	uint64_t since_ns;	/* stamp of the last record that says who has it */
	size_t stay_cnt;	/* running spans on it */
	bool clock_known;	/* the next two are valid */
	/* its task clock in the last switch record, and the stamp of that */
	uint64_t clock_ns, clock_ts_ns;
	uint32_t throttled;	/* bit g: the queue of group g is throttled */
	/* per group 1 + index of the first task on it, 0: none */
	uint32_t queues[LAB_GROUPS_MAX + 1];
	struct model_cpu_seg *segs; /* foreign, idle, unknown; ascending, unclipped */
	size_t seg_cnt, seg_cap;
	/* sequence numbers */
	uint64_t records;
	uint64_t seq_next;	/* highest seen + 1 */
	uint64_t seq_next_ns;	/* stamp of that record */
	uint64_t seq_end;	/* numbers given out, as the recorder says */
	uint64_t refused;
	bool has_total;
	bool offline;		/* at the end */
	struct hole *holes;
	size_t hole_cnt, hole_cap;
	size_t hole_ended_cnt;	/* those whose until_ns is known */
	uint64_t *late;		/* numbers that came after a higher one */
	size_t late_cnt, late_cap;
};

/* A registration in an epoll set. */
struct reg {
	uint32_t tgid;
	int32_t epfd, fd;
	uint64_t data;
	uint64_t start_ns, last_ready_ns, ready_cnt;
	uint32_t task_id;	/* whose loop: who was told of its readiness last */
	uint8_t fd_type;
	bool listening;
	bool told;		/* ready since it was opened or changed last */
	bool open;
	bool linked;		/* among those of its process */
	uint32_t next;		/* the next of these, + 1; 0: none */
};

/* A marked operation; its ID may come again once it has ended. */
struct marked {
	uint32_t tgid;
	bool open;
	bool linked;		/* among those of its process */
	uint32_t next;		/* the next of these, + 1; 0: none */
	bool active;		/* not suspended; the next two are valid */
	uint32_t active_task_id;
	uint64_t active_since_ns;
	struct model_op op;	/* id: the number of its beginning, until ops_finish() */
};

/* Who is registered under one value of epoll_data in one epoll set. */
struct data_users {
	uint32_t cnt;
	uint32_t xor_idx;	/* of the indices of regs: with cnt 1 the index itself */
};

struct late_turn {
	uint64_t at_ns;
	uint32_t task;
};

/* A span that is a wait in a futex. */
struct futex_link {
	size_t span;		/* of the task's */
	size_t next;		/* 1 + index of the task's next one, 0: none */
	uint32_t val, owner_tid; /* as in struct model_task */
};

/* A failed check that a record of @cpu which is missing in between would explain. */
struct audit_doubt {
	uint64_t failure_idx;	/* of all; the first 1000 are kept */
	uint16_t cpu;		/* NO_CPU: of any */
	uint64_t from_ns, until_ns;
};

/* A task's memory until it ran another program. */
struct past_mm {
	uint32_t idx;		/* of the task */
	uint32_t mm_id;
	uint64_t until_ns;
};

struct model_builder {
	struct model m;		/* filled as we go; handed over at the end */
	uint64_t now_ns;	/* stamp of the last event */
	bool any_event;
	struct btask *tasks;
	size_t task_cnt, task_cap;
	struct idmap task_by_id;
	struct idmap threads;	/* (tgid, tid) that existed */
	struct idmap task_by_tid; /* index of the last one that had it */
	/* by tgid: the task announced last with this number as its tid too */
	struct idmap leaders;
	uint32_t mm_cnt;
	struct idmap mm_of_tgid; /* of seeded tasks */
	const struct trace_symbols *symbols; /* borrowed; NULL: none */
	struct past_mm *past_mms; /* in order of time */
	size_t past_mm_cnt, past_mm_cap;
	struct audit_doubt *doubts;
	size_t doubt_cnt, doubt_cap;
	struct marked *marked;
	size_t marked_cnt, marked_cap;
	uint32_t marked_total;	/* beginnings */
	struct idmap marked_by_id; /* (tgid, number of the ID's text) */
	/* the first one, + 1; 0: none. Processes that mark their operations are in it */
	struct idmap marked_of_tgid;
	struct idmap text_nodes, name_by_text;
	uint32_t text_node_cnt;
	/*
	 * Each time that a task goes on to its next span, in order of time. Most begin where a
	 * record ended the span before, and records come in order: of those the task's index is
	 * enough.
	 */
	uint32_t *turns;
	size_t turn_cnt, turn_cap;
	uint64_t turn_ns;	/* of the last of turns */
	struct late_turn *late_turns; /* the others */
	size_t late_turn_cnt, late_turn_cap;
	struct futex_link *futex_links;
	size_t futex_link_cnt, futex_link_cap;
	struct bcpu *cpus;	/* by CPU number */
	size_t cpu_cnt;
	struct idmap comm_idx;
	struct lab_ev_task_total *totals;
	size_t total_cnt, total_cap;
	struct reg *regs;
	size_t reg_cnt, reg_cap;
	struct idmap reg_by_fd;
	struct idmap regs_of_tgid; /* the first one, + 1; 0: none */
	struct data_users *users;
	size_t user_cnt, user_cap;
	struct idmap users_by_data;
	struct idmap own_ends_by_set;
	uint64_t exec_charged_ns; /* of the stays whose excess was looked at */
	uint64_t ready_excess_ns; /* of those that ended ready */
	/* the largest bound on two clocks' disagreement that META has; 0: it has none */
	uint64_t clock_pair_max_ns;
	uint64_t unwoken_runs;	/* that no waking explains */
	/* before the runs that they made possible, which were on other CPUs */
	uint64_t timely_wakings;
	uint64_t late_wakings;	/* of these, stamped after the run that they made possible began */
	uint64_t throttled_outs; /* switch-outs of throttled tasks */
	uint64_t holds_begun;
	bool holds_given_up;	/* more than any kernel makes: they are not counted any more */
	uint64_t last_seed_ns;
	bool any_seed;
	uint64_t release_ns;	/* the root's, NEVER if not seen */
};

/* ---- build_fault.c ---- */

/*
 * One failed check that no missing record explains; kept up to a limit, counted beyond. @name is
 * static.
 */
void audit_fail(struct model_builder *b, const char *name, uint32_t task_id, uint64_t expected,
		uint64_t observed);

/* One that is what missing records make: too few of something were seen. */
void audit_miss(struct model_builder *b, const char *name, uint32_t task_id, uint64_t expected,
		uint64_t observed);

/* One that a record explains if it is missing on @cpu (NO_CPU: on any) in between. */
void audit_doubt(struct model_builder *b, const struct audit_failure *failure, uint16_t cpu,
		 uint64_t from_ns, uint64_t until_ns);

/* ---- build_state.c ---- */

/* This CPU's state; NULL, and the audit told, if no machine has such a number. */
struct bcpu *cpu_state(struct model_builder *b, uint16_t cpu);

/* A task that nothing is known of but its birth number, which is new. Return: its index. */
uint32_t task_add(struct model_builder *b, uint32_t id, uint64_t ts_ns);

/* The task with this birth number, made up if no record introduced it. Never NO_TASK. */
uint32_t task_lookup(struct model_builder *b, uint32_t id, uint64_t ts_ns);

/* The same; valid until the next lookup. */
struct btask *task_get(struct model_builder *b, uint32_t id, uint64_t ts_ns);

/* Begin a stretch. */
void task_open(struct btask *t, enum life life, uint64_t ts_ns, uint16_t cpu);

/* Switch-outs of the task are missing since the last one that was recorded. */
void task_doubt(struct btask *t);

/* @id acted at this instant, in its own context. */
void task_acted(struct model_builder *b, uint32_t id, uint16_t cpu, uint64_t ts_ns);

/* ---- build_audit.c ---- */

/* At a switch-out: exactly one counter moved by one; what was charged fits the clock. */
void audit_switch_out(struct model_builder *b, struct btask *t, const struct lab_ev_switch_out *ev);

/* At a switch: the CPU's task clock should not have advanced more than the stamps have. */
void audit_clock(struct model_builder *b, struct bcpu *cpu, uint64_t ts_ns, uint64_t clock_ns);

/* A task that runs is woken, by a record of @cpu: did it begin to run before, without a waking? */
void audit_waking_late(struct model_builder *b, struct btask *t, uint16_t cpu, uint64_t ts_ns);

/* A task is born, by a record of @cpu: did it run before? */
void audit_birth_late(struct model_builder *b, const struct btask *t, uint16_t cpu, uint64_t ts_ns);

/* At the end: per task and for the run. @end: NULL for an incomplete file. */
void audit_finish(struct model_builder *b, const struct trace_end *end);

/* ---- build_task.c ---- */

/* End the open stretch at @ts_ns, keeping it unless it is empty. */
void task_close(struct model_builder *b, struct btask *t, uint64_t ts_ns);

/* Begin a blocked stretch for the reason that @sleep gives. */
void task_block(struct btask *t, uint64_t ts_ns, const struct sleep *sleep);

/* If what is open is blocked: its reason, as far as one wait alone tells. */
void task_settle_reason(struct model_builder *b, struct btask *t);

bool task_descends(const struct model_builder *b, uint32_t idx, uint32_t ancestor);

/*
 * One descends from the other, or from the first task of the other's process, which is not its own.
 */
bool task_is_kin(const struct model_builder *b, uint32_t idx, uint32_t other);

void task_on_new(struct model_builder *b, const struct lab_ev_task *ev);
void task_on_seed(struct model_builder *b, const struct lab_ev_task *ev);
void task_on_wakeup_new(struct model_builder *b, const struct lab_ev_wakeup_new *ev);
void task_on_migrate(struct model_builder *b, const struct lab_ev_migrate *ev);
void task_on_exec(struct model_builder *b, const struct lab_ev_exec *ev);
void task_on_exit(struct model_builder *b, const struct lab_ev_exit *ev);
void task_on_rename(struct model_builder *b, const struct lab_ev_rename *ev);

/* ---- build_switch.c ---- */

void switch_on_out(struct model_builder *b, const struct lab_ev_switch_out *ev);
void switch_on_in(struct model_builder *b, const struct lab_ev_switch_in *ev);
void switch_on_class(struct model_builder *b, const struct lab_ev_cpu_class *ev);
void switch_on_waking(struct model_builder *b, const struct lab_ev_waking *ev);

/* ---- build_cpu.c ---- */

/* Who has a CPU, as one side of a record tells it. */
struct holder {
	uint8_t class;
	uint32_t tid;
	const char *comm;	/* LAB_COMM_LEN bytes; NULL: not told */
	uint64_t since_ns;	/* 0: not told */
};

/*
 * A record at @ts_ns says who had the CPU until then and who has it now.
 * @ours_from_ns: if @prev is ours, where its stay is drawn from.
 */
void cpu_state_change(struct model_builder *b, struct bcpu *cpu, uint64_t ts_ns,
		      const struct holder *prev, uint64_t ours_from_ns, const struct holder *next);

/* Into model.cpus and model.cpu_segs. The spans are final, the window and the gaps known. */
void cpu_finish(struct model_builder *b);

/* ---- build_seq.c ---- */

void seq_note(struct model_builder *b, struct bcpu *cpu, const struct lab_ev_head *head);
void seq_on_total(struct model_builder *b, const struct lab_ev_cpu_total *ev);

/* A record says who has the CPU: the holes that are open end there. */
void seq_on_statement(struct bcpu *cpu, uint64_t ts_ns);

/*
 * Into model.gaps, by CPU, starts and ends ascending. Duplicated numbers fail the audit, and so do
 * missing ones that are not as many as the CPU refused. @end: NULL for an incomplete file, whose
 * refused records are not known.
 */
void seq_finish(struct model_builder *b, const struct trace_end *end);

/* ---- build_place.c ---- */

void place_on_affinity(struct model_builder *b, const struct lab_ev_affinity *ev);
void place_on_group(struct model_builder *b, const struct lab_ev_group *ev);
void place_on_throttle(struct model_builder *b, const struct lab_ev_throttle *ev);

/* @idx has what @parent had. */
void place_born(struct model_builder *b, uint32_t idx, uint32_t parent, uint64_t ts_ns);

/* @idx has used up its own budget: no CPU takes it from now on until it runs. */
void place_spent(struct model_builder *b, uint32_t idx, uint64_t ts_ns);

/* @idx waits on @cpu's queue. @throttled: it left the CPU because a quota was used up. */
void place_ready(struct model_builder *b, uint32_t idx, uint16_t cpu, bool throttled,
		 uint64_t ts_ns);

/* It no longer does. Harmless if it did not. */
void place_left(struct model_builder *b, uint32_t idx, uint64_t ts_ns);

/* It was moved to @cpu. */
void place_moved(struct model_builder *b, uint32_t idx, uint16_t cpu, uint64_t ts_ns);

/* The cause of a move that is about to be noted. */
enum move_cause place_move_cause(const struct model_builder *b, uint32_t idx,
				 const struct lab_ev_migrate *ev);

/* Into model.allowed and model.holds. The spans are final. */
void place_finish(struct model_builder *b, const struct trace_end *end);

/* ---- build_ops.c ---- */

void ops_on_ctl(struct model_builder *b, const struct lab_ev_epoll_ctl *ev);
void ops_on_wait(struct model_builder *b, const struct lab_ev_epoll_wait *ev);
void ops_on_ready(struct model_builder *b, const struct lab_ev_epoll_ready *ev);

/* The process with this number runs another program, or is another: its epoll sets are closed. */
void ops_forget(struct model_builder *b, uint32_t tgid);

/* Close what is open, clip to the window and number the operations. After markers_finish(). */
void ops_finish(struct model_builder *b);

/* ---- build_markers.c ---- */

void markers_on_marker(struct model_builder *b, const struct lab_ev_marker *ev);

/*
 * The process with this number runs another program, or is another: what it had open ends at
 * @ts_ns.
 */
void markers_forget(struct model_builder *b, uint32_t tgid, uint64_t ts_ns);

/* Close what is open: with its process, or the window. */
void markers_finish(struct model_builder *b);
/* ---- build_turns.c ---- */

/* Where its span ends, the task's next one begins. */
void turn_note(struct model_builder *b, uint32_t idx, uint64_t ts_ns);

/*
 * Into model.turns. The spans are final; @gone: how many there were before the window. The tasks
 * are sorted; @place: where each stands now, by its index.
 */
void turns_finish(struct model_builder *b, const uint32_t *place, size_t gone);

/* Which naps tick; after all is cut to the window. */
void naps_finish(struct model_builder *b);

/* ---- build_symbols.c ---- */

/* Into model.symbols. All events were seen. */
void symbols_finish(struct model_builder *b);

/* ---- build_finish.c ---- */

/* Set the window and close what is open. Return: 0 or -EBADMSG (logged). */
int finish_window(struct model_builder *b, const struct trace_end *end);

/* Judge futexes, cut tasks, spans and moves to the window, and order them. The gaps are known. */
void finish_spans(struct model_builder *b);

#endif /* LAB_MODEL_BUILD_H */
