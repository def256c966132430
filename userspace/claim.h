/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_CLAIM_H
#define LAB_CLAIM_H

/*
 * claim - the classes of verdict, and what a workload says it will turn out
 * to be. The words are DESIGN's; docs/HACKING.md lists them.
 */

#include <stdint.h>

enum verdict_class {
	CLASS_NONE = 0,		/* no claim */
	CLASS_SEQUENTIAL = 1,
	CLASS_CONCURRENT = 2,
	CLASS_PARALLEL = 3,
	CLASS_INCONCLUSIVE = 4,	/* a verdict only, never a claim */
};

#define CLAIM_WHY_MAX 160

struct claim {
	enum verdict_class class;
	uint32_t min_parallelism_milli;	/* least average_busy x 1000; 0: none claimed */
	uint32_t min_operations;	/* least operations in flight at once; 0: none claimed */
	uint32_t needs_cpus;		/* with fewer usable CPUs the claim is undecided */
	char why[CLAIM_WHY_MAX];	/* one clause: "processes use every CPU" */
};

/* "sequential", "concurrent", "parallel", "inconclusive"; CLASS_NONE is "none". */
static inline const char *verdict_class_name(enum verdict_class class)
{
	switch (class) {
	case CLASS_SEQUENTIAL: return "sequential";
	case CLASS_CONCURRENT: return "concurrent";
	case CLASS_PARALLEL: return "parallel";
	case CLASS_INCONCLUSIVE: return "inconclusive";
	case CLASS_NONE: break;
	}
	return "none";
}

#endif /* LAB_CLAIM_H */
