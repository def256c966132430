/* SPDX-License-Identifier: GPL-2.0-only */
/* schedule_action - what programs do when they have a CPU. */

#include <stdio.h>
#include <string.h>

#include "schedule_sim.h"
#include "util/minmax.h"

#define CLONE_PROCESS 0x11u
#define CLONE_A_THREAD 0x3d0f00u
#define CLONE_VFORK 0x4000u
#define CLONE_VFORKED (CLONE_VFORK | 0x111u)

enum action {
	ACT_COMPUTE, ACT_LOCK, ACT_COND, ACT_SIGNAL, ACT_JOIN, ACT_CHILD, ACT_SLEEP, ACT_READ,
	ACT_WRITE, ACT_SOME, ACT_LOOP, ACT_THREAD, ACT_PROCESS, ACT_VFORK, ACT_EXEC, ACT_YIELD,
	ACT_RENAME, ACT_KICK, ACT_BIND, ACT_EXIT, ACT_CNT,
};

/* How often, of all. */
static const uint8_t often[PROFILE_CNT][ACT_CNT] = {
	/*	cmp lck cnd sig joi chi slp  rd  wr som  lp thr prc vfk exe yld ren kck bnd  x */
	[PROFILE_MIXED] = {
		12, 12,  5,  7,  4,  4,  6,  6,  7, 14,  4,  7,  5,  1,  1,  3,  1,  3,  2, 3 },
	[PROFILE_COMPUTE] = {
		60,  0,  0,  0,  3,  3,  2,  0,  0,  2,  0, 12, 12,  0,  1,  6,  1,  0,  3, 2 },
	[PROFILE_LOCKS] = {
		10, 50, 10, 12,  2,  0,  2,  0,  0,  2,  0, 20,  1,  0,  0,  1,  0,  1,  1, 1 },
	[PROFILE_PIPES] = {
		 6,  0,  0,  0,  1,  4,  1, 40, 42,  1,  0,  2, 14,  1,  1,  1,  0,  0,  1, 2 },
	[PROFILE_LOOPS] = {
		10,  2,  1,  2,  1,  1,  2,  1,  1,  3, 70,  4,  2,  0,  1,  1,  0,  1,  1, 1 },
	[PROFILE_SHELL] = {
		 6,  0,  0,  0,  0, 60,  1,  2,  2,  2,  0,  0, 14,  8,  8,  0,  1,  0,  0, 9 },
	[PROFILE_SLEEP] = {
		10,  1,  2,  2,  2,  2, 50,  1,  1, 10,  0, 10,  4,  0,  0,  1,  0,  2,  0, 2 },
	[PROFILE_ONE_LOCK] = {
		 2, 80,  0,  0,  1,  0,  0,  0,  0,  0,  0, 24,  0,  0,  0,  0,  0,  0,  0, 1 },
};

void action_compute(struct sim *s, struct ktask *t, uint64_t most_ns)
{
	struct kevent *e;

	t->due_ns = s->now_ns + sim_span_ns(s, most_ns);
	e = sim_event(s, KE_COMPUTED, t->due_ns);
	e->task = t;
	e->gen = t->gen;
}

static void go_on(struct sim *s, struct ktask *t)
{
	bool hurries = s->opt->profile == PROFILE_ONE_LOCK;

	t->todo = TODO_NEXT;
	action_compute(s, t, hurries ? 200 : 1ull << s->opt->pace);
}

static bool may_fork(const struct sim *s, const struct ktask *t)
{
	if (s->over || t->worker)
		return false;
	/* Who is not ours at its birth has to be found later. */
	if (!t->marked)
		return !s->armed && s->task_cnt < 12;
	return s->births < s->opt->birth_max;
}

static void fork_some(struct sim *s, struct ktask *t, uint64_t clone_flags)
{
	if (!t->marked)
		clone_flags = CLONE_A_THREAD;
	ktask_fork(s, t, clone_flags);
	if (!(clone_flags & CLONE_VFORK))
		go_on(s, t);
}

static void join_some(struct sim *s, struct ktask *t)
{
	uint32_t cnt = (uint32_t)s->task_cnt, first = sim_random(s, cnt);

	for (uint32_t i = 0; i < cnt; i++) {
		struct ktask *other = s->tasks[(first + i) % cnt];

		if (other != t && other->proc == t->proc && other->state != K_DEAD) {
			wait_join(s, t, other);
			return;
		}
	}
	go_on(s, t);
}

/* A signal to someone who can be interrupted. */
static void kick_some(struct sim *s, struct ktask *t)
{
	struct kctx ctx = { .cpu = &s->cpus[t->cpu], .syscall = 62 };
	struct ktask *other = s->tasks[sim_random(s, (uint32_t)s->task_cnt)];

	if (other != t && other->marked && other->wait.on && !other->foreign &&
	    other->wait.how.state & LAB_STATE_INTERRUPTIBLE)
		cpu_wake(s, other, &ctx);
	go_on(s, t);
}

static void rename_self(struct sim *s, struct ktask *t)
{
	char comm[LAB_COMM_LEN] = { 0 };

	snprintf(comm, sizeof(comm), "r%u\n\xff%u", (unsigned int)t->number, sim_random(s, 9));
	record_rename(s, &s->cpus[t->cpu], t, comm);
	memcpy(t->comm, comm, sizeof(comm));
	go_on(s, t);
}

static void yield(struct sim *s, struct ktask *t)
{
	static const struct khow how = { .syscall = 24 };

	t->todo = TODO_NEXT;
	t->due_ns = s->now_ns + sim_span_ns(s, 1ull << s->opt->pace);
	if (s->cpus[t->cpu].queue_cnt)
		cpu_leave(s, t, &how, false, true);
	else
		go_on(s, t);
}

static void bind_self(struct sim *s, struct ktask *t)
{
	uint32_t all = (1u << s->opt->cpu_cnt) - 1, some = sim_random(s, all) + 1;

	/* The next tick takes it away from a CPU that it may not use. */
	t->allowed = sim_chance(s, 8) ? some : all;
	go_on(s, t);
}

static void act_wait(struct sim *s, struct ktask *t, enum action act)
{
	switch (act) {
	case ACT_LOCK:
		t->arg = s->opt->profile == PROFILE_ONE_LOCK ? 0 : sim_random(s, SIM_MUTEXES + 2);
		wait_lock(s, t, wait_mutex(s, t, t->arg), false);
		break;
	case ACT_COND:
		wait_cond(s, t);
		break;
	case ACT_JOIN:
		join_some(s, t);
		break;
	case ACT_CHILD:
		wait_child(s, t);
		break;
	case ACT_SLEEP:
		wait_sleep(s, t);
		break;
	case ACT_READ:
		wait_read(s, t, sim_random(s, SIM_PIPES));
		break;
	case ACT_WRITE:
		wait_write(s, t, sim_random(s, SIM_PIPES));
		break;
	case ACT_LOOP:
		loop_turn(s, t);
		break;
	default:
		wait_some(s, t);
	}
}

static void act(struct sim *s, struct ktask *t, enum action act)
{
	switch (act) {
	case ACT_COMPUTE:
		go_on(s, t);
		break;
	case ACT_SIGNAL:
		wait_signal_cond(s, t);
		go_on(s, t);
		break;
	case ACT_THREAD:
		fork_some(s, t, CLONE_A_THREAD);
		break;
	case ACT_PROCESS:
		fork_some(s, t, CLONE_PROCESS);
		break;
	case ACT_VFORK:
		fork_some(s, t, CLONE_VFORKED);
		break;
	case ACT_EXEC:
		ktask_exec(s, t);
		break;
	case ACT_YIELD:
		yield(s, t);
		break;
	case ACT_RENAME:
		rename_self(s, t);
		break;
	case ACT_KICK:
		kick_some(s, t);
		break;
	case ACT_BIND:
		bind_self(s, t);
		break;
	case ACT_EXIT:
		ktask_exit_begin(s, t);
		break;
	default:
		act_wait(s, t, act);
	}
}

/* Whether it can be done now. */
static bool may_act(const struct sim *s, const struct ktask *t, enum action act)
{
	switch (act) {
	case ACT_THREAD:
	case ACT_PROCESS:
	case ACT_VFORK:
		return may_fork(s, t);
	case ACT_EXIT:
		return t->marked && (s->live > 1 || s->over);
	case ACT_EXEC:
		return t->marked;
	case ACT_LOOP:
		return !t->worker;
	default:
		return true;
	}
}

static void act_at_random(struct sim *s, struct ktask *t)
{
	const uint8_t *weights = often[s->opt->profile];
	uint32_t sum = 0, n;

	for (int i = 0; i < ACT_CNT; i++)
		sum += may_act(s, t, (enum action)i) ? weights[i] : 0;
	n = sim_random(s, sum);
	for (int i = 0; i < ACT_CNT; i++) {
		uint32_t weight = may_act(s, t, (enum action)i) ? weights[i] : 0;

		if (n < weight) {
			act(s, t, (enum action)i);
			return;
		}
		n -= weight;
	}
}

static void foreign_next(struct sim *s, struct ktask *t)
{
	struct khow how = wait_how(35, 0, REASON_SLEEP);

	if (sim_chance(s, 6))
		action_compute(s, t, 1ull << (s->opt->pace + 1));
	else
		wait_for(s, t, &how, 0, sim_span_ns(s, 1ull << (s->opt->pace + 3)), WAKE_HARDIRQ);
}

static void resume(struct sim *s, struct ktask *t)
{
	struct kmutex *m = wait_mutex(s, t, t->arg < SIM_MUTEXES + 2 ? t->arg : 0);

	switch (t->todo) {
	case TODO_LOCK:
		wait_lock(s, t, m, true);
		break;
	case TODO_UNLOCK:
		wait_unlock(s, t, m);
		go_on(s, t);
		break;
	case TODO_READ:
		wait_read(s, t, t->arg);
		break;
	case TODO_WRITE:
		wait_write(s, t, t->arg);
		break;
	case TODO_JOIN:
		wait_join(s, t, s->tasks[t->arg]);
		break;
	case TODO_CHILD:
		wait_child(s, t);
		break;
	case TODO_LOOP:
		loop_return(s, t);
		break;
	case TODO_EXEC:
		ktask_exec(s, t);
		break;
	case TODO_LEAVE:
		ktask_exit_end(s, t);
		break;
	case TODO_NEXT:
		act_at_random(s, t);
		break;
	}
}

void action_next(struct sim *s, struct ktask *t)
{
	if (t->foreign)
		foreign_next(s, t);
	else if (t->killed && !t->exiting)
		ktask_exit_begin(s, t);
	else
		resume(s, t);
}
