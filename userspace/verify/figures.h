/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_VERIFY_FIGURES_H
#define LAB_VERIFY_FIGURES_H

/*
 * figures - the sums of a certificate, and the class that follows from them, derived from
 * the facts by the rules of docs/certificate.md.
 */

#include "verify/replay.h"

#define LEAST_NS 1000		/* no shorter overlap proves anything */

enum class { INCONCLUSIVE, SEQUENTIAL, CONCURRENT, PARALLEL, CLASS_CNT };

/* One unbroken time in which a task or an operation is in progress. */
struct presence {
	uint64_t start_ns, end_ns;
	uint32_t who;		/* place of the task, or of the operation in facts.ops */
};

struct presences {
	struct presence *v;
	size_t cnt, cap;
};

struct figures {
	uint64_t run_ns, busy_ns, parallel_ns;
	uint64_t parallel_low_ns, parallel_high_ns, busy_low_ns, busy_high_ns;
	uint64_t longest_ns;
	bool beyond_eps;	/* two runs, at their longest, overlap by more than eps */
	bool provable;		/* two that records open, and close or the cut does, overlap by more than eps and LEAST_NS */
	uint64_t active_ns, concurrent_ns, most_tasks, most_ops;
	struct presences tasks;	/* by task, and time */
	uint32_t node_of[CPU_NUMBERS]; /* plus one; 0: in no row */
	uint32_t node_cnt;
	uint64_t *eps_ns;	/* [node * node_cnt + node] */
	uint64_t eps_max_ns;
	bool lossless, clean, never_two;
	enum class class;
	const char *reason;	/* of an inconclusive one */
};

void figures_derive(const struct facts *f, struct figures *g);
void figures_release(struct figures *g);

/* By how much the clocks of two CPUs can disagree. */
uint64_t figures_eps(const struct figures *g, uint32_t cpu_a, uint32_t cpu_b);

/* 20 x part >= whole */
static inline bool is_share(uint64_t part, uint64_t whole)
{
	return part >= whole / 20 + (whole % 20 > 0);
}

#endif /* LAB_VERIFY_FIGURES_H */
