/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * build_ops - the logical tasks of event loops, from what epoll was told and what it answered.
 *
 * The kernel hands back the user's epoll_data, not the descriptor. It names a descriptor only
 * while exactly one registration of that epoll set carries it.
 */

#include <stdlib.h>

#include "model/build.h"
#include "util/alloc.h"
#include "util/minmax.h"

#define CTL_ADD 1
#define CTL_DEL 2
#define CTL_MOD 3
#define CROWDED 0x80000000u	/* two were open at a time */

static uint64_t set_key(uint32_t tgid, int32_t epfd)
{
	return (uint64_t)tgid << 32 | (uint32_t)epfd;
}

static struct data_users *users_of(struct model_builder *b, const struct reg *reg)
{
	uint32_t idx = (uint32_t)b->user_cnt;

	idx = *idmap_put(&b->users_by_data, set_key(reg->tgid, reg->epfd), reg->data, idx);
	if (idx == b->user_cnt)
		(void)vec_push(b->users, b->user_cnt, b->user_cap);
	return &b->users[idx];
}

/*
 * Of the set of @reg: how many registrations are open whose other end the process has, and CROWDED.
 */
static uint32_t *own_ends_of(struct model_builder *b, const struct reg *reg)
{
	return idmap_put(&b->own_ends_by_set, set_key(reg->tgid, reg->epfd), 0, 0);
}

static void attach_data(struct model_builder *b, uint32_t idx)
{
	struct data_users *users = users_of(b, &b->regs[idx]);
	uint32_t *own_ends = own_ends_of(b, &b->regs[idx]);

	users->cnt++;
	users->xor_idx ^= idx;
	if (b->regs[idx].fd_type == LAB_FD_OWN_END && ++*own_ends == 2)
		*own_ends |= CROWDED;
}

static void detach_data(struct model_builder *b, uint32_t idx)
{
	struct data_users *users = users_of(b, &b->regs[idx]);

	users->cnt--;
	users->xor_idx ^= idx;
	if (b->regs[idx].fd_type == LAB_FD_OWN_END)
		--*own_ends_of(b, &b->regs[idx]);
}

static void link_to_process(struct model_builder *b, uint32_t idx)
{
	uint32_t *first;

	if (b->regs[idx].linked)
		return;
	first = idmap_put(&b->regs_of_tgid, b->regs[idx].tgid, 0, 0);
	b->regs[idx].linked = true;
	b->regs[idx].next = *first;
	*first = idx + 1;
}

/* A loop has one such pipe; a program that passes messages to itself has more of them. */
static bool is_own_pipe(struct model_builder *b, const struct reg *reg)
{
	return reg->fd_type == LAB_FD_OWN_END && !(*own_ends_of(b, reg) & CROWDED);
}

/* Something wakes the loop with it, or it shows what is in another set. */
static bool wakes_only(struct model_builder *b, const struct reg *reg)
{
	return reg->fd_type == LAB_FD_EVENTFD || reg->fd_type == LAB_FD_SIGNALFD ||
	       reg->fd_type == LAB_FD_TICK || reg->fd_type == LAB_FD_EPOLL ||
	       is_own_pipe(b, reg);
}

/* An operation is kept if it was ever ready: it lasts until then. */
static void keep_op(struct model_builder *b, const struct reg *reg, bool open_at_end)
{
	if (!reg->ready_cnt || reg->listening || wakes_only(b, reg))
		return;
	*vec_push(b->m.ops, b->m.op_cnt, b->m.op_cap) = (struct model_op){
		.task_id = reg->task_id,
		.tgid = reg->tgid,
		.fd = reg->fd,
		.start_ns = reg->start_ns,
		.end_ns = reg->last_ready_ns,
		.ready_cnt = reg->ready_cnt,
		.fd_type = reg->fd_type,
		.open_at_end = open_at_end,
	};
}

static void close_reg(struct model_builder *b, uint32_t idx, bool open_at_end)
{
	keep_op(b, &b->regs[idx], open_at_end);
	detach_data(b, idx);
	b->regs[idx].open = false;
}

void ops_forget(struct model_builder *b, uint32_t tgid)
{
	uint32_t *first = idmap_get(&b->regs_of_tgid, tgid, 0);

	while (first && *first) {
		uint32_t idx = *first - 1;

		if (b->regs[idx].open)
			close_reg(b, idx, false);
		b->regs[idx].linked = false;
		*first = b->regs[idx].next;
	}
}

void ops_on_ctl(struct model_builder *b, const struct lab_ev_epoll_ctl *ev)
{
	uint32_t tgid = task_get(b, ev->head.task, ev->head.ts_ns)->t.tgid;
	uint32_t idx = (uint32_t)b->reg_cnt;

	task_acted(b, ev->head.task, ev->head.cpu, ev->head.ts_ns);
	idx = *idmap_put(&b->reg_by_fd, set_key(tgid, ev->epfd), (uint32_t)ev->fd, idx);
	if (idx == b->reg_cnt)
		(void)vec_push(b->regs, b->reg_cnt, b->reg_cap);
	if (ev->op == CTL_MOD && b->regs[idx].open) {
		detach_data(b, idx);
		b->regs[idx].data = ev->data;
		b->regs[idx].told = false;
		attach_data(b, idx);
		return;
	}
	/* An ADD where one is open: the descriptor was closed and its number used again. */
	if (b->regs[idx].open)
		close_reg(b, idx, false);
	if (ev->op != CTL_ADD && ev->op != CTL_MOD)
		return;
	b->regs[idx] = (struct reg){
		.linked = b->regs[idx].linked,
		.next = b->regs[idx].next,
		.tgid = tgid,
		.epfd = ev->epfd,
		.fd = ev->fd,
		.data = ev->data,
		.start_ns = ev->head.ts_ns,
		.task_id = ev->head.task,
		.fd_type = ev->fd_type,
		.listening = ev->head.flags & LAB_F_LISTENING,
		.open = true,
	};
	attach_data(b, idx);
	link_to_process(b, idx);
}

void ops_on_wait(struct model_builder *b, const struct lab_ev_epoll_wait *ev)
{
	uint64_t return_ns = ev->head.ts_ns;
	bool seen = ev->enter_ns && ev->enter_ns <= return_ns;
	struct btask *t;

	t = task_get(b, ev->head.task, return_ns);
	task_acted(b, ev->head.task, ev->head.cpu, return_ns);
	if (t->epoll_returned)
		t->epoll_span = 0;
	t->epoll_returned = true;
	*vec_push(b->m.loop_waits, b->m.loop_wait_cnt, b->m.loop_wait_cap) =
		(struct model_loop_wait){
			.task_id = ev->head.task,
			.epfd = ev->epfd,
			.enter_ns = seen ? ev->enter_ns : return_ns,
			.return_ns = return_ns,
			.ready = ev->ready,
		};
}

/* The wait that the task has just returned from ended for something that is known. */
static void observe(struct btask *t)
{
	if (t->epoll_span && t->epoll_returned)
		t->t.spans[t->epoll_span - 1].flags |= SPAN_OBSERVED;
}

/*
 * Behind what wakes the loop may be anything; and a timer that ticks, or is set again without a
 * word to epoll, may stand for all that the program waits for (libsystemd, Boost.Asio).
 */
static bool shows_operation(struct model_builder *b, const struct reg *reg)
{
	switch (reg->fd_type) {
	case LAB_FD_EVENTFD:
	case LAB_FD_SIGNALFD:
		return false;
	case LAB_FD_TIMERFD:
	case LAB_FD_TICK:
		return !reg->told;
	case LAB_FD_OWN_END:
		return !is_own_pipe(b, reg);
	default:
		return true;
	}
}

void ops_on_ready(struct model_builder *b, const struct lab_ev_epoll_ready *ev)
{
	struct btask *t = task_get(b, ev->head.task, ev->head.ts_ns);
	uint32_t tgid = t->t.tgid;
	uint32_t cnt = ev->cnt < LAB_READY_MAX ? ev->cnt : LAB_READY_MAX;

	if (ev->head.flags & LAB_F_UNREAD) {
		b->m.ready_unknown += ev->cnt;
		return;
	}
	for (uint32_t i = 0; i < cnt; i++) {
		uint64_t data = (uint64_t)ev->ready[i].data_hi << 32 | ev->ready[i].data_lo;
		uint32_t *idx = idmap_get(&b->users_by_data, set_key(tgid, ev->epfd), data);
		const struct data_users *users = idx ? &b->users[*idx] : NULL;
		struct reg *reg;

		if (!users || !users->cnt) {
			b->m.ready_unknown++;
			continue;
		}
		if (users->cnt > 1) {
			b->m.ready_ambiguous++;
			continue;
		}
		reg = &b->regs[users->xor_idx];
		reg->last_ready_ns = ev->head.ts_ns;
		reg->ready_cnt++;
		reg->task_id = ev->head.task;
		if (shows_operation(b, reg))
			observe(t);
		reg->told = true;
	}
}

static int op_cmp(const void *a, const void *b)
{
	const struct model_op *x = a, *y = b;

	if (x->start_ns != y->start_ns)
		return x->start_ns < y->start_ns ? -1 : 1;
	if (x->end_ns != y->end_ns)
		return x->end_ns < y->end_ns ? -1 : 1;
	if (x->task_id != y->task_id)
		return x->task_id < y->task_id ? -1 : 1;
	if (x->fd != y->fd)
		return x->fd < y->fd ? -1 : 1;
	return (x->id > y->id) - (x->id < y->id);
}

static int part_cmp(const void *a, const void *b)
{
	const struct model_op_part *x = a, *y = b;

	if (x->op_id != y->op_id)
		return x->op_id < y->op_id ? -1 : 1;
	return (x->start_ns > y->start_ns) - (x->start_ns < y->start_ns);
}

/* What is left of [*start_ns, *end_ns) in the window. Return: whether anything is. */
static bool clip(const struct model *m, uint64_t *start_ns, uint64_t *end_ns)
{
	*start_ns = max_u64(*start_ns, m->start_ns);
	*end_ns = min_u64(*end_ns, m->end_ns);
	return *end_ns > *start_ns;
}

/* Numbers in order of start; what referred to a marked one's old number refers to the new one. */
static void number_ops(struct model_builder *b)
{
	uint32_t *new_ids = xcalloc(b->marked_total + 1, sizeof(*new_ids));
	struct model *m = &b->m;
	size_t kept = 0;

	if (m->op_cnt)
		qsort(m->ops, m->op_cnt, sizeof(*m->ops), op_cmp);
	for (size_t i = 0; i < m->op_cnt; i++) {
		if (m->ops[i].id)
			new_ids[m->ops[i].id] = (uint32_t)i + 1;
		m->ops[i].id = (uint32_t)i + 1;
	}
	for (size_t i = 0; i < m->op_cnt; i++)
		m->ops[i].parent_id = new_ids[m->ops[i].parent_id];
	for (size_t i = 0; i < m->op_part_cnt; i++) {
		struct model_op_part part = m->op_parts[i];

		part.op_id = new_ids[part.op_id];
		if (!part.op_id || !clip(m, &part.start_ns, &part.end_ns))
			continue;
		m->ops[part.op_id - 1].active_ns += part.end_ns - part.start_ns;
		m->op_parts[kept++] = part;
	}
	m->op_part_cnt = kept;
	if (kept)
		qsort(m->op_parts, kept, sizeof(*m->op_parts), part_cmp);
	free(new_ids);
}

static void clip_loop_waits(struct model *m)
{
	size_t kept = 0;

	for (size_t i = 0; i < m->loop_wait_cnt; i++) {
		struct model_loop_wait wait = m->loop_waits[i];

		if (wait.return_ns < m->start_ns || wait.return_ns > m->end_ns)
			continue;
		wait.enter_ns = max_u64(wait.enter_ns, m->start_ns);
		m->loop_waits[kept++] = wait;
	}
	m->loop_wait_cnt = kept;
}

/* What processes left open that have no task any more was closed with the last one. */
static void close_all(struct model_builder *b)
{
	struct idmap alive = { 0 };

	for (size_t i = 0; i < b->task_cnt && b->reg_cnt; i++) {
		if (b->tasks[i].life != LIFE_DEAD)
			idmap_put(&alive, b->tasks[i].t.tgid, 0, 1);
	}
	for (size_t i = 0; i < b->reg_cnt; i++) {
		if (b->regs[i].open)
			close_reg(b, (uint32_t)i, idmap_get(&alive, b->regs[i].tgid, 0));
	}
	idmap_release(&alive);
}

void ops_finish(struct model_builder *b)
{
	struct model *m = &b->m;
	size_t kept = 0;

	close_all(b);
	for (size_t i = 0; i < m->op_cnt; i++) {
		struct model_op op = m->ops[i];

		/* A process that marks its operations knows better what is one. */
		if (op.fd != MODEL_OP_NO_FD && idmap_get(&b->marked_of_tgid, op.tgid, 0))
			continue;
		if (clip(m, &op.start_ns, &op.end_ns))
			m->ops[kept++] = op;
	}
	m->op_cnt = kept;
	number_ops(b);
	clip_loop_waits(m);
}
