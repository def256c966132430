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
#define TYPE_PIPE 1
#define TYPE_SOCKET 12
#define FUTEX_PRIVATE 128u
#define FUTEX_WAITERS 0x80000000u
#define FUTEX_CONTENDED 2

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

static void sort_futex(const struct sleep *sleep, enum call call, struct stretch *s)
{
	uint32_t value = (uint32_t)sleep->arg2, op = OP_WAIT;

	if (sleep->flags & OUT_COMPAT) {	/* where it is is not known */
		s->sort = value == FUTEX_CONTENDED || value & FUTEX_WAITERS ? LOCKED : IDLES;
		return;
	}
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
		s->loop = LOOP_POLL;
		break;
	case CALL_EPOLL:
		s->loop = LOOP_EPOLL;
		break;
	case CALL_URING:
		s->sort = WORKS;
		s->loop = LOOP_URING;
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

void waits_sort(const struct sleep *sleep, struct stretch *s)
{
	enum call call = call_of(sleep);

	s->sort = IDLES;
	if (sleep->state & STATE_STOPPED_OR_TRACED) {
		s->sort = WORKS;
	} else if (sleep->state & STATE_UNINTERRUPTIBLE) {
		s->sort = !(sleep->flags & OUT_IOWAIT) && waits_for_vfork(sleep, call) ? ABSENT : WORKS;
	} else if (!(sleep->state & STATE_INTERRUPTIBLE)) {
		return;
	} else if (sleep->flags & OUT_WORKER) {
		s->sort = WORKS;
		s->loop = LOOP_URING;
	} else if (sleep->call == NO_CALL && !(sleep->flags & OUT_EXITING)) {
		s->sort = WORKS;
	} else {
		sort_call(sleep, call, s);
	}
}

void waits_settle(struct stretch *s, bool thread)
{
	bool by_task = s->marks & M_BY_TASK;

	if (!(s->marks & M_FUTEX))
		return;
	if (s->marks & M_BY_EXIT)
		s->sort = ABSENT;
	else if (s->op == OP_LOCK_PI || s->op == OP_LOCK_PI2)
		s->sort = LOCKED;
	else if (s->op == OP_WAIT_REQUEUE_PI)
		s->sort = IDLES;
	else if (s->value & FUTEX_WAITERS)
		s->sort = LOCKED;
	else
		s->sort = thread && !by_task ? ABSENT : AT_FUTEX;
}

/* ---- all waits at one futex ---- */

static int by_place(const void *a, const void *b)
{
	const struct stretch *x = *(struct stretch *const *)a, *y = *(struct stretch *const *)b;

	if (x->mm != y->mm)
		return x->mm < y->mm ? -1 : 1;
	if (x->addr != y->addr)
		return x->addr < y->addr ? -1 : 1;
	return x->task < y->task ? -1 : x->task > y->task;
}

/* The waits at one address, by task. */
struct futex {
	struct stretch **w;
	size_t cnt;
	bool mutex;		/* those that one wait does not tell are a three-state mutex's */
	enum sort sort;
};

static struct futex futex_at(struct stretch **w, size_t cnt)
{
	struct futex x = { .w = w };
	size_t open = 0, contended = 0;

	for (; x.cnt < cnt && w[x.cnt]->mm == w[0]->mm && w[x.cnt]->addr == w[0]->addr; x.cnt++) {
		open += w[x.cnt]->sort == AT_FUTEX;
		contended += w[x.cnt]->sort == AT_FUTEX && w[x.cnt]->value == FUTEX_CONTENDED;
	}
	x.mutex = open && 2 * contended >= open;
	return x;
}

static bool is_twin(const struct futex *x, const struct futex *y)
{
	return x->w[0]->mm == y->w[0]->mm && x->w[0]->addr / 8 == y->w[0]->addr / 8 && !x->mutex &&
	       !y->mutex;
}

static bool has_waiter(const struct futex *x, uint32_t task)
{
	size_t low = 0, high = x->cnt;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (x->w[mid]->task < task)
			low = mid + 1;
		else
			high = mid;
	}
	return low < x->cnt && x->w[low]->task == task;
}

/* Of the wakes by tasks that end a wait at @at: by one that waits at @x or its twin. */
static void count_wakes(const struct facts *f, const struct futex *at, const struct futex *x,
			const struct futex *twin, uint64_t *wakes, uint64_t *handed)
{
	for (size_t i = 0; i < at->cnt; i++) {
		const struct stretch *s = at->w[i];
		uint32_t waker;

		if (!(s->marks & M_BY_TASK) || s->marks & M_BY_EXIT)
			continue;
		++*wakes;
		waker = s->waker ? map_get(&f->by_id, s->waker, 0) : MAP_NONE;
		*handed += waker != MAP_NONE &&
			   (has_waiter(x, waker) || (twin && has_waiter(twin, waker)));
	}
}

static enum sort sort_of(const struct facts *f, const struct futex *x, const struct futex *twin)
{
	uint32_t first = x->w[0]->task;
	bool several = x->w[x->cnt - 1]->task != first;
	uint64_t wakes = 0, handed = 0;

	if (x->mutex)
		return LOCKED;
	count_wakes(f, x, x, twin, &wakes, &handed);
	if (twin) {
		several |= twin->w[0]->task != first || twin->w[twin->cnt - 1]->task != first;
		count_wakes(f, twin, x, twin, &wakes, &handed);
	}
	return several && wakes && 2 * handed >= wakes ? LOCKED : IDLES;
}

void waits_judge(struct facts *f)
{
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
		const struct futex *twin = NULL;

		if (i + 1 < x_cnt && is_twin(&x[i], &x[i + 1]))
			twin = &x[i + 1];
		else if (i && is_twin(&x[i - 1], &x[i]))
			twin = &x[i - 1];
		x[i].sort = sort_of(f, &x[i], twin);
	}
	for (size_t i = 0; i < x_cnt; i++)
		for (size_t k = 0; k < x[i].cnt; k++)
			if (x[i].w[k]->sort == AT_FUTEX)
				x[i].w[k]->sort = x[i].sort;
	free(x);
	free(w);
}
