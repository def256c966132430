/* SPDX-License-Identifier: GPL-2.0-only */
#include "render/json_writer.h"

#include <inttypes.h>
#include <string.h>

#include "util/alloc.h"
#include "util/format.h"
#include "util/text.h"

#define RATIO_DECIMALS 6

static void indent(const struct json *j)
{
	if (j->flat)
		fputc(' ', j->out);
	else
		fprintf(j->out, "\n%*s", (int)(2 * j->depth), "");
}

/* What stands before a value in a stream. Return: whether the value is to be written there. */
static bool begin(struct json *j, const char *key)
{
	if (j->tree || j->absent)
		return false;
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
	return true;
}

/* Return: the tree's value, to be filled, or NULL: there is no tree. */
static struct json_value *add(struct json *j, const char *key, enum json_kind kind)
{
	uint32_t idx;

	if (!j->tree)
		return NULL;
	idx = json_doc_add(j->tree, j->nests[j->depth], kind, key);
	j->tree->values[idx].absent = j->absent;
	return &j->tree->values[idx];
}

static void open_nest(struct json *j, const char *key, enum json_kind kind, const char *text)
{
	const struct json_value *v = add(j, key, kind);

	if (begin(j, key))
		fputs(text, j->out);
	j->depth++;
	j->filled[j->depth] = false;
	if (v)
		j->nests[j->depth] = (uint32_t)(v - j->tree->values);
}

static void close_nest(struct json *j, char bracket)
{
	bool filled = j->filled[j->depth], written = !j->tree && !j->absent;

	j->depth--;
	if (filled && !j->flat && written)
		indent(j);
	if (j->flat > j->depth)
		j->flat = 0;
	if (written)
		fputc(bracket, j->out);
	if (written && !j->depth)
		fputc('\n', j->out);
}

void json_one_line(struct json *j)
{
	if (!j->flat)
		j->flat = j->depth;
}

void json_begin_if(struct json *j, bool there)
{
	j->absent += j->absent || !there;
}

void json_end_if(struct json *j)
{
	j->absent -= j->absent > 0;
}

size_t json_elements(const struct json *j, size_t cnt)
{
	return j->absent ? 1 : cnt;
}

void json_open_object(struct json *j, const char *key)
{
	open_nest(j, key, JSON_OBJECT, "{");
}

void json_close_object(struct json *j)
{
	close_nest(j, '}');
}

void json_open_array(struct json *j, const char *key)
{
	open_nest(j, key, JSON_ARRAY, "[");
}

void json_close_array(struct json *j)
{
	close_nest(j, ']');
}

void json_open_nullable(struct json *j, const char *key, bool there)
{
	open_nest(j, key, there ? JSON_OBJECT : JSON_NULL, there ? "{" : "null");
	json_begin_if(j, there);
}

void json_close_nullable(struct json *j)
{
	close_nest(j, '}');
	json_end_if(j);
}

void json_open_row(struct json *j, const char *key)
{
	json_open_object(j, key);
	json_one_line(j);
}

void json_open_list(struct json *j, const char *key)
{
	json_open_array(j, key);
	json_one_line(j);
}

/* @text is @digits with so many @decimals. */
static void put_number(struct json *j, const char *key, const char *text, __int128 digits,
		       uint8_t decimals)
{
	struct json_value *v = add(j, key, JSON_NUMBER);

	if (v) {
		v->digits = digits;
		v->decimals = decimals;
	} else if (begin(j, key)) {
		fputs(text, j->out);
	}
}

void json_uint(struct json *j, const char *key, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, value);
	put_number(j, key, text, value, 0);
}

void json_int(struct json *j, const char *key, int64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRId64, value);
	put_number(j, key, text, value, 0);
}

void json_bool(struct json *j, const char *key, bool value)
{
	struct json_value *v = add(j, key, JSON_BOOL);

	if (v)
		v->truth = value;
	else if (begin(j, key))
		fputs(value ? "true" : "false", j->out);
}

void json_null(struct json *j, const char *key)
{
	if (!add(j, key, JSON_NULL) && begin(j, key))
		fputs("null", j->out);
}

void json_text(struct json *j, const char *key, const char *s, size_t len)
{
	struct json_value *v = add(j, key, JSON_STRING);

	len = strnlen(s, len);
	if (v) {
		v->text = xmalloc(TEXT_UTF8_GROWTH * len + 1);
		v->len = (uint32_t)text_utf8(v->text, s, len);
	} else if (begin(j, key)) {
		text_json(j->out, s, len);
	}
}

void json_str(struct json *j, const char *key, const char *s)
{
	json_text(j, key, s ? s : "", s ? strlen(s) : 0);
}

void json_uint_or_null(struct json *j, const char *key, bool known, uint64_t value)
{
	if (known)
		json_uint(j, key, value);
	else
		json_null(j, key);
}

void json_uint_if(struct json *j, const char *key, bool there, uint64_t value)
{
	json_begin_if(j, there);
	json_uint(j, key, value);
	json_end_if(j);
}

void json_str_if(struct json *j, const char *key, bool there, const char *s)
{
	json_begin_if(j, there);
	json_str(j, key, s);
	json_end_if(j);
}

void json_str_or_null(struct json *j, const char *key, const char *s)
{
	if (s)
		json_str(j, key, s);
	else
		json_null(j, key);
}

void json_double(struct json *j, const char *key, double value)
{
	if (begin(j, key))
		fprintf(j->out, "%.9g", value);
}

void json_ratio(struct json *j, const char *key, uint64_t num, uint64_t den)
{
	struct fmt_text text;
	__int128 digits = 0;

	if (!den) {
		json_null(j, key);
		return;
	}
	text = fmt_ratio(num, den, RATIO_DECIMALS);
	for (const char *c = text.s; *c; c++)
		if (*c != '.')
			digits = digits * 10 + (*c - '0');
	put_number(j, key, text.s, digits, RATIO_DECIMALS);
}
