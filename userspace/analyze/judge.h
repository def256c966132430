/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_ANALYZE_JUDGE_H
#define LAB_ANALYZE_JUDGE_H

/* judge - whether what was seen keeps what was claimed. Part of the verdict. */

#include "analyze/report.h"

/**
 * judge_claim() - hold the verdict against the claim, or the --expect
 * @r: everything but claim_holds is there
 *
 * Return: CLAIM_NOT_MADE without a claim; CLAIM_UNDECIDED where this machine or this trace
 * cannot tell: an inconclusive verdict, too few usable CPUs, operations claimed but
 * not observed; else CLAIM_YES or CLAIM_NO.
 */
enum claim_holds judge_claim(const struct model *m, const struct report *r);

#endif /* LAB_ANALYZE_JUDGE_H */
