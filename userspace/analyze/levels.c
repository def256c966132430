/* SPDX-License-Identifier: GPL-2.0-only */
#include "analyze/levels.h"

#include <stdbool.h>
#include <stdlib.h>

#include "util/alloc.h"
#include "util/minmax.h"

void intervals_add(struct intervals *iv, uint64_t start_ns, uint64_t end_ns, uint64_t from_ns,
		   uint64_t until_ns)
{
	struct interval clipped = { max_u64(start_ns, from_ns), min_u64(end_ns, until_ns) };

	if (clipped.start_ns < clipped.end_ns)
		*vec_push(iv->v, iv->cnt, iv->cap) = clipped;
}

static int start_cmp(const void *a, const void *b)
{
	const struct interval *x = a, *y = b;

	return (x->start_ns > y->start_ns) - (x->start_ns < y->start_ns);
}

/* Time @ns more at level @k. */
static void levels_add(struct levels *l, uint32_t k, uint64_t ns)
{
	if (!ns)
		return;
	while (l->cnt <= k)
		vec_push(l->ns, l->cnt, l->cap);
	l->ns[k] += ns;
}

void level_sweep_begin(struct level_sweep *s, uint64_t from_ns, uint64_t until_ns)
{
	*s = (struct level_sweep){ .at_ns = from_ns, .until_ns = until_ns };
	vec_push(s->levels.ns, s->levels.cnt, s->levels.cap);
}

static void sweep_to(struct level_sweep *s, uint64_t at_ns)
{
	levels_add(&s->levels, (uint32_t)s->open.cnt, at_ns - s->at_ns);
	s->at_ns = at_ns;
}

/* An owner that went on to hold stays open. */
static void prolong(struct level_sweep *s, struct heap_item item)
{
	if (s->owner_until_ns[item.value] > item.key)
		heap_push(&s->open, s->owner_until_ns[item.value], item.value);
	else
		s->owner_until_ns[item.value] = 0;
}

static void sweep_leave(struct level_sweep *s, uint64_t until_ns)
{
	while (s->open.cnt && s->open.v[0].key <= until_ns) {
		struct heap_item item;

		sweep_to(s, s->open.v[0].key);
		item = heap_pop(&s->open);
		if (s->owner_until_ns)
			prolong(s, item);
	}
}

/* False: nothing of it lies in the sweep. */
static bool sweep_clip(const struct level_sweep *s, uint64_t *start_ns, uint64_t *end_ns)
{
	*start_ns = max_u64(*start_ns, s->at_ns);
	*end_ns = min_u64(*end_ns, s->until_ns);
	return *start_ns < *end_ns;
}

void level_sweep_add(struct level_sweep *s, uint64_t start_ns, uint64_t end_ns)
{
	if (!sweep_clip(s, &start_ns, &end_ns))
		return;
	sweep_leave(s, start_ns);
	sweep_to(s, start_ns);
	heap_push(&s->open, end_ns, 0);
}

void level_sweep_add_owned(struct level_sweep *s, uint16_t owner, uint64_t start_ns,
			   uint64_t end_ns)
{
	if (!sweep_clip(s, &start_ns, &end_ns))
		return;
	while (s->owner_cnt <= owner)
		vec_push(s->owner_until_ns, s->owner_cnt, s->owner_cap);
	sweep_leave(s, start_ns);
	sweep_to(s, start_ns);
	if (!s->owner_until_ns[owner])
		heap_push(&s->open, end_ns, owner);
	s->owner_until_ns[owner] = max_u64(s->owner_until_ns[owner], end_ns);
}

void level_sweep_end(struct level_sweep *s, struct levels *out)
{
	sweep_leave(s, s->until_ns);
	sweep_to(s, s->until_ns);
	free(s->open.v);
	free(s->owner_until_ns);
	*out = s->levels;
	*s = (struct level_sweep){ 0 };
}

void levels_compute(const struct intervals *iv, uint64_t from_ns, uint64_t until_ns,
		    struct levels *out)
{
	struct interval *v = xcalloc(iv->cnt, sizeof(*v));
	struct level_sweep sweep;

	for (size_t i = 0; i < iv->cnt; i++)
		v[i] = iv->v[i];
	qsort(v, iv->cnt, sizeof(*v), start_cmp);
	level_sweep_begin(&sweep, from_ns, until_ns);
	for (size_t i = 0; i < iv->cnt; i++)
		level_sweep_add(&sweep, v[i].start_ns, v[i].end_ns);
	level_sweep_end(&sweep, out);
	free(v);
}

uint64_t levels_at_least(const struct levels *l, uint32_t k)
{
	uint64_t sum_ns = 0;

	for (; k < l->cnt; k++)
		sum_ns += l->ns[k];
	return sum_ns;
}
