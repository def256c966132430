/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Random small worlds of single nanoseconds, each looked at by itself: the parts of the
 * capacity must be what counting at every instant gives, to the nanosecond.
 */
#include <ctype.h>
#include <string.h>

#include "analyze_fixture.h"
#include "unit.h"
#include "util/alloc.h"

#define WORLDS 20000
#define CPUS 5
#define TASKS 6
#define UNITS 64
#define DENOMINATOR 60		/* every number up to TASKS divides it */

struct world {
	struct afx f;
	uint64_t seed;
	unsigned int cpu_cnt, task_cnt, unit_cnt;
	char life[TASKS][UNITS + 1];	/* ' ': not alive */
	uint8_t class[CPUS][UNITS];
};

/* A sum of fractions: once exactly, once as it is specified, cut to 2^-32 ns in every stretch. */
struct share {
	uint64_t exact;		/* in 1 / DENOMINATOR ns */
	unsigned __int128 cut;
};

static char random_state(struct world *w, const bool *taken)
{
	static const char blocks[] = "LCJWEPSINUDFKTGO";
	uint32_t cpu = afx_random(&w->seed, w->cpu_cnt);

	switch (afx_random(&w->seed, 4)) {
	case 0:
		return '.';
	case 1:
		return blocks[afx_random(&w->seed, afx_random(&w->seed, 2) ? 16 : 3)];
	default:
		return taken[cpu] ? '.' : (char)('0' + cpu);
	}
}

static void world_lives(struct world *w)
{
	unsigned int keep = 2 + afx_random(&w->seed, 16);

	for (unsigned int u = 0; u < w->unit_cnt; u++) {
		bool taken[CPUS] = { false }, kept[TASKS] = { false };

		for (unsigned int t = 0; u && t < w->task_cnt; t++) {
			char c = w->life[t][u - 1];

			kept[t] = afx_random(&w->seed, keep);
			w->life[t][u] = c;
			if (kept[t] && isdigit((unsigned char)c))
				taken[c - '0'] = true;
		}
		for (unsigned int t = 0; t < w->task_cnt; t++) {
			char c = kept[t] ? w->life[t][u] : random_state(w, taken);

			w->life[t][u] = c;
			if (isdigit((unsigned char)c))
				taken[c - '0'] = true;
		}
	}
}

static void world_tasks(struct world *w)
{
	for (unsigned int t = 0; t < w->task_cnt; t++) {
		unsigned int from = afx_random(&w->seed, 3) ? 0 : afx_random(&w->seed, w->unit_cnt);
		unsigned int until = w->unit_cnt;

		if (!afx_random(&w->seed, 3))
			until = from + afx_random(&w->seed, w->unit_cnt - from);
		memset(w->life[t] + until, ' ', UNITS - until);
		w->life[t][until] = '\0';
		afx_task(&w->f, from, w->life[t] + from);
		w->life[t][until] = ' ';
		memset(w->life[t], ' ', from);
	}
	for (size_t i = 0; i < w->f.m.span_cnt; i++)
		if (afx_any_span(&w->f, i)->state == SPAN_READY && afx_random(&w->seed, 4))
			afx_any_span(&w->f, i)->cpu = (uint16_t)afx_random(&w->seed, w->cpu_cnt);
}

/* Where no task of ours runs: idle, foreign or unknown. */
static void world_cpus(struct world *w)
{
	struct model *m = &w->f.m;

	for (unsigned int cpu = 0; cpu < w->cpu_cnt; cpu++) {
		static const uint8_t others[] = {
			LAB_CPU_IDLE, LAB_CPU_IDLE, LAB_CPU_IDLE, LAB_CPU_FOREIGN, LAB_CPU_UNKNOWN,
		};
		uint8_t class = LAB_CPU_IDLE;

		m->cpus[cpu].seg_first = m->cpu_seg_cnt;
		for (unsigned int u = 0; u < w->unit_cnt; u++) {
			struct model_cpu_seg *seg;

			if (!afx_random(&w->seed, 5))
				class = others[afx_random(&w->seed, 5)];
			w->class[cpu][u] = class;
			for (unsigned int t = 0; t < w->task_cnt; t++)
				if (w->life[t][u] == (char)('0' + cpu))
					w->class[cpu][u] = LAB_CPU_OURS;
			seg = m->cpus[cpu].seg_cnt ? &m->cpu_segs[m->cpu_seg_cnt - 1] : NULL;
			if (seg && seg->class == w->class[cpu][u] && afx_random(&w->seed, 3)) {
				seg->end_ns++;
				continue;
			}
			seg = vec_push(m->cpu_segs, m->cpu_seg_cnt, m->cpu_seg_cap);
			seg->start_ns = AFX_START_NS + u;
			seg->end_ns = AFX_START_NS + u + 1;
			seg->class = w->class[cpu][u];
			m->cpus[cpu].seg_cnt++;
		}
	}
}

static void world_make(struct world *w, uint64_t seed)
{
	memset(w, 0, sizeof(*w));
	w->seed = seed * 104729 + 7;
	afx_random(&w->seed, 2);
	w->cpu_cnt = 1 + afx_random(&w->seed, CPUS);
	w->task_cnt = 1 + afx_random(&w->seed, TASKS);
	w->unit_cnt = 4 + afx_random(&w->seed, UNITS - 4);
	afx_init(&w->f, w->cpu_cnt, 1, w->unit_cnt);
	world_lives(w);
	world_tasks(w);
	world_cpus(w);
	w->f.m.meta.quota_milli_cpus = seed % 16 == 0;
	afx_compute(&w->f);
}

/* ---- the same by counting ---- */

static const struct model_span *span_at(const struct world *w, unsigned int t, unsigned int u)
{
	const struct model_task *task = &w->f.m.tasks[t];

	for (size_t i = 0; i < task->span_cnt; i++) {
		const struct model_span *s = &task->spans[i];

		if (s->start_ns <= AFX_START_NS + u && AFX_START_NS + u < s->end_ns)
			return s;
	}
	return NULL;
}

/* Idle CPUs on which a task that is ready will run next. */
static uint64_t on_the_way(const struct world *w, unsigned int u)
{
	uint64_t cnt = 0;

	for (unsigned int cpu = 0; cpu < w->cpu_cnt; cpu++) {
		bool awaited = false;

		for (unsigned int t = 0; t < w->task_cnt; t++)
			awaited |= w->life[t][u] == '.' && span_at(w, t, u)->cpu == cpu;
		cnt += awaited && w->class[cpu][u] == LAB_CPU_IDLE;
	}
	return cnt;
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Sums that need no rounding into @c; how many idle CPUs go to the blocked, and who they are. */
static uint64_t count_unit(const struct world *w, unsigned int u, struct report_capacity *c,
			   uint64_t *by_reason)
{
	uint64_t class[4] = { 0 }, ready = 0, blocked = 0, unplaced, interference, rest;

	memset(by_reason, 0, REASON_CNT * sizeof(*by_reason));
	for (unsigned int cpu = 0; cpu < w->cpu_cnt; cpu++)
		class[w->class[cpu][u]]++;
	for (unsigned int t = 0; t < w->task_cnt; t++) {
		char state = w->life[t][u];

		ready += state == '.';
		if (!isupper((unsigned char)state))
			continue;
		blocked++;
		by_reason[span_at(w, t, u)->reason]++;
	}
	unplaced = smaller(class[LAB_CPU_IDLE], ready);
	interference = smaller(class[LAB_CPU_FOREIGN], ready - unplaced);
	rest = class[LAB_CPU_IDLE] - unplaced;
	c->work_ns += class[LAB_CPU_OURS];
	c->unplaced_ns += unplaced;
	c->latency_ns += on_the_way(w, u);
	c->interference_ns += interference;
	c->other_ns += class[LAB_CPU_FOREIGN] - interference;
	c->unknown_ns += class[LAB_CPU_UNKNOWN];
	c->no_thread_ns += rest - smaller(rest, blocked);
	return smaller(rest, blocked);
}

/* @ns x @num / @den more for one share. */
static void share_add(struct share *s, uint64_t ns, uint64_t num, uint64_t den)
{
	s->exact += ns * num * (DENOMINATOR / den);
	s->cut += ((unsigned __int128)(ns * num) << 32) / den;
}

/* Largest remainder, the slow way: the next one up is the first of those with the most left. */
static void check_shares(const struct share *shares, size_t cnt, uint64_t total_ns,
			 const uint64_t *got)
{
	uint64_t want[REASON_CNT + TASKS] = { 0 }, left = total_ns;
	bool up[REASON_CNT + TASKS] = { false };

	for (size_t i = 0; i < cnt; i++)
		left -= want[i] = (uint64_t)(shares[i].cut >> 32);
	for (; left; left--) {
		size_t best = cnt;

		for (size_t i = 0; i < cnt; i++)
			if (!up[i] && (best == cnt ||
				       (uint32_t)shares[i].cut > (uint32_t)shares[best].cut))
				best = i;
		REQUIRE(best < cnt);
		up[best] = true;
		want[best]++;
	}
	for (size_t i = 0; i < cnt; i++) {
		CHECK_EQ(got[i], want[i]);
		CHECK(got[i] * DENOMINATOR < shares[i].exact + DENOMINATOR);
		CHECK(shares[i].exact < (got[i] + 1) * DENOMINATOR);
	}
}

static void check_blocked(const struct world *w, struct report_capacity *want)
{
	uint64_t at[UNITS][REASON_CNT], cpus[UNITS], total = 0;
	struct share shares[REASON_CNT] = { { 0 } };
	unsigned int first = 0;

	for (unsigned int u = 0; u < w->unit_cnt; u++)
		total += cpus[u] = count_unit(w, u, want, at[u]);
	for (unsigned int u = 0; u < w->unit_cnt; u++) {
		uint64_t tasks = 0;

		if (u + 1 < w->unit_cnt && cpus[u + 1] == cpus[u] &&
		    !memcmp(at[u + 1], at[u], sizeof(at[u])))
			continue;
		for (int k = 0; k < REASON_CNT; k++)
			tasks += at[u][k];
		for (int k = 0; k < REASON_CNT && cpus[u]; k++)
			share_add(&shares[k], (u + 1 - first) * cpus[u], at[u][k], tasks);
		first = u + 1;
	}
	check_shares(shares, REASON_CNT, total, w->f.r.capacity.blocked_ns);
}

static void check_bottles(const struct world *w)
{
	struct share shares[TASKS] = { { 0 } };
	uint64_t heights[TASKS], busy = 0, sum = 0;
	unsigned int first = 0;

	for (unsigned int u = 0; u < w->unit_cnt; u++) {
		bool changes = u + 1 == w->unit_cnt;
		uint64_t running = 0;

		for (unsigned int t = 0; t < w->task_cnt; t++) {
			char now = w->life[t][u], next = w->life[t][u + 1];

			running += isdigit((unsigned char)now) != 0;
			changes |= now != next && (isdigit((unsigned char)now) ||
						   isdigit((unsigned char)next));
		}
		busy += running > 0;
		if (!changes)
			continue;
		for (unsigned int t = 0; t < w->task_cnt; t++)
			if (isdigit((unsigned char)w->life[t][u]))
				share_add(&shares[t], u + 1 - first, 1, running);
		first = u + 1;
	}
	for (unsigned int t = 0; t < w->task_cnt; t++)
		sum += heights[t] = w->f.r.tasks[t].bottle_ns;
	check_shares(shares, w->task_cnt, busy, heights);
	CHECK_EQ(sum + w->f.r.parallelism.profile_ns[0], w->unit_cnt);
}

static void check_largest(const struct report_capacity *c)
{
	uint64_t parts[] = {
		[LOSS_LATENCY] = c->latency_ns, [LOSS_UNDIVIDED] = c->undivided_ns,
		[LOSS_INTERFERENCE] = c->interference_ns, [LOSS_OTHER] = c->other_ns,
		[LOSS_UNKNOWN] = c->unknown_ns, [LOSS_BLOCKED] = c->blocked_ns[c->largest_reason],
		[LOSS_NO_THREAD] = c->no_thread_ns,
	};

	CHECK_EQ(parts[c->largest], c->largest_ns);
	for (int i = 0; i <= LOSS_NO_THREAD; i++)
		CHECK(parts[i] <= c->largest_ns);
	for (int k = 0; k < REASON_CNT; k++)
		CHECK(c->blocked_ns[k] <= c->largest_ns);
}

static void check_capacity(const struct world *w)
{
	const struct report_capacity *c = &w->f.r.capacity;
	struct report_capacity want = { 0 };
	uint64_t sum = c->work_ns + c->unplaced_ns + c->interference_ns + c->other_ns +
		       c->unknown_ns + c->no_thread_ns;

	check_blocked(w, &want);
	CHECK(c->known);
	CHECK_EQ(c->work_ns, want.work_ns);
	CHECK_EQ(c->unplaced_ns, want.unplaced_ns);
	CHECK_EQ(c->latency_known, !w->f.m.meta.quota_milli_cpus);
	CHECK_EQ(c->latency_ns, c->latency_known ? want.latency_ns : 0);
	CHECK_EQ(c->latency_ns + c->undivided_ns, want.unplaced_ns);
	CHECK_EQ(c->interference_ns, want.interference_ns);
	CHECK_EQ(c->other_ns, want.other_ns);
	CHECK_EQ(c->unknown_ns, want.unknown_ns);
	CHECK_EQ(c->no_thread_ns, want.no_thread_ns);
	for (int k = 0; k < REASON_CNT; k++)
		sum += c->blocked_ns[k];
	CHECK_EQ(sum, c->total_ns);
	CHECK_EQ(c->total_ns, (uint64_t)w->cpu_cnt * w->unit_cnt);
	CHECK_EQ(c->work_ns, w->f.r.parallelism.run_ns);
	check_largest(c);
}

TEST(analyze_capacity_oracle_random_worlds)
{
	for (uint64_t i = 0; i < WORLDS; i++) {
		struct world w;

		world_make(&w, i);
		check_capacity(&w);
		check_bottles(&w);
		afx_release(&w.f);
	}
}
