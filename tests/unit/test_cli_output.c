/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/output.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/exit.h"
#include "render/render.h"
#include "trace_fixture.h"
#include "unit.h"
#include "util/log.h"

static int code(enum verdict_class class, enum claim_holds holds)
{
	struct output out = { 0 };

	out.report.verdict.class = class;
	out.report.verdict.claim_holds = holds;
	return output_exit_code(&out);
}

TEST(output_exit_codes)
{
	CHECK_EQ(code(CLASS_PARALLEL, CLAIM_YES), LAB_EXIT_OK);
	CHECK_EQ(code(CLASS_PARALLEL, CLAIM_NOT_MADE), LAB_EXIT_OK);
	CHECK_EQ(code(CLASS_CONCURRENT, CLAIM_NO), LAB_EXIT_CONTRADICTED);
	CHECK_EQ(code(CLASS_CONCURRENT, CLAIM_UNDECIDED), LAB_EXIT_UNDECIDED);
	CHECK_EQ(code(CLASS_INCONCLUSIVE, CLAIM_UNDECIDED), LAB_EXIT_UNDECIDED);
	CHECK_EQ(code(CLASS_INCONCLUSIVE, CLAIM_NOT_MADE), LAB_EXIT_UNDECIDED);
}

TEST(output_color_in_a_pipe)
{
	int fds[2];

	REQUIRE(pipe(fds) == 0);
	setenv("TERM", "xterm", 1);
	unsetenv("NO_COLOR");
	CHECK(!output_color_on(fds[1], OUTPUT_COLOR_AUTO));
	CHECK(output_color_on(fds[1], OUTPUT_COLOR_ALWAYS));
	CHECK(!output_color_on(fds[1], OUTPUT_COLOR_NEVER));
}

/* The recorder was killed before its first record was written. */
TEST(output_of_a_trace_without_events)
{
	struct fixture_file file = fixture_open();
	const struct trace_input trace = { .fd = file.fd, .path = file.path };
	const struct target_place nowhere = { .folder_fd = AT_FDCWD, .path = "/dev/null" };
	const struct output_look look = { 0 };
	struct output out;

	log_set_level(LOG_ERR);
	trace_writer_free(fixture_writer(&file));
	REQUIRE(output_load(&out, &trace) == 0);
	CHECK(!out.model.complete && !out.damaged);
	CHECK_EQ(out.model.task_cnt, 0);
	CHECK_EQ(out.report.verdict.class, CLASS_INCONCLUSIVE);
	for (size_t i = 0; renderers[i]; i++)
		CHECK_EQ(output_write_file(&out, renderers[i]->name, &look, NULL, &nowhere), 0);
	output_release(&out);
	close(file.fd);
}

TEST(output_formats)
{
	CHECK_EQ(output_check_format("term"), 0);
	CHECK_EQ(output_check_format("trem"), -ENOENT);
	CHECK_EQ(output_check_format(""), -ENOENT);
}

TEST(command_operands_and_options_mix)
{
	static const struct opt table[] = {
		{ .name = "width", .kind = OPT_U32, .off = 0, .metavar = "N", .help = "" },
		{ .name = NULL },
	};
	char *argv[] = { "report", "a", "--width", "90", "b", "--", "--width", NULL };
	const char *operands[3] = { NULL };
	uint32_t width = 0;
	bool want_help;

	CHECK_EQ(command_parse(table, &width, 7, argv, "test", operands, 3, &want_help), 3);
	CHECK_EQ(width, 90);
	CHECK_STR(operands[0], "a");
	CHECK_STR(operands[1], "b");
	CHECK_STR(operands[2], "--width");
	CHECK_EQ(command_parse(table, &width, 7, argv, "test", operands, 2, &want_help), -EINVAL);
}

TEST(command_help_ends_the_parse)
{
	static const struct opt table[] = { { .name = NULL } };
	char *argv[] = { "report", "--help", "--nonsense", NULL };
	const char *operands[1];
	bool want_help;

	CHECK_EQ(command_parse(table, NULL, 3, argv, "test", operands, 1, &want_help), 0);
	CHECK(want_help);
}
