/* SPDX-License-Identifier: GPL-2.0-only */
#include <string.h>

#include "analyze/judge.h"
#include "analyze/share.h"
#include "analyze_fixture.h"
#include "unit.h"

#define MS AFX_MS

static bool in_scope(const struct afx *f, const char *word)
{
	for (size_t i = 0; i < f->r.verdict.scope_cnt; i++)
		if (strstr(f->r.verdict.scope[i], word))
			return true;
	return false;
}

/* Two tasks on two CPUs, @units ms of them together, of 100 ms busy. */
static void overlapping(struct afx *f, unsigned int units)
{
	afx_init(f, 2, MS, 100);
	afx_clocks(f, 25);
	afx_task(f, 0, "0");
	afx_span(f, 0, 0)->end_ns = f->m.end_ns;
	f->m.tasks[0].end_ns = f->m.end_ns;
	if (!units)
		return;
	afx_task(f, 10, "1");
	afx_span(f, 1, 0)->end_ns += (units - 1) * MS;
	f->m.tasks[1].end_ns += (units - 1) * MS;
}

TEST(analyze_share_of_5_percent)
{
	CHECK(share_is_5_percent(5, 100));
	CHECK(!share_is_5_percent(5, 101));
	CHECK(share_is_5_percent(6, 120));
	CHECK(share_is_5_percent(0, 0));
	CHECK(!share_is_5_percent(0, 1));
	CHECK(share_is_5_percent(UINT64_MAX, UINT64_MAX));
	CHECK(!share_is_5_percent(UINT64_MAX / 20, UINT64_MAX));
	CHECK(share_is_5_percent(UINT64_MAX / 20 + 1, UINT64_MAX));
	CHECK_EQ(share_permille(UINT64_MAX, UINT64_MAX), 1000);
	CHECK_EQ(share_permille(4999, 100000), 49);
	CHECK_EQ(share_permille(1, 0), 0);
}

TEST(analyze_verdict_nothing_ran)
{
	struct afx f;

	afx_init(&f, 2, MS, 10);
	afx_compute(&f);
	CHECK_EQ(f.r.verdict.class, CLASS_INCONCLUSIVE);
	CHECK_EQ(f.r.verdict.claim_holds, CLAIM_NOT_MADE);
	CHECK(!f.r.verdict.never_two);
	afx_task(&f, 0, "..........");
	afx_compute(&f);
	CHECK_EQ(f.r.verdict.class, CLASS_INCONCLUSIVE);
	afx_release(&f);
}

TEST(analyze_verdict_exactly_5_percent_is_parallel)
{
	struct afx f;

	overlapping(&f, 5);
	afx_compute(&f);
	CHECK_EQ(f.r.verdict.class, CLASS_PARALLEL);
	CHECK_STR(f.r.verdict.reason, "two or more ran at once for 5.0 % of the busy time");
	CHECK_EQ(f.r.verdict.eps_ns, 25);
	CHECK_EQ(f.r.verdict.incidental_ns, 0);
	CHECK(!f.r.verdict.never_two);
	CHECK(f.r.lossless && f.r.audit_clean);

	afx_span(&f, 1, 0)->end_ns--;
	afx_compute(&f);
	CHECK_EQ(f.r.verdict.class, CLASS_SEQUENTIAL);
	CHECK_EQ(f.r.verdict.incidental_ns, 5 * MS - 1);
	CHECK_STR(f.r.verdict.reason, "two or more were in progress for 4.9 % of the active time");
	afx_release(&f);
}

TEST(analyze_verdict_exactly_5_percent_is_concurrent)
{
	struct afx f;

	afx_init(&f, 1, MS, 100);
	afx_task(&f, 0, "0");
	afx_span(&f, 0, 0)->end_ns = f.m.end_ns - 5 * MS;
	afx_task(&f, 90, ".....00000");
	afx_task(&f, 90, "SSSSS0SSS1");
	f.m.tasks[2].span_cnt = 2;	/* it runs once, before the end */
	afx_span(&f, 2, 1)->end_ns = f.m.end_ns;
	afx_span(&f, 2, 1)->state = SPAN_READY;
	afx_span(&f, 2, 0)->state = SPAN_RUNNING;
	afx_span(&f, 2, 0)->cpu = 0;
	afx_span(&f, 2, 0)->start_ns = AFX_START_NS + 90 * MS;
	afx_compute(&f);
	CHECK_EQ(f.r.concurrency.concurrent_ns, 5 * MS);
	CHECK_EQ(f.r.concurrency.active_ns, 100 * MS);
	afx_release(&f);
}

TEST(analyze_verdict_overlap_within_eps_is_not_guessed)
{
	struct afx f;

	overlapping(&f, 50);
	f.m.meta.clock_pair_cnt = 0;
	afx_pair(&f, 0, 1, 60 * MS);
	afx_compute(&f);
	CHECK_EQ(f.r.verdict.class, CLASS_INCONCLUSIVE);
	CHECK_STR(f.r.verdict.reason,
		  "no recorded overlap is longer than 1 us and than the 60000000 ns "
		  "by which the CPUs' clocks may disagree: run it for longer");
	CHECK(f.r.verdict.never_two);
	afx_release(&f);
}

/* A proof of parallelism survives loss elsewhere. */
TEST(analyze_verdict_parallel_survives_loss)
{
	struct afx f;

	overlapping(&f, 50);
	f.m.dropped = 3;
	afx_gap(&f, 1, AFX_START_NS + 70 * MS, AFX_START_NS + 80 * MS, 3);
	afx_compute(&f);
	CHECK_EQ(f.r.verdict.class, CLASS_PARALLEL);
	CHECK(!f.r.lossless);
	CHECK_STR(f.r.verdict.reason,
		  "two or more ran at once for at least 50.0 % of the busy time");
	CHECK(in_scope(&f, "missing"));

	/* Too few of something is the loss itself; a cause after its effect is not. */
	afx_audit_failure(&f, "switches", 412, 409);
	afx_compute(&f);
	CHECK_EQ(f.r.verdict.class, CLASS_PARALLEL);
	CHECK(!f.r.audit_clean);
	afx_audit_failure(&f, "causality", 0, 1);
	afx_compute(&f);
	CHECK_EQ(f.r.verdict.class, CLASS_INCONCLUSIVE);
	CHECK_STR(f.r.verdict.reason,
		  "3 records were refused on CPU 1: run it again with a larger --buffer");
	afx_release(&f);
}

/* A "never" does not. */
TEST(analyze_verdict_never_does_not_survive_loss)
{
	static const char damage[] = "cut after 3 of its chunks";
	struct afx f;

	overlapping(&f, 0);
	f.m.dropped = 3;
	afx_gap(&f, 1, AFX_START_NS + 70 * MS, AFX_START_NS + 71 * MS, 2);
	afx_compute(&f);
	CHECK_EQ(f.r.verdict.class, CLASS_INCONCLUSIVE);
	CHECK_STR(f.r.verdict.reason,
		  "3 records were refused on CPU 1: run it again with a larger --buffer");
	CHECK(!f.r.verdict.never_two);

	afx_gap(&f, 0, AFX_START_NS + 80 * MS, UINT64_MAX, 2);
	f.m.dropped = 4;
	afx_compute(&f);
	CHECK_STR(f.r.verdict.reason,
		  "4 records were refused: run it again with a larger --buffer");

	/* Nobody refused the fifth. */
	afx_gap(&f, 0, AFX_START_NS + 90 * MS, UINT64_MAX, 1);
	afx_compute(&f);
	CHECK_STR(f.r.verdict.reason,
		  "5 records are missing, and the kernel refused 4: the file was changed, or the "
		  "recorder failed; run it again");

	f.m.gap_cnt = f.m.dropped = 0;
	f.m.end.storage_failures = 2;
	afx_compute(&f);
	CHECK_EQ(f.r.verdict.class, CLASS_INCONCLUSIVE);
	f.m.end.storage_failures = 0;
	f.m.end.recursion_misses = 1;
	afx_compute(&f);
	CHECK_EQ(f.r.verdict.class, CLASS_INCONCLUSIVE);
	f.m.end.recursion_misses = 0;
	f.m.end.reason = TRACE_END_WRITE_ERROR;
	afx_compute(&f);
	CHECK_EQ(f.r.verdict.class, CLASS_INCONCLUSIVE);

	f.m.end.reason = TRACE_END_UNKNOWN;
	f.m.complete = false;
	f.m.damage = (char *)damage;
	afx_compute(&f);
	CHECK_EQ(f.r.verdict.class, CLASS_INCONCLUSIVE);
	CHECK_STR(f.r.verdict.reason,
		  "the trace file is incomplete (cut after 3 of its chunks): run it again");
	f.m.complete = true;
	afx_compute(&f);
	CHECK_EQ(f.r.verdict.class, CLASS_SEQUENTIAL);
	CHECK(f.r.verdict.never_two);
	afx_release(&f);
}

/* What is drawn is more than 5 %, what is certain is less. */
TEST(analyze_verdict_doubtful_overlap)
{
	struct afx f;

	overlapping(&f, 4);
	afx_task(&f, 40, "1111111111");
	afx_span(&f, 2, 0)->flags |= SPAN_ACROSS_GAP;
	afx_gap(&f, 1, AFX_START_NS + 41 * MS, AFX_START_NS + 42 * MS, 1);
	afx_compute(&f);
	CHECK_EQ(f.r.parallelism.parallel_ns, 14 * MS);
	CHECK_EQ(f.r.parallelism.witness.part_cnt, 2);
	CHECK_EQ(f.r.verdict.class, CLASS_INCONCLUSIVE);
	afx_any_span(&f, 2)->flags = 0;
	afx_compute(&f);
	CHECK_EQ(f.r.verdict.class, CLASS_PARALLEL);
	afx_release(&f);
}

TEST(analyze_verdict_dirty_audit)
{
	struct afx f;

	overlapping(&f, 50);
	afx_audit_failure(&f, "switches", 412, 411);
	f.m.audit.failures[0].task_id = 2;
	f.m.audit.failures_total = 3;
	afx_compute(&f);
	CHECK(!f.r.audit_clean);
	CHECK_EQ(f.r.verdict.class, CLASS_INCONCLUSIVE);
	CHECK_STR(f.r.verdict.reason,
		  "3 checks of the audit failed, the first is switches of tid 102 "
		  "(expected 412, observed 411): run it again");
	afx_release(&f);
}

/* 10 ms are drawn apart; with the hidden start at its earliest they may overlap. */
TEST(analyze_verdict_hidden_start_decides_nothing)
{
	struct model_span *s;
	struct afx f;

	afx_init(&f, 2, MS, 100);
	afx_clocks(&f, 25);
	afx_task(&f, 0, "0000000000");
	afx_task(&f, 0, "SSSSS.....1111111111");
	f.m.audit.hidden_switch_ins = 1;
	s = afx_span(&f, 1, 2);
	s->flags |= SPAN_HIDDEN_START;
	s->start_min_ns = s->start_ns - MS;
	afx_compute(&f);
	CHECK_EQ(f.r.verdict.class, CLASS_INCONCLUSIVE);
	CHECK_STR(f.r.verdict.reason,
		  "two or more ran at once for between 0.0 % and 5.0 % of the busy "
		  "time, as some switch-ins were hidden: run it again");
	CHECK(in_scope(&f, "hidden"));
	s->start_min_ns++;
	afx_compute(&f);
	CHECK(f.r.verdict.class == CLASS_SEQUENTIAL || f.r.verdict.class == CLASS_CONCURRENT);
	afx_release(&f);
}

/* A claim that each possible class keeps is kept; one that a possible class breaks is undecided. */
TEST(analyze_verdict_undecided_between_two_classes)
{
	struct model_span *s;
	struct afx f;

	afx_init(&f, 2, MS, 100);
	afx_clocks(&f, 25);
	afx_task(&f, 0, "0000000000SSSSSSSSSSSSSSS00000");
	afx_task(&f, 0, "SSSSS.....1111111111SSSSSS");
	f.m.audit.hidden_switch_ins = 1;
	s = afx_span(&f, 1, 2);
	s->flags |= SPAN_HIDDEN_START;
	s->start_min_ns = s->start_ns - 2 * MS;
	f.m.meta.claim = (struct claim){
		.class = CLASS_CONCURRENT, .at_least = true, .needs_cpus = 1 };
	afx_compute(&f);
	CHECK_EQ(f.r.verdict.class, CLASS_INCONCLUSIVE);
	CHECK_EQ(f.r.verdict.at_least, CLASS_CONCURRENT);
	CHECK(!strncmp(f.r.verdict.reason, "concurrent, and perhaps parallel: ", 34));
	CHECK_EQ(f.r.verdict.claim_holds, CLAIM_YES);
	CHECK(!judge_chance_decides(&f.r));
	f.m.meta.claim.at_least = false;
	afx_compute(&f);
	CHECK_EQ(f.r.verdict.claim_doubt, DOUBT_VERDICT);
	CHECK(judge_chance_decides(&f.r));
	f.m.meta.claim.class = CLASS_PARALLEL;
	afx_compute(&f);
	CHECK_EQ(f.r.verdict.claim_doubt, DOUBT_VERDICT);
	f.m.meta.claim.class = CLASS_SEQUENTIAL;
	afx_compute(&f);
	CHECK_EQ(f.r.verdict.claim_fault, FAULT_CLASS);
	CHECK(!judge_chance_decides(&f.r));
	/* What stamps that contradict each other show of progress is not certain either. */
	f.m.audit.clock_ahead_ns = 50 * MS;
	afx_compute(&f);
	CHECK_EQ(f.r.verdict.class, CLASS_INCONCLUSIVE);
	CHECK_EQ(f.r.verdict.at_least, CLASS_NONE);
	CHECK_EQ(f.r.verdict.claim_doubt, DOUBT_VERDICT);
	CHECK(judge_chance_decides(&f.r));
	afx_release(&f);
}

/* The class of one task with this life, whose span number @span has @flags; 0: as it is. */
static enum verdict_class loop_class(const char *life, size_t span, uint16_t flags)
{
	enum verdict_class class;
	struct afx f;

	afx_init(&f, 1, MS, 10);
	afx_task(&f, 0, life);
	for (size_t i = 0; i < f.m.tasks[0].span_cnt; i++)
		if (afx_span(&f, 0, i)->state == SPAN_BLOCKED)
			afx_span(&f, 0, i)->syscall = 1;
	afx_span(&f, 0, span)->flags |= flags;
	afx_compute(&f);
	class = f.r.verdict.class;
	afx_release(&f);
	return class;
}

TEST(analyze_verdict_loops_that_are_not_seen)
{
	CHECK_EQ(loop_class("0EEEEEEE00", 0, 0), CLASS_SEQUENTIAL);
	CHECK_EQ(loop_class("0EE0EEEE00", 0, 0), CLASS_INCONCLUSIVE);
	CHECK_EQ(loop_class("0PP0PPPP00", 0, 0), CLASS_INCONCLUSIVE);
	CHECK_EQ(loop_class("0UU0UUUU00", 0, 0), CLASS_INCONCLUSIVE);
	CHECK_EQ(loop_class("0EE0PPPP00", 0, 0), CLASS_SEQUENTIAL);
	CHECK_EQ(loop_class("0SS0SSSS00", 0, 0), CLASS_SEQUENTIAL);
	/* One of the two was seen: the other may have been anything. */
	CHECK_EQ(loop_class("0EE0EEEE00", 1, SPAN_OBSERVED), CLASS_INCONCLUSIVE);
	CHECK_EQ(loop_class("0EE0000000", 1, SPAN_OBSERVED), CLASS_SEQUENTIAL);
}

TEST(analyze_verdict_invisible_operations)
{
	struct afx f;

	afx_init(&f, 1, MS, 10);
	afx_task(&f, 0, "0EEE0EEE00");
	afx_compute(&f);
	CHECK_EQ(f.r.verdict.class, CLASS_INCONCLUSIVE);
	CHECK_STR(f.r.verdict.reason, "operations not visible: add --ops or markers");
	f.m.meta.ops_hooked = true;
	afx_compute(&f);
	CHECK_EQ(f.r.verdict.class, CLASS_INCONCLUSIVE);
	CHECK_STR(f.r.verdict.reason,
		  "operations not visible: tid 101 waited in its loop for what no "
		  "descriptor told, as for timers: add markers");
	/* Another set is none: the operations of this one. */
	afx_span(&f, 0, 1)->addr = 5;
	afx_compute(&f);
	CHECK_EQ(f.r.verdict.class, CLASS_SEQUENTIAL);
	afx_span(&f, 0, 1)->addr = 0;
	/* A task of the workload ended both. */
	afx_span(&f, 0, 1)->waker_id = afx_span(&f, 0, 3)->waker_id = 1;
	afx_compute(&f);
	CHECK_EQ(f.r.verdict.class, CLASS_SEQUENTIAL);
	afx_op(&f, 1, 1, 3);
	afx_op(&f, 1, 3, 6);
	afx_compute(&f);
	CHECK_EQ(f.r.verdict.class, CLASS_SEQUENTIAL);
	afx_op(&f, 1, 2, 4);
	afx_compute(&f);
	CHECK_EQ(f.r.verdict.class, CLASS_CONCURRENT);
	CHECK_STR(f.r.verdict.reason,
		  "two or more operations were in progress for 20.0 % of the active "
		  "time, and two ran at once for 0.0 % of the busy time");
	CHECK(!in_scope(&f, "goroutines"));
	afx_release(&f);
}

/* Programs whose class is known. */
TEST(analyze_verdict_known_programs)
{
	static const struct {
		const char *what;
		const char *lives[4];
		enum verdict_class class;
	} rows[] = {
		{ "one task", { "0000SSSS00" }, CLASS_SEQUENTIAL },
		{ "perfectly parallel", { "0000000000", "1111111111" }, CLASS_PARALLEL },
		{ "staircase", { "0000000000", "SS11111111", "SSSS222222" }, CLASS_PARALLEL },
		{ "ping-pong", { "00II00II00II00II", "II11II11II11II11" }, CLASS_CONCURRENT },
		{ "one lock for all", { "00LLLL00LLLL", "LL11LLLL11LL", "LLLL22LLLL22" },
		  CLASS_CONCURRENT },
		{ "two on one CPU", { "000...000...", "...000...000" }, CLASS_CONCURRENT },
		{ "sleepers", { "0SSSSSSSSSSS0", ".0SSSSSSSSSS.0", "..0SSSSSSSSSS.0" },
		  CLASS_CONCURRENT },
		{ "shell and child", { "00WWWWWW00WWWW00", "SS111111", "SSSSSSSSSS1111" },
		  CLASS_SEQUENTIAL },
		{ "shell reading $()", { "00iiiiii00WWWW00", "SS111111", "SSSSSSSSSS1111" },
		  CLASS_SEQUENTIAL },
		{ "start and join", { "00JJJJJJJJ00", "SS1111", "SSSSSS2222" }, CLASS_SEQUENTIAL },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct afx f;

		afx_init(&f, 3, MS, 16);
		afx_clocks(&f, 25);
		for (size_t j = 0; j < 4 && rows[i].lives[j]; j++)
			afx_task(&f, 0, rows[i].lives[j]);
		afx_compute(&f);
		CHECK_STR(verdict_class_name(f.r.verdict.class), verdict_class_name(rows[i].class));
		if (f.r.verdict.class != rows[i].class)
			unit_failed(__FILE__, __LINE__, "%s: %s", rows[i].what, f.r.verdict.reason);
		CHECK_EQ(f.r.verdict.never_two, rows[i].class != CLASS_PARALLEL);
		afx_release(&f);
	}
}

TEST(analyze_verdict_claims)
{
	struct claim *claim;
	struct afx f;

	overlapping(&f, 50);
	claim = &f.m.meta.claim;
	afx_compute(&f);
	CHECK_EQ(f.r.verdict.claim_holds, CLAIM_NOT_MADE);
	claim->class = CLASS_PARALLEL;
	afx_compute(&f);
	CHECK_EQ(f.r.verdict.claim_holds, CLAIM_YES);
	claim->class = CLASS_CONCURRENT;
	afx_compute(&f);
	CHECK_EQ(f.r.verdict.claim_holds, CLAIM_NO);

	claim->class = CLASS_PARALLEL;
	claim->min_parallelism_milli = 1500;
	afx_compute(&f);
	CHECK_EQ(f.r.verdict.claim_holds, CLAIM_YES);
	claim->min_parallelism_milli = 1501;
	afx_compute(&f);
	CHECK_EQ(f.r.verdict.claim_holds, CLAIM_NO);
	claim->needs_cpus = 2;
	afx_compute(&f);
	CHECK_EQ(f.r.verdict.claim_holds, CLAIM_NO);
	claim->needs_cpus = 3;
	afx_compute(&f);
	CHECK_EQ(f.r.verdict.claim_holds, CLAIM_UNDECIDED);
	CHECK_EQ(f.r.verdict.class, CLASS_PARALLEL);
	*claim = (struct claim){ .class = CLASS_PARALLEL };
	afx_audit_failure(&f, "births", 2, 1);
	afx_compute(&f);
	CHECK_EQ(f.r.verdict.claim_holds, CLAIM_UNDECIDED);
	afx_release(&f);
}

/* With one CPU nothing can be parallel, so a claim of it is neither kept nor broken. */
TEST(analyze_verdict_parallel_claim_on_one_cpu)
{
	struct afx f;

	afx_init(&f, 1, MS, 12);
	afx_task(&f, 0, "000...000...");
	afx_task(&f, 0, "...000...000");
	f.m.meta.claim.class = CLASS_PARALLEL;
	afx_compute(&f);
	CHECK_EQ(f.r.verdict.class, CLASS_CONCURRENT);
	CHECK_EQ(f.r.verdict.claim_holds, CLAIM_UNDECIDED);
	f.m.meta.claim.class = CLASS_SEQUENTIAL;
	afx_compute(&f);
	CHECK_EQ(f.r.verdict.claim_holds, CLAIM_NO);
	afx_release(&f);
}

static void give_cpu_to_others(struct afx *f, uint16_t cpu)
{
	afx_finish(f);
	for (size_t i = 0; i < f->m.cpu_seg_cnt; i++)
		if (i >= f->m.cpus[cpu].seg_first &&
		    i < f->m.cpus[cpu].seg_first + f->m.cpus[cpu].seg_cnt &&
		    f->m.cpu_segs[i].class == LAB_CPU_IDLE)
			f->m.cpu_segs[i].class = LAB_CPU_FOREIGN;
}

/* Two that share CPU 0 because another program has CPU 1 show nothing about themselves. */
TEST(analyze_verdict_claim_on_a_busy_machine)
{
	struct afx f;

	afx_init(&f, 2, MS, 12);
	afx_task(&f, 0, "000...000...");
	afx_task(&f, 0, "...000...000");
	f.m.meta.claim.class = CLASS_PARALLEL;
	afx_compute(&f);
	CHECK_EQ(f.r.verdict.claim_holds, CLAIM_NO);
	CHECK(!judge_others_decide(&f.r) && !judge_chance_decides(&f.r));
	give_cpu_to_others(&f, 1);
	afx_compute(&f);
	CHECK_EQ(f.r.verdict.class, CLASS_CONCURRENT);
	CHECK_EQ(f.r.verdict.claim_holds, CLAIM_UNDECIDED);
	CHECK_EQ(f.r.verdict.claim_doubt, DOUBT_BUSY_CPUS);
	CHECK(judge_others_decide(&f.r));
	f.m.meta.claim.class = CLASS_SEQUENTIAL;
	afx_compute(&f);
	CHECK_EQ(f.r.verdict.claim_holds, CLAIM_NO);
	CHECK(!judge_others_decide(&f.r));
	/* Without a claim it is made to tell its class. */
	f.m.meta.claim.class = CLASS_NONE;
	afx_compute(&f);
	CHECK(judge_others_decide(&f.r));
	afx_release(&f);
}

/* Who never waits for a CPU lost none to the others. */
TEST(analyze_verdict_claim_beside_others_without_waiting)
{
	struct afx f;

	afx_init(&f, 2, MS, 12);
	afx_task(&f, 0, "000LLL000LLL");
	afx_task(&f, 0, "LLL000LLL000");
	f.m.meta.claim.class = CLASS_PARALLEL;
	give_cpu_to_others(&f, 1);
	afx_compute(&f);
	CHECK_EQ(f.r.verdict.claim_holds, CLAIM_NO);
	CHECK_EQ(f.r.verdict.claim_doubt, DOUBT_NONE);
	afx_release(&f);
}

TEST(analyze_verdict_claimed_operations)
{
	struct afx f;

	afx_init(&f, 1, MS, 12);
	afx_task(&f, 0, "000...000...");
	afx_task(&f, 0, "...000...000");
	f.m.meta.claim = (struct claim){ .class = CLASS_CONCURRENT, .min_operations = 2 };
	afx_compute(&f);
	CHECK_EQ(f.r.verdict.claim_holds, CLAIM_UNDECIDED);
	f.m.meta.ops_hooked = true;
	afx_compute(&f);
	CHECK_EQ(f.r.verdict.claim_holds, CLAIM_NO);
	afx_op(&f, 1, 0, 3);
	afx_op(&f, 1, 2, 4);
	afx_compute(&f);
	CHECK_EQ(f.r.verdict.claim_holds, CLAIM_YES);
	afx_release(&f);
}

TEST(analyze_verdict_scope)
{
	static const char kvm[] = "kvm", container[] = "container";
	struct afx f;

	overlapping(&f, 50);
	f.m.meta.virtualized = (char *)kvm;
	f.m.meta.smt = true;
	f.m.end.steal_ns = 1;
	f.m.end.reason = TRACE_END_FOR;
	f.m.meta.attach_tgid = 4;
	afx_compute(&f);
	CHECK(in_scope(&f, "kernel's view"));
	CHECK(in_scope(&f, "stamps"));
	CHECK(in_scope(&f, "steal"));
	CHECK(in_scope(&f, "Virtual CPUs"));
	CHECK(in_scope(&f, "core"));
	CHECK(in_scope(&f, "attached"));
	CHECK(in_scope(&f, "end of the recording"));
	CHECK(!in_scope(&f, "goroutines"));
	f.m.meta.virtualized = (char *)container;
	afx_compute(&f);
	CHECK(!in_scope(&f, "Virtual CPUs"));
	f.m.tasks[1].span_cnt = 0;
	afx_compute(&f);
	CHECK_EQ(f.r.verdict.class, CLASS_SEQUENTIAL);
	CHECK(in_scope(&f, "goroutines"));
	CHECK(!in_scope(&f, "core"));
	afx_release(&f);
}

TEST(analyze_verdict_scope_names_missed)
{
	struct afx f;
	bool said = false;

	afx_init(&f, 1, MS, 3);
	afx_task(&f, 0, "000");
	f.m.end.name_misses = 1;
	afx_compute(&f);
	for (size_t i = 0; i < f.r.verdict.scope_cnt; i++)
		said |= strstr(f.r.verdict.scope[i], "old name") != NULL;
	CHECK(said);
	CHECK(f.r.lossless);
	afx_release(&f);
}
