/* SPDX-License-Identifier: GPL-2.0-only */
#include <math.h>
#include <stdint.h>

#include "analyze/scaling.h"
#include "unit.h"

static double usl(double n, double speed, double serial, double coherency)
{
	return speed * n / (1 + serial * (n - 1) + coherency * n * (n - 1));
}

static bool near(double a, double b, double within)
{
	return fabs(a - b) <= within;
}

static size_t exact(struct scaling_sample *samples, uint32_t n_max, double speed, double serial,
		    double coherency)
{
	for (uint32_t n = 1; n <= n_max; n++)
		samples[n - 1] = (struct scaling_sample){ n, usl(n, speed, serial, coherency) };
	return n_max;
}

/* In [-1, 1], from a fixed sequence. */
static double noise(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (double)(int64_t)(*state >> 11) / (double)(UINT64_C(1) << 52) - 1;
}

TEST(scaling_amdahl_finds_its_serial_fraction)
{
	static const double serials[] = { 0, 0.001, 0.05, 0.1, 0.5, 0.9, 1 };

	for (size_t i = 0; i < sizeof(serials) / sizeof(*serials); i++) {
		struct scaling_sample samples[16];
		struct scaling_fit fit;

		scaling_fit(LAW_AMDAHL, samples, exact(samples, 16, 3.5, serials[i], 0), &fit);
		REQUIRE(fit.known);
		CHECK(near(fit.serial, serials[i], 1e-9));
		CHECK(near(fit.speed, 3.5, 1e-9));
		CHECK(near(fit.rms, 0, 1e-9) && near(fit.worst, 0, 1e-9));
		CHECK(near(scaling_at(&fit, 64), usl(64, 3.5, serials[i], 0), 1e-6));
		CHECK(fit.peak_n <= 0 && fit.coherency <= 0);
	}
}

TEST(scaling_usl_finds_both_coefficients)
{
	static const double pairs[][2] = {
		{ 0.02, 0.0005 }, { 0.2, 0.01 }, { 0, 0.003 },
		{ 0.3, 0 }, { 0, 0 }, { 0.8, 0.0001 },
	};

	for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
		struct scaling_sample samples[64];
		struct scaling_fit fit;

		scaling_fit(LAW_USL, samples,
			    exact(samples, 64, 0.9, pairs[i][0], pairs[i][1]), &fit);
		REQUIRE(fit.known);
		CHECK(near(fit.serial, pairs[i][0], 1e-8));
		CHECK(near(fit.coherency, pairs[i][1], 1e-9));
		if (pairs[i][1] > 0)
			CHECK(near(fit.peak_n, sqrt((1 - pairs[i][0]) / pairs[i][1]), 1e-2));
	}
}

/* Noise of 2 % moves the coefficients by little, and their errors say by how much. */
TEST(scaling_noise_is_bounded)
{
	uint64_t state = 1;
	int within = 0;

	for (int trial = 0; trial < 200; trial++) {
		struct scaling_sample samples[48];
		struct scaling_fit amdahl, both;

		for (int i = 0; i < 48; i++) {
			double n = 1 + i % 16;

			samples[i] = (struct scaling_sample){
				n, usl(n, 1, 0.1, 0.002) * (1 + 0.02 * noise(&state)) };
		}
		scaling_fit(LAW_USL, samples, 48, &both);
		scaling_fit(LAW_AMDAHL, samples, 48, &amdahl);
		REQUIRE(both.known && amdahl.known && both.errors_known);
		CHECK(near(both.serial, 0.1, 0.02));
		CHECK(near(both.coherency, 0.002, 0.001));
		CHECK(both.rms < 0.02 && both.worst < 0.05);
		CHECK(both.serial_error > 0 && both.serial_error < 0.01);
		/* The law that has one term less cannot fit better. */
		CHECK(amdahl.rms >= both.rms);
		within += near(both.serial, 0.1, 2 * both.serial_error);
	}
	CHECK(within >= 180);	/* two standard errors: 95 % of 200 */
}

/* Bounds are kept, and the best within them is taken. */
TEST(scaling_stays_within_bounds)
{
	struct scaling_sample samples[8];
	struct scaling_fit fit;

	for (uint32_t n = 1; n <= 8; n++)	/* more than N times as fast */
		samples[n - 1] = (struct scaling_sample){ n, pow(n, 1.2) };
	scaling_fit(LAW_USL, samples, 8, &fit);
	REQUIRE(fit.known);
	CHECK(fit.serial >= 0 && fit.serial <= 0 && fit.coherency <= 0);
	CHECK(!fit.errors_known && fit.rms > 0.1);
	for (uint32_t n = 1; n <= 8; n++)	/* slower and slower */
		samples[n - 1] = (struct scaling_sample){ n, 1.0 / n };
	scaling_fit(LAW_AMDAHL, samples, 8, &fit);
	REQUIRE(fit.known);
	CHECK(near(fit.serial, 1, 1e-12) && !fit.errors_known);
	scaling_fit(LAW_USL, samples, 8, &fit);
	REQUIRE(fit.known);
	CHECK(fit.serial >= 0 && fit.serial <= 1 && fit.coherency > 0);
}

TEST(scaling_too_few_are_not_fitted)
{
	const struct scaling_sample two[] = { { 1, 1 }, { 2, 1.9 }, { 1, 1.01 }, { 2, 1.8 } };
	struct scaling_sample samples[8];
	struct scaling_fit fit;

	scaling_fit(LAW_AMDAHL, two, 4, &fit);
	CHECK(!fit.known);
	CHECK_EQ(fit.distinct_cnt, 2);
	CHECK_EQ(fit.needed_cnt, 3);
	scaling_fit(LAW_AMDAHL, two, 0, &fit);
	CHECK(!fit.known);
	scaling_fit(LAW_USL, samples, exact(samples, 3, 1, 0.1, 0.01), &fit);
	CHECK(!fit.known);
	scaling_fit(LAW_USL, samples, exact(samples, 4, 1, 0.1, 0.01), &fit);
	CHECK(fit.known);
}

static struct trial run(uint64_t wall_ns, uint64_t run_ns, uint64_t ready_ns)
{
	return (struct trial){
		.class = CLASS_PARALLEL, .audit_clean = true, .wall_ns = wall_ns, .run_ns = run_ns,
		.busy_ns = wall_ns, .life_ns = run_ns + ready_ns, .ready_ns = ready_ns, .cpus = 4,
		.capacity = { .known = true, .total_ns = 4 * wall_ns, .work_ns = run_ns },
	};
}

/* The amount of work may grow with N: what counts is throughput. */
TEST(scaling_is_of_throughput)
{
	struct scaling s = {
		.workload = "errands", .repeats = 1, .cpus = 4, .point_cnt = 4,
		.points = { { .n = 1 }, { .n = 2 }, { .n = 4 }, { .n = 8 } },
	};
	const struct trial trials[] = {
		run(1000, 1000, 0), run(1000, 2000, 10), run(1000, 4000, 20), run(2000, 8000, 8000),
	};
	const uint64_t amounts[] = { 40, 80, 160, 320 };

	scaling_compute(trials, amounts, 0, &s);
	CHECK_EQ(s.points[0].runs.speedup_milli.median, 1000);
	CHECK_EQ(s.points[1].runs.speedup_milli.median, 2000);
	CHECK_EQ(s.points[2].runs.speedup_milli.median, 4000);
	CHECK_EQ(s.points[3].runs.speedup_milli.median, 4000);
	/* Eight on four CPUs say how many CPUs there are, and nothing of the work. */
	CHECK_EQ(s.points[2].doubt, SCALING_GOOD);
	CHECK_EQ(s.points[3].doubt, SCALING_FEW_CPUS);
	REQUIRE(s.fits[LAW_AMDAHL].known);
	CHECK(near(s.fits[LAW_AMDAHL].serial, 0, 1e-9));
	CHECK(near(s.points[3].predicted[LAW_AMDAHL], 8, 1e-9));
	CHECK(!s.fits[LAW_USL].known);
	CHECK_EQ(s.fits[LAW_USL].distinct_cnt, 3);
}

TEST(scaling_over_cpus_needs_tasks_for_them)
{
	struct scaling s = {
		.workload = "amdahl", .over_cpus = true, .repeats = 1, .cpus = 4, .point_cnt = 4,
		.points = { { .n = 1 }, { .n = 2 }, { .n = 3 }, { .n = 4 } },
	};
	const struct trial trials[] = {
		run(1200, 1, 0), run(800, 1, 0), run(667, 1, 0), run(667, 1, 0),
	};
	const uint64_t amounts[] = { 7, 7, 7, 7 };

	scaling_compute(trials, amounts, 3, &s);
	CHECK_EQ(s.points[2].doubt, SCALING_GOOD);
	CHECK_EQ(s.points[3].doubt, SCALING_FEW_TASKS);
	REQUIRE(s.fits[LAW_AMDAHL].known);
	CHECK(near(s.fits[LAW_AMDAHL].serial, 1.0 / 3, 1e-3));
}
