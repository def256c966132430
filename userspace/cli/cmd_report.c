/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/command.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/exit.h"
#include "cli/lens.h"
#include "cli/output.h"
#include "cli/privilege.h"
#include "render/render.h"
#include "util/log.h"

struct report_opts {
	const char *format;
	const char *file;	/* NULL or "-": standard output */
	bool certify;
	struct output_look look;
	struct lens_ask ask;
};

static const struct opt report_opts[] = {
	{ .name = "format", .letter = 'f', .kind = OPT_STRING,
	  .off = offsetof(struct report_opts, format), .metavar = "FORMAT",
	  .help = "one of those below (default: term)" },
	{ .name = "output", .letter = 'o', .kind = OPT_STRING,
	  .off = offsetof(struct report_opts, file), .metavar = "FILE",
	  .help = "write to FILE, whole or not at all; - is standard output" },
	{ .name = "certify", .kind = OPT_FLAG, .off = offsetof(struct report_opts, certify),
	  .help = "store the verdict in TRACE, for lab verify, as lab run does" },
	LENS_OPTS(struct report_opts, ask),
	OUTPUT_LOOK_OPTS(struct report_opts, look),
	{ .name = NULL },
};

static void print_help(void)
{
	command_print_help(command_find("report"));
	printf("\nformats:\n");
	for (size_t i = 0; renderers[i]; i++)
		printf("  %-12s %s\n", renderers[i]->name, renderers[i]->help);
}

static int status_of(int err)
{
	switch (err) {
	case 0:
	case -EPIPE: return LAB_EXIT_OK;
	case -EINVAL:
	case -ENOENT: return LAB_EXIT_USAGE;
	default: return LAB_EXIT_FILE;
	}
}

static bool to_stdout(const char *file)
{
	return !file || !strcmp(file, "-") || !strcmp(file, "/dev/stdout");
}

static int write_report(const struct output *out, const struct report_opts *opts)
{
	struct output_look look = opts->look;
	struct lens lens = { 0 };
	int status;

	if (lens_is_asked(&opts->ask)) {
		if (lens_make(&out->model, &opts->ask, &lens)) {
			lens_release(&lens);
			return LAB_EXIT_USAGE;
		}
		look.lens = &lens.lens;
	}
	if (to_stdout(opts->file))
		status = status_of(output_write(out, opts->format, &look, NULL, stdout));
	else if (output_write_file(out, opts->format, &look, NULL, opts->file))
		status = LAB_EXIT_FILE;
	else
		status = LAB_EXIT_OK;
	lens_release(&lens);
	return status == LAB_EXIT_OK && out->damaged ? LAB_EXIT_FILE : status;
}

/* Everything from here on handles the trace's bytes, without root. */
static int report(const char *path, const struct report_opts *opts, const struct privilege_user *user)
{
	struct output out;
	int status = LAB_EXIT_FILE, err = output_load(&out, path);

	if (err) {
		if (err == -EACCES && user->differs)
			log_info("under sudo, reports are made as the invoking user, %s", user->name);
	} else if (!opts->certify || !output_certify(&out)) {
		status = write_report(&out, opts);
	}
	output_release(&out);
	return status;
}

static int cmd_report(int argc, char **argv)
{
	struct report_opts opts = { .format = "term", .ask = LENS_ASK_ALL };
	struct privilege_user user;
	const char *path = NULL;
	bool want_help;
	int cnt = command_parse(report_opts, &opts, argc, argv, "lab report", &path, 1, &want_help);

	if (cnt < 0)
		return LAB_EXIT_USAGE;
	if (want_help) {
		print_help();
		return LAB_EXIT_OK;
	}
	if (!cnt) {
		log_err("lab report: name a trace, or the folder of a run: lab report runs/.../trace.lab");
		return LAB_EXIT_USAGE;
	}
	if (output_check_format(opts.format) ||
	    (lens_is_asked(&opts.ask) && output_check_lens(opts.format)))
		return LAB_EXIT_USAGE;
	if (privilege_workload_ids(false, &user))
		return LAB_EXIT_USAGE;
	if (privilege_drop_for_rendering(&user))
		return LAB_EXIT_FILE;
	return report(path, &opts, &user);
}

const struct command command_report = {
	.name = "report",
	.summary = "Report on a recorded trace",
	.usage = "lab report TRACE [OPTIONS]",
	.opts = report_opts,
	.details = "TRACE is a trace file, or the folder of a run that has trace.lab in it. On a terminal\n"
		   "the report takes its width, colour, and UTF-8 if the locale has it; in a pipe or a\n"
		   "file it is 100 columns of ASCII without colour.\n\n"
		   "With --from, --to, --task or --cpu the report is of that part of the run: its timeline,\n"
		   "and its numbers. The verdict stays the whole run's.\n\n"
		   "Ends with 0 even if the verdict is inconclusive: it did report. A trace whose\n"
		   "recording was cut off is reported as far as it goes (0); from a damaged one, what can\n"
		   "be read is reported, and the status is 5. If a verdict is stored in TRACE that does not\n"
		   "follow from its records, the report says so.\n",
	.main = cmd_report,
};
