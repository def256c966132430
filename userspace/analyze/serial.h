/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_ANALYZE_SERIAL_H
#define LAB_ANALYZE_SERIAL_H

/* serial - the integrals of struct report_serializer, what follows from them, and who waited. */

#include <stdlib.h>

#include "analyze/report.h"
#include "analyze/share.h"
#include "util/minmax.h"

#define SERIAL_OBJECT_BYTES 256	/* words so near to each other are of one lock */

struct serial_sums {
	unsigned __int128 demand, reached, ready;
};

/* (min(n, cpus) - 1)+ */
static inline uint64_t serial_beyond_one(uint64_t n, uint64_t cpus)
{
	n = min_u64(n, cpus);
	return n ? n - 1 : 0;
}

/* For @ns so many tasks run, are ready, and are blocked. */
static inline void serial_add(struct serial_sums *sums, uint64_t ns, uint64_t running,
			      uint64_t ready, uint64_t blocked, uint64_t cpus)
{
	if (!(running + ready))
		return;
	sums->reached += (unsigned __int128)ns * serial_beyond_one(running, cpus);
	sums->ready += (unsigned __int128)ns * serial_beyond_one(running + ready, cpus);
	sums->demand += (unsigned __int128)ns * serial_beyond_one(running + ready + blocked, cpus);
}

static inline uint64_t serial_saturate(unsigned __int128 ns)
{
	return ns > UINT64_MAX ? UINT64_MAX : (uint64_t)ns;
}

/*
 * Fills the figures. Return: whether at most a tenth of the use was made, and 80 % of the rest is
 * the lock's.
 */
static inline bool serial_judge(const struct serial_sums *s, uint64_t window_ns,
				struct report_serializer *out)
{
	unsigned __int128 missing = s->demand - s->reached, locked = s->demand - s->ready;

	out->demand_ns = serial_saturate(s->demand);
	out->reached_ns = serial_saturate(s->reached);
	out->ready_ns = serial_saturate(s->ready - s->reached);
	out->locked_ns = serial_saturate(locked);
	if (!s->demand || !share_is_5_percent(out->demand_ns, window_ns))
		return false;
	out->measured = true;
	out->index_ppm = (uint32_t)(missing * 1000000 / s->demand);
	return 10 * missing >= 9 * s->demand && 5 * locked >= 4 * missing;
}

/* Whether what is missing for want of records is little beside the use: for less than 5 % of it. */
static inline bool serial_is_known(const struct model *m, const struct report_serializer *s)
{
	uint64_t ns = 0;

	for (size_t i = 0; i < m->gap_cnt; i++) {
		uint64_t from_ns = max_u64(m->gaps[i].from_ns, m->start_ns);
		uint64_t until_ns = min_u64(m->gaps[i].until_ns, m->end_ns);

		ns += until_ns - min_u64(until_ns, from_ns);
	}
	return !m->gap_cnt || !share_is_5_percent(ns, s->demand_ns);
}

struct serial_waiter {
	uint32_t id;
	uint64_t ns;
};

static inline int serial_waiter_cmp(const void *a, const void *b)
{
	const struct serial_waiter *x = a, *y = b;

	if (x->ns != y->ns)
		return x->ns > y->ns ? -1 : 1;
	return (x->id > y->id) - (x->id < y->id);
}

/* Who waited, and for the longest time. Puts @waiters, one per task, in another order. */
static inline void serial_name_tasks(struct serial_waiter *waiters, size_t cnt,
				     struct report_serializer *out)
{
	for (size_t i = 0; i < cnt; i++)
		out->task_cnt += !!waiters[i].ns;
	if (cnt)
		qsort(waiters, cnt, sizeof(*waiters), serial_waiter_cmp);
	for (uint32_t i = 0; i < out->task_cnt && i < SERIALIZER_TASKS_MAX; i++)
		out->tasks[i] = waiters[i].id;
}

#endif /* LAB_ANALYZE_SERIAL_H */
