/* SPDX-License-Identifier: GPL-2.0-only */
/* figures - see figures.h. */
#include "verify/figures.h"

#define PROOF_MIN_NS 1000
#define REST_RUN_NS 100000
#define GONE_NS 1000000

struct death {
	uint64_t parent, ns;
};

struct deaths {
	struct death *v;
	size_t cnt, cap;
};

/* 5 %, as in sections 10 and 11. */
static bool is_share(uint64_t part, uint64_t whole)
{
	return (unsigned __int128)part * 20 >= whole;
}

static void add(struct spans *s, uint64_t from_ns, uint64_t until_ns, uint64_t of)
{
	if (from_ns < until_ns)
		ADD(*s, (struct span){ from_ns, until_ns, of });
}

/* ---- how many at once (sections 9 and 10) ---- */

struct tally {
	uint64_t one_ns, two_ns;	/* one or more of any kind; two or more of one kind */
	uint64_t most[2];		/* of each kind */
};

/* Of two kinds, or one. Each has its beginnings and its ends, in order. */
static struct tally tally(const struct spans *a, const struct spans *b)
{
	const struct spans *kinds[2] = { a, b };
	struct tally t = { 0 };
	uint64_t *ns[4], last_ns = 0, next_ns = 0, n[2] = { 0 };
	size_t at[4] = { 0 };

	for (int k = 0; k < 4; k++) {
		const struct spans *s = kinds[k / 2];

		ns[k] = xcalloc(s->cnt + 1, sizeof(uint64_t));
		for (size_t i = 0; i < s->cnt; i++)
			ns[k][i] = k % 2 ? s->v[i].until_ns : s->v[i].from_ns;
		sort_words(ns[k], s->cnt, 1);
		ns[k][s->cnt] = NEVER;
	}
	for (; next_ns != NEVER; last_ns = next_ns) {
		next_ns = min_u64(min_u64(ns[0][at[0]], ns[1][at[1]]),
				  min_u64(ns[2][at[2]], ns[3][at[3]]));
		t.one_ns += n[0] || n[1] ? next_ns - last_ns : 0;
		t.two_ns += n[0] > 1 || n[1] > 1 ? next_ns - last_ns : 0;
		for (int k = 0; k < 4 && next_ns != NEVER; k++)
			while (ns[k][at[k]] == next_ns)
				at[k]++;
		for (int k = 0; k < 2; k++) {
			n[k] = at[2 * k] - at[2 * k + 1];
			t.most[k] = max_u64(t.most[k], n[k]);
		}
	}
	for (int k = 0; k < 4; k++)
		free(ns[k]);
	return t;
}

/* ---- section 7: cut to the window ---- */

static void cut_to_window(struct facts *f)
{
	size_t cnt = 0;

	for (size_t i = 0; i < f->stretches.cnt; i++) {
		struct stretch s = f->stretches.v[i];

		s.marks |= s.start_ns < f->start_ns ? CUT_START : 0;
		if (s.end_ns > f->end_ns) {
			s.marks |= CUT_END;
			s.marks &= (uint8_t)(s.what == WAIT ? ~(BY_KIN | BY_WORKLOAD) : ~0);
			if (s.what == WAIT)
				s.with_process = false;
		}
		s.start_ns = max_u64(s.start_ns, f->start_ns);
		s.end_ns = min_u64(s.end_ns, f->end_ns);
		if (s.start_ns >= s.end_ns)
			continue;
		if (s.what == RUN) {
			s.earliest_ns = max_u64(s.earliest_ns, f->start_ns);
			f->cpus[s.cpu].usable = true;
		}
		f->stretches.v[cnt++] = s;
	}
	f->stretches.cnt = cnt;
}

/* ---- section 9 ---- */

/* The runs without these marks, by their start. */
static struct spans runs(const struct facts *f, int without, bool from_earliest)
{
	struct spans out = { 0 };

	for (size_t i = 0; i < f->stretches.cnt; i++) {
		const struct stretch *s = &f->stretches.v[i];

		if (s->what == RUN && !(s->marks & without))
			add(&out, from_earliest ? s->earliest_ns : s->start_ns, s->end_ns, s->cpu);
	}
	sort_words(out.v, out.cnt, 3);
	return out;
}

/* Frees @s. */
static struct tally tally_of(struct spans s)
{
	struct tally t = tally(&s, &(struct spans){ 0 });

	free(s.v);
	return t;
}

/*
 * Do two share more time than the eps of their CPUs, and than @than_ns? Those of one CPU count
 * if @than_ns is 0. Frees @s.
 */
static bool two_share(const struct facts *f, struct spans s, uint64_t than_ns)
{
	uint64_t until_ns[CPU_NUMBERS] = { 0 };
	uint64_t cpus[CPU_NUMBERS];	/* on which something may last */
	size_t cnt = 0;
	bool share = false;

	for (size_t i = 0; i < s.cnt && !share; i++) {
		const struct span *x = &s.v[i];
		bool listed = until_ns[x->of] > x->from_ns;

		for (size_t k = 0; k < cnt && !share;) {
			uint64_t both_ns = min_u64(until_ns[cpus[k]], x->until_ns);

			if (until_ns[cpus[k]] <= x->from_ns) {
				cpus[k] = cpus[--cnt];
				continue;
			}
			share = (cpus[k] != x->of || !than_ns) && both_ns - x->from_ns >
				max_u64(clocks_eps(f, (uint32_t)cpus[k], (uint32_t)x->of), than_ns);
			k++;
		}
		if (!listed)
			cpus[cnt++] = x->of;
		until_ns[x->of] = max_u64(until_ns[x->of], x->until_ns);
	}
	free(s.v);
	return share;
}

static bool probes_missed(const struct facts *f)
{
	return f->about->storage_failures || f->about->recursion_misses;
}

/* The times at which each CPU is held, from @from_ns to @until_ns. */
static struct spans held(const struct facts *f, uint64_t from_ns, uint64_t until_ns)
{
	struct spans s = runs(f, 0, true);
	size_t cnt = 0;

	for (uint32_t c = 0; c < CPU_NUMBERS; c++) {
		for (size_t i = 0; i < f->cpus[c].holes.cnt; i++)
			add(&s, max_u64(f->cpus[c].holes.v[i].from_ns, from_ns),
			    min_u64(f->cpus[c].holes.v[i].to_ns, until_ns), c);
		if (f->cpus[c].usable && probes_missed(f))
			add(&s, from_ns, until_ns, c);
	}
	for (size_t i = 0; i < s.cnt; i++)	/* by the CPU first */
		s.v[i] = (struct span){ s.v[i].of, s.v[i].from_ns, s.v[i].until_ns };
	sort_words(s.v, s.cnt, 3);
	for (size_t i = 0; i < s.cnt; i++) {
		struct span x = { s.v[i].until_ns, s.v[i].of, s.v[i].from_ns };

		if (cnt && s.v[cnt - 1].of == x.of && x.from_ns <= s.v[cnt - 1].until_ns)
			s.v[cnt - 1].until_ns = max_u64(s.v[cnt - 1].until_ns, x.until_ns);
		else
			s.v[cnt++] = x;
	}
	s.cnt = cnt;
	return s;
}

static void derive_bounds(const struct facts *f, struct figures *g)
{
	uint64_t from_ns = f->start_ns, until_ns = f->end_ns;
	struct tally high;

	if (f->gaps || probes_missed(f)) {
		from_ns = min_u64(from_ns, f->about->armed_ns);
		until_ns = max_u64(until_ns, f->about->end_ns > BEYOND_NS ? 0 : f->about->end_ns);
	}
	high = tally_of(held(f, from_ns, until_ns));
	g->n[N_BUSY_LOW] = tally_of(runs(f, ACROSS, false)).one_ns;
	g->n[N_PARALLEL_LOW] = tally_of(runs(f, ACROSS | HIDDEN, false)).two_ns;
	g->n[N_BUSY_HIGH] = high.one_ns;
	g->n[N_PARALLEL_HIGH] = high.two_ns;
}

static void derive_running(const struct facts *f, struct figures *g)
{
	struct tally all = tally_of(runs(f, 0, false));
	bool exact = !f->gaps && !probes_missed(f);

	for (size_t i = 0; i < f->stretches.cnt; i++) {
		const struct stretch *s = &f->stretches.v[i];

		g->n[N_RUN] += s->what == RUN ? s->end_ns - s->start_ns : 0;
		exact &= s->what != RUN || !(s->marks & (HIDDEN | ACROSS));
	}
	g->n[N_BUSY] = g->n[N_BUSY_LOW] = g->n[N_BUSY_HIGH] = all.one_ns;
	g->n[N_PARALLEL] = g->n[N_PARALLEL_LOW] = g->n[N_PARALLEL_HIGH] = all.two_ns;
	if (!exact)
		derive_bounds(f, g);
	g->n[N_NEVER_TWO] = g->lossless && g->clean && all.one_ns && !two_share(f, runs(f, 0, true),
										0);
	g->proves = two_share(f, runs(f, HIDDEN | CUT_START | ACROSS, false), PROOF_MIN_NS);
}

/* ---- section 10 ---- */

static void order_by_task(const struct facts *f, struct figures *g)
{
	g->first = xcalloc(f->tasks.cnt + 2, sizeof(*g->first));
	g->by_task = xcalloc(f->stretches.cnt + 1, sizeof(*g->by_task));
	/* first[t + 1] is where t is filled up to, and so becomes its end. */
	for (size_t i = 0; i < f->stretches.cnt; i++)
		g->first[f->stretches.v[i].task + 2]++;
	for (size_t t = 1; t < f->tasks.cnt + 2; t++)
		g->first[t] += g->first[t - 1];
	for (size_t i = 0; i < f->stretches.cnt; i++)
		g->by_task[g->first[f->stretches.v[i].task + 1]++] = (uint32_t)i;
}

/* Is a task in progress in this wait? */
static bool wait_counts(const struct stretch *w, bool helper)
{
	bool kin = w->marks & BY_KIN;

	if (w->ticks)
		return false;
	switch ((enum sort)w->sort) {
	case WORKING:
		return !kin;
	case IDLE:
		return !kin && !helper;
	case LOCKED:
		return !helper;
	case QUEUED:
		return true;
	default:
		return false;
	}
}

/*
 * A ready stretch with next to nothing to do behind it. @at: not the first; @end: behind the task's
 * last
 */
static bool is_rest(const struct stretch *all, const uint32_t *at, const uint32_t *end, bool helper)
{
	const struct stretch *before = &all[at[-1]], *s = &all[at[0]], *run = &all[at[1]];
	uint64_t run_ns = run->end_ns - run->start_ns;

	if (before->end_ns != s->start_ns || run->what != RUN || run->start_ns != s->end_ns)
		return false;
	if (before->what != RUN && (before->what != WAIT || wait_counts(before, helper)))
		return false;
	if (at + 2 < end && all[at[2]].what == READY && all[at[2]].start_ns == run->end_ns)
		return false;
	return run_ns < REST_RUN_NS && !is_share(run_ns, s->end_ns - s->start_ns);
}

static uint64_t run_ns_of(const struct facts *f, const struct figures *g, uint32_t task)
{
	uint64_t sum_ns = 0;

	for (size_t i = g->first[task]; i < g->first[task + 1]; i++) {
		const struct stretch *s = &f->stretches.v[g->by_task[i]];

		sum_ns += s->what == RUN ? s->end_ns - s->start_ns : 0;
	}
	return sum_ns;
}

static bool is_nap(const struct stretch *s)
{
	return s->what == WAIT && s->sleeps && s->ender == BY_INTERRUPT && !(s->marks & CUT_END);
}

/* Of children, after @a->ns and not after @until_ns. */
static bool any_death(const struct deaths *deaths, struct death after, uint64_t until_ns)
{
	size_t low = 0, high = deaths->cnt;

	while (low < high) {
		const struct death *d = &deaths->v[(low + high) / 2];

		if (d->parent < after.parent || (d->parent == after.parent && d->ns <= after.ns))
			low = (low + high) / 2 + 1;
		else
			high = (low + high) / 2;
	}
	return low < deaths->cnt && deaths->v[low].parent == after.parent &&
	       deaths->v[low].ns <= until_ns;
}

/* When the task runs again after a nap. @end: behind its last stretch */
static uint64_t runs_again_ns(const struct stretch *all, const uint32_t *nap, const uint32_t *end)
{
	const uint32_t *i = nap + 1;

	while (i < end && all[*i].what == READY)
		i++;
	return i < end && all[*i].what == RUN ? all[*i].start_ns : all[*nap].end_ns;
}

/* Two of its naps follow each other, and its last wait was ended with its process. */
static bool is_monitor(const struct facts *f, const struct figures *g, uint32_t task)
{
	bool napped = false, again = false, with_process = false;

	for (size_t i = g->first[task]; i < g->first[task + 1]; i++) {
		const struct stretch *s = &f->stretches.v[g->by_task[i]];

		if (s->what != WAIT)
			continue;
		again |= napped && is_nap(s);
		napped = is_nap(s);
		with_process = s->with_process;
	}
	return again && with_process;
}

/* Of the naps of @task that follow each other all tick, or none. @monitor: it is the only one */
static void tell_ticks(struct facts *f, const struct figures *g, uint32_t task,
		       const struct deaths *deaths, bool monitor)
{
	const uint32_t *at = &g->by_task[g->first[task]], *end = &g->by_task[g->first[task + 1]];
	struct stretch *all = f->stretches.v;
	const uint32_t *first = NULL, *before = NULL, *last = NULL;

	for (const uint32_t *i = at; i <= end; i++) {
		bool ticks;

		if (i < end && all[*i].what != WAIT)
			continue;
		if (i < end && is_nap(&all[*i])) {
			first = last ? first : i;
			before = last;
			last = i;
			continue;
		}
		ticks = last && before &&
			(monitor ||
			 any_death(deaths, (struct death){ task, all[*before].end_ns },
				   runs_again_ns(all, last, end) + GONE_NS));
		for (; ticks && first <= last; first++)
			all[*first].ticks = is_nap(&all[*first]);
		last = NULL;
	}
}

/* Section 11, rule 6. */
static bool is_perhaps_sleep(const struct stretch *w)
{
	return w->sort == IDLE && w->futex != NONE && !w->futex_no_limit &&
	       (w->ender == BY_UNSEEN || w->doubtful);
}

/* From the start of its first run to the end of its last. */
static void progress_of(const struct facts *f, struct figures *g, uint32_t task, bool helper)
{
	size_t from = g->first[task], to = g->first[task + 1];
	const struct stretch *all = f->stretches.v;
	const uint32_t *end = &g->by_task[to];
	struct span *last = NULL;

	while (from < to && all[g->by_task[from]].what != RUN)
		from++;
	while (from < to && all[g->by_task[to - 1]].what != RUN)
		to--;
	for (size_t i = from; i < to; i++) {
		const struct stretch *s = &all[g->by_task[i]];

		if (s->what == READY && is_rest(all, &g->by_task[i], end, helper))
			continue;
		if (s->what == WAIT && !wait_counts(s, helper)) {
			if (is_perhaps_sleep(s))
				g->perhaps_ns += s->end_ns - s->start_ns;
			continue;
		}
		if (last && last->until_ns == s->start_ns) {
			last->until_ns = s->end_ns;
		} else {
			last = PUSH(g->progress);
			*last = (struct span){ s->start_ns, s->end_ns, task };
		}
	}
}

static void derive_progress(struct facts *f, struct figures *g)
{
	struct deaths deaths = { 0 };
	struct idmap monitor_of = { 0 };
	struct spans ops = { 0 };
	uint64_t longest_ns = 0;
	struct tally t;

	order_by_task(f, g);
	for (uint32_t i = 0; i < f->tasks.cnt; i++)
		if (f->tasks.v[i].now.what == DEAD && f->tasks.v[i].parent != i &&
		    f->tasks.v[i].death_ns <= f->end_ns)
			ADD(deaths, (struct death){ f->tasks.v[i].parent, f->tasks.v[i].death_ns });
	sort_words(deaths.v, deaths.cnt, 2);
	for (uint32_t i = 0; i < f->tasks.cnt; i++)
		if (is_monitor(f, g, i)) {
			uint32_t *of = map_at(&monitor_of, f->tasks.v[i].tgid, 0);

			*of = *of == NONE ? i : (uint32_t)f->tasks.cnt;	/* or several */
		}
	for (uint32_t i = 0; i < f->tasks.cnt; i++)
		tell_ticks(f, g, i, &deaths, map_get(&monitor_of, f->tasks.v[i].tgid, 0) == i);
	idmap_release(&monitor_of);
	free(deaths.v);
	for (uint32_t i = 0; i < f->tasks.cnt; i++)
		longest_ns = max_u64(longest_ns, run_ns_of(f, g, i));
	for (uint32_t i = 0; i < f->tasks.cnt; i++)
		progress_of(f, g, i, !is_share(run_ns_of(f, g, i), longest_ns));
	for (size_t i = 0; i < f->ops.cnt; i++)
		if (f->ops.v[i].counts)
			add(&ops, f->ops.v[i].start_ns, f->ops.v[i].end_ns, 0);
	t = tally(&g->progress, &ops);
	free(ops.v);
	g->n[N_ACTIVE] = t.one_ns;
	g->n[N_CONCURRENT] = t.two_ns;
	g->n[N_MAX_TASKS] = t.most[0];
	g->n[N_MAX_OPS] = t.most[1];
}

/* ---- section 11 ---- */

/* Rule 5. */
static bool loop_unobserved(const struct facts *f)
{
	uint32_t *visits = xcalloc(f->loop_of.cnt + 1, sizeof(*visits));
	struct idmap marked = { 0 };
	bool unobserved = f->about->ready_unseen || f->marker_unread;

	for (size_t i = 0; i < f->ops.cnt; i++)
		if (f->ops.v[i].number && f->ops.v[i].mark)
			map_number(&marked, f->tasks.v[f->ops.v[i].task].tgid, 0);
	for (size_t i = 0; i < f->stretches.cnt; i++)
		if (f->stretches.v[i].what == WAIT && f->stretches.v[i].loop != NONE)
			visits[f->stretches.v[i].loop]++;
	for (size_t i = 0; i < f->stretches.cnt && !unobserved; i++) {
		const struct stretch *w = &f->stretches.v[i];

		unobserved = w->what == WAIT && w->loop != NONE && visits[w->loop] >= 2 &&
			     !(w->marks & (OBSERVED | CUT_END | BY_WORKLOAD)) &&
			     map_get(&marked, f->tasks.v[w->task].tgid, 0) == NONE;
	}
	free(visits);
	idmap_release(&marked);
	return unobserved;
}

/* The class; of an inconclusive one, why. */
static enum class derive_class(const struct facts *f, const struct figures *g, const char **why)
{
	uint64_t sure_ns = g->n[N_RUN] - g->n[N_BUSY];
	bool shares = g->trusted && g->proves && g->n[N_BUSY_HIGH] &&
		      is_share(g->n[N_PARALLEL_LOW], g->n[N_BUSY_HIGH]);

	if (shares && is_share(sure_ns > f->ahead_ns ? sure_ns - f->ahead_ns : 0, g->n[N_BUSY]))
		return PARALLEL;
	if (!g->lossless)
		*why = "records are missing";
	else if (!g->trusted)
		*why = "the records contradict each other or the kernel's counts";
	else if (!g->n[N_BUSY])
		*why = "no task ran";
	else if (shares)
		*why = "the CPUs' clocks contradict most of what ran at once";
	else if (is_share(g->n[N_PARALLEL_HIGH], g->n[N_BUSY_LOW]))
		*why = g->proves ? "the bounds of the time in which two ran do not decide" :
		       "no overlap is longer than the clocks may disagree";
	else if (g->n[N_CONCURRENT] && is_share(g->n[N_CONCURRENT], g->n[N_ACTIVE]))
		return CONCURRENT;
	else if (loop_unobserved(f))
		*why = "operations of an event loop were not observed";
	else if (g->perhaps_ns && 20 * (g->perhaps_ns + g->n[N_CONCURRENT]) >= g->n[N_ACTIVE])
		*why = "whether a wait with a time limit was a sleep cannot be told";
	else
		return SEQUENTIAL;
	return INCONCLUSIVE;
}

/* ---- all of it ---- */

static void copy_facts(const struct facts *f, uint64_t n[N_DERIVED])
{
	n[N_WINDOW_START] = f->start_ns;
	n[N_WINDOW_END] = f->end_ns;
	n[N_BIRTHS] = f->births;
	n[N_DEATHS] = f->deaths;
	n[N_ALIVE] = f->alive;
	n[N_OUTS] = f->outs;
	n[N_COUNTED] = f->counted;
	n[N_HIDDEN] = f->hidden;
	n[N_AHEAD] = f->ahead_ns;
	n[N_DIGEST] = f->about->digest;
	for (uint32_t a = 0; a < CPU_NUMBERS; a++)
		for (uint32_t b = 0; b < a && f->cpus[a].usable; b++)
			if (f->cpus[b].usable)
				n[N_EPS_MAX] = max_u64(n[N_EPS_MAX], clocks_eps(f, a, b));
}

void figures_derive(struct facts *f, struct figures *g)
{
	for (size_t i = 0; i < f->stretches.cnt; i++) {	/* section 4 */
		struct stretch *s = &f->stretches.v[i];

		if (s->what == RUN && in_gap(&f->cpus[s->cpu], s->start_ns, s->end_ns))
			s->marks |= ACROSS;
	}
	waits_settle(f);
	cut_to_window(f);
	operations_settle(f);
	g->lossless = !f->gaps && !f->refused && !probes_missed(f) && f->about->reason != 6;
	g->clean = !f->faults.cnt;
	g->trusted = true;
	for (size_t i = 0; i < f->faults.cnt; i++)
		g->trusted &= f->faults.v[i].explained && !g->lossless;
	copy_facts(f, g->n);
	derive_running(f, g);
	derive_progress(f, g);
	g->class = derive_class(f, g, &g->reason);
}

void figures_release(struct figures *g)
{
	free(g->progress.v);
	free(g->by_task);
	free(g->first);
}
