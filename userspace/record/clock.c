/* SPDX-License-Identifier: GPL-2.0-only */
#include "record/clock.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#include "util/minmax.h"
#include "util/threads.h"

#define ROUND_NS 3000000
#define ROUNDS_MAX 10		/* as long as other programs keep the two from running at once */
#define ROUNDS_SPINNING 3	/* then both rest between stamps: see compare() */
#define REST_NS 1000
#define GOOD_EPS_NS 1000	/* no better than what two threads at once show */
#define TOTAL_NS 500000000

/* One side of a pair; its published stamp on a cache line of its own. */
struct side {
	_Atomic uint64_t published_ns;
	char pad[120];
	const struct side *other;
	_Atomic uint32_t *here;		/* sides that have their CPU */
	bool rests;
	uint64_t duration_ns;
	/* Of mine minus the other's last published; below 0 if mine is behind. */
	int64_t smallest_ns;
	uint16_t cpu;
};

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

/*
 * Where two virtual CPUs take turns on one CPU, two that spin meet only when their turn ends,
 * milliseconds apart. One that sleeps gives its turn to the other at once, just after its stamp.
 */
static void *compare(void *arg)
{
	const struct timespec rest = { .tv_nsec = REST_NS };
	struct side *side = arg;
	uint64_t deadline_ns, mine, theirs;

	if (!threads_pin(side->cpu))
		return NULL;
	atomic_fetch_add(side->here, 1);
	deadline_ns = now_ns() + side->duration_ns;
	while (atomic_load(side->here) < 2 && now_ns() < deadline_ns)
		;
	deadline_ns = now_ns() + side->duration_ns;
	do {
		theirs = atomic_load_explicit(&side->other->published_ns, memory_order_acquire);
		mine = now_ns();
		if (theirs && (int64_t)(mine - theirs) < side->smallest_ns)
			side->smallest_ns = (int64_t)(mine - theirs);
		atomic_store_explicit(&side->published_ns, mine, memory_order_release);
		if (side->rests)
			nanosleep(&rest, NULL);
	} while (mine < deadline_ns);
	return NULL;
}

/* Return: true and the bound, or false if the two never met. */
static bool compare_pair(uint16_t cpu_a, uint16_t cpu_b, uint64_t duration_ns, bool rests,
			 uint32_t *eps_ns)
{
	_Atomic uint32_t here = 0;
	struct side sides[2] = {
		{ .cpu = cpu_a, .other = &sides[1] },
		{ .cpu = cpu_b, .other = &sides[0] },
	};
	pthread_t threads[2];
	int started = 0;

	for (int i = 0; i < 2; i++) {
		sides[i].here = &here;
		sides[i].duration_ns = duration_ns;
		sides[i].rests = rests;
		sides[i].smallest_ns = INT64_MAX;
	}
	while (started < 2 && !pthread_create(&threads[started], NULL, compare, &sides[started]))
		started++;
	for (int i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
	if (sides[0].smallest_ns == INT64_MAX || sides[1].smallest_ns == INT64_MAX)
		return false;
	*eps_ns = min_u64(max_u64(llabs(sides[0].smallest_ns), llabs(sides[1].smallest_ns)),
			  UINT32_MAX);
	return true;
}

uint32_t clock_compare(const uint16_t *cpus, uint32_t cpu_cnt, struct trace_clock_pair *pairs)
{
	uint64_t deadline_ns = now_ns() + TOTAL_NS, round_ns = ROUND_NS;
	uint32_t cnt = 0;

	if (cpu_cnt < 2)
		return 0;
	round_ns = min_u64(round_ns, TOTAL_NS / (cpu_cnt - 1));
	for (uint32_t i = 1; i < cpu_cnt; i++) {
		uint32_t best_ns = UINT32_MAX, eps_ns;

		for (int round = 0; round < ROUNDS_MAX && best_ns > GOOD_EPS_NS; round++) {
			if (round && now_ns() >= deadline_ns)
				break;
			if (compare_pair(cpus[0], cpus[i], round_ns, round >= ROUNDS_SPINNING,
					 &eps_ns))
				best_ns = min_u64(best_ns, eps_ns);
		}
		if (best_ns == UINT32_MAX)
			continue;
		pairs[cnt++] = (struct trace_clock_pair){ cpus[0], cpus[i], best_ns };
	}
	return cnt;
}
