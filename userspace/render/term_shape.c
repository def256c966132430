/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * term_shape - for how long how many tasks ran at once, and the tasks as bottles: as tall as the
 * share of the time that is put down to one, as wide as what runs beside it. A tall and narrow one
 * holds the rest up.
 */
#include "render/term.h"
#include "util/minmax.h"

#define LEVELS_NAMED 6
#define BOTTLES_NAMED 3

static void say_profile(const struct term *t, struct phrase *p)
{
	const struct report_parallelism *par = &t->r->parallelism;
	uint32_t named = 0, left_out = 0;

	for (uint32_t k = 0; k < par->profile_cnt; k++) {
		if (!par->profile_ns[k])
			continue;
		if (named == LEVELS_NAMED) {
			left_out++;
			continue;
		}
		phrase_add(p, "%s%u ", named++ ? ", " : "", k);
		phrase_add(p, "for %s", fmt_share(par->profile_ns[k], t->window_ns).s);
	}
	if (left_out)
		phrase_add(p, " and %u other numbers", left_out);
	phrase_add(p, " of the time");
}

/* The tallest bottle that is shorter than @than, ties by index; SIZE_MAX: none is left. */
static size_t next_bottle(const struct term *t, size_t than)
{
	const struct report_task *rows = t->r->tasks;
	size_t best = SIZE_MAX;

	for (size_t i = 0; i < t->m->task_cnt; i++) {
		bool after = than == SIZE_MAX || rows[i].bottle_ns < rows[than].bottle_ns ||
			     (rows[i].bottle_ns == rows[than].bottle_ns && i > than);

		if (after && rows[i].bottle_ns &&
		    (best == SIZE_MAX || rows[i].bottle_ns > rows[best].bottle_ns))
			best = i;
	}
	return best;
}

static void say_bottles(const struct term *t)
{
	size_t at = next_bottle(t, SIZE_MAX);
	struct phrase p = { 0 };

	if (at == SIZE_MAX || next_bottle(t, at) == SIZE_MAX)
		return;
	phrase_add(&p, "bottles: ");
	for (int i = 0; i < BOTTLES_NAMED && at != SIZE_MAX; i++) {
		const struct report_task *row = &t->r->tasks[at];

		phrase_add(&p, "%s%s ", i ? "; " : "", term_task(t, t->m->tasks[at].id).s);
		phrase_add(&p, "%s tall and ", fmt_share(row->bottle_ns, t->window_ns).s);
		phrase_add(&p, "%s wide", fmt_ratio(row->run_ns, row->bottle_ns, 2).s);
		at = next_bottle(t, at);
	}
	term_para(t, "", &p);
}

void term_shape(const struct term *t)
{
	struct phrase p = { 0 };

	/* Where records are missing nobody knows how many ran. */
	if (!t->r->parallelism.busy_ns || !t->r->capacity.known || !t->r->lossless)
		return;
	phrase_add(&p, "tasks running at once: ");
	say_profile(t, &p);
	term_para(t, "shape", &p);
	say_bottles(t);
}
