/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * operations - the descriptors of event loops, from being armed to their last readiness. epoll
 * gives back the program's data: it names a descriptor while one alone was registered with it.
 */
#include "verify/replay.h"

#include <stdlib.h>

#include "util/alloc.h"
#include "util/minmax.h"

#define CTL_ADD 1
#define CTL_MODIFY 3
#define CTL_LISTENING 0x01
#define READY_UNREAD 0x01

/* What fd_type says beyond the types of inodes */
enum { KIND_EVENTFD = 17, KIND_SIGNALFD = 18, KIND_TIMERFD = 19, KIND_TICK = 20, KIND_EPOLL = 21 };

static uint64_t set_of(uint32_t tgid, uint64_t epfd)
{
	return (uint64_t)tgid << 32 | (uint32_t)epfd;
}

/* @by: 1 or -1. The sum of one place is that place. */
static void count_user(struct facts *f, uint32_t place, uint64_t by)
{
	const struct registration *r = &f->regs[place];
	uint32_t user = map_put(&f->data, set_of(r->tgid, r->epfd), r->data);

	if (user == f->user_cnt)
		(void)vec_push(f->users, f->user_cnt, f->user_cap);
	f->users[user].cnt += by;
	f->users[user].sum += by * place;
}

struct process *operations_process(struct facts *f, uint32_t tgid)
{
	uint32_t place = map_put(&f->process_of, tgid, 0);

	if (place == f->process_cnt)
		(void)vec_push(f->processes, f->process_cnt, f->process_cap);
	return &f->processes[place];
}

static void close_registration(struct facts *f, uint32_t place)
{
	struct registration *r = &f->regs[place];

	if (!r->open)
		return;
	count_user(f, place, -1ull);
	r->open = false;
	if (r->kind == KIND_EVENTFD || r->kind == KIND_SIGNALFD || r->kind == KIND_TICK ||
	    r->kind == KIND_EPOLL)
		return;
	if (r->ready && !r->listening)
		*vec_push(f->ops, f->op_cnt, f->op_cap) =
			(struct operation){
				.start_ns = r->start_ns, .end_ns = r->ready_ns, .task = r->task,
				.tgid = r->tgid, .fd = r->fd,
			};
}

void operations_forget(struct facts *f, uint32_t tgid, uint64_t ts_ns)
{
	struct process *p = operations_process(f, tgid);

	while (p->first_reg) {
		struct registration *r = &f->regs[p->first_reg - 1];

		close_registration(f, p->first_reg - 1);
		r->listed = false;
		p->first_reg = r->next;
	}
	marks_forget(f, p, ts_ns);
}

static void list(struct facts *f, uint32_t place)
{
	struct process *p = operations_process(f, f->regs[place].tgid);

	if (f->regs[place].listed)
		return;
	f->regs[place].listed = true;
	f->regs[place].next = p->first_reg;
	p->first_reg = place + 1;
}

void operations_ctl(struct facts *f, uint32_t task, const struct event *ev)
{
	uint32_t tgid = f->tasks[task].tgid;
	uint32_t place = map_put(&f->fds, set_of(tgid, ev->f[F_EPFD]), (uint32_t)ev->f[F_FD]);
	struct registration *r;

	if (place == f->reg_cnt)
		(void)vec_push(f->regs, f->reg_cnt, f->reg_cap);
	r = &f->regs[place];
	if (ev->f[F_OP] == CTL_MODIFY && r->open) {
		count_user(f, place, -1ull);
		r->data = ev->f[F_DATA];
		r->told = false;
		count_user(f, place, 1);
		return;
	}
	close_registration(f, place);
	if (ev->f[F_OP] != CTL_ADD && ev->f[F_OP] != CTL_MODIFY)
		return;
	*r = (struct registration){
		.tgid = tgid, .task = f->tasks[task].id, .epfd = ev->f[F_EPFD],
		.data = ev->f[F_DATA], .fd = (int32_t)ev->f[F_FD], .start_ns = ev->head.ts_ns,
		.kind = (uint8_t)ev->f[F_FD_TYPE], .open = true, .listening = ev->f[F_FLAGS] & CTL_LISTENING,
		.listed = r->listed, .next = r->next,
	};
	count_user(f, place, 1);
	list(f, place);
}

void operations_wait(struct facts *f, uint32_t task)
{
	struct task *t = &f->tasks[task];

	if (t->loop_back)
		t->loop_at = 0;
	t->loop_back = true;
}

void operations_ready(struct facts *f, uint32_t task, const struct event *ev)
{
	const struct task *t = &f->tasks[task];
	uint64_t set = set_of(t->tgid, ev->f[F_EPFD]);
	uint64_t cnt = min_u64(ev->f[F_CNT], READY_MAX);

	for (uint64_t i = 0; i < cnt && !(ev->f[F_FLAGS] & READY_UNREAD); i++) {
		uint64_t data = ev->f[F_READY + 2 * i] | ev->f[F_READY + 2 * i + 1] << 32;
		uint32_t user = map_get(&f->data, set, data);
		struct registration *r;
		bool again;

		if (user == MAP_NONE || f->users[user].cnt != 1)
			continue;
		r = &f->regs[f->users[user].sum];
		again = r->told;
		r->ready = r->told = true;
		r->ready_ns = ev->head.ts_ns;
		r->task = f->tasks[task].id;
		if (r->kind == KIND_EVENTFD || r->kind == KIND_SIGNALFD ||
		    ((r->kind == KIND_TIMERFD || r->kind == KIND_TICK) && again))
			continue;
		if (t->loop_back && t->loop_at)
			f->stretches[t->loop_at - 1].marks |= M_OBSERVED;
	}
}

static int by_start(const void *a, const void *b)
{
	const struct operation *x = a, *y = b;

	if (x->start_ns != y->start_ns)
		return x->start_ns < y->start_ns ? -1 : 1;
	if (x->end_ns != y->end_ns)
		return x->end_ns < y->end_ns ? -1 : 1;
	if (x->task != y->task)
		return x->task < y->task ? -1 : 1;
	if (x->fd != y->fd)
		return x->fd < y->fd ? -1 : 1;
	return (x->begin_number > y->begin_number) - (x->begin_number < y->begin_number);
}

/* A part of what is not there is none. */
static void settle_parts(struct facts *f)
{
	bool *there = xcalloc(f->begin_cnt + 1, sizeof(*there));

	for (size_t i = 0; i < f->op_cnt; i++)
		there[f->ops[i].begin_number] = true;
	for (size_t i = 0; i < f->op_cnt; i++)
		if (f->ops[i].part_of && !there[f->ops[i].part_of])
			f->ops[i].part_of = 0;
	free(there);
}

void operations_end(struct facts *f)
{
	size_t kept = 0;

	for (uint32_t i = 0; i < f->reg_cnt; i++)
		close_registration(f, i);
	marks_end(f);
	for (size_t i = 0; i < f->op_cnt; i++) {
		struct operation op = f->ops[i];

		if (op.fd >= 0 && operations_process(f, op.tgid)->marks)
			continue;

		op.start_ns = max_u64(op.start_ns, f->start_ns);
		op.end_ns = min_u64(op.end_ns, f->end_ns);
		if (op.start_ns < op.end_ns)
			f->ops[kept++] = op;
	}
	f->op_cnt = kept;
	if (kept)
		qsort(f->ops, kept, sizeof(*f->ops), by_start);
	settle_parts(f);
}
