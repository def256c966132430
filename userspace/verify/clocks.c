/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * clocks - how far those of the CPUs disagree, and run ahead (section 8: causes, stamps, clocks).
 */
#include "verify/facts.h"

#define UNBOUNDED_EPS_NS 1000000
#define AHEAD_MIN_NS 500000

static void bound(struct facts *f, uint32_t cpu, uint64_t ns)
{
	f->cpus[cpu].bound_ns = min_u64(f->cpus[cpu].bound_ns, ns);
}

void clocks_begin(struct facts *f)
{
	const struct clock_pair *pairs = f->about->pairs.v;

	for (uint32_t c = 0; c < CPU_NUMBERS; c++)
		f->cpus[c].bound_ns = NEVER;
	for (size_t i = 0; i < f->about->pairs.cnt; i++) {
		const struct clock_pair *p = &pairs[i];

		f->early_ns = max_u64(f->early_ns, 2 * p->eps_ns);
		if (p->a == pairs->a)
			bound(f, p->b, p->eps_ns);
		if (p->b == pairs->a)
			bound(f, p->a, p->eps_ns);
		bound(f, pairs->a, 0);
	}
}

/* "Causes". */
bool is_early(const struct facts *f, uint32_t cause_cpu, uint64_t cause_ns, uint32_t cpu,
	      uint64_t ns)
{
	return f->about->pairs.cnt && cause_cpu != cpu && cause_ns > ns &&
	       cause_ns - ns > f->early_ns;
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

/* "Clocks". */
uint64_t clocks_eps(const struct facts *f, uint32_t cpu_a, uint32_t cpu_b)
{
	uint64_t a_ns = f->cpus[cpu_a].bound_ns, b_ns = f->cpus[cpu_b].bound_ns;

	if (cpu_a == cpu_b)
		return 0;
	return a_ns == NEVER || b_ns == NEVER ? UNBOUNDED_EPS_NS : a_ns + b_ns;
}
