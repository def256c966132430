/* SPDX-License-Identifier: GPL-2.0-only */
#include "analyze/overlap.h"

#include <stdlib.h>
#include <string.h>

#include "analyze/clocks.h"
#include "model/timeline.h"
#include "util/alloc.h"
#include "util/minmax.h"

bool span_is_doubtful(const struct model *m, const struct model_span *s)
{
	return s->flags & SPAN_ACROSS_GAP || (s->flags & SPAN_CUT_END && !m->complete);
}

uint64_t span_earliest_ns(const struct model_span *s)
{
	return s->flags & SPAN_HIDDEN_START ? min_u64(s->start_ns, s->start_min_ns) : s->start_ns;
}

static bool slice_picked(const struct model *m, const struct model_span *s, enum slice_pick pick)
{
	if (s->flags & (SPAN_HIDDEN_START | SPAN_CUT_START) || span_is_doubtful(m, s))
		return false;
	return pick == PICK_RECORDED_OR_CUT || !(s->flags & SPAN_CUT_END);
}

static void open_add(struct open_slices *open, const struct slice *s)
{
	size_t slot = open->slots.cnt;

	if (open->unused_cnt) {
		slot = open->unused[--open->unused_cnt];
		open->slots.v[slot] = *s;
	} else {
		vec_add(open->slots.v, open->slots.cnt, open->slots.cap, *s);
	}
	heap_push(&open->ends, s->span->end_ns, slot);
}

/* Take out the slices that end by @until_ns. */
static void open_leave(struct open_slices *open, uint64_t until_ns)
{
	while (open->ends.cnt && open->ends.v[0].key <= until_ns)
		vec_add(open->unused, open->unused_cnt, open->unused_cap,
			heap_pop(&open->ends).value);
}

static void open_release(struct open_slices *open)
{
	free(open->ends.v);
	free(open->slots.v);
	free(open->unused);
	*open = (struct open_slices){ 0 };
}

/* ---- pairs ---- */

/* Starts ascend. */
static void pairs_add(struct overlap *ov, const struct slice *s)
{
	const struct heap *ends = &ov->open.ends;

	open_leave(&ov->open, s->start_ns);
	for (size_t j = 0; j < ends->cnt; j++) {
		const struct slice *o = &ov->open.slots.v[ends->v[j].value];
		uint64_t ns = min_u64(s->span->end_ns, o->span->end_ns) - s->start_ns;

		if (ov->beyond_eps && s->span->end_ns - s->start_ns <= ov->longest_ns)
			break;
		ov->longest_ns = max_u64(ov->longest_ns, ns);
		ov->beyond_eps |= ns > clocks_eps(ov->c, s->row, o->row);
	}
	open_add(&ov->open, s);
}

static int slice_cmp(const void *a, const void *b)
{
	const struct slice *x = a, *y = b;

	return (x->start_ns > y->start_ns) - (x->start_ns < y->start_ns);
}

/* Whether two slices at their longest overlap by more than their eps. */
static bool longest_beyond_eps(struct overlap *drawn)
{
	struct overlap ov = { .m = drawn->m, .c = drawn->c };
	struct slices *hidden = &drawn->hidden;
	const struct model_task *task;
	const struct model_span *span;
	struct timeline timeline;
	size_t next = 0;

	qsort(hidden->v, hidden->cnt, sizeof(*hidden->v), slice_cmp);
	timeline_init(&timeline, ov.m);
	while ((span = timeline_next(&timeline, SPAN_RUNNING, &task))) {
		while (next < hidden->cnt && hidden->v[next].start_ns <= span->start_ns)
			pairs_add(&ov, &hidden->v[next++]);
		if (span_earliest_ns(span) == span->start_ns)
			pairs_add(&ov, &(struct slice){
				span->start_ns, span, task->id, clocks_row(ov.c, span->cpu)
			});
	}
	while (next < hidden->cnt)
		pairs_add(&ov, &hidden->v[next++]);
	timeline_release(&timeline);
	open_release(&ov.open);
	return ov.beyond_eps;
}

/* ---- the witness ---- */

static int later_end_cmp(const void *a, const void *b)
{
	const struct slice *x = a, *y = b;

	if (x->span->end_ns != y->span->end_ns)
		return x->span->end_ns > y->span->end_ns ? -1 : 1;
	return (x->row > y->row) - (x->row < y->row);
}

/* The largest eps between @s and the set; UINT64_MAX if the set has its CPU, or its task. */
static uint64_t set_eps(const struct overlap_set *set, const struct report_clocks *c,
			const struct slice *s)
{
	uint64_t eps_ns = 0;

	for (size_t i = 0; i < set->slices.cnt; i++) {
		const struct slice *o = &set->slices.v[i];

		if (o->span->cpu == s->span->cpu || o->task_id == s->task_id)
			return UINT64_MAX;
		eps_ns = max_u64(eps_ns, clocks_eps(c, o->row, s->row));
	}
	return eps_ns;
}

static void slices_add(struct slices *slices, const struct slice *s)
{
	vec_add(slices->v, slices->cnt, slices->cap, *s);
}

/* Take @s and, those that last longest first, each of @near that the set can still prove. */
static void set_grow(struct overlap_set *set, const struct report_clocks *c, const struct slice *s,
		     struct slices *near)
{
	uint64_t least_ns = WITNESS_LEAST_NS;

	set->slices.cnt = 0;
	slices_add(&set->slices, s);
	set->from_ns = s->start_ns;
	set->until_ns = s->span->end_ns;
	if (near->cnt > 1)
		qsort(near->v, near->cnt, sizeof(*near->v), later_end_cmp);
	for (size_t i = 0; i < near->cnt; i++) {
		uint64_t until_ns = min_u64(set->until_ns, near->v[i].span->end_ns);
		uint64_t eps_ns = set_eps(set, c, &near->v[i]);

		if (until_ns - set->from_ns <= max_u64(least_ns, eps_ns))
			continue;
		slices_add(&set->slices, &near->v[i]);
		set->until_ns = until_ns;
		least_ns = max_u64(least_ns, eps_ns);
	}
}

/* Those that are open and prove something together with @s. */
static void near_collect(struct overlap *ov, const struct slice *s)
{
	const struct heap *ends = &ov->provable.ends;

	ov->near.cnt = 0;
	for (size_t i = 0; i < ends->cnt; i++) {
		const struct slice *o = &ov->provable.slots.v[ends->v[i].value];
		uint64_t ns = min_u64(s->span->end_ns, o->span->end_ns) - s->start_ns;

		if (ns > max_u64(WITNESS_LEAST_NS, clocks_eps(ov->c, s->row, o->row)))
			slices_add(&ov->near, o);
	}
}

/* More slices are better, then a longer overlap. */
static bool set_is_better(size_t cnt, uint64_t ns, const struct overlap_set *best)
{
	return cnt > best->slices.cnt ||
	       (cnt == best->slices.cnt && ns > best->until_ns - best->from_ns);
}

/* A set is met at the slice of it that begins last; starts ascend. */
static void witness_add(struct overlap *ov, const struct slice *s)
{
	const struct heap *ends = &ov->provable.ends;
	uint64_t provable_ns, least_ns;

	if (!slice_picked(ov->m, s->span, ov->pick) ||
	    __builtin_add_overflow(s->start_ns, WITNESS_LEAST_NS, &provable_ns))
		return;
	open_leave(&ov->provable, provable_ns);
	least_ns = ends->cnt ? min_u64(ends->v[0].key, s->span->end_ns) - s->start_ns : 0;
	if (ends->cnt && set_is_better(ends->cnt + 1, least_ns, &ov->best)) {
		near_collect(ov, s);
		set_grow(&ov->set, ov->c, s, &ov->near);
		if (ov->set.slices.cnt >= 2 &&
		    set_is_better(ov->set.slices.cnt, ov->set.until_ns - ov->set.from_ns,
				  &ov->best)) {
			struct overlap_set worse = ov->best;

			ov->best = ov->set;
			ov->set = worse;
		}
	}
	open_add(&ov->provable, s);
}

static int cpu_cmp(const void *a, const void *b)
{
	const struct slice *x = a, *y = b;

	return x->span->cpu - y->span->cpu;
}

static void witness_fill(struct overlap_set *set, const struct report_clocks *c,
			 struct witness *out)
{
	struct slice *v = set->slices.v;

	qsort(v, set->slices.cnt, sizeof(*v), cpu_cmp);
	out->from_ns = set->from_ns;
	out->until_ns = set->until_ns;
	out->part_cnt = (uint32_t)min_u64(set->slices.cnt, WITNESS_MAX);
	for (uint32_t i = 0; i < out->part_cnt; i++) {
		const struct slice *s = &v[i];

		out->parts[i] = (struct witness_part){
			.task_id = s->task_id,
			.cpu = s->span->cpu,
			.start_ns = s->start_ns,
			.end_ns = s->span->end_ns,
			.seq_in = s->span->seq_in,
			.seq_out = s->span->seq_out,
			.cut_out = s->span->flags & SPAN_CUT_END,
		};
		for (uint32_t j = 0; j < i; j++)
			out->eps_ns = max_u64(out->eps_ns, clocks_eps(c, s->row, v[j].row));
	}
}

/* Recorded slices prove nothing: look again, among those too that were cut off. */
static void witness_again(struct overlap *ov)
{
	const struct model_task *task;
	const struct model_span *span;
	struct timeline timeline;

	ov->pick = PICK_RECORDED_OR_CUT;
	open_leave(&ov->provable, UINT64_MAX);
	timeline_init(&timeline, ov->m);
	while ((span = timeline_next(&timeline, SPAN_RUNNING, &task)))
		witness_add(ov, &(struct slice){
			span->start_ns, span, task->id, clocks_row(ov->c, span->cpu)
		});
	timeline_release(&timeline);
}

/* ---- together ---- */

void overlap_begin(struct overlap *o, const struct model *m, const struct report_clocks *c)
{
	*o = (struct overlap){ .m = m, .c = c, .pick = PICK_RECORDED };
}

void overlap_add(struct overlap *o, const struct model_span *span, const struct model_task *task)
{
	uint64_t earliest_ns = span_earliest_ns(span);
	struct slice s = { span->start_ns, span, task->id, clocks_row(o->c, span->cpu) };

	pairs_add(o, &s);
	witness_add(o, &s);
	if (earliest_ns == span->start_ns)
		return;
	s.start_ns = earliest_ns;
	slices_add(&o->hidden, &s);
}

void overlap_end(struct overlap *o, struct report_parallelism *p)
{
	p->longest_overlap_ns = o->longest_ns;
	p->beyond_eps = o->beyond_eps || (o->hidden.cnt && longest_beyond_eps(o));
	if (!o->best.slices.cnt && o->longest_ns > WITNESS_LEAST_NS)
		witness_again(o);
	if (o->best.slices.cnt)
		witness_fill(&o->best, o->c, &p->witness);
	open_release(&o->open);
	open_release(&o->provable);
	free(o->hidden.v);
	free(o->best.slices.v);
	free(o->set.slices.v);
	free(o->near.v);
	*o = (struct overlap){ 0 };
}
