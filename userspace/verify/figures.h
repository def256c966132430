/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_VERIFY_FIGURES_H
#define LAB_VERIFY_FIGURES_H

/*
 * figures - the numbers that follow from the facts, and the class that follows from them (sections
 * 7 to 11).
 */

#include "verify/facts.h"

/* The numbers of a certificate. */
enum number {
	N_WINDOW_START, N_WINDOW_END, N_EPS_MAX, N_RUN, N_BUSY, N_PARALLEL, N_PARALLEL_LOW,
	N_PARALLEL_HIGH, N_BUSY_LOW, N_BUSY_HIGH, N_ACTIVE, N_CONCURRENT, N_MAX_TASKS,
	N_MAX_OPS, N_NEVER_TWO, N_BIRTHS, N_DEATHS, N_ALIVE, N_OUTS, N_COUNTED, N_HIDDEN, N_AHEAD,
	N_DIGEST,
	N_DERIVED,		/* those before are derived from the records */
	N_WITNESS_FROM = N_DERIVED, N_WITNESS_UNTIL, N_WITNESS_EPS,
	N_CNT
};

enum class { INCONCLUSIVE, SEQUENTIAL, CONCURRENT, PARALLEL, CLASS_CNT };

/* A time of something, [from, until); of: a CPU, or the place of a task. */
struct span {
	uint64_t from_ns, until_ns, of;
};

struct spans {
	struct span *v;
	size_t cnt, cap;
};

struct figures {
	uint64_t n[N_DERIVED];
	bool proves, lossless, clean, trusted;
	unsigned __int128 perhaps_ns;	/* section 11, rule 6 */
	enum class class;
	const char *reason;	/* why it is inconclusive; or NULL */
	uint32_t *by_task;	/* stretches, those of one task behind each other, in order */
	size_t *first;		/* [task]: its first in by_task; one more at the end */
	struct spans progress;	/* unbroken; likewise */
};

void figures_derive(struct facts *f, struct figures *g);
void figures_release(struct figures *g);

#endif /* LAB_VERIFY_FIGURES_H */
