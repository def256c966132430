/* SPDX-License-Identifier: GPL-2.0-only */
#include "view/words.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "analyze/range.h"
#include "model/syscalls.h"
#include "util/format.h"
#include "render/glyphs.h"
#include "render/render.h"
#include "render/term.h"
#include "util/text.h"

static void add(struct words *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void add(struct words *w, const char *fmt, ...)
{
	size_t len = strlen(w->s);
	va_list args;

	va_start(args, fmt);
	vsnprintf(w->s + len, sizeof(w->s) - len, fmt, args);
	va_end(args);
}

static void add_name(struct words *w, const char *name, size_t len, uint32_t cols, bool utf8)
{
	char safe[LAB_COMM_LEN * 4 + 1];

	text_for_terminal(safe, sizeof(safe), name, len, cols, utf8);
	add(w, "%s", safe);
}

static void add_task(struct words *w, const struct model_task *task, bool utf8)
{
	add_name(w, task->comm, sizeof(task->comm), LAB_COMM_LEN, utf8);
	add(w, " (tid %" PRIu32 ")", task->tid);
}

static void take_first(void *arg, const char *label, const char *text)
{
	struct words *w = arg;

	if (!w->s[0])
		add(w, "%s  %s", label, text);
}

struct words words_verdict(const struct view *v, bool utf8)
{
	const struct render_opts opts = { .utf8 = utf8, .hook = v->hook };
	struct words w = { "" };

	term_say(v->m, v->r, &opts, take_first, &w);
	return w;
}

struct words words_lane(const struct view *v, size_t lane, uint32_t cols, bool utf8)
{
	const struct model_task *task = view_task(v, lane);
	struct words w = { "" };
	char tid[16];

	if (!task) {
		add(&w, "CPU %u", view_cpu(v, lane)->cpu);
		return w;
	}
	snprintf(tid, sizeof(tid), " %" PRIu32, task->tid);
	add_name(&w, task->comm, sizeof(task->comm),
		 cols > strlen(tid) ? cols - (uint32_t)strlen(tid) : 0, utf8);
	add(&w, "%s", tid);
	return w;
}

struct words words_legend(const struct view *v, bool utf8)
{
	const struct glyphs *glyphs = glyphs_for(v->m, utf8);
	struct words w = { "" };

	for (int cell = 0; cell < CELL_TASK_CNT; cell++)
		if (cell_meaning(cell))
			add(&w, "%s%s %s", w.s[0] ? "; " : "", glyphs->cell[cell],
			    cell_meaning(cell));
	add(&w, ".");
	return w;
}

/* Exact to the column. */
static struct fmt_text instant(const struct view *v, uint64_t at_ns)
{
	return fmt_instant(at_ns, view_col_ns(v));
}

static void add_stretch(struct words *w, const struct view *v, uint64_t start_ns, uint64_t end_ns)
{
	add(w, ", for %s from +%s", fmt_ns(end_ns - start_ns).s,
	    instant(v, start_ns - v->m->start_ns).s);
}

static void add_ender(struct words *w, const struct view *v, const struct model_span *s, bool utf8)
{
	const struct model_task *waker = s->waker_id ? model_task(v->m, s->waker_id) : NULL;

	if (s->flags & SPAN_WOKEN_BY_IRQ) {
		add(w, "; an interrupt ended it");
	} else if (waker) {
		add(w, "; ended by ");
		add_task(w, waker, utf8);
	} else if (s->waker_tid) {
		add(w, "; ended by tid %" PRIu32 ", of another program", s->waker_tid);
	}
}

static void add_span(struct words *w, const struct view *v, const struct model_span *s, bool utf8)
{
	const char *call = s->state == SPAN_BLOCKED ? span_syscall_name(s) : NULL;

	if (s->state == SPAN_RUNNING)
		add(w, "running on CPU %u", s->cpu);
	else if (s->state == SPAN_READY)
		add(w, "ready, %s", s->flags & SPAN_PREEMPTED ? "preempted" : "waiting for a CPU");
	else if (s->state == SPAN_UNKNOWN)
		add(w, "not known, because records are missing");
	else
		add(w, "blocked: %s%s%s", reason_name(s->reason), call ? " in " : "",
		    call ? call : "");
	add_stretch(w, v, s->start_ns, s->end_ns);
	if (s->state == SPAN_BLOCKED)
		add_ender(w, v, s, utf8);
}

static void add_seg(struct words *w, const struct view *v, const struct model_cpu_seg *seg,
		    bool utf8)
{
	const struct model_task *task = model_task(v->m, seg->task_id);
	const char *comm = seg->comm_idx < v->m->comm_cnt ? v->m->comms[seg->comm_idx] : "";

	switch (seg->class) {
	case LAB_CPU_OURS:
		if (task)
			add_task(w, task, utf8);
		break;
	case LAB_CPU_FOREIGN:
		add_name(w, comm, LAB_COMM_LEN, LAB_COMM_LEN, utf8);
		add(w, " (tid %" PRIu32 ", another program)", seg->tid);
		break;
	case LAB_CPU_IDLE:
		add(w, "idle");
		break;
	default:
		add(w, "not known");
	}
	add_stretch(w, v, seg->start_ns, seg->end_ns);
}

struct words words_cursor(const struct view *v, bool utf8)
{
	const struct model_task *task = view_task(v, v->lane);
	const struct model_cpu *cpu = view_cpu(v, v->lane);
	uint64_t at_ns = v->m->start_ns + v->cursor_ns;
	struct words w = { "" };
	size_t idx;

	if (task)
		add_task(&w, task, utf8);
	else if (cpu)
		add(&w, "CPU %u", cpu->cpu);
	add(&w, " at +%s: ", instant(v, v->cursor_ns).s);
	if (task) {
		idx = model_span_at(task, at_ns);
		if (idx < task->span_cnt && task->spans[idx].start_ns <= at_ns)
			add_span(&w, v, &task->spans[idx], utf8);
		else
			add(&w, "%s", at_ns < task->start_ns ? "not born yet" : "has ended");
	} else if (cpu) {
		idx = model_seg_at(v->m, cpu, at_ns);
		if (idx < cpu->seg_cnt)
			add_seg(&w, v, &v->m->cpu_segs[cpu->seg_first + idx], utf8);
	}
	return w;
}

static void add_lane_share(struct words *w, const struct view *v, const struct range *range)
{
	uint64_t len_ns = range_len(range);

	if (view_task(v, v->lane)) {
		const struct range_task *row = &range->tasks[v->lane - v->m->cpu_cnt];
		uint64_t alive_ns = len_ns - row->absent_ns;

		add(w, "; this task: running %s, ready %s, blocked %s",
		    fmt_share(row->run_ns, len_ns).s, fmt_share(row->ready_ns, len_ns).s,
		    fmt_share(alive_ns - row->run_ns - row->ready_ns - row->unknown_ns, len_ns).s);
		if (row->unknown_ns)
			add(w, ", not known %s", fmt_share(row->unknown_ns, len_ns).s);
		if (row->absent_ns)
			add(w, ", not alive %s", fmt_share(row->absent_ns, len_ns).s);
	} else if (view_cpu(v, v->lane)) {
		const uint64_t *ns = range->cpus[v->lane].class_ns;

		add(w, "; this CPU: work %s, other programs %s, idle %s",
		    fmt_share(ns[LAB_CPU_OURS], len_ns).s, fmt_share(ns[LAB_CPU_FOREIGN], len_ns).s,
		    fmt_share(ns[LAB_CPU_IDLE], len_ns).s);
		if (ns[LAB_CPU_UNKNOWN])
			add(w, ", not known %s", fmt_share(ns[LAB_CPU_UNKNOWN], len_ns).s);
	}
}

struct words words_selection(const struct view *v)
{
	struct words w = { "" };
	uint64_t from_ns, until_ns;
	struct range range;

	if (!view_selection(v, &from_ns, &until_ns)) {
		if (v->mark == VIEW_MARK_BEGUN)
			add(&w, "selection from +%s: move, then space", instant(v, v->mark_ns).s);
		return w;
	}
	range_compute(v->m, from_ns, until_ns, &range);
	add(&w, "selected %s from +%s: on CPUs %s%s tasks on average, at most %" PRIu32
	    "; two or more %s",
	    fmt_ns(until_ns - from_ns).s, instant(v, from_ns).s,
	    range.unknown_ns ? "at least " : "",
	    fmt_ratio(range.run_ns, range_len(&range), 2).s, range.running_max,
	    fmt_share(range.parallel_ns, range_len(&range)).s);
	if (range.unknown_ns)
		add(&w, "; records are missing for %s of it: not known there",
		    fmt_share(range.unknown_ns, range_len(&range)).s);
	add_lane_share(&w, v, &range);
	range_release(&range);
	return w;
}
