/* SPDX-License-Identifier: GPL-2.0-only */
/* oracle_clocks - eps of two CPUs: the least way over two measured pairs, through the reference. */

#include "analyze/clocks.h"
#include "oracle.h"
#include "util/minmax.h"

#define NONE UINT64_MAX

static unsigned int index_of(const struct schedule *s, uint16_t cpu)
{
	unsigned int i = 0;

	while (i < s->opt.cpu_cnt - 1 && s->cpus[i] != cpu)
		i++;
	return i;
}

static uint64_t from_reference_ns(const struct trace_meta *meta, uint16_t cpu)
{
	uint64_t ns = NONE;

	for (uint32_t i = 0; i < meta->clock_pair_cnt; i++) {
		const struct trace_clock_pair *p = &meta->clock_pairs[i];
		uint16_t reference = meta->clock_pairs[0].cpu_a;

		if (cpu == reference)
			return 0;
		if ((p->cpu_a == cpu && p->cpu_b == reference) ||
		    (p->cpu_b == cpu && p->cpu_a == reference))
			ns = min_u64(ns, p->eps_ns);
	}
	return ns;
}

uint64_t oracle_eps(const struct oracle *o, uint16_t cpu_a, uint16_t cpu_b)
{
	uint64_t a_ns = from_reference_ns(&o->s->meta, cpu_a),
		 b_ns = from_reference_ns(&o->s->meta, cpu_b);

	if (cpu_a == cpu_b)
		return 0;
	return a_ns == NONE || b_ns == NONE ? 1000000 : a_ns + b_ns;
}

void oracle_clocks(struct oracle *o)
{
	const struct report_clocks *got = &o->r->clocks;
	uint64_t most = 0;

	ORACLE_EQ(o, got->cpu_cnt, o->t->cpu_cnt);
	for (uint32_t i = 0; i < got->cpu_cnt; i++) {
		for (uint32_t j = 0; j < got->cpu_cnt; j++) {
			uint16_t a = o->t->cpus[i].cpu, b = o->t->cpus[j].cpu;
			uint64_t x = o->s->offset_ns[index_of(o->s, a)];
			uint64_t y = o->s->offset_ns[index_of(o->s, b)];
			uint64_t ns = clocks_eps(got, i, j);

			ORACLE_EQ(o, ns, oracle_eps(o, a, b));
			/* And they are no further apart. */
			ORACLE(o, ns >= max_u64(x, y) - min_u64(x, y),
			       "CPUs %u and %u are %" PRIu64 " ns apart", a, b,
			       max_u64(x, y) - min_u64(x, y));
			most = max_u64(most, ns);
		}
	}
	ORACLE_EQ(o, got->eps_max_ns, most);
}
