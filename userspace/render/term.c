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

/* What all readers see who asked for no part of it. */
static void term_all(const struct term *t)
{
	term_stuck(t);
	term_audit(t);
	term_loss(t);
	term_scope(t);
	term_cpus(t);
	term_stack(t);
	term_shape(t);
	term_waits(t);
	term_moves(t);
	term_serializer(t);
	term_findings(t);
	term_path(t);
	term_caution(t);
	term_timeline(t);
	term_task_table(t);
	term_lock_table(t);
	term_ops(t);
	fputc('\n', t->out);
	term_loops(t);
	term_run(t);
	term_files(t);
}

static void term_part(const struct term *t)
{
	term_audit(t);
	term_loss(t);
	term_range(t);
	term_timeline(t);
	term_range_table(t);
}

static int term_render(const struct model *m, const struct report *r,
		       const struct render_opts *opts, FILE *out)
{
	struct term t = {
		.out = out,
		.m = m,
		.r = r,
		.opts = opts,
		.glyphs = glyphs_for(m, opts->utf8),
		.width = clamp_width(opts->width),
		.window_ns = m->end_ns > m->start_ns ? m->end_ns - m->start_ns : 0,
	};
	struct range whole = { 0 };

	term_stuck_headline(&t);
	term_verdict(&t);
	term_exit(&t);
	term_claim(&t);
	term_attempts(&t);
	term_certificate(&t);
	if (opts->brief)
		return ferror(out) ? -EIO : 0;

	if (!opts->lens)
		range_whole(m, r, &whole);
	t.lens = opts->lens ? *opts->lens : (struct render_lens){ .range = whole };
	choose_lanes(&t);
	if (opts->lens)
		term_part(&t);
	else
		term_all(&t);
	free(t.by_run);
	range_release(&whole);
	return ferror(out) ? -EIO : 0;
}

void term_say(const struct model *m, const struct report *r, const struct render_opts *opts,
	      term_sink *sink, void *arg)
{
	struct term t = {
		.m = m,
		.r = r,
		.opts = opts,
		.glyphs = glyphs_for(m, opts->utf8),
		.width = TERM_WIDTH_DEFAULT,
		.window_ns = m->end_ns > m->start_ns ? m->end_ns - m->start_ns : 0,
		.sink = sink,
		.sink_arg = arg,
	};

	term_stuck_headline(&t);
	term_verdict(&t);
	term_exit(&t);
	term_claim(&t);
	term_attempts(&t);
	term_caution(&t);
	term_stuck(&t);
	term_certificate(&t);
	term_audit(&t);
	term_loss(&t);
	term_scope(&t);
	term_cpus(&t);
	term_shape(&t);
	term_waits(&t);
	term_moves(&t);
	term_serializer(&t);
	term_findings(&t);
	term_path(&t);
	term_loops(&t);
	term_run(&t);
}

const struct renderer renderer_term = {
	.name = "term",
	.help = "the verdict, a timeline and tables for a terminal",
	.takes_lens = true,
	.render = term_render,
};
