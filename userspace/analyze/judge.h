/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_ANALYZE_JUDGE_H
#define LAB_ANALYZE_JUDGE_H

/* judge - whether what was seen keeps what was claimed. Part of the verdict. */

#include "analyze/report.h"

/**
 * judge_claim() - hold the verdict against the claim, or the --expect
 * @r: everything but the claim_* fields of the verdict, which are filled, is there
 *
 * CLAIM_NOT_MADE without a claim; CLAIM_UNDECIDED, with the reason, where this machine or this
 * trace cannot decide. A claim is kept if two runs keep it: the run that was seen, and the run as
 * it could have been without other programs (struct report_noise). It is broken if neither keeps
 * it, and undecided if the two differ. A run that ended in a deadlock keeps no claim except the
 * claim that it would.
 */
void judge_claim(const struct model *m, struct report *r);

/*
 * Whether other programs leave open what a run was made to show: whether it keeps its claim, or,
 * without a claim, which class it has. Another run may show it then.
 */
bool judge_others_decide(const struct report *r);

/*
 * The same for chance: what the host hid, the CPUs' clocks, or the instant at which a thread was
 * told to stop. Other programs are not the reason then.
 */
bool judge_chance_decides(const struct report *r);

#endif /* LAB_ANALYZE_JUDGE_H */
