/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * account - the records held against each other: are all numbers of a CPU there, does each
 * switch-out count as one, does every effect follow its cause, and does the kernel count the same?
 */
#include "verify/replay.h"

#include "util/minmax.h"

#define REASON_EXIT 1
#define REASON_WRITE_ERROR 6
#define OUT_PREEMPT 0x01
#define OUT_NO_RQ 0x10
#define EXCESS_MAX_NS 1000000
#define EXCESS_SHARE 100
#define CLOCK_FREE_NS 500000
#define CLOCK_RATE 1000

void fault(struct facts *f, const char *what, const struct task *t, uint64_t expected,
	   uint64_t found, bool explained)
{
	*vec_push(f->faults, f->fault_cnt, f->fault_cap) = (struct fault){
		.what = what,
		.task = t ? t->id : 0,
		.expected = expected,
		.found = found,
		.explained = explained,
	};
}

void fault_unless_lost(struct facts *f, const char *what, const struct task *t, uint32_t cpu,
		       uint64_t from_ns, uint64_t until_ns)
{
	struct fault *last;

	fault(f, what, t, 0, 1, false);
	last = &f->faults[f->fault_cnt - 1];
	last->doubtful = true;
	last->cpu = cpu;
	last->from_ns = from_ns;
	last->until_ns = until_ns;
}

/* Too few is what missing records make; too many is not. */
static void expect(struct facts *f, const char *what, const struct task *t, uint64_t expected,
		   uint64_t found)
{
	if (expected != found)
		fault(f, what, t, expected, found, found < expected);
}

/* ---- sequence numbers ---- */

void account_number(struct facts *f, struct cpu *c, const struct head *h)
{
	if (h->seq == UINT64_MAX) {
		fault(f, "a record's number is beyond all numbers", NULL, 0, h->seq, false);
		return;
	}
	c->records++;
	if (h->seq < c->next_seq) {
		*vec_push(c->late, c->late_cnt, c->late_cap) = h->seq;
		return;
	}
	if (h->seq > c->next_seq)
		*vec_push(c->holes, c->hole_cnt, c->hole_cap) = (struct hole){
			.first = c->next_seq, .last = h->seq - 1,
			.from_ns = c->next_seq_ns, .until_ns = NEVER,
		};
	c->next_seq = h->seq + 1;
	c->next_seq_ns = h->ts_ns;
}

void account_statement(struct cpu *c, uint64_t ts_ns)
{
	c->stated = true;
	c->stated_ns = ts_ns;
	while (c->hole_closed < c->hole_cnt)
		c->holes[c->hole_closed++].until_ns = ts_ns;
}

void account_cpu_total(struct facts *f, const struct event *ev)
{
	struct cpu *c = &f->cpus[ev->head.cpu];

	c->has_total = true;
	c->seq_end = max_u64(c->seq_end, ev->f[F_SEQ_END]);
	c->refused += min_u64(ev->f[F_REFUSED], UINT64_MAX - c->refused);
}

static int by_value(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* Numbers that came late fill the holes; what is left of them are gaps. */
static void fill_holes(struct facts *f, struct cpu *c)
{
	size_t kept = 0, next = 0, twice = 0;

	if (c->late_cnt)
		qsort(c->late, c->late_cnt, sizeof(*c->late), by_value);
	for (size_t i = 0; i < c->hole_cnt; i++) {
		struct hole h = c->holes[i];

		h.missing = h.last - h.first + 1;
		for (; next < c->late_cnt && c->late[next] <= h.last; next++) {
			if (c->late[next] < h.first || (next && c->late[next] == c->late[next - 1]))
				twice++;
			else
				h.missing--;
		}
		f->missing += h.missing;
		if (h.missing)
			c->holes[kept++] = h;
	}
	twice += c->late_cnt - next;
	if (twice)
		fault(f, "records with a number that another has", NULL, 0, twice, false);
	c->hole_cnt = kept;
	f->gap_cnt += kept;
}

void account_gaps(struct facts *f)
{
	for (uint32_t i = 0; i < CPU_NUMBERS; i++) {
		struct cpu *c = &f->cpus[i];
		uint64_t missing = f->missing;

		if (c->has_total && c->seq_end < c->next_seq)
			fault(f, "numbers given out on a CPU", NULL, c->seq_end, c->next_seq, false);
		if (c->seq_end > c->next_seq)
			*vec_push(c->holes, c->hole_cnt, c->hole_cap) = (struct hole){
				.first = c->next_seq, .last = c->seq_end - 1,
				.from_ns = c->next_seq_ns, .until_ns = NEVER,
			};
		fill_holes(f, c);
		missing = f->missing - missing;
		/* A recorder that could not write lost what it had taken. */
		if (missing != c->refused && f->about->reason != REASON_WRITE_ERROR)
			fault(f, "records missing on a CPU", NULL, c->refused, missing, false);
		f->refused += min_u64(c->refused, UINT64_MAX - f->refused);
	}
}

bool replay_gap(const struct facts *f, uint32_t cpu, uint64_t start_ns, uint64_t end_ns)
{
	const struct cpu *c = &f->cpus[cpu];
	size_t low = 0, high = c->hole_cnt;

	/* Gaps begin and end in ascending order: the first that ends after the start. */
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (c->holes[mid].until_ns <= start_ns)
			low = mid + 1;
		else
			high = mid;
	}
	return low < c->hole_cnt && c->holes[low].from_ns < end_ns;
}

/* ---- switch-outs ---- */

static uint64_t switches(const struct counters *c)
{
	return c->nvcsw + c->nivcsw;
}

/* As they were before this switch-out, if nothing else says it. */
static void step_back(struct counters *c, const struct event *ev)
{
	bool voluntary = !(ev->f[F_FLAGS] & OUT_PREEMPT) && ev->f[F_STATE];

	c->nvcsw = ev->f[F_NVCSW];
	c->nivcsw = ev->f[F_NIVCSW];
	if (c->nvcsw && (voluntary || !c->nivcsw))
		c->nvcsw--;
	else
		c->nivcsw--;
}

static void set_baseline(struct task *t, const struct event *ev)
{
	if (t->unannounced) {
		t->base.sum_exec_ns = ev->f[F_SUM_EXEC];
		t->base.migrations = ev->f[F_MIGRATIONS];
		t->moves = 0;
		step_back(&t->base, ev);
	} else if (t->seeded && ev->f[F_NVCSW] + ev->f[F_NIVCSW] == switches(&t->base)) {
		step_back(&t->base, ev);
	} else if (!t->seeded) {
		return;
	}
	t->last = t->base;
}

/* The task's clock at both ends of a run allows for what was charged. */
static void check_clock(struct facts *f, const struct task *t, const struct event *ev,
			uint64_t charged_ns)
{
	uint64_t clock_ns = ev->f[F_EXEC_START] - t->clock_in_ns;

	if (!t->clock_in_known || ev->f[F_FLAGS] & OUT_NO_RQ)
		return;
	if (ev->f[F_EXEC_START] < t->clock_in_ns || clock_ns < charged_ns)
		fault(f, "CPU time charged to a run, of the task clock's", t, charged_ns, clock_ns, false);
	else {
		f->excess_ns += min_u64(clock_ns - charged_ns, UINT64_MAX - f->excess_ns);
		f->charged_ns += min_u64(charged_ns, UINT64_MAX - f->charged_ns);
	}
}

void account_out(struct facts *f, struct task *t, const struct event *ev)
{
	struct counters now = counters_of(ev);
	uint64_t step;
	bool rises;

	if (!t->outs)
		set_baseline(t, ev);
	step = switches(&now) - switches(&t->last);
	rises = now.nvcsw >= t->last.nvcsw && now.nivcsw >= t->last.nivcsw;
	if (!rises || step != 1)
		fault(f, "switch-outs counted from one to the next", t, 1, step, rises && step > 1);
	if (now.sum_exec_ns < t->last.sum_exec_ns)
		fault(f, "CPU time goes back", t, t->last.sum_exec_ns, now.sum_exec_ns, false);
	else if (rises && step == 1)
		check_clock(f, t, ev, now.sum_exec_ns - t->last.sum_exec_ns);
	t->clock_in_known = false;
	t->last = now;
	t->outs++;
	t->moves_at_out = t->moves;
}

static void add(uint64_t *sum, uint64_t ns)
{
	*sum += min_u64(ns, UINT64_MAX - *sum);
}

void account_clock(struct facts *f, struct cpu *c, const struct event *ev)
{
	uint64_t clock_ns = ev->f[F_CLOCK], allowed_ns = ev->head.ts_ns - c->clocked_ns, ahead_ns = 0;

	if (ev->f[F_FLAGS] & OUT_NO_RQ)
		return;
	allowed_ns += allowed_ns / CLOCK_RATE;
	if (c->clocked && clock_ns < c->clock_ns)
		ahead_ns = c->clock_ns - clock_ns;
	else if (c->clocked && clock_ns - c->clock_ns > allowed_ns)
		ahead_ns = clock_ns - c->clock_ns - allowed_ns;
	if (ahead_ns > CLOCK_FREE_NS)
		add(&f->ahead_ns, ahead_ns);
	c->clocked = true;
	c->clocked_ns = ev->head.ts_ns;
	c->clock_ns = clock_ns;
}

bool account_early(const struct facts *f, uint64_t effect_ns, uint64_t cause_ns)
{
	return f->pair_max_ns && cause_ns > effect_ns && cause_ns - effect_ns > 2 * f->pair_max_ns;
}

/* What let the task run was on another CPU: so much later the effect was stamped. */
void account_in(struct facts *f, struct task *t, uint32_t cpu, uint64_t ts_ns)
{
	for (int i = 0; i < CAUSE_CNT; i++) {
		uint64_t gap_ns = ts_ns - t->causes[i].ts_ns;
		uint32_t place;

		if (!t->causes[i].set || t->causes[i].cpu == cpu)
			continue;
		f->causes_checked++;
		place = map_put(&f->edge_of, t->causes[i].cpu, cpu);
		if (place == f->edge_cnt)
			*vec_push(f->edges, f->edge_cnt, f->edge_cap) =
				(struct edge){ t->causes[i].cpu, cpu, gap_ns };
		f->edges[place].least_ns = min_u64(f->edges[place].least_ns, gap_ns);
	}
	for (int i = 0; i < CAUSE_CNT; i++)
		t->causes[i].set = false;
}

/* ---- the end ---- */

static void check_task(struct facts *f, const struct task *t)
{
	uint64_t counted = switches(&t->last) - switches(&t->base);
	uint64_t moves = (uint32_t)(t->last.migrations - t->base.migrations);

	if (t->unannounced)
		fault(f, "is in records and was never born", t, 0, 1, true);
	f->births += !t->unannounced;
	f->deaths += t->phase == DEAD;
	f->alive += !t->unannounced && t->phase != DEAD;
	f->outs += t->outs;
	f->counted += counted;
	f->moves += t->moves;
	expect(f, "switch-outs, by the kernel's counters", t, counted, t->outs);
	/* Where a switch-in or a waking was hidden, a move may have been hidden with it. */
	if ((f->hidden || f->wakings_unseen || f->moves_hidden) && t->moves_at_out < moves)
		f->moves_unseen += moves - t->moves_at_out;
	else
		expect(f, "migrations, by the kernel's counter", t, moves, t->moves_at_out);
}

static void check_total(struct facts *f, const struct total *total)
{
	uint32_t place = map_get(&f->by_id, total->task, 0);
	struct task *t = place == MAP_NONE ? NULL : &f->tasks[place];

	if (!t) {
		fault(f, "totals of a task that is in no record", NULL, 0, total->task, true);
		return;
	}
	t->has_total = true;
	expect(f, "switch-outs, by its total", t, total->outs, t->outs);
	expect(f, "migrations, by its total", t, total->moves, t->moves);
	expect(f, "death, by its total", t, total->dead, t->phase == DEAD);
	if (!total->outs)
		return;
	expect(f, "voluntary switch-outs, by its total", t, total->last.nvcsw, t->last.nvcsw);
	expect(f, "involuntary switch-outs, by its total", t, total->last.nivcsw, t->last.nivcsw);
	expect(f, "CPU time, by its total", t, total->last.sum_exec_ns, t->last.sum_exec_ns);
	expect(f, "migrations, by the kernel's total", t, total->last.migrations,
	       t->last.migrations);
}

/* The gaps are known now; where a probe was skipped nobody knows. */
static void settle_doubts(struct facts *f)
{
	for (size_t i = 0; i < f->fault_cnt; i++) {
		struct fault *x = &f->faults[i];
		bool one = x->cpu != NOBODY;

		if (x->doubtful && f->about->recursion_misses)
			x->explained = true;
		for (uint32_t c = one ? x->cpu : 0; x->doubtful && !x->explained && c < CPU_NUMBERS; c++) {
			x->explained = replay_gap(f, c, x->from_ns, x->until_ns);
			if (one)
				break;
		}
		f->unexplained += !x->explained;
	}
}

void account_end(struct facts *f)
{
	const struct circumstances *a = f->about;
	uint64_t most_ns;

	for (size_t i = 0; i < f->task_cnt; i++)
		check_task(f, &f->tasks[i]);
	for (size_t i = 0; i < f->total_cnt; i++)
		check_total(f, &f->totals[i]);
	for (size_t i = 0; i < f->task_cnt; i++)
		if (f->tasks[i].phase != DEAD && !f->tasks[i].has_total)
			fault(f, "totals of a task that lives", &f->tasks[i], 1, 0, true);
	for (uint32_t i = 0; i < CPU_NUMBERS; i++)
		if (f->cpus[i].records && !f->cpus[i].has_total)
			fault(f, "totals of a CPU with records", NULL, 1, 0, true);
	expect(f, "births, by the recorder", NULL, a->births, f->births);
	if (a->reason == REASON_EXIT)
		expect(f, "deaths, by the recorder", NULL, a->births, f->deaths);
	if (a->storage_failures)
		fault(f, "tasks that could not be followed", NULL, 0, a->storage_failures, true);
	if (a->recursion_misses)
		fault(f, "probes that the kernel skipped", NULL, 0, a->recursion_misses, true);
	if (f->refused)
		fault(f, "records that found no room", NULL, 0, f->refused, true);
	most_ns = f->charged_ns / EXCESS_SHARE;
	if (most_ns < EXCESS_MAX_NS)
		most_ns = EXCESS_MAX_NS;
	if (f->excess_ns > most_ns)
		fault(f, "ns on the task clock beyond what was charged", NULL, most_ns, f->excess_ns,
		      false);
	if (f->late_wakings >= 2 && 2 * f->late_wakings > f->unwoken_runs)
		fault(f, "wakings that are stamped after the runs that they caused", NULL, 0,
		      f->late_wakings, false);
	settle_doubts(f);
}
