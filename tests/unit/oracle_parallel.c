/* SPDX-License-Identifier: GPL-2.0-only */
/* oracle_parallel - how many ran at once, how many may have, and what proves it. */

#include <stdlib.h>
#include <string.h>

#include "oracle.h"
#include "util/alloc.h"
#include "util/minmax.h"

#define LEAST_NS 1000		/* of a witness's overlap */
#define MILLION 1000000u

/* A stay on a CPU. */
struct stay {
	const struct truth_task *task;
	const struct truth_span *span;
};

struct stays {
	struct stay *v;
	size_t cnt, cap;
};

static struct stays stays_of(const struct oracle *o)
{
	struct stays stays = { 0 };

	for (size_t i = 0; i < o->t->task_cnt; i++)
		for (size_t j = 0; j < o->t->tasks[i].span_cnt; j++)
			if (o->t->tasks[i].spans[j].state == SPAN_RUNNING)
				*vec_push(stays.v, stays.cnt, stays.cap) =
					(struct stay){ &o->t->tasks[i], &o->t->tasks[i].spans[j] };
	return stays;
}

/* ---- as drawn ---- */

static void check_profile(struct oracle *o)
{
	const struct report_parallelism *p = &o->r->parallelism;
	uint64_t *ns = xcalloc(o->t->task_cnt + 1, sizeof(*ns)), sum = 0;
	unsigned int max = 0;

	for (size_t k = 0; k < o->moment_cnt; k++) {
		unsigned int running = moment_count(o, &o->moments[k], SPAN_RUNNING);

		ns[running] += o->moments[k].ns;
		max = running > max ? running : max;
		o->run_ns += running * o->moments[k].ns;
		o->busy_ns += running >= 1 ? o->moments[k].ns : 0;
		o->parallel_ns += running >= 2 ? o->moments[k].ns : 0;
	}
	ORACLE_EQ(o, p->max, max);
	ORACLE_EQ(o, p->profile_cnt, max + 1);
	for (uint32_t i = 0; i < p->profile_cnt && i <= max; i++) {
		ORACLE_EQ(o, p->profile_ns[i], ns[i]);
		sum += p->profile_ns[i];
	}
	ORACLE_EQ(o, sum, o->t->end_ns - o->t->start_ns);
	ORACLE_EQ(o, p->run_ns, o->run_ns);
	ORACLE_EQ(o, p->busy_ns, o->busy_ns);
	ORACLE_EQ(o, p->parallel_ns, o->parallel_ns);
	free(ns);
}

/* ---- as they may have been ---- */

struct bound {
	uint64_t max, run_ns, busy_ns, parallel_ns, beyond_ns;
};

static void bound_add(struct bound *b, unsigned int cnt, uint64_t ns)
{
	b->max = max_u64(b->max, cnt);
	b->run_ns += cnt * ns;
	b->busy_ns += cnt >= 1 ? ns : 0;
	b->parallel_ns += cnt >= 2 ? ns : 0;
	b->beyond_ns += cnt >= 2 ? (cnt - 1) * ns : 0;
}

static int u64_cmp(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* The CPUs that may be ours; and the tasks that run, without those whose beginning nobody saw. */
static void count(const struct stays *stays, uint64_t at_ns, unsigned int *held,
		  unsigned int *certain, unsigned int *drawn)
{
	uint16_t cpus[256];

	*held = *certain = *drawn = 0;
	for (size_t i = 0; i < stays->cnt; i++) {
		const struct truth_span *s = stays->v[i].span;
		bool again = false;

		if (at_ns < s->earliest_ns || at_ns >= s->end_ns)
			continue;
		for (unsigned int j = 0; j < *held; j++)
			again |= cpus[j] == s->cpu;
		if (!again)
			cpus[(*held)++] = s->cpu;
		*drawn += at_ns >= s->start_ns;
		*certain += at_ns >= s->start_ns && !s->hidden;
	}
}

static void collect(const struct stays *stays, struct bound *lower, struct bound *overlap,
		    struct bound *upper)
{
	uint64_t *at = xcalloc(3 * stays->cnt + 1, sizeof(*at));
	size_t cnt = 0;

	for (size_t i = 0; i < stays->cnt; i++) {
		at[cnt++] = stays->v[i].span->earliest_ns;
		at[cnt++] = stays->v[i].span->start_ns;
		at[cnt++] = stays->v[i].span->end_ns;
	}
	qsort(at, cnt, sizeof(*at), u64_cmp);
	for (size_t i = 0; i + 1 < cnt; i++) {
		unsigned int held, certain, drawn;

		if (at[i] == at[i + 1])
			continue;
		count(stays, at[i], &held, &certain, &drawn);
		bound_add(upper, held, at[i + 1] - at[i]);
		bound_add(overlap, certain, at[i + 1] - at[i]);
		bound_add(lower, drawn, at[i + 1] - at[i]);
	}
	free(at);
}

static void check_averages(struct oracle *o, uint64_t lower_ns, uint64_t upper_ns)
{
	const struct report_parallelism *p = &o->r->parallelism;
	unsigned __int128 upper = (unsigned __int128)p->max_upper * MILLION, lower = 0;

	if (p->busy_lower_ns) {
		unsigned __int128 beyond = (unsigned __int128)upper_ns * MILLION;
		unsigned __int128 ppm = MILLION + beyond / p->busy_lower_ns +
					(beyond % p->busy_lower_ns != 0);

		upper = ppm < upper ? ppm : upper;
		lower = MILLION + (unsigned __int128)lower_ns * MILLION / p->busy_upper_ns;
	}
	ORACLE_EQ(o, p->average_busy_lower_ppm, (uint64_t)lower);
	ORACLE_EQ(o, p->average_busy_upper_ppm, (uint64_t)upper);
}

static void check_bounds(struct oracle *o, const struct stays *stays)
{
	const struct report_parallelism *p = &o->r->parallelism;
	struct bound lower = { 0 }, overlap = { 0 }, upper = { 0 };

	collect(stays, &lower, &overlap, &upper);
	ORACLE_EQ(o, p->max_lower, max_u64(lower.max > 0, overlap.max));
	ORACLE_EQ(o, p->max_upper, upper.max);
	ORACLE_EQ(o, p->run_lower_ns, lower.run_ns);
	ORACLE_EQ(o, p->run_upper_ns, upper.run_ns);
	ORACLE_EQ(o, p->busy_lower_ns, lower.busy_ns);
	ORACLE_EQ(o, p->busy_upper_ns, upper.busy_ns);
	ORACLE_EQ(o, p->parallel_lower_ns, overlap.parallel_ns);
	ORACLE_EQ(o, p->parallel_upper_ns, upper.parallel_ns);
	check_averages(o, overlap.beyond_ns, upper.beyond_ns);
}

/* ---- pairs ---- */

static uint64_t overlap_ns(uint64_t a_start, uint64_t a_end, uint64_t b_start, uint64_t b_end)
{
	uint64_t from = max_u64(a_start, b_start), until = min_u64(a_end, b_end);

	return until > from ? until - from : 0;
}

static void check_pairs(struct oracle *o, const struct stays *stays)
{
	uint64_t longest = 0;

	o->beyond_eps = false;
	for (size_t i = 0; i < stays->cnt; i++) {
		for (size_t j = 0; j < i; j++) {
			const struct truth_span *a = stays->v[i].span, *b = stays->v[j].span;

			if (a->cpu == b->cpu)
				continue;
			longest = max_u64(longest, overlap_ns(a->start_ns, a->end_ns, b->start_ns,
							      b->end_ns));
			o->beyond_eps |= overlap_ns(a->earliest_ns, a->end_ns, b->earliest_ns,
						    b->end_ns) > oracle_eps(o, a->cpu, b->cpu);
		}
	}
	ORACLE_EQ(o, o->r->parallelism.longest_overlap_ns, longest);
	ORACLE_EQ(o, o->r->parallelism.beyond_eps, o->beyond_eps);
}

/* ---- the witness ---- */

static bool is_recorded(const struct truth_span *s, bool with_cut)
{
	return !s->hidden && !s->cut_start && (with_cut || !s->cut_end);
}

/* Whether two stays prove that two ran at once. */
static bool proves(const struct oracle *o, const struct stay *a, const struct stay *b)
{
	uint64_t ns = overlap_ns(a->span->start_ns, a->span->end_ns, b->span->start_ns,
				 b->span->end_ns);

	return a->span->cpu != b->span->cpu &&
	       ns > max_u64(LEAST_NS, oracle_eps(o, a->span->cpu, b->span->cpu));
}

static bool any_proves(const struct oracle *o, const struct stays *stays, bool with_cut)
{
	for (size_t i = 0; i < stays->cnt; i++)
		for (size_t j = 0; j < i; j++)
			if (is_recorded(stays->v[i].span, with_cut) &&
			    is_recorded(stays->v[j].span, with_cut) &&
			    proves(o, &stays->v[i], &stays->v[j]))
				return true;
	return false;
}

/* The stay that a part of the witness is. */
static const struct truth_span *stay_of(struct oracle *o, const struct witness_part *part)
{
	const struct truth_task *task = truth_task(o->t, part->task_id);

	for (size_t i = 0; i < task->span_cnt; i++) {
		const struct truth_span *s = &task->spans[i];

		if (s->state == SPAN_RUNNING && s->start_ns == part->start_ns &&
		    s->end_ns == part->end_ns && s->cpu == part->cpu &&
		    s->seq_in == part->seq_in && s->cut_end == part->cut_out &&
		    (s->cut_end || s->seq_out == part->seq_out))
			return s;
	}
	ORACLE(o, false, "task %u has no stay from %" PRIu64 " to %" PRIu64, part->task_id,
	       part->start_ns, part->end_ns);
	return NULL;
}

/* What was recorded says the same: the file's own records are looked up. */
static void check_records(struct oracle *o, const struct witness_part *part)
{
	bool in = false, out = part->cut_out;

	for (size_t i = 0; i < o->s->event_cnt; i++) {
		const union lab_event *ev = &o->s->events[i];

		if (ev->head.cpu != part->cpu || ev->head.kind > LAB_EV_SWITCH_IN)
			continue;
		if (ev->head.seq == part->seq_in && ev->head.ts_ns == part->start_ns)
			in |= ev->head.kind == LAB_EV_SWITCH_IN ?
			      ev->head.task == part->task_id :
			      ev->switch_out.next_id == part->task_id;
		if (ev->head.seq == part->seq_out && ev->head.ts_ns == part->end_ns)
			out |= ev->head.kind == LAB_EV_SWITCH_OUT &&
			       ev->head.task == part->task_id;
	}
	ORACLE(o, in && out, "records %" PRIu64 " and %" PRIu64 " do not show task %u on CPU %u",
	       part->seq_in, part->seq_out, part->task_id, part->cpu);
}

static void check_parts(struct oracle *o, const struct witness *w)
{
	uint64_t from = 0, until = UINT64_MAX, eps = 0;

	for (uint32_t i = 0; i < w->part_cnt; i++) {
		const struct truth_span *s = stay_of(o, &w->parts[i]);

		if (!s)
			return;
		check_records(o, &w->parts[i]);
		from = max_u64(from, s->start_ns);
		until = min_u64(until, s->end_ns);
		for (uint32_t j = 0; j < i; j++) {
			eps = max_u64(eps, oracle_eps(o, w->parts[i].cpu, w->parts[j].cpu));
			ORACLE(o, w->parts[i].cpu != w->parts[j].cpu &&
			       w->parts[i].task_id != w->parts[j].task_id,
			       "the witness has one CPU or task twice");
		}
	}
	ORACLE_EQ(o, w->from_ns, from);
	ORACLE_EQ(o, w->until_ns, until);
	ORACLE_EQ(o, w->eps_ns, eps);
	ORACLE(o, until > from && until - from > max_u64(eps, LEAST_NS),
	       "the witness's overlap proves nothing");
}

/* One bound for all pairs: then the best witness is the best at the start of one of its stays. */
static bool common_bound(const struct oracle *o, uint64_t *least_ns)
{
	*least_ns = 0;
	for (size_t i = 0; i < o->t->cpu_cnt; i++) {
		for (size_t j = 0; j < i; j++) {
			uint64_t ns = max_u64(LEAST_NS, oracle_eps(o, o->t->cpus[i].cpu,
								   o->t->cpus[j].cpu));

			if (*least_ns && ns != *least_ns)
				return false;
			*least_ns = ns;
		}
	}
	return true;
}

/* Most stays that share more than @least_ns, and the longest time that so many share. */
static unsigned int best_degree(const struct stays *stays, bool with_cut, uint64_t least_ns,
				uint64_t *best_ns)
{
	unsigned int best = 0;

	*best_ns = 0;
	for (size_t i = 0; i < stays->cnt; i++) {
		uint64_t from = stays->v[i].span->start_ns, ends[SCHEDULE_CPUS_MAX + 1];
		unsigned int cnt = 0;

		if (!is_recorded(stays->v[i].span, with_cut))
			continue;
		/* Of those that are there at its start, as many as CPUs at most. */
		for (size_t j = 0; j < stays->cnt && cnt <= SCHEDULE_CPUS_MAX; j++) {
			const struct truth_span *s = stays->v[j].span;

			if (is_recorded(s, with_cut) && s->start_ns <= from &&
			    s->end_ns > from + least_ns)
				ends[cnt++] = s->end_ns;
		}
		if (cnt < 2 || cnt < best || stays->v[i].span->end_ns <= from + least_ns)
			continue;
		qsort(ends, cnt, sizeof(*ends), u64_cmp);
		if (cnt > best || ends[0] - from > *best_ns)
			*best_ns = ends[0] - from;
		best = cnt;
	}
	return best;
}

static void check_witness(struct oracle *o, const struct stays *stays)
{
	const struct witness *w = &o->r->parallelism.witness;
	bool recorded = any_proves(o, stays, false);
	uint64_t least_ns, best_ns;
	unsigned int best;

	o->proven = recorded || any_proves(o, stays, true);
	ORACLE(o, o->proven == (w->part_cnt > 0), "a witness of %u parts; two prove it: %d",
	       w->part_cnt, o->proven);
	if (!w->part_cnt)
		return;
	check_parts(o, w);
	if (!common_bound(o, &least_ns))
		return;
	best = best_degree(stays, !recorded, least_ns, &best_ns);
	ORACLE_EQ(o, w->part_cnt, best);
	ORACLE_EQ(o, w->until_ns - w->from_ns, best_ns);
}

void oracle_parallelism(struct oracle *o)
{
	struct stays stays = stays_of(o);

	check_profile(o);
	check_bounds(o, &stays);
	check_pairs(o, &stays);
	check_witness(o, &stays);
	free(stays.v);
}
