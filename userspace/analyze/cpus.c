/* SPDX-License-Identifier: GPL-2.0-only */
/* cpus - for how long each usable CPU was ours, foreign, idle and unknown. */
#include "analyze/report.h"
#include "util/alloc.h"

static void cpus_run(const struct model *m, struct report *r)
{
	r->cpus = xcalloc(m->cpu_cnt + 1, sizeof(*r->cpus));
	r->cpu_cnt = m->cpu_cnt;
	for (size_t i = 0; i < m->cpu_cnt; i++) {
		const struct model_cpu *c = &m->cpus[i];

		for (size_t j = 0; j < c->seg_cnt; j++) {
			const struct model_cpu_seg *seg = &m->cpu_segs[c->seg_first + j];

			r->cpus[i].class_ns[seg->class] += seg->end_ns - seg->start_ns;
		}
	}
}

const struct analysis analysis_cpus = { .name = "cpus", .run = cpus_run };
