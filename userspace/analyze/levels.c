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

static int u64_cmp(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
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

void levels_compute(const struct intervals *iv, uint64_t from_ns, uint64_t until_ns,
		    struct levels *out)
{
	uint64_t *starts = xcalloc(iv->cnt + 1, sizeof(*starts));
	uint64_t *ends = xcalloc(iv->cnt + 1, sizeof(*ends));
	uint64_t at_ns = from_ns;
	size_t entered = 0, left = 0;

	*out = (struct levels){ .ns = xcalloc(1, sizeof(*out->ns)), .cnt = 1 };
	for (size_t i = 0; i < iv->cnt; i++) {
		starts[i] = iv->v[i].start_ns;
		ends[i] = iv->v[i].end_ns;
	}
	qsort(starts, iv->cnt, sizeof(*starts), u64_cmp);
	qsort(ends, iv->cnt, sizeof(*ends), u64_cmp);

	while (left < iv->cnt) {
		bool leaves = entered == iv->cnt || ends[left] <= starts[entered];
		uint64_t next_ns = leaves ? ends[left] : starts[entered];

		levels_add(out, (uint32_t)(entered - left), next_ns - at_ns);
		at_ns = next_ns;
		if (leaves)
			left++;
		else
			entered++;
	}
	if (until_ns > at_ns)
		levels_add(out, 0, until_ns - at_ns);
	free(starts);
	free(ends);
}

uint64_t levels_at_least(const struct levels *l, uint32_t k)
{
	uint64_t sum_ns = 0;

	for (; k < l->cnt; k++)
		sum_ns += l->ns[k];
	return sum_ns;
}
