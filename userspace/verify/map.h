/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_VERIFY_MAP_H
#define LAB_VERIFY_MAP_H

/*
 * map - pairs of 64-bit numbers, numbered in the order in which they are first
 * met. Keys come from hostile files, so the hash is salted. All zero is empty.
 */

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "util/alloc.h"

#define MAP_NONE UINT32_MAX

struct map_key {
	uint64_t a, b;
	uint32_t number;	/* plus one; 0: free */
};

struct map {
	struct map_key *keys;
	uint32_t cap, cnt;	/* cap: a power of two */
	uint64_t salt;		/* odd */
};

static inline struct map_key *map_find(const struct map *m, uint64_t a, uint64_t b)
{
	uint64_t h = ((a ^ m->salt) * m->salt) ^ (b + (a >> 32));
	uint32_t i;

	h = (h ^ h >> 31) * m->salt;
	for (i = (uint32_t)(h >> 32) & (m->cap - 1);; i = (i + 1) & (m->cap - 1)) {
		struct map_key *k = &m->keys[i];

		if (!k->number || (k->a == a && k->b == b))
			return k;
	}
}

static inline void map_grow(struct map *m)
{
	struct map old = *m;

	if (!m->cap && getrandom(&m->salt, sizeof(m->salt), GRND_NONBLOCK) < 0)
		m->salt = (uintptr_t)m * 0x9e3779b97f4a7c15;
	m->salt |= 1;
	m->cap = old.cap ? 2 * old.cap : 64;
	m->keys = xcalloc(m->cap, sizeof(*m->keys));
	for (uint32_t i = 0; i < old.cap; i++)
		if (old.keys[i].number)
			*map_find(m, old.keys[i].a, old.keys[i].b) = old.keys[i];
	free(old.keys);
}

/* The number of a pair, or MAP_NONE. */
static inline uint32_t map_get(const struct map *m, uint64_t a, uint64_t b)
{
	return m->cap ? map_find(m, a, b)->number - 1 : MAP_NONE;
}

/* The same; a new pair gets the next number, which is the count before. */
static inline uint32_t map_put(struct map *m, uint64_t a, uint64_t b)
{
	struct map_key *k;

	if (m->cnt >= m->cap / 4 * 3)
		map_grow(m);
	k = map_find(m, a, b);
	if (!k->number)
		*k = (struct map_key){ a, b, ++m->cnt };
	return k->number - 1;
}

static inline void map_clear(struct map *m)
{
	if (m->cnt)
		memset(m->keys, 0, m->cap * sizeof(*m->keys));
	m->cnt = 0;
}

#endif /* LAB_VERIFY_MAP_H */
