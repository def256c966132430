/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_UTIL_JSON_DOC_H
#define LAB_UTIL_JSON_DOC_H

/*
 * json_doc - a JSON document read back into a tree: small, strict, and bounded.
 *
 * Stricter than RFC 8259 where lab's own writer is: outside of escapes the
 * text is ASCII; a key stands once in an object; no string has a NUL in it; nothing
 * but white space follows the value. Numbers stay text: rational_parse() takes them.
 * Logs nothing.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JSON_DOC_BYTES_MAX (256u << 20)
#define JSON_DOC_DEPTH_MAX 32
#define JSON_DOC_MEMBERS_MAX 256	/* of one object */

enum json_kind {
	JSON_NULL,
	JSON_BOOL,
	JSON_NUMBER,
	JSON_STRING,
	JSON_ARRAY,
	JSON_OBJECT,
};

struct json_value {
	enum json_kind kind;
	bool truth;		/* JSON_BOOL */
	const char *key;	/* of a member; NULL in an array and at the root */
	const char *text;	/* JSON_STRING: UTF-8, a NUL; JSON_NUMBER: @len bytes, as written */
	uint32_t len;		/* of @text */
	uint32_t cnt;		/* JSON_ARRAY, JSON_OBJECT: what is in it */
	uint32_t first, next;	/* for json_doc_first() and json_doc_next(); 0: none */
};

/* All-zero is empty. */
struct json_doc {
	char *text;		/* owned; keys and strings are decoded in place */
	size_t len, pos;
	struct json_value *values;	/* [0] is the root */
	size_t value_cnt, value_cap;
};

/**
 * json_doc_parse() - read a document
 * @doc: caller's storage, overwritten; json_doc_release() it even after an error
 * @text: @len bytes with a NUL behind them; taken, and freed by json_doc_release()
 *
 * Return: 0; -EINVAL (no such JSON: doc->pos is where); -EFBIG (longer than JSON_DOC_BYTES_MAX,
 * deeper than JSON_DOC_DEPTH_MAX, or an object of more than JSON_DOC_MEMBERS_MAX).
 */
int json_doc_parse(struct json_doc *doc, char *text, size_t len);

/* Accepts NULL and an all-zero one. */
void json_doc_release(struct json_doc *doc);

/* Return: the root of a document that was parsed. */
const struct json_value *json_doc_root(const struct json_doc *doc);

/* The first value in an array or object, and the one after @v. Return: NULL at the end. */
const struct json_value *json_doc_first(const struct json_doc *doc, const struct json_value *v);
const struct json_value *json_doc_next(const struct json_doc *doc, const struct json_value *v);

/* Return: the member of that name (@len bytes), or NULL: none, or @v is no object. */
const struct json_value *json_doc_member(const struct json_doc *doc, const struct json_value *v,
					 const char *key, size_t len);

/* Return: the element, or NULL: none, or @v is no array. */
const struct json_value *json_doc_element(const struct json_doc *doc, const struct json_value *v,
					  uint64_t idx);

#endif /* LAB_UTIL_JSON_DOC_H */
