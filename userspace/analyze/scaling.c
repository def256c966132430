/* SPDX-License-Identifier: GPL-2.0-only */
#include "analyze/scaling.h"

#include <stdlib.h>

#include "util/alloc.h"

/*
 * Rows of a comparison are of equal work; here a point may have another amount. The first way's
 * run in a round, for the speedup, is one that would have taken as long with this point's amount.
 */
static void fill_point(const struct trial *trials, const uint64_t *amounts, struct scaling *s,
		       size_t p)
{
	static const char *const pair[] = { "base", "point" };
	struct trial *two = xcalloc(2 * (size_t)s->repeats + 1, sizeof(*two));
	struct comparison_work work = { .name = s->workload };

	for (size_t r = 0; r < s->repeats; r++) {
		struct trial *base = &two[2 * r];

		*base = trials[r * s->point_cnt];
		base->wall_ns = (uint64_t)((long double)base->wall_ns * (long double)amounts[p] /
					   (long double)amounts[0] + 0.5L);
		two[2 * r + 1] = trials[r * s->point_cnt + p];
	}
	comparison_work(two, pair, 2, s->repeats, &work);
	s->points[p].runs = work.rows[1];
	free(two);
}

static enum scaling_doubt doubt_of(const struct scaling *s, const struct trial *trials, size_t p,
				   uint32_t tasks)
{
	unsigned __int128 ready_ns = 0, life_ns = 0;

	if (s->over_cpus)
		return s->points[p].n > tasks ? SCALING_FEW_TASKS : SCALING_GOOD;
	if (s->points[p].n <= s->cpus)
		return SCALING_GOOD;
	for (size_t r = 0; r < s->repeats; r++) {
		const struct trial *t = &trials[r * s->point_cnt + p];

		ready_ns += t->ready_ns;
		life_ns += t->life_ns;
	}
	return ready_ns * 100 >= life_ns * SCALING_STARVED_PERCENT ? SCALING_FEW_CPUS :
								     SCALING_GOOD;
}

/* Throughputs over the median one of the first point: single runs, so that their noise shows. */
static size_t gather(const struct trial *trials, const uint64_t *amounts, const struct scaling *s,
		     struct scaling_sample *samples)
{
	double first = (double)amounts[0] / (double)s->points[0].runs.wall_ns.median;
	size_t cnt = 0;

	for (size_t p = 0; p < s->point_cnt; p++)
		for (size_t r = 0; r < s->repeats && s->points[p].doubt == SCALING_GOOD; r++) {
			uint64_t wall_ns = trials[r * s->point_cnt + p].wall_ns;

			if (wall_ns && first > 0)
				samples[cnt++] = (struct scaling_sample){
					.n = s->points[p].n,
					.x = (double)amounts[p] / (double)wall_ns / first,
				};
		}
	return cnt;
}

void scaling_compute(const struct trial *trials, const uint64_t *amounts, uint32_t tasks,
		     struct scaling *s)
{
	struct scaling_sample *samples = xcalloc(s->point_cnt * s->repeats + 1, sizeof(*samples));
	size_t cnt;

	for (size_t p = 0; p < s->point_cnt; p++) {
		fill_point(trials, amounts, s, p);
		s->points[p].doubt = doubt_of(s, trials, p, tasks);
	}
	cnt = s->point_cnt ? gather(trials, amounts, s, samples) : 0;
	for (int law = 0; law < LAW_CNT; law++) {
		scaling_fit((enum scaling_law)law, samples, cnt, &s->fits[law]);
		for (size_t p = 0; p < s->point_cnt && s->fits[law].known; p++)
			s->points[p].predicted[law] = scaling_at(&s->fits[law], s->points[p].n);
	}
	free(samples);
}
