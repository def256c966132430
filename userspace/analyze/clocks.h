/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_ANALYZE_CLOCKS_H
#define LAB_ANALYZE_CLOCKS_H

/*
 * clocks - by how much the clocks of two CPUs can disagree, as far as the
 * trace itself bounds it. analysis_clocks fills the table, and these look it up.
 */

#include <stddef.h>
#include <stdint.h>

#include "analyze/report.h"

#define CLOCK_EPS_UNBOUND_NS 1000000	/* of a pair that the trace does not bound */
#define CLOCK_CPU_NONE UINT32_MAX

/* Return: the row of @cpu in @c, or CLOCK_CPU_NONE. */
uint32_t clocks_row(const struct report_clocks *c, uint16_t cpu);

/* eps of two rows; 0 for one row twice, CLOCK_EPS_UNBOUND_NS if either is CLOCK_CPU_NONE. */
static inline uint64_t clocks_eps(const struct report_clocks *c, uint32_t row_a, uint32_t row_b)
{
	if (row_a == CLOCK_CPU_NONE || row_b == CLOCK_CPU_NONE)
		return CLOCK_EPS_UNBOUND_NS;
	return c->eps_ns[(size_t)row_a * c->cpu_cnt + row_b];
}

#endif /* LAB_ANALYZE_CLOCKS_H */
