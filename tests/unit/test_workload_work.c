/* SPDX-License-Identifier: GPL-2.0-only */
#include "unit.h"

#include "workload/work.h"

TEST(workload_arithmetic)
{
	struct work_rng rng;

	CHECK_EQ(work_mul(WORK_PRIME - 1, WORK_PRIME - 1), 1);
	CHECK_EQ(work_mul(0, WORK_PRIME - 1), 0);
	CHECK_EQ(work_mul(UINT64_C(1) << 60, 2), 1);
	CHECK_EQ(work_inverse(1), 1);
	CHECK_EQ(work_inverse(2), UINT64_C(1) << 60);
	CHECK_EQ(work_inverse(WORK_PRIME - 1), WORK_PRIME - 1);
	work_rng_init(&rng, 1, 1);
	for (int i = 0; i < 1000; i++) {
		uint64_t a = work_random_residue(&rng);

		CHECK(a >= 2 && a <= WORK_PRIME - 2);
		CHECK_EQ(work_mul(a, work_inverse(a)), 1);
	}
	CHECK_EQ(work_compute(&rng, 1000), 0);
}

TEST(workload_chance_comes_from_the_seed)
{
	struct work_rng a, b, c, d;
	int equal_seed = 0, equal_stream = 0;

	work_rng_init(&a, 42, 3);
	work_rng_init(&b, 42, 3);
	work_rng_init(&c, 43, 3);
	work_rng_init(&d, 42, 4);
	for (int i = 0; i < 1000; i++) {
		uint64_t x = work_random(&a);

		CHECK(x == work_random(&b));
		equal_seed += x == work_random(&c);
		equal_stream += x == work_random(&d);
	}
	CHECK_EQ(equal_seed, 0);
	CHECK_EQ(equal_stream, 0);
}

TEST(workload_chance_keeps_its_range)
{
	bool low = false, high = false;
	struct work_rng rng;

	work_rng_init(&rng, 1, 0);
	for (int i = 0; i < 1000; i++) {
		uint64_t x = work_random_within(&rng, 10, 13);

		CHECK(x >= 10 && x <= 13);
		low |= x == 10;
		high |= x == 13;
		CHECK_EQ(work_random_within(&rng, 5, 5), 5);
		work_random_within(&rng, 0, UINT64_MAX);
	}
	CHECK(low && high);
}

TEST(workload_sleep_lasts_until_its_instant)
{
	uint64_t at_ns = work_now_ns() + 5000000;

	work_sleep_until(at_ns);
	CHECK(work_now_ns() >= at_ns);
	work_sleep_until(at_ns);
	work_sleep_until(0);
}
