/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_ANALYZE_CLOCKS_H
#define LAB_ANALYZE_CLOCKS_H

/*
 * clocks - eps: by how much the clocks of two CPUs can disagree. The recorder compares each CPU
 * with the same one, the reference (record/clock.h): cpu_a of META's first pair. The eps of two
 * CPUs is the sum of how far each may be from the reference. analysis_clocks fills the table, and
 * these functions look it up.
 */

#include <stddef.h>
#include <stdint.h>

#include "analyze/report.h"

#define CLOCK_EPS_UNBOUND_NS 1000000	/* of a pair that was not measured */
#define CLOCK_BOUND_NONE UINT64_MAX
#define CLOCK_CPU_NONE UINT32_MAX

/* Return: the row of @cpu in @c, or CLOCK_CPU_NONE. */
uint32_t clocks_row(const struct report_clocks *c, uint16_t cpu);

/*
 * eps of two rows. It is 0 for one row twice, and CLOCK_EPS_UNBOUND_NS if either row is
 * CLOCK_CPU_NONE or was not measured.
 */
static inline uint64_t clocks_eps(const struct report_clocks *c, uint32_t row_a, uint32_t row_b)
{
	if (row_a == CLOCK_CPU_NONE || row_b == CLOCK_CPU_NONE)
		return CLOCK_EPS_UNBOUND_NS;
	if (row_a == row_b)
		return 0;
	if (c->bound_ns[row_a] == CLOCK_BOUND_NONE || c->bound_ns[row_b] == CLOCK_BOUND_NONE)
		return CLOCK_EPS_UNBOUND_NS;
	return c->bound_ns[row_a] + c->bound_ns[row_b];
}

#endif /* LAB_ANALYZE_CLOCKS_H */
