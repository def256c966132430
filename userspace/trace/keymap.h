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

struct keymap {
	uint64_t *keys;		/* open addressing; size is a power of two */
	uint32_t *slots;	/* row + 1; 0: free */
	uint64_t *rows;		/* row r is at rows[r * stride] */
	size_t rows_cap;
	uint32_t used, stride;
	unsigned int shift;	/* 64 - log2(size) */
	uint64_t salt;		/* odd */
};

/* @stride: values per row, at least 1 */
void keymap_init(struct keymap *map, uint32_t stride, uint64_t salt);

/* Forget the keys, keep the memory. */
void keymap_reset(struct keymap *map);

/* Which row is that of @key. One that is equal to map->used before the call is new, its content undefined. */
uint32_t keymap_slot(struct keymap *map, uint64_t key);

/*
 * The row of @key, valid until the next call. *@fresh: the key is new and
 * the row's content undefined.
 */
uint64_t *keymap_row(struct keymap *map, uint64_t key, bool *fresh);

/* Accepts an all-zero map. */
void keymap_release(struct keymap *map);

#endif /* LAB_TRACE_KEYMAP_H */
