/* SPDX-License-Identifier: GPL-2.0-only */
#include "analyze_fixture.h"
#include "unit.h"

#define MS AFX_MS

static uint64_t sum_profile(const struct report_parallelism *p)
{
	uint64_t ns = 0;

	for (uint32_t k = 0; k < p->profile_cnt; k++)
		ns += p->profile_ns[k];
	return ns;
}

TEST(analyze_parallelism_empty)
{
	struct afx f;

	afx_init(&f, 2, MS, 10);
	afx_compute(&f);
	CHECK_EQ(f.r.parallelism.max, 0);
	CHECK_EQ(f.r.parallelism.profile_cnt, 1);
	CHECK_EQ(f.r.parallelism.profile_ns[0], 10 * MS);
	CHECK_EQ(f.r.parallelism.busy_ns, 0);
	CHECK_EQ(f.r.parallelism.witness.part_cnt, 0);
	CHECK(!f.r.parallelism.beyond_eps);
	afx_release(&f);
}

/* One leaves as the next enters: never two, on one CPU or on two. */
TEST(analyze_parallelism_touching_is_no_overlap)
{
	struct report_parallelism *p;
	struct afx f;

	afx_init(&f, 2, MS, 12);
	afx_clocks(&f, 25);
	afx_task(&f, 0, "000SSS000SSS");
	afx_task(&f, 0, "SSS111SSS000");
	afx_compute(&f);
	p = &f.r.parallelism;
	CHECK_EQ(p->max, 1);
	CHECK_EQ(p->busy_ns, 12 * MS);
	CHECK_EQ(p->parallel_ns, 0);
	CHECK_EQ(p->longest_overlap_ns, 0);
	CHECK(!p->beyond_eps);
	CHECK(f.r.verdict.never_two);
	afx_release(&f);
}

TEST(analyze_parallelism_staircase)
{
	struct report_parallelism *p;
	struct afx f;

	afx_init(&f, 4, MS, 10);
	afx_clocks(&f, 25);
	afx_task(&f, 0, "0000000000");
	afx_task(&f, 2, "111111");
	afx_task(&f, 4, "2222");
	afx_task(&f, 6, "33");
	afx_compute(&f);
	p = &f.r.parallelism;
	CHECK_EQ(p->max, 4);
	CHECK_EQ(p->profile_cnt, 5);
	CHECK_EQ(p->profile_ns[0], 0);
	CHECK_EQ(p->profile_ns[1], 4 * MS);
	CHECK_EQ(p->profile_ns[2], 2 * MS);
	CHECK_EQ(p->profile_ns[3], 2 * MS);
	CHECK_EQ(p->profile_ns[4], 2 * MS);
	CHECK_EQ(sum_profile(p), 10 * MS);
	CHECK_EQ(p->run_ns, 22 * MS);
	CHECK_EQ(p->longest_overlap_ns, 6 * MS);
	CHECK_EQ(p->witness.part_cnt, 4);
	CHECK_EQ(p->witness.from_ns, AFX_START_NS + 6 * MS);
	CHECK_EQ(p->witness.until_ns, AFX_START_NS + 8 * MS);
	CHECK_EQ(p->witness.eps_ns, 50);	/* by way of CPU 0 */
	for (uint16_t i = 0; i < 4; i++) {
		CHECK_EQ(p->witness.parts[i].cpu, i);
		CHECK_EQ(p->witness.parts[i].task_id, i + 1);
		CHECK_EQ(p->witness.parts[i].seq_in, 0);
		CHECK_EQ(p->witness.parts[i].seq_out, 1);
	}
	afx_release(&f);
}

/* The longest of two proofs of the same degree, with its own records. */
TEST(analyze_parallelism_longest_witness)
{
	struct report_parallelism *p;
	struct afx f;

	afx_init(&f, 2, MS, 14);
	afx_clocks(&f, 25);
	afx_task(&f, 0, "000SS00000SS00");
	afx_task(&f, 0, "SS11S.1111.111");
	afx_compute(&f);
	p = &f.r.parallelism;
	CHECK_EQ(p->parallel_ns, 7 * MS);
	CHECK_EQ(p->longest_overlap_ns, 4 * MS);
	CHECK_EQ(p->witness.part_cnt, 2);
	CHECK_EQ(p->witness.from_ns, AFX_START_NS + 6 * MS);
	CHECK_EQ(p->witness.until_ns, AFX_START_NS + 10 * MS);
	CHECK_EQ(p->witness.parts[0].start_ns, AFX_START_NS + 5 * MS);
	CHECK_EQ(p->witness.parts[0].seq_in, 2);
	CHECK_EQ(p->witness.parts[0].seq_out, 3);
	CHECK_EQ(p->witness.parts[1].seq_in, 2);
	afx_release(&f);
}

/* Longer than eps and than 1 us: equal is not enough. */
TEST(analyze_parallelism_witness_thresholds)
{
	static const struct { uint32_t eps_ns; uint64_t overlap_ns; bool proves; } rows[] = {
		{ 25, 1000, false },   { 25, 1001, true },
		{ 1000, 1000, false }, { 1000, 1001, true },
		{ 3700, 3700, false }, { 3700, 3701, true },
		{ 0, 1000, false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct afx f;

		afx_init(&f, 2, 10000, 3);
		afx_clocks(&f, rows[i].eps_ns);
		afx_task(&f, 0, "00");
		afx_task(&f, 1, "11");
		afx_span(&f, 0, 0)->end_ns = AFX_START_NS + 10000 + rows[i].overlap_ns;
		afx_compute(&f);
		CHECK_EQ(f.r.parallelism.witness.part_cnt, rows[i].proves ? 2 : 0);
		CHECK_EQ(f.r.parallelism.longest_overlap_ns, rows[i].overlap_ns);
		CHECK_EQ(f.r.parallelism.beyond_eps, rows[i].overlap_ns > rows[i].eps_ns);
		afx_release(&f);
	}
}

/* CPUs 0 and 2 disagree too much for three, and two of them still prove two. */
TEST(analyze_parallelism_witness_of_the_pairs_that_agree)
{
	struct report_parallelism *p;
	struct afx f;

	afx_init(&f, 3, 10000, 4);
	afx_pair(&f, 0, 1, 100);
	afx_pair(&f, 0, 2, 30000);
	afx_task(&f, 0, "000.");
	afx_task(&f, 0, "1111");
	afx_task(&f, 1, "222");
	afx_compute(&f);
	p = &f.r.parallelism;
	CHECK_EQ(p->max, 3);
	CHECK_EQ(p->witness.part_cnt, 2);
	CHECK_EQ(p->witness.parts[0].cpu, 0);
	CHECK_EQ(p->witness.parts[1].cpu, 1);
	CHECK_EQ(p->witness.until_ns - p->witness.from_ns, 30000);
	CHECK_EQ(p->witness.eps_ns, 100);
	afx_release(&f);
}

/* A slice whose start is hidden, unrecorded or in doubt proves nothing. */
TEST(analyze_parallelism_what_is_no_witness)
{
	static const uint16_t flags[] = { SPAN_HIDDEN_START, SPAN_CUT_START, SPAN_ACROSS_GAP };

	for (size_t i = 0; i < 3; i++) {
		struct afx f;

		afx_init(&f, 2, MS, 10);
		afx_clocks(&f, 25);
		afx_task(&f, 0, "0000000000");
		afx_task(&f, 0, "1111111SSS");
		afx_span(&f, 1, 0)->flags |= flags[i];
		afx_compute(&f);
		CHECK_EQ(f.r.parallelism.witness.part_cnt, 0);
		CHECK_EQ(f.r.parallelism.parallel_ns, 7 * MS);
		CHECK_EQ(f.r.parallelism.parallel_lower_ns,
			 flags[i] == SPAN_CUT_START ? 7 * MS : 0);
		afx_release(&f);
	}
}

/* A slice that was still going on at the cut proves something only where no recorded pair does. */
TEST(analyze_parallelism_cut_slices)
{
	struct witness *w;
	struct afx f;

	afx_init(&f, 2, MS, 10);
	afx_clocks(&f, 25);
	afx_task(&f, 0, "00.0000000");
	afx_task(&f, 0, "1111111111");
	afx_span(&f, 0, 2)->flags |= SPAN_CUT_END;
	afx_compute(&f);
	w = &f.r.parallelism.witness;
	CHECK_EQ(w->part_cnt, 2);
	CHECK_EQ(w->until_ns - w->from_ns, 2 * MS);
	CHECK(!w->parts[0].cut_out && !w->parts[1].cut_out);

	afx_span(&f, 1, 0)->flags |= SPAN_CUT_END;
	afx_compute(&f);
	CHECK_EQ(w->part_cnt, 2);
	CHECK_EQ(w->until_ns - w->from_ns, 7 * MS);
	CHECK(w->parts[0].cut_out && w->parts[1].cut_out);

	/* Where a damaged file stops, nothing says how long they lasted. */
	f.m.complete = false;
	afx_compute(&f);
	CHECK_EQ(w->part_cnt, 0);
	CHECK_EQ(f.r.parallelism.parallel_lower_ns, 0);
	afx_release(&f);
}

TEST(analyze_parallelism_hidden_start_bounds)
{
	struct report_parallelism *p;
	struct model_span *s;
	struct afx f;

	afx_init(&f, 2, MS, 20);
	afx_clocks(&f, 25);
	afx_task(&f, 0, "0000000000");
	afx_task(&f, 0, "SSSSS.....1111111111");
	s = afx_span(&f, 1, 2);
	s->flags |= SPAN_HIDDEN_START;
	s->start_min_ns = AFX_START_NS + 7 * MS;
	afx_compute(&f);
	p = &f.r.parallelism;
	CHECK_EQ(p->parallel_ns, 0);
	CHECK_EQ(p->parallel_upper_ns, 3 * MS);
	CHECK_EQ(p->parallel_lower_ns, 0);
	CHECK_EQ(p->busy_ns, 20 * MS);
	CHECK_EQ(p->busy_lower_ns, 20 * MS);
	CHECK_EQ(p->busy_upper_ns, 20 * MS);
	CHECK_EQ(p->longest_overlap_ns, 0);
	CHECK(p->beyond_eps);	/* "no two at once" must not be said */
	CHECK(!f.r.verdict.never_two);
	afx_release(&f);
}

/* In a gap anything may have run; a stay across it may not have lasted. */
TEST(analyze_parallelism_gap_bounds)
{
	struct report_parallelism *p;
	struct afx f;

	afx_init(&f, 2, MS, 20);
	afx_clocks(&f, 25);
	afx_task(&f, 0, "0000SSSSSSSSSSSS0000");
	afx_task(&f, 0, "SS111111111SSSSSSSSS");
	afx_span(&f, 1, 1)->flags |= SPAN_ACROSS_GAP;
	afx_gap(&f, 1, AFX_START_NS + 8 * MS, AFX_START_NS + 13 * MS, 3);
	afx_gap(&f, 1, AFX_START_NS + 18 * MS, UINT64_MAX, 1);
	afx_compute(&f);
	p = &f.r.parallelism;
	CHECK_EQ(p->parallel_ns, 2 * MS);
	CHECK_EQ(p->parallel_upper_ns, 4 * MS);
	CHECK_EQ(p->parallel_lower_ns, 0);
	CHECK_EQ(p->busy_ns, 15 * MS);
	CHECK_EQ(p->busy_lower_ns, 8 * MS);
	CHECK_EQ(p->busy_upper_ns, 17 * MS);
	afx_release(&f);
}

/* More than fit: the witness is cut, the degree is not. */
TEST(analyze_parallelism_wide_witness)
{
	struct afx f;

	afx_init(&f, 100, MS, 10);
	afx_clocks(&f, 25);
	for (uint16_t i = 0; i < 100; i++)
		afx_span(&f, afx_task(&f, 0, "0000000000"), 0)->cpu = i;
	afx_compute(&f);
	CHECK_EQ(f.r.parallelism.max, 100);
	CHECK_EQ(f.r.parallelism.witness.part_cnt, WITNESS_MAX);
	CHECK_EQ(f.r.verdict.class, CLASS_PARALLEL);
	afx_release(&f);
}
