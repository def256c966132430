/* SPDX-License-Identifier: GPL-2.0-only */
#include "analyze/judge.h"

#include "analyze/share.h"
#include "util/minmax.h"

static bool is_as_parallel(uint64_t run_ns, uint64_t busy_ns, uint32_t least_milli)
{
	return (unsigned __int128)run_ns * 1000 >= (unsigned __int128)busy_ns * least_milli;
}

static bool class_is_kept(const struct claim *claim, enum verdict_class seen)
{
	return seen == claim->class || (claim->at_least && seen > claim->class);
}

/* Whether all that it can be keeps the claim, or none does. */
static bool class_is_known(const struct claim *claim, const struct report_verdict *v)
{
	return v->class != CLASS_INCONCLUSIVE ||
	       (v->at_least &&
		class_is_kept(claim, v->at_least) == class_is_kept(claim, CLASS_PARALLEL));
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

	/* Whatever it was until then, and whoever had the CPUs. */
	if (!claim->deadlock && report_is_stuck(r))
		return FAULT_STUCK;
	if (!class_is_kept(claim, report_lowest_class(r)))
		return FAULT_CLASS;
	if (!is_as_parallel(r->parallelism.run_ns, r->parallelism.busy_ns,
			    claim->min_parallelism_milli))
		return FAULT_PARALLELISM;
	if (claim->serializer && !r->serializer.present)
		return FAULT_SERIALIZER;
	if (r->concurrency.max_operations < claim->min_operations)
		return FAULT_OPERATIONS;
	if (!stall_is_kept(claim, r))
		return FAULT_STALL;
	if (claim->deadlock && !r->deadlock.present)
		return FAULT_DEADLOCK;
	return FAULT_NONE;
}

/*
 * Whether without other programs the class could have been one that keeps (@keep) or breaks the
 * claim.
 */
static bool class_could(const struct claim *claim, const struct report *r, bool keep)
{
	for (int class = CLASS_SEQUENTIAL; class <= CLASS_PARALLEL; class++)
		if (r->noise.could_be[class] &&
		    class_is_kept(claim, (enum verdict_class)class) == keep)
			return true;
	return false;
}

/*
 * Others kept ready tasks from CPUs for so long that the order of the tasks' steps may have
 * changed.
 */
static bool order_could_differ(const struct model *m, const struct report *r)
{
	return r->noise.interfered_ns &&
	       share_is_5_percent(r->noise.interfered_ns, m->end_ns - m->start_ns);
}

/* The same tests as of the serializer, had tasks not waited for CPUs that others had. */
static bool serializer_could_be(const struct model *m, const struct report *r)
{
	const struct report_serializer *s = &r->serializer;
	uint64_t ready_ns = min_u64(s->ready_ns, r->noise.interference_ns);
	unsigned __int128 demand = s->demand_ns - ready_ns;
	unsigned __int128 missing = demand - min_u64(s->reached_ns, s->demand_ns - ready_ns);

	if (!s->measured)
		return r->lock_cnt && order_could_differ(m, r);
	return ready_ns && 10 * missing >= 9 * demand &&
	       5 * (unsigned __int128)s->locked_ns >= 4 * missing;
}

/* Whether without other programs it could have been the other way. */
static bool noise_decides(const struct model *m, const struct report *r, enum claim_fault fault)
{
	const struct claim *claim = &m->meta.claim;

	switch (fault) {
	case FAULT_NONE:
		return class_could(claim, r, false);
	case FAULT_CLASS:
		return class_could(claim, r, true);
	case FAULT_PARALLELISM:
		return is_as_parallel(r->parallelism.run_ns, r->noise.busy_ns,
				      claim->min_parallelism_milli);
	case FAULT_SERIALIZER:
		return serializer_could_be(m, r);
	case FAULT_OPERATIONS:
	case FAULT_STALL:
		return order_could_differ(m, r);
	case FAULT_DEADLOCK:
	case FAULT_STUCK:
		break;
	}
	return false;
}

/* Why a claim with this fault, or with none, is neither kept nor broken. */
static enum claim_doubt doubt(const struct model *m, const struct report *r,
			      enum claim_fault fault)
{
	bool seen = m->meta.ops_hooked;

	if (!class_is_known(&m->meta.claim, &r->verdict))
		return DOUBT_VERDICT;
	if (m->cpu_cnt < r->verdict.claim_cpus_needed)
		return DOUBT_FEW_CPUS;
	if (fault == FAULT_OPERATIONS && !m->op_cnt && !seen)
		return DOUBT_OPERATIONS;
	if (fault == FAULT_STALL && !m->loop_wait_cnt && !seen)
		return DOUBT_OPERATIONS;
	if (fault == FAULT_DEADLOCK && !r->deadlock.known)
		return DOUBT_LOSS;
	return noise_decides(m, r, fault) ? DOUBT_BUSY_CPUS : DOUBT_NONE;
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

bool judge_others_decide(const struct report *r)
{
	int classes = 0;

	if (r->verdict.claim_holds != CLAIM_NOT_MADE)
		return r->verdict.claim_doubt == DOUBT_BUSY_CPUS;
	if (r->verdict.class == CLASS_INCONCLUSIVE)
		return false;
	for (int class = CLASS_SEQUENTIAL; class <= CLASS_PARALLEL; class++)
		classes += r->noise.could_be[class];
	return classes > 1;
}

bool judge_chance_decides(const struct report *r)
{
	const struct report_verdict *v = &r->verdict;

	return v->chance_decides &&
	       (v->claim_holds == CLAIM_NOT_MADE || v->claim_doubt == DOUBT_VERDICT);
}
