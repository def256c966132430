/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * noise - what the run could have been without other programs.
 *
 * At an instant a tasks run, and x more could have run on CPUs that other programs had (or of which
 * nobody knows who had them). Without the others at most a + x would have run. The work would have
 * been the same: what is done then is not done later, so the busy time is less by all that overlaps
 * more.
 *
 * A ready task could have done then what it did from there until its next wait, and no more: a
 * waiter that looks at a lock for some microseconds every 5 ms is ready for long, and has little to
 * do. Of the tasks that a lock serializes (analyze/serializer.c), one at a time could have run.
 */
#include <stdlib.h>

#include "analyze/cpusets.h"
#include "analyze/heap.h"
#include "analyze/noise.h"
#include "analyze/report.h"
#include "analyze/share.h"
#include "util/alloc.h"
#include "util/minmax.h"

#define NONE UINT32_MAX
#define FOREVER UINT64_MAX
#define OBJECT_BYTES 256	/* as of a serializer */

struct contender {
	size_t span, allowed, hold;	/* the next of each */
	uint32_t set;			/* of cpusets, or MATCHING_EVERY */
	uint32_t prev, next;		/* among those that are waiting */
	uint64_t came;			/* its place among all that ever waited */
	uint64_t left_ns;		/* that it could do */
	bool running, ready, held, waiting, spent, wants, serialized;
};

/* Tasks that are ready, not held back, and have something to do: first come, first served. */
struct queue {
	uint32_t head, tail;
};

struct sweep {
	const struct model *m;
	struct report_noise *out;
	struct cpusets sets;
	struct matching idle, all;	/* CPUs that nobody has; those and others' */
	uint8_t *class;			/* of each CPU: enum lab_cpu_class */
	size_t *segs;			/* of each CPU: the next */
	struct contender *tasks;
	const uint64_t *bursts;		/* [span]: for how long its task runs on until it waits */
	struct heap turns;		/* values: CPUs, then tasks */
	struct queue *free;		/* of each set, and of those that are bound to none */
	struct queue serial;		/* those that a lock serializes */
	uint64_t came_cnt;
	uint32_t chosen;		/* of the serial ones that wants a CPU, or NONE */
	uint64_t running, serial_running;
	uint64_t spent;			/* ready tasks that would have done all that they had to */
	uint64_t theirs;		/* CPUs of others */
	uint64_t *theirs_bits;		/* which, as a set of cpusets */
	uint32_t *who;			/* tasks that would run: as many as CPUs at most */
	uint32_t *firsts;		/* of each free queue: the first one that is not in @who */
	uint64_t now_ns;
	uint64_t beyond_ns, parallel_ns, alone_ns; /* what others' CPUs would have added */
};

/* ---- who waits ---- */

static void want(struct sweep *s, uint32_t idx, bool wants)
{
	struct contender *c = &s->tasks[idx];

	if (c->wants == wants)
		return;
	c->wants = wants;
	(wants ? matching_want : matching_leave)(&s->idle, c->set);
	(wants ? matching_want : matching_leave)(&s->all, c->set);
}

/* One of the tasks that a lock serializes, if none of them runs. */
static void choose(struct sweep *s)
{
	uint32_t chosen = s->serial_running ? NONE : s->serial.head;

	if (chosen == s->chosen)
		return;
	if (s->chosen != NONE)
		want(s, s->chosen, false);
	if (chosen != NONE)
		want(s, chosen, true);
	s->chosen = chosen;
}

static struct queue *queue_of(struct sweep *s, const struct contender *c)
{
	if (c->serialized)
		return &s->serial;
	return &s->free[c->set == MATCHING_EVERY ? s->sets.cnt : c->set];
}

/* Behind those that came before: nearly always at the end. */
static void join(struct sweep *s, uint32_t idx)
{
	struct contender *c = &s->tasks[idx];
	struct queue *q = queue_of(s, c);

	c->prev = q->tail;
	while (c->prev != NONE && s->tasks[c->prev].came > c->came)
		c->prev = s->tasks[c->prev].prev;
	c->next = c->prev == NONE ? q->head : s->tasks[c->prev].next;
	*(c->prev == NONE ? &q->head : &s->tasks[c->prev].next) = idx;
	*(c->next == NONE ? &q->tail : &s->tasks[c->next].prev) = idx;
}

static void leave(struct sweep *s, uint32_t idx)
{
	struct contender *c = &s->tasks[idx];
	struct queue *q = queue_of(s, c);

	*(c->prev == NONE ? &q->head : &s->tasks[c->prev].next) = c->next;
	*(c->next == NONE ? &q->tail : &s->tasks[c->next].prev) = c->prev;
}

static void wait_set(struct sweep *s, uint32_t idx)
{
	struct contender *c = &s->tasks[idx];
	bool could = c->ready && !c->held, waits = could && c->left_ns;

	s->spent += (could && !waits) - c->spent;
	c->spent = could && !waits;
	if (waits == c->waiting)
		return;
	c->waiting = waits;
	if (waits) {
		c->came = s->came_cnt++;
		join(s, idx);
	} else {
		leave(s, idx);
	}
	if (c->serialized)
		choose(s);
	else
		want(s, idx, waits);
}

/* ---- from one instant to the next ---- */

/* @set: of cpusets; that of their number is of tasks that are bound to none. */
static bool can_use_theirs(const struct sweep *s, uint32_t set)
{
	if (set >= s->sets.cnt)
		return true;
	for (uint32_t w = 0; w < s->sets.words; w++)
		if (s->theirs_bits[w] & s->sets.bits[(size_t)set * s->sets.words + w])
			return true;
	return false;
}

/* The queue whose first task came first, of those that may run and are not yet chosen; or NONE. */
static uint32_t first_queue(const struct sweep *s)
{
	uint32_t first = NONE;

	for (uint32_t q = 0; q <= s->sets.cnt; q++)
		if (s->firsts[q] != NONE &&
		    (first == NONE ||
		     s->tasks[s->firsts[q]].came < s->tasks[s->firsts[first]].came))
			first = q;
	return first;
}

/* Who would have run on others' CPUs, the @more that came first. Return: how many. */
static size_t would_run(const struct sweep *s, uint64_t more, uint32_t *out)
{
	size_t cnt = 0;
	uint32_t q;

	if (!more)
		return 0;
	if (s->chosen != NONE && can_use_theirs(s, s->tasks[s->chosen].set))
		out[cnt++] = s->chosen;
	for (q = 0; q <= s->sets.cnt; q++)
		s->firsts[q] = can_use_theirs(s, q) ? s->free[q].head : NONE;
	while (cnt < more && (q = first_queue(s)) != NONE) {
		out[cnt++] = s->firsts[q];
		s->firsts[q] = s->tasks[s->firsts[q]].next;
	}
	return cnt;
}

static void count(struct sweep *s, uint64_t ns, uint64_t more)
{
	uint64_t a = s->running, b = a + more;

	if (s->spent || (more && b < 2))
		s->out->stretched_ns += ns;
	if (!more)
		return;
	s->out->max = (uint32_t)max_u64(s->out->max, b);
	s->out->interference_ns += ns * more;
	s->out->interfered_ns += ns;
	s->beyond_ns += ns * (b - max_u64(a, 1));
	s->parallel_ns += a < 2 && b >= 2 ? ns : 0;
	s->alone_ns += a ? 0 : ns;
}

/* Nothing but what tasks have to do changes until @at_ns. */
static void advance(struct sweep *s, uint64_t at_ns)
{
	while (s->now_ns < at_ns && s->theirs) {
		uint64_t more = matching_size(&s->all) - matching_size(&s->idle);
		uint64_t ns = at_ns - s->now_ns;
		size_t cnt = would_run(s, more, s->who);

		for (size_t i = 0; i < cnt; i++)
			ns = min_u64(ns, s->tasks[s->who[i]].left_ns);
		count(s, ns, more);
		for (size_t i = 0; i < cnt; i++) {
			struct contender *c = &s->tasks[s->who[i]];

			c->left_ns -= c->left_ns == FOREVER ? 0 : ns;
			wait_set(s, s->who[i]);
		}
		s->now_ns += ns;
	}
	s->now_ns = max_u64(s->now_ns, at_ns);
}

/* ---- what changes ---- */

static void offer(struct matching *m, uint32_t cpu, bool was, bool is)
{
	if (was && !is)
		matching_withdraw(m, cpu);
	else if (is && !was)
		matching_offer(m, cpu);
}

static bool is_theirs(uint8_t class)
{
	return class == LAB_CPU_FOREIGN || class == LAB_CPU_UNKNOWN;
}

static void cpu_step(struct sweep *s, uint32_t cpu)
{
	const struct model_cpu *c = &s->m->cpus[cpu];
	uint8_t was = s->class[cpu], class = LAB_CPU_UNKNOWN;
	const struct model_cpu_seg *seg;

	while (s->segs[cpu] < c->seg_cnt) {
		seg = &s->m->cpu_segs[c->seg_first + s->segs[cpu]];
		if (seg->start_ns > s->now_ns) {
			heap_push(&s->turns, seg->start_ns, cpu);
			break;
		}
		s->segs[cpu]++;
		if (seg->end_ns > s->now_ns) {
			class = seg->class;
			heap_push(&s->turns, seg->end_ns, cpu);
			break;
		}
	}
	s->class[cpu] = class;
	if (is_theirs(class) != is_theirs(was)) {
		s->theirs += is_theirs(class) ? 1 : -1;
		s->theirs_bits[cpu / 64] ^= UINT64_C(1) << cpu % 64;
	}
	offer(&s->idle, cpu, was == LAB_CPU_IDLE, class == LAB_CPU_IDLE);
	offer(&s->all, cpu, was != LAB_CPU_OURS, class != LAB_CPU_OURS);
}

static void allow(struct sweep *s, uint32_t idx, uint32_t set)
{
	struct contender *c = &s->tasks[idx];
	bool wanted = c->wants;

	if (c->set == set)
		return;
	want(s, idx, false);
	if (c->waiting)
		leave(s, idx);
	c->set = set;
	if (c->waiting)
		join(s, idx);
	want(s, idx, wanted);
}

/* Where the task may run, and whether a quota holds it back. Return: when that changes. */
static uint64_t bounds_step(struct sweep *s, uint32_t idx)
{
	const struct model_task *t = &s->m->tasks[idx];
	struct contender *c = &s->tasks[idx];
	uint64_t next_ns = FOREVER;

	for (; s->sets.cnt && c->allowed < t->allowed_cnt; c->allowed++) {
		const struct model_allowed *row = &s->m->allowed[t->allowed_first + c->allowed];

		if (row->from_ns > s->now_ns) {
			next_ns = row->from_ns;
			break;
		}
		allow(s, idx, s->sets.of[row->set]);
	}
	c->held = false;
	for (; s->m->holds_known && c->hold < t->hold_cnt; c->hold++) {
		const struct model_hold *row = &s->m->holds[t->hold_first + c->hold];

		if (row->end_ns <= s->now_ns)
			continue;
		c->held = row->start_ns <= s->now_ns;
		return min_u64(next_ns, c->held ? row->end_ns : row->start_ns);
	}
	return next_ns;
}

static void run_set(struct sweep *s, struct contender *c, bool runs)
{
	if (c->running == runs)
		return;
	c->running = runs;
	s->running += runs ? 1 : -1;
	if (!c->serialized)
		return;
	s->serial_running += runs ? 1 : -1;
	choose(s);
}

static void task_step(struct sweep *s, uint32_t idx)
{
	const struct model_task *t = &s->m->tasks[idx];
	struct contender *c = &s->tasks[idx];
	uint64_t next_ns = bounds_step(s, idx);
	const struct model_span *span = NULL;
	bool begins = false;

	while (c->span < t->span_cnt && t->spans[c->span].end_ns <= s->now_ns)
		c->span++;
	if (c->span < t->span_cnt) {
		span = &t->spans[c->span];
		begins = span->start_ns <= s->now_ns;
		next_ns = min_u64(next_ns, begins ? span->end_ns : span->start_ns);
	}
	run_set(s, c, begins && span->state == SPAN_RUNNING);
	if (begins && span->state == SPAN_READY && !c->ready)
		c->left_ns = s->bursts[t->span_first + c->span];
	c->ready = begins && span->state == SPAN_READY;
	wait_set(s, idx);
	if (span)
		heap_push(&s->turns, next_ns, s->m->cpu_cnt + idx);
}

static void sweep_run(struct sweep *s)
{
	const struct model *m = s->m;

	for (size_t i = 0; i < m->cpu_cnt + m->task_cnt; i++)
		heap_push(&s->turns, m->start_ns, i);
	while (s->turns.cnt && s->turns.v[0].key <= m->end_ns) {
		struct heap_item turn = heap_pop(&s->turns);

		advance(s, turn.key);
		if (turn.value < m->cpu_cnt)
			cpu_step(s, (uint32_t)turn.value);
		else
			task_step(s, (uint32_t)(turn.value - m->cpu_cnt));
	}
	advance(s, m->end_ns);
}

/* ---- before and after ---- */

static bool waits_at(const struct report_serializer *l, const struct model_span *s)
{
	return s->state == SPAN_BLOCKED && s->reason == REASON_LOCK && s->flags & SPAN_FUTEX &&
	       s->mm_id == l->mm_id &&
	       max_u64(l->addr, s->addr) - min_u64(l->addr, s->addr) < OBJECT_BYTES;
}

/* What ends with the recording and not by a wait might have gone on for long. */
static void bursts_fill(const struct model *m, uint64_t *bursts)
{
	for (size_t i = 0; i < m->task_cnt; i++) {
		const struct model_task *t = &m->tasks[i];
		uint64_t ns = t->alive ? FOREVER : 0;

		for (size_t j = t->span_cnt; j-- > 0;) {
			const struct model_span *s = &t->spans[j];

			if (s->state == SPAN_BLOCKED)
				ns = 0;
			else if (s->state == SPAN_RUNNING && ns != FOREVER)
				ns += s->end_ns - s->start_ns;
			bursts[t->span_first + j] = ns;
		}
	}
}

static void contenders_fill(struct sweep *s, const struct report *r)
{
	s->tasks = xcalloc(s->m->task_cnt + 1, sizeof(*s->tasks));
	for (size_t i = 0; i < s->m->task_cnt; i++) {
		const struct model_task *t = &s->m->tasks[i];

		s->tasks[i].set = MATCHING_EVERY;
		for (size_t j = 0; r->serializer.present && j < t->span_cnt; j++)
			s->tasks[i].serialized |= waits_at(&r->serializer, &t->spans[j]);
	}
}

static void sweep_all(const struct model *m, const struct report *r, struct sweep *s)
{
	uint64_t *bursts = xcalloc(m->span_cnt + 1, sizeof(*bursts));

	s->now_ns = m->start_ns;
	s->theirs = m->cpu_cnt;
	s->serial = (struct queue){ NONE, NONE };
	s->chosen = NONE;
	s->bursts = bursts;
	s->class = xcalloc(m->cpu_cnt + 1, sizeof(*s->class));
	s->segs = xcalloc(m->cpu_cnt + 1, sizeof(*s->segs));
	s->theirs_bits = xcalloc(m->cpu_cnt / 64 + 1, sizeof(*s->theirs_bits));
	s->who = xcalloc(m->cpu_cnt + 1, sizeof(*s->who));
	bursts_fill(m, bursts);
	contenders_fill(s, r);
	cpusets_init(&s->sets, m);
	s->free = xcalloc(s->sets.cnt + 1, sizeof(*s->free));
	s->firsts = xcalloc(s->sets.cnt + 1, sizeof(*s->firsts));
	for (uint32_t q = 0; q <= s->sets.cnt; q++)
		s->free[q] = (struct queue){ NONE, NONE };
	matching_init(&s->idle, (uint32_t)m->cpu_cnt, s->sets.bits, s->sets.cnt);
	matching_init(&s->all, (uint32_t)m->cpu_cnt, s->sets.bits, s->sets.cnt);
	for (uint32_t i = 0; i < m->cpu_cnt; i++) {
		s->class[i] = LAB_CPU_UNKNOWN;
		s->theirs_bits[i / 64] |= UINT64_C(1) << i % 64;
		matching_offer(&s->all, i);
	}
	sweep_run(s);
	matching_release(&s->idle);
	matching_release(&s->all);
	cpusets_release(&s->sets);
	free(bursts);
	free(s->class);
	free(s->segs);
	free(s->theirs_bits);
	free(s->free);
	free(s->firsts);
	free(s->who);
	free(s->tasks);
	free(s->turns.v);
}

/* What P CPUs cannot do in less. */
static uint64_t least_busy_ns(const struct model *m, uint64_t run_ns)
{
	return m->cpu_cnt ? (run_ns + m->cpu_cnt - 1) / m->cpu_cnt : run_ns;
}

static void bounds_fill(const struct model *m, const struct report *r, const struct sweep *s)
{
	const struct report_parallelism *p = &r->parallelism;
	struct report_noise *out = s->out;
	uint64_t least_ns = least_busy_ns(m, p->run_ns), stolen_ns;

	out->busy_ns = p->busy_ns - min_u64(p->busy_ns, s->beyond_ns);
	out->parallel_ns = p->parallel_upper_ns + s->parallel_ns;
	/* A CPU that the host takes away makes a task there last longer; it may then be alone. */
	stolen_ns = out->parallel_ns ? m->end.steal_ns : 0;
	out->busy_ns -= min_u64(out->busy_ns, stolen_ns);
	out->busy_ns = min_u64(max_u64(out->busy_ns, least_ns), p->busy_ns);
	out->parallel_ns = max_u64(min_u64(out->parallel_ns, out->busy_ns), p->parallel_ns);
	out->full_ns = m->end_ns - m->start_ns;
	out->window_ns = m->end_ns - m->start_ns - (p->busy_ns - out->busy_ns);
	out->window_ns -= min_u64(out->window_ns, s->alone_ns);
}

static void noise_run(const struct model *m, struct report *r)
{
	struct sweep s = { .m = m, .out = &r->noise };

	r->noise.max = r->parallelism.max;
	sweep_all(m, r, &s);
	bounds_fill(m, r, &s);
}

/* The time that others lengthened need not have been, neither as concurrent nor as active. */
static bool could_be_sequential(const struct report_concurrency *c, uint64_t stretched_ns)
{
	uint64_t ns = min_u64(c->concurrent_ns, stretched_ns), left_ns = c->concurrent_ns - ns;

	return ns && (!left_ns || !share_is_5_percent(left_ns, c->active_ns - ns));
}

static bool could_be_concurrent(const struct report_concurrency *c, uint64_t stretched_ns)
{
	uint64_t ns = min_u64(c->active_ns - c->concurrent_ns, stretched_ns);

	return ns && c->concurrent_ns && share_is_5_percent(c->concurrent_ns, c->active_ns - ns);
}

void noise_classes(struct report *r)
{
	struct report_noise *n = &r->noise;
	enum verdict_class seen = report_lowest_class(r);

	if (seen == CLASS_NONE)
		return;
	n->could_be[seen] = true;
	n->could_be[CLASS_PARALLEL] |= r->verdict.class == CLASS_INCONCLUSIVE;
	if (seen == CLASS_PARALLEL || !(n->interfered_ns | n->stretched_ns))
		return;
	n->could_be[CLASS_PARALLEL] |= share_is_5_percent(n->parallel_ns, n->busy_ns);
	if (seen == CLASS_CONCURRENT)
		n->could_be[CLASS_SEQUENTIAL] =
			could_be_sequential(&r->concurrency, n->stretched_ns);
	else
		n->could_be[CLASS_CONCURRENT] =
			could_be_concurrent(&r->concurrency, n->stretched_ns);
}

/* @ns of the usable CPUs' time, in a run that is as much shorter as it could be. */
static uint64_t in_shorter_run(const struct report *r, uint64_t ns)
{
	uint64_t total_ns = r->capacity.total_ns, cpus = total_ns / max_u64(r->noise.full_ns, 1);
	unsigned __int128 part;

	if (!r->noise.window_ns)
		return total_ns;
	part = (unsigned __int128)ns * total_ns /
	       ((unsigned __int128)r->noise.window_ns * max_u64(cpus, 1));
	return part < total_ns ? (uint64_t)part : total_ns;
}

struct noise_range noise_of_work(const struct report *r)
{
	return (struct noise_range){ r->capacity.work_ns,
				     max_u64(r->capacity.work_ns,
					     in_shorter_run(r, r->capacity.work_ns)) };
}

struct noise_range noise_of_idle(const struct report *r, uint64_t part_ns)
{
	const struct report_capacity *c = &r->capacity;
	uint64_t cpus = c->total_ns / max_u64(r->noise.full_ns, 1);
	uint64_t disturbed_ns = min_u64(c->total_ns, cpus * r->noise.interfered_ns);
	uint64_t idle_ns = disturbed_ns - min_u64(disturbed_ns, r->noise.interference_ns);
	uint64_t usable_ns = min_u64(c->interference_ns, r->noise.interference_ns);
	uint64_t others_ns = c->other_ns + c->unknown_ns + c->interference_ns - usable_ns;
	struct noise_range range = { .low = part_ns - min_u64(part_ns, idle_ns), .high = part_ns };

	if (others_ns)
		range.high = max_u64(part_ns, min_u64(in_shorter_run(r, part_ns + others_ns),
						      c->total_ns - c->work_ns));
	return range;
}

const struct analysis analysis_noise = { .name = "noise", .run = noise_run };
