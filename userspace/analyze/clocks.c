/* SPDX-License-Identifier: GPL-2.0-only */
/* clocks - how far each CPU's clock may be from the reference's, as the recorder measured it. */
#include "analyze/clocks.h"

#include "util/alloc.h"
#include "util/minmax.h"

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

static void bound(struct report_clocks *c, uint16_t cpu, uint64_t ns)
{
	uint32_t row = clocks_row(c, cpu);

	if (row != CLOCK_CPU_NONE)
		c->bound_ns[row] = min_u64(c->bound_ns[row], ns);
}

static void clocks_run(const struct model *m, struct report *r)
{
	const struct trace_clock_pair *pairs = m->meta.clock_pairs;
	struct report_clocks *c = &r->clocks;

	c->cpu_cnt = (uint32_t)m->cpu_cnt;
	c->cpus = xcalloc(m->cpu_cnt + 1, sizeof(*c->cpus));
	c->bound_ns = xcalloc(m->cpu_cnt + 1, sizeof(*c->bound_ns));
	for (size_t i = 0; i < m->cpu_cnt; i++) {
		c->cpus[i] = m->cpus[i].cpu;
		c->bound_ns[i] = CLOCK_BOUND_NONE;
	}
	for (uint32_t i = 0; i < m->meta.clock_pair_cnt; i++) {
		bound(c, pairs[0].cpu_a, 0);
		if (pairs[i].cpu_a == pairs[0].cpu_a)
			bound(c, pairs[i].cpu_b, pairs[i].eps_ns);
		if (pairs[i].cpu_b == pairs[0].cpu_a)
			bound(c, pairs[i].cpu_a, pairs[i].eps_ns);
	}
	for (uint32_t i = 0; i < c->cpu_cnt; i++)
		for (uint32_t j = 0; j < i; j++)
			c->eps_max_ns = max_u64(c->eps_max_ns, clocks_eps(c, i, j));
}

const struct analysis analysis_clocks = { .name = "clocks", .run = clocks_run };
