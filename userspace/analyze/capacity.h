/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_ANALYZE_CAPACITY_H
#define LAB_ANALYZE_CAPACITY_H

/* capacity - where the CPUs' time of several runs together went. */

#include "analyze/report.h"

#define CAPACITY_EMPTY_SUM \
	((struct report_capacity){ .known = true, .latency_known = true, .affinity_known = true, \
				   .throttled_known = true })

/*
 * What was lost for a reason, or in a part other than blocked. The CPUs of other programs that no
 * task could have used count as idle. The parts sum to total_ns less work_ns.
 */
uint64_t capacity_blocked_ns(const struct report_capacity *c, enum reason reason);
uint64_t capacity_loss_ns(const struct report_capacity *c, enum capacity_loss loss);

/* Fill in largest, largest_reason and largest_ns from the other parts. */
void capacity_find_loss(struct report_capacity *c);

/*
 * Add every part of @c to @sum; begin with CAPACITY_EMPTY_SUM. A part stays known only as long as
 * both know it. The caller calls capacity_find_loss(). Examples (pinned_ns) are not kept.
 */
void capacity_add(struct report_capacity *sum, const struct report_capacity *c);

#endif /* LAB_ANALYZE_CAPACITY_H */
