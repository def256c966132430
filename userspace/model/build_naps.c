/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * build_naps - tasks that look at the clock again and again, and have nothing else to do meanwhile.
 *
 * A nap is a sleep of a set time that was had out. Naps follow each other if no other wait is
 * between them. Who naps so may simulate work, or pace it, and goes on to something else in the
 * end. Two kinds do not: a task that does so until its process ends (Go's monitor thread, a daemon
 * that watches), and one that does so until its child has ended (while p.poll() is None: sleep).
 * Their naps tick: they are no work. What such a task runs in between is. Of the first kind a
 * process has one: several that nap until it ends are what it is made of.
 */
#include <stdlib.h>

#include "model/build.h"
#include "util/alloc.h"

#define GONE_NS 1000000

struct death {
	uint32_t parent_id;
	uint64_t at_ns;
};

struct naps {
	struct death *deaths;		/* by parent and time */
	size_t death_cnt, death_cap;
	struct idmap monitor_by_tgid;	/* its id; 0: there are several */
};

static int death_cmp(const void *a, const void *b)
{
	const struct death *x = a, *y = b;

	if (x->parent_id != y->parent_id)
		return x->parent_id < y->parent_id ? -1 : 1;
	return (x->at_ns > y->at_ns) - (x->at_ns < y->at_ns);
}

/* Whether a child of this task ended in (@after_ns, @until_ns]. */
static bool child_ended(const struct naps *n, uint32_t id, uint64_t after_ns, uint64_t until_ns)
{
	const struct death key = { id, after_ns };
	size_t low = 0, high = n->death_cnt;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (death_cmp(&n->deaths[mid], &key) <= 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low < n->death_cnt && n->deaths[low].parent_id == id &&
	       n->deaths[low].at_ns <= until_ns;
}

static bool is_nap(const struct model_span *s)
{
	return s->state == SPAN_BLOCKED && s->reason == REASON_SLEEP && !(s->flags & SPAN_FUTEX) &&
	       s->flags & SPAN_WOKEN_BY_IRQ;
}

/* When the task looks what has become of things after this nap: it may have to wait for a CPU. */
static uint64_t looks_at(const struct model_task *t, const struct model_span *nap)
{
	const struct model_span *s = nap + 1, *end = t->spans + t->span_cnt;

	while (s < end && s->state == SPAN_READY)
		s++;
	return s < end && s->state == SPAN_RUNNING ? s->start_ns : nap->end_ns;
}

/* Naps that follow each other: the first, and the last two. */
struct chain {
	/* before: NULL if there is one; last: if there is none */
	struct model_span *first, *before, *last;
};

/*
 * A child that is gone for wait(2) has its last switch a little later. So it ended after the task
 * last looked in vain, and not long after it looked again.
 */
static void chain_end(const struct naps *n, const struct model_task *t, struct chain *c,
		      bool with_process)
{
	if (c->before && (with_process || child_ended(n, t->id, c->before->end_ns,
						      looks_at(t, c->last) + GONE_NS)))
		for (struct model_span *s = c->first; s <= c->last; s++)
			s->ticks = is_nap(s);
	*c = (struct chain){ 0 };
}

/* It naps again and again, and its last wait ended as its process did. */
static bool is_monitor(const struct model_task *t)
{
	bool napped = false, again = false, with_process = false;

	for (size_t i = 0; i < t->span_cnt; i++) {
		const struct model_span *s = &t->spans[i];

		if (s->state != SPAN_BLOCKED)
			continue;
		again |= napped && is_nap(s);
		napped = is_nap(s);
		with_process = s->with_process;
	}
	return again && with_process;
}

static void note_monitor(struct naps *n, const struct model_task *t)
{
	uint32_t *id;

	if (!is_monitor(t))
		return;
	id = idmap_put(&n->monitor_by_tgid, t->tgid, 0, t->id);
	if (*id != t->id)
		*id = 0;
}

static void task_naps(const struct naps *n, const struct model_task *t)
{
	const uint32_t *monitor = idmap_get(&n->monitor_by_tgid, t->tgid, 0);
	bool with_process = monitor && *monitor == t->id;
	struct chain c = { 0 };

	for (size_t i = 0; i < t->span_cnt; i++) {
		struct model_span *s = &t->spans[i];

		if (s->state != SPAN_BLOCKED)
			continue;
		if (is_nap(s))
			c = (struct chain){ c.last ? c.first : s, c.last, s };
		else
			chain_end(n, t, &c, with_process);
	}
	chain_end(n, t, &c, with_process);
}

void naps_finish(struct model_builder *b)
{
	struct naps n = { 0 };

	for (size_t i = 0; i < b->task_cnt; i++)
		if (b->tasks[i].life == LIFE_DEAD && b->tasks[i].t.parent_id &&
		    b->tasks[i].death_ns <= b->m.end_ns)
			vec_add(n.deaths, n.death_cnt, n.death_cap, (struct death){
				b->tasks[i].t.parent_id, b->tasks[i].death_ns
			});
	if (n.death_cnt)
		qsort(n.deaths, n.death_cnt, sizeof(*n.deaths), death_cmp);
	for (size_t i = 0; i < b->m.task_cnt; i++)
		note_monitor(&n, &b->m.tasks[i]);
	for (size_t i = 0; i < b->m.task_cnt; i++)
		task_naps(&n, &b->m.tasks[i]);
	idmap_release(&n.monitor_by_tgid);
	free(n.deaths);
}
