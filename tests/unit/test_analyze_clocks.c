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
	afx_edge(&f, 0, 1, 2000);	/* one way bounds nothing */
	afx_compute(&f);
	CHECK_EQ(eps(&f, 0, 1), CLOCK_EPS_UNBOUND_NS);
	CHECK_EQ(eps(&f, 2, 1), CLOCK_EPS_UNBOUND_NS);
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

TEST(analyze_clocks_larger_direction)
{
	struct afx f;

	afx_init(&f, 2, AFX_MS, 10);
	afx_edge(&f, 0, 1, 1760);
	afx_edge(&f, 1, 0, 3660);
	afx_compute(&f);
	CHECK_EQ(eps(&f, 0, 1), 3660);
	CHECK_EQ(eps(&f, 1, 0), 3660);
	afx_release(&f);
}

/* 0 -> 1 -> 2 -> 0 is a ring: there is a path each way, and a direct edge may be longer. */
TEST(analyze_clocks_shortest_path)
{
	struct afx f;

	afx_init(&f, 3, AFX_MS, 10);
	afx_edge(&f, 0, 1, 10);
	afx_edge(&f, 1, 2, 20);
	afx_edge(&f, 2, 0, 40);
	afx_edge(&f, 0, 2, 100);
	afx_compute(&f);
	CHECK_EQ(eps(&f, 0, 1), 60);	/* back: 20 + 40 */
	CHECK_EQ(eps(&f, 1, 2), 50);	/* back: 40 + 10 */
	CHECK_EQ(eps(&f, 0, 2), 40);	/* there: 10 + 20 */
	CHECK_EQ(f.r.clocks.eps_max_ns, 60);
	afx_release(&f);
}

/* Measured from CPU 9, which is not usable; edges that cannot be added do not wrap. */
TEST(analyze_clocks_star_of_pairs)
{
	struct afx f;

	afx_init(&f, 3, AFX_MS, 10);
	afx_pair(&f, 9, 0, 15);
	afx_pair(&f, 1, 9, 25);
	afx_pair(&f, 1, 9, 22);
	afx_edge(&f, 0, 1, 30);
	afx_edge(&f, 1, 0, 30);
	afx_edge(&f, 1, 2, UINT64_MAX - 1);
	afx_edge(&f, 2, 1, 5);
	afx_compute(&f);
	CHECK_EQ(eps(&f, 0, 1), 30);	/* the edges are better than 15 + 22 */
	CHECK_EQ(eps(&f, 1, 2), UINT64_MAX - 1);
	CHECK_EQ(eps(&f, 0, 2), CLOCK_EPS_UNBOUND_NS);
	f.m.edge_min_cnt = 0;
	afx_compute(&f);
	CHECK_EQ(eps(&f, 0, 1), 37);
	CHECK_EQ(eps(&f, 2, 1), CLOCK_EPS_UNBOUND_NS);
	afx_release(&f);
}

TEST(analyze_clocks_many_cpus)
{
	struct afx f;

	afx_init(&f, 1024, AFX_MS, 10);
	for (uint16_t i = 1; i < 1024; i++) {
		afx_pair(&f, 0, i, i);
		afx_edge(&f, i, (uint16_t)(i - 1), 1);
		afx_edge(&f, (uint16_t)(i - 1), i, 1);
	}
	afx_compute(&f);
	CHECK_EQ(eps(&f, 1000, 1010), 10);
	CHECK_EQ(eps(&f, 1, 1023), 1022);
	CHECK_EQ(f.r.clocks.eps_max_ns, 1023);
	afx_release(&f);
}

/* Random graphs against Floyd and Warshall's three loops. */
TEST(analyze_clocks_random_graphs)
{
	enum { CPUS = 7, NONE = 1 << 28 };
	uint64_t seed = 11;

	for (int round = 0; round < 500; round++) {
		int d[2][CPUS][CPUS];
		struct afx f;

		afx_init(&f, CPUS, AFX_MS, 1);
		for (int i = 0; i < 2 * CPUS * CPUS; i++)
			(&d[0][0][0])[i] = NONE;
		for (uint32_t i = afx_random(&seed, 25); i > 0; i--) {
			uint16_t a = (uint16_t)afx_random(&seed, CPUS);
			uint16_t b = (uint16_t)afx_random(&seed, CPUS);
			int ns = (int)afx_random(&seed, 1000), kind = !afx_random(&seed, 4);

			if (kind) {
				afx_pair(&f, a, b, (uint32_t)ns);
				d[1][b][a] = ns < d[1][b][a] ? ns : d[1][b][a];
			} else {
				afx_edge(&f, a, b, (uint64_t)ns);
			}
			d[kind][a][b] = ns < d[kind][a][b] ? ns : d[kind][a][b];
		}
		for (int n = 0; n < 2 * CPUS * CPUS * CPUS; n++) {
			int kind = n % 2, k = n / 2 / CPUS / CPUS;
			int i = n / 2 / CPUS % CPUS, j = n / 2 % CPUS;

			if (d[kind][i][k] + d[kind][k][j] < d[kind][i][j])
				d[kind][i][j] = d[kind][i][k] + d[kind][k][j];
		}
		afx_compute(&f);
		for (uint16_t i = 0; i < CPUS; i++) {
			for (uint16_t j = 0; j < i; j++) {
				int want = d[0][i][j] > d[0][j][i] ? d[0][i][j] : d[0][j][i];

				want = d[1][i][j] < want ? d[1][i][j] : want;
				if (want >= NONE)
					want = CLOCK_EPS_UNBOUND_NS;
				CHECK_EQ(eps(&f, i, j), want);
			}
		}
		afx_release(&f);
	}
}
