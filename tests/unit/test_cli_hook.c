/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdlib.h>
#include <string.h>

#include "cli/hook.h"
#include "unit.h"

static void check_join(enum hook_id id, const char *before, const char *expected)
{
	char *text = hook_join(&hooks[id], "/tmp/f", before);

	CHECK_STR(text, expected);
	free(text);
}

TEST(cli_hook_keeps_what_the_variable_held)
{
	check_join(HOOK_python, NULL, "/tmp/f");
	check_join(HOOK_python, "", "/tmp/f");
	check_join(HOOK_python, "/a:/b", "/tmp/f:/a:/b");
	check_join(HOOK_node, NULL, "--require=/tmp/f/lab-node.cjs");
	check_join(HOOK_node, "", "--require=/tmp/f/lab-node.cjs");
	check_join(HOOK_node, "--no-warnings", "--no-warnings --require=/tmp/f/lab-node.cjs");
}

TEST(cli_hook_of_a_program)
{
	static const struct {
		const char *program;
		enum hook_id hook;	/* HOOK_CNT: none */
	} rows[] = {
		{ "python", HOOK_python }, { "/usr/bin/python3.11", HOOK_python },
		{ "python3", HOOK_python }, { "./serve.py", HOOK_python },
		{ "uvicorn", HOOK_python }, { "node", HOOK_node },
		{ "/opt/node-v20/bin/nodejs", HOOK_node }, { "npx", HOOK_node },
		{ "app.mjs", HOOK_node }, { "pythonic", HOOK_CNT }, { "nod", HOOK_CNT },
		{ "", HOOK_CNT }, { "3.11", HOOK_CNT }, { "/", HOOK_CNT }, { ".py", HOOK_CNT },
		{ "node/", HOOK_CNT }, { "sh", HOOK_CNT },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct hook *hook = hook_of_program(rows[i].program);

		CHECK_EQ(hook ? (size_t)(hook - hooks) : HOOK_CNT, rows[i].hook);
	}
}

TEST(cli_hook_first_wanted)
{
	struct hook_set set = { 0 };

	CHECK(!hook_first(&set));
	CHECK(!hook_choose(&set) && !set.folder[0]);
	CHECK(!hook_install(&set));
	set.wanted[HOOK_node] = true;
	CHECK(hook_first(&set) == &hooks[HOOK_node]);
	CHECK(!hook_choose(&set) && !strncmp(set.folder, "/tmp/lab-hook-", 14));
}
