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
#include "util/minmax.h"

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
	bool masks, holds;		/* there are any, and they are known */
	uint32_t may[TASKS][UNITS];	/* bit c: it may use CPU c */
	bool held[TASKS][UNITS];	/* where it is ready */
};

/* What becomes of the CPUs at one instant. */
struct parts {
	uint64_t unplaced, affinity, throttled, latency, balancing, interference;
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

static void world_masks(struct world *w)
{
	for (unsigned int t = 0; t < w->task_cnt; t++) {
		uint32_t may = (1u << w->cpu_cnt) - 1;

		for (unsigned int u = 0; u < w->unit_cnt; u++) {
			bool news = !u;

			if (w->masks && !afx_random(&w->seed, u ? 12 : 2)) {
				may = afx_random(&w->seed, 1u << w->cpu_cnt);
				news = true;
			}
			w->may[t][u] = may;
			/* Bits beyond the usable CPUs mean nothing. */
			if (news && w->masks)
				afx_allow(&w->f, t, u, may | (uint64_t)afx_random(&w->seed, 4) << 9);
		}
	}
}

static void world_holds(struct world *w)
{
	for (unsigned int t = 0; t < w->task_cnt && w->holds; t++) {
		unsigned int from = 0;

		for (unsigned int u = 0; u < w->unit_cnt; u++) {
			bool ready = w->life[t][u] == '.', before = u && w->held[t][u - 1];

			w->held[t][u] = ready && (afx_random(&w->seed, 4) ? before :
						  afx_random(&w->seed, 2));
			if (w->held[t][u] && !before)
				from = u;
			if (before && !w->held[t][u])
				afx_hold(&w->f, t, from, u);
		}
		if (w->held[t][w->unit_cnt - 1])
			afx_hold(&w->f, t, from, w->unit_cnt);
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
	w->f.m.holds_known = seed % 16 != 0;
	w->masks = seed % 2;
	w->holds = w->f.m.holds_known && !(seed % 3);
	world_masks(w);
	world_holds(w);
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

/* Idle CPUs on which a task that is ready, and may run there, will run next. */
static uint64_t on_the_way(const struct world *w, unsigned int u)
{
	uint64_t cnt = 0;

	for (unsigned int cpu = 0; cpu < w->cpu_cnt; cpu++) {
		bool awaited = false;

		for (unsigned int t = 0; t < w->task_cnt; t++)
			awaited |= w->life[t][u] == '.' && !w->held[t][u] &&
				   w->may[t][u] >> cpu & 1 && span_at(w, t, u)->cpu == cpu;
		cnt += awaited && w->class[cpu][u] == LAB_CPU_IDLE;
	}
	return cnt;
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static int max(int a, int b)
{
	return a > b ? a : b;
}

/* The most of the CPUs in @offered that ready tasks from @t on can use; with or without the held ones. */
static uint64_t best(const struct world *w, unsigned int u, unsigned int t, uint32_t offered,
		     bool with_held)
{
	uint64_t most;

	while (t < w->task_cnt && (w->life[t][u] != '.' || (w->held[t][u] && !with_held)))
		t++;
	if (t == w->task_cnt || !offered)
		return 0;
	most = best(w, u, t + 1, offered, with_held);
	for (uint32_t left = w->may[t][u] & offered; left; left &= left - 1) {
		uint64_t with = 1 + best(w, u, t + 1, offered & ~(left & -left), with_held);

		most = with > most ? with : most;
	}
	return most;
}

/* What the ready tasks from @t on must still explain: so many idle CPUs each. */
struct due {
	uint64_t affinity, throttled, free;
};

/*
 * The most CPUs of other programs (@theirs) that can be given to tasks that are not held, each task
 * explaining one CPU, when all that is due is explained, too; -1 if it cannot be.
 */
static int beyond(const struct world *w, unsigned int u, unsigned int t, uint32_t idle,
		  uint32_t theirs, struct due due)
{
	uint32_t may;
	int most;

	while (t < w->task_cnt && w->life[t][u] != '.')
		t++;
	if (t == w->task_cnt)
		return due.affinity || due.throttled || due.free ? -1 : 0;
	most = beyond(w, u, t + 1, idle, theirs, due);
	if (due.affinity) {
		due.affinity--;
		most = max(most, beyond(w, u, t + 1, idle, theirs, due));
		due.affinity++;
	}
	may = w->may[t][u];
	if (w->held[t][u] ? due.throttled : due.free) {
		struct due less = due;

		less.throttled -= w->held[t][u];
		less.free -= !w->held[t][u];
		for (uint32_t left = may & idle; left; left &= left - 1)
			most = max(most, beyond(w, u, t + 1, idle & ~(left & -left), theirs, less));
	}
	for (uint32_t left = w->held[t][u] ? 0 : may & theirs; left; left &= left - 1) {
		int with = beyond(w, u, t + 1, idle, theirs & ~(left & -left), due);

		most = max(most, with < 0 ? -1 : with + 1);
	}
	return most;
}

static void divide(const struct world *w, unsigned int u, struct parts *p)
{
	uint32_t idle = 0, theirs = 0;
	uint64_t ready = 0, all, free;

	for (unsigned int cpu = 0; cpu < w->cpu_cnt; cpu++) {
		idle |= (w->class[cpu][u] == LAB_CPU_IDLE) << cpu;
		theirs |= (w->class[cpu][u] == LAB_CPU_FOREIGN) << cpu;
	}
	for (unsigned int t = 0; t < w->task_cnt; t++)
		ready += w->life[t][u] == '.';
	all = best(w, u, 0, idle, true);
	free = best(w, u, 0, idle, false);
	p->unplaced = smaller((uint64_t)__builtin_popcount(idle), ready);
	p->affinity = p->unplaced - all;
	p->throttled = all - free;
	p->latency = on_the_way(w, u);
	p->balancing = free - p->latency;
	if (w->masks || w->holds) {
		int most = beyond(w, u, 0, idle, theirs,
				  (struct due){ p->affinity, p->throttled, free });

		REQUIRE(most >= 0);
		p->interference = (uint64_t)most;
	} else {
		p->interference = smaller((uint64_t)__builtin_popcount(theirs),
					  ready - p->unplaced);
	}
}

/* Sums that need no rounding into @c; how many idle CPUs go to the blocked, and who they are. */
static uint64_t count_unit(const struct world *w, unsigned int u, struct report_capacity *c,
			   uint64_t *by_reason)
{
	uint64_t class[4] = { 0 }, blocked = 0, rest;
	bool held = false;
	struct parts p;

	memset(by_reason, 0, REASON_CNT * sizeof(*by_reason));
	for (unsigned int cpu = 0; cpu < w->cpu_cnt; cpu++)
		class[w->class[cpu][u]]++;
	for (unsigned int t = 0; t < w->task_cnt; t++) {
		char state = w->life[t][u];

		held |= w->held[t][u];
		if (!isupper((unsigned char)state))
			continue;
		blocked++;
		by_reason[span_at(w, t, u)->reason]++;
	}
	divide(w, u, &p);
	rest = class[LAB_CPU_IDLE] - p.unplaced;
	c->work_ns += class[LAB_CPU_OURS];
	c->unplaced_ns += p.unplaced;
	c->latency_ns += p.latency;
	c->affinity_ns += p.affinity;
	c->throttled_ns += p.throttled;
	c->balancing_ns += p.balancing;
	c->held_ns += held;
	c->interference_ns += p.interference;
	c->other_ns += class[LAB_CPU_FOREIGN] - p.interference;
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
		[LOSS_NO_THREAD] = c->no_thread_ns, [LOSS_AFFINITY] = c->affinity_ns,
		[LOSS_THROTTLED] = c->throttled_ns, [LOSS_BALANCING] = c->balancing_ns,
	};

	CHECK_EQ(parts[c->largest], c->largest_ns);
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		CHECK(parts[i] <= c->largest_ns);
	for (int k = 0; k < REASON_CNT; k++)
		CHECK(c->blocked_ns[k] <= c->largest_ns);
}

/* Known is what was recorded; of worlds in which all was, no part is left over. */
static void check_unplaced(const struct world *w, const struct report_capacity *want)
{
	const struct report_capacity *c = &w->f.r.capacity;
	bool ready = false, every, known = w->f.m.holds_known;

	for (size_t i = 0; i < w->f.m.task_cnt; i++)
		for (size_t j = 0; j < w->f.m.tasks[i].span_cnt; j++)
			ready |= w->f.m.tasks[i].spans[j].state == SPAN_READY;
	every = w->masks || !ready;
	CHECK_EQ(c->affinity_known, every);
	CHECK_EQ(c->latency_known, known);
	CHECK_EQ(c->throttled_known, known && (every || !w->f.m.hold_cnt));
	CHECK_EQ(c->affinity_ns, every ? want->affinity_ns : 0);
	CHECK_EQ(c->latency_ns, known ? want->latency_ns : 0);
	CHECK_EQ(c->throttled_ns, c->throttled_known ? want->throttled_ns : 0);
	CHECK_EQ(c->held_ns, c->throttled_known ? want->held_ns : 0);
	CHECK_EQ(c->balancing_ns, every && c->throttled_known ? want->balancing_ns : 0);
	CHECK_EQ(c->latency_ns + c->affinity_ns + c->throttled_ns + c->balancing_ns +
		 c->undivided_ns, want->unplaced_ns);
	if (every && known)
		CHECK_EQ(c->undivided_ns, 0);
}

/* The pair that is named: of a set, and a CPU outside of it. */
static void check_pinned(const struct world *w)
{
	const struct report_capacity *c = &w->f.r.capacity;
	uint64_t ns[1 << CPUS][CPUS] = { { 0 } }, most = 0;
	uint32_t every = (1u << w->cpu_cnt) - 1, set = 0;
	unsigned int cpu = 0;

	for (unsigned int u = 0; u < w->unit_cnt && c->affinity_known; u++) {
		bool met[1 << CPUS] = { false };
		struct parts p;

		divide(w, u, &p);
		for (unsigned int t = 0; t < w->task_cnt && p.affinity; t++)
			met[w->may[t][u]] |= w->life[t][u] == '.';
		for (uint32_t s = 0; s < every; s++)
			for (unsigned int i = 0; i < w->cpu_cnt && met[s]; i++)
				ns[s][i] += !(s >> i & 1) && w->class[i][u] == LAB_CPU_IDLE;
	}
	for (uint32_t s = 0; s < every; s++)
		for (unsigned int i = 0; i < w->cpu_cnt; i++)
			if (ns[s][i] > most) {
				most = ns[s][i];
				set = s;
				cpu = i;
			}
	CHECK_EQ(c->pinned_ns, most);
	for (uint32_t i = 0; i < c->pinned_to_cnt; i++)
		set ^= 1u << c->pinned_to[i];
	CHECK_EQ(set, 0);
	CHECK_EQ(c->pinned_idle_cpu, most ? cpu : 0);
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
	check_unplaced(w, &want);
	check_pinned(w);
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
