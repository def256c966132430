/* SPDX-License-Identifier: GPL-2.0-only */
#include "analyze/apportion.h"

#include <stdlib.h>

#include "util/alloc.h"

struct remainder {
	uint32_t fraction;	/* in 2^-32 ns */
	size_t idx;
};

static int remainder_cmp(const void *a, const void *b)
{
	const struct remainder *x = a, *y = b;

	if (x->fraction != y->fraction)
		return x->fraction > y->fraction ? -1 : 1;
	return (x->idx > y->idx) - (x->idx < y->idx);
}

void apportion(const unsigned __int128 *shares, size_t cnt, uint64_t total_ns, uint64_t *out)
{
	struct remainder *rest;
	uint64_t left_ns = total_ns;

	if (!cnt)
		return;
	rest = xcalloc(cnt, sizeof(*rest));
	for (size_t i = 0; i < cnt; i++) {
		out[i] = (uint64_t)(shares[i] >> APPORTION_SHIFT);
		rest[i] = (struct remainder){ (uint32_t)shares[i], i };
		left_ns -= out[i];
	}
	qsort(rest, cnt, sizeof(*rest), remainder_cmp);
	/* Once around but where very many shares were cut: then all get some of that too. */
	for (size_t i = 0; i < cnt; i++)
		out[rest[i].idx] += left_ns / cnt + (i < left_ns % cnt);
	free(rest);
}
