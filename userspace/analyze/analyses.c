/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdlib.h>
#include <string.h>

#include "analyze/report.h"
#include "util/minmax.h"

#define ANALYSIS(name) extern const struct analysis analysis_##name;
#include "analyze/analysis.def"
#undef ANALYSIS

static const struct analysis *const analyses[] = {
#define ANALYSIS(name) &analysis_##name,
#include "analyze/analysis.def"
#undef ANALYSIS
};

void report_compute(const struct model *m, struct report *out)
{
	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i < ARRAY_SIZE(analyses); i++)
		analyses[i]->run(m, out);
}

void report_release(struct report *r)
{
	if (!r)
		return;
	free(r->clocks.cpus);
	free(r->clocks.eps_ns);
	free(r->parallelism.profile_ns);
	for (size_t i = 0; r->tasks && i < r->task_cnt; i++)
		free(r->tasks[i].cpus);
	free(r->tasks);
	free(r->calls);
	free(r->cpus);
	free(r->locks);
	free(r->migrations);
	free(r->loops);
	free(r->path.segments);
}
