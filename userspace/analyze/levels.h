/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_ANALYZE_LEVELS_H
#define LAB_ANALYZE_LEVELS_H

/*
 * levels - for how long exactly k of some intervals were open at once.
 *
 * An interval covers [start_ns, end_ns), so two that merely touch are never
 * open together.
 */

#include <stddef.h>
#include <stdint.h>

#include "analyze/heap.h"

struct interval {
	uint64_t start_ns, end_ns;
};

/* All zero: empty. free(v) releases it. */
struct intervals {
	struct interval *v;
	size_t cnt, cap;
};

/* Add [start_ns, end_ns) as far as it lies in [from_ns, until_ns); nothing if that is empty. */
void intervals_add(struct intervals *iv, uint64_t start_ns, uint64_t end_ns, uint64_t from_ns,
		   uint64_t until_ns);

struct levels {
	uint64_t *ns;		/* [k]: exactly k open, k = 0 .. cnt - 1; owned */
	uint32_t cnt;		/* the highest level that lasted, plus one; at least 1 */
	size_t cap;
};

/*
 * A sweep under way over [from_ns, until_ns). Every interval that was added and has not ended by
 * the last start is open.
 */
struct level_sweep {
	struct levels levels;
	struct heap open;	/* ends; values are owners */
	uint64_t at_ns, until_ns;
	uint64_t *owner_until_ns; /* [owner] of level_sweep_add_owned(); 0: not open */
	size_t owner_cnt, owner_cap;
};

void level_sweep_begin(struct level_sweep *s, uint64_t from_ns, uint64_t until_ns);

/* The next interval, as far as it lies in the sweep; starts ascend. */
void level_sweep_add(struct level_sweep *s, uint64_t start_ns, uint64_t end_ns);

/* The same, but intervals of one owner count once where they overlap. */
void level_sweep_add_owned(struct level_sweep *s, uint16_t owner, uint64_t start_ns,
			   uint64_t end_ns);

/* @out: as for levels_compute() */
void level_sweep_end(struct level_sweep *s, struct levels *out);

/**
 * levels_compute() - sweep the intervals once
 * @iv: borrowed, in any order; all within [from_ns, until_ns)
 * @out: overwritten; free(out->ns) releases it. Its sum is until_ns - from_ns.
 */
void levels_compute(const struct intervals *iv, uint64_t from_ns, uint64_t until_ns,
		    struct levels *out);

/* Time with @k or more open. */
uint64_t levels_at_least(const struct levels *l, uint32_t k);

#endif /* LAB_ANALYZE_LEVELS_H */
