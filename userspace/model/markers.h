/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_MODEL_MARKERS_H
#define LAB_MODEL_MARKERS_H

/*
 * markers - what a program says in a marker, taken apart.
 *
 *	lab:begin:ID:NAME	an operation begins, in the thread that says so
 *	lab:suspend:ID		it waits for something, and its thread does something else
 *	lab:resume:ID		it goes on, in the thread that says so
 *	lab:end:ID		it has ended
 *
 * ID is any text without a colon, and stands for one operation of its process until that has ended;
 * then it may be used again. A point in it makes a part: 7.2 is a part of 7, as long as that is
 * open, and is shown inside it, but counts as no operation of its own. NAME is for people; it may
 * be empty and may hold colons.
 */

#include <stdbool.h>
#include <stddef.h>

enum marker_verb { MARKER_BEGIN, MARKER_SUSPEND, MARKER_RESUME, MARKER_END };

/* Parts of the text that was parsed; not NUL-terminated. */
struct marker {
	enum marker_verb verb;
	const char *id;
	size_t id_len;
	size_t parent_len;	/* of id: up to its last point; 0: none */
	const char *name;	/* MARKER_BEGIN, else "" */
	size_t name_len;
};

/*
 * @text: what follows "lab:", @len bytes, a NUL ends it early
 *
 * Return: true, and @out, or false if it says nothing of this.
 */
bool marker_parse(const char *text, size_t len, struct marker *out);

#endif /* LAB_MODEL_MARKERS_H */
