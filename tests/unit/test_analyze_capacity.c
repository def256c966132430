/* SPDX-License-Identifier: GPL-2.0-only */
#include <string.h>

#include "analyze/apportion.h"
#include "analyze_fixture.h"
#include "unit.h"
#include "util/alloc.h"

#define OF_MS(n) ((n) * AFX_MS)

/* One stretch of the CPU added last, until this unit. */
static void seg(struct afx *f, size_t cpu, enum lab_cpu_class class, unsigned int until)
{
	struct model *m = &f->m;
	struct model_cpu_seg *s = vec_push(m->cpu_segs, m->cpu_seg_cnt, m->cpu_seg_cap);

	if (!m->cpus[cpu].seg_cnt)
		m->cpus[cpu].seg_first = m->cpu_seg_cnt - 1;
	s->start_ns = m->cpus[cpu].seg_cnt ? s[-1].end_ns : m->start_ns;
	s->end_ns = m->start_ns + until * f->unit_ns;
	s->class = (uint8_t)class;
	m->cpus[cpu].seg_cnt++;
}

static uint64_t parts_sum(const struct report_capacity *c)
{
	uint64_t sum = c->work_ns + c->unplaced_ns + c->interference_ns + c->other_ns +
		       c->unknown_ns + c->no_thread_ns;

	for (int k = 0; k < REASON_CNT; k++)
		sum += c->blocked_ns[k];
	return sum;
}

TEST(analyze_capacity_of_nothing)
{
	struct afx f;

	afx_init(&f, 0, AFX_MS, 0);
	afx_compute(&f);
	CHECK(f.r.capacity.known);
	CHECK_EQ(f.r.capacity.total_ns, 0);
	CHECK_EQ(f.r.capacity.largest, LOSS_NONE);
	afx_release(&f);

	afx_init(&f, 3, AFX_MS, 5);	/* CPUs, and nobody to use them */
	afx_compute(&f);
	CHECK_EQ(f.r.capacity.no_thread_ns, OF_MS(15));
	CHECK_EQ(f.r.capacity.largest, LOSS_NO_THREAD);
	afx_release(&f);
}

TEST(analyze_capacity_of_a_cpu_without_records_is_not_known)
{
	struct afx f;

	afx_init(&f, 2, AFX_MS, 5);
	afx_task(&f, 0, "0L");
	seg(&f, 0, LAB_CPU_OURS, 1);
	seg(&f, 0, LAB_CPU_IDLE, 3);
	afx_compute(&f);
	CHECK_EQ(f.r.capacity.work_ns, OF_MS(1));
	CHECK_EQ(f.r.capacity.blocked_ns[REASON_LOCK], OF_MS(1));
	CHECK_EQ(f.r.capacity.no_thread_ns, OF_MS(1));
	CHECK_EQ(f.r.capacity.unknown_ns, OF_MS(5 + 2));
	CHECK_EQ(f.r.capacity.largest, LOSS_UNKNOWN);
	CHECK_EQ(parts_sum(&f.r.capacity), f.r.capacity.total_ns);
	afx_release(&f);
}

TEST(analyze_capacity_idle_cpus_go_to_ready_then_blocked_then_nobody)
{
	struct report_capacity *c;
	struct afx f;

	/* 4 CPUs: 1 works, 3 idle: for 1 ready, 1 blocked, and nobody. */
	afx_init(&f, 4, AFX_MS, 10);
	c = &f.r.capacity;
	afx_task(&f, 0, "0000000000");
	afx_task(&f, 0, ".....EEEEE");
	afx_task(&f, 0, "LLLLLLLLLL");
	afx_span(&f, 1, 0)->cpu = 3;
	afx_compute(&f);
	CHECK_EQ(c->total_ns, OF_MS(40));
	CHECK_EQ(c->work_ns, OF_MS(10));
	CHECK_EQ(c->unplaced_ns, OF_MS(5));
	CHECK(c->latency_known);
	CHECK_EQ(c->latency_ns, OF_MS(5));
	CHECK_EQ(c->undivided_ns, 0);
	CHECK_EQ(c->blocked_ns[REASON_LOCK], OF_MS(10));
	/* The second never runs, and nobody waits for it: a helper. */
	CHECK_EQ(c->blocked_ns[REASON_EPOLL], 0);
	CHECK_EQ(c->no_thread_ns, OF_MS(15));
	CHECK_EQ(parts_sum(c), c->total_ns);
	CHECK_EQ(c->largest, LOSS_NO_THREAD);
	CHECK_EQ(c->largest_ns, OF_MS(15));

	/* Queued behind the runner: affinity or balancing; its allowed CPUs were not recorded. */
	afx_span(&f, 1, 0)->cpu = 0;
	afx_compute(&f);
	CHECK_EQ(c->latency_ns, 0);
	CHECK_EQ(c->undivided_ns, OF_MS(5));

	/* Two that will run on one idle CPU need one CPU. */
	afx_release(&f);
	afx_init(&f, 2, AFX_MS, 4);
	afx_task(&f, 0, "...1");
	afx_task(&f, 0, "....");
	afx_span(&f, 0, 0)->cpu = afx_span(&f, 1, 0)->cpu = 1;
	afx_compute(&f);
	CHECK_EQ(c->latency_ns, OF_MS(3));
	CHECK_EQ(c->undivided_ns, OF_MS(4));
	CHECK_EQ(c->unplaced_ns, OF_MS(7));
	afx_release(&f);
}

TEST(analyze_capacity_under_a_quota_latency_is_not_known)
{
	struct afx f;

	afx_init(&f, 1, AFX_MS, 4);
	f.m.holds_known = false;
	afx_task(&f, 0, "0..0");
	afx_span(&f, 0, 1)->cpu = 0;
	afx_compute(&f);
	CHECK(!f.r.capacity.latency_known);
	CHECK_EQ(f.r.capacity.latency_ns, 0);
	CHECK_EQ(f.r.capacity.undivided_ns, OF_MS(2));
	CHECK_EQ(f.r.capacity.unplaced_ns, OF_MS(2));
	CHECK_EQ(f.r.capacity.largest, LOSS_UNDIVIDED);
	afx_release(&f);
}

TEST(analyze_capacity_pinned_tasks_leave_the_other_cpu_idle)
{
	struct report_capacity *c;
	struct afx f;

	afx_init(&f, 3, AFX_MS, 6);
	c = &f.r.capacity;
	afx_task(&f, 0, "00..00");
	afx_task(&f, 0, "..00..");
	for (size_t t = 0; t < 2; t++)
		afx_allow(&f, t, 0, 1);
	afx_span(&f, 0, 1)->cpu = afx_span(&f, 1, 0)->cpu = 0;
	afx_span(&f, 1, 2)->cpu = 0;
	afx_compute(&f);
	CHECK(c->affinity_known && c->throttled_known && c->latency_known);
	CHECK_EQ(c->unplaced_ns, OF_MS(6));
	CHECK_EQ(c->affinity_ns, OF_MS(6));
	CHECK_EQ(c->undivided_ns, 0);
	CHECK_EQ(c->no_thread_ns, OF_MS(6));
	CHECK_EQ(c->pinned_ns, OF_MS(6));
	CHECK_EQ(c->pinned_to_cnt, 1);
	CHECK_EQ(c->pinned_to[0], 0);
	CHECK_EQ(c->pinned_idle_cpu, 1);
	CHECK_EQ(c->largest, LOSS_AFFINITY);

	/* The second may use CPU 1, too, from the fourth unit on: the scheduler should see it. */
	afx_allow(&f, 1, 3, 3);
	afx_compute(&f);
	CHECK_EQ(c->affinity_ns, OF_MS(4));
	CHECK_EQ(c->balancing_ns, OF_MS(2));
	CHECK_EQ(c->undivided_ns, 0);
	afx_release(&f);
}

TEST(analyze_capacity_idle_cpus_that_many_would_have_are_used_by_as_many)
{
	struct report_capacity *c;
	struct afx f;

	/* Idle: 0, 1 and 2. For 0 or 1 three tasks, for 3 another: two can be placed. */
	afx_init(&f, 4, AFX_MS, 2);
	c = &f.r.capacity;
	for (size_t t = 0; t < 5; t++) {
		afx_task(&f, 0, t == 4 ? "33" : "..");
		afx_allow(&f, t, 0, t < 3 ? 3 : 8);
		if (t < 4)
			afx_span(&f, t, 0)->cpu = t < 3 ? 1 : 3;
	}
	afx_compute(&f);
	CHECK_EQ(c->unplaced_ns, OF_MS(6));
	CHECK_EQ(c->affinity_ns, OF_MS(2));
	CHECK_EQ(c->latency_ns, OF_MS(2));	/* CPU 1 */
	CHECK_EQ(c->balancing_ns, OF_MS(2));	/* CPU 0 */
	afx_release(&f);
}

TEST(analyze_capacity_what_a_quota_holds_back)
{
	struct report_capacity *c;
	struct afx f;

	/* Held for 3 of 4 units, then on their way. */
	afx_init(&f, 2, AFX_MS, 6);
	c = &f.r.capacity;
	afx_task(&f, 0, "0....0");
	afx_task(&f, 0, "1....1");
	for (size_t t = 0; t < 2; t++) {
		afx_allow(&f, t, 0, 3);
		afx_hold(&f, t, 1, 4);
		afx_span(&f, t, 1)->cpu = (uint16_t)t;
	}
	afx_compute(&f);
	CHECK_EQ(c->throttled_ns, OF_MS(6));
	CHECK_EQ(c->latency_ns, OF_MS(2));
	CHECK_EQ(c->held_ns, OF_MS(3));
	CHECK_EQ(c->largest, LOSS_THROTTLED);

	/* Both pinned to CPU 0: without the quota CPU 1 would be idle all the same. */
	f.m.cpusets[0].words[0] = f.m.cpusets[1].words[0] = 1;
	afx_compute(&f);
	CHECK_EQ(c->throttled_ns, OF_MS(3));
	CHECK_EQ(c->affinity_ns, OF_MS(4));
	CHECK_EQ(c->latency_ns, OF_MS(1));
	CHECK_EQ(c->undivided_ns, 0);
	CHECK_EQ(parts_sum(c), c->total_ns);

	/* What they may use is not known: neither is what a quota took. */
	f.m.tasks[1].allowed_cnt = 0;
	afx_compute(&f);
	CHECK(!c->affinity_known && !c->throttled_known && c->latency_known);
	CHECK_EQ(c->latency_ns, OF_MS(2));
	CHECK_EQ(c->undivided_ns, OF_MS(6));
	CHECK_EQ(c->held_ns, 0);
	afx_release(&f);
}

TEST(analyze_capacity_of_too_many_sets_is_not_divided)
{
	struct afx f;

	for (unsigned int more = 0; more < 2; more++) {
		afx_init(&f, 11, AFX_MS, 4);
		afx_task(&f, 0, ".");
		for (uint64_t set = 0; set < 1024 + more; set++)
			afx_allow(&f, 0, 0, set);
		afx_compute(&f);
		CHECK_EQ(f.r.capacity.affinity_known, !more);
		CHECK_EQ(f.r.capacity.undivided_ns, more ? OF_MS(1) : 0);
		CHECK_EQ(parts_sum(&f.r.capacity), f.r.capacity.total_ns);
		afx_release(&f);
	}
}

TEST(analyze_capacity_of_other_programs_that_no_ready_task_could_replace)
{
	struct report_capacity *c;
	struct afx f;

	/* CPU 1 has another program; whoever waits is bound to CPU 0, which works. */
	afx_init(&f, 2, AFX_MS, 5);
	c = &f.r.capacity;
	afx_task(&f, 0, "00000");
	afx_task(&f, 0, ".....");
	seg(&f, 0, LAB_CPU_OURS, 5);
	seg(&f, 1, LAB_CPU_FOREIGN, 5);
	afx_allow(&f, 0, 0, 3);
	afx_allow(&f, 1, 0, 1);
	afx_compute(&f);
	CHECK_EQ(c->interference_ns, 0);
	CHECK_EQ(c->other_ns, OF_MS(5));

	afx_allow(&f, 1, 2, 2);
	afx_compute(&f);
	CHECK_EQ(c->interference_ns, OF_MS(3));
	CHECK_EQ(c->other_ns, OF_MS(2));

	/* Held back, it would not have taken it. */
	afx_hold(&f, 1, 3, 5);
	afx_compute(&f);
	CHECK_EQ(c->interference_ns, OF_MS(1));
	CHECK_EQ(c->other_ns, OF_MS(4));
	CHECK_EQ(parts_sum(c), c->total_ns);
	afx_release(&f);
}

TEST(analyze_capacity_other_programs_interfere_only_with_the_ready)
{
	struct report_capacity *c;
	struct afx f;

	afx_init(&f, 2, AFX_MS, 10);
	c = &f.r.capacity;
	afx_task(&f, 0, "0000......");
	afx_task(&f, 0, "CCCCCCCC..");
	seg(&f, 0, LAB_CPU_OURS, 4);
	seg(&f, 0, LAB_CPU_FOREIGN, 10);
	seg(&f, 1, LAB_CPU_FOREIGN, 9);
	seg(&f, 1, LAB_CPU_UNKNOWN, 10);
	afx_compute(&f);
	CHECK_EQ(c->work_ns, OF_MS(4));
	CHECK_EQ(c->interference_ns, OF_MS(4 + 2 + 1));
	CHECK_EQ(c->other_ns, OF_MS(4 + 4));
	CHECK_EQ(c->unknown_ns, OF_MS(1));
	CHECK_EQ(parts_sum(c), OF_MS(20));
	/* Had they been idle: one task had work, and the other was none that works. */
	CHECK_EQ(c->other.no_thread_ns, OF_MS(4 + 4));
	CHECK_EQ(c->largest, LOSS_NO_THREAD);
	CHECK_EQ(c->largest_ns, OF_MS(8));
	afx_release(&f);
}

TEST(analyze_capacity_shares_of_one_cpu_are_rounded_once)
{
	struct report_capacity *c;
	struct afx f;

	/* One idle CPU for three that are blocked, 10 ns: 3 1/3 each, the first gets the rest. */
	afx_init(&f, 1, 10, 1);
	c = &f.r.capacity;
	afx_task(&f, 0, "S");
	afx_task(&f, 0, "L");
	afx_task(&f, 0, "P");
	afx_compute(&f);
	CHECK_EQ(c->blocked_ns[REASON_LOCK], 4);
	CHECK_EQ(c->blocked_ns[REASON_POLL], 3);
	CHECK_EQ(c->blocked_ns[REASON_SLEEP], 3);
	afx_release(&f);

	/* Thrice a third is one, though each was cut. */
	afx_init(&f, 1, 1, 5);
	afx_task(&f, 0, "SESES");
	afx_task(&f, 0, "LLLLL");
	afx_task(&f, 0, "LLLLL");
	afx_compute(&f);
	CHECK_EQ(c->blocked_ns[REASON_LOCK], 3);
	CHECK_EQ(c->blocked_ns[REASON_EPOLL], 1);
	CHECK_EQ(c->blocked_ns[REASON_SLEEP], 1);
	afx_release(&f);
}

TEST(analyze_capacity_bottles)
{
	struct afx f;

	/* 9 alone, then 1 shared by two: the serial culprit is tall. */
	afx_init(&f, 2, AFX_MS, 12);
	afx_task(&f, 0, "0000000000");
	afx_task(&f, 9, "1");
	afx_compute(&f);
	CHECK_EQ(f.r.tasks[0].bottle_ns, OF_MS(9) + OF_MS(1) / 2);
	CHECK_EQ(f.r.tasks[1].bottle_ns, OF_MS(1) / 2);
	CHECK_EQ(f.r.parallelism.profile_ns[0], OF_MS(2));
	afx_release(&f);

	/* Nanoseconds that do not divide go to the lower birth numbers. */
	afx_init(&f, 3, 5, 1);
	afx_task(&f, 0, "0");
	afx_task(&f, 0, "1");
	afx_task(&f, 0, "2");
	afx_compute(&f);
	CHECK_EQ(f.r.tasks[0].bottle_ns, 2);
	CHECK_EQ(f.r.tasks[1].bottle_ns, 2);
	CHECK_EQ(f.r.tasks[2].bottle_ns, 1);
	afx_release(&f);
}

TEST(analyze_capacity_beyond_64_bits_is_not_known)
{
	struct afx f;

	afx_init(&f, 8, 1, 1);
	f.m.end_ns = f.m.start_ns + (1ULL << 61);
	afx_compute(&f);
	CHECK(!f.r.capacity.known);
	CHECK_EQ(f.r.capacity.no_thread_ns, 0);
	afx_release(&f);

	afx_init(&f, 7, 1, 1);
	f.m.end_ns = f.m.start_ns + (1ULL << 61);
	afx_task(&f, 0, "L");
	afx_task(&f, 0, "S");
	afx_span(&f, 0, 0)->end_ns = afx_span(&f, 1, 0)->end_ns = f.m.end_ns;
	f.m.tasks[0].end_ns = f.m.tasks[1].end_ns = f.m.end_ns;
	afx_compute(&f);
	CHECK(f.r.capacity.known);
	CHECK_EQ(f.r.capacity.blocked_ns[REASON_LOCK], 1ULL << 61);
	CHECK_EQ(f.r.capacity.no_thread_ns, 5ULL << 61);
	CHECK_EQ(parts_sum(&f.r.capacity), 7ULL << 61);
	afx_release(&f);
}

TEST(analyze_apportion)
{
	const unsigned __int128 one = (unsigned __int128)1 << APPORTION_SHIFT;
	const unsigned __int128 shares[] = { 3 * one + 5, one - 1, 2 * one + 5, 0 };
	uint64_t out[4];

	apportion(shares, 4, 6, out);	/* what is whole: nobody is rounded up except by the last */
	CHECK_EQ(out[0], 3);
	CHECK_EQ(out[1], 1);
	CHECK_EQ(out[2], 2);
	CHECK_EQ(out[3], 0);
	apportion(shares, 4, 7, out);
	CHECK_EQ(out[0], 4);
	CHECK_EQ(out[2], 2);
	apportion(shares, 4, 5, out);
	CHECK_EQ(out[1], 0);
	apportion(shares, 4, 14, out);	/* more was cut than there are shares */
	CHECK_EQ(out[0] + out[1] + out[2] + out[3], 14);
	apportion(shares, 0, 0, NULL);
}
