/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_CLI_CHECK_EVAL_H
#define LAB_CLI_CHECK_EVAL_H

/*
 * check_eval - whether an assertion holds of a report. Pure: it reads the report
 * as JSON (schema lab-report/1) and prints nothing.
 *
 * Integers and decimals are compared exactly. Only what is certain fails: see
 * check_doubt.h for what a report cannot decide. A value that is null decides
 * nothing either, but for a comparison with the word null. What is said of an element
 * beyond the end of a list fails.
 */

#include "cli/check_expr.h"
#include "util/json_doc.h"

enum check_outcome {
	CHECK_HOLDS,
	CHECK_FAILS,
	CHECK_UNDECIDED,
};

struct check_result {
	enum check_outcome outcome;
	char why[CHECK_ERROR_MAX];	/* of CHECK_UNDECIDED: one clause */
};

/**
 * check_eval() - judge one assertion
 * @result: overwritten; after an error only @result->why is meant: what is wrong, in one clause
 *
 * Return: 0; -ENOENT (no such key); -EINVAL (values that cannot be compared or computed with);
 * -ERANGE (a number that does not fit).
 */
int check_eval(const struct check_expr *expr, const struct json_doc *report,
	       struct check_result *result);

#define CHECK_OBSERVED_MAX (CHECK_LEN_MAX + 256)

/**
 * check_observed() - what an assertion's keys and sides were
 * @cursor: 0 at first; counts up
 * @line: "KEY is VALUE", raw bytes of the report and all
 *
 * Return: whether there was one more.
 */
bool check_observed(const struct check_expr *expr, const struct json_doc *report, size_t *cursor,
		    char line[CHECK_OBSERVED_MAX]);

#endif /* LAB_CLI_CHECK_EVAL_H */
