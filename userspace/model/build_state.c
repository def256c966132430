/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * build_state - the tasks and CPUs that the builder knows, and what all of its parts do to them.
 */

#include <string.h>

#include "model/build.h"
#include "util/alloc.h"

struct bcpu *cpu_state(struct model_builder *b, uint16_t cpu)
{
	struct bcpu *state;

	if (cpu >= TRACE_CPUS_MAX) {
		audit_fail(b, "cpu_number", 0, TRACE_CPUS_MAX - 1, cpu);
		return NULL;
	}
	if (cpu >= b->cpu_cnt) {
		b->cpus = xreallocarray(b->cpus, cpu + 1u, sizeof(*b->cpus));
		memset(&b->cpus[b->cpu_cnt], 0, (cpu + 1u - b->cpu_cnt) * sizeof(*b->cpus));
		for (size_t i = b->cpu_cnt; i <= cpu; i++)
			b->cpus[i].cur = NO_TASK;
		b->cpu_cnt = cpu + 1u;
	}
	state = &b->cpus[cpu];
	state->known = true;
	return state;
}

uint32_t task_add(struct model_builder *b, uint32_t id, uint64_t ts_ns)
{
	uint32_t idx = (uint32_t)b->task_cnt;
	struct btask *t = vec_push(b->tasks, b->task_cnt, b->task_cap);

	t->t.id = id;
	t->parent = NO_TASK;
	t->jump = idx;
	t->leader = idx;
	t->made_ns = ts_ns;
	t->death_ns = NEVER;
	t->ran_by_ns = NEVER;
	t->ran_first_ns = NEVER;
	t->woken_ready_ns = NEVER;
	t->queued_cpu = t->woken_cpu = NO_CPU;
	t->queue_cpu = NO_CPU;
	t->set = NO_SET;
	t->t.mm_id = ++b->mm_cnt;
	*idmap_put(&b->task_by_id, id, 0, idx) = idx;
	return idx;
}

void task_open(struct btask *t, enum life life, uint64_t ts_ns, uint16_t cpu)
{
	t->life = life;
	t->tentative = false;
	t->woken_running = false;
	t->in_unwoken = t->late = false;
	t->woken_cpu = NO_CPU;
	t->woken_ready_ns = NEVER;
	t->ran_by_ns = NEVER;
	t->open = (struct model_span){
		.start_ns = ts_ns,
		.start_min_ns = ts_ns,
		.cpu = cpu,
		.state = life == LIFE_RUNNING ? SPAN_RUNNING :
			 life == LIFE_BLOCKED ? SPAN_BLOCKED : SPAN_READY,
	};
	if (life == LIFE_RUNNING)
		t->ran = true;
	if (life == LIFE_BLOCKED) {
		t->open.syscall = LAB_SYSCALL_NONE;
		t->open.mm_id = 0;
	}
}

uint32_t task_lookup(struct model_builder *b, uint32_t id, uint64_t ts_ns)
{
	uint32_t *known = idmap_get(&b->task_by_id, id, 0);
	uint32_t idx;

	if (known)
		return *known;
	idx = task_add(b, id, ts_ns);
	b->tasks[idx].implicit = b->tasks[idx].uncounted = true;
	b->tasks[idx].own_ns = ts_ns;
	task_open(&b->tasks[idx], LIFE_READY, ts_ns, NO_CPU);
	b->tasks[idx].open.flags |= SPAN_CUT_START;
	return idx;
}

struct btask *task_get(struct model_builder *b, uint32_t id, uint64_t ts_ns)
{
	uint32_t idx = task_lookup(b, id, ts_ns);	/* may move b->tasks */

	return &b->tasks[idx];
}

void task_doubt(struct btask *t)
{
	for (size_t i = t->out_span_cnt; i < t->t.span_cnt; i++)
		t->t.spans[i].unsure = true;
}

void task_acted(struct model_builder *b, uint32_t id, uint16_t cpu, uint64_t ts_ns)
{
	uint32_t *idx = idmap_get(&b->task_by_id, id, 0);
	struct btask *t;

	if (!idx)
		return;
	t = &b->tasks[*idx];
	if ((t->life == LIFE_READY || t->life == LIFE_BLOCKED) && t->ran_by_ns == NEVER) {
		t->ran_by_ns = ts_ns;
		t->ran_cpu = cpu;
	}
}
