/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * deadlock - tasks that at the end wait for each other in a circle.
 *
 * A wait stands if it went on until the cut, or until a signal or the end of the process broke it
 * off and the task did nothing more. For a standing wait the trace shows the task that it is for:
 *
 * - a join: the value that the kernel compared before it let the task sleep is the thread's tid;
 * - a lock whose word holds its owner's tid, as that of a robust mutex does: the same. This is
 *   proof as well;
 * - a PI lock: its word, read at that moment; the kernel itself keeps the owner in it;
 * - a plain mutex of glibc: the owner that the C library keeps beside the word, read at that
 *   moment. This is the library's statement, not the kernel's; other memory could look alike, but
 *   then its number would have to be the tid of a living thread of the same process, and a
 *   circle would have to close on it.
 *
 * That task had the lock when the wait began. It still has the lock if nobody was woken at that
 * lock since, because a task that releases a contended lock wakes a waiter. If somebody was woken,
 * a younger standing wait at the lock shows the owner. If there is none, the woken task has the
 * lock: if another had been quicker, the woken task would wait there again; and if the woken task
 * had released the lock, it would have woken the next waiter.
 *
 * Three things cannot be known: who holds a lock that keeps no owner (Rust's and Go's mutexes,
 * semaphores, read-write locks, CPython's), who will signal a condition, and a lock in memory that
 * processes map at different addresses. In another PID namespace than the tracer's, tids do not
 * match and nothing is found. No owner was read for plain locks that were waited for before --pid
 * attached. A circle of PI locks alone does not stand: the kernel refuses to close it (EDEADLK).
 * Where records are missing nothing is said, because a wake may be among them.
 */
#include <stdlib.h>

#include "analyze/lossless.h"
#include "analyze/report.h"
#include "model/futex.h"
#include "util/alloc.h"
#include "util/minmax.h"

#define NONE SIZE_MAX

struct standing {
	const struct model_task *task;
	const struct model_span *wait;
	size_t next;		/* the standing wait of whom it waits for, or NONE */
	/* the last wake at its lock; this and handed_to: of the first wait at a lock only */
	uint64_t handed_on_ns;
	enum deadlock_evidence evidence;
	/* birth number of the task woken then; 0: none, or the task waits there again */
	uint32_t handed_to;
	enum { UNSEEN, ON_WAY, FREE, IN_CIRCLE, BEHIND } place;
};

struct all {
	const struct model *m;
	struct standing *v;	/* by lock, then by start */
	size_t cnt, cap;
	size_t *of_task;	/* by index of the task: into v, or NONE */
	const struct model_task **by_tid;
};

/* In its exit a task may still wait for the kernel or a disk, but for nothing else. */
static bool is_of_exit(const struct model_span *s)
{
	return s->state != SPAN_BLOCKED || s->reason == REASON_KERNEL ||
	       s->reason == REASON_DISK || s->reason == REASON_PAGEFAULT;
}

/* The wait of @t that stands, or NULL. */
static const struct model_span *standing_wait(const struct model_task *t)
{
	size_t i = t->span_cnt;

	while (i > 0 && is_of_exit(&t->spans[i - 1]))
		i--;
	if (i > 0) {
		const struct model_span *s = &t->spans[i - 1];
		bool cut = i == t->span_cnt && s->flags & SPAN_CUT_END;
		bool broken_off = s->flags & SPAN_WOKEN_BY_SIGNAL && !t->alive;

		if (s->flags & SPAN_FUTEX && s->start_ns == t->wait_start_ns && (cut || broken_off))
			return s;
	}
	return NULL;
}

static int key_cmp(const struct model_span *x, const struct model_span *y)
{
	if (x->mm_id != y->mm_id)
		return x->mm_id < y->mm_id ? -1 : 1;
	return (x->addr > y->addr) - (x->addr < y->addr);
}

static int standing_cmp(const void *a, const void *b)
{
	const struct standing *x = a, *y = b;
	int by_key = key_cmp(x->wait, y->wait);

	if (by_key)
		return by_key;
	if (x->wait->start_ns != y->wait->start_ns)
		return x->wait->start_ns < y->wait->start_ns ? -1 : 1;
	return (x->task->id > y->task->id) - (x->task->id < y->task->id);
}

static int tid_cmp(const void *a, const void *b)
{
	const struct model_task *x = *(const struct model_task *const *)a;
	const struct model_task *y = *(const struct model_task *const *)b;

	if (x->tid != y->tid)
		return x->tid < y->tid ? -1 : 1;
	if (x->start_ns != y->start_ns)
		return x->start_ns < y->start_ns ? -1 : 1;
	return (x->id > y->id) - (x->id < y->id);
}

static void collect(const struct model *m, struct all *all)
{
	for (size_t i = 0; i < m->task_cnt; i++) {
		const struct model_span *wait = standing_wait(&m->tasks[i]);

		if (wait)
			vec_add(all->v, all->cnt, all->cap,
				(struct standing){
					.task = &m->tasks[i], .wait = wait, .next = NONE });
	}
	if (!all->cnt)
		return;
	qsort(all->v, all->cnt, sizeof(*all->v), standing_cmp);
	all->of_task = xcalloc(m->task_cnt, sizeof(*all->of_task));
	all->by_tid = xcalloc(m->task_cnt, sizeof(*all->by_tid));
	for (size_t i = 0; i < m->task_cnt; i++) {
		all->of_task[i] = NONE;
		all->by_tid[i] = &m->tasks[i];
	}
	for (size_t i = 0; i < all->cnt; i++)
		all->of_task[all->v[i].task - m->tasks] = i;
	qsort(all->by_tid, m->task_cnt, sizeof(*all->by_tid), tid_cmp);
}

/* The first standing wait at the same lock as @key, or NULL. */
static struct standing *first_at(struct all *all, const struct model_span *key)
{
	size_t low = 0, high = all->cnt;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (key_cmp(all->v[mid].wait, key) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low < all->cnt && !key_cmp(all->v[low].wait, key) ? &all->v[low] : NULL;
}

static void note_handed_on(struct standing *first, uint64_t at_ns, uint32_t to)
{
	if (!first || at_ns < first->handed_on_ns)
		return;
	first->handed_on_ns = at_ns;
	first->handed_to = to;
}

/* A wait that a wake ended; one that nobody saw end counts as such. */
static bool was_handed_on(const struct model_span *s)
{
	return !(s->flags & (SPAN_CUT_END | SPAN_WOKEN_BY_IRQ | SPAN_WOKEN_BY_SIGNAL));
}

static void find_early_wakes(struct all *all)
{
	const struct model *m = all->m;

	for (size_t i = 0; i < m->early_wake_cnt; i++) {
		const struct model_early_wake *w = &m->early_wakes[i];
		const struct model_task *t = model_task(m, w->task_id);
		struct model_span key = { .addr = w->addr, .mm_id = t ? t->mm_id : 0 };

		note_handed_on(first_at(all, &key), w->at_ns, w->task_id);
		key.mm_id = 0;	/* it may as well be a lock that processes share */
		note_handed_on(first_at(all, &key), w->at_ns, w->task_id);
	}
}

/* The spans of one task are in order of time. */
static void find_handed_on(struct all *all, const struct model_task *t)
{
	for (size_t i = 0; i < t->span_cnt; i++) {
		const struct model_span *s = &t->spans[i];
		struct standing *first;

		if (s->state != SPAN_BLOCKED || !(s->flags & SPAN_FUTEX))
			continue;
		first = first_at(all, s);
		if (!first)
			continue;
		if (first->handed_to == t->id && s->start_ns >= first->handed_on_ns)
			first->handed_to = 0;
		if (was_handed_on(s))
			note_handed_on(first, s->end_ns, t->id);
	}
}

/* The last task given this tid when @wait began, if it is of the lock's memory; or NULL. */
static const struct model_task *task_of_tid(const struct all *all, uint32_t tid,
					    const struct model_span *wait)
{
	size_t low = 0, high = all->m->task_cnt;
	const struct model_task *t;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		t = all->by_tid[mid];
		if (t->tid < tid || (t->tid == tid && t->start_ns <= wait->start_ns))
			low = mid + 1;
		else
			high = mid;
	}
	t = low ? all->by_tid[low - 1] : NULL;
	if (!t || t->tid != tid || (wait->mm_id && t->mm_id != wait->mm_id))
		return NULL;
	return t;
}

static enum deadlock_evidence lock_evidence(const struct standing *s)
{
	const struct model_span *wait = s->wait;

	if (wait->futex_op == FUTEX_OP_LOCK_PI || wait->futex_op == FUTEX_OP_LOCK_PI2)
		return EVIDENCE_PI;
	return s->task->wait_val & FUTEX_VAL_WAITERS ? EVIDENCE_VALUE : EVIDENCE_LIBRARY;
}

/*
 * Whom @s waits for, NULL if that is not known.
 * @first: of the waits at its lock
 * @young: the youngest of them that came after the last wake; NULL: none
 */
static const struct model_task *owner_of(const struct all *all, struct standing *s,
					 const struct standing *first,
					 const struct standing *young)
{
	const struct model_span *wait = s->wait;
	const struct model_task *t;

	if (wait->reason != REASON_LOCK) {
		s->evidence = EVIDENCE_JOIN;
		t = task_of_tid(all, s->task->wait_val, wait);
		return t && t->tgid == s->task->tgid ? t : NULL;
	}
	if (!s->task->wait_owner_tid)
		return NULL;
	if (wait->start_ns > first->handed_on_ns)
		young = s;
	/* An address that processes share may be that of two locks, one of each. */
	else if (young && !wait->mm_id)
		return NULL;
	if (young) {
		s->evidence = lock_evidence(young);
		return task_of_tid(all, young->task->wait_owner_tid, young->wait);
	}
	s->evidence = EVIDENCE_WAKE;
	t = model_task(all->m, first->handed_to);
	return t && t->tgid == s->task->tgid ? t : NULL;
}

static struct deadlock_wait wait_for(const struct all *all, const struct standing *s,
				     const struct model_task *owner)
{
	return (struct deadlock_wait){
		.task_id = s->task->id, .owner_id = owner->id,
		.addr = s->wait->addr, .mm_id = s->wait->mm_id,
		.symbol = model_symbol(all->m, s->wait->mm_id, s->wait->addr),
		.start_ns = s->wait->start_ns, .evidence = s->evidence,
	};
}

/* The @cnt standing waits at one lock. */
static void link_lock(struct all *all, struct standing *v, size_t cnt, struct report_deadlock *out)
{
	const struct standing *young = NULL;

	for (size_t i = 0; i < cnt; i++)
		if (v[i].task->wait_owner_tid && v[i].wait->start_ns > v[0].handed_on_ns)
			young = &v[i];
	for (size_t i = 0; i < cnt; i++) {
		const struct model_task *t = owner_of(all, &v[i], &v[0], young);

		if (!t)
			continue;
		v[i].next = all->of_task[t - all->m->tasks];
		vec_add(out->links, out->link_cnt, out->link_cap, wait_for(all, &v[i], t));
	}
}

static void link_all(struct all *all, struct report_deadlock *out)
{
	size_t end;

	for (size_t first = 0; first < all->cnt; first = end) {
		for (end = first + 1; end < all->cnt; end++)
			if (key_cmp(all->v[end].wait, all->v[first].wait))
				break;
		link_lock(all, &all->v[first], end - first, out);
	}
}

/* True if all waits of the circle that @first is on stood at one instant; and from when on. */
static bool stood_at_once(const struct all *all, size_t first, uint64_t *since_ns)
{
	uint64_t start_ns = 0, end_ns = UINT64_MAX;
	size_t i = first;

	do {
		start_ns = max_u64(start_ns, all->v[i].wait->start_ns);
		end_ns = min_u64(end_ns, all->v[i].wait->end_ns);
		i = all->v[i].next;
	} while (i != first);
	*since_ns = start_ns;
	return start_ns < end_ns;
}

/* The circle that @first is on, from its eldest task on; of several, that of the eldest is kept. */
static void keep_circle(const struct all *all, size_t first, uint64_t since_ns,
			struct report_deadlock *out)
{
	size_t eldest = first, i;

	for (i = all->v[first].next; i != first; i = all->v[i].next)
		if (all->v[i].task->id < all->v[eldest].task->id)
			eldest = i;
	out->circles++;
	if (out->present && out->waits[0].task_id < all->v[eldest].task->id)
		return;
	out->present = true;
	out->since_ns = since_ns;
	out->wait_cnt = 0;
	i = eldest;
	do {
		const struct standing *s = &all->v[i];

		vec_add(out->waits, out->wait_cnt, out->wait_cap,
			wait_for(all, s, all->v[s->next].task));
		i = s->next;
	} while (i != eldest);
}

/*
 * Each wait is for at most one task: who is met again on the way from one is on a circle, and who
 * comes before it waits behind. @way: room for all.
 */
static void follow(struct all *all, size_t from, size_t *way, struct report_deadlock *out)
{
	size_t cnt = 0, at = from;
	uint64_t since_ns;
	bool stuck;

	for (; at != NONE && all->v[at].place == UNSEEN; at = all->v[at].next) {
		all->v[at].place = ON_WAY;
		way[cnt++] = at;
	}
	if (at != NONE && all->v[at].place == ON_WAY && stood_at_once(all, at, &since_ns)) {
		keep_circle(all, at, since_ns, out);
		for (; all->v[at].place == ON_WAY; at = all->v[at].next)
			all->v[at].place = IN_CIRCLE;
	}
	stuck = at != NONE && (all->v[at].place == IN_CIRCLE || all->v[at].place == BEHIND);
	for (size_t i = 0; i < cnt; i++) {
		if (all->v[way[i]].place != ON_WAY)
			continue;
		all->v[way[i]].place = stuck ? BEHIND : FREE;
		out->behind_cnt += stuck;
	}
}

static void find_circles(struct all *all, struct report_deadlock *out)
{
	size_t *way = xcalloc(all->cnt, sizeof(*way));

	for (size_t i = 0; i < all->cnt; i++)
		if (all->v[i].place == UNSEEN)
			follow(all, i, way, out);
	free(way);
}

static int link_cmp(const void *a, const void *b)
{
	const struct deadlock_wait *x = a, *y = b;

	return (x->task_id > y->task_id) - (x->task_id < y->task_id);
}

static void deadlock_run(const struct model *m, struct report *r)
{
	struct all all = { .m = m };

	r->deadlock.known = model_is_lossless(m);
	if (!r->deadlock.known)
		return;
	collect(m, &all);
	if (all.cnt) {
		find_early_wakes(&all);
		for (size_t i = 0; i < m->task_cnt; i++)
			find_handed_on(&all, &m->tasks[i]);
		link_all(&all, &r->deadlock);
		if (r->deadlock.link_cnt)
			qsort(r->deadlock.links, r->deadlock.link_cnt, sizeof(*r->deadlock.links),
			      link_cmp);
		find_circles(&all, &r->deadlock);
	}
	free(all.v);
	free(all.of_task);
	free(all.by_tid);
}

const struct analysis analysis_deadlock = { .name = "deadlock", .run = deadlock_run };
