/* SPDX-License-Identifier: GPL-2.0-only */
#include "render/lens.h"

#include <stdlib.h>

#include "util/alloc.h"

struct rank {
	uint64_t run_ns;
	size_t idx;
};

static int rank_cmp(const void *a, const void *b)
{
	const struct rank *x = a, *y = b;

	if (x->run_ns != y->run_ns)
		return x->run_ns > y->run_ns ? -1 : 1;
	return (x->idx > y->idx) - (x->idx < y->idx);
}

size_t *lens_by_run(const struct render_lens *lens, const struct model *m, size_t *cnt)
{
	struct rank *ranks = xcalloc(m->task_cnt + 1, sizeof(*ranks));
	size_t *by_run = xcalloc(m->task_cnt + 1, sizeof(*by_run));

	*cnt = 0;
	for (size_t i = 0; i < m->task_cnt; i++)
		if (lens_has_task(lens, i))
			ranks[(*cnt)++] = (struct rank){ lens->range.tasks[i].run_ns, i };
	qsort(ranks, *cnt, sizeof(*ranks), rank_cmp);
	for (size_t i = 0; i < *cnt; i++)
		by_run[i] = ranks[i].idx;
	free(ranks);
	return by_run;
}

static int idx_cmp(const void *a, const void *b)
{
	const size_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

void lens_sort(size_t *idx, size_t cnt)
{
	qsort(idx, cnt, sizeof(*idx), idx_cmp);
}
