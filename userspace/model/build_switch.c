/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * build_switch - stays on CPUs: how they begin, how they end, and what wakes a
 * task between them.
 */

#include "model/build.h"
#include "model/futex.h"
#include "util/alloc.h"
#include "util/minmax.h"

#define NR_SCHED_YIELD 24
#define NR_SCHED_YIELD_I386 158
#define NR_FUTEX 202
#define NR_EXECVE 59
#define NR_EXECVE_I386 11
#define NR_EXECVEAT 322
#define NR_EXECVEAT_I386 358
#define NR_EXIT_GROUP 231

#define WAKE_IN_INTERRUPT (LAB_F_HARDIRQ | LAB_F_SOFTIRQ | LAB_F_NMI)

/* What was open ends because the task got @cpu at @ts_ns. */
static void end_wait(struct model_builder *b, struct btask *t, uint16_t cpu, uint64_t ts_ns)
{
	/* A waking raced with the sleep and won, for none came after: it was ready all along. */
	place_left(b, (uint32_t)(t - b->tasks), ts_ns);
	if (t->life == LIFE_BLOCKED && t->tentative) {
		task_open(t, LIFE_READY, t->open.start_ns, cpu);
		t->open.guess = true;
	}
	if (t->life == LIFE_READY)
		t->open.cpu = cpu;
	if (t->life == LIFE_BLOCKED) {
		t->open.flags |= SPAN_WOKEN_UNSEEN;
		b->m.audit.unseen_wakings++;
	}
	task_close(b, t, ts_ns);
}

/* The records say that a task lost its CPU, and no switch-out of it is there. */
static void lose_stay(struct model_builder *b, uint32_t idx, uint64_t ts_ns)
{
	struct btask *t = &b->tasks[idx];

	audit_doubt(b, &(struct audit_failure){ "lost_switch_out", t->t.id, 1, 0, false },
		    t->open.cpu, t->open.start_ns, ts_ns);
	t->open.flags |= SPAN_ACROSS_GAP;
	task_close(b, t, ts_ns);
	task_open(t, LIFE_BLOCKED, max_u64(ts_ns, t->open.start_ns), NO_CPU);
	t->open.reason = REASON_OTHER;
}

static void lose_current(struct model_builder *b, struct bcpu *cpu, uint64_t ts_ns)
{
	if (cpu->cur != NO_TASK)
		lose_stay(b, cpu->cur, ts_ns);
	cpu->cur = NO_TASK;
}

/* The root is the first to be woken or to run; where records are missing, whoever is seen first. */
static void note_release(struct model_builder *b, uint64_t ts_ns)
{
	b->release_ns = min_u64(b->release_ns, ts_ns);
}

struct opening {
	uint64_t ts_ns, seq;
	uint64_t clock_ns;
	bool clock_known;
	uint16_t cpu;
};

/* It has a CPU, and no record put it on a queue before. */
static void ran_unborn(struct model_builder *b, const struct btask *t, uint64_t ts_ns)
{
	audit_doubt(b, &(struct audit_failure){ "causality", t->t.id, 0, 1, false }, NO_CPU,
		    t->made_ns, ts_ns);
}

/* A task takes a CPU, and a record says so. */
static void begin_stay(struct model_builder *b, struct bcpu *cpu, uint32_t idx,
		       const struct opening *o)
{
	struct btask *t = &b->tasks[idx];
	bool unwoken = t->life == LIFE_BLOCKED && (!t->tentative || t->late);
	const char *name;

	switch (t->life) {
	case LIFE_DEAD:
		audit_fail(b, "after_death", t->t.id, 0, 1);
		return;
	case LIFE_RUNNING:
		name = t->open.cpu == o->cpu ? "switched_in_twice" : "two_cpus";
		audit_doubt(b, &(struct audit_failure){ name, t->t.id, 1, 2, false }, t->open.cpu,
			    t->open.start_ns, o->ts_ns);
		if (b->cpus[t->open.cpu].cur == idx)
			b->cpus[t->open.cpu].cur = NO_TASK;
		t->open.flags |= SPAN_ACROSS_GAP;
		task_close(b, t, o->ts_ns);
		break;
	case LIFE_UNBORN:
		ran_unborn(b, t, o->ts_ns);
		break;
	case LIFE_READY:
	case LIFE_BLOCKED:
		end_wait(b, t, o->cpu, o->ts_ns);
	}
	note_release(b, o->ts_ns);
	b->m.audit.unseen_moves += t->queued_cpu != NO_CPU && t->queued_cpu != o->cpu;
	if (t->ran_first_ns == NEVER) {
		t->ran_first_ns = o->ts_ns;
		t->ran_first_cpu = o->cpu;
	}
	b->timely_wakings += t->woken_cpu != NO_CPU && t->woken_cpu != o->cpu;
	task_open(t, LIFE_RUNNING, o->ts_ns, o->cpu);
	t->in_unwoken = unwoken;
	b->unwoken_runs += unwoken;
	t->open.seq_in = o->seq;
	t->clock_in_ns = o->clock_ns;
	t->clock_in_known = o->clock_known;
	t->queued_cpu = o->cpu;
	cpu->cur = idx;
}

/*
 * A stay whose switch-in nobody saw. What was charged sizes it; the last records of the CPU and of
 * the task, which show it elsewhere, bound it; what the task did itself shows it there.
 */
static void begin_hidden_stay(struct model_builder *b, const struct bcpu *cpu, struct btask *t,
			      const struct lab_ev_switch_out *ev)
{
	uint64_t ts_ns = ev->head.ts_ns, charged = 0, bound, start;
	uint64_t woken_ns = t->woken_ready_ns;

	bound = max_u64(cpu->stated ? cpu->since_ns : 0, t->own_ns);
	if (t->life == LIFE_UNBORN)
		bound = max_u64(bound, t->made_ns);
	else
		bound = max_u64(bound, t->open.start_ns);
	if (!t->uncounted && ev->sum_exec_ns > t->last.sum_exec_ns)
		charged = ev->sum_exec_ns - t->last.sum_exec_ns;
	/* It ran, if only for an instant: its bounds are kept with it. */
	charged = max_u64(charged, 1);
	start = max_u64(ts_ns - min_u64(charged, ts_ns), bound);
	if (t->ran_by_ns != NEVER && t->ran_cpu == ev->head.cpu && t->ran_by_ns >= bound)
		start = min_u64(start, t->ran_by_ns);
	/* No CPU is drawn with two; the gap has both bounds. */
	start = max_u64(start, min_u64(cpu->lost_until_ns, ts_ns));
	end_wait(b, t, ev->head.cpu, start);
	note_release(b, start);
	task_open(t, LIFE_RUNNING, start, ev->head.cpu);
	t->open.start_min_ns = bound;
	t->woken_running = woken_ns != NEVER && woken_ns >= start;
	t->open.flags |= SPAN_HIDDEN_START;
	t->clock_in_known = false;
	t->hidden++;
	b->m.audit.hidden_switch_ins++;
}

/* The stay that a switch-out ends is open afterwards, on its CPU. False if there can be none. */
static bool find_stay(struct model_builder *b, const struct bcpu *cpu, uint32_t idx,
		      const struct lab_ev_switch_out *ev)
{
	struct btask *t = &b->tasks[idx];

	switch (t->life) {
	case LIFE_DEAD:
		audit_fail(b, "after_death", t->t.id, 0, 1);
		return false;
	case LIFE_RUNNING:
		if (t->open.cpu == ev->head.cpu)
			return true;
		if (b->cpus[t->open.cpu].cur == idx)
			b->cpus[t->open.cpu].cur = NO_TASK;
		/* The CPU of a task that was running when it was marked is read a moment later. */
		if (t->seeded_on_cpu && !t->outs) {
			t->open.cpu = ev->head.cpu;
			return true;
		}
		audit_doubt(b, &(struct audit_failure){ "two_cpus", t->t.id, 1, 2, false },
			    t->open.cpu, t->open.start_ns, ev->head.ts_ns);
		t->open.flags |= SPAN_ACROSS_GAP;
		break;
	case LIFE_UNBORN:
		ran_unborn(b, t, ev->head.ts_ns);
		break;
	case LIFE_READY:
	case LIFE_BLOCKED:
		/* Marked while it ran, and its counters read when it had left already. */
		if (t->seeded && !t->outs && t->open.flags & SPAN_CUT_START &&
		    ev->nvcsw + ev->nivcsw == t->base.nvcsw + t->base.nivcsw) {
			task_open(t, LIFE_RUNNING, t->open.start_ns, ev->head.cpu);
			t->open.flags |= SPAN_CUT_START;
			return true;
		}
	}
	begin_hidden_stay(b, cpu, t, ev);
	return true;
}

/* It sleeps as a worker of io_uring with a request to complete. */
static bool has_request(const struct lab_ev_switch_out *ev)
{
	return ev->prev_state & (LAB_STATE_INTERRUPTIBLE | LAB_STATE_UNINTERRUPTIBLE) &&
	       !(ev->prev_state & (LAB_STATE_STOPPED | LAB_STATE_TRACED)) &&
	       ev->head.flags & LAB_F_WORKER && ev->syscall == LAB_SYSCALL_NONE &&
	       ev->fd_type == LAB_FD_REQUEST;
}

static bool is_exec(const struct lab_ev_switch_out *ev)
{
	if (ev->head.flags & LAB_F_COMPAT)
		return ev->syscall == NR_EXECVE_I386 || ev->syscall == NR_EXECVEAT_I386;
	return ev->syscall == NR_EXECVE || ev->syscall == NR_EXECVEAT;
}

static void after_stay(struct model_builder *b, uint32_t idx, const struct lab_ev_switch_out *ev)
{
	struct btask *t = &b->tasks[idx];
	uint64_t ts_ns = ev->head.ts_ns;
	bool woken = t->woken_running, throttled = ev->head.flags & LAB_F_THROTTLED;
	bool late = t->late;

	b->throttled_outs += throttled;
	t->own_ns = ts_ns;
	t->in_exec = is_exec(ev);
	t->has_request = has_request(ev);
	t->queued_cpu = ev->head.cpu;
	if (ev->prev_state & LAB_STATE_DEAD) {
		t->life = LIFE_DEAD;
		t->death_ns = ts_ns;
	} else if (ev->head.flags & LAB_F_PREEMPT || !ev->prev_state) {
		bool compat = ev->head.flags & LAB_F_COMPAT;
		int32_t yield = compat ? NR_SCHED_YIELD_I386 : NR_SCHED_YIELD;

		/* An interrupt that returns to user mode preempts without the argument. */
		task_open(t, LIFE_READY, ts_ns, ev->head.cpu);
		t->open.flags |= ev->head.flags & LAB_F_PREEMPT || ev->syscall != yield ?
				 SPAN_PREEMPTED : SPAN_YIELDED;
	} else {
		struct sleep sleep = {
			.state = ev->prev_state,
			.flags = ev->head.flags,
			.syscall = ev->syscall,
			.args = { ev->args[0], ev->args[1], ev->args[2] },
			.fd_type = ev->fd_type,
			.futex_owner = ev->futex_owner,
			.futex_no_limit = ev->fd_flags & LAB_FUTEX_NO_LIMIT,
		};

		task_block(t, ts_ns, &sleep);
		t->tentative = t->open.guess = woken;
		t->late = late;
	}
	if (t->life == LIFE_READY && ev->head.flags & LAB_F_BUDGET)
		place_spent(b, idx, ts_ns);
	else if (t->life == LIFE_READY || t->tentative)
		place_ready(b, idx, ev->head.cpu, throttled, ts_ns);
}

void switch_on_out(struct model_builder *b, const struct lab_ev_switch_out *ev)
{
	uint32_t idx = task_lookup(b, ev->head.task, ev->head.ts_ns);
	uint32_t next = ev->next_id ? task_lookup(b, ev->next_id, ev->head.ts_ns) : NO_TASK;
	struct bcpu *cpu = cpu_state(b, ev->head.cpu);
	struct holder from = { .class = LAB_CPU_OURS };
	struct holder to = { .class = ev->next_class, .tid = ev->next_tid };
	struct btask *t = &b->tasks[idx];
	uint64_t start_ns = ev->head.ts_ns;

	if (!cpu)
		return;
	if (!(ev->head.flags & LAB_F_NO_RQ))
		audit_clock(b, cpu, ev->head.ts_ns, ev->clock_task_ns);
	if (find_stay(b, cpu, idx, ev)) {
		start_ns = t->open.start_ns;
		audit_switch_out(b, t, ev);
		t->open.seq_out = ev->head.seq;
		task_close(b, t, ev->head.ts_ns);
		t->out_span_cnt = t->t.span_cnt;
		after_stay(b, idx, ev);
	}
	if (cpu->cur != idx)
		lose_current(b, cpu, start_ns);
	cpu->cur = NO_TASK;
	if (next != NO_TASK)
		to.class = LAB_CPU_OURS;
	else if (to.class == LAB_CPU_OURS || to.class > LAB_CPU_IDLE)
		to.class = LAB_CPU_UNKNOWN;
	cpu_state_change(b, cpu, ev->head.ts_ns, &from, start_ns, &to);
	if (next != NO_TASK)
		begin_stay(b, cpu, next, &(struct opening){
			.ts_ns = ev->head.ts_ns,
			.seq = ev->head.seq,
			.clock_ns = ev->clock_task_ns,
			.clock_known = !(ev->head.flags & LAB_F_NO_RQ),
			.cpu = ev->head.cpu,
		});
}

/* When a holder that is not ours came after a stay of ours whose end was lost. */
static uint64_t came_at(const struct model_builder *b, const struct bcpu *cpu, uint64_t since_ns,
			uint64_t ts_ns)
{
	uint64_t start_ns = cpu->cur == NO_TASK ? 0 : b->tasks[cpu->cur].open.start_ns;

	return since_ns > start_ns && since_ns < ts_ns ? since_ns : ts_ns;
}

static uint8_t not_ours(uint8_t class)
{
	return class == LAB_CPU_FOREIGN || class == LAB_CPU_IDLE ? class : LAB_CPU_UNKNOWN;
}

void switch_on_in(struct model_builder *b, const struct lab_ev_switch_in *ev)
{
	uint32_t idx = task_lookup(b, ev->head.task, ev->head.ts_ns);
	struct bcpu *cpu = cpu_state(b, ev->head.cpu);
	struct holder from = {
		.class = not_ours(ev->prev_class),
		.tid = ev->prev_tid,
		.comm = ev->prev_comm,
		.since_ns = ev->prev_since_ns,
	};
	struct holder to = { .class = LAB_CPU_OURS };

	if (!cpu)
		return;
	if (!(ev->head.flags & LAB_F_NO_RQ))
		audit_clock(b, cpu, ev->head.ts_ns, ev->clock_task_ns);
	if (cpu->cur != idx)
		lose_current(b, cpu, came_at(b, cpu, ev->prev_since_ns, ev->head.ts_ns));
	cpu_state_change(b, cpu, ev->head.ts_ns, &from, 0, &to);
	begin_stay(b, cpu, idx, &(struct opening){
		.ts_ns = ev->head.ts_ns,
		.seq = ev->head.seq,
		.clock_ns = ev->clock_task_ns,
		.clock_known = !(ev->head.flags & LAB_F_NO_RQ),
		.cpu = ev->head.cpu,
	});
}

void switch_on_class(struct model_builder *b, const struct lab_ev_cpu_class *ev)
{
	struct bcpu *cpu = cpu_state(b, ev->head.cpu);
	struct holder from = {
		.class = not_ours(ev->prev_class),
		.tid = ev->prev_tid,
		.comm = ev->prev_comm,
		.since_ns = ev->prev_since_ns,
	};
	struct holder to = { .class = not_ours(ev->next_class), .tid = ev->next_tid };

	if (!cpu)
		return;
	lose_current(b, cpu, came_at(b, cpu, ev->prev_since_ns, ev->head.ts_ns));
	cpu_state_change(b, cpu, ev->head.ts_ns, &from, 0, &to);
}

/*
 * Where the interrupt context cannot be read, the waker may be a bystander. One
 * that is in a futex call on the very address that is waited on is not.
 */
static bool waker_is_certain(const struct model_span *wait, const struct lab_ev_waking *ev)
{
	if (!(ev->head.flags & LAB_F_CTX_UNKNOWN))
		return true;
	return wait->flags & SPAN_FUTEX && ev->waker_syscall == NR_FUTEX &&
	       ev->waker_arg0 == wait->addr;
}

/*
 * Its own process ends, or runs another program: whoever did that ends all waits of the other
 * threads.
 */
static bool ends_process(int32_t syscall)
{
	return syscall == NR_EXIT_GROUP || syscall == NR_EXECVE || syscall == NR_EXECVEAT;
}

static void name_waker(struct model_builder *b, uint32_t idx, const struct lab_ev_waking *ev)
{
	struct model_span *wait = &b->tasks[idx].open;
	uint32_t *waker;

	if (ev->head.flags & WAKE_IN_INTERRUPT) {
		wait->flags |= SPAN_WOKEN_BY_IRQ;
		return;
	}
	if (!waker_is_certain(wait, ev)) {
		b->m.wakes_unattributed++;
		return;
	}
	wait->waker_id = ev->waker_id;
	wait->waker_tid = ev->waker_tid;
	wait->futex_many = ev->head.flags & LAB_F_WAKES_MANY;
	if (ev->head.flags & LAB_F_WAKER_EXITING)
		wait->flags |= SPAN_WAKER_EXITING;
	else if (wait->flags & SPAN_FUTEX && !futex_call_wakes(ev->waker_syscall))
		wait->flags |= SPAN_WOKEN_BY_SIGNAL;
	waker = ev->waker_id ? idmap_get(&b->task_by_id, ev->waker_id, 0) : NULL;
	if (!waker || b->tasks[idx].has_request)
		return;
	wait->with_process = b->tasks[idx].leader == b->tasks[*waker].leader &&
			     ends_process(ev->waker_syscall);
	if (wait->with_process || task_is_kin(b, idx, *waker))
		wait->flags |= SPAN_WAKER_KIN;
}

/* Woken before it slept: what it waited for is its own by now, and no wait shows it. */
static void note_early_wake(struct model_builder *b, const struct btask *t,
			    const struct lab_ev_waking *ev)
{
	if (ev->waker_tid && !(ev->head.flags & WAKE_IN_INTERRUPT) &&
	    futex_call_wakes(ev->waker_syscall))
		vec_add(b->m.early_wakes, b->m.early_wake_cnt, b->m.early_wake_cap,
			(struct model_early_wake){ ev->head.ts_ns, ev->waker_arg0, t->t.id });
}

void switch_on_waking(struct model_builder *b, const struct lab_ev_waking *ev)
{
	uint64_t ts_ns = ev->head.ts_ns;
	uint32_t idx = task_lookup(b, ev->head.task, ts_ns);
	struct btask *t = &b->tasks[idx];

	if (ev->waker_id && !(ev->head.flags & (WAKE_IN_INTERRUPT | LAB_F_CTX_UNKNOWN)))
		task_acted(b, ev->waker_id, ev->head.cpu, ts_ns);
	note_release(b, ts_ns);
	if (t->life == LIFE_RUNNING) {
		audit_waking_late(b, t, ev->head.cpu, ts_ns);
		t->woken_running = true;
		note_early_wake(b, t, ev);
	}
	if (t->life == LIFE_READY)
		t->woken_ready_ns = ts_ns;
	if (t->life != LIFE_BLOCKED)
		return;
	name_waker(b, idx, ev);
	task_close(b, t, ts_ns);
	task_open(t, LIFE_READY, ts_ns, t->queued_cpu);
	t->woken_cpu = ev->head.cpu;
	t->own_ns = ts_ns;
	place_ready(b, idx, t->queued_cpu, false, ts_ns);
}
