/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "render/term.h"
#include "util/minmax.h"

#define LANES_FIRST 8	/* without -v */

static const struct witness *witness_of(const struct report *r)
{
	const struct report_concurrency *c = &r->concurrency;

	if (r->parallelism.witness.part_cnt)
		return &r->parallelism.witness;
	return c->witness.part_cnt && !c->witness_is_ops ? &c->witness : NULL;
}

static bool is_in_proof(const struct term *t, size_t task_idx)
{
	const struct witness *w = witness_of(t->r);

	for (size_t i = 0; w && i < min_u64(w->part_cnt, WITNESS_MAX); i++)
		if (w->parts[i].task_id == t->m->tasks[task_idx].id)
			return true;
	return false;
}

/* Each of these ran for 1 % of what all ran, or more; @by_run: longest first. */
static size_t tasks_worth_a_lane(const struct term *t)
{
	uint64_t total_ns = 0;
	size_t cnt = 0;

	for (size_t i = 0; i < t->by_run_cnt; i++)
		total_ns += t->lens.range.tasks[t->by_run[i]].run_ns;
	while (cnt < t->by_run_cnt && cnt < LANES_FIRST &&
	       t->lens.range.tasks[t->by_run[cnt]].run_ns >= total_ns / 100)
		cnt++;
	return cnt;
}

/* Lanes in order of birth: for the tasks that ran longest and, of a few, those of the proof. */
static void choose_lanes(struct term *t)
{
	bool all = t->opts->verbose || t->opts->lens;
	size_t first;

	t->by_run = lens_by_run(&t->lens, t->m, &t->by_run_cnt);
	first = all ? min_u64(t->by_run_cnt, TERM_LANES_MAX) : tasks_worth_a_lane(t);
	for (size_t i = 0; i < t->by_run_cnt && t->lane_cnt < TERM_LANES_MAX; i++)
		if (i < first || (!all && is_in_proof(t, t->by_run[i])))
			t->lanes[t->lane_cnt++] = t->by_run[i];
	lens_sort(t->lanes, t->lane_cnt);
}

static uint32_t clamp_width(uint32_t width)
{
	if (!width)
		return TERM_WIDTH_DEFAULT;
	return (uint32_t)min_u64(max_u64(width, TERM_WIDTH_MIN), TERM_WIDTH_MAX);
}

/* Where a section is shown; render/section.def. */
enum {
	VERDICT = 1, WHOLE = 2, MORE = 4, PART = 8, WORDS = 16,
};

static void print_sections(const struct term *t, unsigned int form)
{
	static const struct {
		void (*print)(const struct term *t);
		unsigned int forms;
	} sections[] = {
#define SECTION(name, forms) { term_##name, forms },
#include "render/section.def"
#undef SECTION
	};

	for (size_t i = 0; i < ARRAY_SIZE(sections); i++)
		if (sections[i].forms & form)
			sections[i].print(t);
}

static struct term term_of(const struct model *m, const struct report *r,
			   const struct render_opts *opts)
{
	return (struct term){
		.m = m,
		.r = r,
		.opts = opts,
		.glyphs = glyphs_for(m, opts->utf8),
		.width = clamp_width(opts->width),
		.window_ns = m->end_ns > m->start_ns ? m->end_ns - m->start_ns : 0,
	};
}

static int term_render(const struct model *m, const struct report *r,
		       const struct render_opts *opts, FILE *out)
{
	struct term t = term_of(m, r, opts);
	struct range whole = { 0 };

	t.out = out;
	if (opts->brief) {
		print_sections(&t, VERDICT);
		return ferror(out) ? -EIO : 0;
	}
	if (!opts->lens)
		range_whole(m, r, &whole);
	t.lens = opts->lens ? *opts->lens : (struct render_lens){ .range = whole };
	choose_lanes(&t);
	print_sections(&t, opts->lens ? PART : opts->verbose ? WHOLE | MORE : WHOLE);
	free(t.by_run);
	range_release(&whole);
	return ferror(out) ? -EIO : 0;
}

void term_say(const struct model *m, const struct report *r, const struct render_opts *opts,
	      term_sink *sink, void *arg)
{
	struct term t = term_of(m, r, opts);

	t.width = TERM_WIDTH_DEFAULT;
	t.sink = sink;
	t.sink_arg = arg;
	print_sections(&t, WORDS);
}

const struct renderer renderer_term = {
	.name = "term",
	.help = "the verdict, a timeline and tables for a terminal",
	.takes_lens = true,
	.render = term_render,
};
