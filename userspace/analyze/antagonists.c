/* SPDX-License-Identifier: GPL-2.0-only */
#include "analyze/antagonists.h"

#include <stdlib.h>
#include <string.h>

#include "analyze/heap.h"
#include "util/idmap.h"
#include "model/timeline.h"
#include "util/alloc.h"
#include "util/minmax.h"

struct holder {
	uint64_t ns;
	uint32_t task_id;	/* ours, or 0 */
	uint32_t tid;		/* foreign */
	uint32_t comm_idx;	/* foreign */
};

struct holding {
	struct holder *v;	/* one per holder */
	size_t cnt, cap;
	struct idmap by_key;
	uint64_t idle_ns;
};

/* One CPU's time, gone through once, and how many wait for it meanwhile. */
struct walk {
	const struct model_cpu_seg *seg, *end;
	uint64_t at_ns;		/* so far */
	uint64_t held_ns;	/* by the holder of @seg, so far */
	uint64_t level;
};

static int holder_key_cmp(const void *a, const void *b)
{
	const struct holder *x = a, *y = b;

	if (x->task_id != y->task_id)
		return x->task_id < y->task_id ? -1 : 1;
	if (x->tid != y->tid)
		return x->tid < y->tid ? -1 : 1;
	return (x->comm_idx > y->comm_idx) - (x->comm_idx < y->comm_idx);
}

static int holder_most_cmp(const void *a, const void *b)
{
	const struct holder *x = a, *y = b;

	if (x->ns != y->ns)
		return x->ns > y->ns ? -1 : 1;
	return holder_key_cmp(a, b);
}

/* What nobody known held is left out: it is what remains of the total. */
static void holding_add(struct holding *h, const struct model_cpu_seg *seg, uint64_t ns)
{
	struct holder holder = { 0 };
	uint32_t idx;

	if (!ns)
		return;
	if (seg->class == LAB_CPU_IDLE)
		h->idle_ns += ns;
	if (seg->class == LAB_CPU_OURS) {
		holder.task_id = seg->task_id;
	} else if (seg->class == LAB_CPU_FOREIGN) {
		holder.tid = seg->tid;
		holder.comm_idx = seg->comm_idx;
	}
	if (!holder.task_id && !holder.tid && !holder.comm_idx)
		return;
	idx = (uint32_t)h->cnt;
	if (holder.task_id)
		idx = *idmap_put(&h->by_key, holder.task_id, 0, idx);
	else
		idx = *idmap_put(&h->by_key, holder.tid, 1 + (uint64_t)holder.comm_idx, idx);
	if (idx == h->cnt)
		*vec_push(h->v, h->cnt, h->cap) = holder;
	h->v[idx].ns += ns;
}

static void holding_sort(struct holding *h)
{
	if (h->cnt)
		qsort(h->v, h->cnt, sizeof(*h->v), holder_most_cmp);
}

static void holding_release(struct holding *h)
{
	free(h->v);
	idmap_release(&h->by_key);
}

static void walk_begin(struct walk *w, const struct model *m, const struct model_cpu *cpu)
{
	*w = (struct walk){ .seg = &m->cpu_segs[cpu->seg_first] };
	w->end = w->seg + cpu->seg_cnt;
	w->at_ns = cpu->seg_cnt ? w->seg->start_ns : 0;
}

/* @until_ns never falls from one call to the next. */
static void walk_to(struct walk *w, struct holding *h, uint64_t until_ns)
{
	while (w->seg < w->end && w->at_ns < until_ns) {
		uint64_t next_ns = min_u64(until_ns, w->seg->end_ns);

		w->held_ns += w->level * (next_ns - w->at_ns);
		w->at_ns = next_ns;
		if (next_ns < w->seg->end_ns)
			return;
		holding_add(h, w->seg++, w->held_ns);
		w->held_ns = 0;
	}
}

/* One more waits for CPU row @value / 2 from @key on; or one less, if @value is odd. */
static void change_push(struct heap *changes, uint64_t at_ns, size_t row, bool more)
{
	heap_push(changes, at_ns, row * 2 + !more);
}

/* The changes up to @until_ns. */
static void changes_make(struct heap *changes, struct walk *walks, struct holding *h,
			 uint64_t until_ns)
{
	while (changes->cnt && changes->v[0].key <= until_ns) {
		struct heap_item change = heap_pop(changes);
		struct walk *w = &walks[change.value / 2];

		walk_to(w, h, change.key);
		w->level += change.value % 2 ? -UINT64_C(1) : 1;
	}
}

/* The first of @t's holds that does not end before @s. */
static const struct model_hold *hold_near(const struct model *m, const struct model_task *t,
					  const struct model_span *s)
{
	size_t low = t->hold_first, high = t->hold_first + t->hold_cnt;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (m->holds[mid].end_ns <= s->start_ns)
			low = mid + 1;
		else
			high = mid;
	}
	return t->hold_cnt ? &m->holds[low] : NULL;
}

/*
 * @t begins to wait for CPU row @row (model.cpu_cnt: none). It waits until the end of @s, except
 * while a quota holds it back. Return: for how long a quota does so.
 */
static uint64_t wait_add(struct heap *changes, const struct model *m, const struct model_task *t,
			 const struct model_span *s, size_t row)
{
	const struct model_hold *end = m->holds ? m->holds + t->hold_first + t->hold_cnt : NULL;
	uint64_t held_ns = 0;

	if (row < m->cpu_cnt)
		change_push(changes, s->end_ns, row, false);
	for (const struct model_hold *h = hold_near(m, t, s);
	     h && h < end && h->start_ns < s->end_ns; h++) {
		held_ns += h->end_ns - h->start_ns;
		if (row == m->cpu_cnt)
			continue;
		change_push(changes, h->start_ns, row, false);
		change_push(changes, h->end_ns, row, true);
	}
	return held_ns;
}

/*
 * Go through all waits in order of time, and each CPU's time with them. Return: for how long a
 * quota held tasks back.
 */
static uint64_t holding_collect(struct holding *h, const struct model *m)
{
	struct walk *walks = xcalloc(m->cpu_cnt, sizeof(*walks));
	const struct model_task *task;
	const struct model_span *s;
	struct timeline timeline;
	struct heap changes = { 0 };
	uint64_t held_ns = 0;

	for (size_t i = 0; i < m->cpu_cnt; i++)
		walk_begin(&walks[i], m, &m->cpus[i]);
	timeline_init(&timeline, m);
	while ((s = timeline_next(&timeline, SPAN_READY, &task))) {
		size_t row = model_cpu_row(m, s->cpu);

		changes_make(&changes, walks, h, s->start_ns);
		held_ns += wait_add(&changes, m, task, s, row);
		if (row == m->cpu_cnt)
			continue;
		walk_to(&walks[row], h, s->start_ns);
		walks[row].level++;
	}
	changes_make(&changes, walks, h, UINT64_MAX);
	for (size_t i = 0; i < m->cpu_cnt; i++)
		walk_to(&walks[i], h, UINT64_MAX);
	timeline_release(&timeline);
	free(changes.v);
	free(walks);
	return held_ns;
}

static void antagonist_fill(const struct model *m, const struct holder *h, struct antagonist *out)
{
	const struct model_task *t = h->task_id ? model_task(m, h->task_id) : NULL;

	*out = (struct antagonist){ .task_id = h->task_id, .tid = h->tid, .ns = h->ns };
	if (t)
		memcpy(out->comm, t->comm, sizeof(out->comm));
	else if (!h->task_id && h->comm_idx < m->comm_cnt)
		memcpy(out->comm, m->comms[h->comm_idx], sizeof(out->comm));
}

void antagonists_of_all(const struct model *m, struct report_waits *w)
{
	struct holding holding = { 0 };
	uint64_t known_ns = 0;

	w->held_ns = holding_collect(&holding, m);
	holding_sort(&holding);
	for (size_t i = 0; i < holding.cnt; i++) {
		known_ns += holding.v[i].ns;
		if (i < ANTAGONIST_MAX)
			antagonist_fill(m, &holding.v[i], &w->antagonists[w->antagonist_cnt++]);
		else
			w->other_antagonists_ns += holding.v[i].ns;
	}
	w->idle_ns = holding.idle_ns;
	w->unknown_ns = w->total_ns - holding.idle_ns - w->held_ns - known_ns;
	holding_release(&holding);
}

uint64_t antagonist_of_one(const struct model *m, const struct model_task *t,
			   const struct model_span *s, struct antagonist *out)
{
	size_t row = model_cpu_row(m, s->cpu);
	struct holding holding = { 0 };
	struct heap changes = { 0 };
	struct walk walk = { 0 };
	uint64_t held_ns;

	memset(out, 0, sizeof(*out));
	if (row < m->cpu_cnt) {
		walk_begin(&walk, m, &m->cpus[row]);
		walk_to(&walk, &holding, s->start_ns);
		walk.level = 1;
		row = 0;	/* of the one walk that is there */
	}
	held_ns = wait_add(&changes, m, t, s, row);
	changes_make(&changes, &walk, &holding, UINT64_MAX);
	free(changes.v);
	if (walk.seg < walk.end)
		holding_add(&holding, walk.seg, walk.held_ns);
	holding_sort(&holding);
	if (holding.cnt)
		antagonist_fill(m, &holding.v[0], out);
	holding_release(&holding);
	return held_ns;
}
