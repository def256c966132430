/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * waits - what a sleep is to the question whether its task was in progress: from its
 * state, its system call and what that is about; of a futex also from what ended it, and
 * from the other waits there.
 */
#include "verify/replay.h"

#include "util/minmax.h"

#define STATE_INTERRUPTIBLE 0x1
#define STATE_UNINTERRUPTIBLE 0x2
#define STATE_STOPPED_OR_TRACED 0xc
#define STATE_FREEZABLE 0x2000
#define OUT_IOWAIT 0x02
#define OUT_COMPAT 0x04
#define OUT_WORKER 0x08
#define OUT_EXITING 0x20
#define NO_CALL -1
#define CLONE_WAITS 0x4000
#define WAKE_EXITING 0x10
#define WAKE_MANY 0x20
#define WAKER_FUTEX 202
#define TYPE_PIPE 1
#define TYPE_SOCKET 12
#define TYPE_REQUEST 22
#define FUTEX_PRIVATE 128u
#define FUTEX_WAITERS 0x80000000u
#define FUTEX_TID 0x3fffffffu

enum { OP_WAIT = 0, OP_LOCK_PI = 6, OP_WAIT_BITSET = 9, OP_WAIT_REQUEUE_PI = 11, OP_LOCK_PI2 = 13,
       OP_WAITV = 32 };

/* What a system call waits for. One that is in no list: IDLES. */
enum call {
	CALL_IDLES, CALL_WORKS, CALL_FD, CALL_POLL, CALL_EPOLL, CALL_URING, CALL_CHILD, CALL_VFORK,
	CALL_FILELOCK, CALL_CLONE, CALL_CLONE3, CALL_FUTEX, CALL_FUTEX_WAITV, CALL_FUTEX_WAIT,
};

struct calls {
	enum call call;
	int16_t numbers[20];	/* up to the first END */
};

#define END -1

/* x86-64 */
static const struct calls native[] = {
	{ CALL_FD, { 0, 1, 17, 18, 19, 20, 40, 275, 276, 278, 295, 296, 327, 328, END } },
	{ CALL_WORKS, { 42, 44, 45, 46, 47, 299, 307, END } },	/* sockets */
	{ CALL_WORKS, { 35, 230, END } },			/* sleeps */
	{ CALL_WORKS, { 208, 333, 74, 75, 162, 306, 26, 277, END } }, /* disks */
	{ CALL_WORKS, { 69, 70, 242, 243, END } },		/* queues of messages */
	{ CALL_FILELOCK, { 72, 73, END } },
	{ CALL_POLL, { 7, 271, 23, 270, END } },
	{ CALL_EPOLL, { 232, 281, 441, END } },
	{ CALL_URING, { 426, END } },
	{ CALL_CHILD, { 61, 247, END } },
	{ CALL_VFORK, { 58, END } },
	{ CALL_CLONE, { 56, END } },
	{ CALL_CLONE3, { 435, END } },
	{ CALL_FUTEX, { 202, END } },
	{ CALL_FUTEX_WAITV, { 449, END } },
	{ CALL_FUTEX_WAIT, { 455, END } },
	{ CALL_IDLES, { END } },
};

/* i386 */
static const struct calls compat[] = {
	{ CALL_WORKS, { 362, 369, 370, 371, 372, 102, 337, 417, 345, END } },
	{ CALL_WORKS, { 162, 267, 407, END } },
	{ CALL_WORKS, { 247, 385, 416, 118, 148, 36, 344, 144, END } },
	{ CALL_WORKS, { 279, 280, 400, 401, 418, 419, END } },
	{ CALL_FILELOCK, { 55, 143, 221, END } },
	{ CALL_POLL, { 168, 309, 414, 82, 142, 308, 413, END } },
	{ CALL_EPOLL, { 256, 319, 441, END } },
	{ CALL_URING, { 426, END } },
	{ CALL_CHILD, { 7, 114, 284, END } },
	{ CALL_VFORK, { 190, END } },
	{ CALL_CLONE3, { 435, END } },
	{ CALL_FUTEX, { 240, 422, 449, 455, END } },
	{ CALL_IDLES, { END } },
};

static enum call call_of(const struct sleep *sleep)
{
	const struct calls *list = sleep->flags & OUT_COMPAT ? compat : native;

	for (; list->call != CALL_IDLES; list++)
		for (const int16_t *nr = list->numbers; *nr != END; nr++)
			if (*nr == sleep->call)
				return list->call;
	return CALL_IDLES;
}

static bool waits_for_vfork(const struct sleep *sleep, enum call call)
{
	switch (call) {
	case CALL_VFORK:
		return true;
	case CALL_CLONE:
		return sleep->arg0 & CLONE_WAITS || sleep->state & STATE_FREEZABLE;
	case CALL_CLONE3:
		return sleep->state & STATE_FREEZABLE;
	default:
		return false;
	}
}

uint32_t waits_owner(const struct sleep *sleep)
{
	uint32_t value = (uint32_t)sleep->arg2;

	return value & FUTEX_WAITERS ? value & FUTEX_TID : (uint32_t)sleep->owner;
}

static void sort_futex(const struct sleep *sleep, enum call call, struct stretch *s)
{
	uint32_t value = (uint32_t)sleep->arg2, op = OP_WAIT;

	if (sleep->flags & OUT_COMPAT)	/* where it is is not known */
		return;
	if (call == CALL_FUTEX_WAITV)
		op = OP_WAITV;
	else if (call == CALL_FUTEX)
		op = sleep->arg1 & 0x7f;
	if (op != OP_WAIT && op != OP_LOCK_PI && op != OP_WAIT_BITSET && op != OP_WAIT_REQUEUE_PI &&
	    op != OP_LOCK_PI2 && op != OP_WAITV)
		return;
	s->marks |= M_FUTEX;
	s->op = (uint8_t)op;
	s->addr = sleep->arg0;
	s->value = value;
	s->mm = !!(sleep->arg1 & FUTEX_PRIVATE);
}

/* Of no descriptor: a sleep. Of one, without a time limit: nothing else can be awaited there. */
static void sort_poll(const struct sleep *sleep, struct stretch *s)
{
	bool poll = sleep->call == 7 || sleep->call == 271;
	uint32_t cnt = (uint32_t)(poll ? sleep->arg1 : sleep->arg0);

	if (sleep->flags & OUT_COMPAT)	/* how many is not known */
		cnt = 2;
	if (!cnt) {
		s->sort = WORKS;
		return;
	}
	s->loop = LOOP_POLL;
	if (cnt != 1)
		return;
	if ((sleep->call == 7 && (int32_t)sleep->arg2 < 0) || (sleep->call == 271 && !sleep->arg2))
		s->marks |= M_OBSERVED;
}

static void sort_call(const struct sleep *sleep, enum call call, struct stretch *s)
{
	switch (call) {
	case CALL_FD:
		if (sleep->fd_type == TYPE_PIPE || sleep->fd_type == TYPE_SOCKET)
			s->sort = WORKS;
		break;
	case CALL_WORKS:
		s->sort = WORKS;
		break;
	case CALL_POLL:
		sort_poll(sleep, s);
		break;
	case CALL_EPOLL:
		s->loop = LOOP_EPOLL;
		s->addr = sleep->flags & OUT_COMPAT ? 0 : (uint32_t)sleep->arg0;
		break;
	case CALL_URING:
		s->sort = WORKS;
		s->loop = LOOP_URING;
		s->addr = sleep->flags & OUT_COMPAT ? 0 : (uint32_t)sleep->arg0;
		break;
	case CALL_FILELOCK:
		s->sort = QUEUES;
		break;
	case CALL_CHILD:
	case CALL_VFORK:
		s->sort = ABSENT;
		break;
	case CALL_FUTEX:
	case CALL_FUTEX_WAITV:
	case CALL_FUTEX_WAIT:
		sort_futex(sleep, call, s);
		break;
	case CALL_CLONE:
	case CALL_CLONE3:
	case CALL_IDLES:
		break;
	}
}

/* A worker of io_uring, with a request to complete */
static bool has_request(const struct sleep *sleep)
{
	return sleep->state & (STATE_INTERRUPTIBLE | STATE_UNINTERRUPTIBLE) &&
	       sleep->flags & OUT_WORKER && sleep->call == NO_CALL &&
	       sleep->fd_type == TYPE_REQUEST;
}

void waits_sort(const struct sleep *sleep, struct stretch *s)
{
	enum call call = call_of(sleep);

	s->sort = IDLES;
	if (sleep->state & STATE_STOPPED_OR_TRACED) {
		s->sort = WORKS;
	} else if (has_request(sleep)) {
		s->sort = QUEUES;
	} else if (sleep->state & STATE_UNINTERRUPTIBLE) {
		s->sort = !(sleep->flags & OUT_IOWAIT) && waits_for_vfork(sleep, call) ? ABSENT : WORKS;
	} else if (!(sleep->state & STATE_INTERRUPTIBLE)) {
		return;
	} else if (sleep->flags & OUT_WORKER) {
		s->sort = WORKS;
	} else if (sleep->call == NO_CALL && !(sleep->flags & OUT_EXITING)) {
		s->sort = WORKS;
	} else {
		sort_call(sleep, call, s);
	}
}

/* exit_group, execve and execveat, of x86-64 */
static bool ends_process(int64_t call)
{
	return call == 231 || call == 59 || call == 322;
}

void waits_woken(const struct facts *f, struct task *t, const struct event *ev)
{
	uint64_t flags = ev->f[F_FLAGS], waker = ev->f[F_WAKER_ID];
	uint32_t place = waker ? map_get(&f->by_id, waker, 0) : MAP_NONE;
	int64_t call = (int64_t)ev->f[F_WAKER_SYSCALL];
	struct stretch *s = &t->now;

	if (flags & WAKE_INTERRUPT)
		s->marks |= M_BY_IRQ;
	if (flags & WAKE_INTERRUPT ||
	    (flags & WAKE_UNKNOWN && !(s->marks & M_FUTEX && call == WAKER_FUTEX &&
				       ev->f[F_WAKER_ARG0] == s->addr)))
		return;
	s->waker = (uint32_t)waker;
	s->marks |= (flags & WAKE_EXITING ? M_BY_EXIT : 0) | (flags & WAKE_MANY ? M_MANY : 0) |
		    (ev->f[F_WAKER_TID] ? M_BY_TASK : 0) |
		    (place != MAP_NONE ? M_BY_KNOWN : 0);
	if (place != MAP_NONE && f->tasks[place].leader == t->leader && ends_process(call))
		s->marks |= M_BY_END;
}

void waits_settle(struct stretch *s, bool thread)
{
	bool by_task = s->marks & M_BY_TASK;

	if (!(s->marks & M_FUTEX))
		return;
	if (s->op == OP_LOCK_PI || s->op == OP_LOCK_PI2)
		s->sort = LOCKED;
	else if (s->op == OP_WAIT_REQUEUE_PI)
		s->sort = IDLES;
	else if (s->marks & M_OWNED)
		s->sort = LOCKED;
	else if (s->marks & M_BY_EXIT || (thread && !by_task))
		s->sort = ABSENT;
	else
		s->sort = AT_FUTEX;
}

/* ---- all waits at one futex ---- */

static int by_place(const void *a, const void *b)
{
	const struct stretch *x = *(struct stretch *const *)a, *y = *(struct stretch *const *)b;

	if (x->mm != y->mm)
		return x->mm < y->mm ? -1 : 1;
	if (x->addr != y->addr)
		return x->addr < y->addr ? -1 : 1;
	if (x->task != y->task)
		return x->task < y->task ? -1 : 1;
	return (x->start_ns > y->start_ns) - (x->start_ns < y->start_ns);
}

/* The waits at one place, by task and time. */
struct futex {
	struct stretch **w;
	size_t cnt;
	bool mutex;
};

static struct futex futex_at(struct stretch **w, size_t cnt)
{
	struct futex x = { .w = w };

	for (; x.cnt < cnt && w[x.cnt]->mm == w[0]->mm && w[x.cnt]->addr == w[0]->addr; x.cnt++)
		x.mutex |= w[x.cnt]->marks & M_OWNED;
	return x;
}

static bool is_twin(const struct futex *x, const struct futex *y)
{
	return x->w[0]->mm == y->w[0]->mm && x->w[0]->addr / 8 == y->w[0]->addr / 8 && !x->mutex &&
	       !y->mutex;
}

/* The first wait here of a task from @task on that begins at @from_ns or later, or of one behind it. */
static size_t find_wait(const struct futex *x, uint32_t task, uint64_t from_ns)
{
	size_t low = 0, high = x->cnt;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		const struct stretch *s = x->w[mid];

		if (s->task < task || (s->task == task && s->start_ns < from_ns))
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static bool waits_within(const struct futex *x, uint32_t task, uint64_t from_ns, uint64_t to_ns)
{
	size_t i = find_wait(x, task, from_ns);

	return i < x->cnt && x->w[i]->task == task && x->w[i]->start_ns <= to_ns;
}

/* A place and its twin, which may be empty, and what happened there. */
struct pair {
	const struct futex *x[2];
	uint64_t by_tasks;
	bool expired;
	struct given {
		uint32_t task;
		uint64_t at_ns;
	} *given;		/* hand-overs */
	size_t given_cnt, given_cap;
};

static bool pair_waits(const struct pair *p, uint32_t task, uint64_t from_ns, uint64_t to_ns)
{
	return waits_within(p->x[0], task, from_ns, to_ns) ||
	       waits_within(p->x[1], task, from_ns, to_ns);
}

static void note_end(const struct facts *f, struct pair *p, const struct stretch *s)
{
	uint32_t waker;

	p->expired |= !!(s->marks & M_BY_IRQ);
	if (!(s->marks & M_BY_TASK) || s->marks & M_BY_EXIT)
		return;
	p->by_tasks++;
	waker = s->marks & M_MANY || !s->waker ? MAP_NONE : map_get(&f->by_id, s->waker, 0);
	if (waker != MAP_NONE && pair_waits(p, waker, 0, NEVER))
		*vec_push(p->given, p->given_cnt, p->given_cap) = (struct given){ waker, s->end_ns };
}

static int by_giver(const void *a, const void *b)
{
	const struct given *x = a, *y = b;

	if (x->task != y->task)
		return x->task < y->task ? -1 : 1;
	return (x->at_ns > y->at_ns) - (x->at_ns < y->at_ns);
}

/* A wait that is not locked: over, with its time, where no task ends one; and no other follows. */
static enum sort sort_open(const struct pair *p, const struct stretch *s)
{
	return s->marks & M_BY_IRQ && !p->by_tasks &&
	       !pair_waits(p, s->task, s->start_ns + 1, NEVER) ? WORKS : IDLES;
}

static void sort_at(const struct facts *f, const struct futex *x, const struct futex *twin)
{
	struct pair p = { .x = { x, twin } };
	uint64_t holders = 0, theirs = 0;
	bool kept = false, locked;

	for (int k = 0; k < 2; k++)
		for (size_t i = 0; i < p.x[k]->cnt; i++)
			note_end(f, &p, p.x[k]->w[i]);
	if (p.given_cnt)
		qsort(p.given, p.given_cnt, sizeof(*p.given), by_giver);
	for (size_t i = 1; i < p.given_cnt; i++) {
		const struct given *one = &p.given[i - 1], *next = &p.given[i];

		if (one->task != next->task)
			continue;
		if (i == 1 || one[-1].task != one->task) {
			holders++;
			theirs++;
		}
		theirs++;
		kept |= !pair_waits(&p, one->task, one->at_ns, next->at_ns);
	}
	free(p.given);
	locked = x->mutex || (holders >= 2 && 2 * theirs >= p.by_tasks && (kept || p.expired));
	for (size_t i = 0; i < x->cnt; i++)
		if (x->w[i]->sort == AT_FUTEX)
			x->w[i]->sort = (uint8_t)(locked ? LOCKED : sort_open(&p, x->w[i]));
}

void waits_judge(struct facts *f)
{
	const struct futex none = { 0 };
	struct stretch **w = NULL;
	struct futex *x = NULL;
	size_t w_cnt = 0, w_cap = 0, x_cnt = 0, x_cap = 0;

	for (size_t i = 0; i < f->stretch_cnt; i++)
		if (f->stretches[i].marks & M_FUTEX)
			*vec_push(w, w_cnt, w_cap) = &f->stretches[i];
	if (w_cnt)
		qsort(w, w_cnt, sizeof(*w), by_place);
	for (size_t i = 0; i < w_cnt; i += x[x_cnt - 1].cnt)
		*vec_push(x, x_cnt, x_cap) = futex_at(w + i, w_cnt - i);
	for (size_t i = 0; i < x_cnt; i++) {
		const struct futex *twin = &none;
		if (i + 1 < x_cnt && is_twin(&x[i], &x[i + 1]))
			twin = &x[i + 1];
		else if (i && is_twin(&x[i - 1], &x[i]))
			twin = &x[i - 1];
		sort_at(f, &x[i], twin);
	}
	free(x);
	free(w);
}
