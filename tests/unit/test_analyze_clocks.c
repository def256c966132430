/* SPDX-License-Identifier: GPL-2.0-only */
#include "analyze/clocks.h"
#include "analyze_fixture.h"
#include "unit.h"

static uint64_t eps(const struct afx *f, uint16_t a, uint16_t b)
{
	return clocks_eps(&f->r.clocks, clocks_row(&f->r.clocks, a), clocks_row(&f->r.clocks, b));
}

TEST(analyze_clocks_unbound)
{
	struct afx f;

	afx_init(&f, 3, AFX_MS, 10);
	afx_compute(&f);
	CHECK_EQ(eps(&f, 0, 1), CLOCK_EPS_UNBOUND_NS);
	CHECK_EQ(eps(&f, 1, 1), 0);
	CHECK_EQ(f.r.clocks.eps_max_ns, CLOCK_EPS_UNBOUND_NS);
	CHECK_EQ(f.r.verdict.eps_ns, CLOCK_EPS_UNBOUND_NS);
	CHECK_EQ(clocks_row(&f.r.clocks, 3), CLOCK_CPU_NONE);
	CHECK_EQ(eps(&f, 0, 3), CLOCK_EPS_UNBOUND_NS);
	afx_release(&f);
}

TEST(analyze_clocks_one_cpu)
{
	struct afx f;

	afx_init(&f, 1, AFX_MS, 10);
	afx_compute(&f);
	CHECK_EQ(f.r.clocks.eps_max_ns, 0);
	afx_release(&f);
}

/* CPU 0 is the reference: each was compared with it, in either order; the best one counts. */
TEST(analyze_clocks_by_the_reference)
{
	struct afx f;

	afx_init(&f, 4, AFX_MS, 10);
	afx_pair(&f, 0, 1, 15);
	afx_pair(&f, 2, 0, 25);
	afx_pair(&f, 0, 2, 22);
	afx_pair(&f, 1, 2, 3);		/* not with it */
	afx_compute(&f);
	CHECK_EQ(eps(&f, 0, 1), 15);
	CHECK_EQ(eps(&f, 2, 0), 22);
	CHECK_EQ(eps(&f, 1, 2), 37);
	CHECK_EQ(eps(&f, 0, 3), CLOCK_EPS_UNBOUND_NS);
	CHECK_EQ(f.r.clocks.eps_max_ns, CLOCK_EPS_UNBOUND_NS);
	afx_release(&f);
}

/* Nor need the reference be a CPU that the run could use. */
TEST(analyze_clocks_of_a_reference_that_is_not_usable)
{
	struct afx f;

	afx_init(&f, 2, AFX_MS, 10);
	afx_pair(&f, 9, 0, 15);
	afx_pair(&f, 9, 1, UINT32_MAX);
	afx_compute(&f);
	CHECK_EQ(eps(&f, 0, 1), 15ULL + UINT32_MAX);
	CHECK_EQ(f.r.clocks.eps_max_ns, 15ULL + UINT32_MAX);
	afx_release(&f);
}

TEST(analyze_clocks_many_cpus)
{
	struct afx f;

	afx_init(&f, 1024, AFX_MS, 10);
	for (uint16_t i = 1; i < 1024; i++)
		afx_pair(&f, 0, i, i);
	afx_compute(&f);
	CHECK_EQ(eps(&f, 1000, 1010), 2010);
	CHECK_EQ(f.r.clocks.eps_max_ns, 2045);
	afx_release(&f);
}
