/* SPDX-License-Identifier: GPL-2.0-only */
#include "verify/tools.h"

#include <sys/random.h>

static int by_words(const void *a, const void *b, void *words)
{
	const uint64_t *x = a, *y = b;

	for (size_t i = 0; i < *(const size_t *)words; i++)
		if (x[i] != y[i])
			return x[i] < y[i] ? -1 : 1;
	return 0;
}

void sort_words(void *records, size_t cnt, size_t words)
{
	if (cnt)
		qsort_r(records, cnt, words * sizeof(uint64_t), by_words, &words);
}

static struct map_key *map_find(const struct map *m, uint64_t a, uint64_t b)
{
	uint64_t h = ((a ^ m->salt) * m->salt) ^ (b + (a >> 32));
	uint32_t i;

	h = (h ^ h >> 31) * m->salt;
	for (i = (uint32_t)(h >> 32) & (m->cap - 1);; i = (i + 1) & (m->cap - 1))
		if (!m->keys[i].used || (m->keys[i].a == a && m->keys[i].b == b))
			return &m->keys[i];
}

static void map_grow(struct map *m)
{
	struct map old = *m;

	if (!m->cap && getrandom(&m->salt, sizeof(m->salt), GRND_NONBLOCK) < 0)
		m->salt = (uintptr_t)m * 0x9e3779b97f4a7c15;
	m->salt |= 1;
	m->cap = old.cap ? 2 * old.cap : 64;
	m->keys = xcalloc(m->cap, sizeof(*m->keys));
	for (uint32_t i = 0; i < old.cap; i++)
		if (old.keys[i].used)
			*map_find(m, old.keys[i].a, old.keys[i].b) = old.keys[i];
	free(old.keys);
}

uint32_t *map_at(struct map *m, uint64_t a, uint64_t b)
{
	struct map_key *k;

	if (m->cnt >= m->cap / 4 * 3)
		map_grow(m);
	k = map_find(m, a, b);
	if (!k->used) {
		*k = (struct map_key){ a, b, NONE, true };
		m->cnt++;
	}
	return &k->value;
}

uint32_t map_get(const struct map *m, uint64_t a, uint64_t b)
{
	const struct map_key *k = m->cap ? map_find(m, a, b) : NULL;

	return k && k->used ? k->value : NONE;
}

uint32_t map_number(struct map *m, uint64_t a, uint64_t b)
{
	uint32_t *value = map_at(m, a, b);

	if (*value == NONE)
		*value = m->cnt - 1;
	return *value;
}
