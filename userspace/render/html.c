/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * html - report.html: one file that a browser opens without a network. What stands first can be
 * read while the rest still loads, and where scripts do not run: the verdict and its
 * evidence, a picture of the whole run, the main numbers. Then the script, the report as JSON, and
 * the tables from which the script draws the timeline (html_data.h). Names of other people
 * are text in elements, or strings in JSON; never markup, a script or an address.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "util/format.h"
#include "render/html_assets.h"
#include "render/html_data.h"
#include "render/names.h"
#include "render/slices.h"
#include "render/svg.h"
#include "render/term.h"
#include "util/minmax.h"
#include "util/text.h"

#define ROWS_MAX 100	/* of the table for readers without scripts */
#define OVERVIEW_COLUMNS 240
#define OVERVIEW_LANES 12

static void put_text(FILE *out, const char *s)
{
	if (s)
		text_html(out, s, strlen(s));
}

static void put_element(FILE *out, const char *tag, const char *text)
{
	fprintf(out, "<%s>", tag);
	put_text(out, text);
	fprintf(out, "</%s>", tag);
}

/* ---- the verdict and its evidence, in the words of the terminal ---- */

struct facts {
	FILE *out;
	const char *class;
	bool begun;		/* the headline is written, and the list is open */
	bool in_row;
};

static void put_fact(void *arg, const char *label, const char *text)
{
	struct facts *f = arg;

	if (!f->begun) {
		fprintf(f->out, "<h1 id=\"verdict\"><strong class=\"class %s\">", f->class);
		put_text(f->out, label);
		fputs("</strong> <span>", f->out);
		put_text(f->out, text);
		fputs("</span></h1>\n<dl id=\"facts\">\n", f->out);
		f->begun = true;
		return;
	}
	if (*label || !f->in_row) {
		fprintf(f->out, "%s<div data-label=\"%s\"><dt>%s</dt>",
			f->in_row ? "</div>\n" : "", label, label);
		f->in_row = true;
	}
	put_element(f->out, "dd", text);
}

static void put_facts(FILE *out, const struct model *m, const struct report *r,
		      const struct render_opts *opts)
{
	struct facts facts = {
		.out = out,
		.class = report_is_stuck(r) ? "stuck" : verdict_class_name(r->verdict.class),
	};
	struct render_opts words = *opts;

	words.utf8 = true;
	words.color = false;
	words.brief = false;
	term_say(m, r, &words, put_fact, &facts);
	fprintf(out, "%s</dl>\n", facts.in_row ? "</div>\n" : "");
}

/* ---- for readers without scripts ---- */

static void put_task_row(FILE *out, const struct model_task *t, const struct report_task *row)
{
	uint64_t blocked_ns = 0;

	for (int i = 0; i < REASON_CNT; i++)
		blocked_ns += row->blocked_ns[i];
	fputs("<tr><th scope=\"row\">", out);
	text_html(out, t->comm, sizeof(t->comm));
	fprintf(out, "</th><td>%" PRIu32 "</td>", t->tid);
	put_element(out, "td", fmt_ns(row->run_ns).s);
	put_element(out, "td", fmt_ns(row->ready_ns).s);
	put_element(out, "td", fmt_ns(blocked_ns).s);
	put_element(out, "td", fmt_count(t->voluntary + t->involuntary).s);
	put_element(out, "td", fmt_count(t->migrations).s);
	fputs("</tr>\n", out);
}

static void put_plain_table(FILE *out, const struct model *m, const struct report *r)
{
	size_t shown = min_u64(m->task_cnt, ROWS_MAX);

	fputs("<noscript><h2>Tasks</h2>\n<table><thead><tr><th scope=\"col\">task</th>"
	      "<th scope=\"col\">tid</th><th scope=\"col\">running</th><th scope=\"col\">ready</th>"
	      "<th scope=\"col\">blocked</th><th scope=\"col\">switches</th>"
	      "<th scope=\"col\">moves</th></tr></thead><tbody>\n", out);
	for (size_t i = 0; i < shown; i++)
		put_task_row(out, &m->tasks[i], &r->tasks[i]);
	fputs("</tbody></table>\n", out);
	if (shown < m->task_cnt)
		fprintf(out, "<p>and %s more: lab report -f json shows all.</p>\n",
			fmt_count(m->task_cnt - shown).s);
	fputs("<p>The timeline needs JavaScript; this file asks nothing of a network.</p>"
	      "</noscript>\n", out);
}

/* ---- the page ---- */

static void put_head(FILE *out, const struct model *m, const struct report *r)
{
	fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	      "<meta http-equiv=\"Content-Security-Policy\" content=\"", out);
	html_put_policy(out);
	fputs("\">\n<meta name=\"referrer\" content=\"no-referrer\">\n"
	      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	      "<meta name=\"color-scheme\" content=\"light dark\">\n<title>", out);
	put_text(out, m->meta.name);
	fprintf(out, ": %s - lab</title>\n<link rel=\"icon\" href=\"data:,\">\n<style>",
		report_headword(r));
	html_put_style(out);
	fputs("</style>\n</head>\n", out);
}

static void put_command(FILE *out, const struct model *m)
{
	fputs("<p id=\"run\"><b>lab</b> <code>", out);
	for (uint32_t i = 0; i < m->meta.argc; i++) {
		fputs(i ? " " : "", out);
		text_html(out, m->meta.argv[i], min_u64(strlen(m->meta.argv[i]), 200));
	}
	fputs("</code></p>\n", out);
}

static void put_overview(FILE *out, const struct model *m, const struct report *r)
{
	struct svg_view view = {
		.columns = OVERVIEW_COLUMNS, .cpus_max = OVERVIEW_LANES,
		.tasks_max = OVERVIEW_LANES, .headword = report_headword(r),
	};

	fputs("<figure id=\"overview\">\n", out);
	range_whole(m, r, &view.lens.range);
	svg_draw(out, m, &view);
	range_release(&view.lens.range);
	fputs("<figcaption>The whole run. Each column is as full as its share of time."
	      "</figcaption>\n</figure>\n", out);
}

/* What lab report -f json prints, except the segments of the critical path: a table has them. */
static int put_report(FILE *out, const struct model *m, const struct report *r,
		      const struct render_opts *opts)
{
	struct render_opts embedded = *opts;
	int err;

	embedded.embedded = true;
	fputs("<script type=\"application/json\" id=\"lab-report\">", out);
	err = renderer_find("json")->render(m, r, &embedded, out);
	fputs("</script>\n", out);
	return err;
}

static int html_render(const struct model *m, const struct report *r,
		       const struct render_opts *opts, FILE *out)
{
	int err;

	put_head(out, m, r);
	fputs("<body>\n<header>\n", out);
	put_command(out, m);
	put_facts(out, m, r, opts);
	fputs("</header>\n<main id=\"main\">\n", out);
	put_overview(out, m, r);
	put_plain_table(out, m, r);
	fputs("</main>\n<script>", out);
	html_put_script(out);
	fputs("</script>\n", out);
	html_data_head(out, m, r, opts);
	err = put_report(out, m, r, opts);
	html_data_tables(out, m, r, opts);
	fputs("</body>\n</html>\n", out);
	if (opts->progress)
		opts->progress(m->span_cnt, m->span_cnt);
	return err ? err : ferror(out) ? -EIO : 0;
}

const struct renderer renderer_html = {
	.name = "html",
	.help = "a page for a browser: the report, and a timeline to move in",
	.binary = true,
	.render = html_render,
};
