/* SPDX-License-Identifier: GPL-2.0-only */
#include "model_fixture.h"
#include "unit.h"

#define EXIT_GROUP 231
#define NAP_NS 4000000
#define LOOK_NS 10	/* between two naps */

/*
 * @cnt naps of @id on @cpu, from @at on; in between it looks at the clock. Return: when the last
 * one has ended.
 */
static uint64_t naps(struct fx *f, uint64_t at, unsigned int cpu, uint32_t id, int cnt)
{
	for (int i = 0; i < cnt; i++, at += NAP_NS + LOOK_NS) {
		fx_switch(f, at, cpu, FX_IDLE, fx_call(FX_NR_NANOSLEEP, 0));
		fx_wake_on(f, at + NAP_NS, cpu, id, LAB_F_HARDIRQ);
		fx_switch(f, at + NAP_NS, cpu, id, fx_none());
	}
	return at - LOOK_NS;
}

static size_t ticking(const struct model *m, size_t task)
{
	size_t cnt = 0;

	for (size_t i = 0; i < m->tasks[task].span_cnt; i++)
		cnt += m->tasks[task].spans[i].ticks;
	return cnt;
}

/*
 * Root computes. Its thread naps until the process ends (@cnt naps, and one that does not end), or
 * until it ends by itself.
 */
static size_t monitor(int cnt, bool until_process_ends, bool two)
{
	struct fx *f = fx_new(3);
	struct model m;
	uint64_t at;
	size_t ticks;

	fx_start(f, 1000);
	fx_switch(f, 1010, 0, 1, fx_none());
	fx_fork(f, 1100, 1, 2, FX_THREAD, 1);
	fx_switch(f, 1120, 1, 2, fx_none());
	if (two) {
		fx_fork(f, 1125, 1, 3, FX_THREAD, 2);
		fx_switch(f, 1128, 2, 3, fx_none());
		naps(f, 1130, 2, 3, 2);
	}
	at = naps(f, 1130, 1, 2, cnt) + LOOK_NS;
	if (until_process_ends) {
		fx_switch(f, at, 1, FX_IDLE, fx_call(FX_NR_NANOSLEEP, 0));
		fx_wake(f, at + 500, 1, 2);
		fx_last(f)->waking.waker_syscall = EXIT_GROUP;
		fx_switch(f, at + 510, 1, 2, fx_none());
	}
	if (two) {
		fx_switch(f, at, 2, FX_IDLE, fx_call(FX_NR_NANOSLEEP, 0));
		fx_wake(f, at + 520, 1, 3);
		fx_last(f)->waking.waker_syscall = EXIT_GROUP;
		fx_switch(f, at + 530, 2, 3, fx_none());
		fx_exit(f, at + 600, 3, FX_IDLE);
	}
	fx_exit(f, at + 600, 2, FX_IDLE);
	fx_exit(f, at + 700, 1, FX_IDLE);
	fx_end(f, at + 800, TRACE_END_EXIT);
	REQUIRE(fx_build(f, &m) == 0);
	ticks = ticking(&m, 1);
	model_release(&m);
	fx_free(f);
	return ticks;
}

TEST(model_naps_until_the_process_ends_tick)
{
	CHECK_EQ(monitor(3, true, false), 3);
	CHECK_EQ(monitor(1, true, false), 0);
	/* Who stops by itself may have slept for its work. */
	CHECK_EQ(monitor(3, false, false), 0);
	/* Two are what the process is made of. */
	CHECK_EQ(monitor(3, true, true), 0);
}

/*
 * Root naps three times; its child ends in nap number @ended, from 0. With 3 it ends in the third
 * nap, but its last switch comes later.
 */
static size_t parent(int ended)
{
	struct fx *f = fx_new(2);
	struct model m;
	uint64_t at;
	size_t ticks;

	fx_start(f, 1000);
	fx_switch(f, 1010, 0, 1, fx_none());
	fx_fork(f, 1100, 1, 2, FX_PROCESS, 1);
	fx_switch(f, 1120, 1, 2, fx_none());
	at = naps(f, 1130, 0, 1, ended < 3 ? 3 : 2);
	if (ended == 3) {
		fx_switch(f, at + LOOK_NS, 0, FX_IDLE, fx_call(FX_NR_NANOSLEEP, 0));
		at += LOOK_NS + NAP_NS;
		fx_wake_on(f, at, 0, 1, LAB_F_HARDIRQ);
		at += 1000;
		fx_switch(f, at, 0, 1, fx_none());
		fx_exit(f, at + 900, 2, FX_IDLE);
	} else {
		fx_exit(f, 1130 + (uint64_t)ended * (NAP_NS + LOOK_NS) + 700, 2, FX_IDLE);
	}
	fx_exit(f, at + 1700, 1, FX_IDLE);
	fx_end(f, at + 1800, TRACE_END_EXIT);
	REQUIRE(fx_build(f, &m) == 0);
	ticks = ticking(&m, 0);
	model_release(&m);
	fx_free(f);
	return ticks;
}

TEST(model_naps_until_a_child_ends_tick)
{
	CHECK_EQ(parent(2), 3);
	CHECK_EQ(parent(3), 3);
	/* It went on: it was not for the child. */
	CHECK_EQ(parent(1), 0);
}

/* Another wait is between the first two naps and the last two. */
TEST(model_naps_follow_each_other)
{
	struct fx *f = fx_new(2);
	struct model m;
	uint64_t at;

	fx_start(f, 1000);
	fx_switch(f, 1010, 0, 1, fx_none());
	fx_fork(f, 1100, 1, 2, FX_PROCESS, 1);
	fx_switch(f, 1120, 1, 2, fx_none());
	at = naps(f, 1130, 0, 1, 2) + LOOK_NS;
	fx_switch(f, at, 0, FX_IDLE, fx_disk());
	fx_wake_on(f, at + 100, 0, 1, LAB_F_HARDIRQ);
	fx_switch(f, at + 100, 0, 1, fx_none());
	at = naps(f, at + 200, 0, 1, 2);
	fx_exit(f, at - 300, 2, FX_IDLE);
	fx_exit(f, at + 700, 1, FX_IDLE);
	fx_end(f, at + 800, TRACE_END_EXIT);
	REQUIRE(fx_build(f, &m) == 0);
	CHECK_EQ(ticking(&m, 0), 2);
	model_release(&m);
	fx_free(f);
}
