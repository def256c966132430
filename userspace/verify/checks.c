/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * checks - numbers and gaps (section 4), and what the kernel counted (section 8, but for its
 * clocks).
 */
#include "verify/facts.h"

#define UNCHARGED_MAX_NS 1000000

void fault(struct facts *f, const struct task *t, const char *what, uint64_t expected,
	   uint64_t found, bool explained)
{
	ADD(f->faults, (struct fault){ .what = what, .expected = expected, .found = found,
				       .task = t ? t->id : 0, .explained = explained });
}

void doubt(struct facts *f, const struct task *t, const char *what, uint32_t cpu, uint64_t from_ns,
	   uint64_t until_ns)
{
	ADD(f->faults, (struct fault){ .what = what, .found = 1, .task = t->id, .is_doubt = true,
				       .cpu = (uint16_t)cpu, .from_ns = from_ns,
				       .until_ns = until_ns });
}

/* "short": if it is fewer than expected, missing records explain it. */
static void demand(struct facts *f, const struct task *t, const char *what, uint64_t expected,
		   uint64_t found)
{
	if (expected != found)
		fault(f, t, what, expected, found, found < expected);
}

/* ---- section 4 ---- */

static void add_hole(struct cpu *c, uint64_t end)
{
	if (c->expected < end)
		*PUSH(c->holes) = (struct hole){ c->top_ns, NEVER, c->expected, end,
						 end - c->expected };
}

/* Which hole is the first that ends after a number, or after a time. */
static size_t hole_after(const struct cpu *c, bool by_number, uint64_t value)
{
	size_t low = 0, high = c->holes.cnt;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if ((by_number ? c->holes.v[middle].end : c->holes.v[middle].to_ns) <= value)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

void check_number(struct facts *f, const struct head *h)
{
	struct cpu *c = &f->cpus[h->cpu];
	size_t i;

	if (h->seq == UINT64_MAX) {
		fault(f, NULL, "a record's number is beyond all numbers", UINT64_MAX - 1, h->seq,
		      false);
	} else if (h->seq >= c->expected) {
		add_hole(c, h->seq);
		c->expected = h->seq + 1;
		c->top_ns = h->ts_ns;
	} else {
		i = hole_after(c, true, h->seq);
		if (i < c->holes.cnt && c->holes.v[i].first <= h->seq &&
		    map_number(&f->numbers, h->seq, h->cpu) == f->late) {
			f->late++;
			c->holes.v[i].left--;
		} else {
			f->doubled++;
		}
	}
}

bool in_gap(const struct cpu *c, uint64_t start_ns, uint64_t end_ns)
{
	size_t i = hole_after(c, false, start_ns);

	return i < c->holes.cnt && c->holes.v[i].from_ns < end_ns;
}

/* Holes become gaps. */
static void gaps_of_cpu(struct facts *f, struct cpu *c)
{
	uint64_t missing = 0;
	size_t cnt = 0;

	if (c->has_total) {
		add_hole(c, c->seq_end);
		if (c->seq_end < c->expected)
			fault(f, NULL, "numbers given out on a CPU", c->seq_end, c->expected,
			      false);
	}
	for (size_t i = 0; i < c->holes.cnt; i++) {
		missing += c->holes.v[i].left;
		if (c->holes.v[i].left)
			c->holes.v[cnt++] = c->holes.v[i];
	}
	c->holes.cnt = cnt;
	f->missing += missing;
	f->refused += min_u64(c->refused, UINT64_MAX - f->refused);
	f->gaps |= cnt > 0;
	if (missing != c->refused && f->about->reason != 6)
		fault(f, NULL, "records missing on a CPU", c->refused, missing, false);
	if (c->records && !c->has_total)
		fault(f, NULL, "totals of a CPU with records", 1, 0, true);
}

/* The gaps of all CPUs, as one list that can be searched: those that touch are one. */
static struct cpu all_gaps(const struct facts *f)
{
	struct cpu all = { 0 };
	size_t cnt = 0;

	for (uint32_t c = 0; c < CPU_NUMBERS; c++)
		for (size_t i = 0; i < f->cpus[c].holes.cnt; i++)
			ADD(all.holes, f->cpus[c].holes.v[i]);
	sort_words(all.holes.v, all.holes.cnt, sizeof(struct hole) / sizeof(uint64_t));
	for (size_t i = 0; i < all.holes.cnt; i++) {
		struct hole *last = cnt ? &all.holes.v[cnt - 1] : NULL, *hole = &all.holes.v[i];

		if (last && hole->from_ns <= last->to_ns)
			last->to_ns = max_u64(last->to_ns, hole->to_ns);
		else
			all.holes.v[cnt++] = *hole;
	}
	all.holes.cnt = cnt;
	return all;
}

/* Section 8: gaps explain doubts. */
static void check_doubts(struct facts *f)
{
	struct cpu all = all_gaps(f);

	for (size_t i = 0; i < f->faults.cnt; i++) {
		struct fault *x = &f->faults.v[i];
		const struct cpu *c = x->cpu == ANY_CPU ? &all : &f->cpus[x->cpu];

		if (x->is_doubt)
			x->explained = f->about->recursion_misses || in_gap(c, x->from_ns,
									    x->until_ns);
	}
	free(all.holes.v);
}

/* ---- section 8: the counters of each switch_out ---- */

struct counters counters_of(const struct event *ev)
{
	return (struct counters){ ev->f[F_NVCSW], ev->f[F_NIVCSW], ev->f[F_SUM_EXEC],
				  ev->f[F_MIGRATIONS] };
}

static bool is_voluntary(const struct event *out)
{
	return !(out->f[F_FLAGS] & OUT_PREEMPT) && out->f[F_STATE];
}

/* At the first switch_out: the counters before it. */
static void baseline(struct task *t, const struct event *ev)
{
	struct counters now = counters_of(ev), *c = &t->last;

	if (!t->counted) {
		*c = now;
		t->base_migrations = (uint32_t)now.migrations;
		t->moves = 0;
	}
	/* One less. */
	if (!t->counted || (t->seed_counts && now.nvcsw + now.nivcsw == t->base_cnt)) {
		if (c->nivcsw && (!c->nvcsw || !is_voluntary(ev)))
			c->nivcsw--;
		else
			c->nvcsw--;
	}
	t->base_cnt = c->nvcsw + c->nivcsw;
	t->counted = true;
}

/* The task clock of a run that a record opens, against what was charged to it. */
static void check_charge(struct facts *f, const struct task *t, const struct event *out,
			 uint64_t charged_ns)
{
	uint64_t until_ns = out->f[F_EXEC_START], span_ns = until_ns - t->open_clock_ns;

	if (until_ns < t->open_clock_ns || span_ns < charged_ns) {
		fault(f, t, "CPU time charged to a run, of the task clock's", charged_ns, span_ns,
		      false);
	} else {
		f->charged_ns += charged_ns;
		if (!is_voluntary(out))
			f->uncharged_ns += span_ns - charged_ns;
	}
}

void check_counters(struct facts *f, struct task *t, const struct event *ev)
{
	struct counters now = counters_of(ev);
	bool opened = t->now.what == RUN && !(t->now.marks & (HIDDEN | CUT_START)), falls;
	uint64_t rose;

	if (!t->outs++)
		baseline(t, ev);
	falls = now.nvcsw < t->last.nvcsw || now.nivcsw < t->last.nivcsw;
	rose = now.nvcsw + now.nivcsw - t->last.nvcsw - t->last.nivcsw;
	if (falls || rose != 1)
		fault(f, t, "switch-outs counted from one to the next", 1, rose, !falls &&
		      rose > 1);
	if (now.sum_exec_ns < t->last.sum_exec_ns)
		fault(f, t, "CPU time goes back", t->last.sum_exec_ns, now.sum_exec_ns, false);
	else if (opened && rose == 1 && !falls && !t->open_no_rq && !(ev->f[F_FLAGS] & NO_RQ))
		check_charge(f, t, ev, now.sum_exec_ns - t->last.sum_exec_ns);
	t->last = now;
	t->moves_at_out = t->moves;
	f->outs++;
}

/* ---- section 8: the rest of the table ---- */

static void check_task(struct facts *f, const struct task *t)
{
	uint64_t counted = t->outs ? t->last.nvcsw + t->last.nivcsw - t->base_cnt : 0;
	uint32_t moved = t->outs ? (uint32_t)t->last.migrations - t->base_migrations : 0;
	bool dead = t->now.what == DEAD;

	f->counted += counted;
	f->births += t->announced;
	f->deaths += dead;
	f->alive += t->announced && !dead;
	demand(f, t, "switch-outs, by the kernel's counters", counted, t->outs);
	if (t->moves_at_out > moved || !(f->hidden || f->unseen || f->misplaced))
		demand(f, t, "migrations, by the kernel's counter", moved, t->moves_at_out);
	if (!t->announced)
		fault(f, t, "is in records and was never born", 1, 0, true);
	if (!dead && !t->has_total)
		fault(f, t, "totals of a task that lives", 1, 0, true);
}

static void check_total(struct facts *f, const struct total *x)
{
	uint32_t place = map_get(&f->by_id, x->task, 0);
	struct task *t = place == NONE ? NULL : &f->tasks.v[place];

	if (!t) {
		fault(f, NULL, "totals of a task that is in no record", 0, x->task, true);
		return;
	}
	t->has_total = true;
	demand(f, t, "switch-outs, by its total", x->outs, t->outs);
	demand(f, t, "migrations, by its total", x->migrates, t->moves);
	demand(f, t, "death, by its total", x->dead, t->now.what == DEAD);
	if (!x->outs)
		return;
	demand(f, t, "voluntary switch-outs, by its total", x->last.nvcsw, t->last.nvcsw);
	demand(f, t, "involuntary switch-outs, by its total", x->last.nivcsw, t->last.nivcsw);
	demand(f, t, "CPU time, by its total", x->last.sum_exec_ns, t->last.sum_exec_ns);
	demand(f, t, "migrations, by the kernel's total", x->last.migrations, t->last.migrations);
}

static void demand_none(struct facts *f, const char *what, uint64_t found, bool explained)
{
	if (found)
		fault(f, NULL, what, 0, found, explained);
}

/* When all is read. */
void check_all(struct facts *f)
{
	const struct circumstances *a = f->about;
	bool much = f->uncharged_ns > UNCHARGED_MAX_NS && f->uncharged_ns > f->charged_ns / 100;
	bool late = f->late_wakings >= 2 && 2 * f->late_wakings > f->unwoken_runs &&
		    10 * f->late_wakings >= f->timely_wakings;

	for (uint32_t c = 0; c < CPU_NUMBERS; c++)
		gaps_of_cpu(f, &f->cpus[c]);
	check_doubts(f);
	for (size_t i = 0; i < f->totals.cnt; i++)
		check_total(f, &f->totals.v[i]);
	for (size_t i = 0; i < f->tasks.cnt; i++)
		check_task(f, &f->tasks.v[i]);
	demand_none(f, "records with a number that another has", f->doubled, false);
	demand_none(f, "ns on the task clock beyond what was charged",
		    much ? (uint64_t)f->uncharged_ns : 0,
		    false);
	demand_none(f, "wakings that are stamped after the runs that they caused",
		    late ? f->late_wakings : 0, false);
	demand(f, NULL, "births, by the recorder", a->births, f->births);
	if (a->reason == 1)
		demand(f, NULL, "deaths, by the recorder", a->births, f->deaths);
	demand_none(f, "tasks that could not be followed", a->storage_failures, true);
	demand_none(f, "probes that the kernel skipped", a->recursion_misses, true);
	demand_none(f, "records that found no room", f->refused, true);
}
