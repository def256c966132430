/* SPDX-License-Identifier: GPL-2.0-only */
#include "verify/figures.h"

#include <string.h>

#include "util/minmax.h"

#define EPS_UNKNOWN_NS 1000000
#define REASON_WRITE_ERROR 6
#define REST_NS 100000

/* ---- how many at once ---- */

/* Begins and ends of intervals, each list in order of time once sorted. */
struct times {
	uint64_t *start, *end;
	size_t cnt, start_cap, end_cap;
};

struct level {
	uint64_t one_ns, two_ns;	/* time with one or more, two or more */
	uint64_t most;
};

static void times_add(struct times *t, uint64_t start_ns, uint64_t end_ns)
{
	size_t cnt = t->cnt;

	if (start_ns >= end_ns)
		return;
	*vec_push(t->start, cnt, t->start_cap) = start_ns;
	*vec_push(t->end, t->cnt, t->end_cap) = end_ns;
}

static bool in_order(const uint64_t *v, size_t cnt)
{
	for (size_t i = 1; i < cnt; i++)
		if (v[i] < v[i - 1])
			return false;
	return true;
}

/* By bytes, the lowest first; bytes that all share take no pass. */
static void sort_times(uint64_t **v, size_t cnt)
{
	uint64_t *from = *v, *to, differ = 0;

	if (in_order(from, cnt))
		return;
	to = xcalloc(cnt, sizeof(*to));
	for (size_t i = 1; i < cnt; i++)
		differ |= from[i] ^ from[0];
	for (unsigned int shift = 0; shift < 64; shift += 8) {
		size_t at[257] = { 0 };
		uint64_t *other = from;

		if (!(differ >> shift & 0xff))
			continue;
		for (size_t i = 0; i < cnt; i++)
			at[(from[i] >> shift & 0xff) + 1]++;
		for (int b = 0; b < 256; b++)
			at[b + 1] += at[b];
		for (size_t i = 0; i < cnt; i++)
			to[at[from[i] >> shift & 0xff]++] = from[i];
		from = to;
		to = other;
	}
	free(to);
	*v = from;
}

static void times_sort(struct times *t)
{
	sort_times(&t->start, t->cnt);
	sort_times(&t->end, t->cnt);
}

static void times_release(struct times *t)
{
	free(t->start);
	free(t->end);
}

/* How many are open from the next instant on at which that changes. False: it never will. */
struct walk {
	const struct times *t;
	size_t begun, ended;
};

static uint64_t walk_next(const struct walk *w)
{
	uint64_t next = NEVER;

	if (w->ended < w->t->cnt)
		next = w->t->end[w->ended];
	if (w->begun < w->t->cnt)
		next = min_u64(next, w->t->start[w->begun]);
	return next;
}

static uint64_t walk_to(struct walk *w, uint64_t at_ns)
{
	while (w->begun < w->t->cnt && w->t->start[w->begun] <= at_ns)
		w->begun++;
	while (w->ended < w->t->cnt && w->t->end[w->ended] <= at_ns)
		w->ended++;
	return w->begun - w->ended;
}

/* Two kinds side by side: one or more of either, two or more of one kind. */
static struct level measure(const struct times *a, const struct times *b, uint64_t most[2])
{
	static const struct times none;
	struct walk x = { a, 0, 0 }, y = { b ? b : &none, 0, 0 };
	struct level level = { 0 };

	for (;;) {
		uint64_t at_ns = min_u64(walk_next(&x), walk_next(&y)), next_ns, n, k;

		if (at_ns == NEVER)
			return level;
		n = walk_to(&x, at_ns);
		k = walk_to(&y, at_ns);
		most[0] = max_u64(most[0], n);
		most[1] = max_u64(most[1], k);
		next_ns = min_u64(walk_next(&x), walk_next(&y));
		if (n || k)
			level.one_ns += next_ns - at_ns;
		if (n >= 2 || k >= 2)
			level.two_ns += next_ns - at_ns;
	}
}

/* ---- runs ---- */

static bool is_hidden(const struct stretch *s)
{
	return s->marks & M_HIDDEN;
}

static bool is_doubtful(const struct stretch *s)
{
	return s->marks & M_GAP;
}

static uint64_t earliest_ns(const struct stretch *s)
{
	return is_hidden(s) ? min_u64(s->start_ns, s->least_ns) : s->start_ns;
}

/* A CPU that was, or may have been, held. */
struct hold {
	uint64_t start_ns, end_ns;
	uint32_t cpu;
};

struct holds {
	struct hold *v;
	size_t cnt, cap;
};

static void holds_add(struct holds *h, uint32_t cpu, uint64_t start_ns, uint64_t end_ns)
{
	if (start_ns < end_ns)
		*vec_push(h->v, h->cnt, h->cap) = (struct hold){ start_ns, end_ns, cpu };
}

static int by_cpu(const void *a, const void *b)
{
	const struct hold *x = a, *y = b;

	if (x->cpu != y->cpu)
		return x->cpu < y->cpu ? -1 : 1;
	return x->start_ns < y->start_ns ? -1 : x->start_ns > y->start_ns;
}

static int by_begin(const void *a, const void *b)
{
	const struct hold *x = a, *y = b;

	return x->start_ns < y->start_ns ? -1 : x->start_ns > y->start_ns;
}

/* Of each CPU the time in which something held it, within the window. */
static void holds_join(struct holds *h, uint64_t from_ns, uint64_t until_ns, struct times *out)
{
	if (h->cnt)
		qsort(h->v, h->cnt, sizeof(*h->v), by_cpu);
	for (size_t i = 0; i < h->cnt;) {
		struct hold all = h->v[i];

		for (i++; i < h->cnt && h->v[i].cpu == all.cpu && h->v[i].start_ns <= all.end_ns; i++)
			all.end_ns = max_u64(all.end_ns, h->v[i].end_ns);
		times_add(out, max_u64(all.start_ns, from_ns), min_u64(all.end_ns, until_ns));
	}
}

/* Whoever was not followed, or was skipped, may have run at any time. */
static bool lost_anywhere(const struct facts *f)
{
	return f->about->storage_failures || f->about->recursion_misses;
}

/* All that may have been. */
static void derive_high(const struct facts *f, struct figures *g)
{
	uint64_t from_ns = f->start_ns, until_ns = f->end_ns, most[2] = { 0 };
	struct times times = { 0 };
	struct holds holds = { 0 };
	struct level level;

	if (f->gap_cnt || lost_anywhere(f)) {
		from_ns = min_u64(from_ns, f->about->armed_ns);
		until_ns = max_u64(until_ns, f->about->end_ns);
	}
	for (size_t i = 0; i < f->stretch_cnt; i++)
		if (f->stretches[i].sort == RUNS)
			holds_add(&holds, f->stretches[i].cpu, earliest_ns(&f->stretches[i]),
				  f->stretches[i].end_ns);
	for (uint32_t c = 0; c < CPU_NUMBERS; c++) {
		for (size_t i = 0; i < f->cpus[c].hole_cnt; i++)
			holds_add(&holds, c, f->cpus[c].holes[i].from_ns,
				  f->cpus[c].holes[i].until_ns);
		if (f->cpus[c].usable && lost_anywhere(f))
			holds_add(&holds, c, from_ns, until_ns);
	}
	holds_join(&holds, from_ns, until_ns, &times);
	times_sort(&times);
	level = measure(&times, NULL, most);
	g->busy_high_ns = level.one_ns;
	g->parallel_high_ns = level.two_ns;
	times_release(&times);
	free(holds.v);
}

/* Only what is certain; a hidden run is drawn at its shortest, and overlaps nothing for certain. */
static void derive_low(const struct facts *f, struct figures *g)
{
	struct times busy = { 0 }, certain = { 0 };
	uint64_t most[2] = { 0 };

	for (size_t i = 0; i < f->stretch_cnt; i++) {
		const struct stretch *s = &f->stretches[i];

		if (s->sort != RUNS || is_doubtful(s))
			continue;
		times_add(&busy, s->start_ns, s->end_ns);
		if (!is_hidden(s))
			times_add(&certain, s->start_ns, s->end_ns);
	}
	times_sort(&busy);
	times_sort(&certain);
	g->busy_low_ns = measure(&busy, NULL, most).one_ns;
	g->parallel_low_ns = measure(&certain, NULL, most).two_ns;
	times_release(&busy);
	times_release(&certain);
}

/* ---- overlaps ---- */

struct overlap {
	uint64_t longest_ns;
	bool beyond_eps;
	bool proves;		/* one between two CPUs is longer than eps and than LEAST_NS */
};

/*
 * Every pair of runs that share time, met at the one that begins later: of each CPU
 * only the run that ends last can be open.
 */
static struct overlap overlaps(struct holds *runs, const struct figures *g)
{
	struct hold open[CPU_NUMBERS];
	struct overlap o = { 0 };
	size_t open_cnt = 0;

	if (runs->cnt)
		qsort(runs->v, runs->cnt, sizeof(*runs->v), by_begin);
	for (size_t i = 0; i < runs->cnt; i++) {
		struct hold *r = &runs->v[i], *own = NULL;

		for (size_t k = 0; k < open_cnt;) {
			uint64_t ns, eps_ns;

			if (open[k].end_ns <= r->start_ns) {
				open[k] = open[--open_cnt];
				continue;
			}
			ns = min_u64(open[k].end_ns, r->end_ns) - r->start_ns;
			eps_ns = figures_eps(g, open[k].cpu, r->cpu);
			if (open[k].cpu == r->cpu)
				own = &open[k];
			else
				o.proves |= ns > max_u64(eps_ns, LEAST_NS);
			o.longest_ns = max_u64(o.longest_ns, ns);
			o.beyond_eps |= ns > eps_ns;
			k++;
		}
		if (own)
			own->end_ns = max_u64(own->end_ns, r->end_ns);
		else
			open[open_cnt++] = *r;
	}
	return o;
}

static void derive_overlaps(const struct facts *f, struct figures *g)
{
	struct holds drawn = { 0 }, longest = { 0 }, recorded = { 0 };
	struct overlap o;
	bool hidden = false;

	for (size_t i = 0; i < f->stretch_cnt; i++) {
		const struct stretch *s = &f->stretches[i];

		if (s->sort != RUNS)
			continue;
		holds_add(&drawn, s->cpu, s->start_ns, s->end_ns);
		holds_add(&longest, s->cpu, earliest_ns(s), s->end_ns);
		if (!(s->marks & (M_HIDDEN | M_CUT_START | M_GAP)))
			holds_add(&recorded, s->cpu, s->start_ns, s->end_ns);
		hidden |= is_hidden(s);
	}
	o = overlaps(&drawn, g);
	g->longest_ns = o.longest_ns;
	g->beyond_eps = o.beyond_eps || (hidden && overlaps(&longest, g).beyond_eps);
	g->provable = o.proves && overlaps(&recorded, g).proves;
	free(drawn.v);
	free(longest.v);
	free(recorded.v);
}

static void derive_runs(const struct facts *f, struct figures *g)
{
	struct times times = { 0 };
	uint64_t most[2] = { 0 };
	bool doubt = f->gap_cnt || lost_anywhere(f);
	struct level level;

	for (size_t i = 0; i < f->stretch_cnt; i++) {
		const struct stretch *s = &f->stretches[i];

		if (s->sort != RUNS)
			continue;
		times_add(&times, s->start_ns, s->end_ns);
		g->run_ns += s->end_ns - s->start_ns;
		doubt |= is_hidden(s) || is_doubtful(s);
	}
	times_sort(&times);
	level = measure(&times, NULL, most);
	times_release(&times);
	g->busy_ns = g->busy_low_ns = g->busy_high_ns = level.one_ns;
	g->parallel_ns = g->parallel_low_ns = g->parallel_high_ns = level.two_ns;
	if (doubt) {
		derive_high(f, g);
		derive_low(f, g);
	}
	if (doubt || most[0] >= 2)
		derive_overlaps(f, g);
}

/* ---- clocks ---- */

static uint32_t node(struct figures *g, uint32_t cpu)
{
	if (!g->node_of[cpu])
		g->node_of[cpu] = ++g->node_cnt;
	return g->node_of[cpu] - 1;
}

/* From bounds of single steps to those of the shortest ways: Floyd, Warshall. */
static void shorten(uint64_t *d, uint32_t n)
{
	for (uint32_t k = 0; k < n; k++) {
		for (uint32_t i = 0; i < n; i++) {
			uint64_t first = d[(size_t)i * n + k], sum;

			for (uint32_t j = 0; j < n && first != NEVER; j++)
				if (!__builtin_add_overflow(first, d[(size_t)k * n + j], &sum))
					d[(size_t)i * n + j] = min_u64(d[(size_t)i * n + j], sum);
		}
	}
}

static void step(uint64_t *d, uint32_t n, uint32_t from, uint32_t to, uint64_t ns)
{
	uint64_t *cell = &d[(size_t)from * n + to];

	*cell = min_u64(*cell, ns);
}

static void derive_clocks(const struct facts *f, struct figures *g)
{
	const struct circumstances *a = f->about;
	uint64_t *cause, *pair;
	uint32_t n, rows;
	size_t cells;

	for (uint32_t c = 0; c < CPU_NUMBERS; c++)
		if (f->cpus[c].usable)
			node(g, c);
	rows = g->node_cnt;
	for (size_t i = 0; i < f->edge_cnt; i++)
		node(g, f->edges[i].from), node(g, f->edges[i].to);
	for (size_t i = 0; i < a->pair_cnt; i++)
		node(g, a->pairs[i].a), node(g, a->pairs[i].b);
	n = g->node_cnt;
	cells = (size_t)n * n;
	cause = xcalloc(cells + 1, sizeof(*cause));
	pair = xcalloc(cells + 1, sizeof(*pair));
	memset(cause, 0xff, cells * sizeof(*cause));
	memset(pair, 0xff, cells * sizeof(*pair));
	for (size_t i = 0; i < f->edge_cnt; i++)
		step(cause, n, node(g, f->edges[i].from), node(g, f->edges[i].to),
		     f->edges[i].least_ns);
	for (size_t i = 0; i < a->pair_cnt; i++) {
		step(pair, n, node(g, a->pairs[i].a), node(g, a->pairs[i].b), a->pairs[i].eps_ns);
		step(pair, n, node(g, a->pairs[i].b), node(g, a->pairs[i].a), a->pairs[i].eps_ns);
	}
	shorten(cause, n);
	shorten(pair, n);
	for (uint32_t i = 0; i < n; i++) {
		for (uint32_t j = 0; j < i; j++) {
			uint64_t *ij = &cause[(size_t)i * n + j], *ji = &cause[(size_t)j * n + i];
			uint64_t eps = min_u64(max_u64(*ij, *ji), pair[(size_t)i * n + j]);

			*ij = *ji = eps == NEVER ? EPS_UNKNOWN_NS : eps;
			if (i < rows && j < rows)
				g->eps_max_ns = max_u64(g->eps_max_ns, *ij);
		}
	}
	free(pair);
	g->eps_ns = cause;
}

uint64_t figures_eps(const struct figures *g, uint32_t cpu_a, uint32_t cpu_b)
{
	uint32_t a = g->node_of[cpu_a], b = g->node_of[cpu_b];

	if (a == b)
		return 0;
	return a && b ? g->eps_ns[(size_t)(a - 1) * g->node_cnt + b - 1] : EPS_UNKNOWN_NS;
}

/* ---- progress ---- */

/* @s is neither the first nor the last of its task. It was preempted with next to nothing left to do. */
static bool is_rest(const struct stretch *s)
{
	uint64_t run_ns = s[1].end_ns - s[1].start_ns;

	return s[-1].sort == RUNS && s[1].sort == RUNS && run_ns < REST_NS &&
	       !is_share(run_ns, s->end_ns - s->start_ns);
}

static bool in_progress(const struct facts *f, const struct stretch *s, bool helper)
{
	switch ((enum sort)s->sort) {
	case RUNS:
		return true;
	case READY:
		return !is_rest(s);
	case ABSENT:
		return false;
	case QUEUES:
		return true;
	case LOCKED:
		return !helper;
	case WORKS:
		return !replay_by_kin(f, s);
	case IDLES:
	case AT_FUTEX:
		break;
	}
	return !helper && !replay_by_kin(f, s);
}

/* Between its first and its last run. */
static void task_presences(const struct facts *f, uint32_t place, bool helper, struct presences *out)
{
	const struct stretch *s = &f->stretches[f->tasks[place].first];
	size_t first = 0, end = f->tasks[place].cnt;
	bool open = false;

	while (first < end && s[first].sort != RUNS)
		first++;
	while (end > first && s[end - 1].sort != RUNS)
		end--;
	for (; first < end; first++) {
		bool present = in_progress(f, &s[first], helper);

		if (present && !open)
			*vec_push(out->v, out->cnt, out->cap) =
				(struct presence){ s[first].start_ns, 0, place };
		if (present)
			out->v[out->cnt - 1].end_ns = s[first].end_ns;
		open = present;
	}
}

static uint64_t run_ns_of(const struct facts *f, const struct task *t)
{
	uint64_t ns = 0;

	for (size_t i = t->first; i < t->first + t->cnt; i++)
		if (f->stretches[i].sort == RUNS)
			ns += f->stretches[i].end_ns - f->stretches[i].start_ns;
	return ns;
}

static void derive_progress(const struct facts *f, struct figures *g)
{
	struct times tasks = { 0 }, ops = { 0 };
	uint64_t longest_ns = 0, most[2] = { 0 };
	struct level level;

	for (size_t i = 0; i < f->task_cnt; i++)
		longest_ns = max_u64(longest_ns, run_ns_of(f, &f->tasks[i]));
	for (uint32_t i = 0; i < f->task_cnt; i++)
		task_presences(f, i, !is_share(run_ns_of(f, &f->tasks[i]), longest_ns), &g->tasks);
	for (size_t i = 0; i < g->tasks.cnt; i++)
		times_add(&tasks, g->tasks.v[i].start_ns, g->tasks.v[i].end_ns);
	for (size_t i = 0; i < f->op_cnt; i++)
		if (!f->ops[i].part_of)
			times_add(&ops, f->ops[i].start_ns, f->ops[i].end_ns);
	times_sort(&tasks);
	times_sort(&ops);
	level = measure(&tasks, &ops, most);
	g->active_ns = level.one_ns;
	g->concurrent_ns = level.two_ns;
	g->most_tasks = most[0];
	g->most_ops = most[1];
	times_release(&tasks);
	times_release(&ops);
}

/* ---- the class ---- */

static bool operations_unseen(const struct facts *f)
{
	return loops_unseen(f) || f->about->ready_unseen || f->marks_unread;
}

static void settle(struct figures *g, enum class class, const char *reason)
{
	g->class = class;
	g->reason = reason;
}

static void derive_class(const struct facts *f, struct figures *g)
{
	uint64_t beyond_ns;
	bool trusted, stamped;

	g->lossless = !f->refused && !f->gap_cnt && !lost_anywhere(f) &&
		      f->about->reason != REASON_WRITE_ERROR;
	g->clean = !f->fault_cnt;
	g->never_two = g->lossless && g->clean && g->busy_ns && !g->beyond_eps;
	trusted = g->clean || (!g->lossless && !f->unexplained);
	beyond_ns = g->run_ns - g->busy_ns;
	stamped = is_share(beyond_ns - min_u64(beyond_ns, f->ahead_ns), g->busy_ns);
	if (trusted && g->provable && g->busy_high_ns && stamped &&
	    is_share(g->parallel_low_ns, g->busy_high_ns))
		settle(g, PARALLEL, NULL);
	else if (!g->lossless)
		settle(g, INCONCLUSIVE, "records are missing");
	else if (!trusted)
		settle(g, INCONCLUSIVE, "the records contradict each other or the kernel's counts");
	else if (!g->busy_ns)
		settle(g, INCONCLUSIVE, "no task ran");
	else if (is_share(g->parallel_high_ns, g->busy_low_ns) && !stamped && f->ahead_ns)
		settle(g, INCONCLUSIVE, "the CPUs' clocks contradict most of what ran at once");
	else if (is_share(g->parallel_high_ns, g->busy_low_ns) && g->provable)
		settle(g, INCONCLUSIVE, "the bounds of the time in which two ran do not decide");
	else if (is_share(g->parallel_high_ns, g->busy_low_ns))
		settle(g, INCONCLUSIVE, "no overlap is longer than the clocks may disagree");
	else if (g->concurrent_ns && is_share(g->concurrent_ns, g->active_ns))
		settle(g, CONCURRENT, NULL);
	else if (operations_unseen(f))
		settle(g, INCONCLUSIVE, "operations of an event loop were not observed");
	else
		settle(g, SEQUENTIAL, NULL);
}

void figures_derive(const struct facts *f, struct figures *g)
{
	memset(g, 0, sizeof(*g));
	derive_clocks(f, g);
	derive_runs(f, g);
	derive_progress(f, g);
	derive_class(f, g);
}

void figures_release(struct figures *g)
{
	free(g->tasks.v);
	free(g->eps_ns);
}
