/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_CLI_CHECK_DOUBT_H
#define LAB_CLI_CHECK_DOUBT_H

/*
 * check_doubt - what a report cannot decide, although it has a value for it.
 *
 *  - What is known of the workload and the host is always decided.
 *  - Under an inconclusive verdict nothing else is, but the lowest class that it can be, where that
 *    is known.
 *  - Where a hypervisor took more than 1 % of the usable CPUs' time away, how the recording went
 *    (loss, audit, overhead) is decided; the verdict and what was measured are not.
 *  - Where records were lost or the audit is not clean, the verdict (if it is conclusive), the loss
 *    and the audit are decided; what was measured is not.
 *  - With fewer than 2 usable CPUs, nothing about parallelism is.
 *  - A degree of parallelism that no run on so few CPUs could have is not.
 *  - What could have been the other way without other programs (check_range.h) is not, whether it
 *    holds or fails of what was seen.
 */

#include "cli/check_expr.h"
#include "util/json_doc.h"

/**
 * check_doubt() - why this report decides nothing about an assertion
 * @expr: one that was evaluated without an error
 * @fails: whether it does not hold of the values
 * @why: one clause, if there is a doubt
 *
 * Return: whether there is one.
 */
bool check_doubt(const struct check_expr *expr, const struct json_doc *report, bool fails,
		 char why[CHECK_ERROR_MAX]);

#endif /* LAB_CLI_CHECK_DOUBT_H */
