/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * wakeups - how long tasks that wanted a CPU waited for one, and who had it.
 *
 * Every ready span counts: after a waking, after birth and after a preemption.
 */
#include <stdlib.h>
#include <string.h>

#include "analyze/antagonists.h"
#include "util/alloc.h"
#include "util/minmax.h"

#define DIGIT_BITS 11

/* By digits, lowest first: waits are many and short. */
static void sort_ns(uint64_t *v, size_t cnt, uint64_t max_ns)
{
	uint64_t *to = xcalloc(cnt, sizeof(*to)), *from = v;

	for (unsigned int shift = 0; shift < 64 && max_ns >> shift; shift += DIGIT_BITS) {
		size_t place[(1 << DIGIT_BITS) + 1] = { 0 };
		uint64_t *swap = from;

		for (size_t i = 0; i < cnt; i++)
			place[(from[i] >> shift & ((1 << DIGIT_BITS) - 1)) + 1]++;
		for (size_t d = 0; d < 1 << DIGIT_BITS; d++)
			place[d + 1] += place[d];
		for (size_t i = 0; i < cnt; i++)
			to[place[from[i] >> shift & ((1 << DIGIT_BITS) - 1)]++] = from[i];
		from = to;
		to = swap;
	}
	if (from != v)
		memcpy(v, from, cnt * sizeof(*v));
	free(from == v ? to : from);
}

static unsigned int bucket_of(uint64_t ns)
{
	unsigned int log2 = ns ? 63 - (unsigned int)__builtin_clzll(ns) : 0;

	return log2 < WAIT_BUCKETS ? log2 : WAIT_BUCKETS - 1;
}

/* The smallest value that at least @percent of @sorted do not exceed. */
static uint64_t nearest_rank(const uint64_t *sorted, size_t cnt, unsigned int percent)
{
	return sorted[(cnt * percent + 99) / 100 - 1];
}

static void wakeups_run(const struct model *m, struct report *r)
{
	struct report_waits *w = &r->waits;
	const struct model_span *longest = NULL;
	const struct model_task *whose = NULL;
	uint64_t *ns = NULL;
	size_t cnt = 0, cap = 0;

	for (size_t i = 0; i < m->task_cnt; i++) {
		const struct model_task *t = &m->tasks[i];

		for (size_t j = 0; j < t->span_cnt; j++) {
			const struct model_span *s = &t->spans[j];
			uint64_t wait_ns = s->end_ns - s->start_ns;

			if (s->state != SPAN_READY)
				continue;
			vec_add(ns, cnt, cap, wait_ns);
			w->total_ns += wait_ns;
			w->histogram[bucket_of(wait_ns)]++;
			if (longest && wait_ns <= w->max_ns)
				continue;
			longest = s;
			whose = t;
			w->max_ns = wait_ns;
			w->max_task_id = t->id;
			w->max_start_ns = s->start_ns;
		}
	}
	w->cnt = cnt;
	if (!cnt)
		return;
	sort_ns(ns, cnt, w->max_ns);
	w->p50_ns = nearest_rank(ns, cnt, 50);
	w->p90_ns = nearest_rank(ns, cnt, 90);
	w->p99_ns = nearest_rank(ns, cnt, 99);
	free(ns);
	antagonists_of_all(m, w);
	w->max_held_ns = antagonist_of_one(m, whose, longest, &w->max_antagonist);
}

const struct analysis analysis_wakeups = { .name = "wakeups", .run = wakeups_run };
