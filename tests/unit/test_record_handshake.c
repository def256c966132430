/* SPDX-License-Identifier: GPL-2.0-only */
#include "record/handshake.h"

#include <sched.h>

#include "unit.h"

#define MS 1000000

TEST(handshake_windows_of_less_than_1_us_a_round_are_at_once)
{
	struct handshake_windows w = { 0 };

	handshake_window(&w, 5 * MS, 6 * MS);
	CHECK_EQ(w.at_once_cnt, 0);
	CHECK_EQ(w.best_ns, MS);
	handshake_window(&w, 6 * MS, 7 * MS - 1);
	CHECK_EQ(w.at_once_cnt, 1);
	CHECK_EQ(w.best_ns, MS - 1);
	handshake_window(&w, 7 * MS, 15 * MS);
	CHECK_EQ(w.at_once_cnt, 1);
	CHECK_EQ(w.best_ns, MS - 1);
	handshake_window(&w, 0, 52000);
	CHECK_EQ(w.at_once_cnt, 2);
	CHECK_EQ(w.best_ns, 52000);
}

TEST(handshake_windows_of_a_clock_that_did_not_advance_are_none)
{
	struct handshake_windows w = { 0 };

	handshake_window(&w, 7, 7);
	handshake_window(&w, MS, 1);
	handshake_window(&w, UINT64_MAX, 0);
	CHECK_EQ(w.at_once_cnt, 0);
	CHECK_EQ(w.best_ns, 0);
	handshake_window(&w, 0, UINT64_MAX);
	CHECK_EQ(w.at_once_cnt, 0);
	CHECK_EQ(w.best_ns, UINT64_MAX);
}

/* The first two CPUs that this process may use; the same one twice where there is no other. */
static void two_cpus(uint16_t cpus[2])
{
	cpu_set_t set;
	int cnt = 0;

	REQUIRE(!sched_getaffinity(0, sizeof(set), &set));
	for (uint16_t cpu = 0; cpu < CPU_SETSIZE && cnt < 2; cpu++)
		if (CPU_ISSET(cpu, &set))
			cpus[cnt++] = cpu;
	if (cnt == 1)
		cpus[1] = cpus[0];
}

/* Two threads that take turns on one CPU are what two virtual CPUs on one are. */
TEST(handshake_of_one_cpu_with_itself_shows_nothing)
{
	struct handshake h;
	uint16_t cpus[2];

	two_cpus(cpus);
	handshake_measure(cpus[0], cpus[0], 100 * MS, &h);
	CHECK(h.tried && !h.at_once && h.disturbed);
	CHECK(!h.round_cnt || h.round_ns >= 3000);
}

TEST(handshake_of_two_cpus_is_at_once)
{
	struct handshake h;
	uint16_t cpus[2];

	two_cpus(cpus);
	if (cpus[0] == cpus[1])
		SKIP("needs two CPUs");
	handshake_measure(cpus[0], cpus[1], 2000ULL * MS, &h);
	if (!h.at_once && h.disturbed)
		SKIP("other programs keep these CPUs busy");
	CHECK(h.tried && h.at_once);
	CHECK(h.round_ns > 0 && h.round_ns < TRACE_HANDSHAKE_ROUND_NS);
	CHECK(h.round_cnt >= TRACE_HANDSHAKE_ROUNDS);
}

TEST(handshake_with_a_cpu_that_is_not_there_ends_at_once)
{
	struct handshake h;
	uint16_t cpus[2];

	two_cpus(cpus);
	handshake_measure(cpus[0], 1023, 3600ULL * 1000 * MS, &h);
	CHECK(!h.tried && !h.at_once && !h.round_ns && !h.disturbed);
	handshake_measure(1023, cpus[0], 3600ULL * 1000 * MS, &h);
	CHECK(!h.tried && !h.at_once && !h.round_ns && !h.disturbed);
}
