/* SPDX-License-Identifier: GPL-2.0-only */
#include "render/html_data.h"

#include <stdlib.h>

#include "analyze/progress.h"
#include "model/syscalls.h"
#include "model/timeline.h"
#include "render/html_table.h"
#include "render/json_writer.h"
#include "render/slices.h"
#include "util/alloc.h"
#include "util/minmax.h"

#define LEVEL_CNT 6000000	/* spans up to which it is worth to look for the smallest file */
#define CALLS_MAX 512		/* more than there are calls with a name */

static int level_of(const struct model *m)
{
	return m->span_cnt > LEVEL_CNT ? 1 : 6;
}

uint64_t html_data_cut_ns(const struct model *m, const struct render_opts *opts)
{
	uint64_t most = opts->html_spans_max ? opts->html_spans_max : HTML_SPANS_MAX;
	const struct model_span *span;
	struct timeline timeline;
	uint64_t cut_ns = UINT64_MAX;
	uint32_t idx;

	if (m->span_cnt <= most)
		return UINT64_MAX;
	timeline_init(&timeline, m);
	for (uint64_t i = 0; i <= most && (span = timeline_step(&timeline, &idx)); i++)
		cut_ns = span->start_ns;
	timeline_release(&timeline);
	return cut_ns;
}

/* How many spans of the task begin before the cut. */
static size_t spans_until(const struct model_task *t, uint64_t cut_ns)
{
	size_t low = 0, high = t->span_cnt;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (t->spans[mid].start_ns < cut_ns)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static bool is_other(const struct model_cpu_seg *seg, uint64_t cut_ns)
{
	return (seg->class == LAB_CPU_FOREIGN || seg->class == LAB_CPU_UNKNOWN) &&
	       seg->start_ns < cut_ns;
}

/* ---- the head ---- */

static void put_cpus(struct json *j, const struct model *m, uint64_t cut_ns)
{
	json_open_list(j, "cpus");
	for (size_t i = 0; i < m->cpu_cnt; i++) {
		const struct model_cpu *c = &m->cpus[i];
		uint64_t cnt = 0;

		for (size_t k = 0; k < c->seg_cnt; k++)
			cnt += is_other(&m->cpu_segs[c->seg_first + k], cut_ns);
		json_open_object(j, NULL);
		json_uint(j, "cpu", c->cpu);
		json_uint(j, "others", cnt);
		json_close_object(j);
	}
	json_close_array(j);
}

static void put_tasks(struct json *j, const struct model *m, uint64_t cut_ns)
{
	json_open_list(j, "tasks");
	for (size_t i = 0; i < m->task_cnt; i++) {
		json_open_object(j, NULL);
		json_uint(j, "id", m->tasks[i].id);
		json_uint(j, "spans", spans_until(&m->tasks[i], cut_ns));
		json_close_object(j);
	}
	json_close_array(j);
}

static void put_lists(struct json *j, const struct model *m)
{
	json_open_list(j, "reasons");
	for (int i = REASON_NONE + 1; i < REASON_CNT; i++)
		json_str(j, NULL, reason_name(i));
	json_close_array(j);
	json_open_list(j, "calls");
	for (int32_t nr = 0; nr < CALLS_MAX; nr++)
		json_str(j, NULL, syscall_name(nr));
	json_close_array(j);
	json_open_list(j, "comms");
	for (size_t i = 0; i < m->comm_cnt; i++)
		json_str(j, NULL, m->comms[i]);
	json_close_array(j);
}

void html_data_head(FILE *out, const struct model *m, const struct report *r,
		    const struct render_opts *opts)
{
	uint64_t cut_ns = html_data_cut_ns(m, opts), left_out = m->span_cnt;
	struct json j = { .out = out };

	for (size_t i = 0; i < m->task_cnt; i++)
		left_out -= spans_until(&m->tasks[i], cut_ns);
	fputs("<script type=\"application/json\" id=\"lab-head\">", out);
	json_open_object(&j, NULL);
	json_uint(&j, "window_ns", slice_rel(m, m->end_ns));
	if (cut_ns == UINT64_MAX)
		json_null(&j, "cut_ns");
	else
		json_uint(&j, "cut_ns", slice_rel(m, cut_ns));
	json_uint(&j, "left_out", left_out);
	json_uint(&j, "spans", m->span_cnt - left_out);
	json_uint(&j, "segments", r->path.segment_cnt);
	json_uint(&j, "parts", m->op_part_cnt);
	put_cpus(&j, m, cut_ns);
	put_tasks(&j, m, cut_ns);
	put_lists(&j, m);
	json_close_object(&j);
	fputs("</script>\n", out);
}

/* ---- the tables ---- */

static unsigned int kind_of(enum span_state state, enum reason reason)
{
	if (state == SPAN_UNKNOWN)
		return HTML_KIND_UNKNOWN;
	return state == SPAN_BLOCKED ? 1 + (unsigned int)reason : (unsigned int)state;
}

static uint64_t mark_of(const struct model_span *s)
{
	static const uint16_t flags[] = {
		[SPAN_RUNNING] = SPAN_HIDDEN_START, [SPAN_READY] = SPAN_PREEMPTED,
		[SPAN_BLOCKED] = SPAN_WOKEN_BY_IRQ, [SPAN_UNKNOWN] = 0,
	};

	return s->flags & flags[s->state] ? HTML_KIND_MARK : 0;
}

/* 0: of no name; else 1 + its place in the head's list. */
static uint64_t call_of(const struct model_span *s)
{
	return span_syscall_name(s) && s->syscall < CALLS_MAX ? 1 + (uint64_t)s->syscall : 0;
}

enum { SPAN_KIND, SPAN_DUR, SPAN_CPU, SPAN_CALL, SPAN_WAKER };

/* What put_span() has to know of the task at hand. */
struct at_hand {
	const uint16_t *cpu_idx;
	uint64_t cut_ns;
	size_t first_run, last_run;	/* places of spans */
	bool ran, helper;
};

static void find_runs(struct at_hand *h, const struct model_task *t)
{
	h->ran = false;
	for (size_t k = 0; k < t->span_cnt; k++) {
		if (t->spans[k].state != SPAN_RUNNING)
			continue;
		if (!h->ran)
			h->first_run = k;
		h->ran = true;
		h->last_run = k;
	}
}

static uint64_t progress_of(const struct at_hand *h, const struct model_task *t, size_t k)
{
	bool between = h->ran && k >= h->first_run && k <= h->last_run;

	return between && progress_counts(t, &t->spans[k], h->helper) ? HTML_KIND_PROGRESS : 0;
}

static int put_span(struct table *t, const struct at_hand *h, const struct model_task *task,
		    size_t k)
{
	const struct model_span *s = &task->spans[k];

	table_put(t, SPAN_KIND, kind_of(s->state, s->reason) | mark_of(s) |
				progress_of(h, task, k));
	table_put(t, SPAN_DUR, min_u64(s->end_ns, h->cut_ns) - s->start_ns);
	if (s->state == SPAN_RUNNING)
		table_put(t, SPAN_CPU, h->cpu_idx[s->cpu]);
	if (s->state == SPAN_BLOCKED) {
		table_put(t, SPAN_CALL, call_of(s));
		table_put(t, SPAN_WAKER, s->waker_id);
	}
	return table_row(t);
}

static void put_spans(FILE *out, const struct model *m, const struct report *r,
		      const struct render_opts *opts, uint64_t cut_ns)
{
	static const char *const columns[] = { "kind", "dur", "cpu", "call", "waker", NULL };
	uint16_t *cpu_idx = xcalloc(UINT16_MAX + 1, sizeof(*cpu_idx));
	struct at_hand h = { .cpu_idx = cpu_idx, .cut_ns = cut_ns };
	uint64_t done = 0, longest_ns = 0;
	struct table t;

	for (size_t i = 0; i < m->task_cnt; i++)
		longest_ns = max_u64(longest_ns, r->tasks[i].run_ns);
	for (size_t i = 0; i < m->cpu_cnt; i++)
		cpu_idx[m->cpus[i].cpu] = (uint16_t)i;
	table_open(&t, out, "spans", columns, level_of(m));
	for (size_t i = 0; i < m->task_cnt; i++) {
		size_t cnt = spans_until(&m->tasks[i], cut_ns);

		find_runs(&h, &m->tasks[i]);
		h.helper = progress_is_helper(r->tasks[i].run_ns, longest_ns);
		for (size_t k = 0; k < cnt; k++) {
			if (put_span(&t, &h, &m->tasks[i], k) && opts->progress)
				opts->progress(done + k, m->span_cnt);
		}
		done += cnt;
	}
	table_close(&t);
	free(cpu_idx);
}

static void put_others(FILE *out, const struct model *m, uint64_t cut_ns)
{
	static const char *const columns[] = { "gap", "dur", "class", "tid", "comm", NULL };
	struct table t;

	table_open(&t, out, "others", columns, level_of(m));
	for (size_t i = 0; i < m->cpu_cnt; i++) {
		const struct model_cpu *c = &m->cpus[i];
		uint64_t at_ns = m->start_ns;

		for (size_t k = 0; k < c->seg_cnt; k++) {
			const struct model_cpu_seg *seg = &m->cpu_segs[c->seg_first + k];
			uint64_t end_ns = min_u64(seg->end_ns, cut_ns);

			if (!is_other(seg, cut_ns))
				continue;
			table_put(&t, 0, seg->start_ns - at_ns);
			table_put(&t, 1, end_ns - seg->start_ns);
			table_put(&t, 2, seg->class);
			table_put(&t, 3, seg->tid);
			table_put(&t, 4, seg->comm_idx < m->comm_cnt ? seg->comm_idx : 0);
			table_row(&t);
			at_ns = end_ns;
		}
	}
	table_close(&t);
}

static void put_path(FILE *out, const struct model *m, const struct report *r)
{
	static const char *const columns[] = { "dur", "task", "kind", NULL };
	struct table t;

	table_open(&t, out, "path", columns, level_of(m));
	for (size_t i = 0; i < r->path.segment_cnt; i++) {
		const struct path_segment *seg = &r->path.segments[i];

		table_put(&t, 0, seg->end_ns - seg->start_ns);
		table_put(&t, 1, seg->task_id);
		table_put(&t, 2, kind_of(seg->state, seg->reason));
		table_row(&t);
	}
	table_close(&t);
}

static void put_parts(FILE *out, const struct model *m)
{
	static const char *const columns[] = { "op", "task", "start", "dur", NULL };
	struct table t;

	table_open(&t, out, "parts", columns, level_of(m));
	for (size_t i = 0; i < m->op_part_cnt; i++) {
		const struct model_op_part *part = &m->op_parts[i];

		table_put(&t, 0, part->op_id);
		table_put(&t, 1, part->task_id);
		table_put(&t, 2, slice_rel(m, part->start_ns));
		table_put(&t, 3, part->end_ns - part->start_ns);
		table_row(&t);
	}
	table_close(&t);
}

void html_data_tables(FILE *out, const struct model *m, const struct report *r,
		      const struct render_opts *opts)
{
	uint64_t cut_ns = html_data_cut_ns(m, opts);

	put_spans(out, m, r, opts, cut_ns);
	put_others(out, m, cut_ns);
	put_path(out, m, r);
	put_parts(out, m);
}
