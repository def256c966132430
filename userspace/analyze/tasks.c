/* SPDX-License-Identifier: GPL-2.0-only */
/* tasks - how each task spent its lifetime (run + ready + blocked + unknown), and where. */
#include <stdlib.h>

#include "analyze/report.h"
#include "util/alloc.h"
#include "util/minmax.h"

#define SEEN_WORDS ((UINT16_MAX + 1) / 64)

static int u16_cmp(const void *a, const void *b)
{
	return *(const uint16_t *)a - *(const uint16_t *)b;
}

/* The CPUs of a task's runs. @seen: SEEN_WORDS words, all zero before and after. */
static void task_cpus(const struct model_task *t, uint64_t *seen, struct report_task *out)
{
	size_t cnt = 0, cap = 0;

	for (size_t i = 0; i < t->span_cnt; i++) {
		const struct model_span *s = &t->spans[i];

		if (s->state != SPAN_RUNNING || seen[s->cpu / 64] >> s->cpu % 64 & 1)
			continue;
		seen[s->cpu / 64] |= 1ULL << s->cpu % 64;
		*vec_push(out->cpus, cnt, cap) = s->cpu;
	}
	for (size_t i = 0; i < cnt; i++)
		seen[out->cpus[i] / 64] = 0;
	if (cnt)
		qsort(out->cpus, cnt, sizeof(*out->cpus), u16_cmp);
	out->cpu_cnt = (uint32_t)cnt;
}

static void tasks_run(const struct model *m, struct report *r)
{
	uint64_t *seen = xcalloc(SEEN_WORDS, sizeof(*seen));

	r->tasks = xcalloc(m->task_cnt + 1, sizeof(*r->tasks));
	r->task_cnt = m->task_cnt;
	for (size_t i = 0; i < m->task_cnt; i++) {
		const struct model_task *t = &m->tasks[i];
		struct report_task *out = &r->tasks[i];

		for (size_t j = 0; j < t->span_cnt; j++) {
			const struct model_span *s = &t->spans[j];
			uint64_t ns = s->end_ns - s->start_ns;

			if (s->state == SPAN_RUNNING) {
				out->run_ns += ns;
			} else if (s->state == SPAN_READY) {
				out->ready_ns += ns;
				out->max_ready_ns = max_u64(out->max_ready_ns, ns);
			} else if (s->state == SPAN_UNKNOWN) {
				out->unknown_ns += ns;
			} else {
				out->blocked_ns[s->reason] += ns;
			}
		}
		task_cpus(t, seen, out);
	}
	free(seen);
}

const struct analysis analysis_tasks = { .name = "tasks", .run = tasks_run };
