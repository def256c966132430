/* SPDX-License-Identifier: GPL-2.0-only */
#include "analyze/noise.h"
#include "model/reasons.h"
#include "render/json_parts.h"

/*
 * without_others: for a key of the report, under the same path, the range [low, high] in which its
 * value would have been without other programs.
 */

static void put_range(struct json *j, const char *key, uint64_t low, uint64_t high)
{
	json_open_list(j, key);
	json_uint(j, NULL, low);
	json_uint(j, NULL, high);
	json_close_array(j);
}

static void put_averages(struct json *j, const char *key, uint64_t run_ns, uint64_t most_ns,
			 uint64_t least_ns)
{
	json_open_list(j, key);
	json_ratio(j, NULL, run_ns, most_ns);
	json_ratio(j, NULL, run_ns, least_ns);
	json_close_array(j);
}

static void put_part(struct json *j, const char *key, const struct report *r, uint64_t part_ns)
{
	struct noise_range range = noise_of_idle(r, part_ns);

	put_range(j, key, range.low, range.high);
}

static void put_part_if(struct json *j, const char *key, bool there, const struct report *r,
			uint64_t part_ns)
{
	json_begin_if(j, there);
	put_part(j, key, r, part_ns);
	json_end_if(j);
}

static void put_capacity(struct json *j, const struct report *r)
{
	const struct report_capacity *c = &r->capacity;
	struct noise_range work = noise_of_work(r);
	uint64_t blocked_ns = 0;

	json_begin_if(j, c->known);
	json_open_object(j, "capacity");
	put_range(j, "work_ns", work.low, work.high);
	put_part(j, "unplaced_ns", r, c->unplaced_ns);
	json_open_row(j, "unplaced");
	put_part_if(j, "latency_ns", c->latency_known, r, c->latency_ns);
	put_part_if(j, "affinity_ns", c->affinity_known, r, c->affinity_ns);
	put_part_if(j, "throttled_ns", c->throttled_known, r, c->throttled_ns);
	put_part_if(j, "balancing_ns", c->affinity_known && c->throttled_known, r, c->balancing_ns);
	put_part(j, "undivided_ns", r, c->undivided_ns);
	json_close_object(j);
	put_range(j, "interference_ns", 0, c->interference_ns);
	put_range(j, "other_ns", 0, c->other_ns);
	put_range(j, "unknown_ns", 0, c->unknown_ns);
	for (int i = REASON_NONE + 1; i < REASON_CNT; i++)
		blocked_ns += c->blocked_ns[i];
	put_part(j, "all_blocked_ns", r, blocked_ns);
	json_open_object(j, "blocked_ns");
	for (int i = REASON_NONE + 1; i < REASON_CNT; i++)
		put_part(j, reason_name(i), r, c->blocked_ns[i]);
	json_close_object(j);
	put_part(j, "no_thread_ns", r, c->no_thread_ns);
	json_close_object(j);
	json_end_if(j);
}

void json_noise(struct json *j, const struct model *m, const struct report *r)
{
	const struct report_parallelism *p = &r->parallelism;
	const struct report_noise *n = &r->noise;
	uint64_t window_ns = json_rel(m, m->end_ns);

	json_open_object(j, "without_others");
	json_uint(j, "interference_ns", n->interference_ns);
	json_uint(j, "interfered_ns", n->interfered_ns);
	json_uint(j, "stretched_ns", n->stretched_ns);
	json_open_list(j, "classes");
	for (int class = CLASS_SEQUENTIAL; class <= CLASS_PARALLEL; class++)
		if (n->could_be[class])
			json_str(j, NULL, verdict_class_name((enum verdict_class)class));
	json_close_array(j);
	json_open_row(j, "window");
	put_range(j, "duration_ns", n->window_ns, window_ns);
	json_close_object(j);
	json_open_object(j, "parallelism");
	put_range(j, "max", p->max, n->max);
	put_averages(j, "average", p->run_ns, window_ns, n->window_ns);
	put_averages(j, "average_busy", p->run_ns, p->busy_ns, n->busy_ns);
	put_range(j, "parallel_ns", p->parallel_ns, n->parallel_ns);
	put_range(j, "busy_ns", n->busy_ns, p->busy_ns);
	json_close_object(j);
	put_capacity(j, r);
	json_close_object(j);
}
