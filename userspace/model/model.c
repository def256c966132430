/* SPDX-License-Identifier: GPL-2.0-only */
#include "model/model.h"

#include <stdlib.h>

#include "util/minmax.h"

static const char *const reason_names[REASON_CNT] = {
	[REASON_NONE] = "none",
	[REASON_LOCK] = "lock",
	[REASON_COND] = "cond",
	[REASON_JOIN] = "join",
	[REASON_CHILD] = "child",
	[REASON_EPOLL] = "epoll",
	[REASON_POLL] = "poll",
	[REASON_SLEEP] = "sleep",
	[REASON_PIPE] = "pipe",
	[REASON_SOCKET] = "socket",
	[REASON_URING] = "uring",
	[REASON_DISK] = "disk",
	[REASON_PAGEFAULT] = "pagefault",
	[REASON_KERNEL] = "kernel",
	[REASON_STOPPED] = "stopped",
	[REASON_SIGNAL] = "signal",
	[REASON_OTHER] = "other",
	[REASON_FILELOCK] = "filelock",
	[REASON_SEMAPHORE] = "semaphore",
	[REASON_QUEUE] = "queue",
	[REASON_EVENTFD] = "eventfd",
};

const char *reason_name(enum reason reason)
{
	return (unsigned int)reason < REASON_CNT ? reason_names[reason] : "other";
}

void model_release(struct model *m)
{
	trace_meta_release(&m->meta);
	free(m->damage);
	for (size_t i = 0; i < m->task_cnt; i++)
		free(m->tasks[i].spans);
	free(m->tasks);
	free(m->turns);
	free(m->cpus);
	free(m->cpu_segs);
	free(m->comms);
	free(m->ops);
	free(m->op_parts);
	for (size_t i = 0; i < m->name_cnt; i++)
		free(m->names[i]);
	free(m->names);
	free(m->loop_waits);
	free(m->migrations);
	free(m->cpusets);
	free(m->allowed);
	free(m->holds);
	free(m->early_wakes);
	free(m->gaps);
	free(m->audit.failures);
	free(m->symbols);
	for (size_t i = 0; i < m->symbol_text_cnt; i++)
		free(m->symbol_texts[i]);
	free(m->symbol_texts);
	*m = (struct model){ 0 };
}

size_t model_span_at(const struct model_task *task, uint64_t at_ns)
{
	size_t low = 0, high = task->span_cnt;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (task->spans[mid].end_ns <= at_ns)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

size_t model_seg_at(const struct model *m, const struct model_cpu *cpu, uint64_t at_ns)
{
	size_t low = 0, high = cpu->seg_cnt;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (m->cpu_segs[cpu->seg_first + mid].end_ns <= at_ns)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

const struct model_task *model_task(const struct model *m, uint32_t id)
{
	size_t low = 0, high = m->task_cnt;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (m->tasks[mid].id < id)
			low = mid + 1;
		else
			high = mid;
	}
	return low < m->task_cnt && m->tasks[low].id == id ? &m->tasks[low] : NULL;
}

size_t model_cpu_row(const struct model *m, uint16_t cpu)
{
	size_t low = 0, high = m->cpu_cnt;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (m->cpus[mid].cpu < cpu)
			low = mid + 1;
		else
			high = mid;
	}
	return low < m->cpu_cnt && m->cpus[low].cpu == cpu ? low : m->cpu_cnt;
}

const struct model_symbol *model_symbol(const struct model *m, uint32_t mm_id, uint64_t addr)
{
	size_t low = 0, high = m->symbol_cnt;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		const struct model_symbol *s = &m->symbols[mid];

		if (s->mm_id != mm_id ? s->mm_id < mm_id : s->addr < addr)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == m->symbol_cnt || m->symbols[low].mm_id != mm_id || m->symbols[low].addr != addr)
		return NULL;
	return &m->symbols[low];
}

bool model_gap_within(const struct model *m, uint16_t cpu, uint64_t start_ns, uint64_t end_ns)
{
	size_t low = 0, high = m->gap_cnt;

	/* The first gap of this CPU that ends after the start. */
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		const struct model_gap *g = &m->gaps[mid];

		if (g->cpu < cpu || (g->cpu == cpu && g->until_ns <= start_ns))
			low = mid + 1;
		else
			high = mid;
	}
	return low < m->gap_cnt && m->gaps[low].cpu == cpu && m->gaps[low].from_ns < end_ns;
}
