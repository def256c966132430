/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/output.h"

#include <errno.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "analyze/missing.h"
#include "cli/exit.h"
#include "cli/hook.h"
#include "cli/self.h"
#include "render/render.h"
#include "trace/certificate.h"
#include "trace/seal.h"
#include "trace/trace.h"
#include "util/alloc.h"
#include "util/io.h"
#include "util/log.h"
#include "util/minmax.h"
#include "util/nearest.h"
#include "verify/verify.h"

#define PROGRESS_SPANS 1000000	/* a page of fewer is there at once */

const char *const output_color_choices[] = { "auto", "always", "never", NULL };

/* The lines of the certificate, to be freed; NULL if there is no memory for them. */
static char *certificate_lines(const struct output *out)
{
	const struct render_opts opts = { 0 };
	char *lines = NULL;
	size_t len;
	FILE *to = open_memstream(&lines, &len);

	if (!to)
		return NULL;
	renderer_find("certificate")->render(&out->model, &out->report, &opts, to);
	if (!fclose(to))
		return lines;
	free(lines);
	return NULL;
}

/* What the checker says, which nobody is shown here. */
static bool is_refuted(int fd)
{
	char why[VERIFY_WHY_MAX], *said = NULL;
	size_t len;
	FILE *to = open_memstream(&said, &len);
	bool refuted = to && verify_any_file(fd, to, why) == VERIFY_REFUTED;

	if (to)
		fclose(to);
	free(said);
	return refuted;
}

/*
 * A stored verdict that is what lab would store now holds. Another one may name another witness:
 * the checker knows whether that holds.
 */
static void compare_certificate(struct output *out)
{
	char *lines = certificate_lines(out);
	bool is_same = false;
	int err = lines ? trace_certificate_compare(out->trace->fd, lines, &is_same) : -ENOMEM;

	free(lines);
	if (err)
		return;
	out->certificate = CERTIFICATE_HOLDS;
	if (is_same || !is_refuted(out->trace->fd))
		return;
	out->certificate = CERTIFICATE_REFUTED;
	log_warn("the verdict that is stored in %s does not follow from its records: lab verify "
		 "lists the differences",
		 out->trace->path);
}

int output_load(struct output *out, const struct trace_input *trace)
{
	const struct trace_source from = { .fd = trace->fd, .seal = trace->seal };
	struct trace_reader *reader = NULL;
	int err;

	*out = (struct output){ .trace = trace };
	err = trace_reader_start(&reader, &from, trace->path);
	if (err)
		return err;
	if (!trace->force && !trace->seal && trace_reader_is_dense(reader)) {
		trace_input_log_dense(trace);
		trace_reader_free(reader);
		return -EFBIG;
	}
	err = model_build(reader, &out->model);
	if (!err) {
		out->damaged = trace_reader_damaged(reader);
		if (!out->model.complete)
			log_warn("%s is %s: %s", trace->path,
				 out->damaged ? "damaged" : "incomplete", out->model.damage);
		report_compute(&out->model, &out->report);
		/* Of one's own file there is none yet. */
		if (out->model.complete && !trace->seal)
			compare_certificate(out);
		report_hide_missing(&out->model, &out->report);
	}
	trace_reader_free(reader);
	return err;
}

void output_release(struct output *out)
{
	if (!out)
		return;
	report_release(&out->report);
	model_release(&out->model);
	*out = (struct output){ 0 };
}

bool output_color_on(int fd, enum output_color color)
{
	const char *no_color = getenv("NO_COLOR");
	const char *term = getenv("TERM");

	if (color != OUTPUT_COLOR_AUTO)
		return color == OUTPUT_COLOR_ALWAYS;
	if (no_color && *no_color)
		return false;
	return isatty(fd) && term && *term && strcmp(term, "dumb") != 0;
}

static uint32_t width_of(int fd, uint32_t asked)
{
	struct winsize size = { 0 };

	if (asked)
		return asked;
	if (!isatty(fd) || ioctl(fd, TIOCGWINSZ, &size) || !size.ws_col)
		return OUTPUT_WIDTH_DEFAULT;
	return size.ws_col;
}

int output_check_format(const char *format)
{
	char list[512] = "";
	size_t used = 0;

	if (renderer_find(format))
		return 0;
	for (size_t i = 0; renderers[i] && used < sizeof(list); i++)
		used += (size_t)snprintf(list + used, sizeof(list) - used, " %s",
					 renderers[i]->name);
	log_err("there is no format '%s'%s There are:%s", format,
		nearest_or(NEAREST_OF(format, renderers), ".").s, list);
	return -ENOENT;
}

int output_check_lens(const char *format)
{
	const struct renderer *renderer = renderer_find(format);
	char list[512] = "";
	size_t used = 0;

	if (renderer && renderer->takes_lens)
		return 0;
	for (size_t i = 0; renderers[i] && used < sizeof(list); i++)
		if (renderers[i]->takes_lens)
			used += (size_t)snprintf(list + used, sizeof(list) - used, " %s",
						 renderers[i]->name);
	log_err("format '%s' has always the whole run; --from, --to, --task and --cpu are for:%s",
		format, list);
	return -EINVAL;
}

int output_write_error(const char *path, int err)
{
	if (err == -ENXIO)
		log_err("cannot write %s: it is neither a file nor a device", path);
	else if (err != -EPIPE)
		log_err("cannot write %s: %s", path, io_reason(-err));
	return err;
}

/* On the terminal of who waits for a large page; the line is gone when it is done. */
static void show_progress(uint64_t done, uint64_t total)
{
	if (done < total)
		fprintf(stderr, "\rlab: writing the page: %u %%",
			(unsigned int)(100 * done / total));
	else
		fputs("\r\033[K", stderr);
	fflush(stderr);
}

/*
 * A stream onto another. It keeps why that failed first: over a renderer's many calls errno is
 * lost.
 */
struct sink {
	FILE *to;
	int err;		/* 0 or -errno */
};

/*
 * Where @to is a file: as io_write_all(), whatever others made of it. Where it is memory, it has
 * none.
 */
static int pass_on(FILE *to, const char *buf, size_t len)
{
	if (fileno(to) >= 0)
		return io_write_all(fileno(to), buf, len);
	errno = 0;
	if (fwrite(buf, 1, len, to) == len && !fflush(to))
		return 0;
	return errno ? -errno : -EIO;
}

static ssize_t sink_write(void *cookie, const char *buf, size_t len)
{
	struct sink *sink = cookie;

	if (!sink->err)
		sink->err = pass_on(sink->to, buf, len);
	return sink->err ? 0 : (ssize_t)len;
}

/* Logs nothing. */
static int render_to(output_fn *render, const void *what, const struct output_look *look, FILE *to)
{
	int fd = fileno(to);
	struct sink sink = { .to = to, .err = fflush(to) ? -errno : 0 };
	FILE *out = fopencookie(&sink, "w", (cookie_io_functions_t){ .write = sink_write });
	struct render_opts opts = {
		.width = width_of(fd, look->width),
		.utf8 = !look->ascii && isatty(fd) && render_utf8_ok(),
		.color = output_color_on(fd, look->color),
		.brief = look->brief,
		.verbose = look->verbose,
		.lens = look->lens,
		.command = self_command(),
	};
	int err;

	if (!out)
		return -errno;
	err = render(what, &opts, out);
	fclose(out);
	return sink.err ? sink.err : err;
}

const char *output_hook(const struct output *out)
{
	const struct trace_meta *meta = &out->model.meta;
	const struct hook *hook = meta->argc ? hook_of_program(meta->argv[0]) : NULL;

	return hook && !out->hooked ? hook->name : NULL;
}

/* A trace's report in one format, as an output_fn takes it. */
struct report_source {
	const struct output *out;
	const struct renderer *renderer;
	const char *html_path;
};

static int render_report(const void *what, const struct render_opts *opts, FILE *to)
{
	const struct report_source *source = what;
	struct render_opts own = *opts;

	own.trace_path = source->out->trace->path;
	own.sudo = source->out->trace->by_sudo;
	own.hook = output_hook(source->out);
	own.html_path = source->html_path;
	own.certificate = source->out->certificate;
	if (!own.brief && source->out->model.span_cnt > PROGRESS_SPANS && isatty(STDERR_FILENO))
		own.progress = show_progress;
	return source->renderer->render(&source->out->model, &source->out->report, &own, to);
}

int output_stream(output_fn *render, const void *what, const struct output_look *look, FILE *to,
		  const char *name)
{
	int err = render_to(render, what, look, to);

	if (!err)
		return 0;
	/* It is said here: the end of the program is not to fail to write the rest. */
	__fpurge(to);
	clearerr(to);
	return output_write_error(name, err);
}

int output_write(const struct output *out, const char *format, const struct output_look *look,
		 const char *html_path, FILE *to, const char *name)
{
	const struct renderer *renderer = renderer_find(format);
	const struct report_source source = { out, renderer, html_path };

	if (!renderer)
		return output_check_format(format);
	if (renderer->binary && isatty(fileno(to))) {
		log_err("%s is not meant for a terminal: give '-o FILE'", format);
		return -EINVAL;
	}
	return output_stream(render_report, &source, look, to, name);
}

int output_file(output_fn *render, const void *what, const struct output_look *look,
		const struct target_place *place)
{
	struct target target;
	int err = target_open(&target, place);
	FILE *to = err ? NULL : fdopen(target.fd, "w");

	if (!to) {
		err = err ? err : -errno;
		if (target.fd >= 0)
			close(target.fd);
		target_abandon(&target);
		return output_write_error(place->shown ? place->shown : place->path, err);
	}
	err = render_to(render, what, look, to);
	if (fclose(to) && !err)
		err = -errno;
	if (err)
		target_abandon(&target);
	else
		err = target_commit(&target);
	return err ? output_write_error(place->shown ? place->shown : place->path, err) : 0;
}

int output_write_file(const struct output *out, const char *format, const struct output_look *look,
		      const char *html_path, const struct target_place *place)
{
	const struct renderer *renderer = renderer_find(format);
	const struct report_source source = { out, renderer, html_path };

	if (!renderer)
		return output_check_format(format);
	return output_file(render_report, &source, look, place);
}

int output_certify(struct output *out)
{
	struct stat st;
	char *lines;
	int err;

	if (!out->model.complete) {
		log_err("%s is incomplete: a verdict on it is not stored", out->trace->path);
		return -EBADMSG;
	}
	lines = certificate_lines(out);
	err = lines ? trace_certificate_store(out->trace->fd, lines) : -ENOMEM;
	free(lines);
	if (err) {
		log_err("the verdict could not be stored in %s: %s", out->trace->path,
			io_reason(-err));
		return err;
	}
	if (!fstat(out->trace->fd, &st))
		out->model.file_bytes = (uint64_t)st.st_size;
	out->certificate = CERTIFICATE_HOLDS;
	return 0;
}

int output_exit_code(const struct output *out)
{
	const struct report_verdict *verdict = &out->report.verdict;

	switch (verdict->claim_holds) {
	case CLAIM_NO: return LAB_EXIT_CONTRADICTED;
	case CLAIM_UNDECIDED: return LAB_EXIT_UNDECIDED;
	case CLAIM_YES: return LAB_EXIT_OK;
	case CLAIM_NOT_MADE: break;
	}
	return verdict->class == CLASS_INCONCLUSIVE ? LAB_EXIT_UNDECIDED : LAB_EXIT_OK;
}
