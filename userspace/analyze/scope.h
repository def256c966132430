/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_ANALYZE_SCOPE_H
#define LAB_ANALYZE_SCOPE_H

/* scope - the sentences that say what a verdict does not cover. Part of the verdict. */

#include "analyze/report.h"

/* Whether each two of @m's CPUs were seen to run at once before the run. */
bool scope_physical_known(const struct model *m);

/* Fill scope and scope_cnt of @r's verdict; its class and all else must be there. */
void scope_fill(const struct model *m, struct report *r);

#endif /* LAB_ANALYZE_SCOPE_H */
