/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_MODEL_MISSING_H
#define LAB_MODEL_MISSING_H

/*
 * missing - where records are missing. What is drawn there is a guess: a task may have run on the
 * CPU whose records are missing, however its spans are drawn.
 */

#include "model/model.h"
#include "util/minmax.h"

/* How long records of @cpu are missing within [@from_ns, @until_ns), absolute. */
static inline uint64_t missing_on_cpu_ns(const struct model *m, uint16_t cpu, uint64_t from_ns,
					 uint64_t until_ns)
{
	uint64_t ns = 0;

	for (size_t i = 0; i < m->gap_cnt; i++) {
		const struct model_gap *g = &m->gaps[i];
		uint64_t start_ns = max_u64(g->from_ns, from_ns), end_ns = min_u64(g->until_ns, until_ns);

		if (g->cpu == cpu && start_ns < end_ns)
			ns += end_ns - start_ns;
	}
	return ns;
}

/* True if records may be missing anywhere, and nothing tells where. */
static inline bool missing_anywhere(const struct model *m)
{
	return m->end.storage_failures || m->end.recursion_misses || (m->dropped && !m->gap_cnt);
}

#endif /* LAB_MODEL_MISSING_H */
