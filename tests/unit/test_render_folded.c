/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdlib.h>
#include <string.h>

#include "render/names.h"
#include "render_fixture.h"
#include "unit.h"

/* Tasks without a lane, those of one name together. */
TEST(render_folded_tasks_of_one_name_are_one_entry)
{
	struct render_fixture f;
	char *text;

	fixture_crowd(&f, 200, 2, 0, 1000000000);
	for (size_t i = 0; i < f.model.task_cnt; i++)
		snprintf(f.model.tasks[i].comm, sizeof(f.model.tasks[i].comm), "%s",
			 i % 2 ? "even" : "o\033d");
	text = fixture_render(&f, "term", &(struct render_opts){ .width = 100 });
	CHECK(strstr(text, " more tasks ran for "));
	CHECK(strstr(text, "even x "));
	CHECK(strstr(text, "o?d x "));
	CHECK(strstr(text, " each)"));
	free(text);
	text = fixture_render(&f, "term", &(struct render_opts){ .width = 100, .verbose = true });
	CHECK(!strstr(text, " each)"));
	free(text);
	fixture_release(&f);
}

TEST(render_operations_are_named_by_what_they_are)
{
	static const struct { uint8_t fd_type; const char *name; } kinds[] = {
		{ 1, "pipe fd 7" }, { 12, "socket fd 7" }, { LAB_FD_TICK, "timer fd 7" },
		{ LAB_FD_OWN_END, "own pipe or socket fd 7" }, { 0, "fd 7" }, { 255, "fd 7" },
	};
	const struct model m = { 0 };

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		const struct model_op op = { .fd = 7, .fd_type = kinds[i].fd_type };

		CHECK_STR(op_name(&m, &op).s, kinds[i].name);
	}
}
