/* SPDX-License-Identifier: GPL-2.0-only */
/* The state machine of a task: each trap that was met on real kernels. */

#include "model_fixture.h"
#include "unit.h"

static void check_span(const struct model *m, uint32_t id, size_t nth, enum span_state state,
		       uint64_t start_ns, uint64_t end_ns)
{
	const struct model_span *s = fx_span(m, id, nth);

	REQUIRE(s);
	CHECK_EQ(s->state, state);
	CHECK_EQ(s->start_ns, start_ns);
	CHECK_EQ(s->end_ns, end_ns);
}

static void build_clean(struct fx *f, struct model *m)
{
	CHECK_EQ(fx_build(f, m), 0);
	CHECK_EQ(m->audit.failures_total, 0);
	if (m->audit.failure_cnt)
		CHECK_STR(m->audit.failures[0].name, "");
	CHECK_EQ(m->gap_cnt, 0);
	CHECK_STR(fx_check_identities(m), NULL);
}

TEST(model_one_task)
{
	struct fx *f = fx_new(1);
	struct model m;

	fx_start(f, 1000);
	fx_switch(f, 1010, 0, 1, fx_none());
	fx_switch(f, 1100, 0, FX_IDLE, fx_call(FX_NR_NANOSLEEP, 0x77));
	fx_wake_on(f, 1200, 0, 1, LAB_F_HARDIRQ);
	fx_switch(f, 1203, 0, 1, fx_none());
	fx_exit(f, 1300, 1, FX_IDLE);
	fx_end(f, 1900, TRACE_END_EXIT);
	build_clean(f, &m);
	CHECK_EQ(m.start_ns, 1000);
	CHECK_EQ(m.end_ns, 1300);
	CHECK_EQ(m.task_cnt, 1);
	CHECK_EQ(m.tasks[0].span_cnt, 5);
	check_span(&m, 1, 0, SPAN_READY, 1000, 1010);
	check_span(&m, 1, 1, SPAN_RUNNING, 1010, 1100);
	check_span(&m, 1, 2, SPAN_BLOCKED, 1100, 1200);
	check_span(&m, 1, 3, SPAN_READY, 1200, 1203);
	check_span(&m, 1, 4, SPAN_RUNNING, 1203, 1300);
	CHECK_EQ(fx_span(&m, 1, 0)->flags, 0);
	CHECK_EQ(fx_span(&m, 1, 2)->reason, REASON_SLEEP);
	CHECK_EQ(fx_span(&m, 1, 2)->addr, 0x77);
	CHECK_EQ(fx_span(&m, 1, 2)->flags, SPAN_WOKEN_BY_IRQ);
	CHECK_EQ(fx_span(&m, 1, 2)->waker_tid, 0);
	CHECK_EQ(m.tasks[0].cpu_ns, 90 + 97);
	CHECK_EQ(m.tasks[0].voluntary, 2);
	CHECK_EQ(m.tasks[0].involuntary, 0);
	CHECK(!m.tasks[0].alive);
	CHECK_STR(m.tasks[0].comm, "t1");
	CHECK_EQ(m.audit.switches_checked, 2);
	model_release(&m);
	fx_free(f);
}

TEST(model_switch_from_ours_to_ours)
{
	struct fx *f = fx_new(1);
	struct model m;

	fx_start(f, 1000);
	fx_switch(f, 1010, 0, 1, fx_none());
	fx_fork(f, 1020, 1, 2, FX_PROCESS, 0);
	fx_switch(f, 1100, 0, 2, fx_preempted());
	fx_switch(f, 1200, 0, 1, fx_dead());
	fx_exit(f, 1300, 1, FX_IDLE);
	fx_end(f, 1400, TRACE_END_EXIT);
	build_clean(f, &m);
	check_span(&m, 1, 1, SPAN_RUNNING, 1010, 1100);
	check_span(&m, 2, 0, SPAN_READY, 1020, 1100);
	check_span(&m, 2, 1, SPAN_RUNNING, 1100, 1200);
	check_span(&m, 1, 2, SPAN_READY, 1100, 1200);
	/* One record closes a stay and opens the next. */
	CHECK_EQ(fx_span(&m, 1, 1)->seq_out, fx_span(&m, 2, 1)->seq_in);
	CHECK_EQ(fx_span(&m, 2, 1)->seq_out, fx_span(&m, 1, 3)->seq_in);
	CHECK(fx_span(&m, 1, 2)->flags & SPAN_PREEMPTED);
	CHECK(!(fx_span(&m, 2, 0)->flags & SPAN_PREEMPTED));
	model_release(&m);
	fx_free(f);
}

/* A stay of root on CPU 0 from a foreign task that hid the switch. */
static struct fx *hidden_start(uint64_t in_ns, uint64_t charged)
{
	struct fx *f = fx_new(2);

	fx_start(f, 1000);
	fx_switch(f, 1010, 0, 1, fx_none());
	fx_switch(f, 1100, 0, FX_FOREIGN(7), fx_call(FX_NR_NANOSLEEP, 0));
	fx_wake_on(f, 1200, 1, 1, LAB_F_HARDIRQ);
	fx_switch_hidden(f, in_ns, 0, 1);
	fx_switch(f, 1500, 0, FX_IDLE, fx_call(FX_NR_NANOSLEEP, 0));
	fx_last(f)->switch_out.sum_exec_ns = 7000 + 90 + charged;
	fx_end(f, 1600, TRACE_END_UNKNOWN);
	return f;
}

TEST(model_hidden_switch_in_is_sized_by_its_charge)
{
	struct fx *f = hidden_start(1400, 100);
	struct model m;

	build_clean(f, &m);
	CHECK_EQ(m.audit.hidden_switch_ins, 1);
	check_span(&m, 1, 3, SPAN_READY, 1200, 1400);
	check_span(&m, 1, 4, SPAN_RUNNING, 1400, 1500);
	CHECK_EQ(fx_span(&m, 1, 4)->flags, SPAN_HIDDEN_START);
	CHECK_EQ(fx_span(&m, 1, 4)->start_min_ns, 1200);	/* its waking */
	CHECK_EQ(m.audit.repicks, 0);
	model_release(&m);
	fx_free(f);
}

/* The clocks differ: what was charged may be longer than the time there was. */
TEST(model_hidden_switch_in_not_before_its_bound)
{
	struct fx *f = hidden_start(1400, 5000);
	struct model m;

	build_clean(f, &m);
	check_span(&m, 1, 3, SPAN_RUNNING, 1200, 1500);
	CHECK_EQ(fx_span(&m, 1, 3)->start_min_ns, 1200);
	model_release(&m);
	fx_free(f);
}

TEST(model_hidden_switch_in_bound_is_the_cpus_last_record)
{
	struct fx *f = fx_new(2);
	struct model m;

	fx_start(f, 1000);
	fx_switch(f, 1010, 0, 1, fx_none());
	fx_fork(f, 1020, 1, 2, FX_PROCESS, 1);
	fx_switch(f, 1030, 1, 2, fx_none());
	fx_switch(f, 1040, 1, FX_FOREIGN(7), fx_preempted());
	fx_switch(f, 1200, 1, FX_IDLE, fx_none());
	fx_switch(f, 1300, 1, FX_FOREIGN(1), fx_none());	/* says who has it: the bound */
	fx_wake_on(f, 1350, 1, 1, 0);				/* says nothing about that */
	fx_switch_hidden(f, 1400, 1, 2);
	fx_exit(f, 1500, 2, FX_IDLE);
	fx_end(f, 1600, TRACE_END_FOR);
	build_clean(f, &m);
	check_span(&m, 2, 2, SPAN_READY, 1040, 1400);
	CHECK_EQ(fx_span(&m, 2, 3)->start_min_ns, 1300);
	model_release(&m);
	fx_free(f);
}

/* What the task did before its switch-out shows that it had the CPU then. */
TEST(model_hidden_switch_in_not_after_what_it_did)
{
	struct fx *f = hidden_start(1400, 0);
	struct model m;

	/* It was charged nothing, and yet it renamed its program at 1450. */
	fx_raw(f, &(union lab_event){ .exec = {
		.head = { .ts_ns = 1450, .seq = 5, .task = 1, .kind = LAB_EV_EXEC }, .tid = 1001
	} });
	CHECK_EQ(fx_build(f, &m), 0);
	check_span(&m, 1, 4, SPAN_RUNNING, 1450, 1500);
	CHECK_EQ(fx_span(&m, 1, 4)->start_min_ns, 1200);
	model_release(&m);
	fx_free(f);
}

/* Woken on its way to sleep, on a CPU that nobody saw it take: that block takes no time either. */
TEST(model_hidden_switch_in_and_a_waking_before_the_switch_out)
{
	struct fx *f = fx_new(2);
	struct model m;

	fx_start(f, 1000);
	fx_switch(f, 1010, 0, 1, fx_none());
	fx_switch(f, 1100, 0, FX_FOREIGN(7), fx_preempted());
	fx_switch_hidden(f, 1200, 0, 1);
	fx_wake_on(f, 1290, 1, 1, LAB_F_HARDIRQ);
	fx_switch(f, 1300, 0, FX_IDLE, fx_call(FX_NR_NANOSLEEP, 0));
	fx_switch(f, 1400, 0, 1, fx_none());
	fx_exit(f, 1500, 1, FX_IDLE);
	fx_end(f, 1600, TRACE_END_EXIT);
	build_clean(f, &m);
	check_span(&m, 1, 3, SPAN_RUNNING, 1200, 1300);
	CHECK_EQ(fx_span(&m, 1, 3)->flags, SPAN_HIDDEN_START);
	check_span(&m, 1, 4, SPAN_READY, 1300, 1400);
	model_release(&m);
	fx_free(f);
}

/* A waking before such a stay is not one of it. */
TEST(model_hidden_switch_in_and_a_waking_before_it)
{
	struct fx *f = fx_new(2);
	struct model m;

	fx_start(f, 1000);
	fx_switch(f, 1010, 0, 1, fx_none());
	fx_switch(f, 1100, 0, FX_FOREIGN(7), fx_preempted());
	fx_wake_on(f, 1190, 1, 1, LAB_F_HARDIRQ);	/* it had been on its way to sleep */
	fx_switch_hidden(f, 1200, 0, 1);
	fx_switch(f, 1300, 0, FX_IDLE, fx_call(FX_NR_NANOSLEEP, 0));
	fx_switch(f, 1400, 0, 1, fx_none());
	fx_exit(f, 1500, 1, FX_IDLE);
	fx_end(f, 1600, TRACE_END_EXIT);
	build_clean(f, &m);
	check_span(&m, 1, 3, SPAN_RUNNING, 1200, 1300);
	check_span(&m, 1, 4, SPAN_BLOCKED, 1300, 1400);
	model_release(&m);
	fx_free(f);
}

TEST(model_waking_before_the_switch_out)
{
	struct fx *f = fx_new(2);
	struct model m;

	fx_start(f, 1000);
	fx_switch(f, 1010, 0, 1, fx_none());
	fx_wake_on(f, 1099, 1, 1, LAB_F_HARDIRQ);
	fx_switch(f, 1100, 0, FX_IDLE, fx_call(FX_NR_NANOSLEEP, 0));
	fx_switch(f, 1200, 0, 1, fx_none());
	fx_exit(f, 1300, 1, FX_IDLE);
	fx_end(f, 1400, TRACE_END_EXIT);
	build_clean(f, &m);
	check_span(&m, 1, 2, SPAN_READY, 1100, 1200);
	CHECK_EQ(fx_span(&m, 1, 2)->flags, 0);
	CHECK_EQ(fx_span(&m, 1, 2)->reason, REASON_NONE);
	CHECK_EQ(fx_span(&m, 1, 2)->cpu, 0);
	model_release(&m);
	fx_free(f);
}

/* The waking was for a sleep that did not come about; the next sleep is a real one. */
TEST(model_waking_long_before_a_real_block)
{
	struct fx *f = fx_new(2);
	struct model m;

	fx_start(f, 1000);
	fx_switch(f, 1010, 0, 1, fx_none());
	fx_wake_on(f, 1020, 1, 1, LAB_F_HARDIRQ);
	fx_switch(f, 1100, 0, FX_IDLE, fx_call(FX_NR_NANOSLEEP, 0));
	fx_wake_on(f, 5000, 1, 1, LAB_F_HARDIRQ);
	fx_switch(f, 5010, 0, 1, fx_none());
	fx_exit(f, 5100, 1, FX_IDLE);
	fx_end(f, 5200, TRACE_END_EXIT);
	build_clean(f, &m);
	check_span(&m, 1, 2, SPAN_BLOCKED, 1100, 5000);
	check_span(&m, 1, 3, SPAN_READY, 5000, 5010);
	model_release(&m);
	fx_free(f);
}

TEST(model_preempted_with_a_sleeping_state_is_ready)
{
	struct fx_how how = fx_call(FX_NR_NANOSLEEP, 0);
	struct fx *f = fx_new(1);
	struct model m;

	how.flags = LAB_F_PREEMPT;
	fx_start(f, 1000);
	fx_switch(f, 1010, 0, 1, fx_none());
	fx_switch(f, 1100, 0, FX_FOREIGN(9), how);
	fx_switch(f, 1150, 0, 1, fx_none());
	fx_exit(f, 1200, 1, FX_IDLE);
	fx_end(f, 1300, TRACE_END_EXIT);
	build_clean(f, &m);
	check_span(&m, 1, 2, SPAN_READY, 1100, 1150);
	CHECK_EQ(fx_span(&m, 1, 2)->flags, SPAN_PREEMPTED);
	model_release(&m);
	fx_free(f);
}

/* A signal was pending: the state was reported as sleeping, and no waking came. */
TEST(model_blocked_and_back_without_a_waking)
{
	struct fx *f = fx_new(1);
	struct model m;

	fx_start(f, 1000);
	fx_switch(f, 1010, 0, 1, fx_none());
	fx_switch(f, 1100, 0, FX_IDLE, fx_read(FX_S_IFSOCK));
	fx_switch(f, 1150, 0, 1, fx_none());
	fx_exit(f, 1200, 1, FX_IDLE);
	fx_end(f, 1300, TRACE_END_EXIT);
	build_clean(f, &m);
	check_span(&m, 1, 2, SPAN_BLOCKED, 1100, 1150);
	CHECK_EQ(fx_span(&m, 1, 2)->flags, SPAN_WOKEN_UNSEEN);
	CHECK_EQ(fx_span(&m, 1, 2)->reason, REASON_SOCKET);
	model_release(&m);
	fx_free(f);
}

TEST(model_yield_is_ready_and_not_preempted)
{
	struct fx *f = fx_new(1);
	struct model m;

	fx_start(f, 1000);
	fx_switch(f, 1010, 0, 1, fx_none());
	fx_switch(f, 1100, 0, FX_FOREIGN(9), fx_yield());
	fx_switch(f, 1150, 0, 1, fx_none());
	/* The tick preempts on the way to user mode, where the argument is false. */
	fx_switch(f, 1160, 0, FX_FOREIGN(9), (struct fx_how){ .syscall = LAB_SYSCALL_NONE });
	fx_switch(f, 1170, 0, 1, fx_none());
	fx_exit(f, 1200, 1, FX_IDLE);
	fx_end(f, 1300, TRACE_END_EXIT);
	build_clean(f, &m);
	check_span(&m, 1, 2, SPAN_READY, 1100, 1150);
	CHECK_EQ(fx_span(&m, 1, 2)->flags, SPAN_YIELDED);
	CHECK_EQ(fx_span(&m, 1, 4)->flags, SPAN_PREEMPTED);
	model_release(&m);
	fx_free(f);
}

TEST(model_migration_while_ready)
{
	struct fx *f = fx_new(2);
	struct model m;

	fx_start(f, 1000);
	fx_switch(f, 1010, 0, 1, fx_none());
	fx_switch(f, 1100, 0, FX_FOREIGN(9), fx_preempted());
	fx_migrate(f, 1120, 1, 1, 0, 1);
	fx_switch(f, 1150, 1, 1, fx_none());
	fx_exit(f, 1200, 1, FX_IDLE);
	fx_end(f, 1300, TRACE_END_EXIT);
	build_clean(f, &m);
	CHECK_EQ(m.tasks[0].span_cnt, 4);
	check_span(&m, 1, 2, SPAN_READY, 1100, 1150);	/* one wait, not two */
	CHECK_EQ(fx_span(&m, 1, 2)->cpu, 1);
	CHECK_EQ(m.migration_cnt, 1);
	CHECK_EQ(m.migrations[0].from_cpu, 0);
	CHECK_EQ(m.migrations[0].to_cpu, 1);
	CHECK_EQ(m.tasks[0].migrations, 1);
	model_release(&m);
	fx_free(f);
}

TEST(model_migrate_to_the_same_cpu_is_none)
{
	struct fx *f = fx_new(2);
	struct model m;

	fx_start(f, 1000);
	fx_switch(f, 1010, 0, 1, fx_none());
	fx_switch(f, 1100, 0, FX_FOREIGN(9), fx_preempted());
	fx_raw(f, &(union lab_event){ .migrate = {
		.head = { .ts_ns = 1110, .task = 1, .cpu = 1, .kind = LAB_EV_MIGRATE, .seq = 1 },
	} });
	fx_switch(f, 1150, 0, 1, fx_none());
	fx_exit(f, 1200, 1, FX_IDLE);
	fx_end(f, 1300, TRACE_END_UNKNOWN);
	build_clean(f, &m);
	CHECK_EQ(m.migration_cnt, 0);
	CHECK_EQ(m.tasks[0].migrations, 0);
	model_release(&m);
	fx_free(f);
}

TEST(model_spurious_waking_of_a_ready_task)
{
	struct fx *f = fx_new(1);
	struct model m;

	fx_start(f, 1000);
	fx_wake_on(f, 1005, 0, 1, LAB_F_HARDIRQ);
	fx_switch(f, 1010, 0, 1, fx_none());
	fx_exit(f, 1200, 1, FX_IDLE);
	fx_end(f, 1300, TRACE_END_EXIT);
	build_clean(f, &m);
	CHECK_EQ(m.start_ns, 1000);
	check_span(&m, 1, 0, SPAN_READY, 1000, 1010);
	model_release(&m);
	fx_free(f);
}

TEST(model_waker_in_interrupt_is_nobody)
{
	struct fx *f = fx_new(2);
	struct model m;

	fx_start(f, 1000);
	fx_switch(f, 1010, 0, 1, fx_none());
	fx_fork(f, 1020, 1, 2, FX_THREAD, 1);
	fx_switch(f, 1030, 1, 2, fx_none());
	fx_switch(f, 1100, 0, FX_IDLE, fx_call(FX_NR_EPOLL_WAIT, 5));
	fx_wake_on(f, 1110, 1, 1, LAB_F_SOFTIRQ);	/* 2 is a bystander */
	fx_switch(f, 1120, 0, 1, fx_none());
	fx_switch(f, 1130, 0, FX_IDLE, fx_read(FX_S_IFIFO));
	fx_wake(f, 1140, 2, 1);				/* 2 is the waker, and a descendant */
	fx_switch(f, 1150, 0, 1, fx_none());
	fx_switch(f, 1160, 0, FX_IDLE, fx_read(FX_S_IFIFO));
	fx_wake_on(f, 1170, 1, 1, LAB_F_CTX_UNKNOWN);	/* who knows */
	fx_switch(f, 1180, 0, 1, fx_none());
	fx_end(f, 1300, TRACE_END_FOR);
	build_clean(f, &m);
	CHECK_EQ(fx_span(&m, 1, 2)->flags, SPAN_WOKEN_BY_IRQ);
	CHECK_EQ(fx_span(&m, 1, 2)->waker_id, 0);
	CHECK_EQ(fx_span(&m, 1, 2)->waker_tid, 0);
	CHECK_EQ(fx_span(&m, 1, 5)->flags, SPAN_WAKER_KIN);
	CHECK_EQ(fx_span(&m, 1, 5)->waker_id, 2);
	CHECK_EQ(fx_span(&m, 1, 5)->waker_tid, 1002);
	CHECK_EQ(fx_span(&m, 1, 8)->flags, 0);
	CHECK_EQ(fx_span(&m, 1, 8)->waker_id, 0);
	CHECK_EQ(m.wakes_unattributed, 1);
	model_release(&m);
	fx_free(f);
}

TEST(model_unknown_context_but_the_same_futex)
{
	struct fx *f = fx_new(2);
	struct model m;

	fx_start(f, 1000);
	fx_switch(f, 1010, 0, 1, fx_none());
	fx_fork(f, 1020, 1, 2, FX_THREAD, 1);
	fx_switch(f, 1030, 1, 2, fx_none());
	fx_switch(f, 1100, 0, FX_IDLE, fx_futex(0x40, FX_FUTEX_WAIT, 7));
	fx_wake(f, 1110, 2, 1);
	fx_last(f)->head.flags = LAB_F_CTX_UNKNOWN;
	fx_last(f)->waking.waker_arg0 = 0x40;
	fx_end(f, 1300, TRACE_END_FOR);
	build_clean(f, &m);
	CHECK_EQ(fx_span(&m, 1, 2)->waker_id, 2);
	CHECK_EQ(m.wakes_unattributed, 0);
	model_release(&m);
	fx_free(f);
}

TEST(model_task_on_two_cpus_is_a_contradiction)
{
	struct fx *f = fx_new(2);
	struct model m;

	fx_start(f, 1000);
	fx_switch(f, 1010, 0, 1, fx_none());
	fx_switch(f, 1050, 1, 1, fx_none());
	fx_end(f, 1300, TRACE_END_UNKNOWN);
	CHECK_EQ(fx_build(f, &m), 0);
	REQUIRE(m.audit.failure_cnt == 1);
	CHECK_STR(m.audit.failures[0].name, "two_cpus");
	CHECK_STR(fx_check_identities(&m), NULL);
	/* Where its stay ended is not known, so it is no witness. */
	CHECK(fx_span(&m, 1, 1)->flags & SPAN_ACROSS_GAP);
	model_release(&m);
	fx_free(f);
}

TEST(model_lost_switch_out_ends_where_another_began)
{
	struct fx *f = fx_new(1);
	struct model m;
	size_t cnt;

	fx_start(f, 1000);
	fx_switch(f, 1010, 0, 1, fx_none());
	fx_switch(f, 1100, 0, FX_IDLE, fx_read(FX_S_IFIFO));
	fx_switch(f, 1200, 0, FX_FOREIGN(9), fx_none());
	fx_switch(f, 1300, 0, FX_IDLE, fx_none());
	(void)fx_events(f, &cnt);
	fx_drop(f, cnt - 3);
	fx_end(f, 1400, TRACE_END_UNKNOWN);
	CHECK_EQ(fx_build(f, &m), 0);
	CHECK_EQ(m.gap_cnt, 1);
	CHECK_EQ(m.gaps[0].cnt, 1);
	CHECK_EQ(m.gaps[0].from_ns, 1010);
	CHECK_EQ(m.gaps[0].until_ns, 1200);
	check_span(&m, 1, 1, SPAN_RUNNING, 1010, 1100);
	CHECK(fx_span(&m, 1, 1)->flags & SPAN_ACROSS_GAP);
	CHECK_STR(m.audit.failures[0].name, "lost_switch_out");
	model_release(&m);
	fx_free(f);
}

/* What a task waits for after the cut is not waited for in the run. */
TEST(model_waits_are_counted_in_the_window)
{
	struct fx *f = fx_new(1);
	struct model m;

	fx_start(f, 1000);
	fx_switch(f, 1010, 0, 1, fx_none());
	fx_switch(f, 1100, 0, FX_IDLE, fx_call(FX_NR_EPOLL_WAIT, 5));
	fx_wake_on(f, 1200, 0, 1, LAB_F_SOFTIRQ);
	fx_switch(f, 1210, 0, 1, fx_none());
	fx_switch(f, 1300, 0, FX_IDLE, fx_call(FX_NR_EPOLL_WAIT, 5));
	fx_wake_on(f, 1400, 0, 1, LAB_F_SOFTIRQ);
	fx_end(f, 1250, TRACE_END_FOR);
	build_clean(f, &m);
	model_release(&m);
	fx_free(f);
}
