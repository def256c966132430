/* SPDX-License-Identifier: GPL-2.0-only */
/* Operations of event loops. */

#include "model_fixture.h"
#include "unit.h"

#define ADD 1
#define DEL 2
#define MOD 3

/* Root runs an event loop on CPU 0 from 1010 on; its epoll set is 5. */
static struct fx *loop(void)
{
	struct fx *f = fx_new(1);

	fx_start(f, 1000);
	fx_switch(f, 1010, 0, 1, fx_none());
	return f;
}

static void ready(struct fx *f, uint64_t ts, uint64_t data)
{
	fx_epoll_wait(f, ts - 5, ts, 1, 5, &data, 1);
}

static void build(struct fx *f, struct model *m)
{
	fx_end(f, 3000, TRACE_END_FOR);
	CHECK_EQ(fx_build(f, m), 0);
	CHECK_EQ(m->audit.failures_total, 0);
}

TEST(model_ops_last_until_the_last_readiness)
{
	struct fx *f = loop();
	struct model m;

	fx_epoll_ctl(f, 1100, 1, 5, ADD, 8, 0x800000001, 0);
	fx_epoll_ctl(f, 1110, 1, 5, ADD, 9, 0x900000001, 0);
	ready(f, 1200, 0x800000001);
	ready(f, 1300, 0x900000001);
	ready(f, 1400, 0x800000001);
	fx_epoll_ctl(f, 1500, 1, 5, DEL, 8, 0, 0);
	build(f, &m);
	CHECK_EQ(m.op_cnt, 2);
	CHECK_EQ(m.ops[0].id, 1);
	CHECK_EQ(m.ops[0].fd, 8);
	CHECK_EQ(m.ops[0].start_ns, 1100);
	CHECK_EQ(m.ops[0].end_ns, 1400);
	CHECK_EQ(m.ops[0].ready_cnt, 2);
	CHECK_EQ(m.ops[0].fd_type, FX_S_IFSOCK);
	CHECK(!m.ops[0].open_at_end);
	CHECK_EQ(m.ops[1].id, 2);
	CHECK_EQ(m.ops[1].fd, 9);
	CHECK_EQ(m.ops[1].end_ns, 1300);
	CHECK(m.ops[1].open_at_end);
	CHECK_EQ(m.loop_wait_cnt, 3);
	CHECK_EQ(m.loop_waits[0].enter_ns, 1195);
	CHECK_EQ(m.loop_waits[0].return_ns, 1200);
	model_release(&m);
	fx_free(f);
}

TEST(model_ops_never_ready_and_listening_are_none)
{
	struct fx *f = loop();
	struct model m;

	fx_epoll_ctl(f, 1100, 1, 5, ADD, 8, 8, 0);
	fx_epoll_ctl(f, 1110, 1, 5, ADD, 3, 3, LAB_F_LISTENING);
	ready(f, 1200, 3);
	build(f, &m);
	CHECK_EQ(m.op_cnt, 0);
	CHECK_EQ(m.ready_unknown, 0);
	model_release(&m);
	fx_free(f);
}

TEST(model_ops_fd_reused_without_del)
{
	struct fx *f = loop();
	struct model m;

	fx_epoll_ctl(f, 1100, 1, 5, ADD, 8, 8, 0);
	ready(f, 1200, 8);
	fx_epoll_ctl(f, 1300, 1, 5, ADD, 8, 8, 0);
	ready(f, 1400, 8);
	build(f, &m);
	CHECK_EQ(m.op_cnt, 2);
	CHECK_EQ(m.ops[0].end_ns, 1200);
	CHECK_EQ(m.ops[1].start_ns, 1300);
	CHECK_EQ(m.ops[1].end_ns, 1400);
	model_release(&m);
	fx_free(f);
}

TEST(model_ops_mod_changes_the_data)
{
	struct fx *f = loop();
	struct model m;

	fx_epoll_ctl(f, 1100, 1, 5, ADD, 8, 100, 0);
	fx_epoll_ctl(f, 1150, 1, 5, MOD, 8, 200, 0);
	ready(f, 1200, 200);
	ready(f, 1300, 100);	/* nobody's any more */
	build(f, &m);
	CHECK_EQ(m.op_cnt, 1);
	CHECK_EQ(m.ops[0].start_ns, 1100);
	CHECK_EQ(m.ops[0].end_ns, 1200);
	CHECK_EQ(m.ready_unknown, 1);
	model_release(&m);
	fx_free(f);
}

TEST(model_ops_same_data_twice_is_ambiguous)
{
	struct fx *f = loop();
	struct model m;

	fx_epoll_ctl(f, 1100, 1, 5, ADD, 8, 0, 0);
	fx_epoll_ctl(f, 1110, 1, 5, ADD, 9, 0, 0);
	fx_epoll_ctl(f, 1120, 1, 6, ADD, 9, 0, 0);	/* another set: its own data */
	ready(f, 1200, 0);
	fx_epoll_ctl(f, 1210, 1, 5, DEL, 9, 0, 0);
	ready(f, 1300, 0);				/* now it can only be 8 */
	build(f, &m);
	CHECK_EQ(m.ready_ambiguous, 1);
	CHECK_EQ(m.op_cnt, 1);
	CHECK_EQ(m.ops[0].fd, 8);
	CHECK_EQ(m.ops[0].end_ns, 1300);
	CHECK_EQ(m.ops[0].ready_cnt, 1);
	model_release(&m);
	fx_free(f);
}

TEST(model_ops_unread_events_are_counted)
{
	struct fx *f = loop();
	struct model m;

	fx_epoll_ctl(f, 1100, 1, 5, ADD, 8, 8, 0);
	ready(f, 1200, 8);
	fx_last(f)->head.flags = LAB_F_UNREAD;
	fx_last(f)->epoll_ready.cnt = 40;
	build(f, &m);
	CHECK_EQ(m.op_cnt, 0);
	CHECK_EQ(m.ready_unknown, 40);
	model_release(&m);
	fx_free(f);
}

/* Many at once: more than one record of them. */
TEST(model_ops_in_flight)
{
	struct fx *f = loop();
	uint64_t data[40];
	struct model m;

	for (int i = 0; i < 40; i++) {
		data[i] = (uint64_t)i + 10;
		fx_epoll_ctl(f, 1100 + (uint64_t)i, 1, 5, ADD, i + 10, data[i], 0);
	}
	fx_epoll_wait(f, 0, 1500, 1, 5, data, 40);
	build(f, &m);
	CHECK_EQ(m.op_cnt, 40);
	CHECK_EQ(m.ops[39].id, 40);
	CHECK_EQ(m.ops[39].end_ns, 1500);
	CHECK_EQ(m.loop_wait_cnt, 1);
	CHECK_EQ(m.loop_waits[0].enter_ns, 1500);	/* its call was not seen */
	CHECK_EQ(m.loop_waits[0].ready, 40);
	model_release(&m);
	fx_free(f);
}

/* A forked child's set is its own. */
TEST(model_ops_are_of_a_process)
{
	struct fx *f = fx_new(2);
	uint64_t data = 8;
	struct model m;

	fx_start(f, 1000);
	fx_switch(f, 1010, 0, 1, fx_none());
	fx_fork(f, 1020, 1, 2, FX_PROCESS, 1);
	fx_fork(f, 1021, 1, 3, FX_THREAD, 1);
	fx_switch(f, 1030, 1, 2, fx_none());
	fx_epoll_ctl(f, 1100, 1, 5, ADD, 8, 8, 0);
	fx_epoll_wait(f, 1190, 1200, 2, 5, &data, 1);
	fx_switch(f, 1210, 1, 3, fx_preempted());
	fx_epoll_wait(f, 1290, 1300, 3, 5, &data, 1);
	build(f, &m);
	CHECK_EQ(m.ready_unknown, 1);
	CHECK_EQ(m.op_cnt, 1);
	CHECK_EQ(m.ops[0].task_id, 3);	/* whose loop it is, not who put it there */
	CHECK_EQ(m.ops[0].end_ns, 1300);
	model_release(&m);
	fx_free(f);
}

/* Another program does not have the sets of the one before. */
TEST(model_ops_end_with_an_exec)
{
	struct fx *f = loop();
	struct model m;

	fx_epoll_ctl(f, 1100, 1, 5, ADD, 8, 7, 0);
	ready(f, 1200, 7);
	fx_exec(f, 1300, 1, "other");
	fx_epoll_ctl(f, 1400, 1, 5, ADD, 9, 7, 0);
	ready(f, 1500, 7);
	build(f, &m);
	CHECK_EQ(m.ready_ambiguous, 0);
	CHECK_EQ(m.op_cnt, 2);
	CHECK_EQ(m.ops[0].end_ns, 1200);
	CHECK(!m.ops[0].open_at_end);
	CHECK_EQ(m.ops[1].fd, 9);
	CHECK_EQ(m.ops[1].end_ns, 1500);
	CHECK(m.ops[1].open_at_end);
	model_release(&m);
	fx_free(f);
}

/* Process numbers come back: the new process does not have the sets of the one that is gone. */
TEST(model_ops_are_not_inherited_with_a_number)
{
	struct fx *f = fx_new(2);
	uint64_t data = 7;
	struct model m;

	fx_start(f, 1000);
	fx_switch(f, 1010, 0, 1, fx_none());
	fx_fork(f, 1020, 1, 2, FX_PROCESS, 1);
	fx_switch(f, 1030, 1, 2, fx_none());
	fx_epoll_ctl(f, 1100, 2, 5, ADD, 8, 7, 0);
	fx_epoll_wait(f, 1150, 1200, 2, 5, &data, 1);
	fx_exit(f, 1300, 2, FX_IDLE);
	fx_fork_only(f, 1400, 1, 3, FX_PROCESS);
	fx_last(f)->task.tid = fx_last(f)->task.tgid = 1002;
	fx_wakeup_new(f, 1400, 0, 3, 1);
	fx_switch(f, 1450, 1, 3, fx_none());
	fx_epoll_ctl(f, 1500, 3, 5, ADD, 9, 7, 0);
	fx_epoll_wait(f, 1550, 1600, 3, 5, &data, 1);
	build(f, &m);
	CHECK_EQ(m.ready_ambiguous, 0);
	CHECK_EQ(m.op_cnt, 2);
	CHECK(!m.ops[0].open_at_end);
	CHECK_EQ(m.ops[1].task_id, 3);
	CHECK(m.ops[1].open_at_end);
	model_release(&m);
	fx_free(f);
}

/* What a process had open when it ended is not open at the end of the run. */
TEST(model_ops_end_with_their_process)
{
	struct fx *f = fx_new(2);
	uint64_t data = 8;
	struct model m;

	fx_start(f, 1000);
	fx_switch(f, 1010, 0, 1, fx_none());
	fx_fork(f, 1020, 1, 2, FX_PROCESS, 1);
	fx_switch(f, 1030, 1, 2, fx_none());
	fx_epoll_ctl(f, 1100, 2, 5, ADD, 8, 8, 0);
	fx_epoll_wait(f, 1150, 1200, 2, 5, &data, 1);
	fx_exit(f, 1300, 2, FX_IDLE);
	build(f, &m);
	CHECK_EQ(m.op_cnt, 1);
	CHECK_EQ(m.ops[0].end_ns, 1200);
	CHECK(!m.ops[0].open_at_end);
	model_release(&m);
	fx_free(f);
}

/* A timer that is set again may stand for anything, unless epoll was told. */
TEST(model_ops_one_timer_for_all)
{
	for (int told = 0; told < 2; told++) {
		struct fx *f = fx_new(1);
		struct model m;

		fx_start(f, 1000);
		fx_switch(f, 1010, 0, 1, fx_none());
		fx_epoll_ctl(f, 1020, 1, 5, ADD, 8, 8, 0);
		fx_last(f)->epoll_ctl.fd_type = LAB_FD_TIMERFD;
		for (uint64_t at = 1100; at < 1300; at += 100) {
			fx_switch(f, at, 0, FX_IDLE, fx_call(FX_NR_EPOLL_WAIT, 5));
			fx_wake_on(f, at + 10, 0, 1, LAB_F_HARDIRQ);
			fx_switch(f, at + 20, 0, 1, fx_none());
			fx_epoll_wait(f, at - 10, at + 30, 1, 5, (const uint64_t[]){ 8 }, 1);
			if (told)
				fx_epoll_ctl(f, at + 40, 1, 5, MOD, 8, 8, 0);
		}
		fx_end(f, 1400, TRACE_END_FOR);
		REQUIRE(fx_build(f, &m) == 0);
		CHECK_EQ(m.op_cnt, 1);
		CHECK(fx_span(&m, 1, 2)->flags & SPAN_OBSERVED);
		CHECK_EQ(!!(fx_span(&m, 1, 5)->flags & SPAN_OBSERVED), told);
		model_release(&m);
		fx_free(f);
	}
}

/* Of a loop's own descriptors none is an operation, and only what others told is observed. */
TEST(model_ops_wake_ups_are_none)
{
	static const struct {
		uint8_t type;
		size_t ops;
		bool observed;
	} rows[] = {
		{ 0, 1, true }, { FX_S_IFSOCK, 1, true }, { LAB_FD_ANONYMOUS, 1, true },
		{ LAB_FD_TIMERFD, 1, true }, { LAB_FD_TICK, 0, true }, { LAB_FD_EPOLL, 0, true },
		{ LAB_FD_EVENTFD, 0, false }, { LAB_FD_SIGNALFD, 0, false },
		{ LAB_FD_OWN_END, 0, false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fx *f = fx_new(1);
		struct model m;

		fx_start(f, 1000);
		fx_switch(f, 1010, 0, 1, fx_none());
		fx_epoll_ctl(f, 1100, 1, 5, ADD, 8, 8, 0);
		fx_last(f)->epoll_ctl.fd_type = rows[i].type;
		fx_switch(f, 1150, 0, FX_IDLE, fx_call(FX_NR_EPOLL_WAIT, 5));
		fx_wake_on(f, 1200, 0, 1, LAB_F_HARDIRQ);
		fx_switch(f, 1210, 0, 1, fx_none());
		fx_epoll_wait(f, 1140, 1220, 1, 5, (const uint64_t[]){ 8 }, 1);
		fx_switch(f, 1250, 0, FX_IDLE, fx_call(FX_NR_EPOLL_WAIT, 5));
		fx_wake_on(f, 1300, 0, 1, LAB_F_HARDIRQ);
		fx_switch(f, 1310, 0, 1, fx_none());
		fx_epoll_wait(f, 1240, 1320, 1, 5, NULL, 0);	/* its time limit */
		/* and one that did not block */
		fx_epoll_wait(f, 1325, 1330, 1, 5, (const uint64_t[]){ 8 }, 1);
		fx_end(f, 1400, TRACE_END_FOR);
		REQUIRE(fx_build(f, &m) == 0);
		CHECK_EQ(m.op_cnt, rows[i].ops);
		CHECK_EQ(!!(fx_span(&m, 1, 2)->flags & SPAN_OBSERVED), rows[i].observed);
		CHECK(!(fx_span(&m, 1, 5)->flags & SPAN_OBSERVED));
		model_release(&m);
		fx_free(f);
	}
}

static void own_end(struct fx *f, uint64_t ts_ns, int epfd, int fd)
{
	fx_epoll_ctl(f, ts_ns, 1, epfd, ADD, fd, (uint64_t)fd, 0);
	fx_last(f)->epoll_ctl.fd_type = LAB_FD_OWN_END;
}

/* One pipe to itself wakes the loop; from when two are open at a time on, they carry messages. */
TEST(model_ops_two_own_pipes_are_operations)
{
	for (int early = 0; early < 2; early++) {
		struct fx *f = fx_new(1);
		struct model m;

		fx_start(f, 1000);
		fx_switch(f, 1010, 0, 1, fx_none());
		own_end(f, 1100, 5, 8);
		own_end(f, 1110, 6, 10);
		if (early)
			own_end(f, 1120, 5, 9);
		fx_switch(f, 1150, 0, FX_IDLE, fx_call(FX_NR_EPOLL_WAIT, 5));
		fx_wake_on(f, 1200, 0, 1, LAB_F_HARDIRQ);
		fx_switch(f, 1210, 0, 1, fx_none());
		fx_epoll_wait(f, 1140, 1220, 1, 5, (const uint64_t[]){ 8 }, 1);
		fx_epoll_wait(f, 1225, 1230, 1, 6, (const uint64_t[]){ 10 }, 1);
		if (!early)
			own_end(f, 1330, 5, 9);
		fx_epoll_wait(f, 1340, 1350, 1, 5, (const uint64_t[]){ 9 }, 1);
		fx_end(f, 1400, TRACE_END_FOR);
		REQUIRE(fx_build(f, &m) == 0);
		CHECK_EQ(m.op_cnt, 2);
		CHECK_EQ(m.ops[0].fd, 8);
		CHECK_EQ(m.ops[1].fd, 9);
		CHECK_EQ(!!(fx_span(&m, 1, 2)->flags & SPAN_OBSERVED), early);
		model_release(&m);
		fx_free(f);
	}
}
