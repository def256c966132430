/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_WORKLOAD_WORK_H
#define LAB_WORKLOAD_WORK_H

/*
 * work - what workloads are made of: seeded chance, real arithmetic that
 * checks itself, and sleep. Keeps no state but the caller's, allocates
 * nothing and logs nothing; safe in any thread.
 *
 * The arithmetic is modulo the prime 2^61 - 1. A unit raises a random number
 * to a power whose result is known beforehand, so nothing can be optimised
 * away, and no calibration is needed: a unit takes about half a microsecond
 * on a machine of the 2020s, and callers depend on no particular value.
 */

#include <stdint.h>

#define WORK_PRIME ((UINT64_C(1) << 61) - 1)

struct work_rng {
	uint64_t state;
};

/* The same @seed and @stream give the same numbers; other streams, unrelated ones. */
void work_rng_init(struct work_rng *rng, uint32_t seed, uint32_t stream);

/* The next number, of 64 random bits. */
uint64_t work_random(struct work_rng *rng);

/* A number within [@low, @high]; the bias is below 2^-32 where the range is below 2^32. */
uint64_t work_random_within(struct work_rng *rng, uint64_t low, uint64_t high);

/* A number within [2, WORK_PRIME - 2]. */
uint64_t work_random_residue(struct work_rng *rng);

/* a times b, modulo WORK_PRIME; both are below it. */
uint64_t work_mul(uint64_t a, uint64_t b);

/* The number whose product with @a is 1 modulo WORK_PRIME; @a within [1, WORK_PRIME - 1]. */
uint64_t work_inverse(uint64_t a);

/**
 * work_compute() - do @units units of arithmetic
 *
 * Return: 0, or -EIO if a result was wrong, which only a broken machine does.
 */
int work_compute(struct work_rng *rng, uint64_t units);

/* Compute until @end_ns, at least a little. Return: 0 or -EIO, as work_compute(). */
int work_compute_until(struct work_rng *rng, uint64_t end_ns);

/* Compute until the calling thread has been on a CPU for @cpu_ns more, at least a little. */
int work_compute_cpu(struct work_rng *rng, uint64_t cpu_ns);

/* CLOCK_MONOTONIC, in nanoseconds. */
uint64_t work_now_ns(void);

/* For how long the calling thread has been on a CPU. */
uint64_t work_thread_cpu_ns(void);

/* Sleep until @at_ns of CLOCK_MONOTONIC, through signals; returns at once if it has passed. */
void work_sleep_until(uint64_t at_ns);

#endif /* LAB_WORKLOAD_WORK_H */
