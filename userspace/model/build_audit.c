/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * build_audit - what the records say, compared with what the kernel counted.
 *
 * Nothing is forgiven but what was measured to happen on a sound run: a
 * hidden switch-in, waking or move is reported, and moves may then be missing. A dirty
 * audit makes the verdict inconclusive.
 */

#include <stdlib.h>
#include <string.h>

#include "model/build.h"
#include "util/alloc.h"
#include "util/minmax.h"

/*
 * What may be left uncharged of stays that end ready: 1 ms, or this share of what was charged. A
 * task whose quota is used up is picked again without a switch if its next period begins meanwhile:
 * often, in a long run. Of a stay that ends asleep nothing is too much: before the switch the CPU
 * looks for other work, and the kernel charges nobody for that.
 */
#define EXEC_EXCESS_MAX_NS 1000000u
#define EXEC_EXCESS_SHARE 100
/*
 * The host may take a CPU between the kernel's reading of the task clock and the probe's stamp, a
 * moment later: what is no more than this does not count, and what is more counts as a whole. The
 * two clocks may also go at different rates, by one in CLOCK_RATE.
 */
#define CLOCK_AHEAD_FREE_NS 500000
#define CLOCK_RATE 1000

static int gap_start_cmp(const void *a, const void *b)
{
	const struct model_gap *x = a, *y = b;

	return (x->from_ns > y->from_ns) - (x->from_ns < y->from_ns);
}

/* The gaps of all CPUs, by their starts; each with the latest end of those up to it. */
static struct model_gap *gaps_by_start(const struct model *m)
{
	struct model_gap *gaps = xcalloc(m->gap_cnt + 1, sizeof(*gaps));

	if (m->gap_cnt)
		memcpy(gaps, m->gaps, m->gap_cnt * sizeof(*gaps));
	qsort(gaps, m->gap_cnt, sizeof(*gaps), gap_start_cmp);
	for (size_t i = 1; i < m->gap_cnt; i++)
		gaps[i].until_ns = max_u64(gaps[i].until_ns, gaps[i - 1].until_ns);
	return gaps;
}

/* @by_start: of all CPUs */
static bool is_gap_within(const struct model *m, const struct model_gap *by_start,
			  const struct audit_doubt *d)
{
	size_t low = 0, high = m->gap_cnt;

	if (d->cpu != NO_CPU)
		return model_gap_within(m, d->cpu, d->from_ns, d->until_ns);
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (by_start[mid].from_ns < d->until_ns)
			low = mid + 1;
		else
			high = mid;
	}
	return low && by_start[low - 1].until_ns > d->from_ns;
}

/* The gaps are known now; and nobody knows where a probe was skipped. */
static void settle_doubts(struct model_builder *b)
{
	struct model_audit *a = &b->m.audit;
	struct model_gap *by_start;

	if (!b->m.gap_cnt && !b->m.end.recursion_misses)
		return;
	by_start = gaps_by_start(&b->m);
	for (size_t i = 0; i < b->doubt_cnt; i++) {
		const struct audit_doubt *d = &b->doubts[i];

		if (!b->m.end.recursion_misses && !is_gap_within(&b->m, by_start, d))
			continue;
		a->unexplained_total--;
		if (d->failure_idx < a->failure_cnt)
			a->failures[d->failure_idx].by_loss = true;
	}
	free(by_start);
}

/* Too few of something is what missing records make. */
static void expect(struct model_builder *b, const char *name, uint32_t task_id, uint64_t expected,
		   uint64_t observed)
{
	if (observed < expected)
		audit_miss(b, name, task_id, expected, observed);
	else if (observed > expected)
		audit_fail(b, name, task_id, expected, observed);
}

static uint64_t switches(const struct counters *c)
{
	return c->nvcsw + c->nivcsw;
}

static bool is_voluntary(const struct lab_ev_switch_out *ev)
{
	return !(ev->head.flags & LAB_F_PREEMPT) && ev->prev_state;
}

/* The counters as they were before this switch-out, of those that count it. */
static struct counters before(const struct lab_ev_switch_out *ev, const struct counters *known)
{
	struct counters c = *known;

	if ((is_voluntary(ev) && c.nvcsw) || !c.nivcsw)
		c.nvcsw--;
	else
		c.nivcsw--;
	return c;
}

static void set_baseline(struct btask *t, const struct lab_ev_switch_out *ev)
{
	if (t->outs || (!t->uncounted && !t->seeded))
		return;
	if (t->uncounted) {
		t->base = before(ev, &(struct counters){
			.nvcsw = ev->nvcsw,
			.nivcsw = ev->nivcsw,
			.sum_exec_ns = ev->sum_exec_ns,
			.migrations = ev->migrations,
		});
		t->migrates = 0;
	} else if (ev->nvcsw + ev->nivcsw == switches(&t->base)) {
		/* The seed was read after this switch had been counted. */
		t->base = before(ev, &t->base);
	}
	t->last = t->base;
	t->uncounted = false;
}

static void check_exec_clock(struct model_builder *b, const struct btask *t,
			     const struct lab_ev_switch_out *ev, uint64_t charged)
{
	struct model_audit *a = &b->m.audit;
	uint64_t clock;

	if (!t->clock_in_known || ev->head.flags & LAB_F_NO_RQ)
		return;
	clock = ev->exec_start_ns - t->clock_in_ns;
	if (ev->exec_start_ns < t->clock_in_ns || clock < charged) {
		audit_fail(b, "exec_clock", t->t.id, charged, clock);
		return;
	}
	a->repicks += clock != charged;
	a->exec_excess_ns += min_u64(clock - charged, UINT64_MAX - a->exec_excess_ns);
	if (!is_voluntary(ev))
		b->ready_excess_ns += min_u64(clock - charged, UINT64_MAX - b->ready_excess_ns);
	b->exec_charged_ns += min_u64(charged, UINT64_MAX - b->exec_charged_ns);
}

static void check_exec_excess(struct model_builder *b)
{
	uint64_t most = max_u64(EXEC_EXCESS_MAX_NS, b->exec_charged_ns / EXEC_EXCESS_SHARE);

	if (b->ready_excess_ns > most)
		audit_fail(b, "exec_clock_excess", 0, most, b->ready_excess_ns);
}

/*
 * A task clock stands still in interrupts and while the host has the CPU; it never runs ahead of
 * the time. Where it does, the stamp of the record before is too late, or the stamp of this one is
 * too early.
 */
void audit_clock(struct model_builder *b, struct bcpu *cpu, uint64_t ts_ns, uint64_t clock_ns)
{
	uint64_t passed_ns = ts_ns - cpu->clock_ts_ns, ahead_ns = 0;
	uint64_t most_ns = passed_ns + passed_ns / CLOCK_RATE;
	uint64_t *sum = &b->m.audit.clock_ahead_ns;

	if (cpu->clock_known && clock_ns < cpu->clock_ns)
		ahead_ns = cpu->clock_ns - clock_ns;
	else if (cpu->clock_known && clock_ns - cpu->clock_ns > most_ns)
		ahead_ns = clock_ns - cpu->clock_ns - most_ns;
	if (ahead_ns <= CLOCK_AHEAD_FREE_NS)
		ahead_ns = 0;
	*sum += min_u64(ahead_ns, UINT64_MAX - *sum);
	cpu->clock_known = true;
	cpu->clock_ns = clock_ns;
	cpu->clock_ts_ns = ts_ns;
}

/*
 * Return: whether an effect stamped at @effect_ns contradicts a cause at @cause_ns on another CPU.
 */
static bool is_early(const struct model_builder *b, uint64_t effect_ns, uint64_t cause_ns)
{
	/* Each pair was compared with the same CPU. */
	return b->clock_pair_max_ns && cause_ns > effect_ns &&
	       cause_ns - effect_ns > 2 * b->clock_pair_max_ns;
}

void audit_waking_late(struct model_builder *b, struct btask *t, uint16_t cpu, uint64_t ts_ns)
{
	t->late = t->in_unwoken && t->open.cpu != cpu && is_early(b, t->open.start_ns, ts_ns);
	b->late_wakings += t->late;
	t->in_unwoken = false;
}

void audit_birth_late(struct model_builder *b, const struct btask *t, uint16_t cpu, uint64_t ts_ns)
{
	if (t->ran_first_ns != NEVER && t->ran_first_cpu != cpu &&
	    is_early(b, t->ran_first_ns, ts_ns))
		audit_fail(b, "birth_late", t->t.id, t->ran_first_ns, ts_ns);
}

/*
 * A waking that was not seen, and another waking that came while the task ran, happen: seldom,
 * beside all that are seen in time. Of clocks that disagree, one makes the wakings late that it
 * does not make early.
 */
static void check_wakings(struct model_builder *b)
{
	if (b->late_wakings >= 2 && 2 * b->late_wakings > b->unwoken_runs &&
	    10 * b->late_wakings >= b->timely_wakings)
		audit_fail(b, "wakings_late", 0, 0, b->late_wakings);
}

/* Return: whether exactly one switch-out was counted since the last that was recorded. */
static bool check_switch_step(struct model_builder *b, const struct btask *t,
			      const struct lab_ev_switch_out *ev)
{
	uint64_t voluntary = ev->nvcsw - t->last.nvcsw;
	uint64_t involuntary = ev->nivcsw - t->last.nivcsw;
	bool rises = ev->nvcsw >= t->last.nvcsw && ev->nivcsw >= t->last.nivcsw;

	if (rises && voluntary + involuntary == 1)
		return true;
	if (rises && voluntary + involuntary > 1)
		audit_miss(b, "switch_step", t->t.id, 1, voluntary + involuntary);
	else
		audit_fail(b, "switch_step", t->t.id, 1, voluntary + involuntary);
	return false;
}

void audit_switch_out(struct model_builder *b, struct btask *t, const struct lab_ev_switch_out *ev)
{
	bool single, unborn = t->implicit && !t->outs;

	set_baseline(t, ev);
	single = check_switch_step(b, t, ev);
	if (!single || unborn)
		task_doubt(t);
	if (ev->sum_exec_ns < t->last.sum_exec_ns)
		audit_fail(b, "cpu_time_step", t->t.id, t->last.sum_exec_ns, ev->sum_exec_ns);
	else if (single)
		check_exec_clock(b, t, ev, ev->sum_exec_ns - t->last.sum_exec_ns);
	t->clock_in_known = false;
	t->last = (struct counters){
		.nvcsw = ev->nvcsw,
		.nivcsw = ev->nivcsw,
		.sum_exec_ns = ev->sum_exec_ns,
		.migrations = ev->migrations,
	};
	t->outs++;
	t->migrates_at_out = t->migrates;
}

static void check_task(struct model_builder *b, const struct btask *t)
{
	struct model_audit *a = &b->m.audit;
	uint64_t moves = (uint32_t)(t->last.migrations - t->base.migrations);

	if (t->implicit)
		audit_miss(b, "unknown_task", t->t.id, 0, 1);
	a->tasks_checked++;
	a->births += !t->implicit;
	a->deaths += t->life == LIFE_DEAD;
	a->alive += !t->implicit && t->life != LIFE_DEAD;
	a->switches_checked += t->outs;
	a->switches_counted += switches(&t->last) - switches(&t->base);
	a->migrations_checked += t->migrates;
	expect(b, "switches", t->t.id, switches(&t->last) - switches(&t->base), t->outs);
	/* Where a switch, a waking or a move was hidden, another move may be hidden as well. */
	if ((a->hidden_switch_ins || a->unseen_wakings || a->unseen_moves) &&
	    t->migrates_at_out < moves)
		b->m.migrations_unseen += moves - t->migrates_at_out;
	else
		expect(b, "migrations", t->t.id, moves, t->migrates_at_out);
}

static void check_total(struct model_builder *b, const struct lab_ev_task_total *total)
{
	uint32_t id = total->head.task;
	uint32_t *idx = idmap_get(&b->task_by_id, id, 0);
	struct btask *t;

	if (!idx) {
		audit_miss(b, "unknown_task", id, 0, 1);
		return;
	}
	t = &b->tasks[*idx];
	t->has_total = true;
	expect(b, "total_switches", id, total->switch_outs, t->outs);
	expect(b, "total_migrates", id, total->migrates, t->migrates);
	expect(b, "total_dead", id, total->dead, t->life == LIFE_DEAD);
	/* Before its first switch-out there was nothing to keep. */
	if (!total->switch_outs)
		return;
	expect(b, "total_voluntary", id, total->nvcsw, t->last.nvcsw);
	expect(b, "total_involuntary", id, total->nivcsw, t->last.nivcsw);
	expect(b, "total_cpu_time", id, total->sum_exec_ns, t->last.sum_exec_ns);
	expect(b, "total_migrations", id, total->migrations, t->last.migrations);
}

static void check_end(struct model_builder *b, const struct trace_end *end)
{
	const struct model_audit *a = &b->m.audit;

	for (size_t i = 0; i < b->total_cnt; i++)
		check_total(b, &b->totals[i]);
	for (size_t i = 0; i < b->task_cnt; i++) {
		const struct btask *t = &b->tasks[i];

		/* Of a dead task the last switch-out is here; of another only the total tells. */
		if (t->life != LIFE_DEAD && !t->has_total)
			audit_miss(b, "total_missing", t->t.id, 1, 0);
	}
	for (size_t i = 0; i < b->cpu_cnt; i++) {
		if (b->cpus[i].records && !b->cpus[i].has_total)
			audit_miss(b, "cpu_total_missing", 0, 1, 0);
	}
	expect(b, "births", 0, end->births, a->births);
	if (end->reason == TRACE_END_EXIT)
		expect(b, "deaths", 0, end->births, a->deaths);
	if (end->storage_failures)
		audit_miss(b, "storage", 0, 0, end->storage_failures);
	if (end->recursion_misses)
		audit_miss(b, "recursion", 0, 0, end->recursion_misses);
}

void audit_finish(struct model_builder *b, const struct trace_end *end)
{
	for (size_t i = 0; i < b->task_cnt; i++)
		check_task(b, &b->tasks[i]);
	if (end)
		check_end(b, end);
	if (b->m.dropped)
		audit_miss(b, "refused", 0, 0, b->m.dropped);
	check_exec_excess(b);
	check_wakings(b);
	settle_doubts(b);
}
