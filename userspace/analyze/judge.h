/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_ANALYZE_JUDGE_H
#define LAB_ANALYZE_JUDGE_H

/* judge - whether what was seen keeps what was claimed. Part of the verdict. */

#include "analyze/report.h"

/**
 * judge_claim() - hold the verdict against the claim, or the --expect
 * @r: everything but the claim_* fields of the verdict, which are filled, is there
 *
 * CLAIM_NOT_MADE without a claim; CLAIM_UNDECIDED, with the reason, where this machine or this trace
 * cannot tell. A claim that was not kept is undecided rather than contradicted when it takes more
 * than one CPU and other programs had so much of the usable ones, while tasks of ours
 * were ready, that less than three quarters of what it takes was left.
 */
void judge_claim(const struct model *m, struct report *r);

#endif /* LAB_ANALYZE_JUDGE_H */
