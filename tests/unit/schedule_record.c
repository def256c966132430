/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * schedule_record - the probes of bpf/ and what the recorder adds, over the simulated kernel.
 * Written from their code, condition by condition.
 */

#include <string.h>

#include "schedule_sim.h"
#include "util/alloc.h"

bool record_sees(const struct sim *s, const struct kcpu *c)
{
	return s->armed && !(c->cur && c->cur->invisible);
}

static uint32_t id_of(const struct ktask *t)
{
	return t && t->marked ? t->id : 0;
}

static uint8_t class_of(const struct ktask *t)
{
	if (!t)
		return LAB_CPU_IDLE;
	return t->marked ? LAB_CPU_OURS : LAB_CPU_FOREIGN;
}

static void comm_of(const struct ktask *t, char *comm)
{
	memcpy(comm, t ? t->comm : "swapper\0\0\0\0\0\0\0\0", LAB_COMM_LEN);
}

static bool refuses(struct sim *s, struct kcpu *c)
{
	if (!s->opt->refuse)
		return false;
	if (s->now_ns < c->refuse_until_ns)
		return true;
	if (sim_random(s, 1000) >= s->opt->refuse)
		return false;
	if (sim_chance(s, 4))
		c->refuse_until_ns = s->now_ns + sim_span_ns(s, 50000);
	return true;
}

/* Room for a record; it takes a number even where the ring is full. Valid until the next one. */
static union lab_event *reserve(struct sim *s, struct kcpu *c, uint8_t kind, uint32_t task)
{
	struct krecord *r = vec_push(s->records, s->record_cnt, s->record_cap);

	r->cpu = c->idx;
	r->ev.head = (struct lab_ev_head){
		.ts_ns = sim_stamp(s, c),
		.seq = c->slot.seq++,
		.task = task,
		.cpu = c->number,
		.kind = kind,
	};
	if (refuses(s, c)) {
		r->refused = true;
		if (!c->slot.refused++)
			c->slot.refused_first_ns = r->ev.head.ts_ns;
		c->slot.refused_last_ns = r->ev.head.ts_ns;
	}
	return &r->ev;
}

/* A record about a task of ours, in a context that a probe sees; or one that goes nowhere. */
static union lab_event *reserve_of(struct sim *s, struct kcpu *c, uint8_t kind,
				   const struct ktask *t)
{
	if (record_sees(s, c) && t->marked)
		return reserve(s, c, kind, t->id);
	memset(&s->nowhere, 0, sizeof(s->nowhere));
	return &s->nowhere;
}

static uint64_t clock_task(const struct sim *s, const struct kcpu *c)
{
	return sim_stamp(s, c) + SIM_CLOCK_OFF - c->steal_ns;
}

/* Which CPUs @t may use, where that is news; one that finds no room is news the next time, too. */
static void place_check(struct sim *s, struct kcpu *c, struct ktask *t)
{
	struct lab_ev_affinity *e;

	if (!s->opt->masks || t->told == t->allowed)
		return;
	e = &reserve(s, c, LAB_EV_AFFINITY, t->id)->affinity;
	for (uint32_t i = 0; i < s->opt->cpu_cnt; i++)
		if (t->allowed >> i & 1)
			e->words[s->cpus[i].number / 64] |= UINT64_C(1) << s->cpus[i].number % 64;
	if (s->records[s->record_cnt - 1].refused)
		return;
	t->told = t->allowed;
	truth_bound(s, t, c, t->told);
}

/* ---- switches ---- */

static void switch_out(struct sim *s, struct kcpu *c, struct ktask *next, const struct khow *how,
		       bool preempt)
{
	struct ktask *prev = c->cur;
	struct lab_ev_switch_out *e;

	if (!prev->first_kind)
		prev->first_kind = LAB_EV_SWITCH_OUT;
	prev->total.last_ns = sim_stamp(s, c);
	prev->total.switch_outs++;
	prev->total.nvcsw = prev->nvcsw;
	prev->total.nivcsw = prev->nivcsw;
	prev->total.sum_exec_ns = prev->sum_exec_ns;
	prev->total.migrations = prev->migrations;
	prev->total.dead = !!(how->state & LAB_STATE_DEAD);
	e = &reserve(s, c, LAB_EV_SWITCH_OUT, prev->id)->switch_out;
	e->head.flags = how->flags | (preempt ? LAB_F_PREEMPT : 0) |
			(prev->exiting ? LAB_F_EXITING : 0) | (s->opt->no_rq ? LAB_F_NO_RQ : 0);
	e->next_id = id_of(next);
	e->prev_state = how->state;
	e->nvcsw = prev->nvcsw;
	e->nivcsw = prev->nivcsw;
	e->sum_exec_ns = prev->sum_exec_ns;
	e->exec_start_ns = clock_task(s, c);
	e->clock_task_ns = s->opt->no_rq ? 0 : clock_task(s, c);
	e->steal_ns = s->opt->no_rq ? 0 : c->steal_ns;
	memcpy(e->args, how->args, sizeof(e->args));
	e->syscall = how->syscall;
	e->migrations = prev->migrations;
	e->next_tid = next ? next->tid : 0;
	e->next_class = class_of(next);
	e->fd_type = how->fd_type;
	e->fd_flags = how_has_no_limit(how) ? LAB_FUTEX_NO_LIMIT : 0;
	e->futex_owner = how->owner;
}

static void switch_in(struct sim *s, struct kcpu *c, struct ktask *next)
{
	struct lab_ev_switch_in *e;

	if (!next->first_kind)
		next->first_kind = LAB_EV_SWITCH_IN;
	e = &reserve(s, c, LAB_EV_SWITCH_IN, next->id)->switch_in;
	e->head.flags = s->opt->no_rq ? LAB_F_NO_RQ : 0;
	e->clock_task_ns = s->opt->no_rq ? 0 : clock_task(s, c);
	e->steal_ns = s->opt->no_rq ? 0 : c->steal_ns;
	e->prev_since_ns = c->slot.last_switch_ns;
	e->prev_tid = c->cur ? c->cur->tid : 0;
	e->prev_class = class_of(c->cur);
	comm_of(c->cur, e->prev_comm);
}

static bool cpu_class(struct sim *s, struct kcpu *c, struct ktask *next)
{
	uint8_t prev_class = class_of(c->cur), next_class = class_of(next);
	bool contended = s->opt->no_rq || c->queue_cnt > 0;
	struct lab_ev_cpu_class *e;

	if (prev_class == c->slot.last_class && next_class == prev_class &&
	    (prev_class == LAB_CPU_IDLE || !contended))
		return false;
	e = &reserve(s, c, LAB_EV_CPU_CLASS, 0)->cpu_class;
	e->prev_since_ns = c->slot.last_switch_ns;
	e->prev_tid = c->cur ? c->cur->tid : 0;
	e->next_tid = next ? next->tid : 0;
	e->prev_class = prev_class;
	e->next_class = next_class;
	e->last_class = c->slot.last_class;
	comm_of(c->cur, e->prev_comm);
	return true;
}

/* Return: whether the probe ran; @seen: and whether it made a record, with number @seq. */
bool record_switch(struct sim *s, struct kcpu *c, struct ktask *next, const struct khow *how,
		   bool preempt, enum khow_seen *seen, uint64_t *seq)
{
	bool from = c->cur && c->cur->marked, to = next && next->marked, made = true;

	*seen = SEEN_NOT;
	*seq = c->slot.seq;
	if (!record_sees(s, c) || (!from && !to && !c->slot.watched))
		return false;
	if (to) {
		c->slot.watched = 1;
		place_check(s, c, next);
	}
	if (from)
		place_check(s, c, c->cur);
	*seq = c->slot.seq;
	if (from)
		switch_out(s, c, next, how, preempt);
	else if (to)
		switch_in(s, c, next);
	else
		made = cpu_class(s, c, next);
	if (from && to && !next->first_kind)
		next->first_kind = LAB_EV_SWITCH_IN;
	c->slot.last_switch_ns = sim_stamp(s, c);
	c->slot.last_class = class_of(next);
	*seen = made ? SEEN_RECORDED : SEEN_UNRECORDED;
	return true;
}

/* ---- the rest of the scheduler ---- */

/* Return: whether the probe ran. @irq: LAB_F_WAKES_MANY as well. @flags: those of the record. */
bool record_waking(struct sim *s, struct kcpu *c, struct ktask *t, uint8_t irq, int32_t syscall,
		   uint64_t arg0, uint8_t *flags)
{
	const struct ktask *waker = c->cur;
	struct lab_ev_waking *e;

	if (!record_sees(s, c) || !t->marked)
		return false;
	if (!t->first_kind)
		t->first_kind = LAB_EV_WAKING;
	place_check(s, c, t);
	e = &reserve(s, c, LAB_EV_WAKING, t->id)->waking;
	e->head.flags = s->opt->context_unknown ? LAB_F_CTX_UNKNOWN : irq & ~LAB_F_WAKES_MANY;
	if (waker && waker->exiting && !e->head.flags)
		e->head.flags |= LAB_F_WAKER_EXITING;
	e->head.flags |= irq & LAB_F_WAKES_MANY;
	*flags = e->head.flags;
	e->waker_id = id_of(waker);
	e->waker_tid = waker ? waker->tid : 0;
	e->waker_syscall = syscall;
	e->waker_arg0 = arg0;
	e->state = t->wait.how.state;
	comm_of(waker, e->waker_comm);
	return true;
}

/* Before the move. */
bool record_migrate(struct sim *s, struct kcpu *c, struct ktask *t, uint32_t dest, bool waking)
{
	struct lab_ev_migrate *e;

	if (!record_sees(s, c) || !t->marked)
		return false;
	place_check(s, c, t);
	t->total.migrates++;
	e = &reserve(s, c, LAB_EV_MIGRATE, t->id)->migrate;
	e->head.flags = waking ? LAB_F_WAKING : 0;
	e->orig_cpu = s->cpus[t->cpu].number;
	e->dest_cpu = s->cpus[dest].number;
	e->migrations = t->migrations;
	return true;
}

/* ---- births, names and ends ---- */

static void fill_task(const struct sim *s, struct lab_ev_task *e, const struct ktask *t)
{
	e->tid = t->tid;
	e->tgid = t->proc->tgid;
	e->task_cpu = s->cpus[t->cpu].number;
	e->migrations = t->migrations;
	memcpy(e->comm, t->comm, LAB_COMM_LEN);
}

void record_new(struct sim *s, struct kcpu *c, struct ktask *t, uint64_t clone_flags)
{
	struct ktask *parent = t->parent;
	struct lab_ev_task *e;

	if (record_sees(s, c) && t->marked)
		place_check(s, c, parent);
	e = &reserve_of(s, c, LAB_EV_TASK_NEW, t)->task;
	fill_task(s, e, t);
	e->parent_id = id_of(parent);
	e->clone_flags = clone_flags;
	e->syscall = LAB_SYSCALL_NONE;
	if (!record_sees(s, c) || !t->marked)
		return;
	t->life.born_ns = sim_stamp(s, c);
	t->told = parent->told;
	if (t->told)
		truth_bound(s, t, c, t->told);
	place_check(s, c, t);
}

void record_wakeup_new(struct sim *s, struct kcpu *c, struct ktask *t)
{
	if (record_sees(s, c) && t->marked)
		place_check(s, c, t);
	reserve_of(s, c, LAB_EV_WAKEUP_NEW, t)->wakeup_new.dest_cpu = s->cpus[t->cpu].number;
}

/* Return: where the record is that record_seed_read() fills. */
uint32_t record_seed(struct sim *s, struct kcpu *c, struct ktask *t)
{
	uint32_t at = (uint32_t)s->record_cnt;

	reserve(s, c, LAB_EV_TASK_SEED, t->id);
	place_check(s, c, t);
	return at;
}

void record_seed_read(struct sim *s, struct ktask *t, uint32_t at)
{
	struct lab_ev_task *e = &s->records[at].ev.task;
	const struct khow *how = &t->wait.how;

	fill_task(s, e, t);
	e->nvcsw = t->nvcsw;
	e->nivcsw = t->nivcsw;
	e->sum_exec_ns = t->sum_exec_ns;
	e->on_cpu = t->state == K_RUNNING;
	e->syscall = LAB_SYSCALL_NONE;
	if (t->wait.on) {
		e->state = how->state;
		e->syscall = how->syscall;
		memcpy(e->args, how->args, sizeof(e->args));
		e->fd_type = how->syscall == 0 || how->syscall == 1 ? how->fd_type : 0;
	}
	switch (t->first_kind) {
	case LAB_EV_SWITCH_OUT:
		e->on_cpu = 1;
		break;
	case LAB_EV_SWITCH_IN:
		e->on_cpu = 0;
		e->state = 0;
		break;
	case LAB_EV_WAKING:
		e->on_cpu = 0;
		if (!e->state)
			e->state = LAB_STATE_INTERRUPTIBLE;
		break;
	}
}

void record_exec(struct sim *s, struct kcpu *c, struct ktask *t, uint32_t old_tid)
{
	struct lab_ev_exec *e = &reserve_of(s, c, LAB_EV_EXEC, t)->exec;

	t->life.exec_ns = sim_stamp(s, c);
	e->tid = t->tid;
	e->old_tid = old_tid;
	memcpy(e->comm, t->comm, LAB_COMM_LEN);
}

void record_exit(struct sim *s, struct kcpu *c, struct ktask *t)
{
	reserve_of(s, c, LAB_EV_EXIT, t)->exit.exit_code = 0;
}

void record_rename(struct sim *s, struct kcpu *c, struct ktask *t, const char *comm)
{
	memcpy(reserve_of(s, c, LAB_EV_RENAME, t)->rename.comm, comm, LAB_COMM_LEN);
}

/* ---- the hooks behind --ops ---- */

void record_ctl(struct sim *s, struct kcpu *c, struct ktask *t, int op, int fd, uint64_t data,
		bool listening)
{
	struct lab_ev_epoll_ctl *e;

	if (!s->opt->ops)
		return;
	e = &reserve_of(s, c, LAB_EV_EPOLL_CTL, t)->epoll_ctl;
	e->head.flags = listening ? LAB_F_LISTENING : 0;
	e->epfd = t->loop->epfd;
	e->fd = fd;
	e->op = (uint32_t)op;
	e->data = op == 2 ? 0 : data;
	e->fd_type = 12;
}

void record_wait(struct sim *s, struct kcpu *c, struct ktask *t, const int *fds, uint32_t cnt,
		 int32_t ret)
{
	union lab_event *e;

	if (!s->opt->ops)
		return;
	e = reserve_of(s, c, LAB_EV_EPOLL_WAIT, t);
	e->epoll_wait.enter_ns = t->loop->marked_enter ? t->loop->enter_ns : 0;
	e->epoll_wait.epfd = t->loop->epfd;
	e->epoll_wait.ready = ret;
	for (uint32_t i = 0; i < cnt; i++) {
		uint64_t data = t->loop->fds[fds[i]].data;
		struct lab_ready *ready;

		if (i % LAB_READY_MAX == 0) {
			e = reserve_of(s, c, LAB_EV_EPOLL_READY, t);
			e->epoll_ready.epfd = t->loop->epfd;
		}
		ready = &e->epoll_ready.ready[e->epoll_ready.cnt++];
		ready->events = 1;
		ready->data_lo = (uint32_t)data;
		ready->data_hi = (uint32_t)(data >> 32);
	}
}

/* ---- the recorder, at the end ---- */

void record_totals(struct sim *s)
{
	uint64_t now = SIM_BASE_NS + s->now_ns + s->opt->skew_ns + 1;

	for (size_t i = 0; i < s->task_cnt; i++) {
		struct ktask *t = s->tasks[i];
		struct krecord *r;

		if (!t->marked)
			continue;
		r = vec_push(s->records, s->record_cnt, s->record_cap);
		r->ev.task_total = t->total;
		r->ev.head = (struct lab_ev_head){
			.ts_ns = now, .task = t->id, .kind = LAB_EV_TASK_TOTAL
		};
	}
	for (unsigned int i = 0; i < s->opt->cpu_cnt; i++) {
		const struct lab_cpu_slot *slot = &s->cpus[i].slot;

		if (!slot->seq)
			continue;
		vec_push(s->records, s->record_cnt, s->record_cap)->ev.cpu_total =
			(struct lab_ev_cpu_total){
				.head = { .ts_ns = now, .cpu = s->cpus[i].number,
					  .kind = LAB_EV_CPU_TOTAL },
				.seq_end = slot->seq,
				.refused = slot->refused,
				.refused_first_ns = slot->refused_first_ns,
				.refused_last_ns = slot->refused_last_ns,
			};
	}
}
