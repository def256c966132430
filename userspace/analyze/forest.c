/* SPDX-License-Identifier: GPL-2.0-only */
#include "analyze/forest.h"

#include <stdlib.h>

#include "util/alloc.h"

void forest_init(struct forest *f, uint32_t cnt)
{
	f->nodes = xcalloc((size_t)cnt + 1, sizeof(*f->nodes));
	for (uint32_t i = 0; i < cnt; i++) {
		f->nodes[i].up = FOREST_NONE;
		f->nodes[i].side[0] = f->nodes[i].side[1] = FOREST_NONE;
	}
}

void forest_release(struct forest *f)
{
	free(f->nodes);
	*f = (struct forest){ 0 };
}

static void add(struct forest_sum *to, const struct forest_sum *more)
{
	for (int i = 0; i < FOREST_COUNTERS; i++)
		to->v[i] += more->v[i];
}

static void take(struct forest_sum *from, const struct forest_sum *less)
{
	for (int i = 0; i < FOREST_COUNTERS; i++)
		from->v[i] -= less->v[i];
}

static void sum_up(struct forest *f, uint32_t x)
{
	struct forest_node *n = &f->nodes[x];

	n->sum = n->own;
	add(&n->sum, &n->hanging);
	for (int i = 0; i < 2; i++)
		if (n->side[i] != FOREST_NONE)
			add(&n->sum, &f->nodes[n->side[i]].sum);
}

/* True if @x is the top of its splay tree. */
static bool is_top(const struct forest *f, uint32_t x)
{
	uint32_t up = f->nodes[x].up;

	return up == FOREST_NONE ||
	       (f->nodes[up].side[0] != x && f->nodes[up].side[1] != x);
}

/* @x takes the place of the node above it in its splay tree. */
static void rotate(struct forest *f, uint32_t x)
{
	struct forest_node *n = f->nodes;
	uint32_t p = n[x].up, g = n[p].up;
	int s = n[p].side[1] == x;
	uint32_t inner = n[x].side[!s];

	if (!is_top(f, p))
		n[g].side[n[g].side[1] == p] = x;
	n[x].up = g;
	n[x].side[!s] = p;
	n[p].up = x;
	n[p].side[s] = inner;
	if (inner != FOREST_NONE)
		n[inner].up = p;
	sum_up(f, p);
	sum_up(f, x);
}

static void splay(struct forest *f, uint32_t x)
{
	const struct forest_node *n = f->nodes;

	while (!is_top(f, x)) {
		uint32_t p = n[x].up, g = n[p].up;

		if (!is_top(f, p))
			rotate(f, (n[p].side[1] == x) == (n[g].side[1] == p) ? p : x);
		rotate(f, x);
	}
}

/* Afterwards the splay tree of @x is the path from the root to @x, and @x is its top. */
static void access(struct forest *f, uint32_t x)
{
	struct forest_node *n = f->nodes;
	uint32_t below = FOREST_NONE;

	for (uint32_t at = x; at != FOREST_NONE; at = n[at].up) {
		splay(f, at);
		if (n[at].side[1] != below) {
			if (n[at].side[1] != FOREST_NONE)
				add(&n[at].hanging, &n[n[at].side[1]].sum);
			if (below != FOREST_NONE)
				take(&n[at].hanging, &n[below].sum);
			n[at].side[1] = below;
			sum_up(f, at);
		}
		below = at;
	}
	splay(f, x);
}

uint32_t forest_root(struct forest *f, uint32_t node)
{
	uint32_t x = node;

	access(f, x);
	while (f->nodes[x].side[0] != FOREST_NONE)
		x = f->nodes[x].side[0];
	splay(f, x);
	return x;
}

void forest_link(struct forest *f, uint32_t root, uint32_t node)
{
	access(f, root);
	access(f, node);
	f->nodes[root].up = node;
	add(&f->nodes[node].hanging, &f->nodes[root].sum);
	sum_up(f, node);
}

void forest_cut(struct forest *f, uint32_t node)
{
	struct forest_node *n = &f->nodes[node];

	access(f, node);
	f->nodes[n->side[0]].up = FOREST_NONE;
	n->side[0] = FOREST_NONE;
	sum_up(f, node);
}

void forest_set(struct forest *f, uint32_t node, const struct forest_sum *own)
{
	access(f, node);
	f->nodes[node].own = *own;
	sum_up(f, node);
}

const struct forest_sum *forest_sum(struct forest *f, uint32_t root)
{
	splay(f, root);
	return &f->nodes[root].sum;
}
