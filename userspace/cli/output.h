/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_CLI_OUTPUT_H
#define LAB_CLI_OUTPUT_H

/*
 * output - from a trace file to a report on a stream or in a file: what run
 * and report share. Call privilege_drop_for_rendering() first: everything here
 * handles hostile bytes.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "analyze/report.h"
#include "cli/target.h"
#include "cli/trace_input.h"
#include "model/model.h"
#include "render/render.h"
#include "util/opts.h"

#define OUTPUT_WIDTH_DEFAULT 100	/* where there is no terminal */
#define OUTPUT_WIDTH_MIN 80	/* what --width takes */
#define OUTPUT_WIDTH_MAX 200

enum output_color {
	OUTPUT_COLOR_AUTO = 0,	/* on a terminal, unless NO_COLOR is set or TERM is dumb */
	OUTPUT_COLOR_ALWAYS = 1,
	OUTPUT_COLOR_NEVER = 2,
};

/* How a report is to look. All-zero is the default. */
struct output_look {
	uint32_t width;		/* columns; 0: the terminal's, or OUTPUT_WIDTH_DEFAULT */
	uint32_t color;		/* enum output_color */
	bool ascii;		/* even where the terminal takes UTF-8 */
	bool brief;		/* the verdict only */
	bool verbose;		/* all sections of a report */
	const struct render_lens *lens; /* NULL: all of it */
};

extern const char *const output_color_choices[];

/* The rows of an option table for a struct output_look which is member @look of @type. */
#define OUTPUT_LOOK_OPTS(type, look) \
	{ .name = "width", .kind = OPT_U32, .off = offsetof(type, look.width), .metavar = "N", \
	  .help = "columns of the report (default: the terminal's; 100 in a pipe or file)", \
	  .min = OUTPUT_WIDTH_MIN, .max = OUTPUT_WIDTH_MAX }, \
	{ .name = "color", .kind = OPT_CHOICE, .off = offsetof(type, look.color), \
	  .metavar = "WHEN", .choices = output_color_choices, \
	  .help = "auto (on a terminal, unless NO_COLOR is set), always or never" }, \
	{ .name = "ascii", .kind = OPT_FLAG, .off = offsetof(type, look.ascii), \
	  .help = "draw with ASCII only" }, \
	{ .name = "quiet", .letter = 'q', .kind = OPT_FLAG, .off = offsetof(type, look.brief), \
	  .help = "print the verdict only" }

/* The row of --verbose, for what prints the report on one run. */
#define OUTPUT_VERBOSE_OPT(type, look) \
	{ .name = "verbose", .letter = 'v', .kind = OPT_FLAG, .off = offsetof(type, look.verbose), \
	  .help = "show every section: records, waits, migrations, critical path, tables" }

/* A trace with everything computed from it. All-zero is empty. */
struct output {
	struct model model;
	struct report report;
	bool damaged;		/* bytes of the file are wrong or gone, not merely never written */
	bool hooked;		/* a start-up hook was on */
	const struct trace_input *trace;	/* that it is of; borrowed */
	enum certificate_state certificate;
};

/**
 * output_load() - read a trace and compute its report
 * @trace: borrowed for the life of @out
 * @out: caller's storage, overwritten; output_release() it even after an error
 *
 * If a verdict is stored in it, that must follow from the records: else one warning is logged. An
 * incomplete file loads, and so does a damaged one of which something can be read: one warning is
 * logged.
 *
 * Return: 0, or -errno after one logged sentence which names it; -EFBIG: it is dense
 * (trace_reader_is_dense()).
 */
int output_load(struct output *out, const struct trace_input *trace);

/* Accepts NULL and an all-zero one. */
void output_release(struct output *out);

/**
 * output_write() - render to a stream
 * @format: a renderer's name
 * @html_path: a file to mention in the report, or NULL
 * @name: of what is written, for the sentence
 * @to: flushed before it returns; its file descriptor decides width, colour and glyphs
 *
 * Return: 0, -EPIPE (a reader that went away: logs nothing), or -errno after one logged
 * sentence. -ENOENT: no such format; the sentence names the nearest and lists all.
 */
int output_write(const struct output *out, const char *format, const struct output_look *look,
		 const char *html_path, FILE *to, const char *name);

/**
 * output_write_file() - render to a file, which appears whole or not at all (target.h)
 *
 * Return: as output_write().
 */
int output_write_file(const struct output *out, const char *format, const struct output_look *look,
		      const char *html_path, const struct target_place *place);

/*
 * 0, or -ENOENT after the sentence of output_write(): so that a wrong format is refused before
 * any work is done.
 */
int output_check_format(const char *format);

/* Log why @path could not be written; nothing for -EPIPE. Return: @err. */
int output_write_error(const char *path, int err);

/* Writes @what; 0 or -errno (write error). Flushing and closing are the caller's. */
typedef int output_fn(const void *what, const struct render_opts *opts, FILE *to);

/* 0, or -EINVAL after a sentence that names those formats that can show a part of a run. */
int output_check_lens(const char *format);

/* What is no trace's report, as output_write() does it. Return: as there. */
int output_stream(output_fn *render, const void *what, const struct output_look *look, FILE *to,
		  const char *name);

/* As output_write_file(). */
int output_file(output_fn *render, const void *what, const struct output_look *look,
		const struct target_place *place);

/**
 * output_certify() - store the verdict, with what it rests on, in the trace, which is open for
 * writing too
 *
 * An earlier one is replaced. `lab verify` proves or refutes what is stored.
 *
 * Return: 0, or -errno after one logged sentence; -EBADMSG: the trace is incomplete.
 */
int output_certify(struct output *out);

/*
 * The option of lab run that marks what the command waits for, such as "node"; NULL: none, or it
 * was on.
 */
const char *output_hook(const struct output *out);

/*
 * The exit status that the verdict on a claim (or on --expect) asks for: OK, CONTRADICTED or
 * UNDECIDED.
 */
int output_exit_code(const struct output *out);

/* Whether text on this descriptor is coloured. */
bool output_color_on(int fd, enum output_color color);

#endif /* LAB_CLI_OUTPUT_H */
