/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * clocks - how far those of the CPUs disagree, and run ahead (section 8: causes, stamps, clocks).
 */
#include "verify/facts.h"

#define UNBOUNDED_EPS_NS 1000000
#define AHEAD_MIN_NS 500000

enum { BY_CAUSE, BY_PAIR, WAYS };

/* The least difference of a cause and its effect, or of a pair. */
struct edge {
	uint32_t kind, from, to;
	uint64_t ns;
};

struct clocks {
	uint64_t early_ns;	/* an effect may be stamped before its cause by so much */
	struct map edge_of;
	VEC(struct edge) edges;
	uint64_t *way[WAYS];	/* [from * cnt + to]: the shortest; NEVER: none */
	uint32_t number[CPU_NUMBERS], cnt;	/* of the CPUs that an edge names; NONE */
};

static void edge(struct clocks *k, uint32_t kind, uint32_t from, uint32_t to, uint64_t ns)
{
	uint32_t n = map_number(&k->edge_of, kind, (uint64_t)from << 32 | to);

	if (n == k->edges.cnt)
		*PUSH(k->edges) = (struct edge){ kind, from, to, ns };
	k->edges.v[n].ns = min_u64(k->edges.v[n].ns, ns);
}

void clocks_begin(struct facts *f)
{
	struct clocks *k = f->clocks = xcalloc(1, sizeof(*k));

	for (size_t i = 0; i < f->about->pairs.cnt; i++) {
		const struct clock_pair *p = &f->about->pairs.v[i];

		k->early_ns = max_u64(k->early_ns, 2 * p->eps_ns);
		edge(k, BY_PAIR, p->a, p->b, p->eps_ns);
		edge(k, BY_PAIR, p->b, p->a, p->eps_ns);
	}
}

/* "Causes". */
bool is_early(const struct facts *f, uint32_t cause_cpu, uint64_t cause_ns, uint32_t cpu,
	      uint64_t ns)
{
	return f->about->pairs.cnt && cause_cpu != cpu && cause_ns > ns &&
	       cause_ns - ns > f->clocks->early_ns;
}

/* "Clocks": a task takes a CPU by a record, and its causes bound the clocks. */
void check_causes(struct facts *f, const struct task *t, uint32_t cpu, uint64_t ns)
{
	for (int i = 0; i < CAUSE_CNT; i++) {
		if (t->cause_ns[i] == NEVER || t->cause_cpu[i] == cpu)
			continue;
		f->causes_checked++;
		edge(f->clocks, BY_CAUSE, t->cause_cpu[i], cpu, ns - t->cause_ns[i]);
	}
}

/* "Stamps": by how much the task clock rose more than they did. */
void check_clock(struct facts *f, const struct event *ev)
{
	uint64_t clock_ns = ev->f[F_CLOCK], ahead_ns = 0, d, rose;
	struct cpu *c = &f->cpus[ev->head.cpu];

	if ((ev->head.kind != KIND_OUT && ev->head.kind != KIND_IN) || ev->f[F_FLAGS] & NO_RQ)
		return;
	d = ev->head.ts_ns - c->clock_at_ns;
	rose = clock_ns - c->clock_ns;
	if (c->has_clock && clock_ns < c->clock_ns)
		ahead_ns = c->clock_ns - clock_ns;
	else if (c->has_clock && rose > d + d / 1000)
		ahead_ns = rose - (d + d / 1000);
	if (ahead_ns > AHEAD_MIN_NS && __builtin_add_overflow(f->ahead_ns, ahead_ns, &f->ahead_ns))
		f->ahead_ns = UINT64_MAX;
	c->has_clock = true;
	c->clock_ns = clock_ns;
	c->clock_at_ns = ev->head.ts_ns;
}

/* The shortest ways over edges, of each kind, between all CPUs that one names. */
void clocks_settle(struct facts *f)
{
	struct clocks *k = f->clocks;
	size_t cnt;

	memset(k->number, 0xff, sizeof(k->number));
	for (size_t i = 0; i < 2 * k->edges.cnt; i++) {
		uint32_t cpu = i % 2 ? k->edges.v[i / 2].from : k->edges.v[i / 2].to;

		k->number[cpu] = k->number[cpu] == NONE ? k->cnt++ : k->number[cpu];
	}
	cnt = k->cnt;
	for (int kind = 0; kind < WAYS; kind++) {
		k->way[kind] = xmalloc((cnt * cnt + 1) * sizeof(uint64_t));
		memset(k->way[kind], 0xff, cnt * cnt * sizeof(uint64_t));
	}
	for (size_t i = 0; i < k->edges.cnt; i++) {
		const struct edge *e = &k->edges.v[i];

		k->way[e->kind][k->number[e->from] * cnt + k->number[e->to]] = e->ns;
	}
	for (size_t i = 0; i < WAYS * cnt * cnt; i++) {	/* over @via, from @a */
		uint64_t *way = k->way[i / (cnt * cnt)];
		size_t via = i / cnt % cnt, a = i % cnt;
		uint64_t to_ns = way[a * cnt + via];

		for (size_t b = 0; b < cnt && to_ns != NEVER; b++)
			if (way[via * cnt + b] < NEVER - to_ns)
				way[a * cnt + b] = min_u64(way[a * cnt + b],
							   to_ns + way[via * cnt + b]);
	}
}

uint64_t clocks_eps(const struct facts *f, uint32_t cpu_a, uint32_t cpu_b)
{
	const struct clocks *k = f->clocks;
	size_t a = k->number[cpu_a], b = k->number[cpu_b];
	size_t there = a * k->cnt + b, back = b * k->cnt + a;
	uint64_t eps_ns = NEVER;

	if (cpu_a == cpu_b)
		return 0;
	if (a != NONE && b != NONE)
		eps_ns = min_u64(max_u64(k->way[BY_CAUSE][there], k->way[BY_CAUSE][back]),
				 k->way[BY_PAIR][there]);
	return eps_ns == NEVER ? UNBOUNDED_EPS_NS : eps_ns;
}

void clocks_release(struct facts *f)
{
	free(f->clocks->edge_of.keys);
	free(f->clocks->edges.v);
	free(f->clocks->way[BY_CAUSE]);
	free(f->clocks->way[BY_PAIR]);
	free(f->clocks);
}
