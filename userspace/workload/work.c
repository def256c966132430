/* SPDX-License-Identifier: GPL-2.0-only */
#include "workload/work.h"

#include <errno.h>
#include <time.h>

#define NS_PER_S UINT64_C(1000000000)
#define CLOCK_STRIDE_UNITS 16	/* between two looks at the clock */

void work_rng_init(struct work_rng *rng, uint32_t seed, uint32_t stream)
{
	rng->state = (uint64_t)seed << 32 | stream;
	/* Neighbouring states give shifted copies of one sequence: jump far apart. */
	rng->state = work_random(rng);
}

/* SplitMix64: Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014. */
uint64_t work_random(struct work_rng *rng)
{
	uint64_t x = rng->state += UINT64_C(0x9e3779b97f4a7c15);

	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

uint64_t work_random_within(struct work_rng *rng, uint64_t low, uint64_t high)
{
	uint64_t span = high - low + 1;

	return span ? low + work_random(rng) % span : work_random(rng);
}

uint64_t work_random_residue(struct work_rng *rng)
{
	return work_random_within(rng, 2, WORK_PRIME - 2);
}

uint64_t work_mul(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;
	/* 2^61 is 1 here: the high part counts as it stands. */
	uint64_t sum = (uint64_t)(product & WORK_PRIME) + (uint64_t)(product >> 61);

	return sum >= WORK_PRIME ? sum - WORK_PRIME : sum;
}

static uint64_t power(uint64_t base, uint64_t exponent)
{
	uint64_t result = 1;

	for (; exponent; exponent >>= 1) {
		if (exponent & 1)
			result = work_mul(result, base);
		base = work_mul(base, base);
	}
	return result;
}

uint64_t work_inverse(uint64_t a)
{
	return power(a, WORK_PRIME - 2);
}

int work_compute(struct work_rng *rng, uint64_t units)
{
	uint64_t wrong = 0;

	/* Fermat: a to the power p - 1 is 1 for every a that the prime p does not divide. */
	for (uint64_t i = 0; i < units; i++)
		wrong += power(work_random_residue(rng), WORK_PRIME - 1) != 1;
	return wrong ? -EIO : 0;
}

int work_compute_until(struct work_rng *rng, uint64_t end_ns)
{
	int err;

	do {
		err = work_compute(rng, CLOCK_STRIDE_UNITS);
	} while (!err && work_now_ns() < end_ns);
	return err;
}

int work_compute_cpu(struct work_rng *rng, uint64_t cpu_ns)
{
	uint64_t end_ns = work_thread_cpu_ns() + cpu_ns;
	int err;

	do {
		err = work_compute(rng, CLOCK_STRIDE_UNITS);
	} while (!err && work_thread_cpu_ns() < end_ns);
	return err;
}

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

uint64_t work_now_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

uint64_t work_thread_cpu_ns(void)
{
	return clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

void work_sleep_until(uint64_t at_ns)
{
	struct timespec ts = {
		.tv_sec = (time_t)(at_ns / NS_PER_S),
		.tv_nsec = (long)(at_ns % NS_PER_S),
	};

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) == EINTR)
		;
}
