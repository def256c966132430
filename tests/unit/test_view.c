/* SPDX-License-Identifier: GPL-2.0-only */
#include "view/view.h"

#include <stdio.h>
#include <string.h>

#include "analyze_fixture.h"
#include "unit.h"
#include "util/minmax.h"
#include "view/words.h"

#define MS AFX_MS
#define UNITS 1000

/* Two CPUs, then three tasks: lanes 0 to 4. */
static void open_view(struct afx *f, struct view *v)
{
	afx_init(f, 2, MS, UNITS);
	afx_task(f, 0, "000W00");
	afx_task(f, 1, "11L1");
	afx_task(f, 2, "...1");
	memcpy(f->m.tasks[1].comm, "worker", 7);
	memcpy(f->m.tasks[2].comm, "\033[2J", 5);
	afx_compute(f);
	view_init(v, &f->m, &f->r);
	view_resize(v, 100, 3);
}

static void look_for(struct view *v, const char *needle)
{
	snprintf(v->needle, sizeof(v->needle), "%s", needle);
}

static void check_sane(const struct view *v)
{
	CHECK(v->len_ns >= min_u64(v->cols, v->window_ns) &&
	      v->from_ns + v->len_ns <= v->window_ns);
	CHECK(v->cursor_ns >= v->from_ns && v->cursor_ns < v->from_ns + v->len_ns);
	CHECK(v->lane < view_lane_cnt(v) && v->lane >= v->top && v->lane < v->top + v->rows);
	CHECK(view_col(v, v->cursor_ns) < v->cols);
}

TEST(view_zoom_keeps_the_cursor_where_it_is)
{
	struct afx f;
	struct view v;

	open_view(&f, &v);
	view_go(&v, 700 * MS);
	for (int i = 0; i < 60; i++) {
		uint32_t col = view_col(&v, v.cursor_ns);

		view_zoom(&v, i < 30);
		CHECK_EQ(v.cursor_ns, 700 * MS);
		if (v.len_ns > 100000 && v.len_ns < v.window_ns / 4)
			CHECK(view_col(&v, v.cursor_ns) + 1 >= col &&
			      view_col(&v, v.cursor_ns) <= col + 1);
		check_sane(&v);
		if (i == 29)
			CHECK_EQ(v.len_ns, 100);	/* a nanosecond a column */
	}
	CHECK_EQ(v.len_ns, v.window_ns);
	CHECK_EQ(v.from_ns, 0);
	afx_release(&f);
}

TEST(view_stays_in_the_run)
{
	uint64_t seed = 7;
	struct afx f;
	struct view v;

	open_view(&f, &v);
	for (int i = 0; i < 5000; i++) {
		switch (afx_random(&seed, 9)) {
		case 0: view_zoom(&v, afx_random(&seed, 3)); break;
		case 1: view_pan(&v, afx_random(&seed, 2) ? 1 : -1); break;
		case 2: view_step(&v, (int64_t)afx_random(&seed, 41) - 20); break;
		case 3: view_go(&v, (uint64_t)afx_random(&seed, 1200) * MS); break;
		case 4: view_choose(&v, (int64_t)afx_random(&seed, 21) - 10); break;
		case 5:
			view_resize(&v, 1 + afx_random(&seed, 300), 1 + afx_random(&seed, 9));
			break;
		case 6:
			view_show(&v, afx_random(&seed, 1000) * MS, afx_random(&seed, 1000) * MS);
			break;
		case 7: view_change(&v, afx_random(&seed, 2)); break;
		case 8: view_witness(&v); break;
		}
		check_sane(&v);
	}
	afx_release(&f);
}

/* Forward it stops where a span begins or the last one ends, and back at the same instants. */
TEST(view_changes_of_a_lane)
{
	static const uint64_t changes[] = { 1 * MS, 3 * MS, 4 * MS, 5 * MS };
	struct afx f;
	struct view v;

	open_view(&f, &v);
	view_choose_lane(&v, 3);
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		CHECK(view_change(&v, true));
		CHECK_EQ(v.cursor_ns, changes[i]);
	}
	CHECK(!view_change(&v, true));
	for (size_t i = ARRAY_SIZE(changes) - 1; i > 0; i--) {
		CHECK(view_change(&v, false));
		CHECK_EQ(v.cursor_ns, changes[i - 1]);
	}
	CHECK(!view_change(&v, false));
	view_choose_lane(&v, 1);	/* a CPU: idle, then ours from 1 to 3 ms */
	view_go(&v, 0);
	CHECK(view_change(&v, true));
	CHECK_EQ(v.cursor_ns, 1 * MS);
	afx_release(&f);
}

TEST(view_finds_lanes)
{
	struct afx f;
	struct view v;

	open_view(&f, &v);
	look_for(&v, "ork");
	CHECK(view_find(&v, true));
	CHECK_EQ(v.lane, 3);
	look_for(&v, "103");
	CHECK(view_find(&v, true));
	CHECK_EQ(v.lane, 4);
	look_for(&v, "CPU 1");
	CHECK(view_find(&v, false));
	CHECK_EQ(v.lane, 1);
	look_for(&v, "9");
	CHECK(!view_find(&v, true));
	CHECK_EQ(v.lane, 1);
	v.needle[0] = '\0';
	CHECK(!view_find(&v, true));
	afx_release(&f);
}

TEST(view_selects)
{
	uint64_t from_ns, until_ns;
	struct afx f;
	struct view v;

	open_view(&f, &v);
	CHECK(!view_selection(&v, &from_ns, &until_ns));
	view_go(&v, 3 * MS);
	view_select(&v);
	CHECK(!view_selection(&v, &from_ns, &until_ns));
	view_go(&v, 1 * MS);
	CHECK(view_selection(&v, &from_ns, &until_ns));
	view_select(&v);
	view_go(&v, 9 * MS);
	CHECK(view_selection(&v, &from_ns, &until_ns));
	CHECK_EQ(from_ns, 1 * MS);
	CHECK_EQ(until_ns, 3 * MS);
	view_select_from(&v);
	CHECK(!view_selection(&v, &from_ns, &until_ns));
	view_go(&v, 20 * MS);
	CHECK(view_select_until(&v));
	view_go(&v, 12 * MS);
	CHECK(view_select_until(&v));		/* its other end, anew */
	CHECK(view_selection(&v, &from_ns, &until_ns));
	CHECK_EQ(from_ns, 9 * MS);
	CHECK_EQ(until_ns, 12 * MS);
	v.mark = VIEW_MARK_NONE;
	CHECK(!view_select_until(&v));
	view_go(&v, 3 * MS);
	view_select(&v);
	view_go(&v, 1 * MS);
	view_select(&v);
	view_choose_lane(&v, 3);
	CHECK(strstr(words_selection(&v).s,
		     "selected 2.000 ms from +1.000 ms: on CPUs 2.00 tasks on average, at most 2"));
	CHECK(strstr(words_selection(&v).s,
		     "this task: running 100 %, ready 0.0 %, blocked 0.0 %"));
	afx_release(&f);
}

TEST(view_leads_to_the_evidence)
{
	const struct witness *w;
	struct afx f;
	struct view v;

	open_view(&f, &v);
	w = &f.r.parallelism.witness;
	CHECK_EQ(f.r.verdict.class, CLASS_PARALLEL);
	CHECK(view_witness(&v));
	CHECK_EQ(v.cursor_ns, w->from_ns - f.m.start_ns);
	CHECK(v.from_ns <= v.cursor_ns && v.from_ns + v.len_ns >= w->until_ns - f.m.start_ns);
	CHECK_EQ(view_task(&v, v.lane)->id, w->parts[0].task_id);
	f.r.verdict.class = CLASS_SEQUENTIAL;
	CHECK(!view_witness(&v));
	afx_release(&f);
}

TEST(view_words_are_safe)
{
	struct afx f;
	struct view v;

	open_view(&f, &v);
	view_choose_lane(&v, 4);
	view_go(&v, 4 * MS);
	CHECK(!strchr(words_cursor(&v, true).s, '\033'));
	CHECK(!strncmp(words_cursor(&v, true).s, "?[2J (tid 103) at +4.000 ms: ready, ", 36));
	CHECK(strstr(words_legend(&v, false).s, "! waits for a CPU; "));
	CHECK(!strchr(words_lane(&v, 4, 17, true).s, '\033'));
	CHECK(!strcmp(words_lane(&v, 4, 17, true).s, "?[2J 103"));
	CHECK(!strcmp(words_lane(&v, 3, 8, true).s, "wor~ 102"));
	view_go(&v, 900 * MS);
	CHECK(strstr(words_cursor(&v, false).s, "has ended"));
	afx_release(&f);
}
