/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_TRACE_KEYMAP_H
#define LAB_TRACE_KEYMAP_H

/*
 * keymap - from a 64-bit key to a row of values, for the predictors. Keys
 * may come from a hostile file: the hash is salted, so that they cannot be
 * chosen to collide.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KEYMAP_NEAR 1024	/* keys below are looked up in an array */

struct keymap {
	uint32_t *near;		/* by key: row + 1; 0: none; NULL until there is one */
	uint64_t *keys;		/* the others, open addressing; size is a power of two */
	uint32_t *slots;	/* row + 1; 0: free */
	uint64_t *rows;		/* row r is at rows[r * stride] */
	size_t rows_cap;
	uint32_t used;		/* rows */
	uint32_t far_used;	/* of them of keys that are not near */
	uint32_t stride;
	unsigned int shift;	/* 64 - log2(size) */
	uint64_t salt;		/* odd */
};

/* @stride: values per row, at least 1 */
void keymap_init(struct keymap *map, uint32_t stride, uint64_t salt);

/* Forget the keys, keep the memory. */
void keymap_reset(struct keymap *map);

/* keymap_slot() of any key. */
uint32_t keymap_find(struct keymap *map, uint64_t key);

/*
 * Which row is that of @key. One that is equal to map->used before the call is new, its content
 * undefined.
 */
static inline uint32_t keymap_slot(struct keymap *map, uint64_t key)
{
	if (key < KEYMAP_NEAR && map->near && map->near[key])
		return map->near[key] - 1;
	return keymap_find(map, key);
}

/*
 * The row of @key, valid until the next call. *@fresh: the key is new and
 * the row's content undefined.
 */
uint64_t *keymap_row(struct keymap *map, uint64_t key, bool *fresh);

/* Accepts an all-zero map. */
void keymap_release(struct keymap *map);

#endif /* LAB_TRACE_KEYMAP_H */
