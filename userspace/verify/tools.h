/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_VERIFY_TOOLS_H
#define LAB_VERIFY_TOOLS_H

/*
 * tools - arrays that grow, one order for all that is sorted, and pairs of numbers that lead to a
 * number.
 */

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "util/alloc.h"
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
 * Pairs that lead to a value. Keys come from hostile files, so the hash is salted. All zero is
 * empty; free(keys) releases it.
 */
struct map_key {
	uint64_t a, b;
	uint32_t value;
	bool used;
};

struct map {
	struct map_key *keys;
	uint32_t cap, cnt;	/* cap: a power of two */
	uint64_t salt;		/* odd */
};

/* The value of a pair, for the caller to set; NONE if it is new. Borrowed until the next call. */
uint32_t *map_at(struct map *m, uint64_t a, uint64_t b);

/* The value of a pair, or NONE. */
uint32_t map_get(const struct map *m, uint64_t a, uint64_t b);

/* A map in which values number the pairs in the order in which they are first met. */
uint32_t map_number(struct map *m, uint64_t a, uint64_t b);

#endif /* LAB_VERIFY_TOOLS_H */
