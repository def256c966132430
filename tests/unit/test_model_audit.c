/* SPDX-License-Identifier: GPL-2.0-only */
/* The audit: clean where all is well, and each check fails for its own reason alone. */

#include <stdlib.h>
#include <string.h>

#include "model_fixture.h"
#include "unit.h"
#include "util/alloc.h"

/* Two tasks on two CPUs, a migration, and the end; events are in order of emission. */
static struct fx *sound_run(void)
{
	struct fx *f = fx_new(2);

	fx_start(f, 1000);
	fx_switch(f, 1010, 0, 1, fx_none());
	fx_fork(f, 1020, 1, 2, FX_THREAD, 0);
	fx_migrate(f, 1030, 1, 2, 0, 1);
	fx_switch(f, 1040, 1, 2, fx_none());
	fx_switch(f, 1100, 0, FX_IDLE, fx_futex(0x10, FX_FUTEX_WAIT, 1002));
	fx_exit_begin(f, 1200, 2, 0);
	fx_wake(f, 1210, 2, 1);
	fx_switch(f, 1220, 1, FX_IDLE, fx_dead());
	fx_switch(f, 1230, 0, 1, fx_none());
	fx_exit(f, 1300, 1, FX_IDLE);
	fx_end(f, 1400, TRACE_END_EXIT);
	return f;
}

/* The last event of @kind for task @id. */
static union lab_event *find(struct fx *f, uint8_t kind, uint32_t id)
{
	size_t cnt;
	union lab_event *events = fx_events(f, &cnt);

	while (cnt--) {
		if (events[cnt].head.kind == kind && events[cnt].head.task == id)
			return &events[cnt];
	}
	return NULL;
}

static void expect_failure(struct fx *f, const char *name)
{
	bool found = false;
	struct model m;

	CHECK_EQ(fx_build(f, &m), 0);
	CHECK_STR(fx_check_identities(&m), NULL);
	for (size_t i = 0; i < m.audit.failure_cnt; i++)
		found |= !strcmp(m.audit.failures[i].name, name);
	if (!found)
		unit_failed(__FILE__, __LINE__, "\"%s\" did not fail; %zu others did, first %s",
			    name, m.audit.failure_cnt,
			    m.audit.failure_cnt ? m.audit.failures[0].name : "-");
	model_release(&m);
	fx_free(f);
}

TEST(model_audit_clean)
{
	struct fx *f = sound_run();
	struct model m;

	CHECK_EQ(fx_build(f, &m), 0);
	CHECK_EQ(m.audit.failures_total, 0);
	CHECK_EQ(m.audit.tasks_checked, 2);
	CHECK_EQ(m.audit.switches_checked, 3);
	CHECK_EQ(m.audit.migrations_checked, 1);
	CHECK_EQ(m.audit.exec_excess_ns, 0);
	model_release(&m);
	fx_free(f);
}

TEST(model_audit_switch_step)
{
	struct fx *f = sound_run();

	find(f, LAB_EV_SWITCH_OUT, 2)->switch_out.nivcsw++;
	expect_failure(f, "switch_step");
}

TEST(model_audit_switches)
{
	struct fx *f = sound_run();

	find(f, LAB_EV_SWITCH_OUT, 2)->switch_out.nvcsw += 3;
	expect_failure(f, "switches");
}

TEST(model_audit_totals)
{
	struct fx *f = sound_run();

	find(f, LAB_EV_TASK_TOTAL, 2)->task_total.switch_outs++;
	expect_failure(f, "total_switches");
	f = sound_run();
	find(f, LAB_EV_TASK_TOTAL, 2)->task_total.nvcsw++;
	expect_failure(f, "total_voluntary");
	f = sound_run();
	find(f, LAB_EV_TASK_TOTAL, 2)->task_total.nivcsw++;
	expect_failure(f, "total_involuntary");
	f = sound_run();
	find(f, LAB_EV_TASK_TOTAL, 2)->task_total.sum_exec_ns++;
	expect_failure(f, "total_cpu_time");
	f = sound_run();
	find(f, LAB_EV_TASK_TOTAL, 2)->task_total.migrates++;
	expect_failure(f, "total_migrates");
	f = sound_run();
	find(f, LAB_EV_TASK_TOTAL, 2)->task_total.migrations++;
	expect_failure(f, "total_migrations");
	f = sound_run();
	find(f, LAB_EV_TASK_TOTAL, 2)->task_total.dead = 0;
	expect_failure(f, "total_dead");
	f = sound_run();
	find(f, LAB_EV_TASK_TOTAL, 2)->head.task = 77;
	expect_failure(f, "unknown_task");
}

TEST(model_audit_cpu_time)
{
	struct fx *f = sound_run();

	find(f, LAB_EV_SWITCH_OUT, 1)->switch_out.sum_exec_ns = 1;
	expect_failure(f, "cpu_time_step");
	/* Charged more than the clock ran. */
	f = sound_run();
	find(f, LAB_EV_SWITCH_OUT, 2)->switch_out.sum_exec_ns++;
	expect_failure(f, "exec_clock");
}

/* The root runs for @ns, and @excess_ns more by the task clock; it leaves @how, and ends later. */
static struct fx *run_of(uint64_t ns, uint64_t excess_ns, struct fx_how how)
{
	struct fx *f = fx_new(1);

	fx_start(f, 1000);
	fx_switch(f, 1010, 0, 1, fx_none());
	fx_switch(f, 1010 + ns, 0, FX_IDLE, how);
	find(f, LAB_EV_SWITCH_OUT, 1)->switch_out.exec_start_ns += excess_ns;
	if (how.state)
		fx_wake_on(f, 1020 + ns, 0, 1, 0);
	fx_switch(f, 1030 + ns, 0, 1, fx_none());
	fx_exit(f, 1030 + ns, 1, FX_IDLE);
	fx_end(f, 2000 + ns, TRACE_END_EXIT);
	return f;
}

/* @f: whose excess of @excess_ns is reported, and is no failure. */
static void expect_excess(struct fx *f, uint64_t excess_ns)
{
	struct model m;

	CHECK_EQ(fx_build(f, &m), 0);
	CHECK_EQ(m.audit.failures_total, 0);
	CHECK_EQ(m.audit.repicks, 1);
	CHECK_EQ(m.audit.exec_excess_ns, excess_ns);
	model_release(&m);
	fx_free(f);
}

/* A task that was picked again without a switch. */
TEST(model_audit_repick)
{
	expect_excess(run_of(1000, 400, fx_preempted()), 400);
	expect_failure(run_of(1000, 1000001, fx_preempted()), "exec_clock_excess");
	expect_failure(run_of(1000, 1000001, fx_yield()), "exec_clock_excess");
	/* Of a long run it may be a hundredth. */
	expect_excess(run_of(1000001 * 100, 1000001, fx_preempted()), 1000001);
	expect_failure(run_of(1000001 * 100 - 1, 1000001, fx_preempted()), "exec_clock_excess");
}

/* A task that sleeps, whose CPU looked for other work for long before the switch. */
TEST(model_audit_sleep_is_no_repick)
{
	expect_excess(run_of(1000, 20000000, fx_futex(0x10, FX_FUTEX_WAIT, 1002)), 20000000);
}

/* Where the run queue could not be read, its clock proves nothing. */
TEST(model_audit_no_clock)
{
	struct fx *f = sound_run();
	struct model m;

	find(f, LAB_EV_SWITCH_OUT, 2)->switch_out.exec_start_ns = 1;
	find(f, LAB_EV_SWITCH_OUT, 2)->head.flags |= LAB_F_NO_RQ;
	CHECK_EQ(fx_build(f, &m), 0);
	CHECK_EQ(m.audit.failures_total, 0);
	model_release(&m);
	fx_free(f);
}

TEST(model_audit_migrations)
{
	struct fx *f = sound_run();

	find(f, LAB_EV_SWITCH_OUT, 2)->switch_out.migrations++;
	expect_failure(f, "migrations");
}

/* With a switch hidden in the run a move may be hidden as well. */
TEST(model_audit_migration_unseen)
{
	struct fx *f = fx_new(2);
	struct model m;

	fx_start(f, 1000);
	fx_switch(f, 1010, 0, 1, fx_none());
	fx_switch(f, 1100, 0, FX_FOREIGN(7), fx_preempted());
	fx_switch(f, 1110, 1, FX_FOREIGN(8), fx_none());
	fx_switch_hidden(f, 1150, 1, 1);
	fx_switch(f, 1180, 1, FX_IDLE, fx_dead());
	fx_last(f)->switch_out.migrations = 1;
	fx_end(f, 1200, TRACE_END_EXIT);
	find(f, LAB_EV_TASK_TOTAL, 1)->task_total.migrations = 1;
	CHECK_EQ(fx_build(f, &m), 0);
	CHECK_EQ(m.audit.failures_total, 0);
	CHECK_EQ(m.audit.hidden_switch_ins, 1);
	CHECK_EQ(m.migrations_unseen, 1);
	model_release(&m);
	fx_free(f);
}

/* Another CPU's balancing moved it while it was ready: only where it runs next tells. */
TEST(model_audit_migration_unseen_of_a_ready_task)
{
	struct fx *f = fx_new(2);
	struct model m;

	fx_start(f, 1000);
	fx_switch(f, 1010, 0, 1, fx_none());
	fx_switch(f, 1100, 0, FX_FOREIGN(7), fx_preempted());
	fx_switch(f, 1150, 1, 1, fx_none());
	fx_switch(f, 1180, 1, FX_IDLE, fx_dead());
	fx_last(f)->switch_out.migrations = 1;
	fx_end(f, 1200, TRACE_END_EXIT);
	find(f, LAB_EV_TASK_TOTAL, 1)->task_total.migrations = 1;
	CHECK_EQ(fx_build(f, &m), 0);
	CHECK_EQ(m.audit.failures_total, 0);
	CHECK_EQ(m.audit.hidden_switch_ins, 0);
	CHECK_EQ(m.audit.unseen_wakings, 0);
	CHECK_EQ(m.audit.unseen_moves, 1);
	CHECK_EQ(m.migrations_unseen, 1);
	model_release(&m);
	fx_free(f);
}

/* An interrupt woke it: both records of that are hidden, and the switch-in is not. */
TEST(model_audit_migration_unseen_at_a_waking)
{
	struct fx *f = fx_new(2);
	struct model m;

	fx_start(f, 1000);
	fx_switch(f, 1010, 0, 1, fx_none());
	fx_switch(f, 1100, 0, FX_IDLE, fx_call(FX_NR_NANOSLEEP, 0));
	fx_switch(f, 1150, 1, 1, fx_none());
	fx_switch(f, 1180, 1, FX_IDLE, fx_dead());
	fx_last(f)->switch_out.migrations = 1;
	fx_end(f, 1200, TRACE_END_EXIT);
	find(f, LAB_EV_TASK_TOTAL, 1)->task_total.migrations = 1;
	CHECK_EQ(fx_build(f, &m), 0);
	CHECK_EQ(m.audit.failures_total, 0);
	CHECK_EQ(m.audit.hidden_switch_ins, 0);
	CHECK_EQ(m.audit.unseen_wakings, 1);
	CHECK_EQ(m.migrations_unseen, 1);
	model_release(&m);
	fx_free(f);
}

/* An effect before its cause: the CPUs' clocks disagree by more than the gap. */
TEST(model_audit_causality)
{
	struct fx *f = sound_run();

	find(f, LAB_EV_MIGRATE, 2)->head.ts_ns = 1050;
	expect_failure(f, "causality");
	f = sound_run();
	find(f, LAB_EV_WAKEUP_NEW, 2)->head.ts_ns = 1050;
	expect_failure(f, "causality");
}

TEST(model_audit_births_and_deaths)
{
	struct fx *f = sound_run();

	fx_end_of(f)->births = 3;
	expect_failure(f, "births");
	f = sound_run();
	find(f, LAB_EV_SWITCH_OUT, 1)->switch_out.prev_state = 1;
	expect_failure(f, "deaths");
}

TEST(model_audit_recorder_counts)
{
	struct fx *f = sound_run();

	fx_end_of(f)->storage_failures = 1;
	expect_failure(f, "storage");
	f = sound_run();
	fx_end_of(f)->recursion_misses = 1;
	expect_failure(f, "recursion");
	f = sound_run();
	find(f, LAB_EV_CPU_TOTAL, 0)->cpu_total.refused = 2;
	expect_failure(f, "refused");
	f = sound_run();
	find(f, LAB_EV_CPU_TOTAL, 0)->cpu_total.seq_end--;
	expect_failure(f, "sequence_end");
	/* A record is missing, and the kernel refused none. */
	f = sound_run();
	find(f, LAB_EV_MIGRATE, 2)->head.kind = LAB_EV_NONE;
	expect_failure(f, "sequence_missing");
}

TEST(model_audit_births_have_parents)
{
	struct fx *f = sound_run();

	find(f, LAB_EV_TASK_NEW, 2)->task.parent_id = 0;
	expect_failure(f, "no_parent");
	f = sound_run();
	find(f, LAB_EV_TASK_NEW, 2)->task.parent_id = 2;
	expect_failure(f, "no_parent");
}

/* ---- stamps ---- */

static uint64_t clock_ahead(struct fx *f)
{
	struct model m;
	uint64_t ns;

	CHECK_EQ(fx_build(f, &m), 0);
	CHECK_EQ(m.audit.failures_total, 0);
	ns = m.audit.clock_ahead_ns;
	model_release(&m);
	fx_free(f);
	return ns;
}

/* The root computes for 10 ms, sleeps, and computes again. */
static struct fx *slow_run(void)
{
	struct fx *f = fx_new(1);

	fx_start(f, 1000000);
	fx_switch(f, 1010000, 0, 1, fx_none());
	fx_switch(f, 11010000, 0, FX_IDLE, fx_call(FX_NR_NANOSLEEP, 0));
	fx_wake_on(f, 21000000, 0, 1, LAB_F_HARDIRQ);
	fx_switch(f, 21010000, 0, 1, fx_none());
	fx_exit(f, 31000000, 1, FX_IDLE);
	fx_end(f, 32000000, TRACE_END_EXIT);
	return f;
}

TEST(model_audit_stamps_against_task_clocks)
{
	struct fx *f = slow_run();

	CHECK_EQ(clock_ahead(f), 0);
	/* One stamp, 2 ms too late: the CPU's clock makes up for it in the 8 ms up to the next. */
	f = slow_run();
	find(f, LAB_EV_SWITCH_IN, 1)->head.ts_ns += 2000000;
	CHECK_EQ(clock_ahead(f), 2000000 - 7990);
	/* A host may do that much. */
	f = slow_run();
	find(f, LAB_EV_SWITCH_IN, 1)->head.ts_ns += 400000;
	CHECK_EQ(clock_ahead(f), 0);
	/* Interrupts, and a host that takes the CPU: the clock stands still. */
	f = slow_run();
	find(f, LAB_EV_SWITCH_OUT, 1)->switch_out.clock_task_ns -= 3000000;
	CHECK_EQ(clock_ahead(f), 0);
	/* It never goes back. */
	f = slow_run();
	find(f, LAB_EV_SWITCH_OUT, 1)->switch_out.clock_task_ns -= 11000000;
	CHECK(clock_ahead(f) > 0);
	/* Not read: nothing is known. */
	f = slow_run();
	find(f, LAB_EV_SWITCH_IN, 1)->head.ts_ns += 2000000;
	find(f, LAB_EV_SWITCH_IN, 1)->head.flags |= LAB_F_NO_RQ;
	CHECK_EQ(clock_ahead(f), 0);
}

/*
 * Task 2 on CPU 1 makes the root, on CPU 0, ready @cnt times; @late_ns: how far CPU 1's last
 * @late_cnt wakings are behind.
 */
static struct fx *woken_run(unsigned int cnt, uint64_t late_ns, unsigned int late_cnt,
			    uint32_t eps_ns)
{
	struct fx *f = fx_new(2);
	struct trace_meta *meta = fx_meta(f);
	uint64_t ts = 100000;

	free(meta->clock_pairs);
	meta->clock_pairs = xcalloc(1, sizeof(*meta->clock_pairs));
	meta->clock_pairs[0] = (struct trace_clock_pair){ 0, 1, eps_ns };
	meta->clock_pair_cnt = 1;
	fx_start(f, 1000);
	fx_switch(f, 1010, 0, 1, fx_none());
	fx_fork(f, 1020, 1, 2, FX_THREAD, 1);
	fx_switch(f, 1040, 1, 2, fx_none());
	for (unsigned int i = 0; i < cnt; i++, ts += 100000) {
		fx_switch(f, ts, 0, FX_IDLE, fx_call(FX_NR_POLL, 0));
		fx_wake(f, ts + 1000 + (i + late_cnt >= cnt ? 10 + late_ns : 0), 2, 1);
		fx_switch(f, ts + 1010, 0, 1, fx_none());
	}
	fx_exit(f, ts, 2, FX_IDLE);
	fx_exit(f, ts + 10, 1, FX_IDLE);
	fx_end(f, ts + 100, TRACE_END_EXIT);
	return f;
}

TEST(model_audit_wakings_that_come_after_their_effects)
{
	struct model m;
	struct fx *f;

	expect_failure(woken_run(4, 5000, 2, 500), "wakings_late");
	expect_failure(woken_run(4, 5000, 4, 500), "wakings_late");
	expect_failure(woken_run(22, 5000, 2, 500), "wakings_late");
	/* A few may be others': that many were hidden. */
	f = woken_run(23, 5000, 2, 500);
	CHECK_EQ(fx_build(f, &m), 0);
	CHECK_EQ(m.audit.failures_total, 0);
	model_release(&m);
	fx_free(f);
	/* One may be another's: a waking was hidden, and the task woken again while it ran. */
	f = woken_run(4, 5000, 1, 500);
	CHECK_EQ(fx_build(f, &m), 0);
	CHECK_EQ(m.audit.failures_total, 0);
	model_release(&m);
	fx_free(f);
	/* The clocks were measured to disagree by as much, twice over. */
	f = woken_run(4, 5000, 4, 2500);
	CHECK_EQ(fx_build(f, &m), 0);
	CHECK_EQ(m.audit.failures_total, 0);
	model_release(&m);
	fx_free(f);
}

/* Alive at the cut: only the total outside the ring can tell that nothing is missing at its end. */
TEST(model_audit_alive_at_the_cut)
{
	struct fx *f = fx_new(1);
	struct model m;

	fx_start(f, 1000);
	fx_switch(f, 1010, 0, 1, fx_none());
	fx_switch(f, 1100, 0, FX_IDLE, fx_read(FX_S_IFIFO));
	fx_end(f, 1200, TRACE_END_FOR);
	CHECK_EQ(fx_build(f, &m), 0);
	CHECK_EQ(m.audit.failures_total, 0);
	model_release(&m);
	find(f, LAB_EV_TASK_TOTAL, 1)->head.kind = LAB_EV_NONE;
	expect_failure(f, "total_missing");
}

TEST(model_audit_unknown_task)
{
	struct fx *f = sound_run();

	find(f, LAB_EV_TASK_NEW, 2)->head.kind = LAB_EV_NONE;
	expect_failure(f, "unknown_task");
	f = sound_run();
	find(f, LAB_EV_TASK_NEW, 2)->head.task = 1;
	expect_failure(f, "born_twice");
	f = sound_run();
	fx_raw(f, &(union lab_event){ .switch_in = {
		.head = { .ts_ns = 1250, .seq = 9, .task = 2, .cpu = 1, .kind = LAB_EV_SWITCH_IN }
	} });
	expect_failure(f, "after_death");
}

TEST(model_audit_keeps_a_thousand_failures)
{
	struct fx *f = fx_new(1);
	struct model m;

	fx_start(f, 1000);
	for (uint32_t i = 0; i < 1500; i++)
		fx_raw(f, &(union lab_event){ .waking = {
			.head = { .ts_ns = 2000 + i, .seq = 3 + i, .task = 100 + i,
				  .kind = LAB_EV_WAKING }
		} });
	fx_end(f, 9000, TRACE_END_UNKNOWN);
	CHECK_EQ(fx_build(f, &m), 0);
	CHECK_EQ(m.audit.failure_cnt, 1000);
	CHECK_EQ(m.audit.failures_total, 1500);
	CHECK_STR(fx_check_identities(&m), NULL);
	model_release(&m);
	fx_free(f);
}
