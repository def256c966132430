/* SPDX-License-Identifier: GPL-2.0-only */
#include "analyze_fixture.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model_turns.h"
#include "util/alloc.h"

void afx_init(struct afx *f, unsigned int cpu_cnt, uint64_t unit_ns, unsigned int unit_cnt)
{
	memset(f, 0, sizeof(*f));
	f->unit_ns = unit_ns;
	f->m.start_ns = AFX_START_NS;
	f->m.end_ns = AFX_START_NS + unit_ns * unit_cnt;
	f->m.complete = true;
	f->m.holds_known = true;
	f->m.end.reason = TRACE_END_EXIT;
	for (unsigned int i = 0; i < cpu_cnt; i++)
		vec_push(f->m.cpus, f->m.cpu_cnt, f->m.cpu_cap)->cpu = (uint16_t)i;
}

static void span_of_char(struct model_span *s, char c)
{
	static const char letters[] = "?LCJWEPSINUDFKTGOXMQV";
	const char *at;

	s->cpu = UINT16_MAX;
	s->syscall = LAB_SYSCALL_NONE;
	if (isdigit((unsigned char)c)) {
		s->state = SPAN_RUNNING;
		s->cpu = (uint16_t)(c - '0');
		return;
	}
	if (c == '.') {
		s->state = SPAN_READY;
		return;
	}
	s->state = SPAN_BLOCKED;
	if (islower((unsigned char)c))
		s->flags |= SPAN_WAKER_KIN;
	c = (char)toupper((unsigned char)c);
	if (c == 'A') {
		s->flags |= SPAN_ACCEPT;
		c = 'N';
	}
	at = strchr(letters, c);
	s->reason = at ? (uint8_t)(at - letters) : REASON_OTHER;
}

size_t afx_task(struct afx *f, unsigned int at, const char *life)
{
	struct model_task *t = vec_push(f->m.tasks, f->m.task_cnt, f->m.task_cap);
	uint64_t now_ns = AFX_START_NS + at * f->unit_ns;
	char last = 0;

	t->id = (uint32_t)f->m.task_cnt;
	t->parent_id = t->id > 1;
	t->tid = 100 + t->id;
	t->tgid = 101;
	t->mm_id = 1;
	snprintf(t->comm, sizeof(t->comm), "task%u", (unsigned int)t->id);
	t->start_ns = now_ns;
	t->never_ran = true;
	for (; *life; last = *life++) {
		if (*life == '|')
			continue;
		if (*life != last) {
			struct model_span *s = vec_push(t->spans, t->span_cnt, t->span_cap);

			span_of_char(s, *life);
			s->start_ns = now_ns;
			if (s->state == SPAN_RUNNING)
				s->start_min_ns = now_ns;
			f->m.span_cnt++;
			t->never_ran &= s->state != SPAN_RUNNING;
		}
		now_ns += f->unit_ns;
		t->spans[t->span_cnt - 1].end_ns = now_ns;
	}
	t->end_ns = now_ns;
	return f->m.task_cnt - 1;
}

struct model_span *afx_span(struct afx *f, size_t task, size_t nth)
{
	return &f->m.tasks[task].spans[nth];
}

struct model_span *afx_any_span(struct afx *f, size_t nth)
{
	size_t task = 0;

	while (nth >= f->m.tasks[task].span_cnt)
		nth -= f->m.tasks[task++].span_cnt;
	return afx_span(f, task, nth);
}

void afx_op(struct afx *f, uint32_t task_id, unsigned int from, unsigned int until)
{
	struct model_op *op = vec_push(f->m.ops, f->m.op_cnt, f->m.op_cap);

	op->id = (uint32_t)f->m.op_cnt;
	op->task_id = task_id;
	op->start_ns = AFX_START_NS + from * f->unit_ns;
	op->end_ns = AFX_START_NS + until * f->unit_ns;
}

void afx_allow(struct afx *f, size_t task, unsigned int at, uint64_t cpus)
{
	struct model *m = &f->m;
	struct model_task *t = &m->tasks[task];

	vec_push(m->cpusets, m->cpuset_cnt, m->cpuset_cap)->words[0] = cpus;
	if (!t->allowed_cnt++)
		t->allowed_first = m->allowed_cnt;
	*vec_push(m->allowed, m->allowed_cnt, m->allowed_cap) = (struct model_allowed){
		AFX_START_NS + at * f->unit_ns, t->id, (uint32_t)m->cpuset_cnt - 1,
	};
}

void afx_hold(struct afx *f, size_t task, unsigned int from, unsigned int until)
{
	struct model *m = &f->m;
	struct model_task *t = &m->tasks[task];

	if (!t->hold_cnt++)
		t->hold_first = m->hold_cnt;
	*vec_push(m->holds, m->hold_cnt, m->hold_cap) = (struct model_hold){
		AFX_START_NS + from * f->unit_ns, AFX_START_NS + until * f->unit_ns, t->id, false
	};
}

void afx_pair(struct afx *f, uint16_t cpu_a, uint16_t cpu_b, uint32_t ns)
{
	struct trace_meta *meta = &f->m.meta;

	meta->clock_pairs = xreallocarray(meta->clock_pairs, meta->clock_pair_cnt + 1UL,
					  sizeof(*meta->clock_pairs));
	meta->clock_pairs[meta->clock_pair_cnt++] = (struct trace_clock_pair){ cpu_a, cpu_b, ns };
}

void afx_gap(struct afx *f, uint16_t cpu, uint64_t from_ns, uint64_t until_ns, uint64_t cnt)
{
	*vec_push(f->m.gaps, f->m.gap_cnt, f->m.gap_cap) =
		(struct model_gap){ cpu, from_ns, until_ns, cnt };
}

void afx_audit_failure(struct afx *f, const char *name, uint64_t expected, uint64_t observed)
{
	struct model_audit *a = &f->m.audit;

	*vec_push(a->failures, a->failure_cnt, a->failure_cap) = (struct audit_failure){
		.name = name, .expected = expected, .observed = observed,
		.by_loss = observed < expected,
	};
	a->failures_total++;
	a->unexplained_total += observed >= expected;
}

void afx_clocks(struct afx *f, uint32_t ns)
{
	for (size_t i = 1; i < f->m.cpu_cnt; i++)
		for (size_t j = 0; j < i; j++)
			afx_pair(f, f->m.cpus[j].cpu, f->m.cpus[i].cpu, ns);
}

static int run_cmp(const void *a, const void *b)
{
	const struct model_span *x = *(struct model_span *const *)a;
	const struct model_span *y = *(struct model_span *const *)b;

	if (x->cpu != y->cpu)
		return x->cpu - y->cpu;
	return (x->start_ns > y->start_ns) - (x->start_ns < y->start_ns);
}

static void seg_add(struct afx *f, struct model_cpu *cpu, uint64_t start_ns, uint64_t end_ns,
		    uint32_t task_id)
{
	if (start_ns >= end_ns)
		return;
	*vec_push(f->m.cpu_segs, f->m.cpu_seg_cnt, f->m.cpu_seg_cap) = (struct model_cpu_seg){
		.start_ns = start_ns, .end_ns = end_ns, .task_id = task_id,
		.class = task_id ? LAB_CPU_OURS : LAB_CPU_IDLE,
	};
	cpu->seg_cnt++;
}

static uint32_t owner_of(const struct model *m, const struct model_span *s)
{
	size_t i = 0;

	while (s < m->tasks[i].spans || s >= m->tasks[i].spans + m->tasks[i].span_cnt)
		i++;
	return m->tasks[i].id;
}

void afx_finish(struct afx *f)
{
	struct model *m = &f->m;
	struct model_span **runs;
	bool divide = !m->cpu_seg_cnt;
	size_t run_cnt = 0, next = 0;

	model_turns_sort(m);
	runs = xcalloc(m->span_cnt + 1, sizeof(*runs));
	for (size_t i = 0; i < m->span_cnt; i++)
		if (afx_any_span(f, i)->state == SPAN_RUNNING)
			runs[run_cnt++] = afx_any_span(f, i);
	qsort(runs, run_cnt, sizeof(*runs), run_cmp);
	for (size_t i = 0; i < m->cpu_cnt; i++) {
		uint64_t seq = 0, at_ns = m->start_ns;

		if (divide)
			m->cpus[i].seg_first = m->cpu_seg_cnt;
		for (; next < run_cnt && runs[next]->cpu == m->cpus[i].cpu; next++) {
			runs[next]->seq_in = seq++;
			runs[next]->seq_out = seq++;
			if (!divide)
				continue;
			seg_add(f, &m->cpus[i], at_ns, runs[next]->start_ns, 0);
			at_ns = runs[next]->end_ns;
			seg_add(f, &m->cpus[i], runs[next]->start_ns, at_ns,
				owner_of(m, runs[next]));
		}
		if (divide)
			seg_add(f, &m->cpus[i], at_ns, m->end_ns, 0);
	}
	free(runs);
}

void afx_compute(struct afx *f)
{
	report_release(&f->r);
	afx_finish(f);
	report_compute(&f->m, &f->r);
}

void afx_release(struct afx *f)
{
	report_release(&f->r);
	for (size_t i = 0; i < f->m.task_cnt; i++)
		free(f->m.tasks[i].spans);
	free(f->m.tasks);
	free(f->m.turns);
	free(f->m.cpus);
	free(f->m.cpu_segs);
	free(f->m.comms);
	free(f->m.ops);
	for (size_t i = 0; i < f->m.name_cnt; i++)
		free(f->m.names[i]);
	free(f->m.names);
	free(f->m.loop_waits);
	free(f->m.migrations);
	free(f->m.cpusets);
	free(f->m.allowed);
	free(f->m.holds);
	free(f->m.early_wakes);
	free(f->m.gaps);
	free(f->m.audit.failures);
	free(f->m.symbols);
	free(f->m.meta.clock_pairs);
}

uint32_t afx_random(uint64_t *seed, uint32_t below)
{
	*seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)((*seed >> 33) % below);
}
