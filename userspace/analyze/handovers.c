/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * handovers - whether tasks let each other run one at a time, whatever they do it with: the
 * interpreter lock of Ruby (a condition variable of each thread), a monitor of Java (park and
 * unpark), a lock in JavaScript, a semaphore, a token in a pipe. Where one lock does that,
 * serializer.c says so, and nothing is looked for here.
 *
 * A task hands over to another task when it ends that task's wait. Three kinds of ends are not
 * counted: the ends of threads and children; calls that let several tasks go at once, as a
 * barrier's; and, unless the wait is for a lock, what kin does for kin (progress.h), because a
 * caller waits for an answer and not for its turn. A hand-over that was done twice or more is an
 * edge. Tasks that hand over and are handed over to, and that such edges join, are a group: a chain
 * of producers and consumers is none. A lock that is not fair may never be handed over: its owner
 * releases it and takes it again before the woken task is there. A task that was woken in this way
 * LOST_MIN times, only to wait on at once at the same word, is taken to have handed over, too.
 *
 * Each group is judged by the integrals of struct report_serializer, from its first wait to the end
 * of its last one. A waiting task has use for a CPU only for as long as it then runs, until it
 * waits in the group again. That use must be a quarter or more of the time in which any task of the
 * group runs. A task that was woken, and whose CPU is idle, is still being handed over to: it does
 * not wait for want of CPUs. A helper that waits long and does little is kept from little, and
 * `cat big | gzip` loses nothing by taking turns.
 */
#include <stdlib.h>

#include "analyze/fake.h"
#include "analyze/heap.h"
#include "analyze/report.h"
#include "analyze/serial.h"
#include "analyze/share.h"
#include "util/idmap.h"
#include "model/timeline.h"
#include "util/alloc.h"
#include "util/minmax.h"

#define GROUPS_MAX 4		/* those that wait longest */
#define NO_GROUP UINT32_MAX
#define REPEATED 2
#define LOST_MIN 8
#define PRUNE_PASSES 64		/* long chains may stay: the integrals tell */

struct edge {
	uint32_t from, to;	/* indices of tasks */
	uint64_t cnt;
	uint64_t lost;		/* of these, how often it was in vain */
};

struct edges {
	struct edge *v;
	size_t cnt, cap;
};

struct group {
	uint32_t root;		/* index of the task that stands for it */
	uint64_t wait_ns;
	uint64_t from_ns, until_ns; /* the first wait begins, the last one ends */
	uint64_t run_ns;	/* while one of it runs, or more */
	struct serial_sums sums;
};

struct groups {
	const struct model *m;
	uint32_t *of;		/* by task: whom it is joined to; later: its group, or NO_GROUP */
	struct group v[GROUPS_MAX];
	size_t cnt;
	uint64_t *want_ns;	/* [span], task by task: since when its wait counts; 0: never */
	struct idmap places;	/* (task, address / PLACE_BYTES) of waits that end by a hand-over */
	bool *idle;		/* ready, and about to wait in the group again */
};

/* ---- who hands over to whom ---- */

static bool can_be_a_turn(enum reason reason)
{
	switch (reason) {
	case REASON_NONE:
	case REASON_JOIN:
	case REASON_CHILD:
	case REASON_SLEEP:
	case REASON_DISK:
	case REASON_PAGEFAULT:
	case REASON_STOPPED:
		return false;
	default:
		return true;
	}
}

/* Return: who handed over to @t at the end of @s, or NULL. */
static const struct model_task *giver(const struct model *m, const struct model_task *t,
				      const struct model_span *s)
{
	if (s->state != SPAN_BLOCKED || !s->waker_id || s->waker_id == t->id ||
	    s->flags & (SPAN_WOKEN_BY_IRQ | SPAN_WAKER_EXITING | SPAN_WOKEN_BY_SIGNAL) ||
	    s->futex_many || !can_be_a_turn((enum reason)s->reason) ||
	    (s->reason != REASON_LOCK && s->flags & SPAN_WAKER_KIN))
		return NULL;
	return model_task(m, s->waker_id);
}

/* The task was woken from the wait @s, its span @i, only to wait at once at the same place. */
static bool in_vain(const struct model_task *t, size_t i)
{
	const struct model_span *s = &t->spans[i];
	uint64_t run_ns = 0;

	for (i++; i < t->span_cnt && t->spans[i].state != SPAN_BLOCKED; i++)
		if (t->spans[i].state == SPAN_RUNNING)
			run_ns += t->spans[i].end_ns - t->spans[i].start_ns;
	return i < t->span_cnt && run_ns <= FAKE_RUN_NS &&
	       s->flags & t->spans[i].flags & SPAN_FUTEX &&
	       s->addr == t->spans[i].addr && s->mm_id == t->spans[i].mm_id;
}

static void edges_return(struct edges *e)
{
	for (size_t i = 0, cnt = e->cnt; i < cnt; i++)
		if (e->v[i].lost >= LOST_MIN)
			vec_add(e->v, e->cnt, e->cap,
				(struct edge){ e->v[i].to, e->v[i].from, e->v[i].lost, 0 });
}

static void edges_collect(const struct model *m, struct edges *out)
{
	struct idmap idx_of = { 0 };

	for (uint32_t i = 0; i < m->task_cnt; i++) {
		const struct model_task *t = &m->tasks[i];

		for (size_t j = 0; j < t->span_cnt; j++) {
			const struct model_task *waker = giver(m, t, &t->spans[j]);
			uint32_t from, idx;

			if (!waker)
				continue;
			from = (uint32_t)(waker - m->tasks);
			idx = *idmap_put(&idx_of, (uint64_t)from << 32 | i, 0, (uint32_t)out->cnt);
			if (idx == out->cnt)
				vec_add(out->v, out->cnt, out->cap, (struct edge){ from, i, 0, 0 });
			out->v[idx].cnt++;
			out->v[idx].lost += in_vain(t, j);
		}
	}
	idmap_release(&idx_of);
	edges_return(out);
}

static void edges_keep(struct edges *e, const uint8_t *ends)
{
	size_t kept = 0;

	for (size_t i = 0; i < e->cnt; i++)
		if (e->v[i].cnt >= REPEATED &&
		    (!ends || (ends[e->v[i].from] == 3 && ends[e->v[i].to] == 3)))
			e->v[kept++] = e->v[i];
	e->cnt = kept;
}

/*
 * A task does not wait for one that hands over to it only now and then: less than 5 % as often as
 * the most frequent one.
 */
static void edges_keep_frequent(const struct model *m, struct edges *e)
{
	uint64_t *most = xcalloc(m->task_cnt, sizeof(*most));
	size_t kept = 0;

	for (size_t i = 0; i < e->cnt; i++)
		most[e->v[i].to] = max_u64(most[e->v[i].to], e->v[i].cnt);
	for (size_t i = 0; i < e->cnt; i++)
		if (share_is_5_percent(e->v[i].cnt, most[e->v[i].to]))
			e->v[kept++] = e->v[i];
	e->cnt = kept;
	free(most);
}

/* Only edges between tasks that both hand over and are handed over to. */
static void edges_prune(const struct model *m, struct edges *e)
{
	uint8_t *ends = xcalloc(m->task_cnt, sizeof(*ends));
	size_t before = SIZE_MAX;

	edges_keep_frequent(m, e);
	edges_keep(e, NULL);
	for (int pass = 0; pass < PRUNE_PASSES && e->cnt && e->cnt != before; pass++) {
		before = e->cnt;
		for (size_t i = 0; i < m->task_cnt; i++)
			ends[i] = 0;
		for (size_t i = 0; i < e->cnt; i++) {
			ends[e->v[i].from] |= 1;
			ends[e->v[i].to] |= 2;
		}
		edges_keep(e, ends);
	}
	free(ends);
}

/* ---- groups ---- */

static uint32_t root_of(uint32_t *of, uint32_t i)
{
	while (of[i] != i) {
		of[i] = of[of[i]];
		i = of[i];
	}
	return i;
}

static int group_cmp(const void *a, const void *b)
{
	const struct group *x = a, *y = b;

	if (x->wait_ns != y->wait_ns)
		return x->wait_ns > y->wait_ns ? -1 : 1;
	return x->root < y->root ? -1 : x->root > y->root;
}

/* Whether @t waits for another of its group in @s. */
static bool waits_within(const struct groups *g, uint32_t idx, const struct model_span *s)
{
	const struct model_task *waker = giver(g->m, &g->m->tasks[idx], s);

	return waker && g->of[idx] != NO_GROUP && g->of[waker - g->m->tasks] == g->of[idx];
}

/* From roots to the groups that wait longest. */
static void groups_choose(struct groups *g)
{
	const struct model *m = g->m;
	struct group *all = xcalloc(m->task_cnt, sizeof(*all));
	size_t cnt = 0;

	for (uint32_t i = 0; i < m->task_cnt; i++) {
		all[i].root = i;
		all[i].from_ns = UINT64_MAX;
	}
	for (uint32_t i = 0; i < m->task_cnt; i++) {
		for (size_t j = 0; g->of[i] != NO_GROUP && j < m->tasks[i].span_cnt; j++) {
			const struct model_span *s = &m->tasks[i].spans[j];
			struct group *group = &all[g->of[i]];

			if (!waits_within(g, i, s))
				continue;
			group->wait_ns += s->end_ns - s->start_ns;
			group->from_ns = min_u64(group->from_ns, s->start_ns);
			group->until_ns = max_u64(group->until_ns, s->end_ns);
		}
	}
	if (m->task_cnt)
		qsort(all, m->task_cnt, sizeof(*all), group_cmp);
	while (cnt < min_u64(m->task_cnt, GROUPS_MAX) && all[cnt].wait_ns)
		cnt++;
	for (uint32_t i = 0; i < m->task_cnt; i++) {
		uint32_t root = g->of[i];

		g->of[i] = NO_GROUP;
		for (uint32_t k = 0; k < cnt && root != NO_GROUP; k++)
			if (all[k].root == root)
				g->of[i] = k;
	}
	for (size_t k = 0; k < cnt; k++)
		g->v[k] = all[k];
	g->cnt = cnt;
	free(all);
}

static void groups_find(struct groups *g, const struct edges *e)
{
	const struct model *m = g->m;
	bool *in = xcalloc(m->task_cnt, sizeof(*in));

	g->of = xcalloc(m->task_cnt, sizeof(*g->of));
	for (uint32_t i = 0; i < m->task_cnt; i++)
		g->of[i] = i;
	for (size_t i = 0; i < e->cnt; i++) {
		in[e->v[i].from] = in[e->v[i].to] = true;
		g->of[root_of(g->of, e->v[i].from)] = root_of(g->of, e->v[i].to);
	}
	for (uint32_t i = 0; i < m->task_cnt; i++)
		g->of[i] = root_of(g->of, i);
	for (uint32_t i = 0; i < m->task_cnt; i++)
		if (!in[i])
			g->of[i] = NO_GROUP;
	free(in);
	groups_choose(g);
}

/* ---- since when waits count ---- */

#define PLACE_BYTES 8	/* two words that a condition variable uses in turn */

/* Where tasks wait until they are handed over to. */
static void places_find(struct groups *g)
{
	for (uint32_t i = 0; i < g->m->task_cnt; i++) {
		const struct model_task *t = &g->m->tasks[i];

		for (size_t j = 0; j < t->span_cnt; j++)
			if (t->spans[j].flags & SPAN_FUTEX && waits_within(g, i, &t->spans[j]))
				idmap_put(&g->places, i, t->spans[j].addr / PLACE_BYTES, 0);
	}
}

/*
 * A wait that timed out where others end by a hand-over. A task that waits in this way for an
 * interpreter lock asks for the lock when the time is over, and often has it at once.
 */
static bool timed_out_there(const struct groups *g, uint32_t idx, const struct model_span *s)
{
	return s->state == SPAN_BLOCKED && s->flags & SPAN_WOKEN_BY_IRQ && s->flags & SPAN_FUTEX &&
	       idmap_get(&g->places, idx, s->addr / PLACE_BYTES);
}

/* A wait that timed out, of one that then waited on for the same thing. */
static bool waits_on(const struct model_span *s, const struct model_span *later)
{
	return s->flags & SPAN_WOKEN_BY_IRQ && s->reason == later->reason &&
	       s->syscall == later->syscall;
}

/*
 * From the end to the beginning. What a task runs between two waits in its group is the use that
 * the first wait kept it from. If that use is less than a tenth of the first wait, it is of no
 * account, and both waits are one.
 */
static void task_wants(struct groups *g, uint32_t idx)
{
	const struct model_task *t = &g->m->tasks[idx];
	const struct model_span *later = NULL;	/* the wait in the group that comes next */
	uint64_t run_ns = 0, left_ns = 0;	/* until it; of its use, for the waits before it */
	bool at_once = false;			/* and no other wait before it */

	for (size_t i = t->span_cnt; i-- > 0;) {
		const struct model_span *s = &t->spans[i];
		uint64_t ns = s->end_ns - s->start_ns;
		bool again = later && at_once &&
			     (run_ns <= FAKE_RUN_NS ||
			      (s->state == SPAN_BLOCKED && run_ns < ns / 10));

		if (s->state == SPAN_RUNNING) {
			run_ns += ns;
		} else if (s->state == SPAN_READY) {
			g->idle[t->span_first + i] = again;
		} else if (waits_within(g, idx, s) || timed_out_there(g, idx, s) ||
			   (again && waits_on(s, later))) {
			if (!again)
				left_ns = run_ns;
			ns = min_u64(ns, left_ns);
			g->want_ns[t->span_first + i] = ns ? s->end_ns - ns : 0;
			left_ns -= ns;
			later = s;
			at_once = true;
			run_ns = 0;
		} else {
			at_once = false;
		}
	}
}

/* ---- the integrals ---- */

enum what { RUNS, IS_READY, WANTS, WHAT_CNT };

struct sweep {
	struct groups *g;
	struct heap changes;	/* values: what, group or GROUPS_MAX, and whether it begins */
	uint64_t at_ns;
	uint64_t all_run, of[GROUPS_MAX + 1][WHAT_CNT];
};

static void sweep_to(struct sweep *s, uint64_t at_ns)
{
	uint64_t from_ns = s->at_ns, ns = at_ns - from_ns;

	s->at_ns = at_ns;
	for (size_t k = 0; ns && k < s->g->cnt; k++) {
		bool has_turn = s->of[k][RUNS] + s->of[k][IS_READY];
		uint64_t others = s->all_run - s->of[k][RUNS];	/* CPUs that the group cannot use */
		struct group *group = &s->g->v[k];

		if (from_ns < group->from_ns || at_ns > group->until_ns)
			continue;
		group->run_ns += s->of[k][RUNS] ? ns : 0;
		serial_add(&group->sums, ns, s->of[k][RUNS], s->of[k][IS_READY],
			   has_turn ? s->of[k][WANTS] : 0,
			   s->g->m->cpu_cnt - min_u64(others, s->g->m->cpu_cnt));
	}
}

static void change(struct sweep *s, enum what what, size_t group, bool begins)
{
	if (what == RUNS)
		s->all_run += begins ? 1 : (uint64_t)-1;
	s->of[group][what] += begins ? 1 : (uint64_t)-1;
}

static void changes_run(struct sweep *s, uint64_t until_ns)
{
	while (s->changes.cnt && s->changes.v[0].key <= until_ns) {
		struct heap_item at = heap_pop(&s->changes);

		sweep_to(s, at.key);
		change(s, (enum what)(at.value / 2 % WHAT_CNT), at.value / 2 / WHAT_CNT,
		       at.value % 2);
	}
}

static void change_later(struct sweep *s, uint64_t from_ns, uint64_t until_ns, enum what what,
			 size_t group)
{
	uint64_t value = (group * WHAT_CNT + what) * 2;

	if (from_ns >= until_ns)
		return;
	heap_push(&s->changes, from_ns, value + 1);
	heap_push(&s->changes, until_ns, value);
}

/*
 * Until when the task in the ready span @s waits for the task that has its CPU. From then on the
 * CPU is idle until @s's task runs there.
 */
static uint64_t kept_until_ns(const struct model *m, const struct model_span *s)
{
	size_t row = model_cpu_row(m, s->cpu);
	const struct model_cpu *cpu = &m->cpus[row];
	const struct model_cpu_seg *seg;
	size_t at;

	if (row == m->cpu_cnt)
		return s->end_ns;
	at = model_seg_at(m, cpu, s->end_ns - 1);
	seg = &m->cpu_segs[cpu->seg_first + at];
	if (at == cpu->seg_cnt || seg->class != LAB_CPU_IDLE)
		return s->end_ns;
	return max_u64(seg->start_ns, s->start_ns);
}

static void sweep(struct groups *g)
{
	struct sweep s = { .g = g };
	const struct model_span *span;
	struct timeline timeline;
	uint32_t idx;

	timeline_init(&timeline, g->m);
	while ((span = timeline_step(&timeline, &idx))) {
		const struct model_task *t = &g->m->tasks[idx];
		size_t nth = t->span_first + (size_t)(span - t->spans);
		size_t group = g->of[idx] == NO_GROUP ? GROUPS_MAX : g->of[idx];
		uint64_t kept_ns = span->end_ns;

		changes_run(&s, span->start_ns);
		sweep_to(&s, span->start_ns);
		if (span->state == SPAN_RUNNING) {
			change_later(&s, span->start_ns, span->end_ns, RUNS, group);
		} else if (span->state == SPAN_BLOCKED && g->want_ns[nth]) {
			change_later(&s, g->want_ns[nth], span->end_ns, WANTS, group);
		} else if (span->state == SPAN_READY && !g->idle[nth]) {
			kept_ns = kept_until_ns(g->m, span);
			change_later(&s, span->start_ns, kept_ns, IS_READY, group);
			change_later(&s, kept_ns, span->end_ns, WANTS, group);
		}
	}
	changes_run(&s, UINT64_MAX);
	timeline_release(&timeline);
	free(s.changes.v);
}

/* ---- what is said of it ---- */

static bool is_at(const struct report_serializer *l, const struct model_span *s)
{
	return s->flags & SPAN_FUTEX && s->mm_id == l->mm_id &&
	       max_u64(s->addr, l->addr) - min_u64(s->addr, l->addr) < SERIAL_OBJECT_BYTES;
}

/* By what they wait, and where the longest wait at a futex was. Return: how long they waited. */
static uint64_t name_reason(const struct groups *g, uint32_t group, struct report_serializer *out)
{
	uint64_t of[REASON_CNT] = { 0 }, all_ns = 0, longest_ns = 0;

	for (uint32_t i = 0; i < g->m->task_cnt; i++) {
		const struct model_task *t = &g->m->tasks[i];

		for (size_t j = 0; g->of[i] == group && j < t->span_cnt; j++) {
			const struct model_span *s = &t->spans[j];
			uint64_t ns = s->end_ns - s->start_ns;
			bool within = waits_within(g, i, s);

			if (within || timed_out_there(g, i, s))
				of[s->reason] += ns;
			all_ns += within ? ns : 0;
			if (!within || !(s->flags & SPAN_FUTEX) || ns <= longest_ns)
				continue;
			longest_ns = ns;
			out->addr = s->addr;
			out->mm_id = s->mm_id;
			out->tgid = t->tgid;
		}
	}
	for (int k = 0; k < REASON_CNT; k++)
		if (of[k] > of[out->through])
			out->through = (enum reason)k;
	return all_ns;
}

/* And which futex, if nine tenths of it are at one. */
static void name_means(const struct groups *g, uint32_t group, struct report_serializer *out)
{
	uint64_t all_ns = name_reason(g, group, out), there_ns = 0;

	for (uint32_t i = 0; i < g->m->task_cnt; i++) {
		const struct model_task *t = &g->m->tasks[i];

		for (size_t j = 0; g->of[i] == group && j < t->span_cnt; j++)
			if (is_at(out, &t->spans[j]) && waits_within(g, i, &t->spans[j]))
				there_ns += t->spans[j].end_ns - t->spans[j].start_ns;
	}
	if ((unsigned __int128)there_ns * 10 < (unsigned __int128)all_ns * 9)
		out->addr = out->mm_id = out->tgid = 0;
}

static void name_tasks(const struct groups *g, uint32_t group, struct report_serializer *out)
{
	struct serial_waiter *waiters = xcalloc(g->m->task_cnt, sizeof(*waiters));

	for (uint32_t i = 0; i < g->m->task_cnt; i++) {
		const struct model_task *t = &g->m->tasks[i];

		waiters[i].id = t->id;
		for (size_t j = 0; g->of[i] == group && j < t->span_cnt; j++)
			if (waits_within(g, i, &t->spans[j]))
				waiters[i].ns += t->spans[j].end_ns - t->spans[j].start_ns;
	}
	serial_name_tasks(waiters, g->m->task_cnt, out);
	free(waiters);
}

static void judge(struct groups *g, struct report *r)
{
	uint64_t window_ns = g->m->end_ns - g->m->start_ns;

	for (uint32_t k = 0; k < g->cnt; k++) {
		struct report_serializer one = { 0 };

		name_means(g, k, &one);
		one.kind = SERIALIZER_HANDOVERS;
		one.present = serial_judge(&g->v[k].sums, window_ns, &one) &&
			      one.demand_ns >= g->v[k].run_ns / 4 && serial_is_known(g->m, &one);
		if (!one.present ||
		    (r->serializer.present && one.locked_ns <= r->serializer.locked_ns))
			continue;
		one.symbol = one.addr ? model_symbol(g->m, one.mm_id, one.addr) : NULL;
		name_tasks(g, k, &one);
		r->serializer = one;
	}
}

static void handovers_run(const struct model *m, struct report *r)
{
	struct groups g = { .m = m };
	struct edges edges = { 0 };

	if (r->serializer.present || m->cpu_cnt < 2 || !m->task_cnt)
		return;
	edges_collect(m, &edges);
	edges_prune(m, &edges);
	if (edges.cnt) {
		groups_find(&g, &edges);
		g.want_ns = xcalloc(m->span_cnt, sizeof(*g.want_ns));
		g.idle = xcalloc(m->span_cnt, sizeof(*g.idle));
		places_find(&g);
		for (uint32_t i = 0; i < m->task_cnt; i++)
			if (g.of[i] != NO_GROUP)
				task_wants(&g, i);
		sweep(&g);
		judge(&g, r);
		free(g.want_ns);
		free(g.idle);
		free(g.of);
		idmap_release(&g.places);
	}
	free(edges.v);
}

const struct analysis analysis_handovers = { .name = "handovers", .run = handovers_run };
