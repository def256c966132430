/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_ANALYZE_OVERLAP_H
#define LAB_ANALYZE_OVERLAP_H

/*
 * overlap - which slices share time, held against the clocks' disagreement.
 * Parts of the analysis of parallelism.
 */

#include <stdbool.h>
#include <stdint.h>

#include "analyze/report.h"

#define WITNESS_LEAST_NS 1000	/* a witness's overlap is longer than this, whatever eps is */

/*
 * A running span that may not have lasted as drawn: records of its CPU are
 * missing within it, or it is open only because a damaged file stops.
 */
bool span_is_doubtful(const struct model *m, const struct model_span *s);

/* When a running span began at the earliest. */
uint64_t span_earliest_ns(const struct model_span *s);

/* Fill p->longest_overlap_ns and p->beyond_eps. */
void overlap_pairs(const struct model *m, const struct report_clocks *c,
		   struct report_parallelism *p);

/**
 * overlap_witness() - the slices that prove parallelism best
 * @out: overwritten; part_cnt is 0 if there are none
 *
 * Takes slices with a record at both ends; only where those prove nothing, also slices that
 * were still going on at the cut. Two slices are always found if any two overlap by more than
 * their eps. The degree is the highest where eps is the same for all pairs or below
 * WITNESS_LEAST_NS; with very different eps a higher one may exist.
 */
void overlap_witness(const struct model *m, const struct report_clocks *c, struct witness *out);

#endif /* LAB_ANALYZE_OVERLAP_H */
