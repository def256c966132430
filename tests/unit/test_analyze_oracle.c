/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Random small worlds, looked at unit by unit: what the sweeps compute must be
 * what counting at every instant gives.
 */
#include <string.h>

#include "analyze/clocks.h"
#include "analyze_fixture.h"
#include "unit.h"
#include "util/minmax.h"

#define WORLDS 12000
#define CPUS 4
#define TASKS 6
#define UNITS 64
#define UNIT_NS 500

struct world {
	struct afx f;
	uint64_t seed;
	unsigned int cpu_cnt, task_cnt, unit_cnt;
	const struct model_span *at[TASKS][UNITS]; /* NULL: not alive */
};

static char random_state(struct world *w, bool *taken)
{
	static const char blocks[] = "LCJWEPSINUDFKTGOAciepslj";
	uint32_t cpu = afx_random(&w->seed, w->cpu_cnt), kind = afx_random(&w->seed, 10);

	if (kind < 5 && !taken[cpu]) {
		taken[cpu] = true;
		return (char)('0' + cpu);
	}
	return kind < 7 ? '.' : blocks[afx_random(&w->seed, sizeof(blocks) - 1)];
}

/* One character per task and unit, no CPU twice in a unit; most tasks go on as they did. */
static void world_lives(struct world *w, char lives[TASKS][UNITS + 1])
{
	for (unsigned int u = 0; u < w->unit_cnt; u++) {
		bool taken[CPUS] = { false }, kept[TASKS] = { false };

		for (unsigned int t = 0; u && t < w->task_cnt; t++) {
			char c = lives[t][u - 1];

			kept[t] = afx_random(&w->seed, 16) < 14;
			lives[t][u] = c;
			if (kept[t] && c >= '0' && c <= '9')
				taken[c - '0'] = true;
		}
		for (unsigned int t = 0; t < w->task_cnt; t++)
			if (!kept[t])
				lives[t][u] = random_state(w, taken);
	}
}

static void world_doubts(struct world *w)
{
	struct model *m = &w->f.m;

	for (size_t i = 0; i < m->span_cnt; i++) {
		struct model_span *s = afx_any_span(&w->f, i);

		if (s->state == SPAN_READY && afx_random(&w->seed, 3))
			s->cpu = (uint16_t)afx_random(&w->seed, w->cpu_cnt);
		if (s->state != SPAN_RUNNING || afx_random(&w->seed, 4))
			continue;
		s->flags |= (uint16_t[]){ SPAN_HIDDEN_START, SPAN_ACROSS_GAP, SPAN_CUT_START,
					  SPAN_CUT_END }[afx_random(&w->seed, 4)];
		if (s->flags & SPAN_HIDDEN_START)
			s->start_min_ns = max_u64(s->start_ns - afx_random(&w->seed, 4) * UNIT_NS,
						  m->start_ns);
	}
	for (uint32_t i = afx_random(&w->seed, 3); i > 0; i--) {
		uint64_t from_ns = m->start_ns + afx_random(&w->seed, w->unit_cnt) * UNIT_NS;
		uint64_t until_ns = from_ns + afx_random(&w->seed, 9) * UNIT_NS;

		afx_gap(&w->f, (uint16_t)afx_random(&w->seed, w->cpu_cnt), from_ns,
			afx_random(&w->seed, 4) ? until_ns : UINT64_MAX, 1);
	}
	m->complete = afx_random(&w->seed, 4);
}

static void world_clocks(struct world *w, bool equal)
{
	if (equal) {
		afx_clocks(&w->f, afx_random(&w->seed, 2000));
		return;
	}
	for (uint16_t i = 1; i < w->cpu_cnt; i++)
		if (afx_random(&w->seed, 9))
			afx_pair(&w->f, 0, i, afx_random(&w->seed, 1500));
}

static void world_make(struct world *w, uint64_t seed)
{
	char lives[TASKS][UNITS + 1] = { { 0 } };

	memset(w, 0, sizeof(*w));
	w->seed = seed * 7919 + 1;
	afx_random(&w->seed, 2);
	w->cpu_cnt = 1 + afx_random(&w->seed, CPUS);
	w->task_cnt = 1 + afx_random(&w->seed, TASKS);
	w->unit_cnt = 8 + afx_random(&w->seed, UNITS - 8);
	afx_init(&w->f, w->cpu_cnt, UNIT_NS, w->unit_cnt);
	world_lives(w, lives);
	for (unsigned int t = 0; t < w->task_cnt; t++) {
		unsigned int from = afx_random(&w->seed, 3) ? 0 : afx_random(&w->seed, w->unit_cnt);

		if (!afx_random(&w->seed, 3))
			lives[t][from + afx_random(&w->seed, w->unit_cnt - from)] = '\0';
		afx_task(&w->f, from, lives[t] + from);
	}
	if (seed % 2)
		world_doubts(w);
	for (uint32_t i = afx_random(&w->seed, 5); i > 0 && seed % 3 == 0; i--) {
		unsigned int from = afx_random(&w->seed, w->unit_cnt);

		afx_op(&w->f, 1, from, from + afx_random(&w->seed, w->unit_cnt - from + 1));
	}
	world_clocks(w, seed % 4 < 2);
	afx_compute(&w->f);

	for (unsigned int t = 0; t < w->task_cnt; t++)
		for (size_t i = 0; i < w->f.m.tasks[t].span_cnt; i++)
			for (unsigned int u = 0; u < w->unit_cnt; u++) {
				const struct model_span *s = afx_span(&w->f, t, i);
				uint64_t ns = AFX_START_NS + u * UNIT_NS;

				if (s->start_ns <= ns && ns < s->end_ns)
					w->at[t][u] = s;
			}
}

static bool runs(const struct world *w, unsigned int t, unsigned int u)
{
	return w->at[t][u] && w->at[t][u]->state == SPAN_RUNNING;
}

/* Whether anything of ours may have had @cpu in unit @u. */
static bool may_be_held(const struct world *w, uint16_t cpu, unsigned int u)
{
	uint64_t ns = AFX_START_NS + u * UNIT_NS, last_ns = UINT64_MAX;

	for (size_t i = 0; i < w->f.m.span_cnt; i++) {
		const struct model_span *s = afx_any_span((struct afx *)&w->f, i);

		if (s->state == SPAN_RUNNING && s->cpu == cpu && s->start_min_ns <= ns &&
		    ns < s->end_ns)
			return true;
	}
	for (size_t i = 0; i < w->f.m.gap_cnt; i++) {
		const struct model_gap *g = &w->f.m.gaps[i];

		if (g->cpu == cpu && g->from_ns <= ns && ns < g->until_ns)
			return true;
	}
	for (size_t i = 0; !w->f.m.complete && i < w->f.m.cpus[cpu].seg_cnt; i++)
		last_ns = w->f.m.cpu_segs[w->f.m.cpus[cpu].seg_first + i].start_ns;
	return last_ns <= ns;
}

static void check_parallelism(const struct world *w)
{
	const struct report_parallelism *p = &w->f.r.parallelism;
	uint64_t profile[TASKS + 1] = { 0 }, busy[3] = { 0 }, parallel[3] = { 0 };
	uint64_t run = 0, sum_ns = 0;

	for (unsigned int u = 0; u < w->unit_cnt; u++) {
		unsigned int drawn = 0, certain = 0, shortest = 0, held = 0;

		for (unsigned int t = 0; t < w->task_cnt; t++) {
			uint16_t flags;

			if (!runs(w, t, u))
				continue;
			flags = w->at[t][u]->flags;
			drawn++;
			if (flags & SPAN_ACROSS_GAP || (flags & SPAN_CUT_END && !w->f.m.complete))
				continue;
			shortest++;
			certain += !(flags & SPAN_HIDDEN_START);
		}
		for (uint16_t cpu = 0; cpu < w->cpu_cnt; cpu++)
			held += may_be_held(w, cpu, u);
		profile[drawn] += UNIT_NS;
		run += drawn * UNIT_NS;
		busy[0] += (shortest >= 1) * UNIT_NS;
		busy[1] += (drawn >= 1) * UNIT_NS;
		busy[2] += (held >= 1) * UNIT_NS;
		parallel[0] += (certain >= 2) * UNIT_NS;
		parallel[1] += (drawn >= 2) * UNIT_NS;
		parallel[2] += (held >= 2) * UNIT_NS;
	}
	for (uint32_t k = 0; k < p->profile_cnt; k++) {
		CHECK_EQ(p->profile_ns[k], profile[k]);
		sum_ns += p->profile_ns[k];
	}
	CHECK_EQ(sum_ns, w->f.m.end_ns - w->f.m.start_ns);
	CHECK_EQ(p->max, p->profile_cnt - 1);
	CHECK_EQ(p->run_ns, run);
	CHECK_EQ(p->busy_lower_ns, busy[0]);
	CHECK_EQ(p->busy_ns, busy[1]);
	CHECK_EQ(p->busy_upper_ns, busy[2]);
	CHECK_EQ(p->parallel_lower_ns, parallel[0]);
	CHECK_EQ(p->parallel_ns, parallel[1]);
	CHECK_EQ(p->parallel_upper_ns, parallel[2]);
}

static uint64_t pair_eps(const struct world *w, const struct model_span *a,
			 const struct model_span *b)
{
	return clocks_eps(&w->f.r.clocks, a->cpu, b->cpu);
}

/* Every pair of stays. */
static void check_pairs(const struct world *w)
{
	const struct model *m = &w->f.m;
	uint64_t longest_ns = 0;
	bool beyond = false;

	for (size_t i = 0; i < m->span_cnt; i++) {
		for (size_t j = 0; j < i; j++) {
			const struct model_span *a = afx_any_span((struct afx *)&w->f, i);
			const struct model_span *b = afx_any_span((struct afx *)&w->f, j);
			uint64_t until_ns = min_u64(a->end_ns, b->end_ns);
			uint64_t from_ns = max_u64(a->start_ns, b->start_ns);
			uint64_t min_ns;

			if (a->state != SPAN_RUNNING || b->state != SPAN_RUNNING)
				continue;
			min_ns = max_u64(a->start_min_ns, b->start_min_ns);
			if (until_ns > from_ns)
				longest_ns = max_u64(longest_ns, until_ns - from_ns);
			beyond |= until_ns > min_ns && until_ns - min_ns > pair_eps(w, a, b);
		}
	}
	CHECK_EQ(w->f.r.parallelism.longest_overlap_ns, longest_ns);
	CHECK_EQ(w->f.r.parallelism.beyond_eps, beyond);
}

/* Their common overlap if it proves them parallel, else 0. */
static uint64_t proven_ns(const struct world *w, const struct model_span *const *set,
			  unsigned int cnt)
{
	uint64_t from_ns = 0, until_ns = UINT64_MAX, least_ns = 1000;

	for (unsigned int i = 0; i < cnt; i++) {
		from_ns = max_u64(from_ns, set[i]->start_ns);
		until_ns = min_u64(until_ns, set[i]->end_ns);
		for (unsigned int j = 0; j < i; j++) {
			if (set[i]->cpu == set[j]->cpu)
				return 0;
			least_ns = max_u64(least_ns, pair_eps(w, set[i], set[j]));
		}
	}
	return until_ns > from_ns && until_ns - from_ns > least_ns ? until_ns - from_ns : 0;
}

/* Every set of stays that are open together when one of them begins. */
static unsigned int best_proof(const struct world *w, bool with_cut, uint64_t *best_ns)
{
	unsigned int best = 0;

	*best_ns = 0;
	for (unsigned int u = 0; u < w->unit_cnt; u++) {
		const struct model_span *open[TASKS], *set[TASKS];
		unsigned int open_cnt = 0;

		for (unsigned int t = 0; t < w->task_cnt; t++) {
			const struct model_span *s = w->at[t][u];

			if (!runs(w, t, u) ||
			    s->flags & (SPAN_HIDDEN_START | SPAN_CUT_START | SPAN_ACROSS_GAP))
				continue;
			if (s->flags & SPAN_CUT_END && !(with_cut && w->f.m.complete))
				continue;
			open[open_cnt++] = s;
		}
		for (unsigned int bits = 0; bits < 1U << open_cnt; bits++) {
			unsigned int cnt = 0;
			uint64_t ns;

			for (unsigned int i = 0; i < open_cnt; i++)
				if (bits >> i & 1)
					set[cnt++] = open[i];
			ns = cnt >= 2 ? proven_ns(w, set, cnt) : 0;
			if (ns && (cnt > best || (cnt == best && ns > *best_ns))) {
				best = cnt;
				*best_ns = ns;
			}
		}
	}
	return best;
}

/* The parts are stays of the model, and they prove what is said. */
static void check_witness_is_true(const struct world *w)
{
	const struct witness *wit = &w->f.r.parallelism.witness;
	const struct model_span *set[TASKS] = { NULL };

	REQUIRE(wit->part_cnt <= TASKS);
	for (uint32_t i = 0; i < wit->part_cnt; i++) {
		const struct witness_part *part = &wit->parts[i];
		const struct model_task *t = &w->f.m.tasks[part->task_id - 1];

		for (size_t j = 0; j < t->span_cnt; j++) {
			const struct model_span *s = &t->spans[j];

			if (s->state == SPAN_RUNNING && s->start_ns == part->start_ns &&
			    s->end_ns == part->end_ns && s->cpu == part->cpu &&
			    s->seq_in == part->seq_in)
				set[i] = s;
		}
		REQUIRE(set[i]);
	}
	CHECK_EQ(proven_ns(w, set, wit->part_cnt), wit->until_ns - wit->from_ns);
	CHECK(wit->until_ns > wit->from_ns);
}

static void check_witness(const struct world *w, bool equal_clocks)
{
	const struct witness *wit = &w->f.r.parallelism.witness;
	uint64_t best_ns;
	unsigned int best = best_proof(w, false, &best_ns);

	if (!best)
		best = best_proof(w, true, &best_ns);
	CHECK_EQ(wit->part_cnt != 0, best != 0);
	CHECK(wit->part_cnt <= best);
	if (wit->part_cnt)
		check_witness_is_true(w);
	if (!equal_clocks || wit->part_cnt != best)
		CHECK(!equal_clocks);
	else
		CHECK_EQ(wit->until_ns - wit->from_ns, best_ns);
}

static bool waits_in_progress(const struct world *w, unsigned int t, const struct model_span *s,
			      uint64_t longest_run_ns)
{
	bool parks = s->reason == REASON_LOCK || s->reason == REASON_COND ||
		     s->reason == REASON_EPOLL || s->reason == REASON_POLL ||
		     s->flags & SPAN_ACCEPT || s->reason == REASON_SIGNAL ||
		     s->reason == REASON_OTHER || s->reason == REASON_SEMAPHORE;

	if (s->reason == REASON_JOIN || s->reason == REASON_CHILD)
		return false;
	if (s->reason == REASON_FILELOCK)
		return true;
	if (s->reason != REASON_LOCK && s->flags & SPAN_WAKER_KIN)
		return false;
	return !(parks && 20 * w->f.r.tasks[t].run_ns < longest_run_ns);
}

/* A ready one that will only go and wait (again). */
static bool rests(const struct world *w, unsigned int t, const struct model_span *s,
		  uint64_t longest_run_ns)
{
	const struct model_task *task = &w->f.m.tasks[t];
	const struct model_span *run = NULL;
	bool had = false, again = false;

	for (size_t i = 0; i < task->span_cnt; i++) {
		const struct model_span *x = &task->spans[i];

		if (x->end_ns == s->start_ns)
			had = x->state == SPAN_RUNNING || (x->state == SPAN_BLOCKED &&
			      !waits_in_progress(w, t, x, longest_run_ns));
		again |= run && x->state == SPAN_READY && x->start_ns == run->end_ns;
		if (x->state == SPAN_RUNNING && x->start_ns == s->end_ns)
			run = x;
	}
	return had && run && !again && run->end_ns - run->start_ns < 100000 &&
	       20 * (run->end_ns - run->start_ns) < s->end_ns - s->start_ns;
}

/* DESIGN's words, one after the other. */
static bool in_progress(const struct world *w, unsigned int t, unsigned int u,
			uint64_t longest_run_ns)
{
	const struct model_span *s = w->at[t][u];
	bool ran = false, runs_again = false;

	if (!s)
		return false;
	for (unsigned int v = 0; v < w->unit_cnt; v++) {
		ran |= v <= u && runs(w, t, v);
		runs_again |= v >= u && runs(w, t, v);
	}
	if (!ran || !runs_again)
		return false;
	if (s->state == SPAN_READY)
		return !rests(w, t, s, longest_run_ns);
	return s->state == SPAN_RUNNING || waits_in_progress(w, t, s, longest_run_ns);
}

static void check_concurrency(const struct world *w)
{
	const struct report_concurrency *c = &w->f.r.concurrency;
	uint64_t longest_run_ns = 0, active_ns = 0, concurrent_ns = 0;
	unsigned int max_tasks = 0, max_ops = 0;

	for (unsigned int t = 0; t < w->task_cnt; t++)
		longest_run_ns = max_u64(longest_run_ns, w->f.r.tasks[t].run_ns);
	for (unsigned int u = 0; u < w->unit_cnt; u++) {
		uint64_t ns = AFX_START_NS + u * UNIT_NS;
		unsigned int tasks = 0, ops = 0;

		for (unsigned int t = 0; t < w->task_cnt; t++)
			tasks += in_progress(w, t, u, longest_run_ns);
		for (size_t i = 0; i < w->f.m.op_cnt; i++)
			ops += w->f.m.ops[i].start_ns <= ns && ns < w->f.m.ops[i].end_ns;
		active_ns += (tasks || ops) * UNIT_NS;
		concurrent_ns += (tasks >= 2 || ops >= 2) * UNIT_NS;
		max_tasks = tasks > max_tasks ? tasks : max_tasks;
		max_ops = ops > max_ops ? ops : max_ops;
	}
	CHECK_EQ(c->active_ns, active_ns);
	CHECK_EQ(c->concurrent_ns, concurrent_ns);
	CHECK_EQ(c->max_in_progress, max_tasks);
	CHECK_EQ(c->max_operations, max_ops);
	CHECK_EQ(c->witness.part_cnt, concurrent_ns ? 2 : 0);
	for (uint32_t i = 0; i < c->witness.part_cnt; i++) {
		const struct witness_part *part = &c->witness.parts[i];
		unsigned int u = (unsigned int)((c->witness.from_ns - AFX_START_NS) / UNIT_NS);

		CHECK(part->start_ns <= c->witness.from_ns && c->witness.from_ns < part->end_ns);
		if (!c->witness_is_ops)
			CHECK(in_progress(w, part->task_id - 1, u, longest_run_ns));
	}
	if (c->witness.part_cnt)
		CHECK(c->witness.parts[0].task_id != c->witness.parts[1].task_id ||
		      c->witness.parts[0].op_id != c->witness.parts[1].op_id);
}

static void check_identities(const struct world *w)
{
	const struct report *r = &w->f.r;
	uint64_t waits_ns = r->waits.idle_ns + r->waits.unknown_ns + r->waits.other_antagonists_ns;
	uint64_t waits_cnt = 0;

	for (size_t i = 0; i < r->task_cnt; i++) {
		uint64_t ns = r->tasks[i].run_ns + r->tasks[i].ready_ns;

		for (int k = 0; k < REASON_CNT; k++)
			ns += r->tasks[i].blocked_ns[k];
		CHECK_EQ(ns, w->f.m.tasks[i].end_ns - w->f.m.tasks[i].start_ns);
	}
	for (size_t i = 0; i < r->cpu_cnt; i++) {
		const uint64_t *ns = r->cpus[i].class_ns;

		CHECK_EQ(ns[0] + ns[1] + ns[2] + ns[3], w->f.m.end_ns - w->f.m.start_ns);
	}
	for (uint32_t i = 0; i < r->waits.antagonist_cnt; i++)
		waits_ns += r->waits.antagonists[i].ns;
	for (int i = 0; i < WAIT_BUCKETS; i++)
		waits_cnt += r->waits.histogram[i];
	CHECK_EQ(waits_ns, r->waits.total_ns);
	CHECK_EQ(waits_cnt, r->waits.cnt);
}

static bool waits_unseen(const struct model_span *s)
{
	return !s->waker_id && !(s->flags & (SPAN_OBSERVED | SPAN_CUT_END));
}

/* A task waited twice or more at one place as a loop does, and once for what nobody saw. */
static bool has_unseen_loop(const struct model_task *t)
{
	for (size_t i = 0; i < t->span_cnt; i++) {
		const struct model_span *a = &t->spans[i];

		if (a->state != SPAN_BLOCKED ||
		    !(a->reason == REASON_EPOLL || a->reason == REASON_POLL ||
		      (a->reason == REASON_URING && a->syscall != LAB_SYSCALL_NONE)))
			continue;
		for (size_t k = 0; k < t->span_cnt; k++) {
			const struct model_span *b = &t->spans[k];

			if (k != i && b->state == SPAN_BLOCKED && b->reason == a->reason &&
			    (b->addr == a->addr || a->reason == REASON_POLL) &&
			    (a->reason != REASON_URING || b->syscall != LAB_SYSCALL_NONE) &&
			    (waits_unseen(a) || waits_unseen(b)))
				return true;
		}
	}
	return false;
}

/* The class from the sums, in the words of DESIGN. */
static void check_verdict(const struct world *w)
{
	const struct report_parallelism *p = &w->f.r.parallelism;
	const struct report_concurrency *c = &w->f.r.concurrency;
	bool lossless = w->f.m.complete && !w->f.m.gap_cnt;
	enum verdict_class want = CLASS_INCONCLUSIVE;

	if (p->witness.part_cnt && 20 * p->parallel_lower_ns >= p->busy_upper_ns)
		want = CLASS_PARALLEL;
	else if (lossless && p->busy_ns && 20 * p->parallel_upper_ns < p->busy_lower_ns)
		want = c->concurrent_ns && 20 * c->concurrent_ns >= c->active_ns ? CLASS_CONCURRENT
										 : CLASS_SEQUENTIAL;
	for (unsigned int t = 0; t < w->task_cnt && want == CLASS_SEQUENTIAL; t++)
		if (has_unseen_loop(&w->f.m.tasks[t]))
			want = CLASS_INCONCLUSIVE;
	CHECK_STR(verdict_class_name(w->f.r.verdict.class), verdict_class_name(want));
	CHECK(w->f.r.verdict.reason[0]);
}

TEST(analyze_oracle_random_worlds)
{
	for (uint64_t i = 0; i < WORLDS; i++) {
		struct world w;

		world_make(&w, i);
		check_parallelism(&w);
		check_pairs(&w);
		check_witness(&w, i % 4 < 2);
		check_concurrency(&w);
		check_identities(&w);
		check_verdict(&w);
		afx_release(&w.f);
	}
}
