/* SPDX-License-Identifier: GPL-2.0-only */
#include "analyze/judge.h"

#include "util/minmax.h"

static bool is_as_parallel(const struct report_parallelism *p, uint32_t least_milli)
{
	return (unsigned __int128)p->run_ns * 1000 >= (unsigned __int128)p->busy_ns * least_milli;
}

/*
 * Time on usable CPUs that others had, or nobody knows who had, cost this workload at most what its
 * tasks spent ready: one that asks for no CPU loses none.
 */
static bool cpus_were_taken(const struct model *m, const struct report *r)
{
	uint64_t window_ns = m->end_ns - m->start_ns, others_ns = 0;
	unsigned __int128 all_ns = (unsigned __int128)window_ns * m->cpu_cnt;
	unsigned __int128 needed_ns = (unsigned __int128)window_ns * r->verdict.claim_cpus_needed;

	if (r->verdict.claim_cpus_needed < 2)
		return false;
	for (size_t i = 0; i < r->cpu_cnt; i++)
		others_ns += r->cpus[i].class_ns[LAB_CPU_FOREIGN] +
			     r->cpus[i].class_ns[LAB_CPU_UNKNOWN];
	return 4 * (all_ns - min_u64(others_ns, r->waits.total_ns)) < 3 * needed_ns;
}

static bool is_kept(const struct model *m, const struct report *r)
{
	const struct claim *claim = &m->meta.claim;

	return claim->class == r->verdict.class &&
	       is_as_parallel(&r->parallelism, claim->min_parallelism_milli);
}

static enum claim_doubt doubt(const struct model *m, const struct report *r)
{
	const struct claim *claim = &m->meta.claim;

	if (r->verdict.class == CLASS_INCONCLUSIVE)
		return DOUBT_VERDICT;
	if (m->cpu_cnt < r->verdict.claim_cpus_needed)
		return DOUBT_FEW_CPUS;
	if (!is_kept(m, r))
		return cpus_were_taken(m, r) ? DOUBT_BUSY_CPUS : DOUBT_NONE;
	if (r->concurrency.max_operations < claim->min_operations && !m->op_cnt &&
	    !m->meta.ops_hooked)
		return DOUBT_OPERATIONS;
	return DOUBT_NONE;
}

void judge_claim(const struct model *m, struct report *r)
{
	const struct claim *claim = &m->meta.claim;
	struct report_verdict *v = &r->verdict;

	v->claim_holds = CLAIM_NOT_MADE;
	if (claim->class == CLASS_NONE)
		return;
	v->claim_cpus_needed = max_u64(claim->needs_cpus, claim->class == CLASS_PARALLEL ? 2 : 0);
	v->claim_doubt = doubt(m, r);
	if (v->claim_doubt)
		v->claim_holds = CLAIM_UNDECIDED;
	else if (is_kept(m, r) && r->concurrency.max_operations >= claim->min_operations)
		v->claim_holds = CLAIM_YES;
	else
		v->claim_holds = CLAIM_NO;
}
