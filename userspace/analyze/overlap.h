/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_ANALYZE_OVERLAP_H
#define LAB_ANALYZE_OVERLAP_H

/*
 * overlap - which slices share time, held against the clocks' disagreement.
 * Parts of the analysis of parallelism.
 */

#include <stdbool.h>
#include <stdint.h>

#include "analyze/heap.h"
#include "analyze/report.h"

#define WITNESS_LEAST_NS 1000	/* a witness's overlap is longer than this, whatever eps is */

/*
 * A running span that may not have lasted as drawn: records of its CPU are
 * missing within it, or it is open only because a damaged file stops.
 */
bool span_is_doubtful(const struct model *m, const struct model_span *s);

/* When a running span began at the earliest. */
uint64_t span_earliest_ns(const struct model_span *s);

/* A running span, or what of it counts. */
struct slice {
	uint64_t start_ns;	/* the span's, or its earliest */
	const struct model_span *span;
	uint32_t task_id;
	uint32_t row;		/* of its CPU in report_clocks */
};

/* All zero: empty. */
struct slices {
	struct slice *v;
	size_t cnt, cap;
};

/* Slices that have begun and not ended. All zero: none. */
struct open_slices {
	struct heap ends;	/* by when they end: where in slots they are */
	struct slices slots;
	size_t *unused;		/* slots of those that ended */
	size_t unused_cnt, unused_cap;
};

/* Slices that share time: their common overlap begins where the last of them does. */
struct overlap_set {
	struct slices slices;
	uint64_t from_ns, until_ns;
};

enum slice_pick {
	PICK_RECORDED,		/* those with a record at both ends */
	PICK_RECORDED_OR_CUT,	/* and those that were still going on at the cut */
};

struct overlap {
	const struct model *m;
	const struct report_clocks *c;
	struct slices hidden;	/* may have begun before they are drawn; here at their longest */
	struct open_slices open;
	uint64_t longest_ns;
	bool beyond_eps;
	enum slice_pick pick;	/* which may be witnesses */
	struct open_slices provable;
	struct overlap_set best, set;
	struct slices near;	/* what may join a set */
};

void overlap_begin(struct overlap *o, const struct model *m, const struct report_clocks *c);

/* The next running span as drawn: by start, then by CPU. */
void overlap_add(struct overlap *o, const struct model_span *span, const struct model_task *task);

/**
 * overlap_end() - fill p->longest_overlap_ns, ->beyond_eps and ->witness
 *
 * The slices of the witness are those that prove parallelism best. Its part_cnt is 0 if there are
 * none. It has slices with a record at both ends; only where those prove nothing, it also has
 * slices that were still going on at the cut. Two slices are always found if any two overlap by
 * more than their eps. The degree is the highest where eps is the same for all pairs or below
 * WITNESS_LEAST_NS; with very different eps a higher one may exist.
 */
void overlap_end(struct overlap *o, struct report_parallelism *p);

#endif /* LAB_ANALYZE_OVERLAP_H */
