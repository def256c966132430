/* SPDX-License-Identifier: GPL-2.0-only */
/* sweep_term - how a workload scales: a table, a plot of characters, and what the laws say. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "render/compare.h"
#include "render/sweep.h"
#include "render/term.h"
#include "util/alloc.h"
#include "util/minmax.h"

#define PLOT_ROWS 16
#define PLOT_LEFT 9	/* columns of the scale */
#define PLOT_COLS_MAX 100

/* ---- the table ---- */

static void predicted(const struct term *t, const struct scaling *s, const struct scaling_point *p,
		      enum scaling_law law)
{
	if (s->fits[law].known)
		fprintf(t->out, "%9.2f", p->predicted[law]);
	else
		fprintf(t->out, "%9s", "-");
}

static void draw_table(const struct term *t, const struct scaling *s)
{
	fprintf(t->out, "  %5s     wall  speedup  least-most   Amdahl      USL    avg  class\n",
		s->over_cpus ? "CPUs" : "tasks");
	for (size_t i = 0; i < s->point_cnt; i++) {
		const struct scaling_point *p = &s->points[i];
		const struct comparison_row *runs = &p->runs;
		char range[96];

		snprintf(range, sizeof(range), "%s-%s",
			 fmt_ratio(runs->speedup_milli.low, 1000, 2).s,
			 fmt_ratio(runs->speedup_milli.high, 1000, 2).s);
		fprintf(t->out, "  %5u%9s%9s%12s", p->n, fmt_ns_short(runs->wall_ns.median).s,
			fmt_ratio(runs->speedup_milli.median, 1000, 2).s, range);
		predicted(t, s, p, LAW_AMDAHL);
		predicted(t, s, p, LAW_USL);
		fprintf(t->out, "%7s  %s%s\n", fmt_ratio(runs->average_milli.median, 1000, 2).s,
			runs->class == CLASS_NONE ? "varies" : verdict_class_name(runs->class),
			p->doubt == SCALING_GOOD ? "" : " *");
	}
}

/* ---- the plot ---- */

enum mark { MARK_NONE, MARK_AMDAHL, MARK_USL, MARK_RANGE, MARK_POINT, MARK_CNT };

static const char *const marks_ascii[MARK_CNT] = { " ", ".", "-", "|", "o" };
static const char *const marks_utf8[MARK_CNT] = { " ", "\u00b7", "\u2500", "\u2502", "\u25cf" };

struct plot {
	enum mark *cells;	/* PLOT_ROWS x cols, from the top */
	uint32_t cols;
	double n_first, n_last, top;
};

static uint32_t col_of(const struct plot *plot, double n)
{
	double span = plot->n_last - plot->n_first;

	return span > 0 ? (uint32_t)((n - plot->n_first) / span * (plot->cols - 1) + 0.5) : 0;
}

/* Rows are numbered from the top; beyond it: PLOT_ROWS. */
static uint32_t row_of(const struct plot *plot, double speedup)
{
	double up = speedup / plot->top * (PLOT_ROWS - 1) + 0.5;

	return up >= 0 && up < PLOT_ROWS ? PLOT_ROWS - 1 - (uint32_t)up : PLOT_ROWS;
}

static void put(struct plot *plot, uint32_t row, uint32_t col, enum mark mark)
{
	if (row < PLOT_ROWS && col < plot->cols)
		plot->cells[row * plot->cols + col] = mark;
}

static void put_curve(struct plot *plot, const struct scaling_fit *fit, enum mark mark)
{
	for (uint32_t col = 0; col < plot->cols && fit->known; col++) {
		double n = plot->n_first + (plot->n_last - plot->n_first) * col / (plot->cols - 1);

		put(plot, row_of(plot, scaling_at(fit, n)), col, mark);
	}
}

static void put_points(struct plot *plot, const struct scaling *s)
{
	for (size_t i = 0; i < s->point_cnt; i++) {
		const struct spread *speedup = &s->points[i].runs.speedup_milli;
		uint32_t col = col_of(plot, s->points[i].n);
		uint32_t low = row_of(plot, (double)speedup->low / 1000);

		for (uint32_t row = row_of(plot, (double)speedup->high / 1000); row < low; row++)
			put(plot, row, col, MARK_RANGE);
		put(plot, low, col, MARK_RANGE);
		put(plot, row_of(plot, (double)speedup->median / 1000), col, MARK_POINT);
	}
}

static void print_plot(const struct term *t, const struct scaling *s, const struct plot *plot)
{
	const char *const *marks = t->opts->utf8 ? marks_utf8 : marks_ascii;

	for (uint32_t row = 0; row < PLOT_ROWS; row++) {
		if (row % 5 == 0)
			fprintf(t->out, "%*.2f |", PLOT_LEFT - 2,
				plot->top * (PLOT_ROWS - 1 - row) / (PLOT_ROWS - 1));
		else
			fprintf(t->out, "%*s |", PLOT_LEFT - 2, row == 1 ? "speedup" : "");
		for (uint32_t col = 0; col < plot->cols; col++)
			fputs(marks[plot->cells[row * plot->cols + col]], t->out);
		fputc('\n', t->out);
	}
	fprintf(t->out, "%*s +", PLOT_LEFT - 2, "");
	for (uint32_t col = 0; col < plot->cols; col++)
		fputc('-', t->out);
	fprintf(t->out, "\n%*u%*u\n", PLOT_LEFT + 1, s->points[0].n, (int)plot->cols - 1,
		s->points[s->point_cnt - 1].n);
	fprintf(t->out, "%*s%s median of the runs  %s their range  %s Amdahl  %s USL  N: %s\n\n",
		PLOT_LEFT, "", marks[MARK_POINT], marks[MARK_RANGE], marks[MARK_AMDAHL],
		marks[MARK_USL], s->over_cpus ? "CPUs" : "tasks");
}

static void draw_plot(const struct term *t, const struct scaling *s)
{
	struct plot plot = {
		.cols = (uint32_t)min_u64(t->width - PLOT_LEFT, PLOT_COLS_MAX),
		.n_first = s->points[0].n, .n_last = s->points[s->point_cnt - 1].n,
		.top = sweep_top(s),
	};

	if (s->point_cnt < 2)
		return;
	fputc('\n', t->out);
	plot.cells = xcalloc((size_t)PLOT_ROWS * plot.cols, sizeof(*plot.cells));
	put_curve(&plot, &s->fits[LAW_AMDAHL], MARK_AMDAHL);
	put_curve(&plot, &s->fits[LAW_USL], MARK_USL);
	put_points(&plot, s);
	print_plot(t, s, &plot);
	free(plot.cells);
}

/* ---- sentences ---- */

static void para(const struct term *t, const char *label, const char *text)
{
	struct phrase p = { 0 };

	phrase_add(&p, "%s", text);
	term_para(t, label, &p);
}

static void say_others(const struct term *t, const struct scaling *s)
{
	struct phrase p = { 0 };
	size_t cnt = 0;

	for (size_t i = 0; i < s->point_cnt; i++) {
		const struct comparison_row *runs = &s->points[i].runs;

		if (runs->disturbed)
			phrase_add(&p, "%s%u (%s)",
				   cnt++ ? ", " : "had CPUs for which tasks waited, at N = ",
				   s->points[i].n, fmt_share(runs->capacity.interference_ns,
							     runs->capacity.total_ns).s);
	}
	if (!cnt)
		return;
	phrase_add(&p, ": a quieter machine would tell more");
	term_para(t, "others", &p);
}

static void say_doubt(const struct term *t, const struct scaling *s)
{
	for (size_t i = 0; i < s->point_cnt; i++) {
		const struct comparison_row *runs = &s->points[i].runs;
		struct phrase p = { 0 };

		if (runs->class != CLASS_INCONCLUSIVE)
			continue;
		phrase_add(&p, "%u of %u runs inconclusive: %s",
			   runs->class_cnt[CLASS_INCONCLUSIVE], runs->run_cnt, runs->reason);
		phrase_add(&p, " (N = %u)", s->points[i].n);
		term_para(t, "doubt", &p);
	}
}

int sweep_term(const void *scaling, const struct render_opts *opts, FILE *out)
{
	const struct scaling *s = scaling;
	struct sweep_text left_out = sweep_left_out(s);
	struct phrase p = { 0 };
	struct term t = {
		.out = out, .opts = opts,
		.width = opts->width ? opts->width : TERM_WIDTH_DEFAULT,
	};

	if (!s->point_cnt)
		return 0;
	t.width = (uint32_t)min_u64(max_u64(t.width, TERM_WIDTH_MIN), TERM_WIDTH_MAX);
	phrase_add(&p, "over %s, %u time%s each, on %llu CPU%s; throughput over that of N = %u",
		   s->over_cpus ? "CPUs" : "tasks", s->repeats, s->repeats == 1 ? "" : "s",
		   (unsigned long long)s->cpus, s->cpus == 1 ? "" : "s", s->points[0].n);
	term_headline(&t, s->workload, "1", &p);
	if (!opts->brief) {
		draw_table(&t, s);
		draw_plot(&t, s);
	}
	for (int law = 0; law < LAW_CNT; law++)
		para(&t, sweep_law_name((enum scaling_law)law),
		     sweep_fit(s, (enum scaling_law)law).s);
	if (left_out.s[0])
		para(&t, "not in*", left_out.s);
	say_others(&t, s);
	say_doubt(&t, s);
	return ferror(out) ? -EIO : 0;
}
