/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdlib.h>
#include <string.h>

#include "render_fixture.h"
#include "unit.h"

static size_t cells(const char *bar, char cell)
{
	size_t cnt = 0;

	for (; *bar != '|'; bar++)
		cnt += *bar == cell;
	return cnt;
}

/* Whatever the parts are, the bar is as wide as the report; each has its share within a cell. */
TEST(render_stack_is_full)
{
	for (uint32_t width = 80; width <= 200; width += 40) {
		const struct render_opts opts = { .verbose = true, .width = width };
		struct render_fixture f;
		struct report_capacity *c = &f.report.capacity;
		const char *bar;
		size_t len;
		char *text;

		fixture_workers(&f);
		memset(c, 0, sizeof(*c));
		c->known = true;
		c->total_ns = 7000;
		c->work_ns = 3499;
		c->interference_ns = 1;
		c->no_thread_ns = 1750;
		c->blocked_ns[REASON_LOCK] = 1000;
		c->blocked_ns[REASON_SLEEP] = 750;
		text = fixture_render(&f, "term", &opts);
		bar = strstr(text, "  stack   |");
		REQUIRE(bar);
		bar += strlen("  stack   |");
		len = strcspn(bar, "|\n");
		CHECK(bar[len] == '|');
		CHECK_EQ(len + 12, width);
		CHECK(cells(bar, '=') * 2 >= len - 2 && cells(bar, '=') * 2 <= len + 2);
		CHECK(cells(bar, 'x') * 4 >= len - 4 && cells(bar, 'x') * 4 <= len + 4);
		CHECK_EQ(cells(bar, '?') + cells(bar, '!'), 0);
		free(text);
		fixture_release(&f);
	}
}
