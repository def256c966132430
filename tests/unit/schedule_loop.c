/* SPDX-License-Identifier: GPL-2.0-only */
/* schedule_loop - event loops: epoll sets, and what becomes ready in them. */

#include <stdlib.h>

#include "schedule_sim.h"
#include "util/alloc.h"
#include "util/minmax.h"

#define CTL_ADD 1
#define CTL_DEL 2
#define CTL_MOD 3
#define NO_OP SIZE_MAX

static struct truth_op *op_of(struct sim *s, const struct kfd *fd)
{
	return fd->op == NO_OP ? NULL : &s->out->truth.ops[fd->op];
}

static void ready_later(struct sim *s, struct ktask *t, uint32_t fd)
{
	struct kevent *e = sim_event(s, KE_FD, s->now_ns + sim_gap(s) +
					       sim_span_ns(s, 1ull << (s->opt->pace + 2)));

	e->task = t;
	e->arg = fd;
	e->gen = t->loop->fds[fd].gen;
}

/* It ends as an operation: it was one if it was ever ready. */
static void forget(struct sim *s, struct kfd *fd)
{
	struct truth_op *op = op_of(s, fd);

	if (op)
		op->open_at_end = false;
	fd->op = NO_OP;
	fd->on = false;
}

static uint64_t some_data(struct sim *s, const struct kloop *loop, uint32_t fd)
{
	uint32_t kind = sim_random(s, 12);

	if (!kind)
		return loop->fds[sim_random(s, SIM_FDS)].data;
	return kind & 1 ? fd : 0x7f0000001000ull + 64 * fd;
}

static void add_fd(struct sim *s, struct ktask *t, uint32_t fd)
{
	struct kcpu *c = &s->cpus[t->cpu];
	struct truth *truth = &s->out->truth;
	struct kfd *k = &t->loop->fds[fd];

	forget(s, k);		/* it may have been closed, which tells nobody */
	*k = (struct kfd){
		.on = true, .gen = k->gen + 1, .op = NO_OP, .listening = !sim_random(s, 8),
		.data = some_data(s, t->loop, fd),
	};
	if (t->marked && s->opt->ops) {
		k->seen = true;
		if (!k->listening) {
			k->op = truth->op_cnt;
			*vec_push(truth->ops, truth->op_cnt, truth->op_cap) = (struct truth_op){
				.task_id = t->id, .tgid = t->proc->tgid, .fd = (int32_t)fd,
				.start_ns = sim_stamp(s, c), .open_at_end = true,
			};
		}
	}
	record_ctl(s, c, t, CTL_ADD, (int)fd, k->data, k->listening);
	ready_later(s, t, fd);
}

static void change_fds(struct sim *s, struct ktask *t)
{
	uint32_t fd = sim_random(s, SIM_FDS);
	struct kcpu *c = &s->cpus[t->cpu];
	struct kfd *k = &t->loop->fds[fd];

	if (!k->on || sim_chance(s, 2)) {
		add_fd(s, t, fd);
	} else if (sim_chance(s, 8)) {
		record_ctl(s, c, t, CTL_DEL, (int)fd, 0, k->listening);
		forget(s, k);
		k->seen = false;
		k->gen++;
	} else {
		/* Unless it was added before anybody looked. */
		if (k->seen) {
			k->data = some_data(s, t->loop, fd);
			record_ctl(s, c, t, CTL_MOD, (int)fd, k->data, k->listening);
		}
	}
}

/*
 * Which descriptor the records take for the one that is ready, for only its data is told: the only
 * one that was seen to be added with such data. NULL: none, or several.
 */
static struct kfd *told(struct kloop *loop, uint64_t data)
{
	struct kfd *only = NULL;

	for (uint32_t i = 0; i < SIM_FDS; i++) {
		if (!loop->fds[i].seen || loop->fds[i].data != data)
			continue;
		if (only)
			return NULL;
		only = &loop->fds[i];
	}
	return only;
}

static void note_ready(struct sim *s, struct ktask *t, uint64_t data, uint64_t ts)
{
	const struct kfd *k = told(t->loop, data);
	struct truth_op *op = k ? op_of(s, k) : NULL;

	if (!t->marked || !op)
		return;
	op->ready_cnt++;
	op->end_ns = ts;
}

static void note_wait(struct sim *s, const struct ktask *t, uint64_t ts, int32_t ret)
{
	struct truth *truth = &s->out->truth;

	if (!t->marked || !s->opt->ops)
		return;
	*vec_push(truth->waits, truth->wait_cnt, truth->wait_cap) = (struct truth_wait){
		.task_id = t->id, .epfd = t->loop->epfd, .ready = ret,
		.enter_ns = t->loop->marked_enter ? t->loop->enter_ns : ts, .return_ns = ts,
	};
}

void loop_return(struct sim *s, struct ktask *t)
{
	struct kcpu *c = &s->cpus[t->cpu];
	uint64_t ts = sim_stamp(s, c);
	uint32_t cnt = 0;
	int fds[SIM_FDS];
	int32_t ret;

	for (uint32_t i = 0; i < SIM_FDS; i++) {
		struct kfd *k = &t->loop->fds[i];

		if (!k->on || !k->ready)
			continue;
		k->ready = false;
		fds[cnt++] = (int)i;
		ready_later(s, t, i);
		note_ready(s, t, k->data, ts);
	}
	ret = cnt || sim_chance(s, 12) ? (int32_t)cnt : -4;
	record_wait(s, c, t, fds, cnt, ret);
	note_wait(s, t, ts, ret);
	t->todo = TODO_NEXT;
	action_compute(s, t, 1ull << s->opt->pace);
}

void loop_turn(struct sim *s, struct ktask *t)
{
	struct khow how;
	bool ready = false;

	if (!t->loop) {
		t->loop = xcalloc(1, sizeof(*t->loop));
		t->loop->epfd = (int32_t)(10 + t->proc->loops++);
		for (uint32_t i = 0; i < SIM_FDS; i++)
			t->loop->fds[i].op = NO_OP;
		for (uint32_t i = 0; i < 3; i++)
			add_fd(s, t, sim_random(s, SIM_FDS));
	}
	if (sim_chance(s, 5)) {
		change_fds(s, t);
		t->todo = TODO_NEXT;
		action_compute(s, t, 2000);
		return;
	}
	sim_moment(s);
	t->loop->enter_ns = sim_stamp(s, &s->cpus[t->cpu]);
	t->loop->marked_enter = t->marked;
	for (uint32_t i = 0; i < SIM_FDS; i++)
		ready |= t->loop->fds[i].on && t->loop->fds[i].ready;
	if (ready || sim_chance(s, 1)) {
		sim_moment(s);
		loop_return(s, t);
		return;
	}
	how = wait_how(sim_chance(s, 12) ? 232 : 281, (uint64_t)t->loop->epfd, REASON_EPOLL);
	t->todo = TODO_LOOP;
	wait_for(s, t, &how, chan_of(CHAN_LOOP, t->number, 0),
		 sim_chance(s, 4) ? sim_span_ns(s, 1ull << (s->opt->pace + 2)) : 0, WAKE_HARDIRQ);
}

void loop_close(struct sim *s, struct ktask *t)
{
	for (uint32_t i = 0; t->loop && i < SIM_FDS; i++)
		forget(s, &t->loop->fds[i]);
	free(t->loop);
	t->loop = NULL;
}

void loop_on_fd(struct sim *s, const struct kevent *e)
{
	struct ktask *t = e->task;
	struct kwait *w = &t->wait;
	struct kevent *wake;

	if (t->state == K_DEAD || !t->loop || !t->loop->fds[e->arg].on ||
	    t->loop->fds[e->arg].gen != e->gen)
		return;
	t->loop->fds[e->arg].ready = true;
	if (!w->on || w->chan != chan_of(CHAN_LOOP, t->number, 0))
		return;
	wake = sim_event(s, KE_WAKE, s->now_ns);
	wake->task = t;
	wake->gen = w->gen;
	wake->arg = sim_chance(s, 10) ? WAKE_SOFTIRQ : WAKE_BY_TASK;
}
