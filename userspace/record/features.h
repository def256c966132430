/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_RECORD_FEATURES_H
#define LAB_RECORD_FEATURES_H

/*
 * features - which of the kernel features that recording rests on are there.
 *
 * Tried, not guessed from the version: distributions backport. Nothing is
 * attached and nothing is left loaded.
 */

#include <stdbool.h>
#include <stddef.h>

#define RECORD_FEATURES_MAX 32	/* there are never more */

enum feature_state {
	FEATURE_NO_MEMORY = -2,	/* there is no memory to try it */
	FEATURE_UNTRIED = -1,	/* this user may not try; the kernel's BTF does not rule it out */
	FEATURE_MISSING = 0,
	FEATURE_PRESENT = 1,
};

struct record_feature {
	const char *name;	/* "ring buffer", or a tracepoint's name */
	const char *since;	/* the first kernel that has it, "5.8" */
	const char *use;	/* what lab needs it for, a clause */
	bool tracepoint;	/* name is a tracepoint's */
	bool required;		/* without it there is no recording */
	int state;		/* enum feature_state */
};

/**
 * record_features() - try them all
 * @out: caller's storage for @cap rows, in the order in which a user should mend them; the
 *       strings are static
 *
 * Return: the number of rows written. Logs nothing.
 */
size_t record_features(struct record_feature *out, size_t cap);

/* Return: the first required row that is FEATURE_MISSING, or NULL. */
const struct record_feature *record_feature_missing(const struct record_feature *rows, size_t cnt);

#endif /* LAB_RECORD_FEATURES_H */
