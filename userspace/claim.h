/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_CLAIM_H
#define LAB_CLAIM_H

/*
 * claim - the classes of verdict, and what a workload says it will turn out
 * to be. The words are DESIGN's; docs/HACKING.md lists them.
 */

#include <stdbool.h>
#include <stdint.h>

enum verdict_class {
	CLASS_NONE = 0,		/* no claim */
	CLASS_SEQUENTIAL = 1,
	CLASS_CONCURRENT = 2,
	CLASS_PARALLEL = 3,
	CLASS_INCONCLUSIVE = 4,	/* a verdict only, never a claim */
};

/* What of its own doing holds an event loop up between two of its waits. */
enum claim_stall {
	STALL_ANY = 0,		/* nothing is claimed */
	/* it computes, for stall_ns or longer, and is not blocked for as long */
	STALL_COMPUTING = 1,
	/* it is blocked in another call, for stall_ns or longer, and computes less */
	STALL_BLOCKED = 2,
	STALL_NONE = 3,		/* it never computes, nor is blocked, for stall_ns */
};

#define CLAIM_STALL_CNT 4

#define CLAIM_WHY_MAX 160

struct claim {
	enum verdict_class class;
	bool at_least;			/* a higher class keeps the claim as well */
	bool serializer;		/* one lock is found that lets one task run at a time */
	bool deadlock;			/* at the end tasks wait for each other in a circle */
	uint32_t stall;			/* enum claim_stall */
	uint64_t stall_ns;
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

/* "computing", "blocked", "none"; STALL_ANY is "any". */
static inline const char *claim_stall_name(uint32_t stall)
{
	switch (stall) {
	case STALL_COMPUTING: return "computing";
	case STALL_BLOCKED: return "blocked";
	case STALL_NONE: return "none";
	}
	return "any";
}

#endif /* LAB_CLAIM_H */
