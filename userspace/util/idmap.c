/* SPDX-License-Identifier: GPL-2.0-only */
#include "util/idmap.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "util/alloc.h"

#define CAP_FIRST 64
#define NEAR_MAX 65536		/* keys below are near */

/* The finalizer of MurmurHash3: each input bit moves each output bit. */
static uint64_t mix(uint64_t x)
{
	x ^= x >> 33;
	x *= 0xff51afd7ed558ccdu;
	x ^= x >> 33;
	x *= 0xc4ceb9fe1a85ec53u;
	return x ^ x >> 33;
}

/* The slot that holds the key, or the free one where it belongs. */
static struct idmap_slot *find(const struct idmap *map, uint64_t a, uint64_t b)
{
	size_t i = mix(mix(a + map->salt) ^ b) & (map->cap - 1);

	while (map->slots[i].used && (map->slots[i].a != a || map->slots[i].b != b))
		i = (i + 1) & (map->cap - 1);
	return &map->slots[i];
}

static void grow(struct idmap *map)
{
	struct idmap old = *map;

	/* Without a salt the map is still right, only easier to make slow. */
	if (!old.cap && getrandom(&map->salt, sizeof(map->salt), GRND_NONBLOCK) < 0)
		map->salt = 0;
	map->cap = old.cap ? 2 * old.cap : CAP_FIRST;
	map->slots = xcalloc(map->cap, sizeof(*map->slots));
	for (size_t i = 0; i < old.cap; i++) {
		if (old.slots[i].used)
			*find(map, old.slots[i].a, old.slots[i].b) = old.slots[i];
	}
	free(old.slots);
}

uint32_t *idmap_get_far(const struct idmap *map, uint64_t a, uint64_t b)
{
	struct idmap_slot *slot;

	if (!map->cnt)
		return NULL;
	slot = find(map, a, b);
	return slot->used ? &slot->value : NULL;
}

static uint32_t *put_near(struct idmap *map, uint64_t a, uint32_t value)
{
	struct idmap_near *near;
	size_t cap = map->near_cap ? map->near_cap : CAP_FIRST;

	while (cap <= a)
		cap *= 2;
	if (cap > map->near_cap) {
		map->near = xreallocarray(map->near, cap, sizeof(*map->near));
		memset(map->near + map->near_cap, 0, (cap - map->near_cap) * sizeof(*map->near));
		map->near_cap = cap;
	}
	near = &map->near[a];
	if (!near->used) {
		*near = (struct idmap_near){ .value = value, .used = true };
		map->key_cnt++;
	}
	return &near->value;
}

uint32_t *idmap_put(struct idmap *map, uint64_t a, uint64_t b, uint32_t value)
{
	struct idmap_slot *slot;

	if (!b && a < NEAR_MAX)
		return put_near(map, a, value);
	if (2 * map->cnt >= map->cap)
		grow(map);
	slot = find(map, a, b);
	if (!slot->used) {
		*slot = (struct idmap_slot){ .a = a, .b = b, .value = value, .used = true };
		map->cnt++;
		map->key_cnt++;
	}
	return &slot->value;
}

void idmap_release(struct idmap *map)
{
	free(map->near);
	free(map->slots);
	*map = (struct idmap){ 0 };
}
