/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/command.h"

#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

#include "cli/exit.h"
#include "cli/output.h"
#include "cli/reading.h"
#include "render/render.h"
#include "util/log.h"
#include "view/loop.h"

struct view_opts {
	uint32_t color;		/* enum output_color */
	bool ascii;
	bool force;
};

static const struct opt view_opts[] = {
	{ .name = "color", .kind = OPT_CHOICE, .off = offsetof(struct view_opts, color),
	  .metavar = "WHEN", .choices = output_color_choices,
	  .help = "auto (unless NO_COLOR is set), always or never" },
	{ .name = "ascii", .kind = OPT_FLAG, .off = offsetof(struct view_opts, ascii),
	  .help = "draw with ASCII only" },
	TRACE_INPUT_FORCE_OPT(struct view_opts, force),
	{ .name = NULL },
};

/* Everything from here on handles the trace's bytes, without root. */
static int view(const struct trace_input *trace, const struct view_opts *opts)
{
	struct output out;
	int status = LAB_EXIT_FILE, result;

	if (!output_load(&out, trace)) {
		result = loop_run(&out.model, &out.report, output_hook(&out),
				  output_color_on(STDOUT_FILENO, opts->color),
				  !opts->ascii && render_utf8_ok());
		if (result > 0) {
			sigset_t none;

			sigemptyset(&none);
			signal(result, SIG_DFL);
			raise(result);
			sigprocmask(SIG_SETMASK, &none, NULL);
		}
		status = result || out.damaged ? LAB_EXIT_FILE : LAB_EXIT_OK;
	}
	output_release(&out);
	return status;
}

static int cmd_view(int argc, char **argv)
{
	struct view_opts opts = { 0 };
	struct trace_input trace;
	const char *path = NULL;
	bool want_help;
	int status, cnt = command_parse(view_opts, &opts, argc, argv, "lab view", &path, 1,
					&want_help);

	if (cnt < 0)
		return LAB_EXIT_USAGE;
	if (want_help) {
		command_print_help(command_find("view"));
		return LAB_EXIT_OK;
	}
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
		log_err("lab view needs a terminal for its input and its output; lab report%s%s "
			"writes to "
			"a pipe or a file", path ? " " : "", path ? path : "");
		return LAB_EXIT_USAGE;
	}
	status = reading_open(&trace, path, O_RDONLY,
			      opts.force) ?: reading_confine(&trace) ?: view(&trace, &opts);
	trace_input_close(&trace);
	return status;
}

const struct command command_view = {
	.name = "view",
	.summary = "Look at a recorded trace in the terminal: zoom, search, select",
	.usage = "lab view [TRACE] [OPTIONS]",
	.opts = view_opts,
	.details = "TRACE is a trace file, or the folder of a run that has trace.lab in it; "
		   "without it,\n"
		   "the newest run of the folder runs (lab runs lists them). The whole\n"
		   "terminal is the timeline: strips of how many ran and were ready, a lane for "
		   "each CPU and\n"
		   "each task. Arrows move, w and s zoom, space selects, e leads to the evidence "
		   "of the\n"
		   "verdict, ? lists all keys, q quits.\n",
	.main = cmd_view,
};
