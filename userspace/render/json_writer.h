/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_RENDER_JSON_WRITER_H
#define LAB_RENDER_JSON_WRITER_H

/*
 * json_writer - JSON with its commas and brackets right, indented. Strings go
 * through text_json() only, so the output is ASCII and safe inside an HTML
 * script block. Keys are lab's own plain names.
 *
 * Every function takes the @key of a member, or NULL for an element of an array.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define JSON_DEPTH_MAX 16

struct json {
	FILE *out;		/* borrowed */
	unsigned int depth;
	bool filled[JSON_DEPTH_MAX];	/* something was written at this depth */
	unsigned int flat;	/* from this depth on everything stands on one line; 0: none */
};

void json_open_object(struct json *j, const char *key);
void json_close_object(struct json *j);
void json_open_array(struct json *j, const char *key);
void json_close_array(struct json *j);

/* As json_open_object(), with all that is in it on one line. */
void json_open_row(struct json *j, const char *key);

/* As json_open_array(), with all that is in it on one line. */
void json_open_list(struct json *j, const char *key);

void json_uint(struct json *j, const char *key, uint64_t value);
void json_int(struct json *j, const char *key, int64_t value);
void json_bool(struct json *j, const char *key, bool value);
void json_null(struct json *j, const char *key);

/* Raw bytes, up to @len or a NUL. */
void json_text(struct json *j, const char *key, const char *s, size_t len);

/* NULL is the empty string. */
void json_str(struct json *j, const char *key, const char *s);

/* With 9 significant digits; @value is finite. */
void json_double(struct json *j, const char *key, double value);

/* @num / @den with 6 decimals; null if @den is 0. */
void json_ratio(struct json *j, const char *key, uint64_t num, uint64_t den);

#endif /* LAB_RENDER_JSON_WRITER_H */
