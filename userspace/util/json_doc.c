/* SPDX-License-Identifier: GPL-2.0-only */
#include "util/json_doc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/alloc.h"

static int parse_value(struct json_doc *doc, unsigned int depth, uint32_t *idx);

/* The text ends with a NUL, which is no part of any JSON: it stops everything. */
static char peek(const struct json_doc *doc)
{
	return doc->text[doc->pos];
}

static void skip_space(struct json_doc *doc)
{
	while (peek(doc) == ' ' || peek(doc) == '\n' || peek(doc) == '\r' || peek(doc) == '\t')
		doc->pos++;
}

static bool accept(struct json_doc *doc, char c)
{
	if (peek(doc) != c || !c)
		return false;
	doc->pos++;
	return true;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static uint32_t hex_value(char c)
{
	if (is_digit(c))
		return (uint32_t)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (uint32_t)(c - 'a') + 10;
	if (c >= 'A' && c <= 'F')
		return (uint32_t)(c - 'A') + 10;
	return UINT32_MAX;
}

/* What follows \u. */
static int parse_unit(struct json_doc *doc, uint32_t *unit)
{
	*unit = 0;
	for (int i = 0; i < 4; i++) {
		uint32_t digit = hex_value(peek(doc));

		if (digit == UINT32_MAX)
			return -EINVAL;
		*unit = *unit << 4 | digit;
		doc->pos++;
	}
	return 0;
}

static int parse_code(struct json_doc *doc, uint32_t *code)
{
	uint32_t low;

	if (parse_unit(doc, code) || !*code || (*code >= 0xdc00 && *code <= 0xdfff))
		return -EINVAL;
	if (*code < 0xd800 || *code > 0xdbff)
		return 0;
	if (!accept(doc, '\\') || !accept(doc, 'u') || parse_unit(doc, &low) || low < 0xdc00 ||
	    low > 0xdfff)
		return -EINVAL;
	*code = 0x10000 + ((*code - 0xd800) << 10) + (low - 0xdc00);
	return 0;
}

/* Return: the bytes written, always fewer than the escape had. */
static size_t put_utf8(char *to, uint32_t code)
{
	static const uint8_t leads[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
	size_t len = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;

	for (size_t i = len; i-- > 1; code >>= 6)
		to[i] = (char)(0x80 | (code & 0x3f));
	to[0] = (char)(leads[len] | code);
	return len;
}

/* What follows a backslash. Return: the bytes written to @to, or -EINVAL. */
static int parse_escape(struct json_doc *doc, char *to)
{
	static const char from[] = "\"\\/bfnrt", into[] = "\"\\/\b\f\n\r\t";
	const char *at;
	uint32_t code;

	if (accept(doc, 'u'))
		return parse_code(doc, &code) ? -EINVAL : (int)put_utf8(to, code);
	at = peek(doc) ? strchr(from, peek(doc)) : NULL;
	if (!at)
		return -EINVAL;
	doc->pos++;
	*to = into[at - from];
	return 1;
}

/* Decoded in place: it never grows, and the NUL has the closing quote's room. */
static int parse_string(struct json_doc *doc, const char **text, uint32_t *len)
{
	char *to = doc->text + doc->pos + 1;

	if (!accept(doc, '"'))
		return -EINVAL;
	*text = to;
	while (!accept(doc, '"')) {
		if (accept(doc, '\\')) {
			int used = parse_escape(doc, to);

			if (used < 0)
				return used;
			to += used;
			continue;
		}
		if (peek(doc) < 0x20 || peek(doc) > 0x7e)
			return -EINVAL;
		*to++ = peek(doc);
		doc->pos++;
	}
	*to = '\0';
	*len = (uint32_t)(to - *text);
	return 0;
}

static int skip_digits(struct json_doc *doc)
{
	if (!is_digit(peek(doc)))
		return -EINVAL;
	while (is_digit(peek(doc)))
		doc->pos++;
	return 0;
}

static int parse_number(struct json_doc *doc, struct json_value *v)
{
	size_t from = doc->pos;

	v->kind = JSON_NUMBER;
	accept(doc, '-');
	if (!accept(doc, '0') && skip_digits(doc))
		return -EINVAL;
	if (accept(doc, '.') && skip_digits(doc))
		return -EINVAL;
	if (accept(doc, 'e') || accept(doc, 'E')) {
		if (!accept(doc, '+'))
			accept(doc, '-');
		if (skip_digits(doc))
			return -EINVAL;
	}
	v->text = doc->text + from;
	v->len = (uint32_t)(doc->pos - from);
	return 0;
}

static int parse_word(struct json_doc *doc, struct json_value *v)
{
	static const struct {
		const char *word;
		enum json_kind kind;
		bool truth;
	} words[] = { { "null", JSON_NULL, false }, { "true", JSON_BOOL, true },
		      { "false", JSON_BOOL, false } };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		size_t len = strlen(words[i].word);

		if (strncmp(doc->text + doc->pos, words[i].word, len) != 0)
			continue;
		doc->pos += len;
		v->kind = words[i].kind;
		v->truth = words[i].truth;
		return 0;
	}
	return -EINVAL;
}

static int parse_member_key(struct json_doc *doc, uint32_t parent, const char **key)
{
	const struct json_value *object = &doc->values[parent];
	uint32_t len;

	if (object->cnt == JSON_DOC_MEMBERS_MAX)
		return -EFBIG;
	if (parse_string(doc, key, &len) || json_doc_member(doc, object, *key, len))
		return -EINVAL;
	skip_space(doc);
	if (!accept(doc, ':'))
		return -EINVAL;
	skip_space(doc);
	return 0;
}

/* What is between the brackets of value @parent, of which the first is read. */
static int parse_nest(struct json_doc *doc, unsigned int depth, uint32_t parent, char bracket)
{
	uint32_t last = 0;

	skip_space(doc);
	if (accept(doc, bracket))
		return 0;
	for (;;) {
		const char *key = NULL;
		uint32_t idx;
		int err = bracket == '}' ? parse_member_key(doc, parent, &key) : 0;

		if (!err)
			err = parse_value(doc, depth + 1, &idx);
		if (err)
			return err;
		doc->values[idx].key = key;
		if (last)
			doc->values[last].next = idx;
		else
			doc->values[parent].first = idx;
		last = idx;
		doc->values[parent].cnt++;
		skip_space(doc);
		if (accept(doc, bracket))
			return 0;
		if (!accept(doc, ','))
			return -EINVAL;
		skip_space(doc);
	}
}

/* @idx instead of a pointer: the array of values moves when it grows. */
static int parse_value(struct json_doc *doc, unsigned int depth, uint32_t *idx)
{
	struct json_value *v;

	if (depth > JSON_DOC_DEPTH_MAX)
		return -EFBIG;
	*idx = (uint32_t)doc->value_cnt;
	v = vec_push(doc->values, doc->value_cnt, doc->value_cap);
	if (accept(doc, '{')) {
		v->kind = JSON_OBJECT;
		return parse_nest(doc, depth, *idx, '}');
	}
	if (accept(doc, '[')) {
		v->kind = JSON_ARRAY;
		return parse_nest(doc, depth, *idx, ']');
	}
	if (peek(doc) == '"') {
		v->kind = JSON_STRING;
		return parse_string(doc, &v->text, &v->len);
	}
	if (peek(doc) == '-' || is_digit(peek(doc)))
		return parse_number(doc, v);
	return parse_word(doc, v);
}

int json_doc_parse(struct json_doc *doc, char *text, size_t len)
{
	uint32_t root;
	int err;

	*doc = (struct json_doc){ .text = text, .len = len };
	if (len > JSON_DOC_BYTES_MAX)
		return -EFBIG;
	skip_space(doc);
	err = parse_value(doc, 1, &root);
	if (err)
		return err;
	skip_space(doc);
	return doc->pos == len ? 0 : -EINVAL;
}

void json_doc_release(struct json_doc *doc)
{
	if (!doc)
		return;
	free(doc->text);
	free(doc->values);
	*doc = (struct json_doc){ 0 };
}

const struct json_value *json_doc_root(const struct json_doc *doc)
{
	return &doc->values[0];
}

const struct json_value *json_doc_first(const struct json_doc *doc, const struct json_value *v)
{
	return v->first ? &doc->values[v->first] : NULL;
}

const struct json_value *json_doc_next(const struct json_doc *doc, const struct json_value *v)
{
	return v->next ? &doc->values[v->next] : NULL;
}

const struct json_value *json_doc_member(const struct json_doc *doc, const struct json_value *v,
					 const char *key, size_t len)
{
	if (v->kind != JSON_OBJECT)
		return NULL;
	for (v = json_doc_first(doc, v); v; v = json_doc_next(doc, v))
		if (!strncmp(v->key, key, len) && !v->key[len])
			return v;
	return NULL;
}

const struct json_value *json_doc_element(const struct json_doc *doc, const struct json_value *v,
					  uint64_t idx)
{
	if (v->kind != JSON_ARRAY || idx >= v->cnt)
		return NULL;
	for (v = json_doc_first(doc, v); idx; idx--)
		v = json_doc_next(doc, v);
	return v;
}
