/* SPDX-License-Identifier: GPL-2.0-only */
/* Births, names, ends, the window, and runs that began before or end after it. */

#include "model_fixture.h"
#include "unit.h"
#include "util/log.h"

static void build_clean(struct fx *f, struct model *m)
{
	CHECK_EQ(fx_build(f, m), 0);
	CHECK_EQ(m->audit.failures_total, 0);
	if (m->audit.failure_cnt)
		CHECK_STR(m->audit.failures[0].name, "");
	CHECK_STR(fx_check_identities(m), NULL);
}

TEST(model_no_root_is_no_model)
{
	struct fx *f = fx_new(1);
	struct model m;

	log_set_level(LOG_ERR);
	fx_end(f, 100, TRACE_END_EXIT);
	CHECK_EQ(fx_build(f, &m), -74);	/* EBADMSG */
	model_release(&m);
	fx_free(f);
}

TEST(model_double_fork_descends)
{
	struct fx *f = fx_new(2);
	struct model m;

	fx_start(f, 1000);
	fx_switch(f, 1010, 0, 1, fx_none());
	fx_fork(f, 1020, 1, 2, FX_PROCESS, 1);
	fx_switch(f, 1030, 1, 2, fx_none());
	fx_fork(f, 1040, 2, 3, FX_PROCESS, 1);
	fx_exit(f, 1050, 2, 3);
	fx_switch(f, 1060, 0, FX_IDLE, fx_read(FX_S_IFIFO));
	fx_wake(f, 1070, 3, 1);
	fx_switch(f, 1080, 0, 1, fx_none());
	fx_exit(f, 1090, 1, FX_IDLE);
	fx_exit(f, 1200, 3, FX_IDLE);
	fx_end(f, 1300, TRACE_END_EXIT);
	build_clean(f, &m);
	CHECK_EQ(m.task_cnt, 3);
	CHECK_EQ(m.end_ns, 1200);
	CHECK_EQ(model_task(&m, 3)->parent_id, 2);
	CHECK(fx_span(&m, 1, 2)->flags & SPAN_WAKER_KIN);
	CHECK(model_task(&m, 4) == NULL);
	CHECK(model_task(&m, 0) == NULL);
	model_release(&m);
	fx_free(f);
}

TEST(model_deep_tree_descends)
{
	struct fx *f = fx_new(1);
	struct model m;
	uint64_t ts = 1010;

	fx_start(f, 1000);
	fx_switch(f, ts, 0, 1, fx_none());
	for (uint32_t id = 2; id <= 100; id++) {
		fx_fork(f, ++ts, id - 1, id, FX_PROCESS, 0);
		fx_switch(f, ++ts, 0, (int32_t)id, fx_read(FX_S_IFIFO));
	}
	for (uint32_t id = 99; id >= 1; id--)
		fx_wake(f, ++ts, 100, id);
	fx_end(f, 2000, TRACE_END_FOR);
	build_clean(f, &m);
	for (uint32_t id = 1; id < 100; id++) {
		const struct model_task *t = model_task(&m, id);

		CHECK(t->spans[2].flags & SPAN_WAKER_KIN);
	}
	model_release(&m);
	fx_free(f);
}

/* A sibling is no kin, its parent is. */
TEST(model_sibling_is_no_kin)
{
	struct fx *f = fx_new(2);
	struct model m;

	fx_start(f, 1000);
	fx_switch(f, 1010, 0, 1, fx_none());
	fx_fork(f, 1020, 1, 2, FX_PROCESS, 1);
	fx_fork(f, 1021, 1, 3, FX_PROCESS, 1);
	fx_switch(f, 1030, 1, 2, fx_none());
	fx_switch(f, 1040, 1, 3, fx_read(FX_S_IFIFO));
	fx_wake(f, 1050, 3, 2);
	fx_switch(f, 1060, 1, 2, fx_read(FX_S_IFIFO));
	fx_wake(f, 1070, 1, 3);
	fx_end(f, 1300, TRACE_END_FOR);
	build_clean(f, &m);
	CHECK_EQ(fx_span(&m, 2, 2)->waker_id, 3);
	CHECK_EQ(fx_span(&m, 2, 2)->flags, 0);
	CHECK_EQ(fx_span(&m, 3, 2)->waker_id, 1);
	CHECK_EQ(fx_span(&m, 3, 2)->flags, SPAN_WAKER_KIN);
	model_release(&m);
	fx_free(f);
}

/*
 * A worker of io_uring: a request is in flight, whoever completes it; for the next one it waits as
 * any other.
 */
TEST(model_worker_with_request_has_no_kin)
{
	for (int has_request = 0; has_request < 2; has_request++) {
		struct fx_how how = fx_call(LAB_SYSCALL_NONE, 0);
		struct fx *f = fx_new(2);
		struct model m;

		fx_start(f, 1000);
		fx_switch(f, 1010, 0, 1, fx_none());
		fx_fork(f, 1020, 1, 2, FX_THREAD, 1);
		fx_switch(f, 1030, 1, 2, fx_none());
		how.fd_type = has_request ? LAB_FD_REQUEST : 0;
		fx_switch(f, 1040, 1, 0, how);
		fx_last(f)->switch_out.head.flags |= LAB_F_WORKER;
		fx_wake(f, 1050, 1, 2);
		fx_end(f, 1300, TRACE_END_FOR);
		build_clean(f, &m);
		CHECK_EQ(fx_span(&m, 2, 2)->reason, REASON_URING);
		CHECK_EQ(fx_span(&m, 2, 2)->waker_id, 1);
		CHECK_EQ(fx_span(&m, 2, 2)->flags, has_request ? 0 : SPAN_WAKER_KIN);
		model_release(&m);
		fx_free(f);
	}
}

/*
 * 2, a thread of the root's process, hands work to 3 and 4, processes that the root made; 5 is a
 * thread of 3.
 */
TEST(model_threads_of_an_ancestor_are_kin)
{
	struct fx *f = fx_new(3);
	struct model m;

	fx_start(f, 1000);
	fx_switch(f, 1010, 0, 1, fx_none());
	fx_fork(f, 1020, 1, 2, FX_THREAD, 1);
	fx_fork(f, 1021, 1, 3, FX_PROCESS, 2);
	fx_switch(f, 1030, 1, 2, fx_none());
	fx_switch(f, 1031, 2, 3, fx_none());
	fx_fork(f, 1032, 3, 5, FX_THREAD, 2);
	fx_switch(f, 1040, 2, 5, fx_read(FX_S_IFIFO));
	fx_wake(f, 1050, 2, 3);				/* from above */
	fx_switch(f, 1060, 2, 3, fx_read(FX_S_IFIFO));
	fx_switch(f, 1070, 1, FX_IDLE, fx_read(FX_S_IFIFO));
	fx_wake(f, 1080, 3, 2);				/* from below */
	fx_wake(f, 1090, 3, 5);				/* its own thread */
	fx_switch(f, 1100, 1, 2, fx_none());
	fx_switch(f, 1110, 0, FX_IDLE, fx_read(FX_S_IFIFO));
	fx_wake(f, 1120, 2, 1);				/* its own thread */
	fx_switch(f, 1130, 0, 1, fx_none());
	fx_end(f, 1300, TRACE_END_FOR);
	build_clean(f, &m);
	CHECK_EQ(fx_span(&m, 3, 2)->flags, SPAN_WAKER_KIN);
	CHECK_EQ(fx_span(&m, 2, 2)->flags, SPAN_WAKER_KIN);
	CHECK_EQ(fx_span(&m, 5, 2)->flags, SPAN_WAKER_KIN);
	CHECK_EQ(fx_span(&m, 1, 2)->flags, SPAN_WAKER_KIN);
	model_release(&m);
	fx_free(f);
}

/* A thread that is woken to die was waiting for nothing. */
TEST(model_wait_that_ends_with_the_process)
{
	struct fx *f = fx_new(3);
	struct model m;

	fx_start(f, 1000);
	fx_switch(f, 1010, 0, 1, fx_none());
	fx_fork(f, 1020, 1, 2, FX_THREAD, 1);
	fx_fork(f, 1021, 1, 3, FX_THREAD, 2);
	fx_switch(f, 1030, 1, 2, fx_none());
	fx_switch(f, 1040, 2, 3, fx_none());
	fx_switch(f, 1050, 2, FX_IDLE, fx_read(FX_S_IFIFO));
	fx_wake(f, 1060, 2, 3);
	fx_last(f)->waking.waker_syscall = 1;		/* write */
	fx_switch(f, 1070, 2, 3, fx_none());
	fx_switch(f, 1080, 2, FX_IDLE, fx_read(FX_S_IFIFO));
	fx_wake(f, 1090, 2, 3);
	fx_last(f)->waking.waker_syscall = 231;		/* exit_group */
	fx_switch(f, 1100, 2, 3, fx_none());
	fx_end(f, 1300, TRACE_END_FOR);
	build_clean(f, &m);
	CHECK_EQ(fx_span(&m, 3, 2)->flags, 0);
	CHECK_EQ(fx_span(&m, 3, 5)->flags, SPAN_WAKER_KIN);
	model_release(&m);
	fx_free(f);
}

TEST(model_tid_reuse_is_two_tasks)
{
	struct fx *f = fx_new(1);
	struct model m;

	fx_start(f, 1000);
	fx_switch(f, 1010, 0, 1, fx_none());
	fx_fork(f, 1020, 1, 2, FX_PROCESS, 0);
	fx_switch(f, 1030, 0, 2, fx_call(FX_NR_WAIT4, 0));
	fx_exit(f, 1040, 2, FX_IDLE);
	fx_wake_on(f, 1050, 0, 1, LAB_F_HARDIRQ);
	fx_switch(f, 1060, 0, 1, fx_none());
	fx_fork_only(f, 1070, 1, 3, FX_PROCESS);
	fx_last(f)->task.tid = 1002;
	fx_wakeup_new(f, 1071, 0, 3, 0);
	fx_switch(f, 1080, 0, 3, fx_call(FX_NR_WAIT4, 0));
	fx_end(f, 1300, TRACE_END_FOR);
	build_clean(f, &m);
	CHECK_EQ(model_task(&m, 2)->tid, 1002);
	CHECK_EQ(model_task(&m, 3)->tid, 1002);
	CHECK_EQ(model_task(&m, 2)->end_ns, 1040);
	CHECK_EQ(model_task(&m, 3)->start_ns, 1071);
	CHECK_EQ(fx_span(&m, 1, 2)->reason, REASON_CHILD);
	model_release(&m);
	fx_free(f);
}

/* A thread, not the leader, calls exec: it takes the leader's tid, and stays the task it was. */
TEST(model_exec_by_a_thread)
{
	struct fx *f = fx_new(2);
	struct model m;

	fx_start(f, 1000);
	fx_switch(f, 1010, 0, 1, fx_none());
	fx_fork(f, 1020, 1, 2, FX_THREAD, 1);
	fx_switch(f, 1030, 1, 2, fx_none());
	fx_exit(f, 1040, 1, FX_IDLE);
	fx_exec(f, 1050, 2, "ls");
	fx_switch(f, 1060, 1, FX_IDLE, fx_futex(0x10, FX_FUTEX_WAIT, 5));
	fx_end(f, 1300, TRACE_END_FOR);
	build_clean(f, &m);
	CHECK_EQ(model_task(&m, 2)->tid, 1001);
	CHECK_EQ(model_task(&m, 2)->tgid, 1001);
	CHECK_STR(model_task(&m, 2)->comm, "ls");
	CHECK(model_task(&m, 2)->mm_id != model_task(&m, 1)->mm_id);
	CHECK_EQ(fx_span(&m, 2, 2)->mm_id, model_task(&m, 2)->mm_id);
	CHECK_EQ(m.daemons, 1);
	model_release(&m);
	fx_free(f);
}

TEST(model_memory_is_inherited_until_exec)
{
	struct fx *f = fx_new(2);
	struct model m;

	fx_start(f, 1000);
	fx_switch(f, 1010, 0, 1, fx_none());
	fx_fork(f, 1020, 1, 2, FX_THREAD, 1);
	fx_fork(f, 1021, 1, 3, FX_PROCESS, 1);
	fx_fork(f, 1022, 1, 4, FX_VFORK, 1);
	fx_switch(f, 1030, 1, 4, fx_none());
	fx_switch(f, 1031, 1, FX_IDLE, fx_futex(0x10, FX_FUTEX_WAIT, 5));
	fx_wake_on(f, 1040, 0, 4, LAB_F_HARDIRQ);
	fx_switch(f, 1050, 1, 4, fx_none());
	fx_exec(f, 1060, 4, "true");
	fx_rename(f, 1061, 1, "new");
	fx_end(f, 1300, TRACE_END_FOR);
	build_clean(f, &m);
	CHECK_EQ(model_task(&m, 2)->mm_id, model_task(&m, 1)->mm_id);
	CHECK(model_task(&m, 3)->mm_id != model_task(&m, 1)->mm_id);
	CHECK(model_task(&m, 4)->mm_id != model_task(&m, 1)->mm_id);
	/* The wait was before its exec: at an address of the parent's memory. */
	CHECK_EQ(fx_span(&m, 4, 2)->mm_id, model_task(&m, 1)->mm_id);
	CHECK_STR(model_task(&m, 1)->comm, "new");
	CHECK_STR(model_task(&m, 4)->comm, "true");
	model_release(&m);
	fx_free(f);
}

TEST(model_exit_code_is_kept)
{
	struct fx *f = fx_new(1);
	struct model m;

	fx_start(f, 1000);
	fx_switch(f, 1010, 0, 1, fx_none());
	fx_exit_begin(f, 1020, 1, 0x300);
	fx_switch(f, 1030, 0, FX_IDLE, fx_dead());
	fx_end(f, 1300, TRACE_END_EXIT);
	build_clean(f, &m);
	CHECK_EQ(m.tasks[0].exit_code, 0x300);
	CHECK_EQ(m.daemons, 0);
	model_release(&m);
	fx_free(f);
}

TEST(model_clone_that_never_ran)
{
	struct fx *f = fx_new(1);
	struct model m;

	fx_start(f, 1000);
	fx_switch(f, 1010, 0, 1, fx_none());
	fx_fork(f, 1020, 1, 2, FX_PROCESS, 0);
	fx_fork_only(f, 1030, 1, 3, FX_PROCESS);
	fx_end(f, 1300, TRACE_END_FOR);
	build_clean(f, &m);
	CHECK(model_task(&m, 2)->never_ran);
	CHECK_EQ(model_task(&m, 2)->span_cnt, 1);
	CHECK_EQ(fx_span(&m, 2, 0)->state, SPAN_READY);
	CHECK_EQ(fx_span(&m, 2, 0)->flags, SPAN_CUT_END);
	CHECK(model_task(&m, 3)->never_ran);
	CHECK_EQ(model_task(&m, 3)->span_cnt, 0);
	CHECK(!model_task(&m, 1)->never_ran);
	model_release(&m);
	fx_free(f);
}

TEST(model_cut_run)
{
	struct fx *f = fx_new(2);
	struct model m;

	fx_start(f, 1000);
	fx_switch(f, 1010, 0, 1, fx_none());
	fx_fork(f, 1020, 1, 2, FX_PROCESS, 1);
	fx_switch(f, 1030, 1, 2, fx_none());
	fx_switch(f, 1040, 0, FX_IDLE, fx_call(FX_NR_WAIT4, 0));
	/* What comes between the cut and the last probe is outside. */
	fx_switch(f, 1300, 1, FX_IDLE, fx_dead());
	fx_wake_on(f, 1310, 1, 1, 0);
	fx_switch(f, 1320, 0, 1, fx_none());
	fx_end(f, 1200, TRACE_END_INTERRUPT);
	build_clean(f, &m);
	CHECK_EQ(m.end_ns, 1200);
	CHECK(model_task(&m, 2)->alive);
	CHECK_EQ(model_task(&m, 2)->end_ns, 1200);
	CHECK_EQ(m.daemons, 2);
	CHECK_EQ(fx_span(&m, 2, 1)->flags, SPAN_CUT_END);
	CHECK_EQ(model_task(&m, 1)->span_cnt, 3);
	CHECK_EQ(fx_span(&m, 1, 2)->flags, SPAN_CUT_END);
	CHECK_EQ(fx_span(&m, 1, 2)->end_ns, 1200);
	CHECK_EQ(fx_span(&m, 1, 2)->reason, REASON_CHILD);
	model_release(&m);
	fx_free(f);
}

TEST(model_incomplete_file)
{
	struct fx *f = fx_new(1);
	struct model m;

	fx_start(f, 1000);
	fx_switch(f, 1010, 0, 1, fx_none());
	fx_switch(f, 1040, 0, FX_FOREIGN(4), fx_call(FX_NR_WAIT4, 0));
	fx_switch(f, 1050, 0, FX_IDLE, fx_none());
	fx_end(f, 0, TRACE_END_UNKNOWN);
	build_clean(f, &m);
	CHECK(!m.complete);
	CHECK_STR(m.damage, "the end is missing");
	CHECK_EQ(m.end_ns, 1050);
	CHECK(model_task(&m, 1)->alive);
	model_release(&m);
	fx_free(f);
}

TEST(model_root_never_released)
{
	struct fx *f = fx_new(1);
	struct model m;

	fx_seed(f, 500, 1, 1001, 0, false, fx_read(FX_S_IFIFO));
	fx_end(f, 0, TRACE_END_UNKNOWN);
	build_clean(f, &m);
	CHECK_EQ(m.start_ns, m.end_ns);
	CHECK_EQ(m.tasks[0].span_cnt, 0);
	model_release(&m);
	fx_free(f);
}

/* --pid: one thread runs, one sleeps in a lock, one is queued. */
TEST(model_attach)
{
	struct fx *f = fx_new(2);
	struct model m;

	fx_meta(f)->attach_tgid = 1001;
	fx_meta(f)->armed_ns = 1000;
	fx_seed(f, 1100, 1, 1001, 0, true, fx_none());
	fx_seed(f, 1110, 2, 1001, 1, false, fx_futex(0x20, FX_FUTEX_WAIT, 2));
	fx_seed(f, 1120, 3, 1001, 1, false, (struct fx_how){ .syscall = 1 });
	fx_switch(f, 1200, 0, 3, fx_call(FX_NR_NANOSLEEP, 0));
	fx_wake(f, 1250, 3, 2);
	fx_switch(f, 1260, 1, 2, fx_none());
	fx_end(f, 1500, TRACE_END_DETACH);
	build_clean(f, &m);
	CHECK_EQ(m.start_ns, 1120);	/* all are marked */
	CHECK_EQ(m.end_ns, 1500);
	CHECK_EQ(fx_span(&m, 1, 0)->state, SPAN_RUNNING);
	CHECK_EQ(fx_span(&m, 1, 0)->flags, SPAN_CUT_START);
	CHECK_EQ(fx_span(&m, 1, 0)->start_ns, 1120);
	CHECK_EQ(fx_span(&m, 1, 0)->end_ns, 1200);
	CHECK_EQ(fx_span(&m, 2, 0)->reason, REASON_COND);
	CHECK(fx_span(&m, 2, 0)->flags & SPAN_CUT_START);
	CHECK_EQ(fx_span(&m, 2, 0)->waker_id, 3);
	CHECK_EQ(fx_span(&m, 3, 0)->state, SPAN_READY);
	CHECK_EQ(model_task(&m, 1)->mm_id, model_task(&m, 2)->mm_id);
	CHECK_EQ(model_task(&m, 1)->voluntary, 1);
	CHECK_EQ(model_task(&m, 1)->start_ns, 1120);
	CHECK_EQ(m.audit.hidden_switch_ins, 0);
	model_release(&m);
	fx_free(f);
}

/* Detached before the last one was marked: no span reaches into a window without time. */
TEST(model_attach_no_time)
{
	struct fx *f = fx_new(2);
	struct model m;

	fx_meta(f)->attach_tgid = 1001;
	fx_meta(f)->armed_ns = 1000;
	fx_seed(f, 1100, 1, 1001, 0, true, fx_none());
	fx_seed(f, 1120, 2, 1001, 1, false, fx_futex(0x20, FX_FUTEX_WAIT, 2));
	fx_switch(f, 1200, 0, FX_IDLE, fx_call(FX_NR_NANOSLEEP, 0));
	fx_end(f, 1050, TRACE_END_DETACH);
	CHECK_EQ(fx_build(f, &m), 0);
	CHECK_EQ(m.start_ns, 1120);
	CHECK_EQ(m.end_ns, 1120);
	CHECK_EQ(m.span_cnt, 0);
	CHECK(!fx_check_identities(&m));
	model_release(&m);
	fx_free(f);
}

/* What announces a task a second time is ignored: the window does not begin there. */
TEST(model_attach_seed_of_a_known_task)
{
	struct fx *f = fx_new(1);
	struct model m;

	fx_meta(f)->attach_tgid = 1001;
	fx_meta(f)->armed_ns = 1000;
	fx_seed(f, 1100, 1, 1001, 0, true, fx_none());
	fx_raw(f, &(union lab_event){ .task = {
		.head = { .ts_ns = 1200, .seq = 1, .task = 1, .kind = LAB_EV_TASK_SEED },
		.tid = 1001, .tgid = 1001,
	} });
	fx_end(f, 1500, TRACE_END_DETACH);
	CHECK_EQ(fx_build(f, &m), 0);
	CHECK_EQ(m.start_ns, 1100);
	REQUIRE(m.audit.failures_total);
	CHECK_STR(m.audit.failures[0].name, "born_twice");
	model_release(&m);
	fx_free(f);
}

/* The wait of @id that the window cuts is its last one, and for what task 1 has. */
static void check_last_wait(const struct model *m, uint32_t id, uint64_t start_ns, uint64_t end_ns)
{
	const struct model_task *t = model_task(m, id);
	const struct model_span *wait = &t->spans[t->span_cnt - 1];

	CHECK(wait->flags & SPAN_FUTEX);
	CHECK(wait->flags & SPAN_CUT_END);
	CHECK_EQ(wait->end_ns, end_ns);
	CHECK_EQ(wait->start_ns, start_ns);
	CHECK_EQ(t->wait_start_ns, start_ns);
	CHECK_EQ(t->wait_val, 0x80000000u | 1001);
	CHECK_EQ(t->wait_owner_tid, 1001);
}

/* A lock that is waited for from before the window until after it: who had it stays known. */
TEST(model_last_wait_reaches_beyond_the_window)
{
	struct fx *f = fx_new(2);
	struct model m;

	fx_meta(f)->attach_tgid = 1001;
	fx_meta(f)->armed_ns = 1000;
	fx_seed(f, 1100, 1, 1001, 0, true, fx_none());
	fx_seed(f, 1110, 2, 1001, 1, false, fx_futex(0x20, FX_FUTEX_WAIT, 0x80000000u | 1001));
	fx_seed(f, 1120, 3, 1001, 1, false, (struct fx_how){ .syscall = 1 });
	fx_end(f, 1500, TRACE_END_DETACH);
	build_clean(f, &m);
	check_last_wait(&m, 2, 1120, 1500);
	model_release(&m);
	fx_free(f);
}

/* After the cut, and still recorded, it got that lock and waited for another. */
TEST(model_last_wait_is_not_one_after_the_cut)
{
	struct fx *f = fx_new(2);
	struct model m;

	fx_start(f, 1000);
	fx_switch(f, 1010, 0, 1, fx_none());
	fx_fork(f, 1020, 1, 2, FX_THREAD, 1);
	fx_switch(f, 1030, 1, 2, fx_none());
	fx_switch(f, 1200, 1, FX_IDLE, fx_futex(0x20, FX_FUTEX_WAIT, 0x80000000u | 1001));
	fx_wake(f, 1600, 1, 2);
	fx_switch(f, 1610, 1, 2, fx_none());
	fx_switch(f, 1620, 1, FX_IDLE, fx_futex(0x30, FX_FUTEX_WAIT, 0x80000000u | 1004));
	fx_end(f, 1700, TRACE_END_FOR);
	fx_end_of(f)->end_ns = 1500;
	build_clean(f, &m);
	check_last_wait(&m, 2, 1200, 1500);
	model_release(&m);
	fx_free(f);
}

/* Its seed was read after its first switch-out had been recorded. */
TEST(model_attach_seed_races_with_a_switch)
{
	struct fx *f = fx_new(2);
	struct lab_ev_task *seed;
	struct model m;

	fx_meta(f)->attach_tgid = 1001;
	fx_meta(f)->armed_ns = 1000;
	fx_seed(f, 1100, 1, 1001, 0, true, fx_none());
	seed = &fx_last(f)->task;
	seed->nvcsw++;
	seed->sum_exec_ns += 20;
	seed->task_cpu = 1;	/* it had moved by then */
	fx_switch(f, 1120, 0, FX_IDLE, fx_call(FX_NR_NANOSLEEP, 0));
	fx_wake_on(f, 1200, 0, 1, LAB_F_HARDIRQ);
	fx_switch(f, 1210, 0, 1, fx_none());
	fx_exit(f, 1300, 1, FX_IDLE);
	fx_end(f, 1500, TRACE_END_EXIT);
	build_clean(f, &m);
	CHECK_EQ(m.audit.hidden_switch_ins, 0);
	CHECK_EQ(m.tasks[0].voluntary, 2);
	CHECK_EQ(fx_span(&m, 1, 0)->cpu, 0);
	CHECK_EQ(fx_span(&m, 1, 0)->end_ns, 1120);
	model_release(&m);
	fx_free(f);
}

/*
 * A record of the task is older than its seed, which was read after: the first switch-out says what
 * the task starts from.
 */
TEST(model_attach_seed_comes_after_a_record)
{
	struct fx *f = fx_new(2);
	struct model m;

	fx_meta(f)->attach_tgid = 1001;
	fx_meta(f)->armed_ns = 1000;
	fx_seed(f, 1100, 1, 1001, 0, true, fx_none());
	fx_seed(f, 1110, 2, 1001, 1, false, (struct fx_how){ .syscall = 1 });
	fx_last(f)->head.ts_ns = 1130;
	fx_switch(f, 1120, 1, 2, fx_none());
	fx_switch(f, 1200, 1, FX_IDLE, fx_call(FX_NR_NANOSLEEP, 0));
	fx_end(f, 1500, TRACE_END_DETACH);
	build_clean(f, &m);
	CHECK_EQ(m.audit.hidden_switch_ins, 0);
	CHECK_EQ(fx_span(&m, 2, 0)->state, SPAN_RUNNING);
	CHECK_EQ(fx_span(&m, 2, 0)->end_ns, 1200);
	model_release(&m);
	fx_free(f);
}

/* Likewise a move; and nothing of it is heard again. */
TEST(model_attach_seed_races_with_a_move)
{
	struct fx *f = fx_new(2);
	struct model m;

	fx_meta(f)->attach_tgid = 1001;
	fx_meta(f)->armed_ns = 1000;
	fx_seed(f, 1100, 1, 1001, 0, false, (struct fx_how){ .syscall = 1 });
	fx_last(f)->task.migrations = 4;
	fx_migrate(f, 1101, 1, 1, 0, 1);
	fx_last(f)->migrate.migrations = 3;
	fx_end(f, 1500, TRACE_END_DETACH);
	build_clean(f, &m);
	CHECK_EQ(m.migration_cnt, 1);
	model_release(&m);
	fx_free(f);
}

TEST(model_attach_window_starts_when_armed)
{
	struct fx *f = fx_new(1);
	struct model m;

	fx_meta(f)->attach_tgid = 1001;
	fx_meta(f)->armed_ns = 2000;
	fx_seed(f, 1100, 1, 1001, 0, true, fx_none());
	fx_switch(f, 1200, 0, FX_IDLE, fx_call(FX_NR_NANOSLEEP, 0));
	fx_end(f, 2500, TRACE_END_DETACH);
	build_clean(f, &m);
	CHECK_EQ(m.start_ns, 2000);
	CHECK_EQ(m.tasks[0].span_cnt, 1);
	CHECK_EQ(fx_span(&m, 1, 0)->flags, SPAN_CUT_START | SPAN_CUT_END);
	CHECK_EQ(fx_span(&m, 1, 0)->reason, REASON_SLEEP);
	model_release(&m);
	fx_free(f);
}
