/* SPDX-License-Identifier: GPL-2.0-only */
/* model_fixture_random - random schedules, and the identities every model must keep. */

#include "model_fixture.h"

#include <stdlib.h>

#include "util/alloc.h"

#define TASKS_MAX 256
#define CPUS_MAX 64

enum sim_state { SIM_NONE, SIM_READY, SIM_RUNNING, SIM_BLOCKED, SIM_DEAD };

struct sim {
	struct fx *f;
	uint64_t rng, now;
	unsigned int cpu_cnt, task_max, born, alive;
	bool hidden;
	enum sim_state state[TASKS_MAX + 1];
	unsigned int at[TASKS_MAX + 1];		/* where it runs, or is queued */
	int32_t cur[CPUS_MAX];
};

static uint32_t rnd(struct sim *s, uint32_t below)
{
	/* splitmix64 (Vigna) */
	uint64_t z = s->rng += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return (uint32_t)((z ^ z >> 31) % below);
}

/* A task in @state, queued on @cpu if that is not negative; 0 if there is none. */
static uint32_t pick(struct sim *s, enum sim_state state, int cpu)
{
	uint32_t first = rnd(s, s->born);

	for (uint32_t i = 0; i < s->born; i++) {
		uint32_t id = (first + i) % s->born + 1;

		if (s->state[id] == state && (cpu < 0 || s->at[id] == (unsigned int)cpu))
			return id;
	}
	return 0;
}

static int32_t pick_next(struct sim *s, unsigned int cpu)
{
	uint32_t id = pick(s, SIM_READY, (int)cpu);

	if (id && rnd(s, 4))
		return (int32_t)id;
	return rnd(s, 2) ? FX_IDLE : FX_FOREIGN(500 + rnd(s, 5));
}

static struct fx_how random_sleep(struct sim *s)
{
	switch (rnd(s, 7)) {
	case 0:
		return fx_call(FX_NR_NANOSLEEP, 0);
	case 1:
		return fx_read(FX_S_IFIFO);
	case 2:
		return fx_disk();
	case 3:
		return fx_call(FX_NR_EPOLL_WAIT, 5);
	case 4:
		return fx_kernel();
	default:
		return fx_futex(0x1000 + 8 * rnd(s, 3), FX_FUTEX_WAIT, rnd(s, 4));
	}
}

static void leave(struct sim *s, unsigned int cpu, struct fx_how how, enum sim_state state)
{
	int32_t next = pick_next(s, cpu);

	s->state[s->cur[cpu]] = state;
	fx_switch(s->f, s->now, cpu, next, how);
	s->cur[cpu] = next;
	if (next > 0)
		s->state[next] = SIM_RUNNING;
}

static void wake(struct sim *s, uint32_t id)
{
	s->state[id] = SIM_READY;
}

static void step_ours(struct sim *s, unsigned int cpu)
{
	uint32_t id = (uint32_t)s->cur[cpu], other;

	switch (rnd(s, 10)) {
	case 0:
		leave(s, cpu, fx_preempted(), SIM_READY);
		break;
	case 1:
		leave(s, cpu, fx_yield(), SIM_READY);
		break;
	case 2: case 3:
		leave(s, cpu, random_sleep(s), SIM_BLOCKED);
		break;
	case 4:	/* the waking wins the race with the sleep */
		fx_wake_on(s->f, s->now, rnd(s, s->cpu_cnt), id, LAB_F_HARDIRQ);
		s->now += 1 + rnd(s, 20);
		leave(s, cpu, random_sleep(s), SIM_READY);
		break;
	case 5: case 6:
		if (s->born == s->task_max)
			break;
		s->born++;
		s->alive++;
		s->at[s->born] = rnd(s, s->cpu_cnt);
		s->state[s->born] = SIM_READY;
		fx_fork(s->f, s->now, id, s->born, rnd(s, 2) ? FX_THREAD : FX_PROCESS,
			s->at[s->born]);
		break;
	case 7:
		if (s->alive > 1 && rnd(s, 3))
			break;
		fx_exit_begin(s->f, s->now, id, 0);
		leave(s, cpu, fx_dead(), SIM_DEAD);
		s->alive--;
		break;
	default:
		other = pick(s, SIM_BLOCKED, -1);
		if (!other)
			break;
		fx_wake(s->f, s->now, id, other);
		wake(s, other);
	}
}

static void step_other(struct sim *s, unsigned int cpu)
{
	uint32_t id = pick(s, SIM_READY, (int)cpu);
	int32_t next;

	if (!rnd(s, 3)) {
		id = pick(s, SIM_BLOCKED, -1);
		if (id) {
			fx_wake_on(s->f, s->now, cpu, id,
				   rnd(s, 2) ? LAB_F_HARDIRQ : LAB_F_SOFTIRQ);
			wake(s, id);
		}
		return;
	}
	if (!id && rnd(s, 2)) {
		id = pick(s, SIM_READY, -1);
		if (id) {
			fx_migrate(s->f, s->now, cpu, id, s->at[id], cpu);
			s->at[id] = cpu;
			s->now += 1 + rnd(s, 20);
		}
	}
	next = id ? (int32_t)id : s->cur[cpu] ? FX_IDLE : FX_FOREIGN(500 + rnd(s, 5));
	if (id)
		s->state[id] = SIM_RUNNING;
	if (id && s->hidden && s->cur[cpu] < 0 && !rnd(s, 3))
		fx_switch_hidden(s->f, s->now, cpu, next);
	else
		fx_switch(s->f, s->now, cpu, next, fx_none());
	s->cur[cpu] = next;
}

static void step(struct sim *s)
{
	unsigned int cpu = rnd(s, s->cpu_cnt);

	s->now += 1 + rnd(s, rnd(s, 10) ? 100 : 10000);
	if (s->cur[cpu] > 0)
		step_ours(s, cpu);
	else
		step_other(s, cpu);
}

struct fx *fx_random(uint64_t seed, unsigned int cpus, unsigned int tasks, unsigned int steps,
		     bool hidden, bool cut)
{
	struct sim s = {
		.f = fx_new(cpus), .rng = seed, .now = 10000, .cpu_cnt = cpus,
		.task_max = tasks < TASKS_MAX ? tasks : TASKS_MAX, .born = 1, .alive = 1,
		.hidden = hidden,
	};

	fx_start(s.f, s.now);
	s.state[1] = SIM_READY;
	while (s.alive && (!cut || steps--))
		step(&s);
	fx_end(s.f, s.now + 50, cut ? TRACE_END_FOR : TRACE_END_EXIT);
	return s.f;
}

/* ---- identities ---- */

static const char *check_spans(const struct model *m, const struct model_task *t)
{
	uint64_t at = t->start_ns;

	for (size_t i = t->span_first; i < t->span_first + t->span_cnt; i++) {
		const struct model_span *s = &m->spans[i];

		if (s->start_ns != at)
			return "a span does not begin where the one before ends";
		if (s->end_ns <= s->start_ns)
			return "a span is empty";
		if ((s->state == SPAN_BLOCKED) != (s->reason != REASON_NONE))
			return "a span is blocked for no reason, or not blocked for one";
		if (s->start_min_ns > s->start_ns)
			return "a span began later than at its start";
		at = s->end_ns;
	}
	if (at != t->end_ns)
		return "spans do not cover the task's life";
	if (t->start_ns < m->start_ns || t->end_ns > m->end_ns)
		return "a task lives outside the window";
	return NULL;
}

static const char *check_cpu(const struct model *m, const struct model_cpu *c)
{
	uint64_t at = m->start_ns;

	for (size_t i = c->seg_first; i < c->seg_first + c->seg_cnt; i++) {
		const struct model_cpu_seg *s = &m->cpu_segs[i];

		if (s->start_ns != at || s->end_ns <= s->start_ns)
			return "CPU segments do not adjoin";
		if ((s->class == LAB_CPU_OURS) != (s->task_id != 0))
			return "a CPU segment is ours without a task, or not ours with one";
		at = s->end_ns;
	}
	return at == m->end_ns ? NULL : "CPU segments do not cover the window";
}

/* Time of ours by CPU and task, once from the segments and once from the spans. */
static const char *check_ours(const struct model *m)
{
	size_t cells = m->task_cnt * m->cpu_cnt;
	uint64_t *ours = xcalloc(cells + 1, sizeof(*ours));
	const char *wrong = NULL;

	for (size_t c = 0; c < m->cpu_cnt; c++) {
		for (size_t i = 0; i < m->cpus[c].seg_cnt; i++) {
			const struct model_cpu_seg *s = &m->cpu_segs[m->cpus[c].seg_first + i];
			const struct model_task *t = model_task(m, s->task_id);

			if (t)
				ours[(size_t)(t - m->tasks) * m->cpu_cnt + c] +=
					s->end_ns - s->start_ns;
		}
	}
	for (size_t i = 0; i < m->task_cnt; i++) {
		for (size_t j = 0; j < m->tasks[i].span_cnt; j++) {
			const struct model_span *s = &m->spans[m->tasks[i].span_first + j];
			size_t c = 0;

			if (s->state != SPAN_RUNNING)
				continue;
			while (c < m->cpu_cnt && m->cpus[c].cpu != s->cpu)
				c++;
			if (c == m->cpu_cnt)
				wrong = "a span runs on a CPU that the model does not have";
			else
				ours[i * m->cpu_cnt + c] -= s->end_ns - s->start_ns;
		}
	}
	for (size_t i = 0; i < cells && !wrong; i++) {
		if (ours[i])
			wrong = "CPU segments of ours are not the running spans";
	}
	free(ours);
	return wrong;
}

const char *fx_check_identities(const struct model *m)
{
	const char *wrong = NULL;

	for (size_t i = 0; i < m->task_cnt && !wrong; i++)
		wrong = check_spans(m, &m->tasks[i]);
	for (size_t i = 0; i < m->cpu_cnt && !wrong; i++)
		wrong = check_cpu(m, &m->cpus[i]);
	/* Records that contradict each other may have two tasks on one CPU. */
	if (!wrong && !m->audit.failures_total && !m->gap_cnt)
		wrong = check_ours(m);
	return wrong;
}
