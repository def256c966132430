/* SPDX-License-Identifier: GPL-2.0-only */
#include "analyze/levels.h"

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
	if (k >= l->cnt) {
		l->ns = xreallocarray(l->ns, (size_t)k + 1, sizeof(*l->ns));
		while (l->cnt <= k)
			l->ns[l->cnt++] = 0;
	}
	l->ns[k] += ns;
}

void level_sweep_begin(struct level_sweep *s, uint64_t from_ns)
{
	*s = (struct level_sweep){ .at_ns = from_ns };
	s->levels = (struct levels){ .ns = xcalloc(1, sizeof(*s->levels.ns)), .cnt = 1 };
}

static void sweep_to(struct level_sweep *s, uint64_t at_ns)
{
	levels_add(&s->levels, (uint32_t)s->open.cnt, at_ns - s->at_ns);
	s->at_ns = at_ns;
}

static void sweep_leave(struct level_sweep *s, uint64_t until_ns)
{
	while (s->open.cnt && s->open.v[0].key <= until_ns) {
		sweep_to(s, s->open.v[0].key);
		heap_pop(&s->open);
	}
}

void level_sweep_add(struct level_sweep *s, uint64_t start_ns, uint64_t end_ns)
{
	sweep_leave(s, start_ns);
	sweep_to(s, start_ns);
	heap_push(&s->open, end_ns, 0);
}

void level_sweep_end(struct level_sweep *s, uint64_t until_ns, struct levels *out)
{
	sweep_leave(s, until_ns);
	sweep_to(s, until_ns);
	free(s->open.v);
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
	level_sweep_begin(&sweep, from_ns);
	for (size_t i = 0; i < iv->cnt; i++)
		level_sweep_add(&sweep, v[i].start_ns, v[i].end_ns);
	level_sweep_end(&sweep, until_ns, out);
	free(v);
}

uint64_t levels_at_least(const struct levels *l, uint32_t k)
{
	uint64_t sum_ns = 0;

	for (; k < l->cnt; k++)
		sum_ns += l->ns[k];
	return sum_ns;
}
