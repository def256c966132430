/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_CLI_CHECK_PATH_H
#define LAB_CLI_CHECK_PATH_H

/*
 * check_path - from a path such as tasks.0.run_ns to a value of a report.
 *
 * In `capacity` a part whose name lacks its _ns is a share of capacity.total_ns:
 * capacity.blocked.lock is capacity.blocked_ns.lock / capacity.total_ns, and capacity.blocked
 * the sum of what is in blocked_ns. Where a key of exactly that name holds a value, that is meant.
 */

#include <stdbool.h>
#include <stddef.h>

#include "cli/check_expr.h"
#include "util/json_doc.h"

struct check_found {
	const struct json_value *value;	/* NULL: not in this report */
	const struct json_value *whole;	/* the number that @value is to be a share of, or NULL */
	bool missing;			/* @value is NULL: a key that a report need not have */
	size_t list_len;		/* else it is beyond the end of a list that is so long */
};

/**
 * check_find() - look a path up
 * @path: @len bytes, as check_parse() takes them
 * @error: after an error one clause, with the nearest key there is
 *
 * Return: 0 or -ENOENT.
 */
int check_find(const struct json_doc *report, const char *path, size_t len,
	       struct check_found *found, char error[CHECK_ERROR_MAX]);

/* Whether the path begins with that key, as a whole. */
bool check_path_in(const char *path, size_t len, const char *key);

#endif /* LAB_CLI_CHECK_PATH_H */
