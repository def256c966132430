/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * oracle_handovers - whether tasks that end each other's waits run one at a time. It looks at every
 * pair of tasks.
 */

#include <stdlib.h>
#include <string.h>

#include "oracle.h"
#include "util/alloc.h"
#include "util/minmax.h"

#define FAKE_RUN_NS 50000	/* a run of no account, between two waits */
#define GROUPS 4
#define NONE SIZE_MAX

struct world {
	const struct oracle *o;
	size_t n;		/* tasks */
	uint64_t *hands;	/* [from * n + to] */
	uint64_t *lost;		/* of these, in vain */
	uint64_t *returned;	/* and what counts as handed over for that, by who lost */
	size_t *group;		/* of a task: the first task of it, or NONE */
};

static size_t index_of(const struct truth *t, uint32_t id)
{
	for (size_t i = 0; i < t->task_cnt; i++)
		if (t->tasks[i].id == id)
			return i;
	return NONE;
}

/* Who handed over to @to at the end of @s, or NONE. */
static size_t giver(const struct truth *t, size_t to, const struct truth_span *s)
{
	static const enum reason no_turn[] = {
		REASON_NONE, REASON_JOIN, REASON_CHILD, REASON_SLEEP, REASON_DISK, REASON_PAGEFAULT,
		REASON_STOPPED,
	};
	uint32_t id = t->tasks[to].id;

	if (s->state != SPAN_BLOCKED || !s->waker_id || s->waker_id == id || s->by_interrupt ||
	    s->by_exiting || s->by_signal || s->many)
		return NONE;
	for (size_t i = 0; i < ARRAY_SIZE(no_turn); i++)
		if (s->reason == no_turn[i])
			return NONE;
	if (s->reason != REASON_LOCK && truth_by_kin(t, &t->tasks[to], s))
		return NONE;
	return index_of(t, s->waker_id);
}

static bool has_edge(const struct world *w, size_t task, bool out)
{
	for (size_t i = 0; i < w->n; i++)
		if (w->hands[out ? task * w->n + i : i * w->n + task])
			return true;
	return false;
}

static void find_groups(struct world *w)
{
	bool changed = true;

	for (size_t i = 0; i < w->n * w->n; i++)
		if (w->lost[i] >= 8)
			w->returned[i % w->n * w->n + i / w->n] = w->lost[i];
	for (size_t to = 0; to < w->n; to++) {
		uint64_t most = 0;

		for (size_t from = 0; from < w->n; from++)
			most = max_u64(most, max_u64(w->hands[from * w->n + to],
						     w->returned[from * w->n + to]));
		for (size_t from = 0; from < w->n; from++) {
			uint64_t *hands = &w->hands[from * w->n + to];

			*hands = max_u64(*hands, w->returned[from * w->n + to]);
			*hands *= *hands >= 2 && 20 * *hands >= most;
		}
	}
	while (changed) {
		changed = false;
		for (size_t i = 0; i < w->n; i++) {
			bool out = has_edge(w, i, true), in = has_edge(w, i, false);

			if (out == in)
				continue;
			changed = true;
			for (size_t k = 0; k < w->n; k++)
				w->hands[i * w->n + k] = w->hands[k * w->n + i] = 0;
		}
	}
	for (size_t i = 0; i < w->n; i++)
		w->group[i] = has_edge(w, i, true) ? i : NONE;
	for (changed = true; changed;) {
		changed = false;
		for (size_t i = 0; i < w->n * w->n; i++) {
			size_t *a = &w->group[i / w->n], *b = &w->group[i % w->n];

			if (!w->hands[i] || *a == *b)
				continue;
			changed = true;
			*a = *b = min_u64(*a, *b);
		}
	}
}

static bool is_within(const struct world *w, size_t task, const struct truth_span *s)
{
	size_t from = giver(w->o->t, task, s);

	return from != NONE && w->group[task] != NONE && w->group[from] == w->group[task];
}

/* The wait timed out at a pair of words where others end within the group. */
static bool timed_out_there(const struct world *w, size_t task, const struct truth_span *s)
{
	const struct truth_task *t = &w->o->t->tasks[task];

	if (s->state != SPAN_BLOCKED || !s->futex || !s->by_interrupt || w->group[task] == NONE)
		return false;
	for (size_t i = 0; i < t->span_cnt; i++)
		if (t->spans[i].futex && t->spans[i].addr / 8 == s->addr / 8 &&
		    is_within(w, task, &t->spans[i]))
			return true;
	return false;
}

/* Whether a wait only led to another one at the same word. */
static bool in_vain(const struct truth_task *t, size_t i)
{
	const struct truth_span *s = &t->spans[i], *next = s + 1, *end = t->spans + t->span_cnt;
	uint64_t run_ns = 0;

	for (; next < end && next->state != SPAN_BLOCKED; next++)
		run_ns += next->state == SPAN_RUNNING ? next->end_ns - next->start_ns : 0;
	return next < end && run_ns <= FAKE_RUN_NS && s->futex && next->futex &&
	       s->addr == next->addr && s->mm == next->mm;
}

/* What a span is, and what follows it. */
struct about {
	/* It is a wait in the group, or it timed out and a wait in the group continues it. */
	bool counts;
	size_t next;		/* the next that counts, or NONE */
	uint64_t run_ns;	/* what is run before that */
	bool at_once;		/* next to nothing, and nothing else is waited for */
	uint64_t use_ns;	/* that a wait kept the task from, as far as no later one has it */
};

/* Of all spans of a task, the last ones first: each needs those behind it. */
static struct about *about_spans(const struct world *w, size_t task)
{
	const struct truth_task *t = &w->o->t->tasks[task];
	struct about *all = xcalloc(t->span_cnt + 1, sizeof(*all));

	for (size_t i = t->span_cnt; i-- > 0;) {
		const struct truth_span *s = &t->spans[i], *next;
		struct about *a = &all[i];
		bool others = false;
		size_t k;

		for (k = i + 1; k < t->span_cnt && !all[k].counts; k++) {
			if (t->spans[k].state == SPAN_RUNNING)
				a->run_ns += t->spans[k].end_ns - t->spans[k].start_ns;
			others |= t->spans[k].state == SPAN_BLOCKED;
		}
		a->next = k < t->span_cnt ? k : NONE;
		a->at_once = a->next != NONE && !others &&
			     (a->run_ns <= FAKE_RUN_NS ||
			      (s->state == SPAN_BLOCKED &&
			       a->run_ns < (s->end_ns - s->start_ns) / 10));
		next = &t->spans[a->next == NONE ? i : a->next];
		a->counts = s->state == SPAN_BLOCKED &&
			    (is_within(w, task, s) || timed_out_there(w, task, s) ||
			     (s->by_interrupt && a->at_once &&
			      s->reason == next->reason && s->syscall == next->syscall));
		a->use_ns = a->run_ns;
		if (a->at_once)
			a->use_ns = all[k].use_ns -
				    min_u64(all[k].use_ns, next->end_ns - next->start_ns);
	}
	return all;
}

/* A stretch of use for a CPU: of a run, a ready span, or the end of a wait. */
struct use {
	uint64_t start_ns, end_ns;
	size_t group;
	enum span_state state;
};

struct uses {
	struct use *v;
	size_t cnt, cap;
};

/* Since when the CPU whose queue holds the task has been idle when its ready span @s ends. */
static uint64_t woken_since_ns(const struct truth *t, const struct truth_span *s)
{
	for (size_t c = 0; c < t->cpu_cnt; c++)
		for (size_t i = 0; t->cpus[c].cpu == s->cpu && i < t->cpus[c].seg_cnt; i++) {
			const struct truth_seg *seg = &t->cpus[c].segs[i];

			if (seg->start_ns < s->end_ns && seg->end_ns >= s->end_ns)
				return seg->class == LAB_CPU_IDLE ?
				       max_u64(seg->start_ns, s->start_ns) : s->end_ns;
		}
	return s->end_ns;
}

static void collect_uses(const struct world *w, struct uses *out)
{
	for (size_t k = 0; k < w->n; k++) {
		const struct truth_task *t = &w->o->t->tasks[k];
		struct about *about = about_spans(w, k);

		for (size_t i = 0; i < t->span_cnt; i++) {
			const struct truth_span *s = &t->spans[i];
			struct use u = { s->start_ns, s->end_ns, w->group[k],
					 (enum span_state)s->state };

			if (s->state == SPAN_BLOCKED && (u.group == NONE || !about[i].counts))
				continue;
			if (s->state == SPAN_BLOCKED)
				u.start_ns = s->end_ns - min_u64(s->end_ns - s->start_ns,
								 about[i].use_ns);
			if (s->state == SPAN_READY && u.group != NONE && about[i].at_once)
				continue;
			if (s->state == SPAN_READY)
				u.end_ns = woken_since_ns(w->o->t, s);
			if (u.start_ns < u.end_ns)
				*vec_push(out->v, out->cnt, out->cap) = u;
			u = (struct use){ u.end_ns, s->end_ns, u.group, SPAN_BLOCKED };
			if (u.start_ns < u.end_ns)
				*vec_push(out->v, out->cnt, out->cap) = u;
		}
		free(about);
	}
}

static int u64_cmp(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static uint64_t beyond_one(uint64_t n, uint64_t cpus)
{
	n = min_u64(n, cpus);
	return n ? n - 1 : 0;
}

/* Return: how long its tasks wait for each other, from when to when. */
static uint64_t waits_of(const struct world *w, size_t group, uint64_t *from_ns, uint64_t *until_ns)
{
	uint64_t ns = 0;

	*from_ns = UINT64_MAX;
	*until_ns = 0;
	for (size_t k = 0; k < w->n; k++) {
		for (size_t i = 0; w->group[k] == group && i < w->o->t->tasks[k].span_cnt; i++) {
			const struct truth_span *s = &w->o->t->tasks[k].spans[i];

			if (!is_within(w, k, s))
				continue;
			ns += s->end_ns - s->start_ns;
			*from_ns = min_u64(*from_ns, s->start_ns);
			*until_ns = max_u64(*until_ns, s->end_ns);
		}
	}
	return ns;
}

static uint64_t wait_ns(const struct world *w, size_t group)
{
	uint64_t from_ns, until_ns;

	return waits_of(w, group, &from_ns, &until_ns);
}

static struct report_serializer judge(const struct world *w, const struct uses *uses, size_t group)
{
	uint64_t *cuts = xcalloc(2 * uses->cnt + 1, sizeof(*cuts)), cpus = w->o->t->cpu_cnt;
	uint64_t demand = 0, reached = 0, ready = 0, run_ns = 0, from_ns, until_ns;
	struct report_serializer r = { .kind = SERIALIZER_HANDOVERS };

	for (size_t i = 0; i < uses->cnt; i++) {
		cuts[2 * i] = uses->v[i].start_ns;
		cuts[2 * i + 1] = uses->v[i].end_ns;
	}
	qsort(cuts, 2 * uses->cnt, sizeof(*cuts), u64_cmp);
	waits_of(w, group, &from_ns, &until_ns);
	for (size_t k = 0; k + 1 < 2 * uses->cnt; k++) {
		uint64_t of[3] = { 0 }, ns = cuts[k + 1] - cuts[k], others = 0, left;

		for (size_t i = 0; ns && i < uses->cnt; i++) {
			const struct use *u = &uses->v[i];

			if (u->start_ns > cuts[k] || u->end_ns <= cuts[k])
				continue;
			of[u->state] += u->group == group;
			others += u->state == SPAN_RUNNING && u->group != group;
		}
		if (cuts[k] < from_ns || cuts[k + 1] > until_ns ||
		    !(of[SPAN_RUNNING] + of[SPAN_READY]))
			continue;
		run_ns += of[SPAN_RUNNING] ? ns : 0;
		left = cpus - others;
		reached += ns * beyond_one(of[SPAN_RUNNING], left);
		ready += ns * beyond_one(of[SPAN_RUNNING] + of[SPAN_READY], left);
		demand += ns * beyond_one(of[SPAN_RUNNING] + of[SPAN_READY] + of[SPAN_BLOCKED],
					  left);
	}
	free(cuts);
	r.demand_ns = demand;
	r.reached_ns = reached;
	r.ready_ns = ready - reached;
	r.locked_ns = demand - ready;
	r.measured = demand && 20 * demand >= w->o->t->end_ns - w->o->t->start_ns;
	if (r.measured)
		r.index_ppm = (uint32_t)((unsigned __int128)(demand - reached) * 1000000 / demand);
	r.present = r.measured && (demand - reached) * 100 >= demand * 90 &&
		    r.locked_ns * 100 >= (demand - reached) * 80 && demand >= run_ns / 4;
	return r;
}

static size_t longer(const struct world *w, uint64_t than_ns)
{
	size_t cnt = 0;

	for (size_t g = 0; g < w->n; g++)
		cnt += w->group[g] == g && wait_ns(w, g) > than_ns;
	return cnt;
}

static void check_tasks(struct oracle *o, const struct world *w, size_t group)
{
	const struct report_serializer *got = &o->r->serializer;

	for (uint32_t i = 0; i < got->task_cnt && i < SERIALIZER_TASKS_MAX; i++) {
		size_t k = index_of(o->t, got->tasks[i]);

		ORACLE(o, k != NONE && w->group[k] == group, "task %u is not of the group",
		       got->tasks[i]);
	}
}

static void check_groups(struct oracle *o, const struct world *w)
{
	const struct report_serializer *got = &o->r->serializer;
	struct report_serializer best = { 0 };
	struct uses uses = { 0 };
	size_t group = NONE;

	collect_uses(w, &uses);
	for (size_t g = 0; g < w->n; g++) {
		struct report_serializer one;

		if (w->group[g] != g || longer(w, wait_ns(w, g)) >= GROUPS)
			continue;
		one = judge(w, &uses, g);
		if (!one.present || (best.present && one.locked_ns <= best.locked_ns))
			continue;
		best = one;
		group = g;
	}
	free(uses.v);
	ORACLE_EQ(o, got->present, best.present);
	if (!got->present || !best.present)
		return;
	ORACLE_EQ(o, got->demand_ns, best.demand_ns);
	ORACLE_EQ(o, got->reached_ns, best.reached_ns);
	ORACLE_EQ(o, got->ready_ns, best.ready_ns);
	ORACLE_EQ(o, got->locked_ns, best.locked_ns);
	ORACLE_EQ(o, got->index_ppm, best.index_ppm);
	check_tasks(o, w, group);
}

void oracle_handovers(struct oracle *o)
{
	struct world w = { .o = o, .n = o->t->task_cnt };

	if (o->t->cpu_cnt < 2 || !w.n)
		return;
	w.hands = xcalloc(w.n * w.n, sizeof(*w.hands));
	w.lost = xcalloc(w.n * w.n, sizeof(*w.lost));
	w.returned = xcalloc(w.n * w.n, sizeof(*w.returned));
	w.group = xcalloc(w.n, sizeof(*w.group));
	for (size_t k = 0; k < w.n; k++) {
		for (size_t i = 0; i < o->t->tasks[k].span_cnt; i++) {
			size_t from = giver(o->t, k, &o->t->tasks[k].spans[i]);

			if (from == NONE)
				continue;
			w.hands[from * w.n + k]++;
			w.lost[from * w.n + k] += in_vain(&o->t->tasks[k], i);
		}
	}
	find_groups(&w);
	check_groups(o, &w);
	free(w.hands);
	free(w.lost);
	free(w.returned);
	free(w.group);
}
