/* SPDX-License-Identifier: GPL-2.0-only */
#include "analyze/comparison.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/capacity.h"
#include "util/alloc.h"

static int ascending(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

struct spread spread_of(const uint64_t *values, size_t cnt)
{
	uint64_t *sorted = xcalloc(cnt + 1, sizeof(*sorted));
	struct spread s = { .cnt = (uint32_t)cnt };

	if (cnt) {
		memcpy(sorted, values, cnt * sizeof(*sorted));
		qsort(sorted, cnt, sizeof(*sorted), ascending);
		s.median = sorted[(cnt - 1) / 2];
		s.low = sorted[0];
		s.high = sorted[cnt - 1];
	}
	free(sorted);
	return s;
}

/* To the nearest; 0 if @den is 0. Times a thousand stays far below 2^128. */
static uint64_t milli(uint64_t num, uint64_t den)
{
	return den ? (uint64_t)(((unsigned __int128)num * 2000 + den) /
				((unsigned __int128)den * 2)) : 0;
}

typedef uint64_t figure_fn(const struct trial *trial, const struct trial *base);

static uint64_t wall(const struct trial *t, const struct trial *base)
{
	(void)base;
	return t->wall_ns;
}

static uint64_t first(const struct trial *t, const struct trial *base)
{
	(void)base;
	return t->first_ns;
}

static uint64_t slowest(const struct trial *t, const struct trial *base)
{
	(void)base;
	return t->slowest_ns;
}

static uint64_t memory(const struct trial *t, const struct trial *base)
{
	(void)base;
	return t->memory_bytes;
}

static uint64_t switches(const struct trial *t, const struct trial *base)
{
	(void)base;
	return t->voluntary + t->involuntary;
}

static uint64_t speedup(const struct trial *t, const struct trial *base)
{
	return milli(base->wall_ns, t->wall_ns);
}

/*
 * The speedup if the first way had never waited for a CPU. That way runs one task at a time, so its
 * waits are the most that it lost.
 */
static uint64_t sure_speedup(const struct trial *t, const struct trial *base)
{
	return milli(base->wall_ns -
		     (base->ready_ns < base->wall_ns ? base->ready_ns : base->wall_ns),
		     t->wall_ns);
}

static uint64_t average(const struct trial *t, const struct trial *base)
{
	(void)base;
	return milli(t->run_ns, t->wall_ns);
}

static uint64_t average_busy(const struct trial *t, const struct trial *base)
{
	(void)base;
	return milli(t->run_ns, t->busy_ns);
}

struct runs {
	const struct trial *trials;
	size_t way_cnt, repeats;
};

static const struct trial *run_at(const struct runs *runs, size_t way, size_t round)
{
	return &runs->trials[round * runs->way_cnt + way];
}

/* @zero_counts: else a 0 says that it is not known, and then it is known of none. */
static struct spread figures(const struct runs *runs, size_t way, figure_fn *figure,
			     bool zero_counts)
{
	uint64_t *values = xcalloc(runs->repeats + 1, sizeof(*values));
	struct spread s;
	size_t cnt = 0;

	for (size_t r = 0; r < runs->repeats; r++) {
		values[cnt] = figure(run_at(runs, way, r), run_at(runs, 0, r));
		if (values[cnt] || zero_counts)
			cnt++;
	}
	s = spread_of(values, cnt < runs->repeats ? 0 : cnt);
	free(values);
	return s;
}

static void judge_class(struct comparison_row *row)
{
	row->class = CLASS_NONE;
	if (row->class_cnt[CLASS_INCONCLUSIVE])
		row->class = CLASS_INCONCLUSIVE;
	for (int class = CLASS_SEQUENTIAL; class < CLASS_INCONCLUSIVE; class++)
		if (row->run_cnt && row->class_cnt[class] == row->run_cnt)
			row->class = (enum verdict_class)class;
}

static enum gain judge_gain(const struct runs *runs, size_t way, const struct comparison_row *row)
{
	const struct spread *speedup_milli = &row->speedup_milli;

	if (!speedup_milli->cnt)
		return GAIN_UNCLEAR;
	if (figures(runs, way, sure_speedup, true).low >= COMPARISON_GAIN_MILLI)
		return GAIN_YES;
	return speedup_milli->high < COMPARISON_GAIN_MILLI && !row->disturbed ? GAIN_NO :
										GAIN_UNCLEAR;
}

static void judge_limit(struct comparison_row *row)
{
	struct report_capacity wanted = row->capacity;

	wanted.other = (struct capacity_other){ 0 };
	capacity_find_loss(&wanted);
	row->limit = wanted.largest;
	row->limit_reason = wanted.largest_reason;
	row->limit_ns = wanted.largest_ns;
	row->disturbed = wanted.interference_ns &&
			 wanted.interference_ns / COMPARISON_DISTURBED_PERCENT >=
			 wanted.total_ns / 100;
}

static void fill_row(const struct runs *runs, size_t way, struct comparison_row *row)
{
	row->run_cnt = (uint32_t)runs->repeats;
	row->wall_ns = figures(runs, way, wall, true);
	row->first_ns = figures(runs, way, first, false);
	row->slowest_ns = figures(runs, way, slowest, false);
	row->memory_bytes = figures(runs, way, memory, false);
	row->switches = figures(runs, way, switches, true);
	row->speedup_milli = figures(runs, way, speedup, true);
	row->average_milli = figures(runs, way, average, true);
	row->busy_milli = figures(runs, way, average_busy, true);
	row->capacity = CAPACITY_EMPTY_SUM;
	for (size_t r = 0; r < runs->repeats; r++) {
		const struct trial *trial = run_at(runs, way, r);

		row->class_cnt[trial->class]++;
		if (trial->class == CLASS_INCONCLUSIVE && !row->reason[0])
			snprintf(row->reason, sizeof(row->reason), "%s", trial->reason);
		capacity_add(&row->capacity, &trial->capacity);
	}
	capacity_find_loss(&row->capacity);
	judge_class(row);
	judge_limit(row);
	row->gain = judge_gain(runs, way, row);
}

/* By all of its runs: the slowest of one is clearly faster than the fastest of the other. */
static bool beaten(const struct comparison_work *work, const struct comparison_row *row)
{
	for (size_t i = 0; i < work->row_cnt; i++)
		if (milli(row->wall_ns.low, work->rows[i].wall_ns.high) >= COMPARISON_SAME_MILLI)
			return true;
	return false;
}

/* The row, among the fastest, whose figure is below that of every other by all of its runs. */
static size_t find_least(const struct comparison_work *work, size_t spread_off)
{
	size_t fastest_cnt = 0, least = SIZE_MAX;

	for (size_t i = 0; i < work->row_cnt; i++) {
		const struct spread *mine =
			(const void *)((const char *)&work->rows[i] + spread_off);
		bool is_least = work->rows[i].fastest && mine->cnt;

		fastest_cnt += work->rows[i].fastest;
		for (size_t j = 0; j < work->row_cnt && is_least; j++) {
			const struct spread *other =
				(const void *)((const char *)&work->rows[j] + spread_off);

			if (j != i && work->rows[j].fastest &&
			    (!other->cnt || mine->high >= other->low))
				is_least = false;
		}
		if (is_least)
			least = i;
	}
	return fastest_cnt > 1 ? least : SIZE_MAX;
}

void comparison_work(const struct trial *trials, const char *const *ways, size_t way_cnt,
		     size_t repeats, struct comparison_work *out)
{
	const struct runs runs = { .trials = trials, .way_cnt = way_cnt, .repeats = repeats };

	*out = (struct comparison_work){ .name = out->name, .row_cnt = way_cnt };
	for (size_t w = 0; w < way_cnt; w++) {
		out->rows[w].way = ways[w];
		fill_row(&runs, w, &out->rows[w]);
	}
	for (size_t w = 0; w < way_cnt; w++)
		out->rows[w].fastest = repeats && !beaten(out, &out->rows[w]);
	out->least_memory = find_least(out, offsetof(struct comparison_row, memory_bytes));
	out->least_switches = find_least(out, offsetof(struct comparison_row, switches));
}
