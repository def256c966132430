/* SPDX-License-Identifier: GPL-2.0-only */
/* model_identities - what every model must keep, whatever it was built from. */

#include "model_fixture.h"
#include "model_turns.h"

#include <stdlib.h>

#include "util/alloc.h"

static const char *check_spans(const struct model *m, const struct model_task *t)
{
	uint64_t at = t->start_ns;

	for (size_t i = 0; i < t->span_cnt; i++) {
		const struct model_span *s = &t->spans[i];

		if (s->start_ns != at)
			return "a span does not begin where the one before ends";
		if (s->end_ns <= s->start_ns)
			return "a span is empty";
		if ((s->state == SPAN_BLOCKED) != (s->reason != REASON_NONE))
			return "a span is blocked for no reason, or not blocked for one";
		if (s->state == SPAN_RUNNING && s->start_min_ns > s->start_ns)
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
			const struct model_span *s = &m->tasks[i].spans[j];
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

/* The timeline is what sorting gives. */
static const char *check_order(const struct model *m)
{
	struct model_turn *turns = model_turns_sorted(m);
	const char *wrong = NULL;
	struct timeline timeline;
	const struct model_span *s;
	size_t cnt = 0;
	uint32_t idx;

	timeline_init(&timeline, m);
	for (; (s = timeline_step(&timeline, &idx)); cnt++)
		if (s != turns[cnt].span || idx != turns[cnt].task_idx)
			wrong = "the timeline is not in order";
	timeline_release(&timeline);
	for (enum span_state state = SPAN_RUNNING; state <= SPAN_BLOCKED; state++) {
		const struct model_task *t;
		size_t next = 0;

		timeline_init(&timeline, m);
		while ((s = timeline_next(&timeline, state, &t))) {
			while (next < cnt && turns[next].span->state != state)
				next++;
			if (next == cnt || turns[next].span != s ||
			    t != &m->tasks[turns[next].task_idx])
				wrong = "the timeline is not in order in one state";
			next++;
		}
		timeline_release(&timeline);
	}
	free(turns);
	return cnt == m->span_cnt ? wrong : "the timeline does not have every span";
}

const char *fx_check_identities(const struct model *m)
{
	const char *wrong = NULL;

	for (size_t i = 0; i < m->task_cnt && !wrong; i++)
		wrong = check_spans(m, &m->tasks[i]);
	for (size_t i = 0; i < m->cpu_cnt && !wrong; i++)
		wrong = check_cpu(m, &m->cpus[i]);
	if (!wrong)
		wrong = check_order(m);
	/* Records that contradict each other may have two tasks on one CPU. */
	if (!wrong && !m->audit.failures_total && !m->gap_cnt)
		wrong = check_ours(m);
	return wrong;
}
