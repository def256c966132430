/* SPDX-License-Identifier: GPL-2.0-only */
/* Why a task sleeps: states, system calls, files, futexes. */

#include "model/futex.h"
#include "model/reasons.h"
#include "model_fixture.h"
#include "unit.h"
#include "util/minmax.h"

#define S LAB_STATE_INTERRUPTIBLE
#define D LAB_STATE_UNINTERRUPTIBLE
#define K LAB_STATE_WAKEKILL
#define F LAB_STATE_FREEZABLE

struct row {
	uint32_t state;
	uint8_t flags;
	int32_t syscall;
	uint64_t arg0;
	uint8_t fd_type;
	enum reason reason;
};

static const struct row rows[] = {
	{ S, 0, 0, 3, 1, REASON_PIPE },
	{ S | F, 0, 0, 3, 1, REASON_PIPE },
	{ S, 0, 1, 3, 12, REASON_SOCKET },
	{ S, 0, 0, 3, 2, REASON_OTHER },		/* a terminal */
	{ S, 0, 0, 3, 0, REASON_OTHER },		/* not known of what */
	{ S, 0, 0, 3, LAB_FD_EVENTFD, REASON_EVENTFD },
	{ S, 0, 1, 3, LAB_FD_EVENTFD, REASON_EVENTFD },
	{ S, 0, 0, 3, LAB_FD_SIGNALFD, REASON_SIGNAL },
	{ S, 0, 0, 3, LAB_FD_TIMERFD, REASON_OTHER },
	{ S, 0, 275, 3, 1, REASON_PIPE },
	{ S, 0, 45, 3, 0, REASON_SOCKET },
	{ S, 0, 43, 3, 0, REASON_SOCKET },
	{ S, 0, 42, 3, 0, REASON_SOCKET },
	{ S, 0, 7, 3, 0, REASON_POLL },
	{ S, 0, 270, 3, 0, REASON_POLL },
	{ S, 0, 232, 3, 0, REASON_EPOLL },
	{ S, 0, 441, 3, 0, REASON_EPOLL },
	{ S, 0, 230, 0, 0, REASON_SLEEP },
	{ S, 0, 34, 0, 0, REASON_SIGNAL },
	{ S, 0, 128, 0, 0, REASON_SIGNAL },
	{ S, 0, 61, 0, 0, REASON_CHILD },
	{ S, 0, 247, 0, 0, REASON_CHILD },
	{ S, 0, 426, 0, 0, REASON_URING },
	{ S, LAB_F_WORKER, LAB_SYSCALL_NONE, 0, 0, REASON_URING },
	{ D, LAB_F_WORKER | LAB_F_IOWAIT, LAB_SYSCALL_NONE, 0, 0, REASON_DISK },
	{ S, 0, LAB_SYSCALL_NONE, 0, 0, REASON_PAGEFAULT }, /* another task serves it */
	{ S, LAB_F_EXITING, LAB_SYSCALL_NONE, 0, 0, REASON_OTHER },
	{ S, 0, 73, 3, 0, REASON_FILELOCK },
	{ S, 0, 72, 3, 8, REASON_FILELOCK },		/* fcntl: F_SETLKW */
	{ S, 0, 65, 0, 0, REASON_SEMAPHORE },
	{ S, 0, 220, 0, 0, REASON_SEMAPHORE },
	{ S, 0, 70, 0, 0, REASON_QUEUE },
	{ S, 0, 69, 0, 0, REASON_QUEUE },
	{ S, 0, 243, 3, 0, REASON_QUEUE },
	{ S, LAB_F_COMPAT, 143, 0, 0, REASON_FILELOCK },
	{ S, LAB_F_COMPAT, 221, 0, 0, REASON_FILELOCK },
	{ S, LAB_F_COMPAT, 420, 0, 0, REASON_SEMAPHORE },
	{ S, LAB_F_COMPAT, 401, 0, 0, REASON_QUEUE },
	{ S, LAB_F_COMPAT, 72, 0, 0, REASON_SIGNAL },	/* sigsuspend of i386 */
	{ D | K, 0, 9, 0, 0, REASON_KERNEL },		/* mmap: the lock of the address space */
	{ S, 0, 9999, 0, 0, REASON_OTHER },
	{ S, 0, -5, 0, 0, REASON_OTHER },
	{ D, LAB_F_IOWAIT, 0, 3, 8, REASON_DISK },
	{ D, LAB_F_IOWAIT, 74, 3, 0, REASON_DISK },
	{ D, 0, 74, 3, 0, REASON_DISK },		/* a journal's commit */
	{ D | K, 0, 74, 3, 0, REASON_KERNEL },
	{ D | K, LAB_F_IOWAIT, 0, 3, 8, REASON_DISK },
	{ D | K, LAB_F_IOWAIT, LAB_SYSCALL_NONE, 0, 0, REASON_PAGEFAULT },
	{ D, LAB_F_IOWAIT, LAB_SYSCALL_NONE, 0, 0, REASON_PAGEFAULT },
	{ D | K, 0, 0, 3, 1, REASON_KERNEL },		/* after sys_exit: the number is stale */
	{ D | K, 0, 202, 3, 0, REASON_KERNEL },
	{ D, 0, LAB_SYSCALL_NONE, 0, 0, REASON_KERNEL },
	{ D | K | F, 0, 56, 0, 0, REASON_CHILD },
	{ D | K | F, 0, 435, 0, 0, REASON_CHILD },
	{ D | K | F, 0, 58, 0, 0, REASON_CHILD },
	{ D | K, 0, 58, 0, 0, REASON_CHILD },		/* before 6.1 */
	{ D | K, 0, 56, 0x4111, 0, REASON_CHILD },	/* CLONE_VFORK */
	{ D | K, 0, 56, 0x11, 0, REASON_KERNEL },	/* the memory-map lock */
	{ LAB_STATE_STOPPED | K, 0, 0, 3, 1, REASON_STOPPED },
	{ LAB_STATE_TRACED | K, 0, 0, 3, 1, REASON_STOPPED },
	{ LAB_STATE_FROZEN, 0, 0, 3, 1, REASON_STOPPED },
	{ LAB_STATE_FROZEN, 0, LAB_SYSCALL_NONE, 0, 0, REASON_STOPPED },
	{ S | F, 0, LAB_SYSCALL_NONE, 0, 0, REASON_STOPPED },	/* cgroup.freeze */
	{ S | F, LAB_F_EXITING, LAB_SYSCALL_NONE, 0, 0, REASON_OTHER },
	{ S | F, LAB_F_WORKER, LAB_SYSCALL_NONE, 0, 0, REASON_URING },
	{ S, LAB_F_COMPAT, 162, 0, 0, REASON_SLEEP },	/* of i386; sync(2) of x86_64 */
	{ S, LAB_F_COMPAT, 7, 0, 0, REASON_CHILD },	/* waitpid; poll of x86_64 */
	{ S, LAB_F_COMPAT, 0, 0, 1, REASON_OTHER },
	{ S, LAB_F_COMPAT, 364, 0, 0, REASON_SOCKET },
	{ 0x40, 0, 0, 0, 0, REASON_OTHER },		/* parked */
};

TEST(model_reasons_table)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct sleep sleep = {
			.state = rows[i].state,
			.flags = rows[i].flags,
			.syscall = rows[i].syscall,
			.args = { rows[i].arg0, 1 },	/* one descriptor, for poll */
			.fd_type = rows[i].fd_type,
		};
		struct model_span span = { 0 };

		reason_classify(&sleep, &span);
		if (span.reason != rows[i].reason)
			unit_failed(__FILE__, __LINE__, "row %zu: %s", i, reason_name(span.reason));
		CHECK_EQ(!!(span.flags & SPAN_ACCEPT),
			 rows[i].syscall == 43 || rows[i].syscall == 364);
		CHECK_EQ(span.flags & SPAN_FUTEX, 0);
	}
}

TEST(model_reason_names)
{
	CHECK_STR(reason_name(REASON_LOCK), "lock");
	CHECK_STR(reason_name(REASON_PAGEFAULT), "pagefault");
	CHECK_STR(reason_name(REASON_CNT), "other");
	for (unsigned int i = 0; i < REASON_CNT; i++)
		CHECK(reason_name(i) && reason_name(i)[0]);
}

static struct model_span classify_futex(int32_t nr, uint64_t a, uint64_t b, uint64_t c)
{
	struct sleep sleep = { .state = S, .syscall = nr, .args = { a, b, c } };
	struct model_span span = { 0 };

	reason_classify(&sleep, &span);
	return span;
}

TEST(model_futex_arguments)
{
	struct model_span s = classify_futex(202, 0x10, 9 | 128 | 256, 7);

	CHECK_EQ(s.flags, SPAN_FUTEX);
	CHECK_EQ(s.futex_op, 9);
	CHECK_EQ(s.futex_private, 1);
	CHECK_EQ(s.addr, 0x10);
	s = classify_futex(202, 0x10, 0, 2);
	CHECK_EQ(s.futex_private, 0);
	s = classify_futex(202, 0x10, 1, 7);	/* FUTEX_WAKE does not wait */
	CHECK_EQ(s.flags, 0);
	CHECK_EQ(s.reason, REASON_OTHER);
	s = classify_futex(449, 0x30, 130, 2);	/* waitv: address, flags, value of the first */
	CHECK_EQ(s.flags, SPAN_FUTEX);
	CHECK_EQ(s.futex_op, FUTEX_OP_WAITV);
	CHECK_EQ(s.futex_private, 1);
	CHECK_EQ(s.addr, 0x30);
	s = classify_futex(455, 0x30, 0, 9);	/* futex_wait: the probe gives the same order */
	CHECK_EQ(s.futex_op, FUTEX_OP_WAIT);
	CHECK_EQ(s.futex_private, 0);
}

TEST(model_futex_of_a_32_bit_program)
{
	struct sleep sleep = { .state = S, .flags = LAB_F_COMPAT, .syscall = 240,
			       .args = { 1, 1, 2 } };
	struct model_span span = { 0 };

	reason_classify(&sleep, &span);
	CHECK_EQ(span.reason, REASON_COND);
	CHECK_EQ(span.flags, SPAN_COMPAT);
	CHECK_EQ(span.addr, 0);
}

TEST(model_futex_judged_alone)
{
	struct model_span s = { .state = SPAN_BLOCKED, .flags = SPAN_FUTEX };

	CHECK_EQ(futex_judge_alone(&s, false), REASON_NONE);
	CHECK_EQ(futex_judge_alone(&s, true), REASON_JOIN);	/* not over yet */
	s.flags |= SPAN_WOKEN_BY_IRQ;
	CHECK_EQ(futex_judge_alone(&s, true), REASON_JOIN);	/* timed out */
	s.flags = SPAN_FUTEX;
	s.waker_tid = 77;
	CHECK_EQ(futex_judge_alone(&s, true), REASON_NONE);	/* a living task ended it */
	s.flags |= SPAN_WAKER_EXITING;
	CHECK_EQ(futex_judge_alone(&s, false), REASON_JOIN);
	s.futex_owned = 1;
	CHECK_EQ(futex_judge_alone(&s, false), REASON_LOCK);	/* a robust mutex, its owner died */
	s = (struct model_span){ .flags = SPAN_FUTEX, .futex_op = FUTEX_OP_LOCK_PI };
	CHECK_EQ(futex_judge_alone(&s, false), REASON_LOCK);
	s.futex_op = FUTEX_OP_LOCK_PI2;
	CHECK_EQ(futex_judge_alone(&s, false), REASON_LOCK);
	s.futex_op = FUTEX_OP_WAIT_REQUEUE_PI;
	CHECK_EQ(futex_judge_alone(&s, false), REASON_COND);
}

/* ---- rule 5: by what happened at the address ---- */

#define IRQ SPAN_WOKEN_BY_IRQ
#define MAX_WAITS 16

struct wait_row {
	uint32_t task, waker;
	uint64_t start, end;
	uint64_t addr;		/* 0: 8 */
	uint16_t flags;
	bool owned, many;
};

#define PERHAPS_SLEEP REASON_CNT	/* idle, and doubtful */

static enum reason judge_in(const struct wait_row *waits, size_t cnt, size_t which, uint32_t mm_odd)
{
	struct model_span spans[MAX_WAITS] = { 0 };
	struct futex_wait all[MAX_WAITS];

	REQUIRE(cnt <= MAX_WAITS);
	for (size_t i = 0; i < cnt; i++) {
		spans[i] = (struct model_span){
			.state = SPAN_BLOCKED, .flags = SPAN_FUTEX | waits[i].flags,
			.addr = waits[i].addr ? waits[i].addr : 8,
			.mm_id = waits[i].task % 2 ? mm_odd : 1,
			.start_ns = waits[i].start, .end_ns = waits[i].end,
			.futex_owned = waits[i].owned, .futex_many = waits[i].many,
			.reason = waits[i].owned ? REASON_LOCK : REASON_NONE,
			.waker_id = waits[i].waker, .waker_tid = waits[i].waker,
		};
		all[i] = (struct futex_wait){ &spans[i], waits[i].task };
	}
	futex_judge_together(all, cnt);
	CHECK(!spans[which].perhaps || spans[which].reason == REASON_COND);
	return spans[which].perhaps ? PERHAPS_SLEEP : (enum reason)spans[which].reason;
}

#define JUDGE(waits, which) judge_in(waits, ARRAY_SIZE(waits), which, 1)

static void all_are(const struct wait_row *waits, size_t cnt, enum reason reason)
{
	for (size_t i = 0; i < cnt; i++)
		if (!waits[i].owned)
			CHECK_EQ(judge_in(waits, cnt, i, 1), reason);
}

/* One wait that names its owner tells what the others are that came in its gaps. */
TEST(model_futex_mutex)
{
	struct wait_row waits[] = {
		{ .task = 1, .waker = 9, .start = 10, .end = 20, .owned = true },
		{ .task = 1, .waker = 9, .start = 30, .end = 40 },
	};

	CHECK_EQ(JUDGE(waits, 1), REASON_LOCK);
	waits[0].owned = false;		/* one waiter, and nobody knows who has it */
	CHECK_EQ(JUDGE(waits, 1), REASON_COND);
}

/* Consumers wait, the producer never does. */
TEST(model_futex_condition)
{
	const struct wait_row waits[] = {
		{ .task = 1, .waker = 9, .start = 10, .end = 20 },
		{ .task = 1, .waker = 9, .start = 30, .end = 40 },
		{ .task = 2, .waker = 9, .start = 10, .end = 25 },
		{ .task = 2, .waker = 9, .start = 35, .end = 45 },
	};

	all_are(waits, ARRAY_SIZE(waits), REASON_COND);
}

/* CPython: a thread that drops the lock wakes a waiter, and soon waits, for 5 ms at a time. */
TEST(model_futex_interpreter_lock)
{
	const struct wait_row waits[] = {
		{ .task = 1, .flags = IRQ, .start = 0, .end = 5 },
		{ .task = 1, .waker = 2, .start = 6, .end = 10 },
		{ .task = 1, .waker = 2, .start = 16, .end = 20 },
		{ .task = 2, .waker = 1, .start = 11, .end = 15 },
		{ .task = 2, .waker = 1, .start = 21, .end = 25 },
	};

	all_are(waits, ARRAY_SIZE(waits), REASON_LOCK);

	/* Two that use one condition both ways (a job, its result) wait after each word. */
	all_are(waits + 1, ARRAY_SIZE(waits) - 1, REASON_COND);
}

/* A mutex that does not say who has it: who let it go has it again before the other is there. */
TEST(model_futex_handed_over_twice)
{
	struct wait_row waits[] = {
		{ .task = 1, .waker = 2, .start = 10, .end = 20 },
		{ .task = 1, .waker = 2, .start = 25, .end = 30 },
		{ .task = 2, .waker = 1, .start = 35, .end = 40 },
		{ .task = 2, .waker = 1, .start = 50, .end = 60 },
	};

	all_are(waits, ARRAY_SIZE(waits), REASON_LOCK);

	/* Once each is no habit. */
	all_are(waits + 1, 2, REASON_COND);

	/* A barrier lets all go at once. */
	waits[3].many = true;
	all_are(waits, ARRAY_SIZE(waits), REASON_COND);
}

/* Most wakes come from one who never waits there. */
TEST(model_futex_half_of_the_wakes)
{
	struct wait_row waits[] = {
		{ .task = 1, .waker = 2, .start = 10, .end = 20 },
		{ .task = 1, .waker = 2, .start = 25, .end = 30 },
		{ .task = 2, .waker = 1, .start = 35, .end = 40 },
		{ .task = 2, .waker = 1, .start = 50, .end = 60 },
		{ .task = 3, .waker = 9, .start = 0, .end = 1 },
		{ .task = 3, .waker = 9, .start = 2, .end = 3 },
		{ .task = 3, .waker = 9, .start = 4, .end = 5 },
		{ .task = 3, .waker = 9, .start = 6, .end = 7 },
		{ .task = 3, .waker = 9, .start = 8, .end = 9 },
	};

	all_are(waits, ARRAY_SIZE(waits), REASON_COND);
	all_are(waits, ARRAY_SIZE(waits) - 1, REASON_LOCK);
}

/* Two threads under CPython's lock can keep to one word of its condition variable each. */
TEST(model_futex_twin_words)
{
	struct wait_row waits[] = {
		{ .task = 1, .waker = 2, .start = 10, .end = 20, .addr = 8 },
		{ .task = 1, .waker = 2, .start = 25, .end = 30, .addr = 8 },
		{ .task = 2, .waker = 1, .start = 35, .end = 40, .addr = 12 },
		{ .task = 2, .waker = 1, .start = 50, .end = 60, .addr = 12 },
		{ .task = 3, .waker = 9, .start = 1, .end = 2, .addr = 4 },
		{ .task = 3, .waker = 9, .start = 3, .end = 4, .addr = 16 },
	};

	for (size_t i = 0; i < 4; i++)
		CHECK_EQ(JUDGE(waits, i), REASON_LOCK);
	for (size_t i = 4; i < 6; i++)
		CHECK_EQ(JUDGE(waits, i), REASON_COND);

	/* A mutex beside a condition: the signaller waited for the mutex, not the condition. */
	waits[0].owned = true;
	CHECK_EQ(JUDGE(waits, 1), REASON_LOCK);
	CHECK_EQ(JUDGE(waits, 2), REASON_COND);
	waits[0].owned = false;
	CHECK_EQ(judge_in(waits, ARRAY_SIZE(waits), 0, 2), REASON_COND);
	CHECK_EQ(judge_in(waits, ARRAY_SIZE(waits), 2, 2), REASON_COND);
}

/* Waits that only timers end are waits for nothing that is handed on. */
TEST(model_futex_timeouts_only)
{
	struct wait_row waits[] = {
		{ .task = 1, .flags = IRQ, .start = 1, .end = 5 },
		{ .task = 1, .flags = IRQ, .start = 6, .end = 9 },
		{ .task = 2, .flags = IRQ, .start = 2, .end = 6 },
		{ .task = 2, .start = 7, .end = 9 },
	};

	/*
	 * A task that had all its time out has slept; a task that did not, or not yet, looks for
	 * work now and then.
	 */
	CHECK_EQ(JUDGE(waits, 0), REASON_SLEEP);
	CHECK_EQ(JUDGE(waits, 1), REASON_SLEEP);
	CHECK_EQ(JUDGE(waits, 2), REASON_COND);
	CHECK_EQ(JUDGE(waits, 3), REASON_COND);
	waits[1].addr = waits[3].addr = 12;	/* the other word of the pair */
	CHECK_EQ(JUDGE(waits, 0), REASON_SLEEP);
	CHECK_EQ(JUDGE(waits, 2), REASON_COND);
	waits[3].flags = SPAN_NO_LIMIT;		/* no time that it could have out */
	CHECK_EQ(JUDGE(waits, 2), REASON_SLEEP);
	waits[2].flags |= SPAN_NO_LIMIT;	/* a timer's signal */
	CHECK_EQ(JUDGE(waits, 2), REASON_COND);
}

/* A worker that waits for jobs for so long at most, and one that is woken once before it sleeps. */
TEST(model_futex_timeouts_cut_short)
{
	struct wait_row waits[] = {
		{ .task = 1, .waker = 9, .start = 1, .end = 3 },
		{ .task = 1, .waker = 9, .start = 4, .end = 6 },
		{ .task = 1, .flags = IRQ, .start = 7, .end = 9 },
		{ .task = 2, .flags = IRQ, .start = 7, .end = 9 },
	};

	CHECK_EQ(JUDGE(waits, 2), REASON_COND);
	CHECK_EQ(JUDGE(waits, 3), REASON_SLEEP);
	waits[0].flags = SPAN_NO_LIMIT;
	CHECK_EQ(JUDGE(waits, 0), REASON_COND);
	CHECK_EQ(JUDGE(waits, 1), REASON_COND);
	CHECK_EQ(JUDGE(waits, 2), REASON_SLEEP);
}

/* Ruby: the word of the sleep is also that of the interpreter lock; the last wait may be for it. */
TEST(model_futex_wait_after_the_sleeps)
{
	struct wait_row waits[] = {
		{ .task = 1, .flags = IRQ, .start = 1000, .end = 2100 },
		{ .task = 1, .flags = IRQ, .start = 3000, .end = 4000 },
		{ .task = 1, .waker = 9, .start = 5000, .end = 5009 },
		{ .task = 1, .waker = 9, .start = 5020, .end = 5029 },
		{ .task = 1, .waker = 9, .start = 5040, .end = 5049 },
	};

	CHECK_EQ(JUDGE(waits, 0), REASON_SLEEP);
	CHECK_EQ(JUDGE(waits, 1), REASON_SLEEP);
	CHECK_EQ(JUDGE(waits, 4), REASON_COND);
	waits[4].end = 5050;			/* 1 % of the shortest: an event may come so soon */
	CHECK_EQ(JUDGE(waits, 1), REASON_COND);
	waits[4].end = 5049;
	waits[1].end = 3999;
	CHECK_EQ(JUDGE(waits, 1), REASON_COND);
	waits[1].end = 4000;
	waits[1].flags = 0;			/* it has not slept its time out: nobody ended it */
	waits[1].start = 5100;
	waits[1].end = 6000;
	CHECK_EQ(JUDGE(waits, 0), REASON_COND);
	waits[1].flags = SPAN_WOKEN_UNSEEN;	/* no probe saw what ended it */
	CHECK_EQ(JUDGE(waits, 0), REASON_SLEEP);
}

/* Java: the thread that looks at the clock every 50 ms is told to stop when it has just looked. */
TEST(model_futex_told_to_stop_at_once)
{
	struct wait_row waits[] = {
		{ .task = 1, .flags = IRQ, .start = 1000, .end = 3000 },
		{ .task = 1, .flags = IRQ, .start = 3010, .end = 5109 },
		{ .task = 1, .waker = 9, .start = 5120, .end = 5139 },
		{ .task = 1, .flags = SPAN_WOKEN_UNSEEN, .start = 6000, .end = 9000 },
		{ .task = 2, .flags = IRQ, .start = 1000, .end = 9000 },
	};

	CHECK_EQ(JUDGE(waits, 0), PERHAPS_SLEEP);
	CHECK_EQ(JUDGE(waits, 1), PERHAPS_SLEEP);
	CHECK_EQ(JUDGE(waits, 2), REASON_COND);
	CHECK_EQ(JUDGE(waits, 4), REASON_SLEEP);
	waits[1].end = 5110;		/* a twentieth longer than the shortest: no period */
	CHECK_EQ(JUDGE(waits, 1), REASON_SLEEP);
	waits[1].end = 5109;
	waits[3].flags = IRQ;		/* it slept again: the short wait was for something else */
	waits[3].end = 8000;
	CHECK_EQ(JUDGE(waits, 1), REASON_SLEEP);
	waits[3].flags = 0;
	waits[3].waker = 9;
	waits[3].end = 6010;		/* two short ones */
	CHECK_EQ(JUDGE(waits, 1), REASON_SLEEP);
	waits[3].flags = SPAN_WOKEN_UNSEEN;
	waits[0].flags = 0;		/* a task ended another one */
	waits[0].waker = 9;
	CHECK_EQ(JUDGE(waits, 1), REASON_SLEEP);
}

/* A wait's value counts only if it names another living task, of the same process if private. */
static enum reason named_by(uint64_t op, uint64_t val, uint32_t owner_tid, bool owner_died)
{
	struct fx *f = fx_new(3);
	enum reason reason;
	struct model m;

	fx_start(f, 1000);
	fx_switch(f, 1010, 0, 1, fx_none());
	fx_fork(f, 1020, 1, 2, FX_THREAD, 1);
	fx_switch(f, 1030, 1, 2, fx_none());
	fx_fork(f, 1040, 1, 3, 0, 2);
	fx_switch(f, 1050, 2, 3, fx_none());
	if (owner_died) {
		fx_exit_begin(f, 1060, 3, 0);
		fx_switch(f, 1070, 2, FX_IDLE, fx_dead());
	}
	fx_switch(f, 1100, 1, FX_IDLE, fx_futex(0x50, op, val));
	fx_last(f)->switch_out.futex_owner = owner_tid;
	fx_end(f, 2000, TRACE_END_FOR);
	CHECK_EQ(fx_build(f, &m), 0);
	reason = (enum reason)fx_span(&m, 2, 2)->reason;
	CHECK_EQ(m.tasks[1].spans[2].futex_owned, reason == REASON_LOCK);
	model_release(&m);
	fx_free(f);
	return reason;
}

TEST(model_futex_who_has_it)
{
	const uint64_t shared = FX_FUTEX_WAIT_SHARED, own = FX_FUTEX_WAIT,
		       waiters = FUTEX_VAL_WAITERS;

	CHECK_EQ(named_by(own, waiters | 1001, 0, false), REASON_LOCK);
	CHECK_EQ(named_by(own, waiters | 0x40000000 | 1001, 0, false), REASON_LOCK);
	CHECK_EQ(named_by(own, waiters | 1002, 0, false), REASON_COND);		/* itself */
	CHECK_EQ(named_by(own, waiters | 1077, 0, false), REASON_COND);		/* nobody */
	CHECK_EQ(named_by(own, 0xffffffff, 0, false), REASON_COND);	/* Rust's park(), Erlang */
	CHECK_EQ(named_by(own, waiters, 0, false), REASON_COND);		/* std::future */
	CHECK_EQ(named_by(shared, waiters | 1003, 0, false), REASON_LOCK);	/* other process */
	CHECK_EQ(named_by(own, waiters | 1003, 0, false), REASON_COND);
	CHECK_EQ(named_by(shared, waiters | 1003, 0, true), REASON_COND);
	CHECK_EQ(named_by(own, 2, 1001, false), REASON_LOCK);			/* glibc's mutex */
	CHECK_EQ(named_by(own, 2, 0, false), REASON_COND);
	CHECK_EQ(named_by(own, 2, 1077, false), REASON_COND);
}

/* The whole way: two threads, a join that an exit ends, a mutex. */
TEST(model_futex_join_and_lock_in_a_run)
{
	struct fx *f = fx_new(2);
	struct model m;

	fx_start(f, 1000);
	fx_switch(f, 1010, 0, 1, fx_none());
	fx_fork(f, 1020, 1, 2, FX_THREAD, 1);
	fx_switch(f, 1030, 1, 2, fx_none());
	fx_switch(f, 1040, 1, FX_IDLE, fx_futex(0x50, FX_FUTEX_WAIT, 2));
	fx_last(f)->switch_out.futex_owner = 1001;
	fx_wake(f, 1050, 1, 2);
	fx_switch(f, 1060, 1, 2, fx_none());
	fx_switch(f, 1100, 0, FX_IDLE, fx_futex(0x90, FX_FUTEX_WAIT_SHARED, 1002));
	fx_exit_begin(f, 1200, 2, 0);
	fx_wake(f, 1210, 2, 1);
	fx_last(f)->head.flags = LAB_F_WAKER_EXITING;
	fx_switch(f, 1220, 1, FX_IDLE, fx_dead());
	fx_switch(f, 1230, 0, 1, fx_none());
	fx_switch(f, 1240, 0, FX_IDLE, fx_futex(0x98, FX_FUTEX_WAIT_SHARED, 1002));
	fx_end(f, 2000, TRACE_END_FOR);
	CHECK_EQ(fx_build(f, &m), 0);
	CHECK_EQ(m.audit.failures_total, 0);
	CHECK_EQ(fx_span(&m, 2, 2)->reason, REASON_LOCK);
	CHECK_EQ(fx_span(&m, 2, 2)->mm_id, model_task(&m, 1)->mm_id);
	CHECK_EQ(fx_span(&m, 1, 2)->reason, REASON_JOIN);
	CHECK_EQ(fx_span(&m, 1, 2)->flags, SPAN_FUTEX | SPAN_WAKER_EXITING | SPAN_WAKER_KIN);
	CHECK_EQ(fx_span(&m, 1, 2)->mm_id, 0);
	/* Unfinished, but the value is a thread's tid. */
	CHECK_EQ(fx_span(&m, 1, 5)->reason, REASON_JOIN);
	model_release(&m);
	fx_free(f);
}
