/* SPDX-License-Identifier: GPL-2.0-only */
#include "view/view.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "util/minmax.h"

void view_init(struct view *v, const struct model *m, const struct report *r)
{
	*v = (struct view){
		.m = m, .r = r, .window_ns = m->end_ns - m->start_ns, .cols = 1, .rows = 1,
	};
	v->len_ns = v->window_ns;
	v->lane = m->cpu_cnt < view_lane_cnt(v) ? m->cpu_cnt : 0;
}

size_t view_lane_cnt(const struct view *v)
{
	return v->m->cpu_cnt + v->m->task_cnt;
}

const struct model_task *view_task(const struct view *v, size_t lane)
{
	return lane >= v->m->cpu_cnt && lane < view_lane_cnt(v) ?
		&v->m->tasks[lane - v->m->cpu_cnt] : NULL;
}

const struct model_cpu *view_cpu(const struct view *v, size_t lane)
{
	return lane < v->m->cpu_cnt ? &v->m->cpus[lane] : NULL;
}

static uint64_t len_min_ns(const struct view *v)
{
	return min_u64(v->cols, v->window_ns);
}

/* bins.h cuts what is in sight in the same way. */
uint64_t view_col_ns(const struct view *v)
{
	return (v->len_ns + v->cols - 1) / v->cols;
}

uint32_t view_col(const struct view *v, uint64_t at_ns)
{
	uint64_t since_ns = at_ns > v->from_ns ? at_ns - v->from_ns : 0;

	return (uint32_t)min_u64(since_ns / view_col_ns(v), v->cols - 1);
}

void view_show(struct view *v, uint64_t from_ns, uint64_t len_ns)
{
	v->len_ns = min_u64(max_u64(len_ns, len_min_ns(v)), v->window_ns);
	v->from_ns = min_u64(from_ns, v->window_ns - v->len_ns);
	v->cursor_ns = max_u64(v->cursor_ns, v->from_ns);
	v->cursor_ns = min_u64(v->cursor_ns, v->from_ns + v->len_ns - 1);
}

/* Bring the chosen lane into sight. */
static void scroll(struct view *v)
{
	size_t cnt = view_lane_cnt(v);

	if (v->lane < v->top)
		v->top = v->lane;
	if (v->lane >= v->top + v->rows)
		v->top = v->lane - v->rows + 1;
	if (v->top + v->rows > cnt)
		v->top = cnt > v->rows ? cnt - v->rows : 0;
}

void view_resize(struct view *v, uint32_t cols, uint32_t rows)
{
	v->cols = cols ? cols : 1;
	v->rows = rows ? rows : 1;
	view_show(v, v->from_ns, v->len_ns);
	scroll(v);
}

void view_zoom(struct view *v, bool in)
{
	uint64_t before_ns = v->cursor_ns - v->from_ns;
	uint64_t len_ns = in ? v->len_ns / 2 : min_u64(v->len_ns, v->window_ns / 2) * 2 + 1;

	len_ns = min_u64(max_u64(len_ns, len_min_ns(v)), v->window_ns);
	before_ns = (uint64_t)((unsigned __int128)before_ns * len_ns / v->len_ns);
	view_show(v, v->cursor_ns > before_ns ? v->cursor_ns - before_ns : 0, len_ns);
}

void view_pan(struct view *v, int by)
{
	uint64_t step_ns = max_u64(v->len_ns / 4, 1) * (uint64_t)(by < 0 ? -by : by);
	uint64_t cursor_off_ns = v->cursor_ns - v->from_ns;
	uint64_t from_ns = v->from_ns;

	if (by < 0)
		from_ns -= min_u64(step_ns, from_ns);
	else
		from_ns = min_u64(from_ns + step_ns, v->window_ns - v->len_ns);
	v->cursor_ns = from_ns + cursor_off_ns;
	view_show(v, from_ns, v->len_ns);
}

void view_go(struct view *v, uint64_t at_ns)
{
	v->cursor_ns = min_u64(at_ns, v->window_ns - 1);
	if (v->cursor_ns < v->from_ns || v->cursor_ns >= v->from_ns + v->len_ns)
		view_show(v, v->cursor_ns - min_u64(v->cursor_ns, v->len_ns / 2), v->len_ns);
}

void view_step(struct view *v, int64_t cols)
{
	uint64_t ns = view_col_ns(v) * (uint64_t)(cols < 0 ? -cols : cols);

	if (cols < 0)
		view_go(v, v->cursor_ns - min_u64(v->cursor_ns, ns));
	else
		view_go(v, v->cursor_ns + ns);
}

void view_choose_lane(struct view *v, size_t lane)
{
	size_t cnt = view_lane_cnt(v);

	v->lane = cnt ? min_u64(lane, cnt - 1) : 0;
	scroll(v);
}

void view_choose(struct view *v, int64_t lanes)
{
	uint64_t by = (uint64_t)(lanes < 0 ? -lanes : lanes);

	view_choose_lane(v, lanes < 0 ? v->lane - min_u64(v->lane, by) : v->lane + by);
}

/* The instants at which the span or segment number @idx of the chosen lane begins and ends. */
static bool stretch(const struct view *v, size_t idx, uint64_t *start_ns, uint64_t *end_ns)
{
	const struct model_task *task = view_task(v, v->lane);
	const struct model_cpu *cpu = view_cpu(v, v->lane);

	if (task && idx < task->span_cnt) {
		*start_ns = task->spans[idx].start_ns - v->m->start_ns;
		*end_ns = task->spans[idx].end_ns - v->m->start_ns;
		return true;
	}
	if (cpu && idx < cpu->seg_cnt) {
		*start_ns = v->m->cpu_segs[cpu->seg_first + idx].start_ns - v->m->start_ns;
		*end_ns = v->m->cpu_segs[cpu->seg_first + idx].end_ns - v->m->start_ns;
		return true;
	}
	return false;
}

/*
 * Before a task's birth the next change is its first span; after its death the last change is the
 * end of its last span.
 */
bool view_change(struct view *v, bool forward)
{
	const struct model_task *task = view_task(v, v->lane);
	const struct model_cpu *cpu = view_cpu(v, v->lane);
	uint64_t at_ns = v->m->start_ns + v->cursor_ns, start_ns, end_ns;
	size_t idx = task ? model_span_at(task, at_ns) : cpu ? model_seg_at(v->m, cpu, at_ns) : 0;
	bool there = stretch(v, idx, &start_ns, &end_ns);

	if (forward) {
		if (!there || (start_ns <= v->cursor_ns && end_ns >= v->window_ns))
			return false;
		view_go(v, start_ns > v->cursor_ns ? start_ns : end_ns);
		return true;
	}
	if (there && start_ns < v->cursor_ns) {
		view_go(v, start_ns);
		return true;
	}
	if (!idx || !stretch(v, idx - 1, &start_ns, &end_ns))
		return false;
	view_go(v, end_ns < v->cursor_ns ? end_ns : start_ns);
	return true;
}

void view_select_from(struct view *v)
{
	v->mark = VIEW_MARK_BEGUN;
	v->mark_ns = v->cursor_ns;
}

bool view_select_until(struct view *v)
{
	if (v->mark == VIEW_MARK_NONE)
		return false;
	v->mark_end_ns = v->cursor_ns;
	v->mark = VIEW_MARK_SET;
	return true;
}

void view_select(struct view *v)
{
	if (v->mark != VIEW_MARK_BEGUN || !view_select_until(v))
		view_select_from(v);
}

bool view_selection(const struct view *v, uint64_t *from_ns, uint64_t *until_ns)
{
	uint64_t end_ns = v->mark == VIEW_MARK_SET ? v->mark_end_ns : v->cursor_ns;

	*from_ns = min_u64(v->mark_ns, end_ns);
	*until_ns = max_u64(v->mark_ns, end_ns);
	return v->mark != VIEW_MARK_NONE && *from_ns < *until_ns;
}

static bool lane_matches(const struct view *v, size_t lane)
{
	const struct model_task *task = view_task(v, lane);
	char number[16];

	snprintf(number, sizeof(number), "%" PRIu32, task ? task->tid : view_cpu(v, lane)->cpu);
	if (!strcmp(number, v->needle))
		return true;
	return task ? strstr(task->comm, v->needle) != NULL : !strncmp(v->needle, "CPU ", 4) &&
	       !strcmp(number, v->needle + 4);
}

bool view_find(struct view *v, bool forward)
{
	size_t cnt = view_lane_cnt(v);

	for (size_t i = 1; i <= cnt && v->needle[0]; i++) {
		size_t lane = (v->lane + (forward ? i : cnt - i)) % cnt;

		if (lane_matches(v, lane)) {
			view_choose_lane(v, lane);
			return true;
		}
	}
	return false;
}

bool view_witness(struct view *v)
{
	bool parallel = v->r->verdict.class == CLASS_PARALLEL;
	const struct witness *w = parallel ? &v->r->parallelism.witness :
					     &v->r->concurrency.witness;
	uint64_t from_ns = w->from_ns - v->m->start_ns;
	uint64_t len_ns = parallel ? w->until_ns - w->from_ns : v->len_ns;

	if (!w->part_cnt || v->r->verdict.class == CLASS_INCONCLUSIVE ||
	    v->r->verdict.class == CLASS_SEQUENTIAL)
		return false;
	for (size_t i = 0; i < v->m->task_cnt; i++)
		if (v->m->tasks[i].id == w->parts[0].task_id)
			view_choose_lane(v, v->m->cpu_cnt + i);
	view_go(v, from_ns);
	if (parallel)
		view_show(v, from_ns - min_u64(from_ns, len_ns), len_ns * 3);
	return true;
}
