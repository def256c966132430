/* SPDX-License-Identifier: GPL-2.0-only */
#include "analyze/judge.h"

static bool is_undecidable(const struct model *m, const struct report *r)
{
	const struct claim *claim = &m->meta.claim;

	if (r->verdict.class == CLASS_INCONCLUSIVE)
		return true;
	if (m->cpu_cnt < claim->needs_cpus)
		return true;
	return claim->class == CLASS_PARALLEL && m->cpu_cnt < 2;
}

static bool is_as_parallel(const struct report_parallelism *p, uint32_t least_milli)
{
	return (unsigned __int128)p->run_ns * 1000 >= (unsigned __int128)p->busy_ns * least_milli;
}

enum claim_holds judge_claim(const struct model *m, const struct report *r)
{
	const struct claim *claim = &m->meta.claim;

	if (claim->class == CLASS_NONE)
		return CLAIM_NOT_MADE;
	if (is_undecidable(m, r))
		return CLAIM_UNDECIDED;
	if (claim->class != r->verdict.class)
		return CLAIM_NO;
	if (!is_as_parallel(&r->parallelism, claim->min_parallelism_milli))
		return CLAIM_NO;
	if (r->concurrency.max_operations >= claim->min_operations)
		return CLAIM_YES;
	return m->op_cnt || m->meta.ops_hooked ? CLAIM_NO : CLAIM_UNDECIDED;
}
