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

#define MILLION 1000000u

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
static void stays_join(struct stays *stays, const struct interval *window, struct intervals *out)
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
		intervals_add(out, open.start_ns, open.end_ns, window->start_ns, window->end_ns);
		open = *s;
	}
	intervals_add(out, open.start_ns, open.end_ns, window->start_ns, window->end_ns);
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
static uint64_t upper_fill(const struct model *m, struct stays *longest,
			   struct report_parallelism *p)
{
	struct interval window = window_longest(m);
	struct intervals upper = { 0 };
	struct levels levels;
	uint64_t beyond_ns;

	for (size_t i = 0; i < m->cpu_cnt && is_anywhere(m); i++)
		*vec_push(longest->v, longest->cnt, longest->cap) =
			(struct stay){ window.start_ns, window.end_ns, m->cpus[i].cpu };
	stays_join(longest, &window, &upper);
	levels_compute(&upper, window.start_ns, window.end_ns, &levels);
	p->max_upper = levels.cnt - 1;
	p->run_upper_ns = time_beyond(&levels, 0);
	p->busy_upper_ns = levels_at_least(&levels, 1);
	p->parallel_upper_ns = levels_at_least(&levels, 2);
	beyond_ns = time_beyond(&levels, 1);
	free(levels.ns);
	free(upper.v);
	return beyond_ns;
}

/* Return: the least that ran beyond one. */
static uint64_t lower_fill(const struct model *m, const struct sets *sets,
			   struct report_parallelism *p)
{
	struct levels levels;
	uint64_t beyond_ns;

	levels_compute(&sets->shortest, m->start_ns, m->end_ns, &levels);
	p->run_lower_ns = time_beyond(&levels, 0);
	p->busy_lower_ns = levels_at_least(&levels, 1);
	p->max_lower = levels.cnt > 1;
	free(levels.ns);
	levels_compute(&sets->certain, m->start_ns, m->end_ns, &levels);
	p->parallel_lower_ns = levels_at_least(&levels, 2);
	p->max_lower = max_u64(p->max_lower, levels.cnt - 1);
	beyond_ns = time_beyond(&levels, 1);
	free(levels.ns);
	return beyond_ns;
}

/*
 * run / busy is 1 + beyond / busy, where beyond is what ran beyond one at every instant: a bound takes the
 * two from opposite ends. @lower_ns, @upper_ns: the bounds of beyond.
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
static void bounds_fill(const struct model *m, struct report_parallelism *p)
{
	uint64_t lower_ns, upper_ns;
	struct sets sets = { 0 };

	sets_collect(&sets, m);
	upper_ns = upper_fill(m, &sets.longest, p);
	lower_ns = lower_fill(m, &sets, p);
	average_fill(p, lower_ns, upper_ns);
	sets_release(&sets);
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
	if (doubt || !m->complete || m->gap_cnt || is_anywhere(m))
		bounds_fill(m, p);
	else
		bounds_meet(p);
	if (p->max >= 2 || doubt)
		overlap_pairs(m, &r->clocks, p);
	if (p->longest_overlap_ns > WITNESS_LEAST_NS)
		overlap_witness(m, &r->clocks, &p->witness);
}

const struct analysis analysis_parallelism = { .name = "parallelism", .run = parallelism_run };
