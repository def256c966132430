/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_UTIL_IDMAP_H
#define LAB_UTIL_IDMAP_H

/*
 * idmap - from keys of 128 bits to 32-bit numbers.
 *
 * Small keys, such as birth numbers, are looked up in an array. Others come from hostile files, so
 * their hash is salted once per map. Nothing is ever removed. An all-zero map is
 * empty; idmap_release() frees it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct idmap_near {
	uint32_t value;
	bool used;
};

struct idmap_slot {
	uint64_t a, b;
	uint32_t value;
	bool used;
};

struct idmap {
	struct idmap_near *near; /* keys (a, 0) with a below near_cap, at a */
	size_t near_cap;
	struct idmap_slot *slots; /* the others */
	size_t cap, cnt;	/* of slots; cap is a power of two */
	uint32_t key_cnt;	/* all of them */
	uint64_t salt;
};

/* idmap_get() of a key that is not near. */
uint32_t *idmap_get_far(const struct idmap *map, uint64_t a, uint64_t b);

/* The value of key (@a, @b), or NULL. Valid until the next idmap_put(). */
static inline uint32_t *idmap_get(const struct idmap *map, uint64_t a, uint64_t b)
{
	if (!b && a < map->near_cap)
		return map->near[a].used ? &map->near[a].value : NULL;
	return idmap_get_far(map, a, b);
}

/* The same, of a key that gets @value if it had none. Valid until the next idmap_put(). */
uint32_t *idmap_put(struct idmap *map, uint64_t a, uint64_t b, uint32_t value);

void idmap_release(struct idmap *map);

#endif /* LAB_UTIL_IDMAP_H */
