/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_UNIT_JSON_TEXT_H
#define TESTS_UNIT_JSON_TEXT_H

/*
 * json_text - JSON read into a tree: small, strict, and bounded.
 *
 * Stricter than RFC 8259 where lab's own writer is: outside of escapes the
 * text is ASCII; a key stands once in an object; no string has a NUL in it; numbers have no
 * exponent; nothing but white space follows the value.
 */

#include "util/json_doc.h"

#define JSON_TEXT_DEPTH_MAX 32

struct json_text {
	struct json_doc doc;
	char *text;		/* owned; keys and strings are decoded in place */
	size_t len, pos;
	bool has_absent;
	unsigned int absent;	/* > 0: within a value that is */
};

/**
 * json_text_parse() - read a document
 * @json: caller's storage, overwritten; json_text_release() it even after an error
 * @text: @len bytes with a NUL behind them; taken, and freed by json_text_release()
 *
 * Return: 0; -EINVAL (no such JSON: json->pos is where); -EFBIG (deeper than JSON_TEXT_DEPTH_MAX,
 * or a number that does not fit).
 */
int json_text_parse(struct json_text *json, char *text, size_t len);

/* As json_text_parse(), of a text in which the word `absent` may stand before any value. */
int json_text_parse_absent(struct json_text *json, char *text, size_t len);

void json_text_release(struct json_text *json);

#endif /* TESTS_UNIT_JSON_TEXT_H */
