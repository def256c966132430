/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * oracle_capacity - where P x T went, moment by moment, and each task's bottle.
 *
 * Shares of a moment are fractions. They are summed twice: exactly, as far as 2^-40 ns, to bound
 * what was reported; and as report.h specifies, to be equal to what was reported: cut to 2^-32 ns
 * in each stretch in which they do not change, and rounded once by largest remainder.
 */

#include <stdlib.h>
#include <string.h>

#include "oracle.h"
#include "oracle_blame.h"
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
	uint64_t ready;
	struct placed placed;
	uint64_t idle, other;	/* CPUs that no ready task could use: idle, and other programs' */
	struct blamed blamed;
	uint64_t portions[4];	/* of idle: to ends of chains and behind them; of other, likewise */
};

/* Whom the kernel named for a wait that no wake ended; NULL: nobody that it could be. */
static const struct truth_task *named(const struct oracle *o, const struct truth_task *task,
				      const struct truth_span *s)
{
	bool stands = s->cut_end || (s->by_signal && !task->alive);
	const struct truth_task *found = NULL;
	uint32_t tid = 0;

	if (!stands || !s->futex)
		return NULL;
	for (const struct truth_span *later = s + 1; later < task->spans + task->span_cnt; later++)
		if (later->state == SPAN_BLOCKED && later->futex)
			return NULL;
	if (s->reason == REASON_JOIN)
		tid = s->futex_val;
	else if (s->reason == REASON_LOCK)
		tid = s->owner;
	for (size_t i = 0; tid && i < o->t->task_cnt; i++)
		if (o->t->tasks[i].tid == tid)
			found = &o->t->tasks[i];
	if (!found || found == task || found->start_ns > s->start_ns ||
	    (s->mm && found->mm != s->mm))
		return NULL;
	return found;
}

/* Index of the task that @task waits for in @s. */
static size_t awaited(const struct oracle *o, const struct truth_task *task,
		      const struct truth_span *s)
{
	const struct truth_task *who = named(o, task, s);
	uint32_t id = who ? who->id : 0;

	if (!id && s->reason != REASON_SLEEP && !s->by_interrupt && !s->cut_end)
		id = s->waker_id;
	for (;;) {
		who = NULL;
		for (size_t i = 0; id && i < o->t->task_cnt; i++)
			if (o->t->tasks[i].id == id)
				who = &o->t->tasks[i];
		if (!who || who->start_ns <= s->start_ns)
			break;
		id = who->parent_id;	/* not yet born */
	}
	if (!who || who == task || who->end_ns <= s->start_ns)
		return BLAME_NOBODY;
	return (size_t)(who - o->t->tasks);
}

static bool is_helper(const struct oracle *o, size_t task)
{
	uint64_t most = 0, own = 0;

	for (size_t i = 0; i < o->t->task_cnt; i++) {
		uint64_t ns = 0;

		for (size_t j = 0; j < o->t->tasks[i].span_cnt; j++) {
			const struct truth_span *s = &o->t->tasks[i].spans[j];

			ns += s->state == SPAN_RUNNING ? s->end_ns - s->start_ns : 0;
		}
		most = max_u64(most, ns);
		own = i == task ? ns : own;
	}
	return 20 * own < most;
}

static struct blamed blamed_at(const struct oracle *o, const struct moment *at, const bool *helpers)
{
	struct blame_view *views = xcalloc(o->t->task_cnt + 1, sizeof(*views));
	struct blamed blamed;
	bool busy = false;

	for (size_t i = 0; i < o->t->task_cnt; i++) {
		const struct truth_span *s = at->spans[i];

		busy |= s && s->state != SPAN_BLOCKED;
		if (s && s->state == SPAN_BLOCKED)
			views[i] = (struct blame_view){
				.blocked = true, .reason = s->reason, .endless = s->cut_end,
				.helper = (helpers[i] &&
					   (oracle_parks(s) || s->reason == REASON_JOIN ||
					    s->reason == REASON_CHILD)) ||
					  oracle_polls(&o->t->tasks[i], s),
				.awaited = awaited(o, &o->t->tasks[i], s),
			};
	}
	blamed = oracle_blame(views, o->t->task_cnt, busy);
	free(views);
	return blamed;
}

static struct crowd crowd_at(const struct oracle *o, const struct moment *at, bool known,
			     const bool *helpers)
{
	struct crowd c = {
		.ready = moment_count(o, at, SPAN_READY), .placed = oracle_placed(o, at, known),
	};
	uint64_t left;

	for (size_t i = 0; i < o->t->cpu_cnt; i++)
		c.cpus[at->segs[i]->class]++;
	c.idle = c.cpus[LAB_CPU_IDLE] - min_u64(c.cpus[LAB_CPU_IDLE], c.ready);
	/* Nobody is held back; ready tasks that are left may not use the other CPUs. */
	left = c.ready - min_u64(c.cpus[LAB_CPU_IDLE], c.ready) - c.placed.interference;
	c.other = c.cpus[LAB_CPU_FOREIGN] - c.placed.interference;
	c.other -= min_u64(c.other, left);
	c.blamed = blamed_at(o, at, helpers);
	c.portions[0] = blamed_first(&c.blamed, c.idle);
	c.portions[1] = blamed_rest(&c.blamed, c.idle);
	c.portions[2] = blamed_first(&c.blamed, c.idle + c.other) - c.portions[0];
	c.portions[3] = blamed_rest(&c.blamed, c.idle + c.other) - c.portions[1];
	return c;
}

/* Whole nanoseconds into @want. */
static void count_whole(const struct crowd *c, uint64_t ns, struct report_capacity *want)
{
	uint64_t idle = c->cpus[LAB_CPU_IDLE], foreign = c->cpus[LAB_CPU_FOREIGN];
	uint64_t interference = c->placed.interference;

	want->work_ns += ns * c->cpus[LAB_CPU_OURS];
	want->unplaced_ns += ns * min_u64(idle, c->ready);
	want->latency_ns += ns * c->placed.latency;
	want->affinity_ns += ns * c->placed.affinity;
	want->balancing_ns += ns * c->placed.balancing;
	want->interference_ns += ns * interference;
	want->other_ns += ns * (foreign - interference);
	want->unknown_ns += ns * c->cpus[LAB_CPU_UNKNOWN];
	want->no_thread_ns += ns * (c->idle - c->portions[0] - c->portions[1]);
	want->other.affinity_ns += ns * (foreign - interference - c->other);
	want->other.no_thread_ns += ns * (c->other - c->portions[2] - c->portions[3]);
}

static bool same_shares(const struct crowd *a, const struct crowd *b)
{
	return !memcmp(a->portions, b->portions, sizeof(a->portions)) &&
	       (!(a->portions[0] + a->portions[2]) ||
		!memcmp(&a->blamed, &b->blamed, sizeof(a->blamed)));
}

/* @stretch_ns: of the whole stretch if it ends here, else 0. @kind: which two portions. */
static void add_shares(struct share *shares, const struct crowd *c, int kind, uint64_t ns,
		       uint64_t stretch_ns)
{
	const struct blamed *b = &c->blamed;
	const uint64_t *cpus = &c->portions[2 * kind];

	for (int k = 0; k < REASON_CNT; k++) {
		if (cpus[0])
			share_add(&shares[k], ns * cpus[0], stretch_ns * cpus[0], b->ends[k],
				  b->end_cnt);
		if (cpus[1])
			share_add(&shares[k], ns * cpus[1], stretch_ns * cpus[1], b->behind[k],
				  b->behind_cnt);
	}
}

static void check_blocked(struct oracle *o, struct report_capacity *want)
{
	struct share shares[2][REASON_CNT] = { { { 0 } } };
	bool *helpers = xcalloc(o->t->task_cnt + 1, sizeof(*helpers));
	bool known = oracle_affinity_known(o);
	uint64_t total[2] = { 0 }, stretch_ns = 0;
	struct crowd c, next = { .ready = 0 };

	for (size_t i = 0; i < o->t->task_cnt; i++)
		helpers[i] = is_helper(o, i);
	for (size_t k = 0; k < o->moment_cnt; k++) {
		const struct moment *at = &o->moments[k];
		bool last = k + 1 == o->moment_cnt, ends;

		c = k ? next : crowd_at(o, at, known, helpers);
		if (!last)
			next = crowd_at(o, at + 1, known, helpers);
		count_whole(&c, at->ns, want);
		stretch_ns += at->ns;
		ends = last || !same_shares(&c, &next);
		for (int kind = 0; kind < 2; kind++) {
			total[kind] += (c.portions[2 * kind] + c.portions[2 * kind + 1]) * at->ns;
			add_shares(shares[kind], &c, kind, at->ns, ends ? stretch_ns : 0);
		}
		stretch_ns = ends ? 0 : stretch_ns;
	}
	check_shares(o, "blocked", shares[0], REASON_CNT, total[0], o->r->capacity.blocked_ns);
	check_shares(o, "others, blocked", shares[1], REASON_CNT, total[1],
		     o->r->capacity.other.blocked_ns);
	free(helpers);
}

static void check_largest(struct oracle *o)
{
	const struct report_capacity *c = &o->r->capacity;
	uint64_t parts[] = {
		[LOSS_LATENCY] = c->latency_ns,
		[LOSS_UNDIVIDED] = c->undivided_ns + c->other.undivided_ns,
		[LOSS_INTERFERENCE] = c->interference_ns, [LOSS_UNKNOWN] = c->unknown_ns,
		[LOSS_NO_THREAD] = c->no_thread_ns + c->other.no_thread_ns,
		[LOSS_AFFINITY] = c->affinity_ns + c->other.affinity_ns,
		[LOSS_THROTTLED] = c->throttled_ns + c->other.throttled_ns,
		[LOSS_BALANCING] = c->balancing_ns, [LOSS_SERIALIZED] = 0,
	};

	parts[c->largest == LOSS_SERIALIZED ? LOSS_SERIALIZED : LOSS_BLOCKED] =
		c->blocked_ns[c->largest_reason] + c->other.blocked_ns[c->largest_reason];
	ORACLE_EQ(o, parts[c->largest], c->largest_ns);
	ORACLE(o, c->largest != LOSS_SERIALIZED || o->r->serializer.present, "no serializer");
	if (c->largest == LOSS_SERIALIZED)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		ORACLE(o, parts[i] <= c->largest_ns, "loss %zu is larger than the largest", i);
	for (int k = 0; k < REASON_CNT; k++)
		ORACLE(o, c->blocked_ns[k] + c->other.blocked_ns[k] <= c->largest_ns,
		       "%s is larger than the largest", reason_name((enum reason)k));
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
	ORACLE_EQ(o, c->other.throttled_ns, 0);
	ORACLE_EQ(o, c->other.affinity_ns + c->other.undivided_ns, want->other.affinity_ns);
	ORACLE_EQ(o, c->other.undivided_ns,
		  c->affinity_known && !quota ? 0 : want->other.affinity_ns);
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
	ORACLE_EQ(o, c->other.no_thread_ns, want.other.no_thread_ns);
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
		bool now = moment_is(at, i, SPAN_RUNNING),
		     next = moment_is(at + 1, i, SPAN_RUNNING);

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
