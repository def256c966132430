/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * fuzz_trace - whole runs, through a file, to all that is shown. The report and the checker hold
 * each other: whatever verdict lab stores, the checker must prove; of an inconclusive one it must
 * say that there is nothing to prove.
 */
#include "fuzz.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/missing.h"
#include "analyze/report.h"
#include "analyze/trial.h"
#include "cli/hook.h"
#include "cli/lens.h"
#include "json_text.h"
#include "model_fixture.h"
#include "render/render.h"
#include "scenario.h"
#include "trace/certificate.h"
#include "verify/verify.h"

#define WIDTH_MIN 80
#define WIDTHS 121
#define SVG_WIDTH_MIN 8		/* its time grows with its columns, ten each */

void fuzz_trace(const uint8_t *data, size_t size);
void fuzz_view(const uint8_t *data, size_t size);

/* ---- what is shown ---- */

static void render_json(const struct model *m, const struct report *r,
			const struct render_opts *opts)
{
	struct json_text json;
	char *text;
	size_t len;
	FILE *to = open_memstream(&text, &len);

	NEED(to && !renderer_find("json")->render(m, r, opts, to) && !fclose(to));
	NEED(!json_text_parse(&json, text, len));
	json_text_release(&json);
}

static void render_all(const struct scenario *s, const struct model *m, const struct report *r)
{
	const struct lens_ask ask = {
		.from_ns = (m->end_ns - m->start_ns) / 256 * s->knobs.from,
		.to_ns = (m->end_ns - m->start_ns) / 256 * s->knobs.until,
	};
	struct render_opts opts = {
		.width = s->knobs.width ? WIDTH_MIN + s->knobs.width % WIDTHS : 0,
		.utf8 = s->knobs.flags & KNOB_UTF8, .color = s->knobs.flags & KNOB_COLOR,
		.brief = s->knobs.flags & KNOB_BRIEF, .trace_path = "trace.lab",
		.hook = s->meta.argc && hook_of_program(s->meta.argv[0]) ? "python" : NULL,
	};
	struct lens lens = { 0 };

	if (s->knobs.flags & KNOB_LENS && !lens_make(m, &ask, &lens))
		opts.lens = &lens.lens;
	for (size_t i = 0; renderers[i]; i++) {
		struct render_opts own = opts;

		if (!renderers[i]->takes_lens)
			own.lens = NULL;
		if (!strcmp(renderers[i]->name, "svg"))
			own.width = SVG_WIDTH_MIN + opts.width % SVG_WIDTH_MIN;
		if (strcmp(renderers[i]->name, "json"))
			NEED(!renderers[i]->render(m, r, &own, fuzz_null()));
		else
			render_json(m, r, &own);
	}
	lens_release(&lens);
}

/* ---- the two judges ---- */

/* What the checker must say of a report's verdict. */
static enum verify_result expected(const struct report *r, bool finished)
{
	return !finished || r->verdict.class == CLASS_INCONCLUSIVE ? VERIFY_NOTHING : VERIFY_PROVEN;
}

static char *certificate(const struct model *m, const struct report *r)
{
	const struct render_opts opts = { 0 };
	char *lines;
	size_t len;
	FILE *to = open_memstream(&lines, &len);

	NEED(to && !renderer_find("certificate")->render(m, r, &opts, to));
	fprintf(to, "reason %s\n", r->verdict.reason);
	fclose(to);
	return lines;
}

/*
 * Everything that is made of a trace; its verdict is stored in it. Return: what the checker must
 * say.
 */
static enum verify_result report(const struct scenario *s, const struct fuzz_file *file)
{
	bool finished = !(s->knobs.flags & KNOB_UNFINISHED);
	enum verify_result want = finished ? VERIFY_DAMAGED : VERIFY_NOTHING;
	struct trace_reader *reader;
	struct report report;
	struct trial trial;
	struct model model;
	char *lines;

	NEED(!trace_reader_open(&reader, file->path));
	NEED(trace_reader_complete(reader) == finished);
	if (!model_build(reader, &model)) {
		const char *wrong = fx_check_identities(&model);

		if (wrong)
			fuzz_failed(__FILE__, __LINE__, "of every model: %s", wrong);
		report_compute(&model, &report);
		want = expected(&report, finished);
		lines = certificate(&model, &report);
		NEED(trace_certificate_store(file->fd, lines) == (finished ? 0 : -EBADMSG));
		free(lines);
		report_hide_missing(&model, &report);
		trial_of(&model, &report, &trial);
		render_all(s, &model, &report);
		report_release(&report);
	}
	model_release(&model);
	trace_reader_free(reader);
	return want;
}

void fuzz_trace(const uint8_t *data, size_t size)
{
	const struct fuzz_file *file;
	char why[VERIFY_WHY_MAX], *said;
	enum verify_result want, got;
	struct scenario s;
	size_t len;
	FILE *out;

	scenario_split(&s, data, size);
	if (scenario_parse(&s)) {
		file = fuzz_file(0, NULL, 0);
		scenario_record(&s, file->fd);
		want = report(&s, file);
		out = open_memstream(&said, &len);
		NEED(out);
		got = verify_file(file->fd, out, why);
		fclose(out);
		if (got != want)
			fuzz_failed(__FILE__, __LINE__, "the checker says %d, not %d\n%s%s", got,
				    want,
				    said, why);
		free(said);
	}
	scenario_release(&s);
}
