/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_ANALYZE_TRIAL_H
#define LAB_ANALYZE_TRIAL_H

/*
 * trial - one run of several that are compared: the few numbers of its report that a comparison
 * needs. Plain data, without a pointer, so that it can be handed from one process to another.
 */

#include <stdbool.h>
#include <stdint.h>

#include "analyze/report.h"
#include "claim.h"

struct trial {
	enum verdict_class class;	/* inconclusive, too, where the audit is not clean */
	bool audit_clean;
	char reason[256];		/* why it is inconclusive; else "" */
	uint64_t wall_ns;		/* T */
	uint64_t cpus;			/* P */
	uint64_t run_ns, busy_ns;	/* work, and time in which there was any */
	uint64_t max_parallel;		/* most tasks running at once */
	uint64_t life_ns, ready_ns;	/* of all tasks: lifetimes, and their waits for a CPU */
	uint64_t voluntary, involuntary; /* switches, of all tasks */
	uint64_t done_cnt;		/* marked operations that ended; parts do not count */
	uint64_t first_ns, slowest_ns;	/* their first and last end, since the start; 0: none */
	uint64_t memory_bytes;		/* trial_of() leaves it 0: not known */
	struct report_capacity capacity;
};

/* @out is overwritten. */
void trial_of(const struct model *m, const struct report *r, struct trial *out);

#endif /* LAB_ANALYZE_TRIAL_H */
