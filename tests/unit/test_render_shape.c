/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdlib.h>
#include <string.h>

#include "render_fixture.h"
#include "unit.h"

static const struct render_opts wide = { .verbose = true, .width = 200 };

static char *shape_with(struct render_fixture *f, const uint64_t *bottles_ns)
{
	for (size_t i = 0; i < f->model.task_cnt; i++)
		f->report.tasks[i].bottle_ns = bottles_ns[i];
	return fixture_render(f, "term", &wide);
}

/* The tallest stand first, equal ones by birth; what was never running has none. */
TEST(render_shape_bottles_tallest_first)
{
	uint64_t bottles_ns[64] = { 0 };
	struct render_fixture f;
	const char *first, *second;
	char *text;

	fixture_workers(&f);
	REQUIRE(f.model.task_cnt >= 3 && f.model.task_cnt <= 64);
	bottles_ns[2] = 5000000;
	bottles_ns[1] = 5000000;
	text = shape_with(&f, bottles_ns);
	first = strstr(text, "bottles: ");
	REQUIRE(first);
	CHECK(!strncmp(first + 9, f.model.tasks[1].comm, strlen(f.model.tasks[1].comm)));
	second = strstr(first, "; ");
	REQUIRE(second);
	CHECK(!strncmp(second + 2, f.model.tasks[2].comm, strlen(f.model.tasks[2].comm)));
	CHECK(strchr(second, '\n') < strstr(second + 2, "; "));
	free(text);

	/* One alone is no comparison. */
	bottles_ns[2] = 0;
	text = shape_with(&f, bottles_ns);
	CHECK(strstr(text, "  shape   tasks running at once: "));
	CHECK(!strstr(text, "bottles: "));
	free(text);
	fixture_release(&f);
}
