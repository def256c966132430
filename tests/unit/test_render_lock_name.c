/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdlib.h>
#include <string.h>

#include "render/lock_name.h"
#include "render_fixture.h"
#include "unit.h"
#include "util/minmax.h"

TEST(render_lock_names)
{
	static const struct {
		struct model_symbol symbol;
		const char *name;
	} rows[] = {
		{ { .object = "/usr/bin/python3.11", .symbol = "_PyRuntime", .symbol_off = 0x1a8,
		    .offset = 0xa5b8e8 }, "_PyRuntime+0x1a8 (python3.11)" },
		{ { .object = "/usr/bin/x", .symbol = "lock" }, "lock (x)" },
		{ { .object = "/lib/libfoo.so", .offset = 0x1234 }, "libfoo.so+0x1234" },
		{ { .object = "[heap]", .offset = 0x2a0 }, "[heap]+0x2a0" },
		{ { .object = "[anon]" }, "[anon]" },
		{ { .object = "/memfd:ring (deleted)", .offset = 64 },
		  "memfd:ring (deleted)+0x40" },
		{ { .object = "/odd/", .offset = UINT64_MAX }, "/odd/+0xffffffffffffffff" },
		{ { .object = "" }, "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char *name = lock_name(&rows[i].symbol);

		CHECK_STR(name, rows[i].name);
		free(name);
	}
	CHECK(!lock_name(NULL));
}

/* Where no name is known the address stands; in JSON each key is null. */
TEST(render_locks_without_a_name)
{
	const struct render_opts opts = { .verbose = true, .width = 80 };
	struct render_fixture f;
	char *text;

	fixture_workers(&f);
	text = fixture_render(&f, "term", &opts);
	CHECK(strstr(text, "  lock  crew_queue+0x20 (~ "));
	CHECK(strstr(text, "   20% worker/1"));
	free(text);
	text = fixture_render(&f, "json", &opts);
	CHECK(strstr(text, "\"symbol\": \"crew_queue+0x20 (libcrew.so.1)\", "
			   "\"object\": \"/opt/lab/libcrew.so.1\", \"offset\": \"0x4b60\""));
	free(text);
	f.report.locks[0].symbol = NULL;
	text = fixture_render(&f, "term", &opts);
	CHECK(strstr(text, "  lock  0x7f3a1c000b60 "));
	free(text);
	text = fixture_render(&f, "json", &opts);
	CHECK(strstr(text, "\"symbol\": null, \"object\": null, \"offset\": null"));
	free(text);
	fixture_release(&f);
}

TEST(render_serializer_is_named)
{
	static const struct model_symbol symbol = {
		.object = "/usr/bin/python3", .symbol = "_PyRuntime",
	};
	const struct render_opts opts = { .verbose = true, .width = 200 };
	struct render_fixture f;
	char *text;

	fixture_crowd(&f, 3, 2, 1, 1000000);
	text = fixture_render(&f, "term", &opts);
	CHECK(strstr(text, "the futex 0xffffffffffffffff lets one task run at a time"));
	free(text);
	f.report.serializer.symbol = &symbol;
	text = fixture_render(&f, "term", &opts);
	CHECK(strstr(text, "_PyRuntime (python3), the futex 0xffffffffffffffff, lets one task "
			   "run at a time"));
	free(text);
	fixture_release(&f);
}
