/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "render/term.h"
#include "util/minmax.h"

/* The tasks that ran longest get a lane each, in order of birth. */
static void choose_lanes(struct term *t)
{
	t->by_run = lens_by_run(&t->lens, t->m, &t->by_run_cnt);
	t->lane_cnt = min_u64(t->by_run_cnt, TERM_LANES_MAX);
	memcpy(t->lanes, t->by_run, t->lane_cnt * sizeof(t->lanes[0]));
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
	VERDICT = 1, WHOLE = 2, PART = 4, WORDS = 8,
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
	print_sections(&t, opts->lens ? PART : WHOLE);
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
