/* SPDX-License-Identifier: GPL-2.0-only */
#include <ctype.h>
#include <string.h>

#include "analyze_fixture.h"
#include "unit.h"
#include "util/alloc.h"
#include "util/minmax.h"

#define LOCK_A 0x7f0000001000ULL
#define LOCK_B 0x7f0000009000ULL

/* All waits of a task for locks are at @addr. */
static void waits_at(struct afx *f, size_t task, uint64_t addr)
{
	for (size_t i = 0; i < f->m.tasks[task].span_cnt; i++) {
		struct model_span *s = afx_span(f, task, i);

		if (s->state != SPAN_BLOCKED || s->reason != REASON_LOCK)
			continue;
		s->flags |= SPAN_FUTEX;
		s->addr = addr;
		s->mm_id = 1;
	}
}

static void check_sums(const struct report_serializer *s)
{
	CHECK_EQ(s->reached_ns + s->ready_ns + s->locked_ns, s->demand_ns);
}

TEST(analyze_serializer_names_the_lock_that_goes_round)
{
	struct afx f;
	const struct report_serializer *s = &f.r.serializer;

	afx_init(&f, 2, AFX_MS, 12);
	afx_task(&f, 0, "0000LLLLLLLL");
	afx_task(&f, 0, "LLLL1111LLLL");
	afx_task(&f, 0, "SLLLLLLL0000");
	/* The two words of a condition variable, and its mutex. */
	for (size_t t = 0; t < 3; t++)
		waits_at(&f, t, LOCK_A + 4 * t);
	afx_compute(&f);
	check_sums(s);
	CHECK(s->present && s->measured);
	CHECK_EQ(s->demand_ns, 12 * AFX_MS);
	CHECK_EQ(s->locked_ns, 12 * AFX_MS);
	CHECK_EQ(s->index_ppm, 1000000);
	CHECK_EQ(s->addr, LOCK_A);
	CHECK_EQ(s->tgid, 101);
	CHECK_EQ(s->task_cnt, 3);
	CHECK_EQ(s->tasks[0], 1);
	CHECK_EQ(s->tasks[1], 2);
	CHECK_EQ(s->tasks[2], 3);

	/* What is missing may be of two at once: 5 % of the use. */
	afx_gap(&f, 0, AFX_START_NS, AFX_START_NS + AFX_MS * 3 / 5, 1);
	afx_compute(&f);
	CHECK(!s->present && s->measured);
	f.m.gaps[0].until_ns--;
	afx_compute(&f);
	CHECK(s->present);
	f.m.gap_cnt = 0;
	afx_compute(&f);

	/* Its name is that of its address, and so is that of each lock. */
	CHECK(!s->symbol);
	*vec_push(f.m.symbols, f.m.symbol_cnt, f.m.symbol_cap) = (struct model_symbol){
		.mm_id = 1, .addr = LOCK_A, .object = "/usr/bin/python3", .symbol = "_PyRuntime",
	};
	afx_compute(&f);
	REQUIRE(s->symbol && s->symbol == f.m.symbols);
	for (size_t i = 0; i < f.r.lock_cnt; i++)
		CHECK(f.r.locks[i].symbol == (f.r.locks[i].addr == LOCK_A ? f.m.symbols : NULL));

	/* With one CPU no lock keeps a second one from being used. */
	f.m.cpu_cnt = 1;
	afx_compute(&f);
	CHECK(!s->present && !s->measured);
	CHECK_EQ(s->demand_ns, 0);
	afx_release(&f);
}

TEST(analyze_serializer_is_silent_on_independent_locks)
{
	struct afx f;

	afx_init(&f, 2, AFX_MS, 12);
	afx_task(&f, 0, "000LLL000LLL");
	afx_task(&f, 0, "LLL000LLL000");
	afx_task(&f, 0, "111LLL111LLL");
	afx_task(&f, 0, "LLL111LLL111");
	for (size_t t = 0; t < 4; t++)
		waits_at(&f, t, t < 2 ? LOCK_A : LOCK_B);
	afx_compute(&f);
	check_sums(&f.r.serializer);
	CHECK(!f.r.serializer.present);
	CHECK_EQ(f.r.serializer.index_ppm, 0);

	/* The same where four CPUs would be there: each lock alone explains little. */
	for (uint16_t cpu = 2; cpu < 4; cpu++)
		*vec_push(f.m.cpus, f.m.cpu_cnt, f.m.cpu_cap) = (struct model_cpu){ .cpu = cpu };
	afx_compute(&f);
	CHECK(!f.r.serializer.present);
	CHECK_EQ(f.r.serializer.index_ppm, 500000);
	afx_release(&f);
}

TEST(analyze_serializer_is_silent_for_want_of_cpus)
{
	struct afx f;

	/* Other programs have the second CPU; now and then a lock is waited for as well. */
	afx_init(&f, 2, AFX_MS, 12);
	afx_task(&f, 0, "0000........");
	afx_task(&f, 0, "....0000....");
	afx_task(&f, 0, ".......L0000");
	waits_at(&f, 2, LOCK_A);
	afx_compute(&f);
	check_sums(&f.r.serializer);
	CHECK(f.r.serializer.measured && !f.r.serializer.present);
	CHECK_EQ(f.r.serializer.index_ppm, 1000000);
	CHECK_EQ(f.r.serializer.ready_ns, 12 * AFX_MS);
	CHECK_EQ(f.r.serializer.locked_ns, 0);
	afx_release(&f);
}

TEST(analyze_serializer_is_silent_where_all_sleep)
{
	struct afx f;

	afx_init(&f, 2, AFX_MS, 40);
	afx_task(&f, 0, "0SSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSS00");
	afx_task(&f, 0, "LSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSS");
	waits_at(&f, 1, LOCK_A);
	afx_compute(&f);
	CHECK(!f.r.serializer.present && !f.r.serializer.measured);
	CHECK_EQ(f.r.serializer.demand_ns, AFX_MS);
	afx_release(&f);

	/* A lock that is held asleep costs no CPU. */
	afx_init(&f, 2, AFX_MS, 10);
	afx_task(&f, 0, "SSSSSSSSSS");
	afx_task(&f, 0, "LLLLLLLLLL");
	afx_task(&f, 0, "LLLLLLLLLL");
	waits_at(&f, 1, LOCK_A);
	waits_at(&f, 2, LOCK_A);
	afx_compute(&f);
	CHECK(!f.r.serializer.present && !f.r.serializer.measured);
	afx_release(&f);
}

TEST(analyze_serializer_counts_who_is_about_to_wait_on_as_waiting)
{
	struct afx f;
	char life[] = "LLLLLLLL....1LLLLLLL";

	/* A timeout, 400 us without a CPU, 40 us on it: that wanted no CPU. */
	for (unsigned int unit_ns = 40000; unit_ns <= 60000; unit_ns += 20000) {
		afx_init(&f, 2, unit_ns, 20);
		afx_task(&f, 0, "00000000000000000000");
		afx_task(&f, 0, life);
		waits_at(&f, 1, LOCK_A);
		afx_compute(&f);
		check_sums(&f.r.serializer);
		CHECK_EQ(f.r.serializer.ready_ns, unit_ns == 40000 ? 0 : 4 * unit_ns);
		CHECK_EQ(f.r.serializer.reached_ns, unit_ns);
		afx_release(&f);
	}
}

/*
 * Of 100 units the second task is ready for @ready, then runs for @run, and then waits for the
 * lock. Afterwards a third one waits for it while nobody runs, and they go on, if @two.
 */
static bool present_with(unsigned int ready, unsigned int run, bool two)
{
	char first[103] = { 0 }, second[103] = { 0 }, third[] = "LS";
	struct afx f;
	bool present;

	memset(first, '0', 100);
	memset(second, 'L', 100);
	memset(second, '.', ready);
	memset(second + ready, '1', run);
	memset(first + 100, 'S', 2);
	memset(second + 100, 'S', 2);
	afx_init(&f, 2, AFX_MS, 102);
	afx_task(&f, 0, first);
	afx_task(&f, 0, second);
	afx_task(&f, 100, two ? third : "SS");
	for (size_t t = 1; t < 3; t++)
		waits_at(&f, t, LOCK_A);
	afx_compute(&f);
	check_sums(&f.r.serializer);
	CHECK_EQ(f.r.serializer.demand_ns, 100 * AFX_MS);
	CHECK_EQ(f.r.serializer.reached_ns, run * AFX_MS);
	CHECK_EQ(f.r.serializer.ready_ns, ready * AFX_MS);
	present = f.r.serializer.present;
	afx_release(&f);
	return present;
}

TEST(analyze_serializer_thresholds_are_exact)
{
	CHECK(present_with(0, 10, true));
	CHECK(!present_with(0, 11, true));
	CHECK(present_with(18, 10, true));	/* 72 of the 90 missing are the lock's: 80 % */
	CHECK(!present_with(19, 10, true));
}

/* One who waits alone: who had it never waited for it, and may never have had it. */
TEST(analyze_serializer_needs_two_who_had_the_lock)
{
	CHECK(!present_with(0, 5, false));
}

/* ---- random worlds, counted unit by unit ---- */

#define TASKS 5
#define UNITS 40
#define UNIT_NS 100000	/* longer than a run of no account */
#define WORLDS 4000

/* Ready, and the next thing it does is to wait. */
static bool about_to_wait(const char *life, unsigned int u)
{
	u += (unsigned int)strspn(life + u, ".");
	return life[u] == 'L';
}

static void check_units(const struct afx *f, const char lives[TASKS][UNITS + 1],
			const uint64_t *addr)
{
	const struct report_serializer *s = &f->r.serializer;
	uint64_t cpus = f->m.cpu_cnt, demand = 0, reached = 0, ready = 0, had = 0;

	for (unsigned int u = 0; u < UNITS; u++) {
		uint64_t a = 0, r = 0, b = 0;

		for (unsigned int t = 0; t < TASKS; t++) {
			bool wants = lives[t][u] == 'L' ||
				     (lives[t][u] == '.' && about_to_wait(lives[t], u));

			a += !!isdigit((unsigned char)lives[t][u]);
			b += wants && addr[t] == s->addr;
			r += lives[t][u] == '.' && !wants;
		}
		if (!a && !r)
			continue;
		b = min_u64(a + r + b, cpus);
		r = min_u64(a + r, cpus);
		a = min_u64(a, cpus);
		demand += b ? b - 1 : 0;
		ready += r ? r - 1 : 0;
		reached += a ? a - 1 : 0;
	}
	for (unsigned int t = 0; t < TASKS; t++) {
		const char *first = strchr(lives[t], 'L');

		had += addr[t] == s->addr && first && first[strspn(first, "L")];
	}
	CHECK_EQ(s->demand_ns, demand * UNIT_NS);
	CHECK_EQ(s->reached_ns, reached * UNIT_NS);
	CHECK_EQ(s->ready_ns, (ready - reached) * UNIT_NS);
	CHECK_EQ(s->measured, demand && 20 * demand >= UNITS);
	CHECK_EQ(s->present, s->measured && had >= 2 && 10 * (demand - reached) >= 9 * demand &&
		 5 * (demand - ready) >= 4 * (demand - reached));
	if (s->measured)
		CHECK_EQ(s->index_ppm, (demand - reached) * 1000000 / demand);
}

TEST(analyze_serializer_random_worlds)
{
	unsigned int present = 0;

	for (uint64_t i = 0; i < WORLDS; i++) {
		uint64_t seed = i * 7919 + 5, addr[TASKS];
		char lives[TASKS][UNITS + 1] = { { 0 } };
		uint32_t cpus = 1 + afx_random(&seed, 4), kinds = 2 + afx_random(&seed, 4);
		struct afx f;

		afx_init(&f, cpus, UNIT_NS, UNITS);
		for (unsigned int t = 0; t < TASKS; t++) {
			for (unsigned int u = 0; u < UNITS; u++) {
				const char c[] = { 'L', 'L', (char)('0' + t % cpus), '.', 'S' };

				lives[t][u] = u && afx_random(&seed, 4) ? lives[t][u - 1] :
					      c[afx_random(&seed, kinds)];
				for (unsigned int o = 0; o < t; o++)
					if (lives[o][u] == lives[t][u] && lives[t][u] != 'S')
						lives[t][u] = 'L';
			}
			afx_task(&f, 0, lives[t]);
			addr[t] = afx_random(&seed, 3) ? LOCK_A : LOCK_B;
			waits_at(&f, t, addr[t]);
		}
		afx_compute(&f);
		if (f.r.lock_cnt)
			check_units(&f, (const char (*)[UNITS + 1])lives, addr);
		present += f.r.serializer.present;
		afx_release(&f);
	}
	CHECK(present > WORLDS / 50 && present < WORLDS / 2);
}
