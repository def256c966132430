/* SPDX-License-Identifier: GPL-2.0-only */
#include "analyze/matching.h"

#include <stdlib.h>
#include <string.h>

#include "util/alloc.h"

#define NONE UINT32_MAX

void matching_init(struct matching *m, uint32_t cpu_cnt, const uint64_t *sets, uint32_t set_cnt)
{
	*m = (struct matching){
		.cpu_cnt = cpu_cnt,
		.words = (cpu_cnt + 63) / 64,
		.set_cnt = set_cnt,
		.sets = sets,
	};
	m->free = xcalloc(m->words, sizeof(*m->free));
	m->seen = xcalloc(m->words, sizeof(*m->seen));
	m->taken = xcalloc((size_t)m->words * set_cnt, sizeof(*m->taken));
	m->owner = xcalloc(cpu_cnt, sizeof(*m->owner));
	m->from_set = xcalloc(cpu_cnt, sizeof(*m->from_set));
	m->queue = xcalloc(set_cnt, sizeof(*m->queue));
	m->by_set = xcalloc(set_cnt, sizeof(*m->by_set));
}

void matching_release(struct matching *m)
{
	free(m->free);
	free(m->seen);
	free(m->taken);
	free(m->owner);
	free(m->from_set);
	free(m->queue);
	free(m->by_set);
	*m = (struct matching){ 0 };
}

static void bit_flip(uint64_t *words, uint32_t cpu)
{
	words[cpu / 64] ^= UINT64_C(1) << cpu % 64;
}

static bool bit_is_set(const uint64_t *words, uint32_t cpu)
{
	return words[cpu / 64] >> cpu % 64 & 1;
}

static uint64_t *taken_of(const struct matching *m, uint32_t set)
{
	return &m->taken[(size_t)set * m->words];
}

/* Take the free CPU at the end of the path that was found, and so on back to a task to place. */
static void path_take(struct matching *m, uint32_t cpu)
{
	uint32_t set;

	bit_flip(m->free, cpu);
	for (;;) {
		uint32_t had = m->by_set[set = m->from_set[cpu]].from_cpu;

		bit_flip(taken_of(m, set), cpu);
		m->owner[cpu] = set;
		if (had == NONE)
			break;
		/* A task of this set moved, and leaves its CPU to the one before. */
		bit_flip(taken_of(m, set), had);
		cpu = had;
	}
	m->by_set[set].placed++;
	m->placed_cnt++;
}

/* Visit the CPUs that @set may use and the sets that have them. Return: a free CPU, or NONE. */
static uint32_t search_from(struct matching *m, uint32_t set, uint32_t *queued)
{
	for (uint32_t w = 0; w < m->words; w++) {
		uint64_t left = m->sets[(size_t)set * m->words + w] & ~m->seen[w];

		m->seen[w] |= left;
		for (; left; left &= left - 1) {
			uint32_t cpu = w * 64 + (uint32_t)__builtin_ctzll(left);
			struct matching_set *owner = &m->by_set[m->owner[cpu]];

			m->from_set[cpu] = set;
			if (bit_is_set(m->free, cpu))
				return cpu;
			if (owner->met || !bit_is_set(taken_of(m, m->owner[cpu]), cpu))
				continue;
			owner->met = true;
			owner->from_cpu = cpu;
			m->queue[(*queued)++] = m->owner[cpu];
		}
	}
	return NONE;
}

/* Place one more choosy task, if that is possible: since one thing changed, no more can be. */
static void augment(struct matching *m)
{
	uint32_t queued = 0;

	if (m->placed_cnt == m->wanting_cnt || m->placed_cnt == m->offered_cnt)
		return;
	memset(m->seen, 0, m->words * sizeof(*m->seen));
	for (uint32_t set = 0; set < m->set_cnt; set++) {
		struct matching_set *s = &m->by_set[set];

		s->from_cpu = NONE;
		s->met = s->placed < s->wanting;
		if (s->met)
			m->queue[queued++] = set;
	}
	for (uint32_t i = 0; i < queued; i++) {
		uint32_t cpu = search_from(m, m->queue[i], &queued);

		if (cpu != NONE) {
			path_take(m, cpu);
			return;
		}
	}
}

void matching_offer(struct matching *m, uint32_t cpu)
{
	m->offered_cnt++;
	bit_flip(m->free, cpu);
	augment(m);
}

void matching_withdraw(struct matching *m, uint32_t cpu)
{
	m->offered_cnt--;
	if (bit_is_set(m->free, cpu)) {
		bit_flip(m->free, cpu);
		return;
	}
	bit_flip(taken_of(m, m->owner[cpu]), cpu);
	m->by_set[m->owner[cpu]].placed--;
	m->placed_cnt--;
	augment(m);
}

void matching_want(struct matching *m, uint32_t set)
{
	if (set == MATCHING_EVERY) {
		m->every_cnt++;
		return;
	}
	m->by_set[set].wanting++;
	m->wanting_cnt++;
	augment(m);
}

static uint32_t any_taken(const struct matching *m, uint32_t set)
{
	const uint64_t *taken = taken_of(m, set);
	uint32_t w = 0;

	while (!taken[w])
		w++;
	return w * 64 + (uint32_t)__builtin_ctzll(taken[w]);
}

void matching_leave(struct matching *m, uint32_t set)
{
	struct matching_set *s = &m->by_set[set];
	uint32_t cpu;

	if (set == MATCHING_EVERY) {
		m->every_cnt--;
		return;
	}
	m->wanting_cnt--;
	if (s->placed < s->wanting--)
		return;
	cpu = any_taken(m, set);
	bit_flip(taken_of(m, set), cpu);
	bit_flip(m->free, cpu);
	s->placed--;
	m->placed_cnt--;
	augment(m);
}
