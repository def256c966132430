/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_ANALYZE_CPUSETS_H
#define LAB_ANALYZE_CPUSETS_H

/*
 * cpusets - the different sets of usable CPUs that tasks are bound to. CPUs are
 * counted as in model.cpus. A task that may use all of these is bound to none of the sets.
 */

#include <stdbool.h>
#include <stdint.h>

#include "analyze/matching.h"
#include "model/model.h"

#define CPUSETS_MAX 1024

struct cpusets {
	uint32_t cpu_cnt, words, cnt;
	uint64_t *bits;		/* cnt of @words each; ascending, read as binary numbers */
	uint32_t *of;		/* [index into model.cpusets]: one of these, or MATCHING_EVERY */
};

/*
 * Return: true if each ready task's set is known, and there are at most CPUSETS_MAX sets; else @s
 * is empty.
 */
bool cpusets_init(struct cpusets *s, const struct model *m);
void cpusets_release(struct cpusets *s);

/* @set: of @s, or MATCHING_EVERY; @cpu: below cpu_cnt. */
static inline bool cpusets_allow(const struct cpusets *s, uint32_t set, uint32_t cpu)
{
	return set == MATCHING_EVERY || s->bits[(size_t)set * s->words + cpu / 64] >> cpu % 64 & 1;
}

#endif /* LAB_ANALYZE_CPUSETS_H */
