/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * missing - takes out of a report what is not known because records are missing. The verdict and
 * its bounds stay: they say themselves how far they can be wrong.
 */
#include "analyze/missing.h"

#include <stdlib.h>
#include <string.h>

#include "model/missing.h"
#include "util/alloc.h"
#include "util/minmax.h"

extern const struct analysis analysis_tasks, analysis_calls, analysis_cpus, analysis_capacity,
			     analysis_loss, analysis_wakeups, analysis_locks, analysis_loops;

static void sum_again(const struct model *m, struct report *r)
{
	struct report_task *before = r->tasks;

	free(r->calls);
	free(r->cpus);
	free(r->locks);
	free(r->loops);
	r->calls = NULL;
	r->locks = NULL;
	r->loops = NULL;
	r->call_cnt = r->call_cap = r->lock_cnt = r->lock_cap = r->loop_cnt = r->loop_cap = 0;
	analysis_tasks.run(m, r);
	analysis_calls.run(m, r);
	analysis_cpus.run(m, r);
	analysis_locks.run(m, r);
	analysis_loops.run(m, r);
	r->waits = (struct report_waits){ 0 };
	analysis_wakeups.run(m, r);
	r->capacity = (struct report_capacity){ 0 };
	analysis_capacity.run(m, r);
	analysis_loss.run(m, r);
	for (size_t i = 0; i < r->task_cnt; i++) {
		r->tasks[i].bottle_ns = before[i].bottle_ns;
		free(before[i].cpus);
	}
	free(before);
}

/* ---- the critical path ---- */

static void path_put(struct report_path *p, struct path_segment seg, uint64_t end_ns)
{
	uint64_t *sum = seg.state == SPAN_RUNNING ? &p->run_ns :
			seg.state == SPAN_READY ? &p->ready_ns :
			seg.state == SPAN_UNKNOWN ? &p->unknown_ns : &p->blocked_ns[seg.reason];

	seg.end_ns = end_ns;
	if (seg.task_id)
		*sum += end_ns - seg.start_ns;
	vec_add(p->segments, p->segment_cnt, p->segment_cap, seg);
}

/* A segment in the parts of it that are known, and those that are not. */
static void path_split(const struct model *m, struct report_path *p, struct path_segment seg)
{
	const struct model_task *t = seg.task_id ? model_task(m, seg.task_id) : NULL;

	for (size_t i = t ? model_span_at(t, seg.start_ns) : 0; t && i < t->span_cnt; i++) {
		const struct model_span *s = &t->spans[i];
		struct path_segment gap = { .task_id = seg.task_id, .state = SPAN_UNKNOWN };

		if (s->start_ns >= seg.end_ns)
			break;
		if (s->state != SPAN_UNKNOWN)
			continue;
		if (seg.start_ns < s->start_ns)
			path_put(p, seg, s->start_ns);
		gap.start_ns = max_u64(seg.start_ns, s->start_ns);
		seg.start_ns = min_u64(seg.end_ns, s->end_ns);
		path_put(p, gap, seg.start_ns);
	}
	if (seg.start_ns < seg.end_ns)
		path_put(p, seg, seg.end_ns);
}

static void path_again(const struct model *m, struct report_path *p)
{
	struct path_segment *before = p->segments;
	size_t cnt = p->segment_cnt;

	p->segments = NULL;
	p->segment_cnt = p->segment_cap = 0;
	p->run_ns = p->ready_ns = 0;
	memset(p->blocked_ns, 0, sizeof(p->blocked_ns));
	for (size_t i = 0; i < cnt; i++)
		path_split(m, p, before[i]);
	free(before);
}

void report_hide_missing(struct model *m, struct report *r)
{
	if (!m->gap_cnt)
		return;
	model_hide_missing(m);
	sum_again(m, r);
	path_again(m, &r->path);
}
