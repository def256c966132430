/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * oracle_capacity - where P x T went, moment by moment, and each task's bottle.
 *
 * Shares of a moment are fractions. They are summed twice: exactly, as far as 2^-40 ns, to bound
 * what was reported; and as report.h specifies, cut to 2^-32 ns in each stretch in which they do not
 * change and rounded once by largest remainder, to be equal to it.
 */

#include <stdlib.h>
#include <string.h>

#include "oracle.h"
#include "util/alloc.h"
#include "util/minmax.h"

struct share {
	unsigned __int128 exact;	/* in 2^-40 ns, cut down at most once a moment */
	unsigned __int128 cut;		/* in 2^-32 ns */
	uint64_t cuts;			/* of `exact` */
};

/* @ns x @num / @den more; @stretch_ns: of the whole stretch if it ends here, else 0. */
static void share_add(struct share *s, uint64_t ns, uint64_t stretch_ns, uint64_t num, uint64_t den)
{
	s->exact += ((unsigned __int128)(ns * num) << 40) / den;
	s->cuts++;
	s->cut += ((unsigned __int128)(stretch_ns * num) << 32) / den;
}

/* The next nanosecond goes to the first of those with the largest remainder. */
static void round_up(const struct share *shares, size_t cnt, uint64_t left, uint64_t *want)
{
	bool *up = xcalloc(cnt + 1, sizeof(*up));

	for (; left; left--) {
		size_t best = cnt;

		for (size_t i = 0; i < cnt; i++)
			if (!up[i] && (best == cnt ||
				       (uint32_t)shares[i].cut > (uint32_t)shares[best].cut))
				best = i;
		if (best == cnt)
			break;
		up[best] = true;
		want[best]++;
	}
	free(up);
}

static void check_shares(struct oracle *o, const char *what, const struct share *shares, size_t cnt,
			 uint64_t total, const uint64_t *got)
{
	uint64_t *want = xcalloc(cnt + 1, sizeof(*want)), left = total;

	for (size_t i = 0; i < cnt; i++)
		left -= want[i] = (uint64_t)(shares[i].cut >> 32);
	round_up(shares, cnt, left, want);
	for (size_t i = 0; i < cnt; i++) {
		unsigned __int128 ns = (unsigned __int128)got[i] << 40;
		unsigned __int128 one = (unsigned __int128)1 << 40;

		ORACLE(o, got[i] == want[i], "%s %zu: %" PRIu64 ", should be %" PRIu64, what, i,
		       got[i], want[i]);
		ORACLE(o, ns < shares[i].exact + shares[i].cuts + one && shares[i].exact < ns + one,
		       "%s %zu: %" PRIu64 " is more than 1 ns off", what, i, got[i]);
	}
	free(want);
}

/* ---- capacity ---- */

/* What there is in one moment. */
struct crowd {
	uint64_t cpus[4];	/* by enum lab_cpu_class */
	uint64_t ready, blocked, by_reason[REASON_CNT];
	struct placed placed;
};

static struct crowd crowd_at(const struct oracle *o, const struct moment *at, bool known)
{
	struct crowd c = {
		.ready = moment_count(o, at, SPAN_READY), .placed = oracle_placed(o, at, known),
	};

	for (size_t i = 0; i < o->t->cpu_cnt; i++)
		c.cpus[at->segs[i]->class]++;
	for (size_t i = 0; i < o->t->task_cnt; i++) {
		if (!moment_is(at, i, SPAN_BLOCKED))
			continue;
		c.blocked++;
		c.by_reason[at->spans[i]->reason]++;
	}
	return c;
}

/* Whole nanoseconds into @want. Return: idle CPUs that are put down to the blocked. */
static uint64_t count_whole(const struct crowd *c, uint64_t ns, struct report_capacity *want)
{
	uint64_t idle = c->cpus[LAB_CPU_IDLE], foreign = c->cpus[LAB_CPU_FOREIGN];
	uint64_t unplaced = min_u64(idle, c->ready);
	uint64_t interference = c->placed.interference;
	uint64_t rest = idle - unplaced, blocked = min_u64(rest, c->blocked);

	want->work_ns += ns * c->cpus[LAB_CPU_OURS];
	want->unplaced_ns += ns * unplaced;
	want->latency_ns += ns * c->placed.latency;
	want->affinity_ns += ns * c->placed.affinity;
	want->balancing_ns += ns * c->placed.balancing;
	want->interference_ns += ns * interference;
	want->other_ns += ns * (foreign - interference);
	want->unknown_ns += ns * c->cpus[LAB_CPU_UNKNOWN];
	want->no_thread_ns += ns * (rest - blocked);
	return blocked;
}

static bool same_shares(const struct crowd *a, uint64_t a_cpus, const struct crowd *b,
			uint64_t b_cpus)
{
	return a_cpus == b_cpus &&
	       (!a_cpus || !memcmp(a->by_reason, b->by_reason, sizeof(a->by_reason)));
}

static void check_blocked(struct oracle *o, struct report_capacity *want)
{
	struct share shares[REASON_CNT] = { { 0 } };
	uint64_t total = 0, stretch_ns = 0, cpus = 0, next_cpus = 0;
	struct report_capacity unused = { 0 };
	struct crowd c, next = { 0 };
	bool known = oracle_affinity_known(o);

	for (size_t k = 0; k < o->moment_cnt; k++) {
		const struct moment *at = &o->moments[k];
		bool last = k + 1 == o->moment_cnt;

		c = k ? next : crowd_at(o, at, known);
		cpus = count_whole(&c, at->ns, want);
		if (!last) {
			next = crowd_at(o, at + 1, known);
			next_cpus = count_whole(&next, 0, &unused);
		}
		total += cpus * at->ns;
		stretch_ns += at->ns;
		if (!last && same_shares(&c, cpus, &next, next_cpus)) {
			for (int i = 0; i < REASON_CNT && cpus; i++)
				share_add(&shares[i], at->ns * cpus, 0, c.by_reason[i], c.blocked);
			continue;
		}
		for (int i = 0; i < REASON_CNT && cpus; i++)
			share_add(&shares[i], at->ns * cpus, stretch_ns * cpus, c.by_reason[i],
				  c.blocked);
		stretch_ns = 0;
	}
	check_shares(o, "blocked", shares, REASON_CNT, total, o->r->capacity.blocked_ns);
}

static void check_largest(struct oracle *o)
{
	const struct report_capacity *c = &o->r->capacity;
	uint64_t parts[] = {
		[LOSS_LATENCY] = c->latency_ns, [LOSS_UNDIVIDED] = c->undivided_ns,
		[LOSS_INTERFERENCE] = c->interference_ns, [LOSS_OTHER] = c->other_ns,
		[LOSS_UNKNOWN] = c->unknown_ns, [LOSS_BLOCKED] = c->blocked_ns[c->largest_reason],
		[LOSS_NO_THREAD] = c->no_thread_ns, [LOSS_AFFINITY] = c->affinity_ns,
		[LOSS_THROTTLED] = c->throttled_ns, [LOSS_BALANCING] = c->balancing_ns,
	};

	ORACLE_EQ(o, parts[c->largest], c->largest_ns);
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		ORACLE(o, parts[i] <= c->largest_ns, "loss %zu is larger than the largest", i);
	for (int k = 0; k < REASON_CNT; k++)
		ORACLE(o, c->blocked_ns[k] <= c->largest_ns, "%s is larger than the largest",
		       reason_name((enum reason)k));
}

/* Under a quota nothing is recorded of whom it holds back. */
static void check_unplaced(struct oracle *o, const struct report_capacity *want)
{
	const struct report_capacity *c = &o->r->capacity;
	bool quota = o->s->meta.quota_milli_cpus;

	ORACLE_EQ(o, c->latency_known, !quota);
	ORACLE_EQ(o, c->throttled_known, !quota);
	ORACLE_EQ(o, c->affinity_known, oracle_affinity_known(o));
	ORACLE_EQ(o, c->latency_ns, c->latency_known ? want->latency_ns : 0);
	ORACLE_EQ(o, c->affinity_ns, c->affinity_known ? want->affinity_ns : 0);
	ORACLE_EQ(o, c->balancing_ns, c->affinity_known && !quota ? want->balancing_ns : 0);
	ORACLE_EQ(o, c->throttled_ns, 0);
	ORACLE_EQ(o, c->latency_ns + c->affinity_ns + c->balancing_ns + c->undivided_ns,
		  c->unplaced_ns);
	ORACLE(o, c->undivided_ns == 0 || !c->affinity_known || quota,
	       "a part of unplaced is left over");
	if (c->affinity_known)
		oracle_pinned(o);
	else
		ORACLE_EQ(o, c->pinned_ns, 0);
}

void oracle_capacity(struct oracle *o)
{
	const struct report_capacity *c = &o->r->capacity;
	uint64_t sum = c->work_ns + c->unplaced_ns + c->interference_ns + c->other_ns +
		       c->unknown_ns + c->no_thread_ns;
	struct report_capacity want = { 0 };

	check_blocked(o, &want);
	ORACLE(o, c->known, "not known");
	ORACLE_EQ(o, c->work_ns, want.work_ns);
	ORACLE_EQ(o, c->unplaced_ns, want.unplaced_ns);
	check_unplaced(o, &want);
	ORACLE_EQ(o, c->interference_ns, want.interference_ns);
	ORACLE_EQ(o, c->other_ns, want.other_ns);
	ORACLE_EQ(o, c->unknown_ns, want.unknown_ns);
	ORACLE_EQ(o, c->no_thread_ns, want.no_thread_ns);
	for (int k = 0; k < REASON_CNT; k++)
		sum += c->blocked_ns[k];
	ORACLE_EQ(o, sum, c->total_ns);
	ORACLE_EQ(o, c->total_ns, o->t->cpu_cnt * (o->t->end_ns - o->t->start_ns));
	ORACLE_EQ(o, c->work_ns, o->run_ns);
	check_largest(o);
}

/* ---- bottles ---- */

/* Whether somebody begins or ends to run at the end of this moment. */
static bool runs_change(const struct oracle *o, size_t k)
{
	const struct moment *at = &o->moments[k];

	if (k + 1 == o->moment_cnt)
		return true;
	for (size_t i = 0; i < o->t->task_cnt; i++) {
		bool now = moment_is(at, i, SPAN_RUNNING), next = moment_is(at + 1, i, SPAN_RUNNING);

		if (now != next || (now && at->spans[i] != (at + 1)->spans[i]))
			return true;
	}
	return false;
}

void oracle_bottles(struct oracle *o)
{
	struct share *shares = xcalloc(o->t->task_cnt + 1, sizeof(*shares));
	uint64_t *got = xcalloc(o->t->task_cnt + 1, sizeof(*got)), stretch_ns = 0, sum = 0;

	for (size_t k = 0; k < o->moment_cnt; k++) {
		const struct moment *at = &o->moments[k];
		unsigned int running = moment_count(o, at, SPAN_RUNNING);
		bool ends = runs_change(o, k);

		stretch_ns += at->ns;
		for (size_t i = 0; i < o->t->task_cnt; i++)
			if (moment_is(at, i, SPAN_RUNNING))
				share_add(&shares[i], at->ns, ends ? stretch_ns : 0, 1, running);
		if (ends)
			stretch_ns = 0;
	}
	for (size_t i = 0; i < o->t->task_cnt; i++)
		sum += got[i] = o->r->tasks[i].bottle_ns;
	check_shares(o, "bottle", shares, o->t->task_cnt, o->busy_ns, got);
	ORACLE_EQ(o, sum + o->r->parallelism.profile_ns[0], o->t->end_ns - o->t->start_ns);
	free(shares);
	free(got);
}
