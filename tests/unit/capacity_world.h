/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_CAPACITY_WORLD_H
#define TESTS_CAPACITY_WORLD_H

/* capacity_world - small random models in units of one nanosecond, for counting by hand. */

#include <stdbool.h>
#include <stdint.h>

#include "analyze_fixture.h"

#define CPUS 5
#define TASKS 6
#define UNITS 64

struct world {
	struct afx f;
	uint64_t seed;
	unsigned int cpu_cnt, task_cnt, unit_cnt;
	char life[TASKS][UNITS + 1];	/* ' ': not alive */
	uint8_t class[CPUS][UNITS];
	bool masks, holds;		/* there are any, and they are known */
	uint32_t may[TASKS][UNITS];	/* bit c: it may use CPU c */
	bool held[TASKS][UNITS];	/* where it is ready */
};

/* The same world for the same seed, with its report computed. afx_release(&w->f) frees it. */
void world_make(struct world *w, uint64_t seed);

#endif /* TESTS_CAPACITY_WORLD_H */
