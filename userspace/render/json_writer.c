/* SPDX-License-Identifier: GPL-2.0-only */
#include <inttypes.h>
#include <string.h>

#include "util/format.h"
#include "render/json_writer.h"
#include "util/text.h"

static void indent(const struct json *j)
{
	if (j->flat)
		fputc(' ', j->out);
	else
		fprintf(j->out, "\n%*s", (int)(2 * j->depth), "");
}

/* What stands before a value. */
static void begin(struct json *j, const char *key)
{
	if (j->depth) {
		bool first = !j->filled[j->depth];

		j->filled[j->depth] = true;
		if (!first)
			fputc(',', j->out);
		if (!first || !j->flat)
			indent(j);
	}
	if (key)
		fprintf(j->out, "\"%s\": ", key);
}

static void open_nest(struct json *j, const char *key, char bracket)
{
	begin(j, key);
	fputc(bracket, j->out);
	j->depth++;
	j->filled[j->depth] = false;
}

static void close_nest(struct json *j, char bracket)
{
	bool filled = j->filled[j->depth];

	j->depth--;
	if (filled && !j->flat)
		indent(j);
	if (j->flat > j->depth)
		j->flat = 0;
	fputc(bracket, j->out);
	if (!j->depth)
		fputc('\n', j->out);
}

static void flatten(struct json *j)
{
	if (!j->flat)
		j->flat = j->depth;
}

void json_open_object(struct json *j, const char *key)
{
	open_nest(j, key, '{');
}

void json_close_object(struct json *j)
{
	close_nest(j, '}');
}

void json_open_array(struct json *j, const char *key)
{
	open_nest(j, key, '[');
}

void json_close_array(struct json *j)
{
	close_nest(j, ']');
}

void json_open_row(struct json *j, const char *key)
{
	open_nest(j, key, '{');
	flatten(j);
}

void json_open_list(struct json *j, const char *key)
{
	open_nest(j, key, '[');
	flatten(j);
}

void json_uint(struct json *j, const char *key, uint64_t value)
{
	begin(j, key);
	fprintf(j->out, "%" PRIu64, value);
}

void json_int(struct json *j, const char *key, int64_t value)
{
	begin(j, key);
	fprintf(j->out, "%" PRId64, value);
}

void json_bool(struct json *j, const char *key, bool value)
{
	begin(j, key);
	fputs(value ? "true" : "false", j->out);
}

void json_null(struct json *j, const char *key)
{
	begin(j, key);
	fputs("null", j->out);
}

void json_text(struct json *j, const char *key, const char *s, size_t len)
{
	begin(j, key);
	text_json(j->out, s, strnlen(s, len));
}

void json_str(struct json *j, const char *key, const char *s)
{
	begin(j, key);
	text_json(j->out, s ? s : "", s ? strlen(s) : 0);
}

void json_double(struct json *j, const char *key, double value)
{
	begin(j, key);
	fprintf(j->out, "%.9g", value);
}

void json_ratio(struct json *j, const char *key, uint64_t num, uint64_t den)
{
	if (!den) {
		json_null(j, key);
		return;
	}
	begin(j, key);
	fputs(fmt_ratio(num, den, 6).s, j->out);
}
