/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_CLI_CHECK_RANGE_H
#define LAB_CLI_CHECK_RANGE_H

/*
 * check_range - what an assertion would have said without other programs.
 *
 * Each number lies in a range then: that of without_others in the report, under its path; for a
 * time that tasks or loops waited for a CPU from nothing to what was seen; else it is what it is.
 * Sums and products have the range of all their parts' values, as if these did not depend on each
 * other. An equality is about the records, and has no range, unless it says how many ran at once
 * (parallelism.max).
 */

#include "cli/check_expr.h"
#include "util/json_doc.h"

/**
 * check_could_differ() - whether without other programs the outcome could have been the other
 * @expr: one that was evaluated without an error
 * @fails: whether it does not hold of the values
 */
bool check_could_differ(const struct check_expr *expr, const struct json_doc *report, bool fails);

#endif /* LAB_CLI_CHECK_RANGE_H */
