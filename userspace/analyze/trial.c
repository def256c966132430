/* SPDX-License-Identifier: GPL-2.0-only */
#include "analyze/trial.h"

#include <stdio.h>

static void count_tasks(const struct model *m, const struct report *r, struct trial *out)
{
	for (size_t i = 0; i < m->task_cnt; i++) {
		out->voluntary += m->tasks[i].voluntary;
		out->involuntary += m->tasks[i].involuntary;
		out->life_ns += m->tasks[i].end_ns - m->tasks[i].start_ns;
		out->ready_ns += r->tasks[i].ready_ns;
	}
}

static void see_responses(const struct model *m, struct trial *out)
{
	for (size_t i = 0; i < m->op_cnt; i++) {
		const struct model_op *op = &m->ops[i];
		uint64_t end_ns = op->end_ns > m->start_ns ? op->end_ns - m->start_ns : 0;

		if (op->fd != MODEL_OP_NO_FD || op->parent_id || op->open_at_end)
			continue;
		if (!out->done_cnt || end_ns < out->first_ns)
			out->first_ns = end_ns;
		if (end_ns > out->slowest_ns)
			out->slowest_ns = end_ns;
		out->done_cnt++;
	}
}

void trial_of(const struct model *m, const struct report *r, struct trial *out)
{
	*out = (struct trial){
		.class = r->verdict.class,
		.audit_clean = r->audit_clean,
		.wall_ns = m->end_ns - m->start_ns,
		.cpus = m->cpu_cnt,
		.run_ns = r->parallelism.run_ns,
		.busy_ns = r->parallelism.busy_ns,
		.max_parallel = r->parallelism.max,
		.capacity = r->capacity,
	};
	if (out->class == CLASS_INCONCLUSIVE) {
		snprintf(out->reason, sizeof(out->reason), "%s", r->verdict.reason);
	} else if (!r->audit_clean) {
		out->class = CLASS_INCONCLUSIVE;
		snprintf(out->reason, sizeof(out->reason),
			 "the audit is not clean: records disagree with the kernel's counts");
	}
	count_tasks(m, r, out);
	see_responses(m, out);
}
