/* SPDX-License-Identifier: GPL-2.0-only */
/* What the exports make of hostile names, and of nothing. Their numbers are compared in tests/bats/exports.bats. */
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

/* No control but newlines; in JSON nothing that HTML would take for itself. */
TEST(render_exports_hostile_names_stay_data)
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		char *text = export_of(fixture_workers, true, formats[i]);

		for (const unsigned char *p = (const unsigned char *)text; *p; p++)
			CHECK(*p == '\n' || (*p >= 0x20 && *p != 0x7f));
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

TEST(render_exports_folded)
{
	char *text = export_of(fixture_workers, false, "folded");
	const char *line = strstr(text, "worker/1 (tid 4711);running ");

	REQUIRE(line);
	CHECK(line == text || line[-1] == '\n');
	free(text);
}
