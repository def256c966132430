/* SPDX-License-Identifier: GPL-2.0-only */
#include "json_text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/alloc.h"

static int parse_value(struct json_text *json, unsigned int depth, uint32_t parent,
		       const char *key);

static uint32_t add(struct json_text *json, uint32_t parent, enum json_kind kind, const char *key)
{
	uint32_t idx = json_doc_add(&json->doc, parent, kind, key);

	json->doc.values[idx].absent = json->absent;
	return idx;
}

/* The text ends with a NUL, which is no part of any JSON: it stops everything. */
static char peek(const struct json_text *json)
{
	return json->text[json->pos];
}

static void skip_space(struct json_text *json)
{
	while (peek(json) == ' ' || peek(json) == '\n' || peek(json) == '\r' || peek(json) == '\t')
		json->pos++;
}

static bool accept(struct json_text *json, char c)
{
	if (peek(json) != c || !c)
		return false;
	json->pos++;
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
static int parse_unit(struct json_text *json, uint32_t *unit)
{
	*unit = 0;
	for (int i = 0; i < 4; i++) {
		uint32_t digit = hex_value(peek(json));

		if (digit == UINT32_MAX)
			return -EINVAL;
		*unit = *unit << 4 | digit;
		json->pos++;
	}
	return 0;
}

static int parse_code(struct json_text *json, uint32_t *code)
{
	uint32_t low;

	if (parse_unit(json, code) || !*code || (*code >= 0xdc00 && *code <= 0xdfff))
		return -EINVAL;
	if (*code < 0xd800 || *code > 0xdbff)
		return 0;
	if (!accept(json, '\\') || !accept(json, 'u') || parse_unit(json, &low) || low < 0xdc00 ||
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
static int parse_escape(struct json_text *json, char *to)
{
	static const char from[] = "\"\\/bfnrt", into[] = "\"\\/\b\f\n\r\t";
	const char *at;
	uint32_t code;

	if (accept(json, 'u'))
		return parse_code(json, &code) ? -EINVAL : (int)put_utf8(to, code);
	at = peek(json) ? strchr(from, peek(json)) : NULL;
	if (!at)
		return -EINVAL;
	json->pos++;
	*to = into[at - from];
	return 1;
}

/* Decoded in place: it never grows, and the NUL has the closing quote's room. */
static int parse_string(struct json_text *json, const char **text, uint32_t *len)
{
	char *to = json->text + json->pos + 1;

	if (!accept(json, '"'))
		return -EINVAL;
	*text = to;
	while (!accept(json, '"')) {
		if (accept(json, '\\')) {
			int used = parse_escape(json, to);

			if (used < 0)
				return used;
			to += used;
			continue;
		}
		if (peek(json) < 0x20 || peek(json) > 0x7e)
			return -EINVAL;
		*to++ = peek(json);
		json->pos++;
	}
	*to = '\0';
	*len = (uint32_t)(to - *text);
	return 0;
}

static int parse_digits(struct json_text *json, __int128 *digits)
{
	if (!is_digit(peek(json)))
		return -EINVAL;
	for (; is_digit(peek(json)); json->pos++)
		if (__builtin_mul_overflow(*digits, 10, digits) ||
		    __builtin_add_overflow(*digits, peek(json) - '0', digits))
			return -EFBIG;
	return 0;
}

static int parse_number(struct json_text *json, uint32_t parent, const char *key)
{
	bool negative = accept(json, '-');
	__int128 digits = 0;
	size_t decimals = 0;
	uint32_t idx;
	int err = accept(json, '0') ? 0 : parse_digits(json, &digits);

	if (!err && accept(json, '.')) {
		decimals = json->pos;
		err = parse_digits(json, &digits);
		decimals = json->pos - decimals;
	}
	if (err || decimals > 9)
		return err ? err : -EFBIG;
	idx = add(json, parent, JSON_NUMBER, key);
	json->doc.values[idx].digits = negative ? -digits : digits;
	json->doc.values[idx].decimals = (uint8_t)decimals;
	return 0;
}

static int parse_word(struct json_text *json, uint32_t parent, const char *key)
{
	static const struct {
		const char *word;
		enum json_kind kind;
		bool truth;
	} words[] = { { "null", JSON_NULL, false }, { "true", JSON_BOOL, true },
		      { "false", JSON_BOOL, false } };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		size_t len = strlen(words[i].word);
		uint32_t idx;

		if (strncmp(json->text + json->pos, words[i].word, len) != 0)
			continue;
		json->pos += len;
		idx = add(json, parent, words[i].kind, key);
		if (words[i].kind == JSON_BOOL)
			json->doc.values[idx].truth = words[i].truth;
		return 0;
	}
	return -EINVAL;
}

static int parse_member_key(struct json_text *json, uint32_t parent, const char **key)
{
	uint32_t len;

	if (parse_string(json, key, &len) ||
	    json_doc_member(&json->doc, &json->doc.values[parent], *key, len))
		return -EINVAL;
	skip_space(json);
	if (!accept(json, ':'))
		return -EINVAL;
	skip_space(json);
	return 0;
}

/* What is between the brackets of value @parent, of which the first is read. */
static int parse_nest(struct json_text *json, unsigned int depth, uint32_t parent, char bracket)
{
	skip_space(json);
	if (accept(json, bracket))
		return 0;
	for (;;) {
		const char *key = NULL;
		int err = bracket == '}' ? parse_member_key(json, parent, &key) : 0;

		if (!err)
			err = parse_value(json, depth + 1, parent, key);
		if (err)
			return err;
		skip_space(json);
		if (accept(json, bracket))
			return 0;
		if (!accept(json, ','))
			return -EINVAL;
		skip_space(json);
	}
}

static int parse_value(struct json_text *json, unsigned int depth, uint32_t parent,
		       const char *key)
{
	const char *text;
	uint32_t idx, len;
	int err;

	if (depth > JSON_TEXT_DEPTH_MAX)
		return -EFBIG;
	if (json->has_absent && !strncmp(json->text + json->pos, "absent ", strlen("absent "))) {
		json->pos += strlen("absent ");
		json->absent++;
		err = parse_value(json, depth + 1, parent, key);
		json->absent--;
		return err;
	}
	if (accept(json, '{'))
		return parse_nest(json, depth, add(json, parent, JSON_OBJECT, key),
				  '}');
	if (accept(json, '['))
		return parse_nest(json, depth, add(json, parent, JSON_ARRAY, key),
				  ']');
	if (peek(json) == '-' || is_digit(peek(json)))
		return parse_number(json, parent, key);
	if (peek(json) != '"')
		return parse_word(json, parent, key);
	err = parse_string(json, &text, &len);
	if (err)
		return err;
	idx = add(json, parent, JSON_STRING, key);
	json->doc.values[idx].text = xstrdup(text);
	json->doc.values[idx].len = len;
	return 0;
}

static int parse(struct json_text *json)
{
	int err;

	skip_space(json);
	err = parse_value(json, 1, 0, NULL);
	if (err)
		return err;
	skip_space(json);
	return json->pos == json->len ? 0 : -EINVAL;
}

int json_text_parse(struct json_text *json, char *text, size_t len)
{
	*json = (struct json_text){ .text = text, .len = len };
	return parse(json);
}

int json_text_parse_absent(struct json_text *json, char *text, size_t len)
{
	*json = (struct json_text){ .text = text, .len = len, .has_absent = true };
	return parse(json);
}

void json_text_release(struct json_text *json)
{
	json_doc_release(&json->doc);
	free(json->text);
	*json = (struct json_text){ 0 };
}
