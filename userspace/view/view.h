/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_VIEW_VIEW_H
#define LAB_VIEW_VIEW_H

/*
 * view - where a reader of the full-screen timeline is: what part of the run is in sight, at what
 * instant the cursor stands, which lane is chosen, what is selected. Moves only; nothing here draws
 * or reads keys.
 *
 * Instants are ns since the window's start. Lanes are numbered from the top: first a lane for each
 * of model.cpus, then one for each of model.tasks.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyze/report.h"
#include "model/model.h"

#define VIEW_NEEDLE_MAX 64

enum view_mark {
	VIEW_MARK_NONE = 0,
	VIEW_MARK_BEGUN,	/* from mark_ns to the cursor */
	VIEW_MARK_SET,		/* from mark_ns to mark_end_ns */
};

struct view {
	const struct model *m;		/* borrowed */
	const struct report *r;		/* borrowed */
	const char *hook;		/* as in struct render_opts */
	uint64_t window_ns;		/* T */
	uint32_t cols, rows;		/* of the lanes; at least 1 */

	/* In sight; within the window, and at least one ns a column if there are as many. */
	uint64_t from_ns, len_ns;
	uint64_t cursor_ns;		/* in sight */
	size_t lane;			/* chosen */
	size_t top;			/* the first lane in sight */
	enum view_mark mark;
	uint64_t mark_ns, mark_end_ns;	/* mark_end_ns is void unless VIEW_MARK_SET */
	char needle[VIEW_NEEDLE_MAX];	/* what was searched for last; raw */
};

/* The whole run, the cursor at its start. The window must not be empty. */
void view_init(struct view *v, const struct model *m, const struct report *r);

/* The screen has become another size. */
void view_resize(struct view *v, uint32_t cols, uint32_t rows);

size_t view_lane_cnt(const struct view *v);

/* Return: the task of a lane, or NULL if it is a CPU's; and the other way round. */
const struct model_task *view_task(const struct view *v, size_t lane);
const struct model_cpu *view_cpu(const struct view *v, size_t lane);

/* Zoom in by a half or out to the double; the cursor keeps its column. */
void view_zoom(struct view *v, bool in);

/* Show exactly this much, as far as there is; the cursor moves into it if it must. */
void view_show(struct view *v, uint64_t from_ns, uint64_t len_ns);

/* Move what is in sight by a quarter of it, @by times. */
void view_pan(struct view *v, int by);

/* Move the cursor by columns; what is in sight follows. */
void view_step(struct view *v, int64_t cols);

/* The cursor to an instant, which is brought into sight. */
void view_go(struct view *v, uint64_t at_ns);

/* Choose another lane; it is brought into sight. */
void view_choose(struct view *v, int64_t lanes);
void view_choose_lane(struct view *v, size_t lane);

/*
 * Go to the next or the last instant at which what the chosen lane shows changes. Return: false if
 * there is none.
 */
bool view_change(struct view *v, bool forward);

/* Begin a selection at the cursor; end it there, or end it anew. Return: false if none is begun. */
void view_select_from(struct view *v);
bool view_select_until(struct view *v);

/* Begin a selection, or end the one that was begun. */
void view_select(struct view *v);

/* What is selected, in order. Return: false if nothing is, or no time. */
bool view_selection(const struct view *v, uint64_t *from_ns, uint64_t *until_ns);

/*
 * Choose the next lane whose task's name contains the needle, or whose tid or CPU it is. Return:
 * false if there is none.
 */
bool view_find(struct view *v, bool forward);

/* Bring the verdict's evidence into sight, and choose its lane. Return: false if there is none. */
bool view_witness(struct view *v);

/* How long a column is. */
uint64_t view_col_ns(const struct view *v);

/* The column of an instant in sight. */
uint32_t view_col(const struct view *v, uint64_t at_ns);

#endif /* LAB_VIEW_VIEW_H */
