/* SPDX-License-Identifier: GPL-2.0-only */
#include "render/svg.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "render/bins.h"
#include "util/format.h"
#include "render/names.h"
#include "render/slices.h"
#include "util/alloc.h"
#include "util/minmax.h"
#include "util/text.h"

#define WIDTH_DEFAULT 1000
#define WIDTH_MIN 320		/* a terminal may be of few columns */
#define LABEL_WIDTH 150
#define SHARE_WIDTH 70
#define STRIP_HEIGHT 40
#define LANE_HEIGHT 14
#define LANE_STEP 18
#define AXIS_HEIGHT 20
#define LEGEND_HEIGHT 24

struct picture {
	FILE *out;
	const struct model *m;
	const struct svg_view *view;
	struct bins bins;
	struct load load[CELL_CNT];	/* of the lane at hand */
	uint32_t plot;			/* width of the lanes */
	uint32_t y;			/* how far the picture has come */
	size_t *lanes;			/* indices of the tasks that have one, ascending */
	size_t lane_cnt;
	size_t task_cnt;		/* those that the lens shows */
	bool shown[CELL_CNT];		/* of which the legend is to speak */
};

static const struct paint {
	const char *class, *color, *pattern, *meaning; /* pattern: a path over a tile of 6 by 6 */
} paints[CELL_CNT] = {
	[CELL_RUN] = { "run", "#009e73", "", "running" },
	[CELL_READY] = { "ready", "#d55e00", "M-1 1l2-2M0 6l6-6M5 7l2-2", "ready: wants a CPU" },
	[CELL_LOCK] = { "lock", "#cc79a7", "M1 1l4 4M5 1l-4 4", "blocked: lock" },
	[CELL_COND] = { "cond", "#cc79a7", "M3 1l2 2l-2 2l-2-2z", "blocked: condition" },
	[CELL_EPOLL] = { "event", "#0072b2", "M0 3h6", "blocked: epoll, poll" },
	[CELL_IO] = { "io", "#e69f00", "M2 2h2v2h-2z", "blocked: input, output" },
	[CELL_SLEEP] = { "sleep", "#b8bcc2", "", "blocked: sleep" },
	[CELL_CHILD] = { "child", "#8a8f98", "M3 0v6", "blocked: child or thread" },
	[CELL_OTHER] = { "other", "#6b7280", "M0 0l6 6", "blocked: other" },
	[CELL_FOREIGN] = { "foreign", "#57606a", "M0 0l6 6M6 0l-6 6", "other programs" },
	[CELL_UNKNOWN] = { "unknown", "#f0e442", "M0 3h3M3 0v3", "not known" },
};

/* The order in which they are stacked, from the foot up. */
static const enum cell order[] = {
	CELL_RUN, CELL_READY, CELL_LOCK, CELL_COND, CELL_EPOLL, CELL_IO, CELL_CHILD, CELL_OTHER,
	CELL_SLEEP, CELL_FOREIGN, CELL_UNKNOWN,
};

static void put_text(const struct picture *p, uint32_t x, uint32_t y, const char *anchor,
		     const char *text)
{
	fprintf(p->out, "<text x=\"%u\" y=\"%u\"%s%s%s>", x, y, *anchor ? " text-anchor=\"" : "",
		anchor, *anchor ? "\"" : "");
	text_html(p->out, text, strlen(text));
	fputs("</text>\n", p->out);
}

static void put_style(const struct picture *p)
{
	fputs("<defs>\n", p->out);
	for (int i = 0; i < CELL_CNT; i++) {
		const struct paint *paint = &paints[i];

		if (!paint->class)
			continue;
		fprintf(p->out, "<pattern id=\"lab-%s\" width=\"6\" height=\"6\" "
			"patternUnits=\"userSpaceOnUse\">"
			"<rect width=\"6\" height=\"6\" fill=\"%s\"/>",
			paint->class, paint->color);
		if (*paint->pattern)
			fprintf(p->out, "<path d=\"%s\" stroke=\"#fff\" stroke-opacity=\".6\" "
				"fill=\"none\"/>", paint->pattern);
		fputs("</pattern>\n", p->out);
	}
	fputs("</defs>\n", p->out);
}

/* ---- one lane ---- */

static void lane_begin(struct picture *p)
{
	for (int i = 0; i < CELL_CNT; i++)
		p->load[i] = load_new(&p->bins);
}

/* A stretch of the lane. */
static void lane_add(struct picture *p, enum cell cell, uint64_t start_ns, uint64_t end_ns)
{
	load_add(&p->bins, &p->load[cell], slice_rel(p->m, start_ns), slice_rel(p->m, end_ns));
}

/* Where column @i begins, in thousandths of a unit. */
static uint64_t column_x(const struct picture *p, uint32_t i)
{
	uint64_t since_ns = bins_start(&p->bins, i) - p->bins.from_ns;

	return p->bins.len_ns ?
	       (uint64_t)((__uint128_t)since_ns * p->plot * 1000 / p->bins.len_ns) : 0;
}

static void put_milli(FILE *out, const char *before, int64_t milli)
{
	fprintf(out, "%s%s%" PRIu64, before, milli < 0 ? "-" : "", (uint64_t)llabs(milli) / 1000);
	if (llabs(milli) % 1000)
		fprintf(out, ".%03" PRIu64, (uint64_t)llabs(milli) % 1000);
}

static void put_rect(FILE *out, uint64_t x, uint64_t end, uint64_t top, uint64_t foot)
{
	put_milli(out, "M", (int64_t)x);
	put_milli(out, " ", (int64_t)top);
	put_milli(out, "H", (int64_t)end);
	put_milli(out, "V", (int64_t)foot);
	put_milli(out, "H", (int64_t)x);
	fputs("z", out);
}

/* The height below @k of the order in this column: in thousandths of a unit, to a tenth of one. */
static uint64_t stacked(const struct picture *p, size_t k, uint32_t i)
{
	uint64_t sum_ns = 0, len_ns = bins_len(&p->bins, i);

	for (size_t n = 0; n < k; n++)
		sum_ns += p->load[order[n]].ns[i];
	return len_ns ? (uint64_t)((__uint128_t)min_u64(sum_ns, len_ns) * LANE_HEIGHT * 10 /
				   len_ns) * 100 : 0;
}

/* All columns of one state; neighbours of one height are one rectangle. */
static void put_state(struct picture *p, size_t k)
{
	uint64_t base = (uint64_t)(p->y + LANE_HEIGHT) * 1000;
	bool any = false;

	for (uint32_t i = 0, first = 0; i < p->bins.cnt; i = first) {
		uint64_t foot = stacked(p, k, i), top = stacked(p, k + 1, i);

		for (first = i + 1; first < p->bins.cnt; first++)
			if (stacked(p, k, first) != foot || stacked(p, k + 1, first) != top)
				break;
		if (top == foot)
			continue;
		if (!any)
			fprintf(p->out, "<path fill=\"url(#lab-%s)\" "
				"transform=\"translate(%d)\" d=\"",
				paints[order[k]].class, LABEL_WIDTH);
		any = true;
		put_rect(p->out, column_x(p, i), column_x(p, first), base - top, base - foot);
	}
	if (any)
		fputs("\"/>\n", p->out);
	p->shown[order[k]] |= any;
}

static void lane_end(struct picture *p, const char *label, uint64_t part_ns)
{
	for (int i = 0; i < CELL_CNT; i++)
		load_finish(&p->bins, &p->load[i]);
	put_text(p, LABEL_WIDTH - 8, p->y + LANE_HEIGHT - 3, "end", label);
	fprintf(p->out, "<path d=\"M%d %uh%u\" stroke=\"currentColor\" stroke-opacity=\".25\"/>\n",
		LABEL_WIDTH, p->y + LANE_HEIGHT, p->plot);
	for (size_t k = 0; k < ARRAY_SIZE(order); k++)
		put_state(p, k);
	put_text(p, LABEL_WIDTH + p->plot + 6, p->y + LANE_HEIGHT - 3, "",
		 fmt_share(part_ns, p->bins.len_ns).s);
	p->y += LANE_STEP;
	for (int i = 0; i < CELL_CNT; i++)
		load_free(&p->load[i]);
}

static void put_cpu(struct picture *p, size_t idx)
{
	static const enum cell cells[] = {
		[LAB_CPU_UNKNOWN] = CELL_UNKNOWN, [LAB_CPU_OURS] = CELL_RUN,
		[LAB_CPU_FOREIGN] = CELL_FOREIGN, [LAB_CPU_IDLE] = CELL_ABSENT,
	};
	const struct model_cpu *c = &p->m->cpus[idx];
	char label[24];

	lane_begin(p);
	for (size_t k = 0; k < c->seg_cnt; k++) {
		const struct model_cpu_seg *seg = &p->m->cpu_segs[c->seg_first + k];

		lane_add(p, cells[seg->class & 3], seg->start_ns, seg->end_ns);
	}
	snprintf(label, sizeof(label), "CPU %u", c->cpu);
	lane_end(p, label, p->view->lens.range.cpus[idx].class_ns[LAB_CPU_OURS]);
}

static void put_task(struct picture *p, size_t idx)
{
	const struct model_task *t = &p->m->tasks[idx];

	lane_begin(p);
	for (size_t k = 0; k < t->span_cnt; k++) {
		const struct model_span *s = &t->spans[k];

		lane_add(p, cell_of_state(s->state, s->reason), s->start_ns, s->end_ns);
	}
	lane_end(p, slice_task_name(t).s, p->view->lens.range.tasks[idx].run_ns);
}

/* ---- how many ran at once ---- */

/* Columns of the strip in which records of any CPU are missing for half of the time or more. */
static void put_missing(struct picture *p)
{
	struct load missing = load_missing(&p->bins, p->m, BINS_ANY_CPU);

	for (uint32_t i = 0; i < p->bins.cnt; i++) {
		if (!load_is_missing(&p->bins, &missing, i))
			continue;
		fprintf(p->out, "<path fill=\"url(#lab-%s)\" transform=\"translate(%d)\" d=\"",
			paints[CELL_UNKNOWN].class, LABEL_WIDTH);
		put_rect(p->out, column_x(p, i), column_x(p, i + 1), (uint64_t)p->y * 1000,
			 (uint64_t)(p->y + STRIP_HEIGHT) * 1000);
		fputs("\"/>\n", p->out);
		p->shown[CELL_UNKNOWN] = true;
	}
	load_free(&missing);
}

static void put_strip(struct picture *p)
{
	struct load load = load_new(&p->bins);
	uint64_t most = p->m->cpu_cnt ? p->m->cpu_cnt : 1, base = p->y + STRIP_HEIGHT;

	for (size_t i = 0; i < p->m->task_cnt; i++) {
		const struct model_task *t = &p->m->tasks[i];

		for (size_t k = 0; k < t->span_cnt; k++)
			if (t->spans[k].state == SPAN_RUNNING)
				load_add(&p->bins, &load, slice_rel(p->m, t->spans[k].start_ns),
					 slice_rel(p->m, t->spans[k].end_ns));
	}
	load_finish(&p->bins, &load);
	put_text(p, LABEL_WIDTH - 8, p->y + STRIP_HEIGHT - 3, "end", "running at once");
	fprintf(p->out, "<path fill=\"url(#lab-run)\" transform=\"translate(%d)\" d=\"M0 %" PRIu64,
		LABEL_WIDTH, base);
	for (uint32_t i = 0; i < p->bins.cnt; i++) {
		uint64_t len_ns = bins_len(&p->bins, i);
		uint64_t high = len_ns ? (uint64_t)((__uint128_t)load.ns[i] * STRIP_HEIGHT * 1000 /
						    (len_ns * most)) : 0;

		put_milli(p->out, "V", (int64_t)(base * 1000 - high));
		put_milli(p->out, "H", (int64_t)column_x(p, i + 1));
	}
	fprintf(p->out, "V%" PRIu64 "z\"/>\n", base);
	put_missing(p);
	fprintf(p->out, "<path d=\"M%d %uh%u\" stroke=\"currentColor\" "
		"stroke-dasharray=\"4 3\"/>\n", LABEL_WIDTH, p->y, p->plot);
	put_text(p, LABEL_WIDTH + p->plot + 6, p->y + 9, "", fmt_count(most).s);
	p->y += STRIP_HEIGHT + 6;
	load_free(&load);
}

/* ---- the axis and the legend ---- */

/* 1, 2 or 5 times a power of ten, such that some ten fit. */
static uint64_t tick_ns(uint64_t len_ns)
{
	uint64_t step = 1;

	while (step < len_ns / 10) {
		if (step * 2 >= len_ns / 10)
			return step * 2;
		if (step * 5 >= len_ns / 10)
			return step * 5;
		step *= 10;
	}
	return step;
}

static void put_axis(struct picture *p)
{
	uint64_t from_ns = p->bins.from_ns, len_ns = p->bins.len_ns, step = tick_ns(len_ns);

	for (uint64_t at = (from_ns + step - 1) / step * step; len_ns && at - from_ns <= len_ns;
	     at += step) {
		uint32_t x = LABEL_WIDTH +
			(uint32_t)((__uint128_t)(at - from_ns) * p->plot / len_ns);

		fprintf(p->out, "<path d=\"M%u %uv5\" stroke=\"currentColor\"/>", x,
			p->y + AXIS_HEIGHT - 6);
		put_text(p, x + 3, p->y + AXIS_HEIGHT - 7, "", fmt_ns_short(at).s);
	}
	p->y += AXIS_HEIGHT;
}

static void put_legend(struct picture *p)
{
	uint32_t x = LABEL_WIDTH;

	for (size_t k = 0; k < ARRAY_SIZE(order); k++) {
		const struct paint *paint = &paints[order[k]];

		if (!p->shown[order[k]])
			continue;
		if (x + 150 > LABEL_WIDTH + p->plot + SHARE_WIDTH) {
			x = LABEL_WIDTH;
			p->y += LEGEND_HEIGHT - 4;
		}
		fprintf(p->out, "<rect x=\"%u\" y=\"%u\" width=\"12\" height=\"12\" "
			"fill=\"url(#lab-%s)\"/>", x, p->y + 4, paint->class);
		put_text(p, x + 17, p->y + 14, "", paint->meaning);
		x += 30 + 7 * (uint32_t)strlen(paint->meaning);
	}
	p->y += LEGEND_HEIGHT;
}

static void put_lanes(struct picture *p)
{
	size_t cpu_cnt = 0, left_out = 0;
	char more[96];

	for (size_t i = 0; i < p->m->cpu_cnt; i++) {
		if (!lens_has_cpu(&p->view->lens, i))
			continue;
		if (cpu_cnt++ < p->view->cpus_max)
			put_cpu(p, i);
		else
			left_out++;
	}
	p->y += 4;
	for (size_t i = 0; i < p->lane_cnt; i++)
		put_task(p, p->lanes[i]);
	if (left_out || p->lane_cnt < p->task_cnt) {
		snprintf(more, sizeof(more), "not drawn: %zu CPUs and %zu tasks, which ran least",
			 left_out, p->task_cnt - p->lane_cnt);
		put_text(p, LABEL_WIDTH, p->y + 10, "", more);
		p->y += LANE_STEP;
	}
}

/* The height is known only when all is drawn. */
static void draw_inside(struct picture *p)
{
	p->lanes = lens_by_run(&p->view->lens, p->m, &p->task_cnt);
	p->lane_cnt = min_u64(p->task_cnt, p->view->tasks_max);
	lens_sort(p->lanes, p->lane_cnt);
	put_style(p);
	put_axis(p);
	put_strip(p);
	put_lanes(p);
	put_legend(p);
	free(p->lanes);
}

void svg_draw(FILE *out, const struct model *m, const struct svg_view *view)
{
	uint32_t width = view->width ? (uint32_t)max_u64(view->width, WIDTH_MIN) : WIDTH_DEFAULT;
	struct picture p = { .m = m, .view = view };
	char *inside = NULL;
	size_t len = 0;

	p.plot = width - LABEL_WIDTH - SHARE_WIDTH;
	p.bins = bins_make(view->lens.range.from_ns, range_len(&view->lens.range),
			   view->columns ? view->columns : p.plot);
	p.out = open_memstream(&inside, &len);
	if (!p.out)
		alloc_failed(1, BUFSIZ);
	draw_inside(&p);
	if (fclose(p.out))
		alloc_failed(1, len);
	fprintf(out, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%u\" height=\"%u\" "
		"viewBox=\"0 0 %u %u\" role=\"img\" font-family=\"system-ui, sans-serif\" "
		"font-size=\"11\" fill=\"currentColor\" color=\"#1b1f24\">\n<title>",
		width, p.y, width, p.y);
	text_html(out, m->meta.name ? m->meta.name : "", m->meta.name ? strlen(m->meta.name) : 0);
	fprintf(out, ": %s</title>\n", view->headword);
	if (view->standalone)
		fputs("<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n", out);
	fwrite(inside, 1, len, out);
	fputs("</svg>\n", out);
	free(inside);
}

static int svg_render(const struct model *m, const struct report *r, const struct render_opts *opts,
		      FILE *out)
{
	struct svg_view view = {
		.width = 10 * (opts->width ? opts->width : 100),
		.cpus_max = 64,
		.tasks_max = 64,
		.standalone = true,
		.headword = report_headword(r),
	};

	struct range whole = { 0 };

	if (!opts->lens)
		range_whole(m, r, &whole);
	view.lens = opts->lens ? *opts->lens : (struct render_lens){ .range = whole };
	fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n", out);
	svg_draw(out, m, &view);
	range_release(&whole);
	return ferror(out) ? -EIO : 0;
}

const struct renderer renderer_svg = {
	.name = "svg",
	.help = "the timeline as a picture, 10 units of width for each of --width",
	.takes_lens = true,
	.render = svg_render,
};
