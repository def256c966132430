/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_MODEL_IDMAP_H
#define LAB_MODEL_IDMAP_H

/*
 * idmap - from keys of 128 bits to 32-bit numbers.
 *
 * Keys come from hostile files, so the hash is salted once per map. Nothing is
 * ever removed. An all-zero map is empty; idmap_release() frees it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct idmap_slot {
	uint64_t a, b;
	uint32_t value;
	bool used;
};

struct idmap {
	struct idmap_slot *slots;
	size_t cap, cnt;	/* cap is a power of two */
	uint64_t salt;
};

/* The value of key (@a, @b), or NULL. Valid until the next idmap_put(). */
uint32_t *idmap_get(const struct idmap *map, uint64_t a, uint64_t b);

/* The same, of a key that gets @value if it had none. Valid until the next idmap_put(). */
uint32_t *idmap_put(struct idmap *map, uint64_t a, uint64_t b, uint32_t value);

void idmap_release(struct idmap *map);

#endif /* LAB_MODEL_IDMAP_H */
