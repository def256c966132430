/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * parallelism - for how long how many tasks held a CPU.
 *
 * Three sweeps: the stays as drawn; all that may have been (hidden starts at
 * their earliest, and a CPU whose records are missing held throughout); and only
 * what is certain. Without a doubt they are the same.
 */
#include <stdlib.h>

#include "analyze/levels.h"
#include "analyze/overlap.h"
#include "analyze/report.h"
#include "model/timeline.h"
#include "util/alloc.h"
#include "util/minmax.h"

struct stay {
	uint64_t start_ns, end_ns;
	uint16_t cpu;
};

struct stays {
	struct stay *v;
	size_t cnt, cap;
};

struct sets {
	struct intervals certain;	/* what can overlap for the lower bound */
	struct intervals shortest;	/* what certainly kept a CPU busy */
	struct stays longest;		/* per CPU: two on one CPU are no parallelism */
};

static void longest_add(struct sets *sets, uint16_t cpu, uint64_t start_ns, uint64_t end_ns)
{
	if (start_ns < end_ns)
		*vec_push(sets->longest.v, sets->longest.cnt, sets->longest.cap) =
			(struct stay){ start_ns, end_ns, cpu };
}

static void sets_add(struct sets *sets, const struct model *m, const struct model_span *s)
{
	longest_add(sets, s->cpu, span_earliest_ns(s), s->end_ns);
	if (span_is_doubtful(m, s))
		return;
	/* A hidden stay is drawn at its shortest. */
	intervals_add(&sets->shortest, s->start_ns, s->end_ns, m->start_ns, m->end_ns);
	if (!(s->flags & SPAN_HIDDEN_START))
		intervals_add(&sets->certain, s->start_ns, s->end_ns, m->start_ns, m->end_ns);
}

/* Where a damaged file stops, each CPU's last word was said at another time. */
static void sets_add_tails(struct sets *sets, const struct model *m)
{
	for (size_t i = 0; i < m->cpu_cnt; i++) {
		const struct model_cpu *c = &m->cpus[i];
		const struct model_cpu_seg *segs = &m->cpu_segs[c->seg_first];

		if (c->seg_cnt)
			longest_add(sets, c->cpu, segs[c->seg_cnt - 1].start_ns, m->end_ns);
	}
}

static void sets_collect(struct sets *sets, const struct model *m)
{
	for (size_t i = 0; i < m->task_cnt; i++) {
		const struct model_task *t = &m->tasks[i];

		for (size_t j = 0; j < t->span_cnt; j++) {
			const struct model_span *s = &m->spans[t->span_first + j];

			if (s->state == SPAN_RUNNING)
				sets_add(sets, m, s);
		}
	}
	if (!m->complete)
		sets_add_tails(sets, m);
	for (size_t i = 0; i < m->gap_cnt; i++)
		longest_add(sets, m->gaps[i].cpu, m->gaps[i].from_ns, m->gaps[i].until_ns);
}

static void sets_release(struct sets *sets)
{
	free(sets->certain.v);
	free(sets->shortest.v);
	free(sets->longest.v);
}

static int stay_cmp(const void *a, const void *b)
{
	const struct stay *x = a, *y = b;

	if (x->cpu != y->cpu)
		return x->cpu - y->cpu;
	return (x->start_ns > y->start_ns) - (x->start_ns < y->start_ns);
}

/* The union of the stays of each CPU. */
static void stays_join(struct stays *stays, const struct model *m, struct intervals *out)
{
	struct stay open = { 0 };

	if (stays->cnt)
		qsort(stays->v, stays->cnt, sizeof(*stays->v), stay_cmp);
	for (size_t i = 0; i < stays->cnt; i++) {
		const struct stay *s = &stays->v[i];

		if (s->cpu == open.cpu && s->start_ns <= open.end_ns) {
			open.end_ns = max_u64(open.end_ns, s->end_ns);
			continue;
		}
		intervals_add(out, open.start_ns, open.end_ns, m->start_ns, m->end_ns);
		open = *s;
	}
	intervals_add(out, open.start_ns, open.end_ns, m->start_ns, m->end_ns);
}

/* Time with @k or more of @iv. */
static uint64_t time_at_least(const struct model *m, const struct intervals *iv, uint32_t k)
{
	struct levels levels;
	uint64_t ns;

	levels_compute(iv, m->start_ns, m->end_ns, &levels);
	ns = levels_at_least(&levels, k);
	free(levels.ns);
	return ns;
}

/* The stays may not all have been as drawn. */
static void bounds_fill(const struct model *m, struct report_parallelism *p)
{
	struct intervals upper = { 0 };
	struct sets sets = { 0 };

	sets_collect(&sets, m);
	stays_join(&sets.longest, m, &upper);
	p->parallel_upper_ns = time_at_least(m, &upper, 2);
	p->busy_upper_ns = time_at_least(m, &upper, 1);
	p->parallel_lower_ns = time_at_least(m, &sets.certain, 2);
	p->busy_lower_ns = time_at_least(m, &sets.shortest, 1);
	free(upper.v);
	sets_release(&sets);
}

/* The stays as drawn. Return: whether one of them is in doubt. */
static bool drawn_sweep(const struct model *m, struct report_parallelism *p, struct levels *out)
{
	const struct model_task *task;
	const struct model_span *s;
	struct timeline timeline;
	struct level_sweep sweep;
	bool doubt = false;

	timeline_init(&timeline, m, SPAN_RUNNING);
	level_sweep_begin(&sweep, m->start_ns);
	while ((s = timeline_next(&timeline, &task))) {
		uint64_t start_ns = max_u64(s->start_ns, m->start_ns);
		uint64_t end_ns = min_u64(s->end_ns, m->end_ns);

		doubt |= s->flags & SPAN_HIDDEN_START || span_is_doubtful(m, s);
		if (start_ns >= end_ns)
			continue;
		level_sweep_add(&sweep, start_ns, end_ns);
		p->run_ns += end_ns - start_ns;
	}
	level_sweep_end(&sweep, m->end_ns, out);
	timeline_release(&timeline);
	return doubt;
}

static void parallelism_run(const struct model *m, struct report *r)
{
	struct report_parallelism *p = &r->parallelism;
	struct levels levels;
	bool doubt = drawn_sweep(m, p, &levels);

	p->profile_ns = levels.ns;
	p->profile_cnt = levels.cnt;
	p->max = levels.cnt - 1;
	p->busy_ns = levels_at_least(&levels, 1);
	p->parallel_ns = levels_at_least(&levels, 2);
	p->parallel_lower_ns = p->parallel_upper_ns = p->parallel_ns;
	p->busy_lower_ns = p->busy_upper_ns = p->busy_ns;
	if (doubt || !m->complete || m->gap_cnt)
		bounds_fill(m, p);
	if (p->max >= 2 || doubt)
		overlap_pairs(m, &r->clocks, p);
	if (p->longest_overlap_ns > WITNESS_LEAST_NS)
		overlap_witness(m, &r->clocks, &p->witness);
}

const struct analysis analysis_parallelism = { .name = "parallelism", .run = parallelism_run };
