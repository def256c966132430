/* SPDX-License-Identifier: GPL-2.0-only */
/* operations - registrations, marks, and which waits in epoll are observed (section 7). */
#include "verify/facts.h"

/* The registrations of a set that are open and have the same data: if it is one, @all is it. */
struct bag {
	uint32_t cnt, all;		/* all: added up by exclusive or */
};

/* Registrations of a set whose other end the process has too (fd_type 23). */
struct ends {
	uint32_t open_cnt;
	bool crowded;			/* two were open at a time */
};

struct process {
	uint32_t things;		/* the last operation that it began; NONE */
	bool marks;			/* it ever began one by a mark */
	bool alive;			/* at the end, a task that has its number is */
	uint64_t last_death_ns;		/* of those */
};

struct operations {
	struct idmap sets, bag_of, names, process_of;
	struct idmap slots, marks;	/* of operations */
	VEC(struct bag) bags;
	VEC(struct ends) ends;		/* of each set */
	VEC(struct process) processes;
};

void operations_begin(struct facts *f)
{
	f->operations = xcalloc(1, sizeof(*f->operations));
}

static struct process *process_of(struct operations *o, uint64_t tgid)
{
	uint32_t n = map_number(&o->process_of, tgid, 0);

	if (n == o->processes.cnt)
		*PUSH(o->processes) = (struct process){ .things = NONE };
	return &o->processes.v[n];
}

static struct bag *bag_of(struct operations *o, uint32_t set, uint64_t data)
{
	uint32_t n = map_number(&o->bag_of, data, set);

	if (n == o->bags.cnt)
		PUSH(o->bags);
	return &o->bags.v[n];
}

static uint32_t set_of(struct operations *o, uint32_t tgid, uint64_t epfd)
{
	uint32_t n = map_number(&o->sets, tgid, epfd);

	if (n == o->ends.cnt)
		PUSH(o->ends);
	return n;
}

/* @by: 1 into the bag of its data, -1 out of it. */
static void bag_change(struct facts *f, uint32_t n, int by)
{
	struct operation *op = &f->ops.v[n];
	struct bag *b = bag_of(f->operations, op->set, op->data);
	struct ends *e = &f->operations->ends.v[op->set];

	b->cnt += (uint32_t)by;
	b->all ^= n;
	if (op->fd_type != 23)
		return;
	e->open_cnt += (uint32_t)by;
	e->crowded |= e->open_cnt > 1;
	op->crowded = e->crowded;
}

/* An operation that a mark, or a registration, begins. Return: its place. */
static uint32_t op_open(struct facts *f, const struct task *t, bool mark, const struct event *ev)
{
	struct process *p = process_of(f->operations, t->tgid);

	*PUSH(f->ops) = (struct operation){
		.start_ns = ev->head.ts_ns, .end_ns = NEVER, .begun = f->records, .tgid = t->tgid,
		.task = mark ? place_of_task(f, t) : NONE, .fd = -1, .part_of = NONE, .mark = mark,
		.open = true, .next = p->things,
	};
	p->things = (uint32_t)f->ops.cnt - 1;
	p->marks |= mark;
	return p->things;
}

static void op_close(struct facts *f, uint32_t op, uint64_t ns)
{
	if (op == NONE || !f->ops.v[op].open)
		return;
	f->ops.v[op].open = false;
	if (f->ops.v[op].mark)
		f->ops.v[op].end_ns = ns;
	else
		bag_change(f, op, -1);
}

/* ---- registrations ---- */

static void epoll_ctl(struct facts *f, const struct task *t, const struct event *ev)
{
	struct operations *o = f->operations;
	uint32_t set = set_of(o, t->tgid, ev->f[F_EPFD]), op = (uint32_t)ev->f[F_OP];
	uint32_t *slot = map_at(&o->slots, set, ev->f[F_FD]);

	if (op == 3 && *slot != NONE && f->ops.v[*slot].open) {
		bag_change(f, *slot, -1);
		f->ops.v[*slot].data = ev->f[F_DATA];
		f->ops.v[*slot].told = false;
		bag_change(f, *slot, 1);
		return;
	}
	op_close(f, *slot, 0);
	if (op != 1 && op != 3)
		return;
	*slot = op_open(f, t, false, ev);
	f->ops.v[*slot].set = set;
	f->ops.v[*slot].data = ev->f[F_DATA];
	f->ops.v[*slot].fd = (int64_t)ev->f[F_FD];
	f->ops.v[*slot].fd_type = (uint8_t)ev->f[F_FD_TYPE];
	f->ops.v[*slot].listening = ev->f[F_FLAGS] & 1;
	bag_change(f, *slot, 1);
}

/* Tells of readiness, and so whether the task's last wait in epoll was observed. */
static void epoll_ready(struct facts *f, struct task *t, const struct event *ev)
{
	uint64_t cnt = ev->f[F_FLAGS] & 1 ? 0 : min_u64(ev->f[F_CNT], READY_MAX);
	uint32_t set = set_of(f->operations, t->tgid, ev->f[F_EPFD]);

	for (uint64_t i = 0; i < cnt; i++) {
		uint64_t data = ev->f[F_READY + 2 * i] | ev->f[F_READY + 2 * i + 1] << 32;
		const struct bag *b = bag_of(f->operations, set, data);
		struct operation *op = b->cnt == 1 ? &f->ops.v[b->all] : NULL;

		if (!op)
			continue;
		if (t->epoll_wait != NONE && t->epoll_stage == 2 && op->fd_type != 17 &&
		    op->fd_type != 18 &&
		    (op->fd_type != 23 || f->operations->ends.v[set].crowded) &&
		    !(op->told && (op->fd_type == 19 || op->fd_type == 20)))
			f->stretches.v[t->epoll_wait].marks |= OBSERVED;
		op->end_ns = ev->head.ts_ns;
		op->task = place_of_task(f, t);
		op->told = true;
	}
}

/* ---- marks ---- */

/* A text as a number: the same for the same one. */
static uint32_t name_number(struct operations *o, const char *text, size_t len)
{
	uint32_t n = 0;

	for (size_t i = 0; i < len; i += 7) {
		uint64_t part = min_u64(len - i, 7);

		for (size_t k = i; k < len && k < i + 7; k++)
			part = part << 8 | (uint8_t)text[k];
		n = 1 + map_number(&o->names, part, n);
	}
	return n;
}

static void marker(struct facts *f, const struct task *t, const struct event *ev)
{
	size_t len = ev->text.len ? strnlen(ev->text.p, ev->text.len) : 0;
	const char *verb = ev->text.p, *end = verb + len, *id, *dot;
	const char *colon = len ? memchr(verb, ':', len) : NULL;
	struct words what = { verb, colon ? (size_t)(colon - verb) : 0 };
	struct operations *o = f->operations;
	uint32_t name, part_of = NONE, op;

	f->marker_unread |= ev->f[F_FLAGS] & 1;
	id = colon ? colon + 1 : end;
	if (ev->f[F_FLAGS] & 1 || id == end || *id == ':')
		return;
	if (!words_are(what, "begin") && !words_are(what, "end"))
		return;
	end = memchr(id, ':', (size_t)(end - id)) ?: end;
	name = name_number(o, id, (size_t)(end - id));
	op_close(f, *map_at(&o->marks, t->tgid, name), ev->head.ts_ns);
	if (words_are(what, "end"))
		return;
	dot = memrchr(id, '.', (size_t)(end - id));
	if (dot)
		part_of = map_get(&o->marks, t->tgid, name_number(o, id, (size_t)(dot - id)));
	op = op_open(f, t, true, ev);
	if (part_of != NONE && f->ops.v[part_of].open)
		f->ops.v[op].part_of = part_of;
	*map_at(&o->marks, t->tgid, name) = op;
}

/* ---- both ---- */

void operations_event(struct facts *f, struct task *t, const struct event *ev)
{
	if (ev->head.kind == KIND_CTL)
		epoll_ctl(f, t, ev);
	else if (ev->head.kind == KIND_READY)
		epoll_ready(f, t, ev);
	else if (ev->head.kind == KIND_WAIT)
		t->epoll_stage = t->epoll_stage == 1 ? 2 : 0;
	else
		marker(f, t, ev);
}

/* What the process had registered and marked ends. */
void process_ends(struct facts *f, uint32_t tgid, uint64_t ns)
{
	struct process *p = process_of(f->operations, tgid);

	for (uint32_t i = p->things; i != NONE; i = f->ops.v[i].next)
		op_close(f, i, ns);
	p->things = NONE;
}

static bool is_operation(const struct operation *op, const struct process *p)
{
	return op->start_ns < op->end_ns &&
	       (op->mark || (op->task != NONE && !p->marks && !op->listening && op->fd_type != 17 &&
			     op->fd_type != 18 && op->fd_type != 20 && op->fd_type != 21 &&
			     (op->fd_type != 23 || op->crowded)));
}

/* End what is open, cut all to the window, and number what is left. */
void operations_settle(struct facts *f)
{
	struct operations *o = f->operations;
	struct order { uint64_t start_ns, end_ns, task, fd, begun, op; };
	VEC(struct order) left = { 0 };

	for (size_t i = 0; i < f->tasks.cnt; i++) {
		struct process *p = process_of(o, f->tasks.v[i].tgid);

		if (f->tasks.v[i].now.what != DEAD)
			p->alive = true;
		else
			p->last_death_ns = max_u64(p->last_death_ns, f->tasks.v[i].death_ns);
	}
	for (size_t i = 0; i < f->ops.cnt; i++) {
		struct operation *op = &f->ops.v[i];
		const struct process *p = process_of(o, op->tgid);

		if (op->open && op->mark)
			op->end_ns = p->alive || !p->last_death_ns ? f->end_ns : p->last_death_ns;
		else
			op_close(f, (uint32_t)i, 0);
		op->start_ns = max_u64(op->start_ns, f->start_ns);
		op->end_ns = min_u64(op->end_ns, f->end_ns);
		if (is_operation(op, p))
			ADD(left, (struct order){ op->start_ns, op->end_ns, f->tasks.v[op->task].id,
						  (uint64_t)op->fd ^ 1ull << 63, op->begun, i });
	}
	sort_words(left.v, left.cnt, 6);
	for (size_t i = 0; i < left.cnt; i++)
		f->ops.v[left.v[i].op].number = (uint32_t)i + 1;
	for (size_t i = 0; i < f->ops.cnt; i++)
		f->ops.v[i].counts = f->ops.v[i].number && (f->ops.v[i].part_of == NONE ||
							    !f->ops.v[f->ops.v[i].part_of].number);
	free(left.v);
}

void operations_release(struct facts *f)
{
	struct operations *o = f->operations;
	struct idmap *maps[] = { &o->sets, &o->slots, &o->bag_of, &o->names, &o->marks,
			       &o->process_of };

	for (size_t i = 0; i < ARRAY_SIZE(maps); i++)
		idmap_release(maps[i]);
	free(o->bags.v);
	free(o->ends.v);
	free(o->processes.v);
	free(o);
}
