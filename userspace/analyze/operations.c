/* SPDX-License-Identifier: GPL-2.0-only */
/* operations - for how long how many operations of event loops were in flight. */
#include <stdlib.h>

#include "analyze/levels.h"
#include "analyze/progress.h"
#include "util/minmax.h"

/* The smallest power of two with which all levels find a bucket. */
static uint32_t choose_step(uint32_t max)
{
	uint32_t step = 1;

	while (max > (uint64_t)step * (OPERATIONS_BUCKETS - 1))
		step *= 2;
	return step;
}

static void operations_run(const struct model *m, struct report *r)
{
	struct report_operations *out = &r->operations;
	struct intervals open = { 0 };
	struct stretches ops;
	struct levels levels;

	progress_of_ops(m, &ops);
	for (size_t i = 0; i < ops.cnt; i++)
		intervals_add(&open, ops.v[i].start_ns, ops.v[i].end_ns, m->start_ns, m->end_ns);
	levels_compute(&open, m->start_ns, m->end_ns, &levels);
	out->step = choose_step(levels.cnt - 1);
	for (uint32_t k = 0; k < levels.cnt; k++) {
		uint32_t bucket = (uint32_t)((k + (uint64_t)out->step - 1) / out->step);

		out->profile_ns[bucket] += levels.ns[k];
		out->profile_cnt = bucket + 1;
	}
	free(levels.ns);
	free(open.v);
	free(ops.v);
}

const struct analysis analysis_operations = { .name = "operations", .run = operations_run };
