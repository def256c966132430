/* SPDX-License-Identifier: GPL-2.0-only */
/* waits - what each wait is, what ended it, and which futexes are locks (sections 5 and 6). */
#include "verify/facts.h"

/* ---- section 5: the two tables ---- */

enum call {
	OTHER, DESCRIPTOR, SOCKET, SLEEP, DISK, URING, QUEUE, FILE_LOCK, POLL, EPOLL, CHILD, VFORK,
	CLONE, CLONE3, FUTEX, FUTEX_WAITV, FUTEX_WAIT, CALL_CNT
};

/* Numbers of x86-64, and of i386; -1 ends them. */
static const struct {
	uint8_t sort;
	int16_t numbers[2][16];
} calls[CALL_CNT] = {
	[OTHER] = { IDLE, { { -1 }, { -1 } } },
	[DESCRIPTOR] = { IDLE,
			 { { 0, 1, 17, 18, 19, 20, 40, 275, 276, 278, 295, 296, 327, 328, -1 },
			   { -1 } } },
	[SOCKET] = { WORKING, { { 42, 44, 45, 46, 47, 299, 307, -1 },
				{ 102, 337, 345, 362, 369, 370, 371, 372, 417, -1 } } },
	[SLEEP] = { WORKING, { { 35, 230, -1 }, { 162, 267, 407, -1 } } },
	[DISK] = { WORKING, { { 26, 74, 75, 162, 208, 277, 306, 333, -1 },
			      { 36, 118, 144, 148, 247, 344, 385, 416, -1 } } },
	[URING] = { WORKING, { { 426, -1 }, { 426, -1 } } },
	[QUEUE] = { WORKING, { { 69, 70, 242, 243, -1 }, { 279, 280, 400, 401, 418, 419, -1 } } },
	[FILE_LOCK] = { QUEUED, { { 72, 73, -1 }, { 55, 143, 221, -1 } } },
	[POLL] = { IDLE, { { 7, 23, 270, 271, -1 }, { 82, 142, 168, 308, 309, 413, 414, -1 } } },
	[EPOLL] = { IDLE, { { 232, 281, 441, -1 }, { 256, 319, 441, -1 } } },
	[CHILD] = { ABSENT, { { 61, 247, -1 }, { 7, 114, 284, -1 } } },
	[VFORK] = { ABSENT, { { 58, -1 }, { 190, -1 } } },
	[CLONE] = { IDLE, { { 56, -1 }, { -1 } } },
	[CLONE3] = { IDLE, { { 435, -1 }, { 435, -1 } } },
	[FUTEX] = { OPEN, { { 202, -1 }, { 240, 422, -1 } } },
	[FUTEX_WAITV] = { OPEN, { { 449, -1 }, { 449, -1 } } },
	[FUTEX_WAIT] = { OPEN, { { 455, -1 }, { 455, -1 } } },
};

static enum call call_of(const struct event *ev)
{
	int compat = !!(ev->f[F_FLAGS] & OUT_COMPAT);

	for (int call = 0; call < CALL_CNT; call++)
		for (const int16_t *n = calls[call].numbers[compat]; *n >= 0; n++)
			if (*n == (int64_t)ev->f[F_SYSCALL])
				return (enum call)call;
	return OTHER;
}

static uint64_t futex_op(const struct event *ev, enum call call)
{
	return call == FUTEX_WAIT ? 0 : call == FUTEX_WAITV ? 32 : ev->f[F_ARG1] & 0x7f;
}

/* By the second table, and what is said of futex calls. */
static enum sort sort_of_call(const struct event *ev, enum call call)
{
	uint64_t fd_type = ev->f[F_FD_TYPE], nr = ev->f[F_SYSCALL], op = futex_op(ev, call);
	bool compat = ev->f[F_FLAGS] & OUT_COMPAT;

	if (call == DESCRIPTOR)
		return fd_type == 1 || fd_type == 12 ? WORKING : IDLE;
	if (call == POLL && !compat &&
	    !(uint32_t)(nr == 7 || nr == 271 ? ev->f[F_ARG1] : ev->f[F_ARG0]))
		return WORKING;
	if (call >= FUTEX &&
	    (compat || (op != 0 && op != 6 && op != 9 && op != 11 && op != 13 && op != 32)))
		return IDLE;
	return (enum sort)calls[call].sort;
}

/* The first row that fits. @by_call: it is one of the last three */
static enum sort sort_of(const struct event *ev, enum call call, bool *by_call)
{
	uint64_t state = ev->f[F_STATE], flags = ev->head.kind == KIND_OUT ? ev->f[F_FLAGS] : 0;
	bool in_call = (int64_t)ev->f[F_SYSCALL] != -1, freezable = state & 0x2000;

	*by_call = false;
	if (state & (4 | 8 | 0x8000))
		return WORKING;
	if (state & (1 | 2) && flags & OUT_WORKER && !in_call && ev->f[F_FD_TYPE] == 22)
		return QUEUED;
	if (state & 2 && flags & OUT_IOWAIT)
		return WORKING;
	if (state & 2 &&
	    (call == VFORK || (call == CLONE && (ev->f[F_ARG0] & 0x4000 || freezable)) ||
			  (call == CLONE3 && freezable)))
		return ABSENT;
	if (state & 2)
		return WORKING;
	if (!(state & 1))
		return IDLE;
	if (flags & OUT_WORKER || (!in_call && !(flags & OUT_EXITING)))
		return WORKING;
	*by_call = true;
	return sort_of_call(ev, call);
}

/* Section 7: a poll for one descriptor without a time limit. */
static bool is_observed_poll(const struct event *ev)
{
	if (ev->f[F_FLAGS] & OUT_COMPAT || (uint32_t)ev->f[F_ARG1] != 1)
		return false;
	return ev->f[F_SYSCALL] == 7 ? (int32_t)ev->f[F_ARG2] < 0 :
	       ev->f[F_SYSCALL] == 271 && !ev->f[F_ARG2];
}

/* A switch_out, or a task_seed, begins a wait. */
void wait_begin(struct facts *f, struct task *t, const struct event *ev)
{
	bool by_call, has_key = !(ev->f[F_FLAGS] & OUT_COMPAT);
	enum call call = call_of(ev);
	struct stretch *w = &t->now;

	w->sort = (uint8_t)sort_of(ev, call, &by_call);
	w->waker = w->futex = w->loop = NONE;
	w->sleeps = by_call && (call == SLEEP || (call == POLL && w->sort == WORKING));
	if (w->sort == OPEN) {
		uint32_t memory = ev->f[F_ARG1] & 0x80 ? t->memory : NONE;

		w->futex = map_number(&f->place_of, ev->f[F_ARG0], memory);
		if (w->futex == f->places.cnt)
			*PUSH(f->places) = (struct place){ .addr = ev->f[F_ARG0],
							   .memory = memory };
		w->futex_op = (uint8_t)futex_op(ev, call);
		w->futex_private = ev->f[F_ARG1] & 0x80;
		w->futex_value = (uint32_t)ev->f[F_ARG2];
		w->futex_owner = (uint32_t)ev->f[F_OWNER];
		w->futex_no_limit = ev->f[F_FD_FLAGS] & 2;
	} else if (by_call &&
		   (call == URING || call == EPOLL || (call == POLL && w->sort == IDLE))) {
		w->loop = map_number(&f->loop_of, t->id, (uint64_t)call << 32 |
				     (has_key && call != POLL ? (uint32_t)ev->f[F_ARG0] : 0));
		w->marks |= call == POLL && is_observed_poll(ev) ? OBSERVED : 0;
		w->in_epoll = call == EPOLL;
	}
}

/* ---- section 5: what ends a wait ---- */

/* The parents of @t lead from it to the task at @to. */
static bool comes_from(const struct facts *f, const struct task *t, uint32_t to)
{
	const struct task *all = f->tasks.v;

	while (t->depth > all[to].depth)
		t = &all[all[t->jump].depth >= all[to].depth ? t->jump : t->parent];
	return t == &all[to];
}

static bool are_kin(const struct facts *f, const struct task *a, const struct task *b)
{
	if (a == b)
		return false;
	return comes_from(f, a, place_of_task(f, b)) || comes_from(f, b, place_of_task(f, a)) ||
	       (a->leader != b->leader &&
		(comes_from(f, a, b->leader) || comes_from(f, b, a->leader)));
}

/* The first waking of a wait. */
void wait_woken(struct facts *f, struct task *t, const struct event *ev)
{
	uint64_t flags = ev->f[F_FLAGS], call = ev->f[F_WAKER_SYSCALL];
	struct stretch *w = &t->now;

	w->ender = flags & WAKE_INTERRUPT ? BY_INTERRUPT : BY_NOBODY_KNOWN;
	if (flags & WAKE_INTERRUPT || (flags & WAKE_UNKNOWN && (w->futex == NONE || call != 202 ||
				      ev->f[F_WAKER_ARG0] != f->places.v[w->futex].addr)))
		return;
	w->waker = map_get(&f->by_id, ev->f[F_WAKER_ID], 0);
	w->ender = flags & WAKE_EXITING ? BY_EXITING :
		   ev->f[F_WAKER_TID] ? BY_TASK : BY_NOBODY_KNOWN;
	w->marks |= (ev->f[F_WAKER_ID] ? BY_WORKLOAD : 0) | (flags & WAKE_MANY ? BY_MANY : 0);
	if (w->waker == NONE)
		return;
	w->with_process = t->leader == f->tasks.v[w->waker].leader &&
			  (call == 231 || call == 59 || call == 322);
	if (w->with_process || are_kin(f, t, &f->tasks.v[w->waker]))
		w->marks |= BY_KIN;
}

/* ---- section 6: a wait ends ---- */

static bool names_owner(const struct facts *f, const struct task *t)
{
	const struct stretch *w = &t->now;
	uint32_t tid = w->futex_value & 0x80000000 ? w->futex_value & 0x3fffffff : w->futex_owner;
	uint32_t had = tid ? map_get(&f->by_tid, tid, 0) : NONE;
	const struct task *owner = had == NONE ? t : &f->tasks.v[had];

	return owner != t && (owner->death_ns == NEVER || owner->death_ns >= w->start_ns) &&
	       (!w->futex_private || owner->tgid == t->tgid);
}

/* It is about to become a stretch. */
void wait_end(struct facts *f, struct task *t)
{
	struct stretch *w = &t->now;
	bool owned;

	if (w->loop != NONE && w->in_epoll) {
		t->epoll_wait = (uint32_t)f->stretches.cnt;
		t->epoll_stage = 1;
	}
	if (w->sort != OPEN)
		return;
	owned = names_owner(f, t);
	f->places.v[w->futex].mutex |= owned;
	if (w->futex_op == 6 || w->futex_op == 13)
		w->sort = LOCKED;
	else if (w->futex_op == 11)
		w->sort = IDLE;
	else if (owned)
		w->sort = LOCKED;
	else if (w->ender == BY_EXITING ||
		 (w->ender != BY_TASK && map_get(&f->threads, t->tgid, w->futex_value) != NONE))
		w->sort = ABSENT;
}

/* ---- section 6: what all waits at a place tell ---- */

/* A wait that begins, or a hand-over; in this order they are sorted. */
struct act {
	uint64_t task, ns, hands_over, wait;
};

/* Waits by their place. */
struct at {
	uint64_t place, wait;
};

/* What is known of a place and its twin. */
struct signs {
	VEC(struct act) acts;
	uint64_t holders, hand_overs, wakes;	/* hand-overs: by holders */
	bool sign;	/* an interrupt ended a wait, or two hand-overs without a wait between */
};

/* All that one task did there, in order. */
static void signs_of_task(const struct act *acts, size_t cnt, struct signs *s)
{
	uint64_t hand_overs = 0, last_ns = 0, wait_ns = 0;
	bool sign = false, waited = false;

	for (size_t i = 0; i < cnt; i++) {
		if (!acts[i].hands_over) {
			wait_ns = acts[i].ns + 1;	/* so that 0 is before all of them */
			waited = true;
			continue;
		}
		sign |= hand_overs && wait_ns <= last_ns;
		last_ns = acts[i].ns;
		hand_overs++;
	}
	if (!waited || hand_overs < 2)
		return;
	s->holders++;
	s->hand_overs += hand_overs;
	s->sign |= sign;
}

static void signs_at(const struct facts *f, const struct at *at, size_t first, size_t end,
		     struct signs *s)
{
	for (size_t i = first; i < end; i++) {
		const struct stretch *w = &f->stretches.v[at[i].wait];

		ADD(s->acts, (struct act){ w->task, w->start_ns, false, at[i].wait });
		s->sign |= w->ender == BY_INTERRUPT;
		s->wakes += w->ender == BY_TASK;
		if (w->ender == BY_TASK && w->waker != NONE && !(w->marks & BY_MANY))
			ADD(s->acts, (struct act){ w->waker, w->end_ns, true, at[i].wait });
	}
}

static bool is_lock(struct signs *s)
{
	size_t end;

	sort_words(s->acts.v, s->acts.cnt, 4);
	for (size_t i = 0; i < s->acts.cnt; i = end) {
		for (end = i; end < s->acts.cnt && s->acts.v[end].task == s->acts.v[i].task;)
			end++;
		signs_of_task(&s->acts.v[i], end - i, s);
	}
	return s->holders >= 2 && 2 * s->hand_overs >= s->wakes && s->sign;
}

static bool is_limited(const struct facts *f, const struct act *act)
{
	return !act->hands_over && !f->stretches.v[act->wait].futex_no_limit;
}

/* Of one task's limited waits there: how they ended. Those that count, without more words. */
struct sleeps {
	uint64_t short_ns, long_ns;	/* that an interrupt ended; NEVER, 0: none */
	size_t by_interrupt, by_task, glimpses;
	bool slept;			/* an interrupt ended the last one */
	bool glimpse_last;		/* a glimpse came after it */
};

static void measure_sleeps(const struct facts *f, const struct act *acts, size_t cnt,
			   struct sleeps *s)
{
	*s = (struct sleeps){ .short_ns = NEVER };
	for (size_t i = 0; i < cnt; i++) {
		const struct stretch *w = &f->stretches.v[acts[i].wait];

		if (is_limited(f, &acts[i]) && w->ender == BY_INTERRUPT) {
			s->short_ns = min_u64(s->short_ns, w->end_ns - w->start_ns);
			s->long_ns = max_u64(s->long_ns, w->end_ns - w->start_ns);
		}
	}
}

static void count_sleep(struct sleeps *s, const struct stretch *w)
{
	if (w->ender == BY_UNSEEN)
		return;
	if (w->ender == BY_TASK && w->end_ns - w->start_ns < s->short_ns / 100) {
		s->glimpses++;
		s->glimpse_last = true;
		return;
	}
	s->glimpse_last = false;
	s->slept = w->ender == BY_INTERRUPT;
	s->by_interrupt += s->slept;
	s->by_task += w->ender == BY_TASK;
}

/* Did the waits of one task with a time limit there reach it, the last one and most of them? */
static void tell_sleeps_of_task(struct facts *f, uint64_t place, const struct act *acts, size_t cnt)
{
	struct sleeps s;
	bool doubtful;

	measure_sleeps(f, acts, cnt, &s);
	if (s.short_ns == NEVER)
		return;
	for (size_t i = 0; i < cnt; i++)
		if (is_limited(f, &acts[i]))
			count_sleep(&s, &f->stretches.v[acts[i].wait]);
	doubtful = s.glimpses == 1 && s.glimpse_last && !s.by_task &&
		   s.long_ns - s.short_ns < s.short_ns / 20;
	for (size_t i = 0; i < cnt && s.slept && s.by_interrupt >= s.by_task; i++) {
		struct stretch *w = &f->stretches.v[acts[i].wait];

		if (!is_limited(f, &acts[i]) || w->futex != place || w->sort != OPEN ||
		    w->ender != BY_INTERRUPT)
			continue;
		if (doubtful)
			w->doubtful = true;
		else
			w->sort = WORKING;
	}
}

static void tell_sleeps(struct facts *f, uint64_t place, const struct signs *s)
{
	for (size_t i = 0, end; i < s->acts.cnt; i = end) {
		for (end = i; end < s->acts.cnt && s->acts.v[end].task == s->acts.v[i].task;)
			end++;
		tell_sleeps_of_task(f, place, &s->acts.v[i], end - i);
	}
}

static bool are_twins(const struct place *a, const struct place *b)
{
	return a->memory == b->memory && a->addr / 8 == b->addr / 8 && !a->mutex && !b->mutex;
}

/* Every place with its twin: the next one, or the one before. @first: of its waits in @at */
static void tell_places(struct facts *f, const struct at *at, const size_t *first)
{
	struct { uint64_t memory, addr, place; } *order = xcalloc(f->places.cnt + 1,
								  sizeof(*order));
	struct signs s = { 0 };

	for (size_t i = 0; i < f->places.cnt; i++) {
		order[i].memory = f->places.v[i].memory;
		order[i].addr = f->places.v[i].addr;
		order[i].place = i;
	}
	sort_words(order, f->places.cnt, 3);
	for (size_t i = 0; i < f->places.cnt; i++) {
		struct place *p = &f->places.v[order[i].place];
		size_t twin = NONE;

		if (i + 1 < f->places.cnt && are_twins(p, &f->places.v[order[i + 1].place]))
			twin = order[i + 1].place;
		else if (i && are_twins(p, &f->places.v[order[i - 1].place]))
			twin = order[i - 1].place;
		s.holders = s.hand_overs = s.wakes = s.acts.cnt = 0;
		s.sign = false;
		signs_at(f, at, first[order[i].place], first[order[i].place + 1], &s);
		if (twin != NONE)
			signs_at(f, at, first[twin], first[twin + 1], &s);
		p->locks = p->mutex || is_lock(&s);
		if (!p->locks)
			tell_sleeps(f, order[i].place, &s);
	}
	free(s.acts.v);
	free(order);
}

/* When all is read: what the waits are that are open. */
void waits_settle(struct facts *f)
{
	size_t *first = xcalloc(f->places.cnt + 2, sizeof(*first));
	VEC(struct at) at = { 0 };

	for (size_t i = 0; i < f->stretches.cnt; i++)
		if (f->stretches.v[i].what == WAIT && f->stretches.v[i].futex != NONE)
			ADD(at, (struct at){ f->stretches.v[i].futex, i });
	sort_words(at.v, at.cnt, 2);
	for (size_t i = 0; i < at.cnt; i++)
		first[at.v[i].place + 1] = i + 1;
	for (size_t p = 0; p < f->places.cnt; p++)	/* a place without waits that are left */
		first[p + 1] = max_u64(first[p], first[p + 1]);
	tell_places(f, at.v, first);
	for (size_t i = 0; i < at.cnt; i++) {
		struct stretch *w = &f->stretches.v[at.v[i].wait];

		if (w->sort == OPEN)
			w->sort = f->places.v[w->futex].locks ? LOCKED : IDLE;
	}
	free(first);
	free(at.v);
}
