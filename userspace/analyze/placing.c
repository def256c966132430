/* SPDX-License-Identifier: GPL-2.0-only */
#include "analyze/placing.h"

#include <stdlib.h>

#include "analyze/report.h"
#include "util/alloc.h"
#include "util/minmax.h"

#define PINNED_SETS_MAX PINNED_CPUS_MAX

void placing_init(struct placing *p, const struct model *m, const struct cpusets *sets, bool holds)
{
	uint32_t cpu_cnt = (uint32_t)m->cpu_cnt;

	*p = (struct placing){ .sets = sets, .holds = holds };
	p->cpus = xcalloc(m->cpu_cnt, sizeof(*p->cpus));
	p->tasks = xcalloc(m->task_cnt, sizeof(*p->tasks));
	for (size_t i = 0; i < m->task_cnt; i++)
		p->tasks[i].set = MATCHING_EVERY;
	p->class_cnt[LAB_CPU_UNKNOWN] = m->cpu_cnt;
	matching_init(&p->for_all, cpu_cnt, sets->bits, sets->cnt);
	matching_init(&p->for_free, cpu_cnt, sets->bits, sets->cnt);
	matching_init(&p->beyond, cpu_cnt, sets->bits, sets->cnt);
	if (sets->cnt && sets->cnt <= PINNED_SETS_MAX && cpu_cnt <= PINNED_CPUS_MAX)
		p->pinned_ns = xcalloc((size_t)sets->cnt * cpu_cnt, sizeof(*p->pinned_ns));
}

void placing_release(struct placing *p)
{
	free(p->cpus);
	free(p->tasks);
	free(p->pinned_ns);
	matching_release(&p->for_all);
	matching_release(&p->for_free);
	matching_release(&p->beyond);
	*p = (struct placing){ 0 };
}

/* ---- CPUs ---- */

static bool is_latent(const struct placing_cpu *cpu)
{
	return cpu->class == LAB_CPU_IDLE && cpu->awaited;
}

static void offer(struct matching *m, uint32_t cpu, bool was, bool is)
{
	if (was && !is)
		matching_withdraw(m, cpu);
	else if (is && !was)
		matching_offer(m, cpu);
}

void placing_class(struct placing *p, uint32_t cpu, enum lab_cpu_class class)
{
	struct placing_cpu *c = &p->cpus[cpu];
	bool was_idle = c->class == LAB_CPU_IDLE, idle = class == LAB_CPU_IDLE;
	bool was_theirs = was_idle || c->class == LAB_CPU_FOREIGN;

	p->latent_cnt -= is_latent(c);
	p->class_cnt[c->class]--;
	c->class = (uint8_t)class;
	p->class_cnt[class]++;
	p->latent_cnt += is_latent(c);
	if (p->holds)
		offer(&p->for_all, cpu, was_idle, idle);
	offer(&p->for_free, cpu, was_idle, idle);
	offer(&p->beyond, cpu, was_theirs, idle || class == LAB_CPU_FOREIGN);
}

/* ---- tasks ---- */

static void await(struct placing *p, const struct placing_task *t, int step)
{
	struct placing_cpu *c;

	if (t->cpu == PLACING_NOWHERE || !cpusets_allow(p->sets, t->set, t->cpu))
		return;
	c = &p->cpus[t->cpu];
	p->latent_cnt -= is_latent(c);
	c->awaited += (uint64_t)(int64_t)step;
	p->latent_cnt += is_latent(c);
}

/* What @t is now begins to count, before and after each change. */
static void task_count(struct placing *p, const struct placing_task *t)
{
	if (!t->ready)
		return;
	p->ready_cnt++;
	if (p->holds)
		matching_want(&p->for_all, t->set);
	if (t->held)
		return;
	p->free_cnt++;
	matching_want(&p->for_free, t->set);
	matching_want(&p->beyond, t->set);
	await(p, t, +1);
}

static void task_uncount(struct placing *p, const struct placing_task *t)
{
	if (!t->ready)
		return;
	p->ready_cnt--;
	if (p->holds)
		matching_leave(&p->for_all, t->set);
	if (t->held)
		return;
	p->free_cnt--;
	matching_leave(&p->for_free, t->set);
	matching_leave(&p->beyond, t->set);
	await(p, t, -1);
}

void placing_ready(struct placing *p, uint32_t task, uint32_t cpu)
{
	struct placing_task *t = &p->tasks[task];

	t->ready = true;
	t->cpu = cpu;
	task_count(p, t);
}

void placing_not_ready(struct placing *p, uint32_t task)
{
	task_uncount(p, &p->tasks[task]);
	p->tasks[task].ready = false;
}

void placing_hold(struct placing *p, uint32_t task, bool held)
{
	struct placing_task *t = &p->tasks[task];

	task_uncount(p, t);
	t->held = held;
	task_count(p, t);
}

void placing_allow(struct placing *p, uint32_t task, uint32_t set)
{
	struct placing_task *t = &p->tasks[task];

	if (t->set == set)
		return;
	task_uncount(p, t);
	t->set = set;
	task_count(p, t);
}

/* ---- how it is ---- */

void placing_parts(const struct placing *p, struct placing_parts *out)
{
	uint64_t idle = p->class_cnt[LAB_CPU_IDLE];
	uint64_t free = matching_size(&p->for_free);
	uint64_t all = p->holds ? matching_size(&p->for_all) : free;
	uint64_t held_left, free_left, other;

	out->unplaced = min_u64(idle, p->ready_cnt);
	out->affinity = out->unplaced - all;
	out->throttled = all - free;
	out->latency = p->latent_cnt;
	out->balancing = free - p->latent_cnt;

	held_left = p->ready_cnt - p->free_cnt - out->throttled;
	free_left = p->free_cnt - free;
	free_left -= out->affinity > held_left ? out->affinity - held_left : 0;
	out->interference = min_u64(matching_size(&p->beyond) - free, free_left);

	other = p->class_cnt[LAB_CPU_FOREIGN] - out->interference;
	held_left -= min_u64(held_left, out->affinity);
	out->other_throttled = min_u64(other, held_left);
	out->other_affinity = min_u64(other - out->other_throttled, free_left - out->interference);
}

void placing_last(struct placing *p, const struct placing_parts *parts, uint64_t ns)
{
	const struct matching *all = p->holds ? &p->for_all : &p->for_free;

	if (!parts->affinity || !p->pinned_ns)
		return;
	for (uint32_t set = 0; set < p->sets->cnt; set++) {
		if (!all->by_set[set].wanting)
			continue;
		for (uint32_t cpu = 0; cpu < p->sets->cpu_cnt; cpu++)
			if (p->cpus[cpu].class == LAB_CPU_IDLE &&
			    !cpusets_allow(p->sets, set, cpu))
				p->pinned_ns[(size_t)set * p->sets->cpu_cnt + cpu] += ns;
	}
}
