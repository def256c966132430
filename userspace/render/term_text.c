/* SPDX-License-Identifier: GPL-2.0-only */
#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "render/term.h"
#include "util/alloc.h"
#include "util/text.h"

struct safe_text term_safe(const struct term *t, const char *src, size_t len, uint32_t max_cols)
{
	struct safe_text safe;

	text_for_terminal(safe.s, sizeof(safe.s), src, len, max_cols, t->opts->utf8);
	return safe;
}

struct safe_text term_safe_str(const struct term *t, const char *src, uint32_t max_cols)
{
	return term_safe(t, src ? src : "", src ? strlen(src) : 0, max_cols);
}

struct safe_text term_task(const struct term *t, uint32_t id)
{
	const struct model_task *task = model_task(t->m, id);
	struct safe_text safe;
	size_t len;

	if (!task) {
		snprintf(safe.s, sizeof(safe.s), "task %u", id);
		return safe;
	}
	safe = term_safe(t, task->comm, sizeof(task->comm), LAB_COMM_LEN);
	len = strlen(safe.s);
	snprintf(safe.s + len, sizeof(safe.s) - len, " (tid %u)", task->tid);
	return safe;
}

static void phrase_room(struct phrase *p, size_t more)
{
	if (p->len + more < p->cap)
		return;
	p->cap = 2 * (p->len + more) + 64;
	p->s = xreallocarray(p->s, p->cap, 1);
}

void phrase_add(struct phrase *p, const char *fmt, ...)
{
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	if (len < 0)
		return;
	phrase_room(p, (size_t)len);
	va_start(args, fmt);
	vsnprintf(p->s + p->len, (size_t)len + 1, fmt, args);
	va_end(args);
	p->len += (size_t)len;
}

void phrase_count(struct phrase *p, uint64_t n, const char *noun)
{
	phrase_add(p, "%s %s%s", fmt_count(n).s, noun, n == 1 ? "" : "s");
}

uint64_t term_rel(const struct term *t, uint64_t at_ns)
{
	return at_ns > t->m->start_ns ? at_ns - t->m->start_ns : 0;
}

struct fmt_text term_instant(const struct term *t, uint64_t at_ns)
{
	struct fmt_text rel = fmt_ns(term_rel(t, at_ns));
	struct fmt_text instant;

	snprintf(instant.s, sizeof(instant.s), "+%.*s", (int)sizeof(instant.s) - 2, rel.s);
	return instant;
}

const char *term_as_far(const struct term *t)
{
	return t->r->lossless ? "" : "as far as the records tell, ";
}

const char *term_holder(const struct term *t)
{
	if (!t->m->budget_holds)
		return "the quota";
	return t->m->quota_holds ? "the quota or deadline budgets" : "deadline budgets";
}

/* A number and the word that it counts stay on one line: "48.211 ms", "CPU 0". */
static bool breaks_here(const char *text, const char *space)
{
	unsigned char before = space > text ? (unsigned char)space[-1] : ' ';
	unsigned char after = (unsigned char)space[1];

	if (isdigit(before))
		return !isalpha(after) && after != '%';
	return !(isalpha(before) && isdigit(after));
}

/* The bytes of the first part of @text that is not to be broken, without spaces around it. */
static size_t unit_len(const char *text, const char *from)
{
	const char *end = from;

	while (*end && !(*end == ' ' && breaks_here(text, end)))
		end++;
	return (size_t)(end - from);
}

static size_t columns(const char *s, size_t len)
{
	char *copy = xstrndup(s, len);
	size_t cols = text_columns(copy);

	free(copy);
	return cols;
}

/* The most bytes of @s in whole characters, at least one, that take at most @cols columns. */
static size_t fitting(const char *s, size_t len, size_t cols)
{
	size_t fit = 0;

	while (fit < len) {
		size_t next = fit + 1;

		while (next < len && ((unsigned char)s[next] & 0xc0) == 0x80)
			next++;
		if (fit && columns(s, next) > cols)
			break;
		fit = next;
	}
	return fit;
}

static void newline(const struct term *t)
{
	fprintf(t->out, "\n%*s", TERM_INDENT, "");
}

/* @col columns of the first line are taken. */
static void wrap(const struct term *t, const char *text, size_t col)
{
	const char *at = text;
	bool fresh = true;	/* nothing yet since the indent or label */

	while (*at) {
		size_t len = unit_len(text, at);
		size_t cols = columns(at, len);

		if (!fresh && col + 1 + cols > t->width) {
			newline(t);
			col = TERM_INDENT;
			fresh = true;
		}
		if (!fresh) {
			fputc(' ', t->out);
			col++;
		}
		while (col + cols > t->width) {
			size_t fit = fitting(at, len, t->width - col);

			fwrite(at, 1, fit, t->out);
			newline(t);
			at += fit;
			len -= fit;
			cols = columns(at, len);
			col = TERM_INDENT;
		}
		fwrite(at, 1, len, t->out);
		col += cols;
		at += len;
		fresh = false;
		while (*at == ' ')
			at++;
	}
	fputc('\n', t->out);
}

static void phrase_wrap(const struct term *t, struct phrase *p, size_t col)
{
	wrap(t, p->s ? p->s : "", col);
	free(p->s);
	*p = (struct phrase){ 0 };
}

/* Return: false if there is none to take it. */
static bool to_sink(const struct term *t, const char *label, struct phrase *p)
{
	if (!t->sink)
		return false;
	t->sink(t->sink_arg, label, p->s ? p->s : "");
	free(p->s);
	*p = (struct phrase){ 0 };
	return true;
}

void term_para(const struct term *t, const char *label, struct phrase *p)
{
	if (to_sink(t, label, p))
		return;
	fprintf(t->out, "  %-*s", TERM_INDENT - 2, label);
	phrase_wrap(t, p, TERM_INDENT);
}

void term_headline(const struct term *t, const char *label, const char *sgr, struct phrase *p)
{
	if (to_sink(t, label, p))
		return;
	term_sgr(t, sgr);
	fputs(label, t->out);
	term_sgr(t, "");
	fputs("  ", t->out);
	phrase_wrap(t, p, strlen(label) + 2);
}

void term_sgr(const struct term *t, const char *params)
{
	if (t->opts->color)
		fprintf(t->out, "\033[%sm", params);
}

void term_pad(const struct term *t, const char *text, uint32_t cols)
{
	size_t used = text_columns(text);

	fprintf(t->out, "%s%*s", text, used < cols ? (int)(cols - used) : 0, "");
}

char term_letter(const struct term *t, size_t task_idx)
{
	for (size_t i = 0; i < t->lane_cnt; i++)
		if (t->lanes[i] == task_idx)
			return (char)('A' + i);
	return ' ';
}

void term_blank_line(const struct term *t)
{
	fputc('\n', t->out);
}
