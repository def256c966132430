/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "render/bins.h"
#include "util/alloc.h"
#include "util/minmax.h"

struct bins bins_make(uint64_t from_ns, uint64_t len_ns, uint32_t cnt)
{
	return (struct bins){
		.from_ns = from_ns,
		.len_ns = len_ns,
		.width_ns = len_ns / cnt + (len_ns % cnt || !len_ns),
		.cnt = cnt,
	};
}

uint64_t bins_start(const struct bins *b, uint32_t i)
{
	return b->from_ns + min_u64(i * b->width_ns, b->len_ns);
}

uint64_t bins_len(const struct bins *b, uint32_t i)
{
	return bins_start(b, i + 1) - bins_start(b, i);
}

struct load load_new(const struct bins *b)
{
	return (struct load){
		.ns = xcalloc(b->cnt, sizeof(uint64_t)),
		.whole = xcalloc(b->cnt, sizeof(int64_t)),
	};
}

void load_add(const struct bins *b, struct load *load, uint64_t start_ns, uint64_t end_ns)
{
	uint64_t first, last;

	start_ns = max_u64(start_ns, b->from_ns);
	end_ns = min_u64(end_ns, b->from_ns + b->len_ns);
	if (start_ns >= end_ns)
		return;
	start_ns -= b->from_ns;
	end_ns -= b->from_ns;
	first = start_ns / b->width_ns;
	last = (end_ns - 1) / b->width_ns;
	if (first == last) {
		load->ns[first] += end_ns - start_ns;
		return;
	}
	load->ns[first] += (first + 1) * b->width_ns - start_ns;
	load->ns[last] += end_ns - last * b->width_ns;
	load->whole[first + 1]++;
	load->whole[last]--;
}

void load_finish(const struct bins *b, struct load *load)
{
	int64_t spans = 0;

	for (uint32_t i = 0; i < b->cnt; i++) {
		spans += load->whole[i];
		load->ns[i] += (uint64_t)spans * bins_len(b, i);
	}
}

void load_free(struct load *load)
{
	free(load->ns);
	free(load->whole);
	*load = (struct load){ 0 };
}

static uint64_t rel(const struct model *m, uint64_t at_ns)
{
	return at_ns > m->start_ns ? at_ns - m->start_ns : 0;
}

void load_states(const struct bins *b, const struct model *m, struct load *running,
		 struct load *ready)
{
	for (size_t i = 0; i < m->task_cnt; i++) {
		const struct model_task *task = &m->tasks[i];

		for (size_t j = model_span_at(task, m->start_ns + b->from_ns); j < task->span_cnt;
		     j++) {
			const struct model_span *s = &task->spans[j];

			if (rel(m, s->start_ns) >= b->from_ns + b->len_ns)
				break;
			if (s->state == SPAN_RUNNING || s->state == SPAN_READY)
				load_add(b, s->state == SPAN_RUNNING ? running : ready,
					 rel(m, s->start_ns), rel(m, s->end_ns));
		}
	}
}

void load_operations(const struct bins *b, const struct model *m, struct load *open)
{
	for (size_t i = 0; i < m->op_cnt; i++)
		if (!m->ops[i].parent_id)
			load_add(b, open, rel(m, m->ops[i].start_ns), rel(m, m->ops[i].end_ns));
}

uint64_t load_level(const struct bins *b, const struct load *load, uint32_t i, uint64_t scale,
		    uint64_t parts)
{
	unsigned __int128 whole = (unsigned __int128)bins_len(b, i) * scale;

	if (!whole)
		return 0;
	return min_u64((uint64_t)(((unsigned __int128)load->ns[i] * parts + whole / 2) / whole),
		       parts);
}

uint64_t load_peak(const struct bins *b, const struct load *load)
{
	uint64_t peak = 1;

	for (uint32_t i = 0; i < b->cnt; i++) {
		uint64_t len_ns = bins_len(b, i);

		if (len_ns)
			peak = max_u64(peak, (load->ns[i] + len_ns - 1) / len_ns);
	}
	return peak;
}

/* What a column of a lane holds while the lane is walked from left to right. */
struct column {
	uint32_t i;			/* which */
	uint64_t ns[CELL_CNT];
	int64_t owed_ns[CELL_CNT];	/* task lanes: time a state took minus time it was shown */
	uint64_t *who_ns;		/* CELL_RUN by CPU, or by task lane */
	uint16_t who[TRACE_CPUS_MAX];	/* those with who_ns > 0 */
	uint32_t who_cnt;
};

static void column_add(struct column *col, enum cell cell, uint32_t who, uint64_t ns)
{
	col->ns[cell] += ns;
	if (cell != CELL_RUN || who >= TRACE_CPUS_MAX)
		return;
	if (!col->who_ns[who])
		col->who[col->who_cnt++] = (uint16_t)who;
	col->who_ns[who] += ns;
}

/* Who had most of the running time; the first among equals. */
static uint16_t column_who(const struct column *col, uint64_t *most_ns)
{
	uint16_t best = 0;

	*most_ns = 0;
	for (uint32_t i = 0; i < col->who_cnt; i++) {
		if (col->who_ns[col->who[i]] > *most_ns) {
			best = col->who[i];
			*most_ns = col->who_ns[best];
		}
	}
	return best;
}

static void column_next(struct column *col)
{
	for (uint32_t i = 0; i < col->who_cnt; i++)
		col->who_ns[col->who[i]] = 0;
	col->who_cnt = 0;
	memset(col->ns, 0, sizeof(col->ns));
	col->i++;
}

static struct lane_cell task_cell(struct column *col, uint64_t len_ns)
{
	uint64_t seen_ns = 0, most_ns;
	int best = -1;

	for (int cell = 0; cell < CELL_TASK_CNT; cell++)
		seen_ns += col->ns[cell];
	col->ns[CELL_ABSENT] += len_ns - min_u64(seen_ns, len_ns);
	for (int cell = 0; cell < CELL_TASK_CNT; cell++) {
		col->owed_ns[cell] += (int64_t)col->ns[cell];
		if (col->ns[cell] && (best < 0 || col->owed_ns[cell] > col->owed_ns[best]))
			best = cell;
	}
	if (best < 0)
		best = CELL_ABSENT;
	col->owed_ns[best] -= (int64_t)len_ns;
	return (struct lane_cell){ (uint8_t)best, column_who(col, &most_ns) };
}

static struct lane_cell cpu_cell(const struct column *col, uint64_t len_ns)
{
	uint64_t ours_ns = col->ns[CELL_RUN] + col->ns[CELL_NO_LANE];
	uint64_t foreign_ns = col->ns[CELL_FOREIGN], most_ns;
	uint16_t who = column_who(col, &most_ns);

	if (col->ns[CELL_UNKNOWN] > len_ns / 2)
		return (struct lane_cell){ CELL_UNKNOWN, 0 };
	if (!len_ns)
		return (struct lane_cell){ CELL_ABSENT, 0 };
	if (ours_ns + foreign_ns < (len_ns + 7) / 8)
		return (struct lane_cell){ CELL_SLEEP, 0 };
	if (foreign_ns > ours_ns)
		return (struct lane_cell){ CELL_FOREIGN, 0 };
	if (most_ns >= ours_ns - most_ns)
		return (struct lane_cell){ CELL_RUN, who };
	if (col->ns[CELL_NO_LANE] >= ours_ns - col->ns[CELL_NO_LANE])
		return (struct lane_cell){ CELL_NO_LANE, 0 };
	return (struct lane_cell){ CELL_SEVERAL, 0 };
}

static void close_column(const struct bins *b, struct column *col, bool task_lane,
			 struct lane_cell *out)
{
	uint64_t len_ns = bins_len(b, col->i);

	out[col->i] = task_lane ? task_cell(col, len_ns) : cpu_cell(col, len_ns);
	column_next(col);
}

/* A stretch of [@start_ns, @end_ns), not before the one added last. */
static void lane_add(const struct bins *b, struct column *col, bool task_lane, enum cell cell,
		     uint32_t who, uint64_t start_ns, uint64_t end_ns, struct lane_cell *out)
{
	start_ns = max_u64(start_ns, b->from_ns);
	end_ns = min_u64(end_ns, b->from_ns + b->len_ns);
	while (start_ns < end_ns) {
		uint64_t stop_ns;

		while (start_ns >= bins_start(b, col->i + 1))
			close_column(b, col, task_lane, out);
		stop_ns = min_u64(end_ns, bins_start(b, col->i + 1));
		column_add(col, cell, who, stop_ns - start_ns);
		start_ns = stop_ns;
	}
}

struct load load_missing(const struct bins *b, const struct model *m, uint32_t cpu)
{
	struct load missing = load_new(b);

	for (size_t i = 0; i < m->gap_cnt; i++)
		if (cpu == BINS_ANY_CPU || m->gaps[i].cpu == cpu)
			load_add(b, &missing, rel(m, m->gaps[i].from_ns),
				 rel(m, m->gaps[i].until_ns));
	load_finish(b, &missing);
	return missing;
}

bool load_is_missing(const struct bins *b, const struct load *missing, uint32_t i)
{
	return missing->ns[i] && 2 * missing->ns[i] >= bins_len(b, i);
}

void lane_of_task(const struct bins *b, const struct model *m, const struct model_task *task,
		  struct lane_cell *out)
{
	struct column *col = xcalloc(1, sizeof(*col));

	col->who_ns = xcalloc(TRACE_CPUS_MAX, sizeof(*col->who_ns));
	for (size_t i = model_span_at(task, m->start_ns + b->from_ns); i < task->span_cnt; i++) {
		const struct model_span *s = &task->spans[i];

		if (rel(m, s->start_ns) >= b->from_ns + b->len_ns)
			break;
		lane_add(b, col, true, cell_of_state(s->state, s->reason), s->cpu,
			 rel(m, s->start_ns), rel(m, s->end_ns), out);
	}
	while (col->i < b->cnt)
		close_column(b, col, true, out);
	free(col->who_ns);
	free(col);
}

static size_t find_lane(const uint32_t *lane_ids, size_t lane_cnt, uint32_t id)
{
	size_t low = 0, high = lane_cnt;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (lane_ids[mid] < id)
			low = mid + 1;
		else
			high = mid;
	}
	return low < lane_cnt && lane_ids[low] == id ? low : lane_cnt;
}

void lane_of_cpu(const struct bins *b, const struct model *m, const struct model_cpu *cpu,
		 const uint32_t *lane_ids, size_t lane_cnt, struct lane_cell *out)
{
	static const enum cell cells[] = {
		[LAB_CPU_UNKNOWN] = CELL_UNKNOWN,
		[LAB_CPU_OURS] = CELL_RUN,
		[LAB_CPU_FOREIGN] = CELL_FOREIGN,
		[LAB_CPU_IDLE] = CELL_SLEEP,
	};
	struct column *col = xcalloc(1, sizeof(*col));

	col->who_ns = xcalloc(TRACE_CPUS_MAX, sizeof(*col->who_ns));
	for (size_t i = model_seg_at(m, cpu, m->start_ns + b->from_ns); i < cpu->seg_cnt; i++) {
		const struct model_cpu_seg *seg = &m->cpu_segs[cpu->seg_first + i];
		enum cell cell = seg->class < ARRAY_SIZE(cells) ? cells[seg->class] : CELL_UNKNOWN;
		size_t lane = 0;

		if (rel(m, seg->start_ns) >= b->from_ns + b->len_ns)
			break;
		if (cell == CELL_RUN) {
			lane = find_lane(lane_ids, lane_cnt, seg->task_id);
			if (lane == lane_cnt)
				cell = CELL_NO_LANE;
		}
		lane_add(b, col, false, cell, (uint32_t)lane, rel(m, seg->start_ns),
			 rel(m, seg->end_ns), out);
	}
	while (col->i < b->cnt)
		close_column(b, col, false, out);
	free(col->who_ns);
	free(col);
}
