/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * oracle_placing - which idle CPUs ready tasks could have used, moment by moment: by trying, task
 * after task, to make room for it (Kuhn's augmenting paths, from nothing in every moment).
 */

#include <stdlib.h>
#include <string.h>

#include "oracle.h"
#include "util/alloc.h"
#include "util/minmax.h"

#define NOBODY SIZE_MAX

/* What bound @task in a moment; NULL: nothing is known. */
static const struct truth_bound *bound_at(const struct oracle *o, uint32_t task_id, uint64_t at_ns)
{
	const struct truth_bound *last = NULL;

	for (size_t i = 0; i < o->t->bound_cnt; i++)
		if (o->t->bounds[i].task_id == task_id && o->t->bounds[i].from_ns <= at_ns)
			last = &o->t->bounds[i];
	return last;
}

static bool allows(const struct truth_bound *bound, uint16_t cpu)
{
	return bound->words[cpu / 64] >> cpu % 64 & 1;
}

bool oracle_affinity_known(const struct oracle *o)
{
	for (size_t i = 0; i < o->t->task_cnt; i++)
		for (size_t j = 0; j < o->t->tasks[i].span_cnt; j++) {
			const struct truth_span *s = &o->t->tasks[i].spans[j];

			if (s->state == SPAN_READY && !bound_at(o, o->t->tasks[i].id, s->start_ns))
				return false;
		}
	return true;
}

/* One moment: who could use which CPU. */
struct room {
	size_t cpu_cnt, task_cnt;
	bool *may;		/* [task * cpu_cnt + cpu]: it is ready, the CPU is in question */
	size_t *holder;		/* [cpu] */
	bool *tried;		/* [cpu] */
};

static bool make_room(struct room *r, size_t task)
{
	for (size_t c = 0; c < r->cpu_cnt; c++) {
		if (!r->may[task * r->cpu_cnt + c] || r->tried[c])
			continue;
		r->tried[c] = true;
		if (r->holder[c] == NOBODY || make_room(r, r->holder[c])) {
			r->holder[c] = task;
			return true;
		}
	}
	return false;
}

/* How many CPUs, idle ones or also @foreign ones, can be given a ready task each. */
static uint64_t could_use(const struct oracle *o, const struct moment *at, bool known, bool foreign)
{
	struct room r = { .cpu_cnt = o->t->cpu_cnt, .task_cnt = o->t->task_cnt };
	uint64_t cnt = 0;

	r.may = xcalloc(r.task_cnt * r.cpu_cnt + 1, sizeof(*r.may));
	r.holder = xcalloc(r.cpu_cnt + 1, sizeof(*r.holder));
	r.tried = xcalloc(r.cpu_cnt + 1, sizeof(*r.tried));
	for (size_t c = 0; c < r.cpu_cnt; c++) {
		uint8_t class = at->segs[c]->class;

		r.holder[c] = NOBODY;
		if (class != LAB_CPU_IDLE && !(foreign && class == LAB_CPU_FOREIGN))
			continue;
		for (size_t i = 0; i < r.task_cnt; i++)
			r.may[i * r.cpu_cnt + c] = moment_is(at, i, SPAN_READY) &&
				(!known || allows(bound_at(o, o->t->tasks[i].id, at->start_ns),
						  o->t->cpus[c].cpu));
	}
	for (size_t i = 0; i < r.task_cnt; i++) {
		if (!moment_is(at, i, SPAN_READY))
			continue;
		memset(r.tried, 0, r.cpu_cnt * sizeof(*r.tried));
		cnt += make_room(&r, i);
	}
	free(r.may);
	free(r.holder);
	free(r.tried);
	return cnt;
}

/* Idle CPUs on which a task that is ready, and may run there, runs next. */
static uint64_t awaited(const struct oracle *o, const struct moment *at, bool known)
{
	uint64_t cnt = 0;

	for (size_t c = 0; c < o->t->cpu_cnt; c++) {
		uint16_t cpu = o->t->cpus[c].cpu;
		bool any = false;

		for (size_t i = 0; i < o->t->task_cnt; i++)
			any |= moment_is(at, i, SPAN_READY) && at->spans[i]->cpu == cpu &&
			       (!known ||
				allows(bound_at(o, o->t->tasks[i].id, at->start_ns), cpu));
		cnt += any && at->segs[c]->class == LAB_CPU_IDLE;
	}
	return cnt;
}

struct placed oracle_placed(const struct oracle *o, const struct moment *at, bool known)
{
	uint64_t ready = moment_count(o, at, SPAN_READY), idle = 0, unplaced, used;
	struct placed p;

	for (size_t c = 0; c < o->t->cpu_cnt; c++)
		idle += at->segs[c]->class == LAB_CPU_IDLE;
	unplaced = min_u64(idle, ready);
	used = could_use(o, at, known, false);
	p.affinity = unplaced - used;
	p.latency = awaited(o, at, known);
	p.balancing = used - p.latency;
	p.interference = min_u64(could_use(o, at, known, true) - used, ready - unplaced);
	return p;
}

/* For how long a task with the set of @like was kept from CPU @c, while affinity cost something. */
static uint64_t pinned_ns(const struct oracle *o, const struct truth_bound *like, size_t c)
{
	uint64_t ns = 0;

	for (size_t k = 0; k < o->moment_cnt; k++) {
		const struct moment *at = &o->moments[k];
		bool any = false;

		if (at->segs[c]->class != LAB_CPU_IDLE || allows(like, o->t->cpus[c].cpu))
			continue;
		for (size_t i = 0; i < o->t->task_cnt && !any; i++) {
			const struct truth_bound *b;
			bool same = true;

			if (!moment_is(at, i, SPAN_READY))
				continue;
			b = bound_at(o, o->t->tasks[i].id, at->start_ns);
			for (size_t j = 0; j < o->t->cpu_cnt; j++)
				same &= allows(b, o->t->cpus[j].cpu) ==
					allows(like, o->t->cpus[j].cpu);
			any = same;
		}
		ns += any && oracle_placed(o, at, true).affinity ? at->ns : 0;
	}
	return ns;
}

/* The example that is given: it lasted so long, and none lasted longer. */
void oracle_pinned(struct oracle *o)
{
	const struct report_capacity *c = &o->r->capacity;
	uint64_t most = 0;
	bool found = false;

	for (size_t i = 0; i < o->t->bound_cnt; i++)
		for (size_t j = 0; j < o->t->cpu_cnt; j++) {
			uint64_t ns = pinned_ns(o, &o->t->bounds[i], j);
			bool named = o->t->cpus[j].cpu == c->pinned_idle_cpu;
			uint32_t cnt = 0;

			most = max_u64(most, ns);
			for (size_t k = 0; k < o->t->cpu_cnt; k++) {
				bool may = allows(&o->t->bounds[i], o->t->cpus[k].cpu);

				named &= !may || (cnt < c->pinned_to_cnt &&
						  c->pinned_to[cnt] == o->t->cpus[k].cpu);
				cnt += may;
			}
			found |= ns && named && cnt == c->pinned_to_cnt && ns == c->pinned_ns;
		}
	ORACLE_EQ(o, c->pinned_ns, most);
	ORACLE(o, found || !most, "the example of affinity is none");
}
