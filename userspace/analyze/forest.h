/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_ANALYZE_FOREST_H
#define LAB_ANALYZE_FOREST_H

/*
 * forest - trees of nodes that are linked and cut all the time, with a sum over each tree.
 *
 * Every node has a few counters. The sum over a whole tree is known at its root. Each call takes
 * amortized O(log n), however deep the trees are, because splay trees keep the paths to the root
 * (Sleator and Tarjan, "A Data Structure for Dynamic Trees", 1983).
 */

#include <stdbool.h>
#include <stdint.h>

#define FOREST_NONE UINT32_MAX
#define FOREST_COUNTERS 7

struct forest_sum {
	uint32_t v[FOREST_COUNTERS];
};

struct forest_node {
	uint32_t up;		/* in its splay tree; at its top, the node that its path hangs on */
	uint32_t side[2];	/* nearer to the root; farther from it */
	struct forest_sum own;
	struct forest_sum hanging; /* of the paths that hang on this node */
	struct forest_sum sum;	/* of its part of the splay tree, with all that hangs on it */
};

struct forest {
	struct forest_node *nodes;
};

/* @cnt nodes, each a tree by itself with counters of 0. */
void forest_init(struct forest *f, uint32_t cnt);
void forest_release(struct forest *f);

uint32_t forest_root(struct forest *f, uint32_t node);

/* Hang the tree of @root, which must be one, on @node of another tree. */
void forest_link(struct forest *f, uint32_t root, uint32_t node);

/* Make @node, which must not be a root, the root of a tree of its own. */
void forest_cut(struct forest *f, uint32_t node);

void forest_set(struct forest *f, uint32_t node, const struct forest_sum *own);

/* The sum over the tree of @root, which must be one; valid until the next call. */
const struct forest_sum *forest_sum(struct forest *f, uint32_t root);

#endif /* LAB_ANALYZE_FOREST_H */
