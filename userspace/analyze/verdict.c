/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * verdict - the class, and the clause that says why.
 *
 * Parallel is proven by what was seen, so loss elsewhere does not undo it; that
 * something never happened is proven only by a record without loss. What
 * is neither proven nor disproven is inconclusive, and the reason says what is
 * missing and what to do.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "analyze/judge.h"
#include "analyze/lossless.h"
#include "analyze/noise.h"
#include "analyze/progress.h"
#include "analyze/report.h"
#include "analyze/scope.h"
#include "analyze/share.h"
#include "analyze/unseen.h"
#include "util/minmax.h"

#define PERMILLE "%u.%u %%"
#define PERMILLE_ARGS(part, whole) \
	share_permille(part, whole) / 10, share_permille(part, whole) % 10

static void settle(struct report_verdict *v, enum verdict_class class, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void settle(struct report_verdict *v, enum verdict_class class, const char *fmt, ...)
{
	va_list args;

	v->class = class;
	va_start(args, fmt);
	vsnprintf(v->reason, sizeof(v->reason), fmt, args);
	va_end(args);
}

static void settle_dirty(const struct model *m, struct report_verdict *v)
{
	const struct audit_failure *f = m->audit.failures;
	uint64_t cnt = max_u64(m->audit.failures_total, m->audit.failure_cnt);
	const struct model_task *t;

	if (!m->audit.failure_cnt) {
		settle(v, CLASS_INCONCLUSIVE,
		       "%" PRIu64 " checks of the audit failed: run it again", cnt);
		return;
	}
	t = f->task_id ? model_task(m, f->task_id) : NULL;
	if (t)
		settle(v, CLASS_INCONCLUSIVE,
		       "%" PRIu64 " checks of the audit failed, the first is %s of tid %" PRIu32
		       " (expected %" PRIu64 ", observed %" PRIu64 "): run it again",
		       cnt, f->name, t->tid, f->expected, f->observed);
	else
		settle(v, CLASS_INCONCLUSIVE,
		       "%" PRIu64 " checks of the audit failed, the first is %s (expected %" PRIu64
		       ", observed %" PRIu64 "): run it again",
		       cnt, f->name, f->expected, f->observed);
}

/* The records that are missing, and where if it was one CPU. */
static void settle_refused(const struct model *m, struct report_verdict *v)
{
	uint64_t cnt = 0;
	bool one_cpu = m->gap_cnt > 0;

	for (size_t i = 0; i < m->gap_cnt; i++) {
		cnt += m->gaps[i].cnt;
		one_cpu &= m->gaps[i].cpu == m->gaps[0].cpu;
	}
	if (cnt > m->dropped)
		settle(v, CLASS_INCONCLUSIVE,
		       "%" PRIu64 " records are missing, and the kernel refused %" PRIu64
		       ": the file was changed, or the recorder failed; run it again",
		       cnt, m->dropped);
	else if (one_cpu)
		settle(v, CLASS_INCONCLUSIVE,
		       "%" PRIu64 " records were refused on CPU %u: "
		       "run it again with a larger --buffer",
		       m->dropped, m->gaps[0].cpu);
	else
		settle(v, CLASS_INCONCLUSIVE,
		       "%" PRIu64 " records were refused: run it again with a larger --buffer",
		       m->dropped);
}

static void settle_lost(const struct model *m, struct report_verdict *v)
{
	if (m->end.reason == TRACE_END_WRITE_ERROR)
		settle(v, CLASS_INCONCLUSIVE,
		       "the file could not be written to its end: make room and run it again");
	else if (!m->complete)
		settle(v, CLASS_INCONCLUSIVE,
		       "the trace file is incomplete%s%.100s%s: run it again",
		       m->damage && *m->damage ? " (" : "", m->damage ? m->damage : "",
		       m->damage && *m->damage ? ")" : "");
	else if (m->dropped || m->gap_cnt)
		settle_refused(m, v);
	else if (m->end.storage_failures)
		settle(v, CLASS_INCONCLUSIVE,
		       "%" PRIu64 " tasks could not be followed: run it again with more memory",
		       m->end.storage_failures);
	else
		settle(v, CLASS_INCONCLUSIVE,
		       "the kernel skipped %" PRIu64 " runs of the probes: run it again",
		       m->end.recursion_misses);
}

/*
 * What ran beyond one task could be made of stamps that the CPUs' own clocks contradict. Return:
 * whether less than 5 % of the busy time is left without these.
 */
static bool is_contradicted(const struct model *m, const struct report_parallelism *p)
{
	uint64_t beyond_ns = p->run_ns - p->busy_ns, ahead_ns = m->audit.clock_ahead_ns;

	return !share_is_5_percent(beyond_ns - min_u64(beyond_ns, ahead_ns), p->busy_ns);
}

/* Proven on the safe side: what certainly overlaps against all that may have been busy. */
static bool is_parallel(const struct model *m, const struct report_parallelism *p)
{
	return p->witness.part_cnt && p->busy_upper_ns &&
	       share_is_5_percent(p->parallel_lower_ns, p->busy_upper_ns) && !is_contradicted(m, p);
}

static bool is_not_parallel(const struct report_parallelism *p)
{
	return !share_is_5_percent(p->parallel_upper_ns, p->busy_lower_ns);
}

static void settle_parallel(const struct report_parallelism *p, struct report_verdict *v)
{
	bool exact = p->parallel_lower_ns == p->parallel_upper_ns &&
		     p->busy_lower_ns == p->busy_upper_ns;

	settle(v, CLASS_PARALLEL, "two or more ran at once for %s" PERMILLE " of the busy time",
	       exact ? "" : "at least ", PERMILLE_ARGS(p->parallel_lower_ns, p->busy_upper_ns));
}

static bool is_concurrent(const struct report_concurrency *c)
{
	return c->concurrent_ns && share_is_5_percent(c->concurrent_ns, c->active_ns);
}

/* Hidden switch-ins decide. They hide a task in progress, whether it ran then or was ready. */
static void settle_between(const struct report *r, struct report_verdict *v)
{
	const struct report_parallelism *p = &r->parallelism;
	uint64_t most_ns = min_u64(p->parallel_upper_ns, p->busy_lower_ns);

	if (is_concurrent(&r->concurrency))
		v->at_least = CLASS_CONCURRENT;
	settle(v, CLASS_INCONCLUSIVE,
	       "%stwo or more ran at once for between " PERMILLE " and " PERMILLE
	       " of the busy time, as some switch-ins were hidden: run it again",
	       v->at_least ? "concurrent, and perhaps parallel: " : "",
	       PERMILLE_ARGS(p->parallel_lower_ns, p->busy_upper_ns),
	       PERMILLE_ARGS(most_ns, p->busy_lower_ns));
}

/* The bounds do not decide, or nothing that overlaps is long enough to prove it. */
static void settle_undecided(const struct model *m, const struct report *r,
			     struct report_verdict *v)
{
	const struct report_parallelism *p = &r->parallelism;
	bool is_long = share_is_5_percent(p->parallel_lower_ns, p->busy_upper_ns);
	bool contradicted = is_contradicted(m, p) && m->audit.clock_ahead_ns;

	v->chance_decides = contradicted || !is_long;
	if (contradicted)
		settle(v, CLASS_INCONCLUSIVE,
		       "the CPUs' own clocks contradict time stamps by %" PRIu64
		       " ns, and most of what ran at once may be made of them: run it again",
		       m->audit.clock_ahead_ns);
	else if (is_long)
		settle(v, CLASS_INCONCLUSIVE,
		       "no recorded overlap is longer than 1 us and than the %" PRIu64
		       " ns by which the CPUs' clocks may disagree: run it for longer",
		       r->clocks.eps_max_ns);
	else
		settle_between(r, v);
}

/* False: all operations of event loops were observed. */
static bool settle_unseen(const struct model *m, struct report_verdict *v)
{
	const struct model_task *loop = unseen_loop(m);

	if (!loop && !m->end.ready_unseen && !m->markers_unread)
		return false;
	if (!m->meta.ops_hooked)
		settle(v, CLASS_INCONCLUSIVE, "operations not visible: add --ops or markers");
	else if (loop)
		settle(v, CLASS_INCONCLUSIVE,
		       "operations not visible: tid %" PRIu32 " waited in its loop for what no "
		       "descriptor told, as for timers: add markers",
		       loop->tid);
	else
		settle(v, CLASS_INCONCLUSIVE, "operations not visible: add markers");
	return true;
}

/* False: waits that may have been sleeps could not make it concurrent. */
static bool settle_perhaps(const struct model *m, const struct report *r, struct report_verdict *v)
{
	const struct report_concurrency *c = &r->concurrency;
	uint64_t perhaps_ns = progress_perhaps_ns(m, r);

	if (!perhaps_ns || !share_is_5_percent(c->concurrent_ns + min_u64(perhaps_ns, UINT64_MAX -
									     c->concurrent_ns),
					       c->active_ns))
		return false;
	v->chance_decides = true;
	settle(v, CLASS_INCONCLUSIVE,
	       "it cannot be told whether tasks slept in their waits with a time limit, or "
	       "only looked for work: run it again");
	return true;
}

static void settle_not_parallel(const struct model *m, const struct report *r,
				struct report_verdict *v)
{
	const struct report_concurrency *c = &r->concurrency;

	if (is_concurrent(c))
		settle(v, CLASS_CONCURRENT,
		       "two or more %s were in progress for " PERMILLE
		       " of the active time, and two ran at once for " PERMILLE " of the busy time",
		       c->witness_is_ops ? "operations" : "tasks",
		       PERMILLE_ARGS(c->concurrent_ns, c->active_ns),
		       PERMILLE_ARGS(r->parallelism.parallel_ns, r->parallelism.busy_ns));
	else if (!settle_unseen(m, v) && !settle_perhaps(m, r, v))
		settle(v, CLASS_SEQUENTIAL,
		       "two or more were in progress for " PERMILLE " of the active time",
		       PERMILLE_ARGS(c->concurrent_ns, c->active_ns));
}

static void classify(const struct model *m, const struct report *r, struct report_verdict *v)
{
	const struct report_parallelism *p = &r->parallelism;

	bool trusted = r->audit_clean || (!r->lossless && !m->audit.unexplained_total);

	if (trusted && is_parallel(m, p))
		settle_parallel(p, v);
	else if (!r->lossless)
		settle_lost(m, v);
	else if (!trusted)
		settle_dirty(m, v);
	else if (!m->task_cnt || !p->busy_ns)
		settle(v, CLASS_INCONCLUSIVE, "no task was seen running: run it for longer");
	else if (!is_not_parallel(p))
		settle_undecided(m, r, v);
	else
		settle_not_parallel(m, r, v);
}

static void verdict_run(const struct model *m, struct report *r)
{
	struct report_verdict *v = &r->verdict;
	const struct report_parallelism *p = &r->parallelism;

	r->lossless = model_is_lossless(m);
	r->audit_clean = !m->audit.failures_total && !m->audit.failure_cnt;
	classify(m, r, v);
	noise_classes(r);
	v->eps_ns = v->class == CLASS_PARALLEL ? p->witness.eps_ns : r->clocks.eps_max_ns;
	v->incidental_ns = v->class == CLASS_PARALLEL ? 0 : p->parallel_ns;
	v->never_two = r->lossless && r->audit_clean && p->busy_ns && !p->beyond_eps;
	judge_claim(m, r);
	scope_fill(m, r);
}

const struct analysis analysis_verdict = { .name = "verdict", .run = verdict_run };
