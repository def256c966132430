/* SPDX-License-Identifier: GPL-2.0-only */
#include <string.h>

#include "analyze/matching.h"
#include "analyze_fixture.h"
#include "unit.h"

#define CPUS 8
#define SETS 5
#define TASKS 7

/* The most of @offered that @tasks can get, each bound to a set of CPUs: all ways are tried. */
static unsigned int best(const uint64_t *tasks, size_t cnt, uint64_t offered)
{
	unsigned int most, with;

	if (!cnt)
		return 0;
	most = best(tasks + 1, cnt - 1, offered);
	for (uint64_t left = tasks[0] & offered; left; left &= left - 1) {
		with = 1 + best(tasks + 1, cnt - 1, offered & ~(left & -left));
		most = with > most ? with : most;
	}
	return most;
}

struct play {
	struct matching m;
	uint64_t sets[SETS];
	uint64_t offered, tasks[TASKS];
	uint32_t set_of[TASKS];
	bool wants[TASKS];
	uint64_t seed;
};

static void play_step(struct play *p)
{
	uint32_t cpu = afx_random(&p->seed, CPUS), task = afx_random(&p->seed, TASKS);

	if (afx_random(&p->seed, 2)) {
		if (p->offered >> cpu & 1)
			matching_withdraw(&p->m, cpu);
		else
			matching_offer(&p->m, cpu);
		p->offered ^= 1ull << cpu;
	} else if (p->wants[task]) {
		matching_leave(&p->m, p->set_of[task]);
		p->wants[task] = false;
	} else {
		uint32_t set = afx_random(&p->seed, SETS + 1);

		p->set_of[task] = set == SETS ? MATCHING_EVERY : set;
		p->tasks[task] = set == SETS ? (1 << CPUS) - 1 : p->sets[set];
		p->wants[task] = true;
		matching_want(&p->m, p->set_of[task]);
	}
}

TEST(analyze_matching_is_what_trying_all_ways_gives)
{
	for (uint64_t seed = 1; seed <= 400; seed++) {
		struct play p = { .seed = seed };

		for (int i = 0; i < SETS; i++)
			p.sets[i] = afx_random(&p.seed, 1 << CPUS) &
				    afx_random(&p.seed, 1 << CPUS);
		matching_init(&p.m, CPUS, p.sets, SETS);
		for (int step = 0; step < 150; step++) {
			uint64_t tasks[TASKS];
			size_t cnt = 0;

			play_step(&p);
			for (int i = 0; i < TASKS; i++)
				if (p.wants[i])
					tasks[cnt++] = p.tasks[i];
			CHECK_EQ(matching_size(&p.m), best(tasks, cnt, p.offered));
		}
		matching_release(&p.m);
	}
}

TEST(analyze_matching_moves_whoever_can_move)
{
	/* CPUs 63 and 64 lie in different words. */
	uint64_t sets[3][2] = { { 1ull << 63, 1 }, { 1ull << 63, 0 }, { 0, 0 } };
	struct matching m;

	matching_init(&m, 70, sets[0], 3);
	matching_offer(&m, 63);
	matching_want(&m, 0);
	CHECK_EQ(matching_size(&m), 1);
	matching_offer(&m, 64);
	matching_want(&m, 1);		/* the first moves to 64 */
	CHECK_EQ(matching_size(&m), 2);
	matching_want(&m, 2);		/* may use none */
	CHECK_EQ(matching_size(&m), 2);
	matching_withdraw(&m, 63);
	CHECK_EQ(matching_size(&m), 1);
	matching_leave(&m, 0);
	CHECK_EQ(matching_size(&m), 0);
	matching_want(&m, MATCHING_EVERY);
	CHECK_EQ(matching_size(&m), 1);
	matching_release(&m);
}

TEST(analyze_matching_without_sets)
{
	struct matching m;

	matching_init(&m, 3, NULL, 0);
	matching_want(&m, MATCHING_EVERY);
	matching_want(&m, MATCHING_EVERY);
	CHECK_EQ(matching_size(&m), 0);
	matching_offer(&m, 2);
	CHECK_EQ(matching_size(&m), 1);
	matching_offer(&m, 0);
	matching_offer(&m, 1);
	CHECK_EQ(matching_size(&m), 2);
	matching_withdraw(&m, 0);
	matching_withdraw(&m, 1);
	matching_withdraw(&m, 2);
	matching_leave(&m, MATCHING_EVERY);
	CHECK_EQ(matching_size(&m), 0);
	matching_release(&m);
}
