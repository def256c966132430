/* SPDX-License-Identifier: GPL-2.0-only */
/* Where tasks may run, whom a quota holds back, and why tasks are moved. */

#include "model_fixture.h"
#include "unit.h"
#include "util/minmax.h"

#define THROTTLED_OUT ((struct fx_how){ .flags = LAB_F_PREEMPT | LAB_F_THROTTLED })

static void build_clean(struct fx *f, struct model *m)
{
	CHECK_EQ(fx_build(f, m), 0);
	CHECK_STR(fx_check_identities(m), NULL);
	CHECK_EQ(m->audit.failures_total, 0);
}

/* ---- which CPUs ---- */

static void check_allowed(const struct model *m, uint32_t id, size_t nth, uint64_t from_ns,
			  uint64_t mask)
{
	const struct model_task *t = model_task(m, id);
	const struct model_allowed *row;

	REQUIRE(t && nth < t->allowed_cnt);
	row = &m->allowed[t->allowed_first + nth];
	CHECK_EQ(row->task_id, id);
	CHECK_EQ(row->from_ns, from_ns);
	CHECK_EQ(m->cpusets[row->set].words[0], mask);
}

/* A child has its parent's set, until one of its own. */
TEST(model_place_affinity_is_inherited)
{
	struct fx *f = fx_new(2);
	struct model m;

	fx_start(f, 1000);
	fx_affinity(f, 1000, 0, 1, 3);
	fx_switch(f, 1010, 0, 1, fx_none());
	fx_fork(f, 1100, 1, 2, FX_PROCESS, 1);
	fx_switch(f, 1110, 1, 2, fx_none());
	fx_affinity(f, 1150, 1, 2, 2);
	fx_fork(f, 1160, 2, 3, FX_THREAD, 1);
	fx_exit(f, 1200, 2, 3);
	fx_exit(f, 1300, 3, FX_IDLE);
	fx_exit(f, 1400, 1, FX_IDLE);
	fx_end(f, 1500, TRACE_END_EXIT);
	build_clean(f, &m);
	check_allowed(&m, 1, 0, 1000, 3);
	check_allowed(&m, 2, 0, 1100, 3);
	check_allowed(&m, 2, 1, 1150, 2);
	check_allowed(&m, 3, 0, 1160, 2);
	CHECK_EQ(m.allowed_cnt, 4);
	model_release(&m);
	fx_free(f);
}

/* ---- whom a quota holds back ---- */

static void check_hold(const struct model *m, uint32_t id, size_t nth, uint64_t start_ns,
		       uint64_t end_ns)
{
	const struct model_task *t = model_task(m, id);

	REQUIRE(t && nth < t->hold_cnt);
	CHECK_EQ(m->holds[t->hold_first + nth].task_id, id);
	CHECK_EQ(m->holds[t->hold_first + nth].start_ns, start_ns);
	CHECK_EQ(m->holds[t->hold_first + nth].end_ns, end_ns);
}

/* Root runs on CPU 0, and its child 2 waits there from 1100 on; both are in group 1. */
static struct fx *quota_begin(enum lab_throttling throttling)
{
	struct fx *f = fx_new(2);

	fx_meta(f)->throttling = throttling;
	fx_meta(f)->quota_milli_cpus = 500;
	fx_start(f, 1000);
	fx_group(f, 1000, 0, 1, 1, 0);
	fx_switch(f, 1010, 0, 1, fx_none());
	fx_fork(f, 1100, 1, 2, FX_THREAD, 0);
	return f;
}

/* @root_waits: for the CPU that 2 has. */
static void quota_end(struct fx *f, struct model *m, bool root_waits)
{
	fx_exit(f, 1900, 2, root_waits ? 1 : FX_IDLE);
	fx_exit(f, 1950, 1, FX_IDLE);
	fx_end(f, 2000, TRACE_END_EXIT);
	build_clean(f, m);
	CHECK(m->holds_known);
}

/* Before 6.18: whoever waits on a queue that is throttled, also who comes to it meanwhile. */
TEST(model_place_a_throttled_queue_holds_all_on_it)
{
	struct fx *f = quota_begin(LAB_THROTTLING_QUEUE);
	struct model m;

	fx_throttle(f, 1200, 0, 0, 1, true);
	fx_throttle(f, 1200, 0, 0, 2, true);		/* another group's */
	fx_throttle(f, 1210, 0, 1, 1, true);		/* another CPU's */
	fx_switch(f, 1220, 0, FX_IDLE, THROTTLED_OUT);
	fx_throttle(f, 1500, 1, 0, 1, false);
	fx_switch(f, 1510, 0, 2, fx_none());
	quota_end(f, &m, true);
	check_hold(&m, 1, 0, 1220, 1500);
	check_hold(&m, 2, 0, 1200, 1500);
	CHECK_EQ(m.hold_cnt, 2);
	model_release(&m);
	fx_free(f);
}

/* The tightest quota that a task was under, wherever it came from. */
TEST(model_place_a_quota_that_is_entered)
{
	static const uint32_t at_start[] = { 0, 300, 500, 800 };

	for (size_t i = 0; i < ARRAY_SIZE(at_start); i++) {
		struct fx *f = fx_new(1);
		struct model m;

		fx_meta(f)->throttling = LAB_THROTTLING_TASK;
		fx_meta(f)->quota_milli_cpus = at_start[i];
		fx_start(f, 1000);
		fx_switch(f, 1010, 0, 1, fx_none());
		fx_group(f, 1100, 0, 1, 1, 900);
		fx_group(f, 1200, 0, 1, 2, 500);
		fx_throttle(f, 1300, 0, 0, 2, true);
		fx_switch(f, 1310, 0, FX_IDLE, THROTTLED_OUT);
		fx_throttle(f, 1500, 0, 0, 2, false);
		fx_switch(f, 1510, 0, 1, fx_none());
		fx_group(f, 1600, 0, 1, 0, 0);
		fx_exit(f, 1900, 1, FX_IDLE);
		fx_end(f, 2000, TRACE_END_EXIT);
		build_clean(f, &m);
		CHECK_EQ(m.quota_entered, at_start[i] != 300 && at_start[i] != 500);
		CHECK_EQ(m.quota_milli_cpus, at_start[i] == 300 ? 300 : 500);
		check_hold(&m, 1, 0, 1310, 1500);
		model_release(&m);
		fx_free(f);
	}
}

/* Since 6.18: who left a CPU because of it; one that only waits may go on being chosen. */
TEST(model_place_a_throttled_task_is_held)
{
	struct fx *f = quota_begin(LAB_THROTTLING_TASK);
	struct model m;

	fx_throttle(f, 1200, 0, 0, 1, true);
	fx_switch(f, 1220, 0, 2, THROTTLED_OUT);
	fx_throttle(f, 1500, 1, 0, 1, false);
	quota_end(f, &m, true);
	check_hold(&m, 1, 0, 1220, 1500);
	CHECK_EQ(m.hold_cnt, 1);
	model_release(&m);
	fx_free(f);
}

/* Deadline class: held until it runs, wherever it moves and whatever its group's quota does. */
TEST(model_place_a_spent_task_is_held)
{
	const struct fx_how spent = { .flags = LAB_F_PREEMPT | LAB_F_BUDGET };

	for (int how = 0; how < 2; how++) {
		struct fx *f = quota_begin(how ? LAB_THROTTLING_QUEUE : LAB_THROTTLING_UNSEEN);
		struct model m;

		fx_meta(f)->quota_milli_cpus = how ? 500 : 0;
		fx_switch(f, 1220, 0, 2, spent);
		fx_throttle(f, 1250, 0, 0, 1, true);
		fx_migrate(f, 1300, 0, 1, 0, 1);
		fx_group(f, 1350, 1, 1, 2, 0);
		fx_throttle(f, 1400, 0, 0, 1, false);
		fx_switch(f, 1600, 1, 1, fx_none());
		fx_switch(f, 1650, 1, FX_IDLE, fx_preempted());
		quota_end(f, &m, true);
		check_hold(&m, 1, 0, 1220, 1600);
		CHECK_EQ(model_task(&m, 1)->hold_cnt, 1);
		CHECK(m.budget_holds);
		model_release(&m);
		fx_free(f);
	}
}

/* A flag without a queue that is throttled is of a moment that is over. */
TEST(model_place_no_queue_no_hold)
{
	struct fx *f = quota_begin(LAB_THROTTLING_TASK);
	struct model m;

	fx_throttle(f, 1200, 0, 0, 1, true);
	fx_throttle(f, 1210, 0, 0, 1, false);
	fx_switch(f, 1220, 0, 2, THROTTLED_OUT);
	quota_end(f, &m, true);
	CHECK_EQ(m.hold_cnt, 0);
	model_release(&m);
	fx_free(f);
}

/* It waits on another queue, or draws on another quota, from then on. */
TEST(model_place_moves_and_groups_end_holds)
{
	struct fx *f = quota_begin(LAB_THROTTLING_QUEUE);
	struct model m;

	fx_throttle(f, 1200, 0, 0, 1, true);
	fx_migrate(f, 1250, 0, 2, 0, 1);
	fx_throttle(f, 1300, 1, 1, 1, true);
	fx_group(f, 1350, 1, 2, 2, 0);
	fx_group(f, 1400, 1, 2, 1, 0);
	fx_switch(f, 1450, 1, 2, fx_none());		/* a queue may end with no record of it */
	quota_end(f, &m, false);
	check_hold(&m, 2, 0, 1200, 1250);
	check_hold(&m, 2, 1, 1300, 1350);
	check_hold(&m, 2, 2, 1400, 1450);
	CHECK_EQ(m.hold_cnt, 3);
	model_release(&m);
	fx_free(f);
}

/* A task that wakes on a throttled queue is ready, and held; one that sleeps is not. */
TEST(model_place_sleepers_are_not_held)
{
	struct fx *f = quota_begin(LAB_THROTTLING_QUEUE);
	struct model m;

	fx_switch(f, 1150, 0, 2, fx_call(FX_NR_NANOSLEEP, 0));
	fx_throttle(f, 1200, 0, 0, 1, true);
	fx_wake_on(f, 1300, 0, 1, LAB_F_HARDIRQ);
	fx_throttle(f, 1400, 0, 0, 1, false);
	quota_end(f, &m, true);
	check_hold(&m, 1, 0, 1300, 1400);
	CHECK_EQ(m.hold_cnt, 1);
	model_release(&m);
	fx_free(f);
}

/* Where a quota is in force and the recording tells nothing of it, nobody knows. */
TEST(model_place_holds_that_are_not_known)
{
	struct fx *f = quota_begin(LAB_THROTTLING_UNSEEN);
	struct model m;

	fx_exit(f, 1900, 1, 2);
	fx_exit(f, 1950, 2, FX_IDLE);
	fx_end(f, 2000, TRACE_END_EXIT);
	build_clean(f, &m);
	CHECK(!m.holds_known);
	model_release(&m);
	fx_free(f);

	/* Nor of groups beyond those that are told apart. */
	f = quota_begin(LAB_THROTTLING_QUEUE);
	fx_exit(f, 1900, 1, 2);
	fx_exit(f, 1950, 2, FX_IDLE);
	fx_end(f, 2000, TRACE_END_EXIT);
	fx_end_of(f)->groups_unseen = 1;
	build_clean(f, &m);
	CHECK(!m.holds_known);
	model_release(&m);
	fx_free(f);
}

/* ---- why tasks are moved ---- */

TEST(model_place_causes_of_moves)
{
	static const enum move_cause causes[] = {
		MOVE_WAKEUP, MOVE_EXEC, MOVE_BALANCE, MOVE_AFFINITY, MOVE_UNKNOWN,
	};
	struct fx_how in_exec = { .syscall = 59 };
	struct fx *f = fx_new(2);
	struct model m;

	fx_start(f, 1000);
	fx_affinity(f, 1000, 0, 1, 3);
	fx_switch(f, 1010, 0, 1, fx_none());
	fx_switch(f, 1100, 0, FX_IDLE, fx_call(FX_NR_NANOSLEEP, 0));
	fx_wake_on(f, 1200, 0, 1, LAB_F_HARDIRQ);
	fx_migrate(f, 1202, 0, 1, 0, 1);
	fx_last(f)->head.flags = LAB_F_WAKING;
	fx_switch(f, 1210, 1, 1, fx_none());
	fx_switch(f, 1300, 1, FX_IDLE, in_exec);
	fx_migrate(f, 1310, 1, 1, 1, 0);		/* where it was, it moves itself */
	fx_switch(f, 1320, 0, 1, fx_none());
	fx_switch(f, 1400, 0, FX_FOREIGN(7), fx_preempted());
	fx_migrate(f, 1410, 1, 1, 0, 1);		/* pulled */
	fx_switch(f, 1420, 1, 1, fx_none());
	fx_switch(f, 1500, 1, FX_FOREIGN(8), fx_preempted());
	fx_affinity(f, 1510, 0, 1, 1);
	fx_migrate(f, 1510, 0, 1, 1, 0);		/* barred from where it was */
	fx_switch(f, 1520, 0, 1, fx_none());
	fx_affinity(f, 1530, 0, 1, 3);
	fx_switch(f, 1600, 0, FX_IDLE, fx_call(FX_NR_NANOSLEEP, 0));
	fx_migrate(f, 1610, 1, 1, 0, 1);		/* asleep */
	fx_wake_on(f, 1620, 1, 1, LAB_F_HARDIRQ);
	fx_switch(f, 1630, 1, 1, fx_none());
	fx_exit(f, 1700, 1, FX_IDLE);
	fx_end(f, 1800, TRACE_END_EXIT);
	build_clean(f, &m);
	REQUIRE(m.migration_cnt == ARRAY_SIZE(causes));
	for (size_t i = 0; i < ARRAY_SIZE(causes); i++)
		CHECK_EQ(m.migrations[i].cause, causes[i]);
	model_release(&m);
	fx_free(f);
}
