/* SPDX-License-Identifier: GPL-2.0-only */
#include <string.h>

#include "analyze_fixture.h"
#include "unit.h"

#define MS AFX_MS

/* Compute @f with the main task and one other; release it. Return: concurrent units of time. */
static uint64_t concurrent_units(const char *main_life, const char *other_life)
{
	struct afx f;
	uint64_t units;

	afx_init(&f, 2, MS, (unsigned int)strlen(main_life));
	afx_task(&f, 0, main_life);
	afx_task(&f, 0, other_life);
	afx_compute(&f);
	units = f.r.concurrency.concurrent_ns / MS;
	CHECK_EQ(f.r.concurrency.concurrent_ns % MS, 0);
	CHECK_EQ(f.r.concurrency.max_in_progress, units ? 2 : 1);
	afx_release(&f);
	return units;
}

/* From the first run to the last, and not before or after. */
TEST(analyze_concurrency_between_first_and_last_run)
{
	CHECK_EQ(concurrent_units("0000000000", "S..1SS.1SS"), 5);
	CHECK_EQ(concurrent_units("0000000000", "SSSS......"), 0);
}

TEST(analyze_concurrency_caller_waits_for_its_callee)
{
	CHECK_EQ(concurrent_units("00WWWWWW00", "SS111111SS"), 0);
	CHECK_EQ(concurrent_units("00JJJJJJ00", "SS111111SS"), 0);
	/* $(...) reads a pipe that its own child ends; another's end is concurrency. */
	CHECK_EQ(concurrent_units("00iiiiii00", "SS111111SS"), 0);
	CHECK_EQ(concurrent_units("00IIIIII00", "SS111111SS"), 6);
	/* A lock passed on by a descendant is no call. */
	CHECK_EQ(concurrent_units("00llllll00", "SS111111SS"), 6);
	CHECK_EQ(concurrent_units("00cccccc00", "SS111111SS"), 0);
	CHECK_EQ(concurrent_units("00ssssss00", "SS111111SS"), 0);
}

/* Preempted, and then it runs for @rest_ns only before it waits: 10 ms beside a task that runs. */
static unsigned int rest_units(const char *life, size_t run, uint64_t rest_ns)
{
	struct afx f;
	unsigned int units;

	afx_init(&f, 2, MS, 20);
	afx_task(&f, 0, "SS000000000000000000");
	afx_task(&f, 0, life);
	afx_span(&f, 1, run)->end_ns = afx_span(&f, 1, run)->start_ns + rest_ns;
	afx_span(&f, 1, run + 1)->start_ns = afx_span(&f, 1, run)->end_ns;
	afx_compute(&f);
	units = (unsigned int)(f.r.concurrency.concurrent_ns / MS);
	afx_release(&f);
	return units;
}

TEST(analyze_concurrency_of_one_that_is_all_but_done)
{
	CHECK_EQ(rest_units("11..........1JJJJJ11", 2, 99999), 2);
	CHECK_EQ(rest_units("11..........1JJJJJ11", 2, 100000), 12);
	/* 5 % of the time that it waited. */
	CHECK_EQ(rest_units("11.1JJJJJJJJJJJJJJ11", 2, 50000), 3);
	CHECK_EQ(rest_units("11.1JJJJJJJJJJJJJJ11", 2, 49999), 2);
	/* Woken to wait on: it was not told of any work. */
	CHECK_EQ(rest_units("1J..........1JJJJJ11", 3, 99999), 2);
	CHECK_EQ(rest_units("1J..........1JJJJJ11", 3, 100000), 12);
	CHECK_EQ(rest_units("1e..........1eeeee11", 3, 99999), 2);
	/* From a wait in which it is at work. */
	CHECK_EQ(rest_units("1S..........1SSSSS11", 3, 1), 18);
	/* It has so little of a CPU because it does not get more. */
	CHECK_EQ(rest_units("11..........1......1", 2, 1), 18);
}

/* A helper runs 1 ms; the main task 20 ms (not below 5 %) or 1 ns more (below). */
static uint64_t helper_units(char wait, bool below)
{
	char helper[] = "SS1xxxxxx1";
	struct afx f;
	uint64_t units;

	for (char *c = helper; *c; c++)
		*c = *c == 'x' ? wait : *c;
	afx_init(&f, 2, MS, 22);
	afx_task(&f, 0, helper);
	afx_span(&f, 0, 1)->end_ns -= MS / 2;	/* two runs of half a unit */
	afx_span(&f, 0, 2)->start_ns -= MS / 2;
	afx_span(&f, 0, 3)->start_ns += MS / 2;
	afx_span(&f, 0, 2)->end_ns += MS / 2;
	afx_task(&f, 0, "00000000000000000000");
	afx_span(&f, 1, 0)->end_ns += below;
	afx_compute(&f);
	CHECK_EQ(f.r.tasks[0].run_ns, MS);
	CHECK_EQ(f.r.tasks[1].run_ns, 20 * MS + below);
	units = f.r.concurrency.concurrent_ns / MS;
	afx_release(&f);
	return units;
}

TEST(analyze_concurrency_parked_helper)
{
	const char *parks = "LCEPGOA", *works = "SINUDFKT";

	for (const char *c = parks; *c; c++) {
		CHECK_EQ(helper_units(*c, true), 1);	/* only the two runs */
		CHECK_EQ(helper_units(*c, false), 8);
	}
	for (const char *c = works; *c; c++) {
		CHECK_EQ(helper_units(*c, true), 8);
		CHECK_EQ(helper_units(*c, false), 8);
	}
}

/* Main runs for @main_units, a helper waits for @wait_units between two units of its own. */
static enum verdict_class class_beside(unsigned int main_units, unsigned int wait_units,
				       uint16_t flags)
{
	char main_life[101] = "", helper_life[101] = "1";
	enum verdict_class class;
	struct afx f;

	memset(main_life, '0', main_units);
	memset(helper_life + 1, 'C', wait_units);
	helper_life[wait_units + 1] = '1';
	afx_init(&f, 2, MS, 100);
	afx_task(&f, 0, main_life);
	afx_task(&f, 0, helper_life);
	afx_span(&f, 1, 1)->flags |= flags;
	afx_compute(&f);
	class = f.r.verdict.class;
	CHECK(class != CLASS_INCONCLUSIVE || f.r.verdict.chance_decides);
	afx_release(&f);
	return class;
}

/* What ended its wait was hidden: it may have slept, or been idle. */
TEST(analyze_concurrency_perhaps_slept)
{
	const uint16_t unseen = SPAN_FUTEX | SPAN_WOKEN_UNSEEN;

	CHECK_EQ(class_beside(80, 60, unseen), CLASS_INCONCLUSIVE);
	CHECK_EQ(class_beside(80, 60, SPAN_FUTEX), CLASS_SEQUENTIAL);
	CHECK_EQ(class_beside(80, 60, SPAN_WOKEN_UNSEEN), CLASS_SEQUENTIAL);
	CHECK_EQ(class_beside(80, 60, unseen | SPAN_NO_LIMIT), CLASS_SEQUENTIAL);
	/* With the two units that both run it is 5 %, or less. */
	CHECK_EQ(class_beside(80, 2, unseen), CLASS_INCONCLUSIVE);
	CHECK_EQ(class_beside(81, 2, unseen), CLASS_SEQUENTIAL);
}

TEST(analyze_concurrency_witness_of_tasks)
{
	struct witness *w;
	struct afx f;

	afx_init(&f, 2, MS, 20);
	afx_task(&f, 0, "0SS1SS0WWWWWWWWWWW00");
	afx_task(&f, 0, "SS.01SSSS1....SSS1SS");
	afx_compute(&f);
	w = &f.r.concurrency.witness;
	CHECK(!f.r.concurrency.witness_is_ops);
	CHECK_EQ(f.r.concurrency.concurrent_ns, 4 * MS);
	CHECK_EQ(f.r.concurrency.active_ns, 20 * MS);
	CHECK_EQ(w->part_cnt, 2);
	CHECK_EQ(w->from_ns, AFX_START_NS + 5 * MS);
	CHECK_EQ(w->until_ns, w->from_ns);
	CHECK_EQ(w->parts[0].task_id, 1);
	CHECK_EQ(w->parts[0].start_ns, AFX_START_NS);
	CHECK_EQ(w->parts[0].end_ns, AFX_START_NS + 7 * MS);
	CHECK_EQ(w->parts[1].start_ns, AFX_START_NS + 3 * MS);
	CHECK_EQ(w->parts[1].end_ns, AFX_START_NS + 18 * MS);
	afx_release(&f);
}

/* A task woken from its join is in progress before it runs. */
TEST(analyze_concurrency_witness_before_the_stretch)
{
	struct witness *w;
	struct afx f;

	afx_init(&f, 2, MS, 20);
	afx_task(&f, 0, "0JJJ............00SS");
	afx_task(&f, 4, "1111111111");
	afx_span(&f, 0, 0)->flags |= SPAN_CUT_START;
	afx_span(&f, 0, 3)->flags |= SPAN_CUT_END;
	afx_compute(&f);
	w = &f.r.concurrency.witness;
	CHECK_EQ(w->from_ns, AFX_START_NS + 9 * MS);
	CHECK_EQ(w->parts[0].start_ns, AFX_START_NS + 4 * MS);
	afx_release(&f);
}

TEST(analyze_concurrency_operations)
{
	struct report_concurrency *c;
	struct afx f;

	afx_init(&f, 1, MS, 20);
	afx_task(&f, 0, "0EEEEEEEEEEEEEEEE0SS");
	afx_op(&f, 1, 1, 4);
	afx_op(&f, 1, 4, 10);	/* touches the first */
	afx_op(&f, 1, 6, 12);
	afx_op(&f, 1, 7, 7);	/* no time */
	afx_op(&f, 1, 8, 9);
	afx_compute(&f);
	c = &f.r.concurrency;
	CHECK_EQ(c->max_operations, 3);
	CHECK_EQ(c->max_in_progress, 1);
	CHECK_EQ(c->concurrent_ns, 4 * MS);
	CHECK_EQ(c->active_ns, 18 * MS);
	CHECK(c->witness_is_ops);
	CHECK_EQ(c->witness.part_cnt, 2);
	CHECK_EQ(c->witness.from_ns, AFX_START_NS + 8 * MS);
	CHECK_EQ(c->witness.parts[0].op_id, 2);
	CHECK_EQ(c->witness.parts[1].op_id, 3);
	CHECK_EQ(c->witness.parts[1].start_ns, AFX_START_NS + 6 * MS);
	CHECK_EQ(c->witness.parts[1].end_ns, AFX_START_NS + 12 * MS);
	afx_release(&f);
}

/* One task and one operation are not two of either. */
TEST(analyze_concurrency_kinds_do_not_mix)
{
	struct afx f;

	afx_init(&f, 1, MS, 10);
	afx_task(&f, 0, "0000000000");
	afx_op(&f, 1, 0, 10);
	afx_compute(&f);
	CHECK_EQ(f.r.concurrency.concurrent_ns, 0);
	CHECK_EQ(f.r.concurrency.active_ns, 10 * MS);
	CHECK_EQ(f.r.concurrency.witness.part_cnt, 0);
	afx_release(&f);
}
