/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_CLI_CHECK_VALUE_H
#define LAB_CLI_CHECK_VALUE_H

/*
 * check_value - the value of a part of an assertion, in one report.
 */

#include "cli/check_expr.h"
#include "util/json_doc.h"

enum check_type {
	VALUE_NUMBER,
	VALUE_TEXT,
	VALUE_BOOL,
	/* known to be nothing, not in this report, or a division by 0: decides nothing */
	VALUE_NULL,
	VALUE_BEYOND,	/* of an element that a list does not have */
	VALUE_NEST,	/* a list or a group of keys */
};

struct check_value {
	enum check_type type;
	struct rational number;
	const char *text;		/* VALUE_TEXT: @len bytes, borrowed */
	size_t len;			/* VALUE_NEST, VALUE_BEYOND: how much the list holds */
	const char *key;		/* VALUE_NEST: of the first thing in it; NULL: a list */
	bool truth;
	bool by_zero;			/* VALUE_NULL: a division by 0 */
	bool missing;			/* VALUE_NULL: not in this report */
	const struct check_node *cause;	/* VALUE_NULL, VALUE_BEYOND: the key that is to blame */
};

/* What to compute with. */
struct check_scope {
	const struct json_doc *report;
	/* NULL, or what the degree of parallelism is to be taken for */
	const struct rational *degree;
	char *error;			/* CHECK_ERROR_MAX bytes */
};

/* Whether the node is parallelism.max, .average or .average_busy: what the CPUs' number bounds. */
bool check_is_degree(const struct check_node *node);

/* "a number", for messages. */
const char *check_type_name(enum check_type type);

/* The value of node @idx, no comparison. Return: 0, or as check_eval(), with scope->error. */
int check_value_of(const struct check_expr *expr, uint16_t idx, const struct check_scope *scope,
		   struct check_value *out);

#endif /* LAB_CLI_CHECK_VALUE_H */
