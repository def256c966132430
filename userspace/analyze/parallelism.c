/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * parallelism - for how long how many tasks held a CPU.
 *
 * The stays as drawn; and all that may have been (hidden starts at their earliest, and a CPU whose
 * records are missing held throughout), and only what is certain. Without a doubt
 * these are the same.
 */
#include <stdlib.h>

#include "analyze/levels.h"
#include "analyze/overlap.h"
#include "analyze/report.h"
#include "model/timeline.h"
#include "util/alloc.h"
#include "util/minmax.h"

#define MILLION 1000000u

/* What had a CPU for longer than is drawn, or may have had it. */
struct stay {
	uint64_t start_ns, end_ns;
	uint16_t cpu;
};

struct stays {
	struct stay *v;
	size_t cnt, cap;
};

struct bounds {
	struct level_sweep certain;	/* what can overlap for the lower bound */
	struct level_sweep shortest;	/* what certainly kept a CPU busy */
	struct level_sweep longest;	/* by CPU: two on one CPU are no parallelism */
	struct stays doubtful;		/* for longest: what is not as drawn */
};

/* Tasks that were not followed, or probes that did not run: nobody knows where. */
static bool is_anywhere(const struct model *m)
{
	return m->end.storage_failures || m->end.recursion_misses;
}

/* With records missing the window itself may have been longer: as long as was recorded. */
static struct interval window_longest(const struct model *m)
{
	struct interval window = { m->start_ns, m->end_ns };

	if (m->gap_cnt || is_anywhere(m)) {
		window.start_ns = min_u64(window.start_ns, m->meta.armed_ns);
		window.end_ns = max_u64(window.end_ns, m->end.end_ns);
	}
	return window;
}

static void stays_add(struct stays *stays, uint16_t cpu, uint64_t start_ns, uint64_t end_ns)
{
	vec_add(stays->v, stays->cnt, stays->cap, (struct stay){ start_ns, end_ns, cpu });
}

/* Where a damaged file stops, each CPU's last word was said at another time. */
static void stays_add_tails(struct stays *stays, const struct model *m)
{
	for (size_t i = 0; i < m->cpu_cnt; i++) {
		const struct model_cpu *c = &m->cpus[i];
		const struct model_cpu_seg *segs = &m->cpu_segs[c->seg_first];

		if (c->seg_cnt)
			stays_add(stays, c->cpu, segs[c->seg_cnt - 1].start_ns, m->end_ns);
	}
}

static int stay_cmp(const void *a, const void *b)
{
	const struct stay *x = a, *y = b;

	return (x->start_ns > y->start_ns) - (x->start_ns < y->start_ns);
}

/* @hidden: stays whose starts are, at their longest */
static void doubtful_collect(struct stays *out, const struct model *m, const struct slices *hidden,
			     const struct interval *window)
{
	for (size_t i = 0; i < hidden->cnt; i++) {
		const struct slice *s = &hidden->v[i];

		stays_add(out, s->span->cpu, s->start_ns, s->span->end_ns);
	}
	if (!m->complete)
		stays_add_tails(out, m);
	for (size_t i = 0; i < m->gap_cnt; i++)
		stays_add(out, m->gaps[i].cpu, m->gaps[i].from_ns, m->gaps[i].until_ns);
	for (size_t i = 0; i < m->cpu_cnt && is_anywhere(m); i++)
		stays_add(out, m->cpus[i].cpu, window->start_ns, window->end_ns);
	if (out->cnt)
		qsort(out->v, out->cnt, sizeof(*out->v), stay_cmp);
}

static void bounds_add(struct bounds *b, const struct model *m, const struct model_span *s)
{
	if (span_earliest_ns(s) == s->start_ns)
		level_sweep_add_owned(&b->longest, s->cpu, s->start_ns, s->end_ns);
	if (span_is_doubtful(m, s))
		return;
	/* A hidden stay is drawn at its shortest. */
	level_sweep_add(&b->shortest, s->start_ns, s->end_ns);
	if (!(s->flags & SPAN_HIDDEN_START))
		level_sweep_add(&b->certain, s->start_ns, s->end_ns);
}

/* All stays once more, in order of their starts, and what is doubtful among them. */
static void bounds_sweep(struct bounds *b, const struct model *m)
{
	const struct stay *doubtful = b->doubtful.v, *end = doubtful + b->doubtful.cnt;
	const struct model_task *task;
	const struct model_span *s;
	struct timeline timeline;

	timeline_init(&timeline, m);
	while ((s = timeline_next(&timeline, SPAN_RUNNING, &task))) {
		for (; doubtful < end && doubtful->start_ns <= s->start_ns; doubtful++)
			level_sweep_add_owned(&b->longest, doubtful->cpu, doubtful->start_ns,
					      doubtful->end_ns);
		bounds_add(b, m, s);
	}
	for (; doubtful < end; doubtful++)
		level_sweep_add_owned(&b->longest, doubtful->cpu, doubtful->start_ns,
				      doubtful->end_ns);
	timeline_release(&timeline);
}

/* Of every instant, the tasks that run beyond @spared of them. */
static uint64_t time_beyond(const struct levels *l, uint32_t spared)
{
	uint64_t ns = 0;

	for (uint32_t k = spared + 1; k < l->cnt; k++)
		ns += (k - spared) * l->ns[k];
	return ns;
}

/* Return: the most that ran beyond one. */
static uint64_t upper_fill(struct level_sweep *longest, struct report_parallelism *p)
{
	struct levels levels;
	uint64_t beyond_ns;

	level_sweep_end(longest, &levels);
	p->max_upper = levels.cnt - 1;
	p->run_upper_ns = time_beyond(&levels, 0);
	p->busy_upper_ns = levels_at_least(&levels, 1);
	p->parallel_upper_ns = levels_at_least(&levels, 2);
	beyond_ns = time_beyond(&levels, 1);
	free(levels.ns);
	return beyond_ns;
}

/* Return: the least that ran beyond one. */
static uint64_t lower_fill(struct level_sweep *shortest, struct level_sweep *certain,
			   struct report_parallelism *p)
{
	struct levels levels;
	uint64_t beyond_ns;

	level_sweep_end(shortest, &levels);
	p->run_lower_ns = time_beyond(&levels, 0);
	p->busy_lower_ns = levels_at_least(&levels, 1);
	p->max_lower = levels.cnt > 1;
	free(levels.ns);
	level_sweep_end(certain, &levels);
	p->parallel_lower_ns = levels_at_least(&levels, 2);
	p->max_lower = max_u64(p->max_lower, levels.cnt - 1);
	beyond_ns = time_beyond(&levels, 1);
	free(levels.ns);
	return beyond_ns;
}

/*
 * run / busy is 1 + beyond / busy, where beyond is what ran beyond one at every instant. A bound
 * takes the two from opposite ends. @lower_ns, @upper_ns: the bounds of beyond.
 */
static void average_fill(struct report_parallelism *p, uint64_t lower_ns, uint64_t upper_ns)
{
	unsigned __int128 most = (unsigned __int128)p->max_upper * MILLION;
	unsigned __int128 upper = most;

	if (p->busy_lower_ns)
		upper = MILLION + ((unsigned __int128)upper_ns * MILLION + p->busy_lower_ns - 1) /
				  p->busy_lower_ns;
	p->average_busy_upper_ppm = (uint64_t)(upper < most ? upper : most);
	if (p->busy_lower_ns && p->busy_upper_ns)
		p->average_busy_lower_ppm = MILLION + (uint64_t)((unsigned __int128)lower_ns *
						      MILLION / p->busy_upper_ns);
}

/* The stays may not all have been as drawn. */
static void bounds_fill(const struct model *m, const struct slices *hidden,
			struct report_parallelism *p)
{
	struct interval window = window_longest(m);
	struct bounds b = { .doubtful = { 0 } };
	uint64_t lower_ns, upper_ns;

	doubtful_collect(&b.doubtful, m, hidden, &window);
	level_sweep_begin(&b.longest, window.start_ns, window.end_ns);
	level_sweep_begin(&b.shortest, m->start_ns, m->end_ns);
	level_sweep_begin(&b.certain, m->start_ns, m->end_ns);
	bounds_sweep(&b, m);
	upper_ns = upper_fill(&b.longest, p);
	lower_ns = lower_fill(&b.shortest, &b.certain, p);
	average_fill(p, lower_ns, upper_ns);
	free(b.doubtful.v);
}

/* They were as drawn. */
static void bounds_meet(struct report_parallelism *p)
{
	p->max_lower = p->max_upper = p->max;
	p->run_lower_ns = p->run_upper_ns = p->run_ns;
	p->busy_lower_ns = p->busy_upper_ns = p->busy_ns;
	p->parallel_lower_ns = p->parallel_upper_ns = p->parallel_ns;
	average_fill(p, p->run_ns - p->busy_ns, p->run_ns - p->busy_ns);
}

/* The stays as drawn. Return: whether one of them is in doubt. */
static bool drawn_sweep(const struct model *m, struct report_parallelism *p,
			struct overlap *overlap, struct levels *out)
{
	const struct model_task *task;
	const struct model_span *s;
	struct timeline timeline;
	struct level_sweep sweep;
	bool doubt = false;

	timeline_init(&timeline, m);
	level_sweep_begin(&sweep, m->start_ns, m->end_ns);
	while ((s = timeline_next(&timeline, SPAN_RUNNING, &task))) {
		uint64_t start_ns = max_u64(s->start_ns, m->start_ns);
		uint64_t end_ns = min_u64(s->end_ns, m->end_ns);

		doubt |= s->flags & SPAN_HIDDEN_START || span_is_doubtful(m, s);
		overlap_add(overlap, s, task);
		if (start_ns >= end_ns)
			continue;
		level_sweep_add(&sweep, start_ns, end_ns);
		p->run_ns += end_ns - start_ns;
	}
	level_sweep_end(&sweep, out);
	timeline_release(&timeline);
	return doubt;
}

static void parallelism_run(const struct model *m, struct report *r)
{
	struct report_parallelism *p = &r->parallelism;
	struct overlap overlap;
	struct levels levels;
	bool doubt;

	overlap_begin(&overlap, m, &r->clocks);
	doubt = drawn_sweep(m, p, &overlap, &levels);
	p->profile_ns = levels.ns;
	p->profile_cnt = levels.cnt;
	p->max = levels.cnt - 1;
	p->busy_ns = levels_at_least(&levels, 1);
	p->parallel_ns = levels_at_least(&levels, 2);
	if (doubt || !m->complete || m->gap_cnt || is_anywhere(m))
		bounds_fill(m, &overlap.hidden, p);
	else
		bounds_meet(p);
	overlap_end(&overlap, p);
}

const struct analysis analysis_parallelism = { .name = "parallelism", .run = parallelism_run };
