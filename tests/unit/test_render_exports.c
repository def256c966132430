/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the exports make of hostile names, and of nothing. tests/bats/exports.bats compares their
 * numbers.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "render_fixture.h"
#include "unit.h"

static const char *const formats[] = { "chrome", "speedscope", "folded", "csv" };

static char *export_of(void (*make)(struct render_fixture *), bool hostile, const char *format)
{
	const struct render_opts opts = { 0 };
	struct render_fixture f;
	char *text;

	make(&f);
	if (hostile)
		fixture_make_hostile(&f);
	text = fixture_render(&f, format, &opts);
	fixture_release(&f);
	return text;
}

/*
 * No control except newlines, and none that turns the text around; in JSON nothing that HTML would
 * take for itself.
 */
TEST(render_exports_hostile_names_stay_data)
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		char *text = export_of(fixture_workers, true, formats[i]);

		for (const unsigned char *p = (const unsigned char *)text; *p; p++)
			CHECK(*p == '\n' || (*p >= 0x20 && *p != 0x7f));
		CHECK(!strstr(text, "\xe2\x80\xae"));
		if (i < 2)
			CHECK(!strpbrk(text, "<>&"));
		free(text);
	}
}

TEST(render_exports_of_nothing)
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		free(export_of(fixture_empty, false, formats[i]));
}

/* A stay of 30 ms across 10 ms without records of its CPU is 20 ms long; 10 ms are not known. */
TEST(render_exports_say_what_is_not_known)
{
	static const char *const words[][2] = {
		{ "csv", ",unknown,," }, { "chrome", "\"name\": \"not known\"" },
		{ "speedscope", "\"name\": \"not known\"" }, { "folded", ";not known " },
		{ "html", "\"unknown_ns\": " }, { "json", "\"kind\": \"unknown\"" },
	};
	const struct render_opts opts = { 0 };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		struct render_fixture f;
		char *text;

		fixture_workers(&f);
		fixture_lose(&f, 1);
		text = fixture_render(&f, words[i][0], &opts);
		if (!strstr(text, words[i][1]))
			unit_failed(__FILE__, __LINE__, "%s does not say %s", words[i][0],
				    words[i][1]);
		free(text);
		fixture_release(&f);
	}
}

TEST(render_exports_folded)
{
	char *text = export_of(fixture_workers, false, "folded");
	const char *line = strstr(text, "worker/1 (tid 4711);running ");

	REQUIRE(line);
	CHECK(line == text || line[-1] == '\n');
	free(text);
}

/* A page that would be too large keeps what came first, and says from when on data is missing. */
TEST(render_html_of_a_run_that_is_too_large)
{
	struct render_opts opts = { 0 };
	struct render_fixture f;
	char *text, left_out[48];

	fixture_workers(&f);
	REQUIRE(f.model.span_cnt > 6);
	text = fixture_render(&f, "html", &opts);
	CHECK(strstr(text, "\"left_out\": 0,") && strstr(text, "\"cut_ns\": null"));
	free(text);
	opts.html_spans_max = 6;
	text = fixture_render(&f, "html", &opts);
	CHECK(!strstr(text, "\"cut_ns\": null"));
	CHECK(!strstr(text, "\"left_out\": 0,"));
	snprintf(left_out, sizeof(left_out), "\"left_out\": %zu,", f.model.span_cnt - 6);
	CHECK(strstr(text, left_out));
	free(text);
	fixture_release(&f);
}

/* A terminal may have fewer columns than the picture's labels take. */
TEST(render_svg_of_few_columns)
{
	const struct render_opts opts = { .width = 1 };
	struct render_fixture f;
	char *text;

	fixture_workers(&f);
	text = fixture_render(&f, "svg", &opts);
	CHECK(strstr(text, " width=\"320\" "));
	free(text);
	fixture_release(&f);
}
