/* SPDX-License-Identifier: GPL-2.0-only */
/* schedule_task - births and ends, and the beginning of a run. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schedule_sim.h"
#include "util/alloc.h"

#define CLONE_VM 0x100u
#define CLONE_VFORK 0x4000u
#define CLONE_THREAD 0x10000u
#define NR_EXECVE 59
#define NR_EXIT 60

static bool tid_is_free(const struct sim *s, uint32_t tid)
{
	for (size_t i = 0; i < s->task_cnt; i++)
		if (s->tasks[i]->state != K_DEAD &&
		    (s->tasks[i]->tid == tid || s->tasks[i]->proc->tgid == tid))
			return false;
	return true;
}

/* From a small range, so that they come back. */
static uint32_t free_tid(struct sim *s)
{
	uint32_t alive = 8, tid;

	for (size_t i = 0; i < s->task_cnt; i++)
		alive += s->tasks[i]->state != K_DEAD;
	do {
		tid = 100 + sim_random(s, 2 * alive);
	} while (!tid_is_free(s, tid));
	return tid;
}

struct kproc *proc_make(struct sim *s, uint32_t tgid, struct kproc *parent, uint32_t mm)
{
	struct kproc *p = xcalloc(1, sizeof(*p));

	p->number = (uint32_t)s->proc_cnt;
	p->tgid = tgid;
	p->parent = parent;
	p->mm = mm ? mm : ++s->mms;
	wait_mutexes(s, p);
	*vec_push(s->procs, s->proc_cnt, s->proc_cap) = p;
	return p;
}

struct ktask *ktask_make(struct sim *s, struct ktask *parent, struct kproc *proc)
{
	struct ktask *t = xcalloc(1, sizeof(*t));

	t->tid = t->life.first_tid = free_tid(s);
	t->number = (uint32_t)s->task_cnt;
	t->parent = parent;
	t->allowed = parent ? parent->allowed : (1u << s->opt->cpu_cnt) - 1;
	t->cpu = parent ? parent->cpu : sim_random(s, s->opt->cpu_cnt);
	t->proc = proc ? proc : proc_make(s, t->tid, NULL, 0);
	t->proc->threads++;
	snprintf(t->comm, sizeof(t->comm), "t%u", (unsigned int)t->number);
	*vec_push(s->tasks, s->task_cnt, s->task_cap) = t;
	return t;
}

/* It comes onto a queue without anybody being told. */
static void place_quietly(struct sim *s, struct ktask *t)
{
	struct kevent *e = sim_event(s, KE_PLACE, s->now_ns + sim_span_ns(s, 2000));

	t->state = K_PLACED;
	e->task = t;
	e->cpu = t->cpu;
}

void ktask_foreign(struct sim *s, bool invisible)
{
	struct ktask *t = ktask_make(s, NULL, NULL);

	t->foreign = true;
	t->invisible = invisible;
	snprintf(t->comm, sizeof(t->comm), "%s%u", invisible ? "init" : "other",
		 (unsigned int)t->number);
	if (sim_chance(s, 4))
		t->allowed = 1u << t->cpu;
	place_quietly(s, t);
}

void ktask_fork(struct sim *s, struct ktask *parent, uint64_t clone_flags)
{
	struct kcpu *c = &s->cpus[parent->cpu];
	struct ktask *t;

	if (clone_flags & CLONE_THREAD) {
		t = ktask_make(s, parent, parent->proc);
		t->worker = parent->marked && !sim_random(s, 20);
	} else {
		t = ktask_make(s, parent, NULL);
		t->proc->parent = parent->proc;
		if (clone_flags & CLONE_VM)
			t->proc->mm = parent->proc->mm;
		wait_mutexes(s, t->proc);
		parent->proc->children++;
	}
	if (parent->marked) {
		t->marked = true;
		t->id = ++s->births;
		s->live++;
	}
	record_new(s, c, t, clone_flags);
	sim_moment(s);
	cpu_place_new(s, t, c);
	if (clone_flags & CLONE_VFORK) {
		bool call = sim_chance(s, 8);
		struct khow how = wait_how(call ? 58 : 56, call ? 0 : clone_flags, REASON_CHILD);

		how.state = LAB_STATE_UNINTERRUPTIBLE | LAB_STATE_WAKEKILL |
			    (sim_chance(s, 8) ? LAB_STATE_FREEZABLE : 0);
		t->vfork_child = true;
		parent->todo = TODO_NEXT;
		wait_for(s, parent, &how, chan_of(CHAN_VFORK, t->number, 0), 0, WAKE_HARDIRQ);
	}
}

/* ---- ends ---- */

static void wake_from(struct sim *s, struct ktask *t, uint64_t chan, int32_t syscall)
{
	struct kctx ctx = { .cpu = &s->cpus[t->cpu], .syscall = syscall };

	cpu_wake_chan(s, chan, UINT32_MAX, &ctx);
}

unsigned int ktask_others(struct sim *s, const struct ktask *t)
{
	(void)s;
	return t->proc->threads - 1;
}

void ktask_kill(struct sim *s, struct ktask *t)
{
	struct kevent *e;

	if (t->killed || t->state == K_DEAD)
		return;
	t->killed = true;
	if (!t->wait.on)
		return;
	e = sim_event(s, KE_WAKE, s->now_ns + sim_gap(s) + sim_span_ns(s, 2000));
	e->task = t;
	e->gen = t->wait.gen;
	e->arg = sim_random(s, WAKE_MODES);
}

static void kill_others(struct sim *s, const struct ktask *t)
{
	for (size_t i = 0; i < s->task_cnt; i++)
		if (s->tasks[i]->proc == t->proc && s->tasks[i] != t)
			ktask_kill(s, s->tasks[i]);
}

static void let_go(struct sim *s, struct ktask *t)
{
	for (uint32_t i = 0; i < SIM_MUTEXES + 2; i++) {
		struct kmutex *m = wait_mutex(s, t, i);

		if (m->owner == t)
			wait_unlock(s, t, m);
	}
}

static void close_files(struct sim *s, const struct kproc *p)
{
	for (size_t i = 0; i < s->task_cnt; i++)
		if (s->tasks[i]->proc == p)
			loop_close(s, s->tasks[i]);
}

void ktask_exec(struct sim *s, struct ktask *t)
{
	struct kproc *p = t->proc;
	struct khow how = wait_how(NR_EXECVE, 0x7200, REASON_KERNEL);
	uint32_t old_tid = t->tid;

	if (t->worker) {
		action_compute(s, t, 500);
		return;
	}
	if (ktask_others(s, t)) {
		how.state = LAB_STATE_UNINTERRUPTIBLE | LAB_STATE_WAKEKILL;
		t->todo = TODO_EXEC;
		kill_others(s, t);
		wait_for(s, t, &how, chan_of(CHAN_EXEC, p->number, 0), 0, WAKE_HARDIRQ);
		return;
	}
	let_go(s, t);
	t->tid = p->tgid;
	snprintf(t->comm, sizeof(t->comm), "x%u", (unsigned int)t->number);
	p->mm = ++s->mms;
	wait_mutexes(s, p);
	close_files(s, p);
	p->loops = 0;
	record_exec(s, &s->cpus[t->cpu], t, old_tid);
	if (t->vfork_child) {
		t->vfork_child = false;
		wake_from(s, t, chan_of(CHAN_VFORK, t->number, 0), NR_EXECVE);
	}
	t->todo = TODO_NEXT;
	action_compute(s, t, 1ull << s->opt->pace);
}

void ktask_exit_begin(struct sim *s, struct ktask *t)
{
	t->exiting = true;
	record_exit(s, &s->cpus[t->cpu], t);
	let_go(s, t);
	if (t->vfork_child)
		wake_from(s, t, chan_of(CHAN_VFORK, t->number, 0), NR_EXIT);
	if (sim_chance(s, t->tid == t->proc->tgid ? 12 : 1))
		kill_others(s, t);
	wake_from(s, t, chan_of(CHAN_JOIN, t->number, 0), NR_EXIT);
	t->todo = TODO_LEAVE;
	if (!sim_random(s, 8)) {
		/* More switches follow. */
		struct khow how = wait_how(NR_EXIT, 0, REASON_KERNEL);

		how.state = LAB_STATE_UNINTERRUPTIBLE;
		wait_for(s, t, &how, 0, sim_span_ns(s, 3000), WAKE_BY_TASK);
		return;
	}
	action_compute(s, t, 1000);
}

static void orphan(struct sim *s, const struct kproc *p)
{
	for (size_t i = 0; i < s->proc_cnt; i++)
		if (s->procs[i]->parent == p)
			s->procs[i]->parent = NULL;
}

void ktask_exit_end(struct sim *s, struct ktask *t)
{
	static const struct khow dead = { .state = LAB_STATE_DEAD, .syscall = NR_EXIT };
	struct kproc *p = t->proc;

	p->threads--;
	if (p->threads == 1)
		wake_from(s, t, chan_of(CHAN_EXEC, p->number, 0), NR_EXIT);
	if (!p->threads) {
		orphan(s, p);
		close_files(s, p);
		if (p->parent) {
			p->parent->children--;
			p->parent->zombies++;
			wake_from(s, t, chan_of(CHAN_CHILD, p->parent->number, 0), NR_EXIT);
		}
	}
	if (t->marked)
		s->live--;
	sim_moment(s);
	cpu_leave(s, t, &dead, false, false);
}

/* ---- the beginning ---- */

static void begin_attach(struct sim *s)
{
	struct ktask *first = ktask_make(s, NULL, NULL);

	place_quietly(s, first);
	for (uint32_t i = sim_random(s, 6); i; i--)
		place_quietly(s, ktask_make(s, first, first->proc));
	s->root = first;
	sim_event(s, KE_ARM, s->now_ns + sim_span_ns(s, 100000));
}

static void begin_root(struct sim *s)
{
	struct ktask *root = ktask_make(s, NULL, NULL);

	s->root = root;
	root->allowed = (1u << s->opt->usable_cnt) - 1;
	root->cpu = 0;
	root->state = K_ASLEEP;
	root->wait.how = wait_how(0, 3, REASON_PIPE);
	root->wait.how.fd_type = 1;
	root->wait.on = true;
	root->nvcsw = 100;
	root->nivcsw = 50;
	root->sum_exec_ns = 7000;
	root->migrations = 3;
	sim_event(s, KE_ARM, s->now_ns + sim_span_ns(s, 10000));
}

void ktask_begin(struct sim *s)
{
	/* One for each usable CPU, that the recorder sends there. */
	for (unsigned int i = 0; i < s->opt->usable_cnt; i++) {
		struct ktask *t = ktask_make(s, NULL, NULL);

		t->foreign = true;
		t->allowed = 1u << i;
		t->cpu = i;
		t->state = K_ASLEEP;
		snprintf(t->comm, sizeof(t->comm), "lab");
	}
	for (unsigned int i = 0; i < s->opt->foreign_cnt; i++)
		ktask_foreign(s, s->opt->hidden && sim_chance(s, 8));
	if (s->opt->attach)
		begin_attach(s);
	else
		begin_root(s);
	sim_event(s, KE_BALANCE, s->now_ns + sim_span_ns(s, 10000));
}

void ktask_on_arm(struct sim *s)
{
	s->armed = true;
	s->out->meta.armed_ns = sim_stamp(s, &s->cpus[0]);
	for (unsigned int i = 0; i < s->opt->usable_cnt; i++) {
		s->cpus[i].slot.watched = 1;
		place_quietly(s, s->tasks[i]);
	}
	sim_event(s, KE_SEED, s->now_ns + sim_gap(s) + sim_span_ns(s, 3000));
}

/* A thread of the process that is not ours yet; NULL. */
static struct ktask *unmarked(const struct sim *s)
{
	for (size_t i = 0; i < s->task_cnt; i++) {
		struct ktask *t = s->tasks[i];

		if (t->proc == s->root->proc && !t->marked && !t->exiting && t->state != K_DEAD &&
		    t->state != K_NEW)
			return t;
	}
	return NULL;
}

static void mark(struct sim *s, struct ktask *t)
{
	struct kcpu *c = &s->cpus[0];
	uint64_t ts;

	if (s->now_ns < t->last_ns + sim_gap(s))
		s->now_ns = t->last_ns + sim_gap(s);
	ts = sim_stamp(s, c);
	t->id = ++s->births;
	s->live++;
	t->seed_record = record_seed(s, c, t) + 1;
	/* The stamp is taken first. */
	s->now_ns += sim_gap(s);
	t->marked = t->seeded = true;
	t->total.migrates = 0;
	t->base_nvcsw = t->nvcsw;
	t->base_nivcsw = t->nivcsw;
	truth_seeded(s, t, ts);
	if (t->state == K_RUNNING)
		truth_holds_already(&s->cpus[t->cpu], t, ts);
}

void ktask_seed_read(struct sim *s, struct ktask *t)
{
	if (!t->seed_record)
		return;
	t->base_exec_ns = t->sum_exec_ns;
	record_seed_read(s, t, t->seed_record - 1);
	t->seed_record = 0;
	/* Its waking was not seen, and its switch-in was: it was ready, says the record. */
	if (t->first_kind == LAB_EV_SWITCH_IN)
		truth_seeded_ready(s, t);
}

void ktask_on_seed(struct sim *s)
{
	struct ktask *t = unmarked(s);

	if (t) {
		struct kevent *e;

		mark(s, t);
		e = sim_event(s, KE_SEED_READ,
			      s->now_ns + (sim_chance(s, 8) ? 0 : sim_span_ns(s, 1000)));
		e->task = t;
	}
	if (s->opt->attach && t)
		sim_event(s, KE_SEED, s->now_ns + sim_span_ns(s, 2000));
	else
		s->seeded_all = true;
	if (!s->opt->attach)
		sim_event(s, KE_RELEASE, s->now_ns + sim_gap(s) + sim_span_ns(s, 10000));
}

/* The recorder writes to the pipe that the root reads. */
void ktask_on_release(struct sim *s)
{
	uint32_t first = sim_random(s, s->opt->cpu_cnt);
	struct kctx ctx = { .syscall = 1, .arg0 = 4 };

	for (uint32_t i = 0; i < 2 * s->opt->cpu_cnt && !ctx.cpu; i++) {
		struct kcpu *c = &s->cpus[(first + i) % s->opt->cpu_cnt];

		if (record_sees(s, c) && (c->cur || i >= s->opt->cpu_cnt))
			ctx.cpu = c;
	}
	if (!ctx.cpu) {
		sim_event(s, KE_RELEASE, s->now_ns + sim_span_ns(s, 1000));
		return;
	}
	if (!ctx.cpu->cur)
		ctx.irq = LAB_F_SOFTIRQ;
	cpu_wake(s, s->root, &ctx);
}
