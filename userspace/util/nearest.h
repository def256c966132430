/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_UTIL_NEAREST_H
#define LAB_UTIL_NEAREST_H

/*
 * nearest - what somebody who mistyped a word probably meant. Logs nothing.
 */

#include <stddef.h>

#define NEAREST_NAMES_MAX 64	/* that NEAREST_OF() looks at */

/* Levenshtein distance. */
size_t nearest_distance(const char *a, const char *b);

/*
 * Return: one of @names (borrowed), or NULL when none is near: at most 2 edits, or a third of the
 * word's length.
 */
const char *nearest_of(const char *word, const char *const *names, size_t name_cnt);

/* As nearest_of(), of a table of pointers to what has a ->name; the table ends with NULL. */
#define NEAREST_OF(word, table) ({ \
	const char *names_[NEAREST_NAMES_MAX]; \
	size_t cnt_ = 0; \
	for (; (table)[cnt_] && cnt_ < NEAREST_NAMES_MAX; cnt_++) \
		names_[cnt_] = (table)[cnt_]->name; \
	nearest_of(word, names_, cnt_); \
})

struct nearest_text {
	char s[320];
};

/*
 * How a sentence ends that says that a word is not known: "; did you mean 'X'?", or @otherwise if
 * @nearest is NULL.
 */
struct nearest_text nearest_or(const char *nearest, const char *otherwise);

#endif /* LAB_UTIL_NEAREST_H */
