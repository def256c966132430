/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdlib.h>
#include <string.h>

#include "render/bins.h"
#include "unit.h"
#include "util/alloc.h"
#include "util/minmax.h"

#define SPANS 400
#define WINDOW 10007

/* A generator of its own: the same on every machine. */
static uint32_t next_random(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

TEST(render_bins_cover_the_window)
{
	static const uint64_t windows[] = { 0, 1, 3, 48, 49, 10007, 3600000000000, UINT64_MAX / 2 };

	for (size_t w = 0; w < ARRAY_SIZE(windows); w++) {
		struct bins b = bins_make(0, windows[w], 48);
		uint64_t sum = 0;

		CHECK(b.width_ns > 0);
		for (uint32_t i = 0; i < b.cnt; i++)
			sum += bins_len(&b, i);
		CHECK_EQ(sum, windows[w]);
		CHECK_EQ(bins_start(&b, b.cnt), windows[w]);
	}
}

static void check_load(uint64_t from, uint64_t len)
{
	struct bins b = bins_make(from, len, 68);
	uint64_t expected[68] = { 0 };
	struct load load = load_new(&b);
	uint32_t seed = 1;

	for (int n = 0; n < SPANS; n++) {
		uint64_t start = next_random(&seed) % WINDOW;
		uint64_t end = start + next_random(&seed) % (n % 2 ? 5 : WINDOW);

		load_add(&b, &load, start, end);
		for (uint64_t at = max_u64(start, from); at < min_u64(end, from + len); at++)
			expected[(at - from) / b.width_ns]++;
	}
	load_finish(&b, &load);
	for (uint32_t i = 0; i < b.cnt; i++)
		CHECK_EQ(load.ns[i], expected[i]);
	load_free(&load);
}

TEST(render_load_equals_brute_force)
{
	check_load(0, WINDOW);
	check_load(0, WINDOW / 2);
	check_load(WINDOW / 3, WINDOW / 5);
	check_load(WINDOW - 7, 7);
}

static struct model_span *span(struct model_task *t, enum span_state state, int reason, uint64_t ns)
{
	struct model_span *s = vec_push(t->spans, t->span_cnt, t->span_cap);

	s->start_ns = t->span_cnt > 1 ? s[-1].end_ns : 0;
	s->end_ns = s->start_ns + ns;
	s->state = (uint8_t)state;
	s->reason = (uint8_t)reason;
	return s;
}

/* 16 % in epoll, never most of any column: it still gets 16 % of the cells, within one. */
TEST(render_lane_is_true_to_time)
{
	struct bins b = bins_make(0, 100 * 1000, 100);
	struct lane_cell cells[100];
	struct model_task task = { .id = 1 };
	uint32_t seen[CELL_CNT] = { 0 };
	struct model m = { 0 };

	for (int i = 0; i < 100; i++) {
		span(&task, SPAN_RUNNING, 0, 600);
		span(&task, SPAN_BLOCKED, REASON_EPOLL, 160);
		span(&task, SPAN_READY, 0, 240);
	}
	m.end_ns = 100 * 1000;
	lane_of_task(&b, &m, &task, cells);
	for (size_t i = 0; i < ARRAY_SIZE(cells); i++)
		seen[cells[i].cell]++;
	CHECK(seen[CELL_RUN] >= 59 && seen[CELL_RUN] <= 61);
	CHECK(seen[CELL_EPOLL] >= 15 && seen[CELL_EPOLL] <= 17);
	CHECK(seen[CELL_READY] >= 23 && seen[CELL_READY] <= 25);
	free(task.spans);
}

TEST(render_lane_shows_only_what_is_there)
{
	struct bins b = bins_make(0, 1000, 10);
	struct model_task task = { .id = 1 };
	struct lane_cell cells[10];
	struct model m = { .end_ns = 1000 };

	span(&task, SPAN_READY, 0, 300)->start_ns = 150;
	span(&task, SPAN_RUNNING, 0, 400)->cpu = 7;
	lane_of_task(&b, &m, &task, cells);
	CHECK_EQ(cells[0].cell, CELL_ABSENT);
	CHECK_EQ(cells[2].cell, CELL_READY);
	CHECK_EQ(cells[4].cell, CELL_RUN);
	CHECK_EQ(cells[4].who, 7);
	CHECK_EQ(cells[7].cell, CELL_ABSENT);
	CHECK_EQ(cells[9].cell, CELL_ABSENT);
	free(task.spans);
}

static void seg(struct model *m, enum lab_cpu_class class, uint32_t task_id, uint64_t ns)
{
	struct model_cpu_seg *s = vec_push(m->cpu_segs, m->cpu_seg_cnt, m->cpu_seg_cap);

	s->start_ns = m->cpu_seg_cnt > 1 ? s[-1].end_ns : 0;
	s->end_ns = s->start_ns + ns;
	s->class = (uint8_t)class;
	s->task_id = task_id;
}

TEST(render_cpu_lane_names_who_had_it)
{
	static const uint32_t lanes[] = { 4, 9 };
	struct bins b = bins_make(0, 700, 7);
	struct lane_cell cells[7];
	struct model_cpu cpu = { 0 };
	struct model m = { .end_ns = 700 };

	seg(&m, LAB_CPU_OURS, 9, 60);		/* 0: task 9, with 4 after it */
	seg(&m, LAB_CPU_OURS, 4, 40);
	seg(&m, LAB_CPU_OURS, 4, 40);		/* 1: three tasks, none with half */
	seg(&m, LAB_CPU_OURS, 9, 35);
	seg(&m, LAB_CPU_OURS, 5, 25);
	seg(&m, LAB_CPU_OURS, 5, 100);		/* 2: a task without a lane */
	seg(&m, LAB_CPU_FOREIGN, 0, 60);	/* 3: other programs */
	seg(&m, LAB_CPU_OURS, 4, 40);
	seg(&m, LAB_CPU_OURS, 4, 12);		/* 4: below an eighth */
	seg(&m, LAB_CPU_IDLE, 0, 88);
	seg(&m, LAB_CPU_UNKNOWN, 0, 100);	/* 5 */
	seg(&m, LAB_CPU_OURS, 4, 13);		/* 6: an eighth */
	seg(&m, LAB_CPU_IDLE, 0, 87);
	cpu.seg_cnt = m.cpu_seg_cnt;
	lane_of_cpu(&b, &m, &cpu, lanes, 2, cells);
	CHECK_EQ(cells[0].cell, CELL_RUN);
	CHECK_EQ(cells[0].who, 1);
	CHECK_EQ(cells[1].cell, CELL_SEVERAL);
	CHECK_EQ(cells[2].cell, CELL_NO_LANE);
	CHECK_EQ(cells[3].cell, CELL_FOREIGN);
	CHECK_EQ(cells[4].cell, CELL_SLEEP);
	CHECK_EQ(cells[5].cell, CELL_UNKNOWN);
	CHECK_EQ(cells[6].cell, CELL_RUN);
	CHECK_EQ(cells[6].who, 0);

	b = bins_make(250, 150, 3);	/* half of 2, and 3 */
	lane_of_cpu(&b, &m, &cpu, lanes, 2, cells);
	CHECK_EQ(cells[0].cell, CELL_NO_LANE);
	CHECK_EQ(cells[1].cell, CELL_FOREIGN);
	CHECK_EQ(cells[2].cell, CELL_RUN);
	free(m.cpu_segs);
}
