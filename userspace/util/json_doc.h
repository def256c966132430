/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_UTIL_JSON_DOC_H
#define LAB_UTIL_JSON_DOC_H

/*
 * json_doc - a JSON document as a tree. Logs nothing.
 *
 * A value may be absent: the document does not have it, but could. Then the tree has it and what
 * would be in it, so that a key that is not there can be told from one that never is.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/rational.h"

enum json_kind {
	JSON_NULL,		/* it may have members: of the object that it could be */
	JSON_BOOL,
	JSON_NUMBER,
	JSON_STRING,
	JSON_ARRAY,
	JSON_OBJECT,
};

struct json_value {
	const char *key;	/* of a member; NULL in an array and at the root */
	uint32_t next;		/* for json_doc_next(); 0: none */
	enum json_kind kind : 8;
	bool truth;		/* JSON_BOOL */
	bool absent;
	uint8_t decimals;	/* JSON_NUMBER: of @digits, behind the point */
	union {
		__int128 digits;	/* JSON_NUMBER: use json_doc_number() */
		struct {	/* JSON_STRING: UTF-8, @len bytes and a NUL; owned */
			char *text;
			uint32_t len;
		};
		struct {	/* JSON_ARRAY, JSON_OBJECT, JSON_NULL: what is in it */
			uint32_t cnt, first, last;
		};
	};
};

/* All-zero is empty. */
struct json_doc {
	struct json_value *values;	/* [0] is the root */
	size_t value_cnt, value_cap;
};

/**
 * json_doc_add() - one more value
 * @parent: its index: an array, an object or null; of no meaning for the first value, the root
 * @key: NULL in an array; borrowed for the life of @doc
 *
 * Return: its index; the caller sets what is in it. Pointers to values are no longer good.
 */
uint32_t json_doc_add(struct json_doc *doc, uint32_t parent, enum json_kind kind, const char *key);

/* Accepts an all-zero one. */
void json_doc_release(struct json_doc *doc);

/* Return: what a value of JSON_NUMBER says, exactly. */
struct rational json_doc_number(const struct json_value *v);

/* Return: the root of a document that is not empty. */
const struct json_value *json_doc_root(const struct json_doc *doc);

/*
 * The first value in an array or object, and the one after @v; absent ones too.
 * Return: NULL at the end.
 */
const struct json_value *json_doc_first(const struct json_doc *doc, const struct json_value *v);
const struct json_value *json_doc_next(const struct json_doc *doc, const struct json_value *v);

/* Return: the member of that name (@len bytes), which may be absent, or NULL: there can be none. */
const struct json_value *json_doc_possible(const struct json_doc *doc, const struct json_value *v,
					   const char *key, size_t len);

/* As json_doc_possible(), but NULL for an absent one. */
const struct json_value *json_doc_member(const struct json_doc *doc, const struct json_value *v,
					 const char *key, size_t len);

/* Return: the element, or NULL: none, or @v is no array. */
const struct json_value *json_doc_element(const struct json_doc *doc, const struct json_value *v,
					  uint64_t idx);

#endif /* LAB_UTIL_JSON_DOC_H */
