/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/command.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/apart.h"
#include "cli/exit.h"
#include "cli/lens.h"
#include "cli/output.h"
#include "cli/reading.h"
#include "render/render.h"
#include "util/log.h"

struct report_opts {
	const char *format;
	const char *file;	/* NULL or "-": standard output */
	bool certify, force;
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
	TRACE_INPUT_FORCE_OPT(struct report_opts, force),
	LENS_OPTS(struct report_opts, ask),
	OUTPUT_LOOK_OPTS(struct report_opts, look),
	OUTPUT_VERBOSE_OPT(struct report_opts, look),
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

/* A report that is to be made. */
struct job {
	const struct trace_input *trace;
	const struct report_opts *opts;
	int fd;			/* to write to, and to be closed */
	const char *name;	/* of what is written, for the sentences */
};

struct answer {
	int status;
	bool is_written;	/* all of it */
};

static int write_report(const struct output *out, const struct job *job, FILE *to)
{
	struct output_look look = job->opts->look;
	struct lens lens = { 0 };
	int err = 0;

	if (lens_is_asked(&job->opts->ask)) {
		err = lens_make(&out->model, &job->opts->ask, &lens) ? -EINVAL : 0;
		look.lens = &lens.lens;
	}
	if (!err)
		err = output_write(out, job->opts->format, &look, NULL, to, job->name);
	lens_release(&lens);
	return err;
}

/* Everything from here on handles the trace's bytes, without root. */
static void report(const struct job *job, struct answer *answer)
{
	struct output out;
	FILE *to = fdopen(job->fd, "w");
	int err;

	answer->status = LAB_EXIT_FILE;
	if (!to) {
		output_write_error(job->name, -errno);
		return;
	}
	err = output_load(&out, job->trace);
	if (!err && !(job->opts->certify && output_certify(&out))) {
		err = write_report(&out, job, to);
		answer->is_written = !err;
		answer->status = status_of(err);
		if (answer->status == LAB_EXIT_OK && out.damaged)
			answer->status = LAB_EXIT_FILE;
	}
	output_release(&out);
	fclose(to);
}

static void be_reader(void *arg, void *out)
{
	const struct job *job = arg;
	struct answer *answer = out;

	apart_unblock_signals();
	answer->status = reading_confine(job->trace);
	if (!answer->status)
		report(job, answer);
}

/* Who reads the trace gets a descriptor; the name is given to the file by who does not. */
static int report_to_file(struct job *job)
{
	const struct target_place place = { .folder_fd = AT_FDCWD, .path = job->opts->file };
	struct answer answer;
	struct target target;
	int interrupted_by, err, status;

	err = target_open(&target, &place);
	if (err) {
		output_write_error(place.path, err);
		return LAB_EXIT_FILE;
	}
	job->fd = target.fd;
	job->name = place.path;
	apart_block_signals();
	status = apart_run(be_reader, job, &answer, sizeof(answer), &interrupted_by);
	close(target.fd);
	if (!status)
		status = interrupted_by ? 128 + interrupted_by : answer.status;
	if (status >= 128 || !answer.is_written) {
		target_abandon(&target);
		return status;
	}
	err = target_commit(&target);
	if (err)
		output_write_error(place.path, err);
	return err ? LAB_EXIT_FILE : status;
}

static int report_to_stdout(struct job *job)
{
	struct answer answer = { 0 };
	int status = reading_confine(job->trace);

	job->fd = STDOUT_FILENO;
	job->name = "the report";
	if (!status)
		report(job, &answer);
	return status ? status : answer.status;
}

static int cmd_report(int argc, char **argv)
{
	struct report_opts opts = { .format = "term", .ask = LENS_ASK_ALL };
	struct trace_input trace;
	struct job job = { .trace = &trace, .opts = &opts };
	const char *path = NULL;
	bool want_help;
	int status, cnt = command_parse(report_opts, &opts, argc, argv, "lab report", &path, 1,
					&want_help);

	if (cnt < 0)
		return LAB_EXIT_USAGE;
	if (want_help) {
		print_help();
		return LAB_EXIT_OK;
	}
	if (output_check_format(opts.format) ||
	    (lens_is_asked(&opts.ask) && output_check_lens(opts.format)))
		return LAB_EXIT_USAGE;
	status = reading_open(&trace, path, opts.certify ? O_RDWR : O_RDONLY, opts.force);
	if (!status)
		status = to_stdout(opts.file) ? report_to_stdout(&job) : report_to_file(&job);
	trace_input_close(&trace);
	return status;
}

const struct command command_report = {
	.name = "report",
	.summary = "Report on a recorded trace",
	.usage = "lab report [TRACE] [OPTIONS]",
	.opts = report_opts,
	.details = "TRACE is a trace file, or the folder of a run that has trace.lab in it; "
		   "without it,\n"
		   "the newest run of the folder runs (lab runs lists them). On a terminal\n"
		   "the report takes its width, colour, and UTF-8 if the locale has it; in a pipe "
		   "or a\n"
		   "file it is 100 columns of ASCII without colour.\n\n"
		   "With --from, --to, --task or --cpu the report is of that part of the run: its "
		   "timeline,\n"
		   "and its numbers. The verdict stays the whole run's.\n\n"
		   "Ends with 0 even if the verdict is inconclusive: it did report. A trace whose\n"
		   "recording was cut off is reported as far as it goes (0); from a damaged one, "
		   "what can\n"
		   "be read is reported, and the status is 5. If a verdict is stored in TRACE that "
		   "does not\n"
		   "follow from its records, the report says so.\n",
	.main = cmd_report,
};
