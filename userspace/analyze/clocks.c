/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * clocks - eps per pair of CPUs.
 *
 * A cause on CPU A whose effect on B is stamped d later shows that B's clock
 * is behind A's by at most d. Such bounds add up along a path, so the best is a
 * shortest path, and both directions are needed to bound the disagreement.
 */
#include "analyze/clocks.h"

#include <stdlib.h>

#include "analyze/heap.h"
#include "util/alloc.h"
#include "util/minmax.h"

#define NS_NONE UINT64_MAX
#define CPU_NUMBERS (UINT16_MAX + 1)

struct link {
	uint32_t from, to;	/* nodes */
	uint64_t ns;
};

struct graph {
	uint32_t node_cnt;
	struct link *links;	/* by `from`, shortest first, once graph_index() has run */
	size_t link_cnt, link_cap;
	size_t *first;		/* [node]: its first link; node_cnt + 1 of them */
};

uint32_t clocks_row(const struct report_clocks *c, uint16_t cpu)
{
	uint32_t lo = 0, hi = c->cpu_cnt;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (c->cpus[mid] < cpu)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < c->cpu_cnt && c->cpus[lo] == cpu ? lo : CLOCK_CPU_NONE;
}

static void graph_link(struct graph *g, uint32_t from, uint32_t to, uint64_t ns)
{
	*vec_push(g->links, g->link_cnt, g->link_cap) = (struct link){ from, to, ns };
}

static int link_cmp(const void *a, const void *b)
{
	const struct link *x = a, *y = b;

	if (x->from != y->from)
		return x->from < y->from ? -1 : 1;
	return (x->ns > y->ns) - (x->ns < y->ns);
}

static void graph_index(struct graph *g, uint32_t node_cnt)
{
	g->node_cnt = node_cnt;
	g->first = xcalloc((size_t)node_cnt + 1, sizeof(*g->first));
	if (g->link_cnt)
		qsort(g->links, g->link_cnt, sizeof(*g->links), link_cmp);
	for (size_t i = 0; i < g->link_cnt; i++)
		g->first[g->links[i].from + 1]++;
	for (uint32_t n = 0; n < node_cnt; n++)
		g->first[n + 1] += g->first[n];
}

static void graph_release(struct graph *g)
{
	free(g->links);
	free(g->first);
}

static uint64_t farthest_ns(const uint64_t *dist_ns, uint32_t cnt)
{
	uint64_t ns = 0;

	for (uint32_t n = 0; n < cnt; n++)
		ns = max_u64(ns, dist_ns[n]);
	return ns;
}

/*
 * Shortest paths from @source to every node, NS_NONE where there is none. Where
 * nearly every pair of many CPUs is linked, most links lead nowhere new: those that are longer
 * than the farthest node's path are not looked at, and it is looked for again
 * once as many links were as there are nodes.
 */
static void graph_paths(const struct graph *g, uint32_t source, struct heap *h, uint64_t *dist_ns)
{
	uint64_t far_ns = NS_NONE;
	uint32_t looked_at = 0;

	for (uint32_t n = 0; n < g->node_cnt; n++)
		dist_ns[n] = NS_NONE;
	dist_ns[source] = 0;
	h->cnt = 0;
	heap_push(h, 0, source);
	while (h->cnt) {
		struct heap_item at = heap_pop(h);

		if (at.key > dist_ns[at.value])
			continue;
		for (size_t i = g->first[at.value]; i < g->first[at.value + 1]; i++) {
			const struct link *l = &g->links[i];
			uint64_t ns;

			looked_at++;
			if (__builtin_add_overflow(at.key, l->ns, &ns) || ns >= far_ns)
				break;
			if (ns >= dist_ns[l->to])
				continue;
			dist_ns[l->to] = ns;
			heap_push(h, ns, l->to);
		}
		if (looked_at < g->node_cnt)
			continue;
		looked_at = 0;
		far_ns = farthest_ns(dist_ns, g->node_cnt);
	}
}

/* The nodes are every CPU that is named: the usable ones first, so that a row is a node. */
struct nodes {
	uint32_t *of_cpu;	/* [CPU number]: node + 1, 0: none yet */
	uint32_t cnt;
};

static uint32_t node_of(struct nodes *nodes, uint16_t cpu)
{
	if (!nodes->of_cpu[cpu])
		nodes->of_cpu[cpu] = ++nodes->cnt;
	return nodes->of_cpu[cpu] - 1;
}

/* @matrix_ns[i * rows + j]: the shortest path from row i to row j. */
static void paths_fill(const struct graph *g, uint32_t rows, uint64_t *matrix_ns)
{
	uint64_t *dist_ns = xcalloc((size_t)g->node_cnt + 1, sizeof(*dist_ns));
	struct heap heap = { 0 };

	for (uint32_t i = 0; i < rows; i++) {
		graph_paths(g, i, &heap, dist_ns);
		for (uint32_t j = 0; j < rows; j++)
			matrix_ns[(size_t)i * rows + j] = dist_ns[j];
	}
	free(heap.v);
	free(dist_ns);
}

static void eps_fill(struct report_clocks *c, const uint64_t *edges_ns, const uint64_t *pairs_ns)
{
	size_t rows = c->cpu_cnt;

	for (size_t i = 0; i < rows; i++) {
		for (size_t j = 0; j < rows; j++) {
			uint64_t ns = max_u64(edges_ns[i * rows + j], edges_ns[j * rows + i]);

			ns = min_u64(ns, pairs_ns[i * rows + j]);
			if (i == j)
				ns = 0;
			else if (ns == NS_NONE)
				ns = CLOCK_EPS_UNBOUND_NS;
			c->eps_ns[i * rows + j] = ns;
			c->eps_max_ns = max_u64(c->eps_max_ns, ns);
		}
	}
}

static void clocks_run(const struct model *m, struct report *r)
{
	struct report_clocks *c = &r->clocks;
	size_t cells = m->cpu_cnt * m->cpu_cnt;
	struct nodes nodes = { .of_cpu = xcalloc(CPU_NUMBERS, sizeof(*nodes.of_cpu)) };
	struct graph edges = { 0 }, pairs = { 0 };
	uint64_t *edges_ns = xcalloc(cells + 1, sizeof(*edges_ns));
	uint64_t *pairs_ns = xcalloc(cells + 1, sizeof(*pairs_ns));

	c->cpu_cnt = (uint32_t)m->cpu_cnt;
	c->cpus = xcalloc(m->cpu_cnt + 1, sizeof(*c->cpus));
	c->eps_ns = xcalloc(cells + 1, sizeof(*c->eps_ns));
	for (size_t i = 0; i < m->cpu_cnt; i++) {
		c->cpus[i] = m->cpus[i].cpu;
		node_of(&nodes, m->cpus[i].cpu);
	}
	for (size_t i = 0; i < m->edge_min_cnt; i++) {
		const struct model_edge_min *e = &m->edge_mins[i];

		graph_link(&edges, node_of(&nodes, e->from_cpu), node_of(&nodes, e->to_cpu),
			   e->min_ns);
	}
	for (uint32_t i = 0; i < m->meta.clock_pair_cnt; i++) {
		const struct trace_clock_pair *p = &m->meta.clock_pairs[i];
		uint32_t a = node_of(&nodes, p->cpu_a), b = node_of(&nodes, p->cpu_b);

		graph_link(&pairs, a, b, p->eps_ns);
		graph_link(&pairs, b, a, p->eps_ns);
	}
	graph_index(&edges, nodes.cnt);
	graph_index(&pairs, nodes.cnt);
	paths_fill(&edges, c->cpu_cnt, edges_ns);
	paths_fill(&pairs, c->cpu_cnt, pairs_ns);
	eps_fill(c, edges_ns, pairs_ns);

	graph_release(&edges);
	graph_release(&pairs);
	free(edges_ns);
	free(pairs_ns);
	free(nodes.of_cpu);
}

const struct analysis analysis_clocks = { .name = "clocks", .run = clocks_run };
