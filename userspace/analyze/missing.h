/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_ANALYZE_MISSING_H
#define LAB_ANALYZE_MISSING_H

#include "analyze/report.h"

/*
 * Take out of the model and its report what is not known because records are missing, so that no
 * table or picture shows it as known (model/missing.h). The verdict and the figures that have
 * bounds stay. Call it last, before anything is shown.
 */
void report_hide_missing(struct model *m, struct report *r);

#endif /* LAB_ANALYZE_MISSING_H */
