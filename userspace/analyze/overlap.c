/* SPDX-License-Identifier: GPL-2.0-only */
#include "analyze/overlap.h"

#include <stdlib.h>
#include <string.h>

#include "analyze/clocks.h"
#include "analyze/heap.h"
#include "model/timeline.h"
#include "util/alloc.h"
#include "util/minmax.h"

struct slice {
	uint64_t start_ns;	/* the span's, or its earliest */
	const struct model_span *span;
	uint32_t task_id;
	uint32_t row;		/* of its CPU in report_clocks */
};

struct slices {
	struct slice *v;
	size_t cnt, cap;
};

bool span_is_doubtful(const struct model *m, const struct model_span *s)
{
	return s->flags & SPAN_ACROSS_GAP || (s->flags & SPAN_CUT_END && !m->complete);
}

uint64_t span_earliest_ns(const struct model_span *s)
{
	return s->flags & SPAN_HIDDEN_START ? min_u64(s->start_ns, s->start_min_ns) : s->start_ns;
}

static int slice_cmp(const void *a, const void *b)
{
	const struct slice *x = a, *y = b;

	if (x->start_ns != y->start_ns)
		return x->start_ns < y->start_ns ? -1 : 1;
	return (x->row > y->row) - (x->row < y->row);
}

enum slice_pick {
	PICK_DRAWN,		/* all, as drawn */
	PICK_LONGEST,		/* all, at their longest */
	PICK_RECORDED,		/* those with a record at both ends */
	PICK_RECORDED_OR_CUT,	/* and those that were still going on at the cut */
};

static bool slice_picked(const struct model *m, const struct model_span *s, enum slice_pick pick)
{
	if (pick == PICK_DRAWN || pick == PICK_LONGEST)
		return true;
	if (s->flags & (SPAN_HIDDEN_START | SPAN_CUT_START) || span_is_doubtful(m, s))
		return false;
	return pick == PICK_RECORDED_OR_CUT || !(s->flags & SPAN_CUT_END);
}

/* By start, then by CPU. Return: how many may have begun before they are drawn. */
static size_t slices_collect(const struct model *m, const struct report_clocks *c,
			     enum slice_pick pick, struct slices *out)
{
	bool longest = pick == PICK_LONGEST;
	const struct model_task *task;
	const struct model_span *s;
	struct timeline timeline;
	size_t hidden_cnt = 0;

	*out = (struct slices){ 0 };
	timeline_init(&timeline, m, SPAN_RUNNING);
	while ((s = timeline_next(&timeline, &task))) {
		if (!slice_picked(m, s, pick))
			continue;
		hidden_cnt += span_earliest_ns(s) < s->start_ns;
		*vec_push(out->v, out->cnt, out->cap) = (struct slice){
			.start_ns = longest ? span_earliest_ns(s) : s->start_ns,
			.span = s,
			.task_id = task->id,
			.row = clocks_row(c, s->cpu),
		};
	}
	timeline_release(&timeline);
	if (longest && out->cnt)
		qsort(out->v, out->cnt, sizeof(*out->v), slice_cmp);
	return hidden_cnt;
}

/* Take out the slices that end by @until_ns; @open is ordered by their ends. */
static void open_leave(struct heap *open, uint64_t until_ns)
{
	while (open->cnt && open->v[0].key <= until_ns)
		heap_pop(open);
}

static void pairs_sweep(const struct slices *slices, const struct report_clocks *c,
			uint64_t *longest_ns, bool *beyond_eps)
{
	struct heap open = { 0 };

	*longest_ns = 0;
	*beyond_eps = false;
	for (size_t i = 0; i < slices->cnt; i++) {
		const struct slice *s = &slices->v[i];

		open_leave(&open, s->start_ns);
		for (size_t j = 0; j < open.cnt; j++) {
			const struct slice *o = &slices->v[open.v[j].value];
			uint64_t ns = min_u64(s->span->end_ns, o->span->end_ns) - s->start_ns;

			if (*beyond_eps && s->span->end_ns - s->start_ns <= *longest_ns)
				break;
			*longest_ns = max_u64(*longest_ns, ns);
			*beyond_eps |= ns > clocks_eps(c, s->row, o->row);
		}
		heap_push(&open, s->span->end_ns, i);
	}
	free(open.v);
}

void overlap_pairs(const struct model *m, const struct report_clocks *c,
		   struct report_parallelism *p)
{
	struct slices slices;
	uint64_t longest_ns;
	size_t hidden_cnt = slices_collect(m, c, PICK_DRAWN, &slices);

	pairs_sweep(&slices, c, &p->longest_overlap_ns, &p->beyond_eps);
	free(slices.v);
	if (!hidden_cnt || p->beyond_eps)
		return;
	slices_collect(m, c, PICK_LONGEST, &slices);
	pairs_sweep(&slices, c, &longest_ns, &p->beyond_eps);
	free(slices.v);
}

/* What may join a set. */
struct near {
	const struct slice **v;
	size_t cnt, cap;
};

/* Slices that share time: their common overlap begins where the last of them does. */
struct set {
	const struct slice **v;
	size_t cnt, cap;
	uint64_t from_ns, until_ns;
};

static int later_end_cmp(const void *a, const void *b)
{
	const struct slice *x = *(const struct slice *const *)a;
	const struct slice *y = *(const struct slice *const *)b;

	if (x->span->end_ns != y->span->end_ns)
		return x->span->end_ns > y->span->end_ns ? -1 : 1;
	return (x->row > y->row) - (x->row < y->row);
}

/* The largest eps between @s and the set; UINT64_MAX if the set has its CPU, or its task. */
static uint64_t set_eps(const struct set *set, const struct report_clocks *c, const struct slice *s)
{
	uint64_t eps_ns = 0;

	for (size_t i = 0; i < set->cnt; i++) {
		const struct slice *o = set->v[i];

		if (o->span->cpu == s->span->cpu || o->task_id == s->task_id)
			return UINT64_MAX;
		eps_ns = max_u64(eps_ns, clocks_eps(c, o->row, s->row));
	}
	return eps_ns;
}

/* Take @s and, those that last longest first, each of @near that the set can still prove. */
static void set_grow(struct set *set, const struct report_clocks *c, const struct slice *s,
		     const struct slice **near, size_t near_cnt)
{
	uint64_t least_ns = WITNESS_LEAST_NS;

	set->cnt = 0;
	*vec_push(set->v, set->cnt, set->cap) = s;
	set->from_ns = s->start_ns;
	set->until_ns = s->span->end_ns;
	if (near_cnt)
		qsort(near, near_cnt, sizeof(*near), later_end_cmp);
	for (size_t i = 0; i < near_cnt; i++) {
		uint64_t until_ns = min_u64(set->until_ns, near[i]->span->end_ns);
		uint64_t eps_ns = set_eps(set, c, near[i]);

		if (until_ns - set->from_ns <= max_u64(least_ns, eps_ns))
			continue;
		*vec_push(set->v, set->cnt, set->cap) = near[i];
		set->until_ns = until_ns;
		least_ns = max_u64(least_ns, eps_ns);
	}
}

/* Those of @open that prove something together with @s. */
static void near_collect(const struct slices *slices, const struct heap *open,
			 const struct report_clocks *c, const struct slice *s, struct near *near)
{
	near->cnt = 0;
	for (size_t i = 0; i < open->cnt; i++) {
		const struct slice *o = &slices->v[open->v[i].value];
		uint64_t ns = min_u64(s->span->end_ns, o->span->end_ns) - s->start_ns;

		if (ns > max_u64(WITNESS_LEAST_NS, clocks_eps(c, s->row, o->row)))
			*vec_push(near->v, near->cnt, near->cap) = o;
	}
}

/* More slices are better, then a longer overlap. */
static bool set_is_better(size_t cnt, uint64_t ns, const struct set *best)
{
	return cnt > best->cnt || (cnt == best->cnt && ns > best->until_ns - best->from_ns);
}

/* A set is met at the slice of it that begins last. */
static void witness_sweep(const struct slices *slices, const struct report_clocks *c,
			  struct set *best)
{
	struct heap open = { 0 };
	struct near near = { 0 };
	struct set set = { 0 };

	for (size_t i = 0; i < slices->cnt; i++) {
		const struct slice *s = &slices->v[i];
		uint64_t provable_ns, least_ns;

		if (__builtin_add_overflow(s->start_ns, WITNESS_LEAST_NS, &provable_ns))
			break;
		open_leave(&open, provable_ns);
		least_ns = open.cnt ? min_u64(open.v[0].key, s->span->end_ns) - s->start_ns : 0;
		if (open.cnt && set_is_better(open.cnt + 1, least_ns, best)) {
			near_collect(slices, &open, c, s, &near);
			set_grow(&set, c, s, near.v, near.cnt);
			if (set.cnt >= 2 && set_is_better(set.cnt, set.until_ns - set.from_ns, best)) {
				struct set worse = *best;

				*best = set;
				set = worse;
			}
		}
		heap_push(&open, s->span->end_ns, i);
	}
	free(open.v);
	free(near.v);
	free(set.v);
}

static int cpu_cmp(const void *a, const void *b)
{
	const struct slice *x = *(const struct slice *const *)a;
	const struct slice *y = *(const struct slice *const *)b;

	return x->span->cpu - y->span->cpu;
}

static void witness_fill(const struct set *set, const struct report_clocks *c, struct witness *out)
{
	qsort(set->v, set->cnt, sizeof(*set->v), cpu_cmp);
	out->from_ns = set->from_ns;
	out->until_ns = set->until_ns;
	out->part_cnt = (uint32_t)min_u64(set->cnt, WITNESS_MAX);
	for (uint32_t i = 0; i < out->part_cnt; i++) {
		const struct slice *s = set->v[i];

		out->parts[i] = (struct witness_part){
			.task_id = s->task_id,
			.cpu = s->span->cpu,
			.cpu_out = s->span->cpu,
			.start_ns = s->start_ns,
			.end_ns = s->span->end_ns,
			.seq_in = s->span->seq_in,
			.seq_out = s->span->seq_out,
			.cut_out = s->span->flags & SPAN_CUT_END,
		};
		for (uint32_t j = 0; j < i; j++)
			out->eps_ns = max_u64(out->eps_ns, clocks_eps(c, s->row, set->v[j]->row));
	}
}

void overlap_witness(const struct model *m, const struct report_clocks *c, struct witness *out)
{
	static const enum slice_pick picks[] = { PICK_RECORDED, PICK_RECORDED_OR_CUT };
	struct set best = { 0 };

	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i < ARRAY_SIZE(picks) && !best.cnt; i++) {
		struct slices slices;

		slices_collect(m, c, picks[i], &slices);
		witness_sweep(&slices, c, &best);
		if (best.cnt)
			witness_fill(&best, c, out);
		free(slices.v);
	}
	free(best.v);
}
