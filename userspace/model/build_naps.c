/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * build_naps - tasks that look at the clock again and again, and have nothing else to do meanwhile.
 *
 * A nap is a sleep of a set time that was had out. Naps follow each other if no other wait is between them, and
 * it runs in between for less time than the former took, and for less than 5 % of that or than 100 us: Go's
 * monitor begins with naps of 20 us. What naps so may simulate work, or pace it, and then it goes on to
 * something else in the end. Two kinds do not: a task that does so until its process ends (Go's monitor thread, a
 * daemon that watches), and one that does so until its child has ended (while p.poll() is None: sleep). Their
 * naps tick.
 */
#include <stdlib.h>

#include "model/build.h"
#include "util/alloc.h"

#define LOOK_NS 100000

struct death {
	uint32_t parent_id;
	uint64_t at_ns;
};

struct naps {
	struct death *deaths;		/* by parent and time */
	size_t death_cnt, death_cap;
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

/* It naps, runs for so long, and naps again. */
static bool goes_on(const struct model_span *nap, uint64_t run_ns)
{
	uint64_t nap_ns = nap->end_ns - nap->start_ns;

	return run_ns < nap_ns && (run_ns < LOOK_NS || run_ns < (nap_ns + 19) / 20);
}

/* The naps from @first to @last follow each other. */
static void tick(const struct naps *n, const struct model_task *t, struct model_span *first,
		 struct model_span *last, bool with_process)
{
	if (first == last ||
	    (!with_process && !child_ended(n, t->id, last->start_ns, last->end_ns)))
		return;
	for (; first <= last; first++)
		first->ticks = is_nap(first);
}

static void task_naps(const struct naps *n, const struct model_task *t)
{
	struct model_span *first = NULL, *last = NULL, *wait = NULL;
	uint64_t run_ns = 0;

	for (size_t i = 0; i < t->span_cnt; i++)
		wait = t->spans[i].state == SPAN_BLOCKED ? &t->spans[i] : wait;
	for (size_t i = 0; wait && i < t->span_cnt; i++) {
		struct model_span *s = &t->spans[i];

		if (s->state == SPAN_RUNNING)
			run_ns += s->end_ns - s->start_ns;
		if (s->state != SPAN_BLOCKED)
			continue;
		if (last && (!is_nap(s) || !goes_on(last, run_ns))) {
			tick(n, t, first, last, wait->with_process);
			last = NULL;
		}
		if (is_nap(s)) {
			first = last ? first : s;
			last = s;
		}
		run_ns = 0;
	}
	if (last)
		tick(n, t, first, last, wait->with_process);
}

void naps_finish(struct model_builder *b)
{
	struct naps n = { 0 };

	for (size_t i = 0; i < b->task_cnt; i++)
		if (b->tasks[i].life == LIFE_DEAD && b->tasks[i].t.parent_id)
			vec_add(n.deaths, n.death_cnt, n.death_cap, (struct death){
				b->tasks[i].t.parent_id, b->tasks[i].death_ns
			});
	if (n.death_cnt)
		qsort(n.deaths, n.death_cnt, sizeof(*n.deaths), death_cmp);
	for (size_t i = 0; i < b->m.task_cnt; i++)
		task_naps(&n, &b->m.tasks[i]);
	free(n.deaths);
}
