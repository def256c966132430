/* SPDX-License-Identifier: GPL-2.0-only */

#include "trace/keymap.h"

#include <stdlib.h>
#include <string.h>

#include "util/alloc.h"

#define KEYMAP_FIRST_LOG2 6

static size_t map_size(const struct keymap *map)
{
	return (size_t)1 << (64 - map->shift);
}

static void map_alloc(struct keymap *map, unsigned int log2)
{
	map->shift = 64 - log2;
	map->keys = xcalloc(map_size(map), sizeof(*map->keys));
	map->slots = xcalloc(map_size(map), sizeof(*map->slots));
}

void keymap_init(struct keymap *map, uint32_t stride, uint64_t salt)
{
	*map = (struct keymap){ .stride = stride, .salt = salt | 1 };
	map_alloc(map, KEYMAP_FIRST_LOG2);
}

void keymap_reset(struct keymap *map)
{
	if (map->far_used)
		memset(map->slots, 0, map_size(map) * sizeof(*map->slots));
	if (map->used > map->far_used)
		memset(map->near, 0, KEYMAP_NEAR * sizeof(*map->near));
	map->used = map->far_used = 0;
}

/* Where @key is, or the free place where it belongs. */
static inline size_t map_find(const struct keymap *map, uint64_t key)
{
	size_t mask = map_size(map) - 1;
	size_t i = (key * map->salt) >> map->shift;

	while (map->slots[i] && map->keys[i] != key)
		i = (i + 1) & mask;
	return i;
}

static void map_grow(struct keymap *map)
{
	struct keymap old = *map;

	map_alloc(map, 64 - old.shift + 1);
	for (size_t i = 0; i < map_size(&old); i++) {
		size_t at;

		if (!old.slots[i])
			continue;
		at = map_find(map, old.keys[i]);
		map->keys[at] = old.keys[i];
		map->slots[at] = old.slots[i];
	}
	free(old.keys);
	free(old.slots);
}

/* Where the row of @key is kept; 0 stands there if it is new. */
static uint32_t *find_row(struct keymap *map, uint64_t key)
{
	size_t i;

	if (key < KEYMAP_NEAR) {
		if (!map->near)
			map->near = xcalloc(KEYMAP_NEAR, sizeof(*map->near));
		return &map->near[key];
	}
	i = map_find(map, key);
	if (map->slots[i])
		return &map->slots[i];
	if ((size_t)map->far_used * 2 >= map_size(map)) {
		map_grow(map);
		i = map_find(map, key);
	}
	map->far_used++;
	map->keys[i] = key;
	return &map->slots[i];
}

uint32_t keymap_find(struct keymap *map, uint64_t key)
{
	uint32_t *row = find_row(map, key);

	if (*row)
		return *row - 1;
	if (map->used >= map->rows_cap) {
		map->rows_cap = map->rows_cap ? map->rows_cap * 2 : 16;
		map->rows = xreallocarray(map->rows, map->rows_cap,
					  map->stride * sizeof(*map->rows));
	}
	*row = ++map->used;
	return map->used - 1;
}

uint64_t *keymap_row(struct keymap *map, uint64_t key, bool *fresh)
{
	uint32_t used = map->used, slot = keymap_slot(map, key);

	*fresh = slot == used;
	return &map->rows[(size_t)slot * map->stride];
}

void keymap_release(struct keymap *map)
{
	free(map->near);
	free(map->keys);
	free(map->slots);
	free(map->rows);
	*map = (struct keymap){ 0 };
}
