/* SPDX-License-Identifier: GPL-2.0-only */
#include "workload/ranks.h"

#include <stdlib.h>

static int cmp(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

void ranks_sort(uint64_t *v, size_t cnt)
{
	if (cnt)
		qsort(v, cnt, sizeof(*v), cmp);
}

uint64_t ranks_at(const uint64_t *sorted, size_t cnt, uint32_t permille)
{
	size_t rank = (cnt * permille + 999) / 1000;

	if (!cnt)
		return 0;
	return sorted[rank ? rank - 1 : 0];
}
