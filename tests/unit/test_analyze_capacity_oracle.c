/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Random small worlds of single nanoseconds, each looked at by itself: the parts of the
 * capacity must be what counting at every instant gives, to the nanosecond.
 */
#include <ctype.h>
#include <string.h>

#include "capacity_world.h"
#include "oracle_blame.h"
#include "unit.h"
#include "util/alloc.h"
#include "util/minmax.h"

#define WORLDS 20000
#define DENOMINATOR 60		/* every number up to TASKS divides it */

/* What becomes of the CPUs at one instant. */
struct parts {
	uint64_t unplaced, affinity, throttled, latency, balancing, interference;
	uint64_t other_affinity, other_throttled;
};

/* What blocked tasks explain at one instant: idle CPUs, and others that are not ours. */
struct explained {
	struct blamed blamed;
	uint64_t idle, other;	/* CPUs, explained or not */
};

/* A sum of fractions: once exactly, once as it is specified, cut to 2^-32 ns in every stretch. */
struct share {
	uint64_t exact;		/* in 1 / DENOMINATOR ns */
	unsigned __int128 cut;
};

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

/* The most CPUs in @offered that ready tasks from @t on can use; with or without the held ones. */
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
	uint64_t ready = 0, held = 0, all, free, other;
	uint32_t idle = 0, theirs = 0;

	for (unsigned int cpu = 0; cpu < w->cpu_cnt; cpu++) {
		idle |= (w->class[cpu][u] == LAB_CPU_IDLE) << cpu;
		theirs |= (w->class[cpu][u] == LAB_CPU_FOREIGN) << cpu;
	}
	for (unsigned int t = 0; t < w->task_cnt; t++) {
		ready += w->life[t][u] == '.';
		held += w->held[t][u];
	}
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
	/* Ready tasks that explain no CPU yet; held ones explain idle CPUs first. */
	other = (uint64_t)__builtin_popcount(theirs) - p->interference;
	held -= p->throttled;
	held -= smaller(held, p->affinity);
	p->other_throttled = smaller(other, held);
	p->other_affinity = smaller(other - p->other_throttled,
				    ready - p->unplaced - p->interference - held);
}

static bool any_helper(const struct world *w, unsigned int t)
{
	uint64_t most = 0;

	for (unsigned int i = 0; i < w->task_cnt; i++)
		most = w->f.r.tasks[i].run_ns > most ? w->f.r.tasks[i].run_ns : most;
	return 20 * w->f.r.tasks[t].run_ns < most;
}

static bool parks(enum reason reason)
{
	static const enum reason idle[] = {
		REASON_LOCK, REASON_COND, REASON_JOIN, REASON_CHILD, REASON_EPOLL, REASON_POLL,
		REASON_SIGNAL, REASON_SEMAPHORE, REASON_OTHER,
	};

	for (size_t i = 0; i < ARRAY_SIZE(idle); i++)
		if (reason == idle[i])
			return true;
	return false;
}

/* Whom @s is for, when it began. */
static size_t awaited(const struct world *w, unsigned int t, const struct model_span *s)
{
	const struct model_task *task = &w->f.m.tasks[t];
	bool named = s->flags & SPAN_FUTEX && s->flags & SPAN_CUT_END &&
		     s->start_ns == task->wait_start_ns &&
		     (s->reason == REASON_LOCK || s->reason == REASON_JOIN);
	size_t who = BLAME_NOBODY;

	if (named && task->wait_val <= 100 + w->task_cnt) {
		const struct model_task *owner = &w->f.m.tasks[task->wait_val - 101];

		if ((!s->mm_id || owner->mm_id == s->mm_id) && owner->start_ns <= s->start_ns)
			who = task->wait_val - 101;
	}
	if (who == t)
		who = BLAME_NOBODY;
	if (who == BLAME_NOBODY && s->waker_id && s->reason != REASON_SLEEP &&
	    !(s->flags & (SPAN_WOKEN_BY_IRQ | SPAN_CUT_END)))
		who = s->waker_id - 1;
	/* All but the first were made by the first. */
	if (who != BLAME_NOBODY && who && w->f.m.tasks[who].start_ns > s->start_ns)
		who = 0;
	if (who == t || who == BLAME_NOBODY || w->f.m.tasks[who].start_ns > s->start_ns ||
	    w->f.m.tasks[who].end_ns <= s->start_ns)
		return BLAME_NOBODY;
	return who;
}

static struct explained explain(const struct world *w, unsigned int u, const struct parts *p)
{
	struct explained e = { .idle = -p->unplaced, .other = -p->interference };
	struct blame_view views[TASKS] = { { 0 } };
	bool busy = false;

	for (unsigned int cpu = 0; cpu < w->cpu_cnt; cpu++) {
		e.idle += w->class[cpu][u] == LAB_CPU_IDLE;
		e.other += w->class[cpu][u] == LAB_CPU_FOREIGN;
	}
	e.other -= p->other_affinity + p->other_throttled;
	for (unsigned int t = 0; t < w->task_cnt; t++) {
		const struct model_span *s = span_at(w, t, u);

		busy |= s && s->state != SPAN_BLOCKED;
		if (s && s->state == SPAN_BLOCKED)
			views[t] = (struct blame_view){
				.blocked = true, .reason = s->reason,
				.helper = any_helper(w, t) && parks((enum reason)s->reason),
				.endless = s->flags & SPAN_CUT_END, .awaited = awaited(w, t, s),
			};
	}
	e.blamed = oracle_blame(views, w->task_cnt, busy);
	return e;
}

/* Sums that need no rounding into @c. */
static struct explained count_unit(const struct world *w, unsigned int u, struct report_capacity *c)
{
	uint64_t class[4] = { 0 }, idle, both;
	struct explained e;
	bool held = false;
	struct parts p;

	for (unsigned int cpu = 0; cpu < w->cpu_cnt; cpu++)
		class[w->class[cpu][u]]++;
	for (unsigned int t = 0; t < w->task_cnt; t++)
		held |= w->held[t][u];
	divide(w, u, &p);
	e = explain(w, u, &p);
	idle = smaller(e.idle, e.blamed.end_cnt + e.blamed.behind_cnt);
	both = smaller(e.idle + e.other, e.blamed.end_cnt + e.blamed.behind_cnt);
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
	c->no_thread_ns += e.idle - idle;
	c->other.affinity_ns += p.other_affinity;
	c->other.throttled_ns += p.other_throttled;
	c->other.no_thread_ns += e.other - (both - idle);
	return e;
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

/* How many CPUs of each kind go to the ends [0], and behind them [1]. */
struct portions {
	uint64_t idle[2], other[2];
};

static struct portions portions_of(const struct explained *e)
{
	const struct blamed *b = &e->blamed;
	struct portions p = { .idle = { blamed_first(b, e->idle), blamed_rest(b, e->idle) } };

	p.other[0] = blamed_first(b, e->idle + e->other) - p.idle[0];
	p.other[1] = blamed_rest(b, e->idle + e->other) - p.idle[1];
	return p;
}

static bool goes_on(const struct explained *a, const struct explained *b)
{
	struct portions x = portions_of(a), y = portions_of(b);

	return !memcmp(&x, &y, sizeof(x)) &&
	       (!(x.idle[0] + x.other[0]) || !memcmp(&a->blamed, &b->blamed, sizeof(a->blamed)));
}

static void add_shares(struct share *shares, const struct blamed *b, const uint64_t *cpus,
		       uint64_t ns)
{
	for (int k = 0; k < REASON_CNT; k++) {
		if (cpus[0])
			share_add(&shares[k], ns * cpus[0], b->ends[k], b->end_cnt);
		if (cpus[1])
			share_add(&shares[k], ns * cpus[1], b->behind[k], b->behind_cnt);
	}
}

static void check_blocked(const struct world *w, struct report_capacity *want)
{
	struct share idle[REASON_CNT] = { { 0 } }, other[REASON_CNT] = { { 0 } };
	uint64_t idle_ns = 0, other_ns = 0;
	struct explained at[UNITS];
	unsigned int first = 0;

	for (unsigned int u = 0; u < w->unit_cnt; u++)
		at[u] = count_unit(w, u, want);
	for (unsigned int u = 0; u < w->unit_cnt; u++) {
		struct portions p = portions_of(&at[u]);

		idle_ns += p.idle[0] + p.idle[1];
		other_ns += p.other[0] + p.other[1];
		if (u + 1 < w->unit_cnt && goes_on(&at[u], &at[u + 1]))
			continue;
		add_shares(idle, &at[u].blamed, p.idle, u + 1 - first);
		add_shares(other, &at[u].blamed, p.other, u + 1 - first);
		first = u + 1;
	}
	check_shares(idle, REASON_CNT, idle_ns, w->f.r.capacity.blocked_ns);
	check_shares(other, REASON_CNT, other_ns, w->f.r.capacity.other.blocked_ns);
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

/* The whole loss, with the CPUs of other programs as if they were idle; and the largest part. */
static void check_largest(const struct report_capacity *c)
{
	uint64_t parts[LOSS_SERIALIZED + 1 + REASON_CNT] = {
		[LOSS_LATENCY] = c->latency_ns,
		[LOSS_UNDIVIDED] = c->undivided_ns + c->other.undivided_ns,
		[LOSS_INTERFERENCE] = c->interference_ns, [LOSS_UNKNOWN] = c->unknown_ns,
		[LOSS_NO_THREAD] = c->no_thread_ns + c->other.no_thread_ns,
		[LOSS_AFFINITY] = c->affinity_ns + c->other.affinity_ns,
		[LOSS_THROTTLED] = c->throttled_ns + c->other.throttled_ns,
		[LOSS_BALANCING] = c->balancing_ns,
	};
	size_t largest = c->largest;
	uint64_t sum = 0;

	for (int k = 0; k < REASON_CNT; k++)
		parts[LOSS_SERIALIZED + 1 + k] = c->blocked_ns[k] + c->other.blocked_ns[k];
	if (c->largest == LOSS_BLOCKED || c->largest == LOSS_SERIALIZED)
		largest = LOSS_SERIALIZED + 1 + (size_t)c->largest_reason;
	CHECK_EQ(parts[largest], c->largest_ns);
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		CHECK(parts[i] <= c->largest_ns || c->largest == LOSS_SERIALIZED);
		sum += parts[i];
	}
	CHECK_EQ(sum, c->total_ns - c->work_ns);
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
	if (every && c->throttled_known) {
		CHECK_EQ(c->other.affinity_ns, want->other.affinity_ns);
		CHECK_EQ(c->other.throttled_ns, want->other.throttled_ns);
	}
	CHECK_EQ(c->other.affinity_ns + c->other.throttled_ns + c->other.undivided_ns,
		 want->other.affinity_ns + want->other.throttled_ns);
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
	CHECK_EQ(c->other.no_thread_ns, want.other.no_thread_ns);
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
