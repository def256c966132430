/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_REREAD_TOOLS_H
#define LAB_REREAD_TOOLS_H

/*
 * tools - arrays that grow, one order for all that is sorted, and pairs of numbers that lead to a
 * number (util/idmap.h).
 */

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "util/alloc.h"
#include "util/idmap.h"
#include "util/minmax.h"

#define NONE UINT32_MAX		/* no task, no place, no number */
#define NEVER UINT64_MAX

#define VEC(type) struct { type *v; size_t cnt, cap; }
#define PUSH(vec) vec_push((vec).v, (vec).cnt, (vec).cap)
#define ADD(vec, ...) vec_add((vec).v, (vec).cnt, (vec).cap, __VA_ARGS__)

/*
 * Sort records that are @words numbers of 64 bits each, by the first one, then by the second, ...
 */
void sort_words(void *records, size_t cnt, size_t words);

/*
 * The value of a pair of numbers, for the caller to set; NONE if it is new. It is borrowed until
 * the next call.
 */
static inline uint32_t *map_at(struct idmap *m, uint64_t a, uint64_t b)
{
	return idmap_put(m, a, b, NONE);
}

/* The value of a pair, or NONE. */
static inline uint32_t map_get(const struct idmap *m, uint64_t a, uint64_t b)
{
	const uint32_t *value = idmap_get(m, a, b);

	return value ? *value : NONE;
}

/* A map in which values number the pairs in the order in which they are first met. */
static inline uint32_t map_number(struct idmap *m, uint64_t a, uint64_t b)
{
	return *idmap_put(m, a, b, m->key_cnt);
}

#endif /* LAB_REREAD_TOOLS_H */
