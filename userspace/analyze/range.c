/* SPDX-License-Identifier: GPL-2.0-only */
#include "analyze/range.h"

#include <stdlib.h>
#include <string.h>

#include "analyze/levels.h"
#include "analyze/progress.h"
#include "model/missing.h"
#include "model/timeline.h"
#include "util/alloc.h"
#include "util/minmax.h"

/* The part of the window, absolute. */
static struct interval part_of(const struct model *m, const struct range *range)
{
	return (struct interval){ m->start_ns + range->from_ns, m->start_ns + range->until_ns };
}

static uint64_t clipped_ns(const struct interval *part, uint64_t start_ns, uint64_t end_ns)
{
	start_ns = max_u64(start_ns, part->start_ns);
	end_ns = min_u64(end_ns, part->end_ns);
	return start_ns < end_ns ? end_ns - start_ns : 0;
}

static void task_fill(const struct model_task *task, const struct interval *part,
		      struct range_task *out)
{
	uint64_t alive_ns = 0;

	for (size_t i = model_span_at(task, part->start_ns); i < task->span_cnt; i++) {
		const struct model_span *s = &task->spans[i];
		uint64_t ns = clipped_ns(part, s->start_ns, s->end_ns);

		if (s->start_ns >= part->end_ns)
			break;
		alive_ns += ns;
		if (s->state == SPAN_RUNNING)
			out->run_ns += ns;
		else if (s->state == SPAN_READY)
			out->ready_ns += ns;
		else if (s->state == SPAN_UNKNOWN)
			out->unknown_ns += ns;
		else
			out->blocked_ns[s->reason] += ns;
	}
	out->absent_ns = part->end_ns - part->start_ns - alive_ns;
}

static void cpus_fill(const struct model *m, const struct interval *part, struct range *out)
{
	for (size_t i = 0; i < m->cpu_cnt; i++) {
		const struct model_cpu *c = &m->cpus[i];

		for (size_t j = model_seg_at(m, c, part->start_ns); j < c->seg_cnt; j++) {
			const struct model_cpu_seg *seg = &m->cpu_segs[c->seg_first + j];

			if (seg->start_ns >= part->end_ns)
				break;
			out->cpus[i].class_ns[seg->class] +=
				clipped_ns(part, seg->start_ns, seg->end_ns);
		}
	}
}

static void running_fill(const struct model *m, const struct interval *part, struct range *out)
{
	const struct model_task *task;
	const struct model_span *s;
	struct timeline timeline;
	struct level_sweep sweep;
	struct levels levels;

	timeline_init(&timeline, m);
	level_sweep_begin(&sweep, part->start_ns, part->end_ns);
	while ((s = timeline_next(&timeline, SPAN_RUNNING, &task)))
		if (clipped_ns(part, s->start_ns, s->end_ns))
			level_sweep_add(&sweep, s->start_ns, s->end_ns);
	level_sweep_end(&sweep, &levels);
	timeline_release(&timeline);
	out->running_max = levels.cnt - 1;
	out->parallel_ns = levels_at_least(&levels, 2);
	free(levels.ns);
}

static void unknown_fill(const struct model *m, const struct interval *part, struct range *out)
{
	struct intervals gaps = { 0 };
	struct levels levels;

	out->parallel_known_ns = out->parallel_ns;
	if (missing_anywhere(m)) {
		out->unknown_ns = part->end_ns - part->start_ns;
		out->parallel_known_ns = 0;
		return;
	}
	for (size_t i = 0; i < m->gap_cnt; i++)
		intervals_add(&gaps, m->gaps[i].from_ns, m->gaps[i].until_ns, part->start_ns,
			      part->end_ns);
	if (!gaps.cnt)
		return;
	levels_compute(&gaps, part->start_ns, part->end_ns, &levels);
	out->unknown_ns = levels_at_least(&levels, 1);
	free(levels.ns);
	free(gaps.v);
}

static void operations_fill(const struct model *m, const struct interval *part, struct range *out)
{
	struct intervals open = { 0 };
	struct stretches ops;
	struct levels levels;

	progress_of_ops(m, &ops);
	for (size_t i = 0; i < ops.cnt; i++)
		intervals_add(&open, ops.v[i].start_ns, ops.v[i].end_ns, part->start_ns,
			      part->end_ns);
	levels_compute(&open, part->start_ns, part->end_ns, &levels);
	out->operations_max = levels.cnt - 1;
	for (size_t i = 0; i < open.cnt; i++)
		out->operations_ns += open.v[i].end_ns - open.v[i].start_ns;
	free(levels.ns);
	free(open.v);
	free(ops.v);
}

void range_compute(const struct model *m, uint64_t from_ns, uint64_t until_ns, struct range *out)
{
	struct interval part;

	*out = (struct range){
		.from_ns = from_ns,
		.until_ns = until_ns,
		.tasks = xcalloc(m->task_cnt + 1, sizeof(*out->tasks)),
		.cpus = xcalloc(m->cpu_cnt + 1, sizeof(*out->cpus)),
	};
	part = part_of(m, out);
	for (size_t i = 0; i < m->task_cnt; i++) {
		task_fill(&m->tasks[i], &part, &out->tasks[i]);
		out->run_ns += out->tasks[i].run_ns;
		out->ready_ns += out->tasks[i].ready_ns;
	}
	cpus_fill(m, &part, out);
	running_fill(m, &part, out);
	unknown_fill(m, &part, out);
	operations_fill(m, &part, out);
}

void range_whole(const struct model *m, const struct report *r, struct range *out)
{
	struct interval part;
	uint64_t window_ns = m->end_ns > m->start_ns ? m->end_ns - m->start_ns : 0;

	if (m->gap_cnt) {	/* the sums of the report are of the time as drawn */
		range_compute(m, 0, window_ns, out);
		return;
	}
	*out = (struct range){
		.until_ns = window_ns,
		.tasks = xcalloc(m->task_cnt + 1, sizeof(*out->tasks)),
		.cpus = xcalloc(m->cpu_cnt + 1, sizeof(*out->cpus)),
		.run_ns = r->parallelism.run_ns,
		.parallel_ns = r->parallelism.parallel_ns,
		.running_max = r->parallelism.max,
		.operations_max = r->concurrency.max_operations,
	};
	part = part_of(m, out);
	unknown_fill(m, &part, out);
	for (size_t i = 0; i < m->task_cnt; i++) {
		const struct report_task *row = &r->tasks[i];
		struct range_task *task = &out->tasks[i];

		task->run_ns = row->run_ns;
		task->ready_ns = row->ready_ns;
		memcpy(task->blocked_ns, row->blocked_ns, sizeof(task->blocked_ns));
		task->unknown_ns = row->unknown_ns;
		task->absent_ns = range_len(out) -
				  clipped_ns(&part, m->tasks[i].start_ns, m->tasks[i].end_ns);
		out->ready_ns += row->ready_ns;
	}
	if (m->cpu_cnt)
		memcpy(out->cpus, r->cpus, m->cpu_cnt * sizeof(*out->cpus));
	for (size_t i = 0; i < m->op_cnt; i++)
		if (!m->ops[i].parent_id)
			out->operations_ns += clipped_ns(&part, m->ops[i].start_ns,
							 m->ops[i].end_ns);
}

void range_release(struct range *range)
{
	free(range->tasks);
	free(range->cpus);
	*range = (struct range){ 0 };
}
