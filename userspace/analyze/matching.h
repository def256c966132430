/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_ANALYZE_MATCHING_H
#define LAB_ANALYZE_MATCHING_H

/*
 * matching - how many of the CPUs on offer can be put to use at once, each by
 * another of the tasks that want one and may use it: a maximum matching, kept up to date while
 * CPUs and tasks come and go.
 *
 * Tasks that may use the same CPUs are not told apart. A change moves the
 * matching along one augmenting path at most (Berge, 1957); without tasks that are choosy a
 * change costs nothing but a count.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MATCHING_EVERY UINT32_MAX /* the set of all CPUs */

/* What is matched with what, of choosy tasks. */
struct matching_set {
	uint64_t wanting;	/* tasks */
	uint64_t placed;	/* of these; never more */
	/* of a search under way: which of its CPUs led to it; none: it has a task to place */
	uint32_t from_cpu;
	bool met;		/* likewise */
};

struct matching {
	uint32_t cpu_cnt, words, set_cnt;
	const uint64_t *sets;	/* [set * words + w]: bit i % 64 of word i / 64: CPU i; borrowed */
	uint64_t offered_cnt;	/* CPUs */
	uint64_t every_cnt;	/* tasks that take any */
	uint64_t wanting_cnt;	/* choosy tasks */
	uint64_t placed_cnt;	/* of these */
	uint64_t *free;		/* bit i: CPU i is on offer, and no choosy task has it */
	uint64_t *taken;	/* [set * words + w]: the CPUs that tasks of this set have */
	uint64_t *seen;		/* bit i: CPU i was met in the search under way */
	uint32_t *owner;	/* [cpu]: whose it is; void if free or not on offer */
	uint32_t *from_set;	/* [cpu]: of a search under way */
	uint32_t *queue;	/* set_cnt */
	struct matching_set *by_set;
};

/*
 * @sets: borrowed, @set_cnt sets of (@cpu_cnt + 63) / 64 words each. No CPU is on offer at first,
 * and no task wants one.
 */
void matching_init(struct matching *m, uint32_t cpu_cnt, const uint64_t *sets, uint32_t set_cnt);
void matching_release(struct matching *m);

/* CPU number @cpu (counted from 0) is on offer, or no longer. */
void matching_offer(struct matching *m, uint32_t cpu);
void matching_withdraw(struct matching *m, uint32_t cpu);

/* One more task of this set (or MATCHING_EVERY) wants a CPU, or one less. */
void matching_want(struct matching *m, uint32_t set);
void matching_leave(struct matching *m, uint32_t set);

/* How many CPUs can be put to use. */
static inline uint64_t matching_size(const struct matching *m)
{
	uint64_t size = m->placed_cnt + m->every_cnt;

	return size < m->offered_cnt ? size : m->offered_cnt;
}

#endif /* LAB_ANALYZE_MATCHING_H */
