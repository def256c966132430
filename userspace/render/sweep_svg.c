/* SPDX-License-Identifier: GPL-2.0-only */
/* sweep_svg - speedup over N, with both curves. Texts are lab's own or a workload's plain name. */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "render/sweep.h"

#define WIDTH 800
#define HEIGHT 500
#define LEFT 60
#define TOP 50
#define PLOT_WIDTH 700
#define PLOT_HEIGHT 320
#define CURVE_STEPS 200
#define TICKS_MAX 10
#define TEXT_COLS 118	/* characters of a line below the plot */

struct axes {
	double n_last, top;
	FILE *out;
};

static double x_of(const struct axes *a, double n)
{
	return LEFT + PLOT_WIDTH * n / a->n_last;
}

static double y_of(const struct axes *a, double speedup)
{
	return TOP + PLOT_HEIGHT * (1 - speedup / a->top);
}

/* 1, 2 or 5 times a power of ten, so that at most TICKS_MAX steps fit. */
static double step_of(double span)
{
	double step = pow(10, floor(log10(span / TICKS_MAX)));

	while (span / step > TICKS_MAX)
		step *= span / step > 5 * TICKS_MAX ? 10 : span / step > 2 * TICKS_MAX ? 5 : 2;
	return step;
}

static void draw_axes(const struct axes *a, const struct scaling *s)
{
	double x_step = fmax(step_of(a->n_last), 1), y_step = step_of(a->top);

	for (double n = 0; n <= a->n_last * 1.0001; n += x_step)
		fprintf(a->out, "<path class=\"grid\" d=\"M%.1f %d v%d\"/>"
			"<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%g</text>\n",
			x_of(a, n), TOP, PLOT_HEIGHT, x_of(a, n), TOP + PLOT_HEIGHT + 18, n);
	for (double v = 0; v <= a->top * 1.0001; v += y_step)
		fprintf(a->out, "<path class=\"grid\" d=\"M%d %.1f h%d\"/>"
			"<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%g</text>\n",
			LEFT, y_of(a, v), PLOT_WIDTH, LEFT - 8, y_of(a, v) + 4, v);
	fprintf(a->out, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%s</text>\n",
		LEFT + PLOT_WIDTH, TOP + PLOT_HEIGHT + 36, s->over_cpus ? "CPUs" : "tasks");
	fprintf(a->out, "<text x=\"%d\" y=\"%d\">speedup</text>\n", LEFT - 48, TOP - 10);
}

static void draw_curve(const struct axes *a, const struct scaling *s, enum scaling_law law)
{
	const struct scaling_fit *fit = &s->fits[law];
	double first = s->points[0].n;

	if (!fit->known)
		return;
	fprintf(a->out, "<polyline class=\"%s\" points=\"", sweep_law_name(law));
	for (int i = 0; i <= CURVE_STEPS; i++) {
		double n = first + (a->n_last - first) * i / CURVE_STEPS;

		fprintf(a->out, "%s%.1f,%.1f", i ? " " : "", x_of(a, n),
			fmax(y_of(a, scaling_at(fit, n)), TOP));
	}
	fputs("\"/>\n", a->out);
}

static void draw_points(const struct axes *a, const struct scaling *s)
{
	for (size_t i = 0; i < s->point_cnt; i++) {
		const struct scaling_point *p = &s->points[i];
		const struct spread *v = &p->runs.speedup_milli;
		double x = x_of(a, p->n);

		fprintf(a->out, "<path class=\"range\" d=\"M%.1f %.1f V%.1f\"/>"
			"<circle class=\"%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"4\">"
			"<title>N = %u: %.2f, %.2f to %.2f</title></circle>\n", x,
			y_of(a, (double)v->high / 1000), y_of(a, (double)v->low / 1000),
			p->doubt == SCALING_GOOD ? "point" : "out", x,
			y_of(a, (double)v->median / 1000), p->n,
			(double)v->median / 1000, (double)v->low / 1000, (double)v->high / 1000);
	}
}

/* A text in lines of at most TEXT_COLS, broken at spaces. Return: the next free line's y. */
static int draw_text(const struct axes *a, int y, const char *class, const char *label,
		     const char *text)
{
	char whole[400];
	const char *at = whole;

	snprintf(whole, sizeof(whole), "%s: %s", label, text);
	while (*at) {
		size_t len = strlen(at);

		if (len > TEXT_COLS)
			for (len = TEXT_COLS; len > 1 && at[len] != ' '; len--)
				;
		fprintf(a->out, "<text class=\"%s\" x=\"%d\" y=\"%d\">%.*s</text>\n", class, LEFT,
			y, (int)len, at);
		y += 16;
		at += len;
		at += *at == ' ';
	}
	return y;
}

int sweep_svg(const void *scaling, const struct render_opts *opts, FILE *out)
{
	const struct scaling *s = scaling;
	struct axes a = { .out = out, .top = sweep_top(s) * 1.05, .n_last = 1 };
	struct sweep_text left_out = sweep_left_out(s);
	int y = TOP + PLOT_HEIGHT + 60;

	(void)opts;
	if (s->point_cnt)
		a.n_last = s->points[s->point_cnt - 1].n;
	fprintf(out, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
		"viewBox=\"0 0 %d %d\" font-family=\"sans-serif\" font-size=\"12\">\n",
		WIDTH, HEIGHT, WIDTH, HEIGHT);
	fputs("<style>.grid{stroke:#ddd}.range{stroke:#000}.point{fill:#000}"
	      ".out{fill:#fff;stroke:#000}polyline{fill:none;stroke-width:2}"
	      ".Amdahl{stroke:#0072b2;stroke-dasharray:6 4}.USL{stroke:#d55e00}"
	      "text.Amdahl{stroke:none;fill:#0072b2}text.USL{stroke:none;fill:#a84a00}</style>\n"
	      "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n", out);
	fprintf(out, "<title>%s over %s</title>\n<text x=\"%d\" y=\"22\" font-size=\"16\">"
		"%s over %s, %u runs each, %llu CPUs</text>\n",
		s->workload, s->over_cpus ? "CPUs" : "tasks", LEFT - 48, s->workload,
		s->over_cpus ? "CPUs" : "tasks", s->repeats, (unsigned long long)s->cpus);
	draw_axes(&a, s);
	if (s->point_cnt) {
		draw_curve(&a, s, LAW_AMDAHL);
		draw_curve(&a, s, LAW_USL);
		draw_points(&a, s);
	}
	for (int law = 0; law < LAW_CNT; law++)
		y = draw_text(&a, y, sweep_law_name((enum scaling_law)law),
			      sweep_law_name((enum scaling_law)law),
			      sweep_fit(s, (enum scaling_law)law).s);
	if (left_out.s[0])
		draw_text(&a, y, "note", "not in the fits (hollow)", left_out.s);
	fputs("</svg>\n", out);
	return ferror(out) ? -EIO : 0;
}
