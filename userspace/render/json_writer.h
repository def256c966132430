/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_RENDER_JSON_WRITER_H
#define LAB_RENDER_JSON_WRITER_H

/*
 * json_writer - JSON into a stream, with its commas and brackets right, indented; or into a tree.
 * Strings go through text_json() only, so what a stream gets is ASCII and safe inside an HTML
 * script block. Keys are lab's own plain names, which live as long as the program.
 *
 * Every function takes the @key of a member, or NULL for an element of an array.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "util/json_doc.h"

#define JSON_DEPTH_MAX 16

/* One of @out and @tree is given by the caller, and borrowed. */
struct json {
	FILE *out;
	struct json_doc *tree;
	unsigned int depth;
	bool filled[JSON_DEPTH_MAX];	/* something was written at this depth */
	uint32_t nests[JSON_DEPTH_MAX];	/* of @tree: what was opened at this depth */
	unsigned int flat;	/* from this depth on everything stands on one line; 0: none */
	unsigned int absent;	/* > 0: json_begin_if() found that what is written now is absent */
};

/*
 * What is written between the two is in this document only if @there. Otherwise a stream does not
 * get it, and a tree has it as absent (json_doc.h): which keys there can be is said by writing
 * them. Pairs nest.
 */
void json_begin_if(struct json *j, bool there);
void json_end_if(struct json *j);

/* Return: how many elements of a list to write: @cnt, or one if the list itself is absent. */
size_t json_elements(const struct json *j, size_t cnt);

void json_open_object(struct json *j, const char *key);
void json_close_object(struct json *j);
void json_open_array(struct json *j, const char *key);
void json_close_array(struct json *j);

/* An object if @there, else null; json_close_nullable() closes it. What is in it is then absent. */
void json_open_nullable(struct json *j, const char *key, bool there);
void json_close_nullable(struct json *j);

/* What is in the nest that was just opened stands on one line. */
void json_one_line(struct json *j);

/* As json_open_object() with json_one_line(). */
void json_open_row(struct json *j, const char *key);

/* As json_open_array() with json_one_line(). */
void json_open_list(struct json *j, const char *key);

void json_uint(struct json *j, const char *key, uint64_t value);
void json_int(struct json *j, const char *key, int64_t value);
void json_bool(struct json *j, const char *key, bool value);
void json_null(struct json *j, const char *key);

/* Raw bytes, up to @len or a NUL. */
void json_text(struct json *j, const char *key, const char *s, size_t len);

/* NULL is the empty string. */
void json_str(struct json *j, const char *key, const char *s);

/* @value, or null if it is not @known. */
void json_uint_or_null(struct json *j, const char *key, bool known, uint64_t value);

/* As between json_begin_if() and json_end_if(). */
void json_uint_if(struct json *j, const char *key, bool there, uint64_t value);
void json_str_if(struct json *j, const char *key, bool there, const char *s);

/* NULL is null. */
void json_str_or_null(struct json *j, const char *key, const char *s);

/* With 9 significant digits; @value is finite. Of a stream only. */
void json_double(struct json *j, const char *key, double value);

/* @num / @den with 6 decimals; null if @den is 0. */
void json_ratio(struct json *j, const char *key, uint64_t num, uint64_t den);

#endif /* LAB_RENDER_JSON_WRITER_H */
