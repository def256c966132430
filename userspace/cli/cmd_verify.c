/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/command.h"

#include <fcntl.h>
#include <stdio.h>

#include "cli/exit.h"
#include "cli/reading.h"
#include "util/log.h"
#include "verify/verify.h"

struct verify_opts {
	bool force;
};

static const struct opt verify_opts[] = {
	TRACE_INPUT_FORCE_OPT(struct verify_opts, force),
	{ .name = NULL },
};

static int status_of(enum verify_result result)
{
	switch (result) {
	case VERIFY_PROVEN: return LAB_EXIT_OK;
	case VERIFY_REFUTED: return LAB_EXIT_CONTRADICTED;
	case VERIFY_NOTHING: return LAB_EXIT_UNDECIDED;
	case VERIFY_DAMAGED:
	case VERIFY_DENSE:
	case VERIFY_UNREADABLE: break;
	}
	return LAB_EXIT_FILE;
}

/* Everything from here on handles the trace's bytes, without root. */
static int verify(const struct trace_input *trace)
{
	char why[VERIFY_WHY_MAX];
	enum verify_result result =
		(trace->force ? verify_any_file : verify_file)(trace->fd, stdout, why);

	if (result == VERIFY_DAMAGED)
		log_err("%s is damaged: %s; copy it again from where it was recorded, or record "
			"again",
			trace->path, why);
	else if (result == VERIFY_DENSE)
		trace_input_log_dense(trace);
	else if (result == VERIFY_UNREADABLE)
		log_err("cannot read %s: %s; check the path and the permissions", trace->path, why);
	return status_of(result);
}

static int cmd_verify(int argc, char **argv)
{
	struct verify_opts opts = { 0 };
	struct trace_input trace;
	const char *path = NULL;
	bool want_help;
	int status, cnt = command_parse(verify_opts, &opts, argc, argv, "lab verify", &path, 1,
					&want_help);

	if (cnt < 0)
		return LAB_EXIT_USAGE;
	if (want_help) {
		command_print_help(command_find("verify"));
		return LAB_EXIT_OK;
	}
	status = reading_open(&trace, path, O_RDONLY,
			      opts.force) ?: reading_confine(&trace) ?: verify(&trace);
	trace_input_close(&trace);
	return status;
}

const struct command command_verify = {
	.name = "verify",
	.summary = "Prove or refute the verdict that a trace stores",
	.usage = "lab verify [TRACE] [OPTIONS]",
	.opts = verify_opts,
	.details = "TRACE is a trace file, or the folder of a run that has trace.lab in it; "
		   "without it,\n"
		   "the newest run of the folder runs (lab runs lists them). An independent\n"
		   "checker, which shares no code with the report, reads every record, derives "
		   "each number\n"
		   "of the stored verdict again, and demands that they are equal.\n\n"
		   "Ends with 0 if the verdict is proven, 1 if it is refuted, 4 if there is "
		   "nothing to prove\n"
		   "(it is inconclusive, or none is stored), 5 if the trace is damaged.\n",
	.main = cmd_verify,
};
