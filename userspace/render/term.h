/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_RENDER_TERM_H
#define LAB_RENDER_TERM_H

/*
 * term - the report for a terminal, in sections of one file each. Internal to
 * term*.c, but for term_say().
 *
 * No line is wider than struct term.width, except that a path or a command to
 * copy is never broken. Every text that is not lab's own comes through term_safe().
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/format.h"
#include "render/glyphs.h"
#include "render/render.h"

#define TERM_WIDTH_MIN 80
#define TERM_WIDTH_MAX 200
#define TERM_WIDTH_DEFAULT 100
#define TERM_INDENT 10		/* where the text of a labelled paragraph stands */
#define TERM_LANES_MAX 24	/* task lanes, and rows of a table */
#define TERM_CPU_LANES_MAX 16

/*
 * Takes a paragraph, unwrapped. @label is "" where one goes on. The texts are safe for a
 * terminal, which does not make them HTML.
 */
typedef void term_sink(void *arg, const char *label, const char *text);

struct term {
	FILE *out;
	const struct model *m;
	const struct report *r;
	const struct render_opts *opts;
	const struct glyphs *glyphs;
	uint32_t width;
	uint64_t window_ns;	/* T */
	struct render_lens lens; /* what the timeline shows */

	term_sink *sink;	/* takes paragraphs, instead of out; NULL: out does */
	void *sink_arg;

	size_t *by_run;		/* indices of the lens' tasks, most run time in it first; owned */
	size_t by_run_cnt;
	size_t lanes[TERM_LANES_MAX]; /* indices of the tasks with a lane, ascending; 'A' is [0] */
	size_t lane_cnt;
};

/* Text that is safe to print: the only way of a foreign name to the terminal. */
struct safe_text {
	char s[512];
};

/* @src: @len bytes, a NUL ends them early; cut to @max_cols columns. */
struct safe_text term_safe(const struct term *t, const char *src, size_t len, uint32_t max_cols);

/* A NUL-terminated text, or NULL, which is "". */
struct safe_text term_safe_str(const struct term *t, const char *src, uint32_t max_cols);

/* "worker/1 (tid 4711)"; "task 7" if the model has no such task. */
struct safe_text term_task(const struct term *t, uint32_t id);

/* A text put together piece by piece. All-zero is empty; free(s) releases it. */
struct phrase {
	char *s;
	size_t len, cap;
};

void phrase_add(struct phrase *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* "1 task", "1,204 tasks": @noun takes an s. */
void phrase_count(struct phrase *p, uint64_t n, const char *noun);

/* What phrase_add() writes, for an instant: "+12.003 ms" since the window's start. */
struct fmt_text term_instant(const struct term *t, uint64_t at_ns);

/* What comes before counts that may be too small because records are missing; "" if none are. */
const char *term_as_far(const struct term *t);

/* What held ready tasks back: a quota, or the own budgets of tasks of the deadline class. */
const char *term_holder(const struct term *t);

/* @at_ns relative to the window's start; 0 if before. */
uint64_t term_rel(const struct term *t, uint64_t at_ns);

/* Print a paragraph with a label of at most 7 columns ("" for none), and release the phrase. */
void term_para(const struct term *t, const char *label, struct phrase *p);

/* As term_para(), with a label of any length, at the left edge and in this colour. */
void term_headline(const struct term *t, const char *label, const char *sgr, struct phrase *p);

/*
 * Print why a task was blocked, and for how long its state is not known, longest first, and end the
 * line. @row: also in what calls, where a reason
 * alone says little; NULL: no calls
 */
void term_reasons(const struct term *t, const uint64_t *blocked_ns, uint64_t unknown_ns,
		  const struct report_task *row, uint32_t room);

/*
 * Print a line, indented by @indent, about the tasks that have no lane because they hardly ran: how
 * much all of them did; if that is more than 1 %, a line with those of one name together. Nothing
 * if there are none.
 */
void term_folded(const struct term *t, uint32_t indent);

/* Print a line with a label as term_para() does, unbroken: something to copy. */
void term_line(const struct term *t, const char *label, const char *text);

/* Switch to these SGR parameters, or back with ""; nothing without colour. */
void term_sgr(const struct term *t, const char *params);

/* Print @text padded to @cols columns. */
void term_pad(const struct term *t, const char *text, uint32_t cols);

/* The letter of a task (an index into model.tasks); ' ' if it has no lane. */
char term_letter(const struct term *t, size_t task_idx);

/*
 * The paragraphs of the report, headline first, for a reader that is no terminal: the words of
 * every format are the same. Takes @opts->utf8.
 */
void term_say(const struct model *m, const struct report *r, const struct render_opts *opts,
	      term_sink *sink, void *arg);

/* Whether to say also what few readers need: record numbers, bounds of clocks, standing limits. */
static inline bool term_in_detail(const struct term *t)
{
	return t->sink || t->opts->verbose;
}

/* Print a section, or nothing where it does not apply. */
#define SECTION(name, forms) void term_##name(const struct term *t);
#include "render/section.def"
#undef SECTION

/*
 * Add the command line that would show what the program waited for, if opts->hook has one and
 * nothing else shows it. Return: whether it was added.
 */
bool term_hook_line(const struct term *t, struct phrase *p);

/* What follows "run it again" if other programs were in the way; "" if lab did it or cannot. */
const char *term_or_until_quiet(const struct term *t);

#endif /* LAB_RENDER_TERM_H */
