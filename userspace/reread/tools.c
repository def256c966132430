/* SPDX-License-Identifier: GPL-2.0-only */
#include "reread/tools.h"

static int by_words(const void *a, const void *b, void *words)
{
	const uint64_t *x = a, *y = b;

	for (size_t i = 0; i < *(const size_t *)words; i++)
		if (x[i] != y[i])
			return x[i] < y[i] ? -1 : 1;
	return 0;
}

void sort_words(void *records, size_t cnt, size_t words)
{
	if (cnt)
		qsort_r(records, cnt, words * sizeof(uint64_t), by_words, &words);
}
