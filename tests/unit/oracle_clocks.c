/* SPDX-License-Identifier: GPL-2.0-only */
/* oracle_clocks - eps of each pair of CPUs, by Floyd and Warshall over everything that bounds it. */

#include "oracle.h"
#include "util/minmax.h"

#define NONE UINT64_MAX

struct distances {
	uint64_t ns[SCHEDULE_CPUS_MAX][SCHEDULE_CPUS_MAX];
};

static unsigned int index_of(const struct schedule *s, uint16_t cpu)
{
	unsigned int i = 0;

	while (i < s->opt.cpu_cnt - 1 && s->cpus[i] != cpu)
		i++;
	return i;
}

static void clear(struct distances *d)
{
	for (unsigned int i = 0; i < SCHEDULE_CPUS_MAX; i++)
		for (unsigned int j = 0; j < SCHEDULE_CPUS_MAX; j++)
			d->ns[i][j] = i == j ? 0 : NONE;
}

static void shorten(struct distances *d, unsigned int cnt)
{
	for (unsigned int k = 0; k < cnt; k++)
		for (unsigned int i = 0; i < cnt; i++)
			for (unsigned int j = 0; j < cnt; j++)
				if (d->ns[i][k] != NONE && d->ns[k][j] != NONE)
					d->ns[i][j] = min_u64(d->ns[i][j],
							      d->ns[i][k] + d->ns[k][j]);
}

static void collect(const struct oracle *o, struct distances *edges, struct distances *pairs)
{
	const struct schedule *s = o->s;

	clear(edges);
	clear(pairs);
	for (size_t i = 0; i < o->t->edge_cnt; i++) {
		const struct truth_edge *e = &o->t->edges[i];
		uint64_t *ns = &edges->ns[index_of(s, e->from_cpu)][index_of(s, e->to_cpu)];

		*ns = min_u64(*ns, e->gap_ns);
	}
	for (uint32_t i = 0; i < s->meta.clock_pair_cnt; i++) {
		const struct trace_clock_pair *p = &s->meta.clock_pairs[i];
		unsigned int a = index_of(s, p->cpu_a), b = index_of(s, p->cpu_b);

		pairs->ns[a][b] = min_u64(pairs->ns[a][b], p->eps_ns);
		pairs->ns[b][a] = min_u64(pairs->ns[b][a], p->eps_ns);
	}
	shorten(edges, s->opt.cpu_cnt);
	shorten(pairs, s->opt.cpu_cnt);
}

uint64_t oracle_eps(const struct oracle *o, uint16_t cpu_a, uint16_t cpu_b)
{
	return o->eps_ns[index_of(o->s, cpu_a)][index_of(o->s, cpu_b)];
}

void oracle_clocks(struct oracle *o)
{
	const struct report_clocks *got = &o->r->clocks;
	struct distances edges, pairs;
	uint64_t most = 0;

	collect(o, &edges, &pairs);
	for (unsigned int i = 0; i < o->s->opt.cpu_cnt; i++) {
		for (unsigned int j = 0; j < o->s->opt.cpu_cnt; j++) {
			uint64_t ns = max_u64(edges.ns[i][j], edges.ns[j][i]);

			ns = min_u64(ns, pairs.ns[i][j]);
			o->eps_ns[i][j] = ns == NONE ? 1000000 : ns;
		}
	}
	ORACLE_EQ(o, got->cpu_cnt, o->t->cpu_cnt);
	for (size_t i = 0; i < got->cpu_cnt; i++) {
		for (size_t j = 0; j < got->cpu_cnt; j++) {
			uint16_t a = o->t->cpus[i].cpu, b = o->t->cpus[j].cpu;
			uint64_t x = o->s->offset_ns[index_of(o->s, a)];
			uint64_t y = o->s->offset_ns[index_of(o->s, b)];
			uint64_t ns = got->eps_ns[i * got->cpu_cnt + j];

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
