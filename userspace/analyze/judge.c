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

static bool class_is_kept(const struct claim *claim, enum verdict_class seen)
{
	return seen == claim->class ||
	       (claim->at_least && seen > claim->class && seen != CLASS_INCONCLUSIVE);
}

/* For how long a loop wanted a CPU and had none does not count: that is the machine's doing. */
static bool stall_is_kept(const struct claim *claim, const struct report *r)
{
	uint64_t cpu_ns = 0, blocked_ns = 0;

	for (size_t i = 0; i < r->loop_cnt; i++) {
		cpu_ns = max_u64(cpu_ns, r->loops[i].longest_cpu_ns);
		blocked_ns = max_u64(blocked_ns, r->loops[i].longest_blocked_ns);
	}
	switch (claim->stall) {
	case STALL_COMPUTING:
		return cpu_ns >= claim->stall_ns && blocked_ns < claim->stall_ns;
	case STALL_BLOCKED:
		return blocked_ns >= claim->stall_ns && cpu_ns < claim->stall_ns;
	case STALL_NONE:
		return cpu_ns < claim->stall_ns && blocked_ns < claim->stall_ns;
	}
	return true;
}

static enum claim_fault fault(const struct model *m, const struct report *r)
{
	const struct claim *claim = &m->meta.claim;

	if (!class_is_kept(claim, r->verdict.class))
		return FAULT_CLASS;
	if (!is_as_parallel(&r->parallelism, claim->min_parallelism_milli))
		return FAULT_PARALLELISM;
	if (claim->serializer && !r->serializer.present)
		return FAULT_SERIALIZER;
	if (r->concurrency.max_operations < claim->min_operations)
		return FAULT_OPERATIONS;
	if (!stall_is_kept(claim, r))
		return FAULT_STALL;
	if (claim->deadlock && !r->deadlock.present)
		return FAULT_DEADLOCK;
	if (!claim->deadlock && r->deadlock.present)
		return FAULT_STUCK;
	return FAULT_NONE;
}

/* Why a claim with this fault, or with none, is neither kept nor broken. */
static enum claim_doubt doubt(const struct model *m, const struct report *r,
			      enum claim_fault fault)
{
	if (r->verdict.class == CLASS_INCONCLUSIVE)
		return DOUBT_VERDICT;
	if (m->cpu_cnt < r->verdict.claim_cpus_needed)
		return DOUBT_FEW_CPUS;
	switch (fault) {
	case FAULT_CLASS:
	case FAULT_PARALLELISM:
	case FAULT_SERIALIZER:
		return cpus_were_taken(m, r) ? DOUBT_BUSY_CPUS : DOUBT_NONE;
	case FAULT_OPERATIONS:
		return m->op_cnt || m->meta.ops_hooked ? DOUBT_NONE : DOUBT_OPERATIONS;
	case FAULT_STALL:
		return m->loop_wait_cnt || m->meta.ops_hooked ? DOUBT_NONE : DOUBT_OPERATIONS;
	case FAULT_DEADLOCK:
		return r->deadlock.known ? DOUBT_NONE : DOUBT_LOSS;
	case FAULT_STUCK:
	case FAULT_NONE:
		break;
	}
	return DOUBT_NONE;
}

void judge_claim(const struct model *m, struct report *r)
{
	const struct claim *claim = &m->meta.claim;
	struct report_verdict *v = &r->verdict;
	enum claim_fault found;

	v->claim_holds = CLAIM_NOT_MADE;
	if (claim->class == CLASS_NONE)
		return;
	v->claim_cpus_needed = max_u64(claim->needs_cpus, claim->class == CLASS_PARALLEL ? 2 : 0);
	found = fault(m, r);
	v->claim_doubt = doubt(m, r, found);
	if (v->claim_doubt) {
		v->claim_holds = CLAIM_UNDECIDED;
		return;
	}
	v->claim_fault = found;
	v->claim_holds = found ? CLAIM_NO : CLAIM_YES;
}
