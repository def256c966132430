/* SPDX-License-Identifier: GPL-2.0-only */
/* Which reason idle CPUs get: where the chains of waits end. Each answer is worked out by hand. */
#include "analyze_fixture.h"
#include "unit.h"
#include "util/alloc.h"
#include "util/minmax.h"

#define OF_MS(n) ((n) * AFX_MS)

/* Task @task's span @nth is ended by task @by. All are counted from 0. */
static void woken(struct afx *f, size_t task, size_t nth, size_t by)
{
	afx_span(f, task, nth)->waker_id = (uint32_t)by + 1;
}

static const struct report_capacity *compute(struct afx *f)
{
	const struct report_capacity *c = &f->r.capacity;
	uint64_t sum = c->no_thread_ns + c->work_ns + c->unplaced_ns + c->interference_ns +
		       c->other_ns + c->unknown_ns, other;

	afx_compute(f);
	sum = c->no_thread_ns + c->work_ns + c->unplaced_ns + c->interference_ns + c->other_ns +
	      c->unknown_ns;
	other = c->other.affinity_ns + c->other.throttled_ns + c->other.undivided_ns +
		c->other.no_thread_ns;
	for (int k = 0; k < REASON_CNT; k++) {
		sum += c->blocked_ns[k];
		other += c->other.blocked_ns[k];
	}
	CHECK_EQ(sum, c->total_ns);
	CHECK_EQ(other, c->other_ns);
	return c;
}

/* Two threads take turns under a lock, and the first waits for both: all of it is the lock's. */
TEST(analyze_blame_convoy_is_the_locks)
{
	const struct report_capacity *c;
	struct afx f;

	afx_init(&f, 2, AFX_MS, 10);
	afx_task(&f, 0, "0JJJJJJJ.0");
	afx_task(&f, 1, "0LL00LL0");
	afx_task(&f, 1, "L00LL00L");
	woken(&f, 0, 1, 1);
	woken(&f, 1, 1, 2);
	woken(&f, 1, 3, 2);
	woken(&f, 2, 0, 1);
	woken(&f, 2, 2, 1);
	/* The last wait of the third outlives its window. */
	afx_span(&f, 2, 4)->flags |= SPAN_CUT_END;
	c = compute(&f);
	CHECK_EQ(c->blocked_ns[REASON_LOCK], OF_MS(7));
	CHECK_EQ(c->blocked_ns[REASON_JOIN], 0);
	CHECK_EQ(c->largest, LOSS_SERIALIZED);
	CHECK_EQ(c->largest_reason, REASON_LOCK);
	afx_release(&f);
}

/* Likewise of files and of System V; a semaphore may be no lock, and keeps no helper from work. */
TEST(analyze_blame_convoy_of_other_locks)
{
	static const struct {
		const char *life;
		enum reason reason;
		uint64_t ns;
	} rows[] = {
		{ "1LLLLLLLLLLLLLLLLLLL", REASON_LOCK, OF_MS(19) },
		{ "1XXXXXXXXXXXXXXXXXXX", REASON_FILELOCK, OF_MS(19) },
		{ "1MMMMMMMMMMMMMMMMMMM", REASON_SEMAPHORE, OF_MS(19) },
		{ "1KKKKKKKKKKKKKKKKKKK", REASON_KERNEL, OF_MS(19) },
		{ "1QQQQQQQQQQQQQQQQQQQ", REASON_QUEUE, 0 },
		{ "XXXXXXXXXXXXXXXXXXXX", REASON_FILELOCK, OF_MS(20) },
		{ "MMMMMMMMMMMMMMMMMMMM", REASON_SEMAPHORE, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct report_capacity *c;
		struct afx f;
		size_t nth = rows[i].life[0] == '1';

		afx_init(&f, 2, AFX_MS, 20);
		afx_task(&f, 0, "00000000000000000000");
		afx_task(&f, 0, rows[i].life);
		woken(&f, 1, nth, 0);
		c = compute(&f);
		CHECK_EQ(c->blocked_ns[rows[i].reason], rows[i].ns);
		CHECK_EQ(c->no_thread_ns, OF_MS(20) - nth * AFX_MS - rows[i].ns);
		afx_release(&f);
	}
}

/* Where several kinds keep tasks waiting, the program's own come first, and the kernel's last. */
TEST(analyze_blame_of_several_kinds_of_locks)
{
	static const char *const lives[] = { "1KKKKKKK", "2MMMMMMM", "3XXXXXXX", "4LLLLLLL" };
	static const enum reason reasons[] = {
		REASON_KERNEL, REASON_SEMAPHORE, REASON_FILELOCK, REASON_LOCK,
	};

	for (size_t cnt = 1; cnt <= ARRAY_SIZE(lives); cnt++) {
		const struct report_capacity *c;
		struct afx f;

		afx_init(&f, 5, AFX_MS, 8);
		afx_task(&f, 0, "00000000");
		for (size_t i = 0; i < cnt; i++) {
			afx_task(&f, 0, lives[i]);
			woken(&f, i + 1, 1, 0);
		}
		c = compute(&f);
		CHECK_EQ(c->blocked_ns[reasons[cnt - 1]], OF_MS(7 * cnt));
		afx_release(&f);
	}
}

/* The holder sleeps: so does everyone behind it. With four CPUs, each of them explains one. */
TEST(analyze_blame_of_a_holder_that_sleeps_is_the_sleep)
{
	const struct report_capacity *c;
	struct afx f;

	afx_init(&f, 4, AFX_MS, 4);
	afx_task(&f, 0, "0SS0");
	afx_task(&f, 0, "1LL1");
	afx_task(&f, 0, "2LL2");
	woken(&f, 1, 1, 0);
	woken(&f, 2, 1, 1);
	afx_span(&f, 0, 1)->flags |= SPAN_WOKEN_BY_IRQ;
	c = compute(&f);
	CHECK_EQ(c->blocked_ns[REASON_SLEEP], OF_MS(2 * 3));
	CHECK_EQ(c->blocked_ns[REASON_LOCK], 0);
	CHECK_EQ(c->no_thread_ns, OF_MS(2 * 1 + 2 * 1));
	afx_release(&f);
}

/* A parent that waits for a child that sleeps does not share with the sleep. */
TEST(analyze_blame_callers_give_no_reason_of_their_own)
{
	const struct report_capacity *c;
	struct afx f;

	afx_init(&f, 2, AFX_MS, 8);
	afx_task(&f, 0, "0WWWWWW0");
	afx_task(&f, 1, "0SSS00");
	woken(&f, 0, 1, 1);
	c = compute(&f);
	CHECK_EQ(c->blocked_ns[REASON_CHILD], 0);
	CHECK_EQ(c->blocked_ns[REASON_SLEEP], OF_MS(3));
	CHECK_EQ(c->no_thread_ns, OF_MS(1 + 1 + 3 + 2 + 1));
	afx_release(&f);
}

/* Threads parked until the end while one computes: there was too little to do. */
TEST(analyze_blame_parked_threads_give_no_reason)
{
	const struct report_capacity *c;
	struct afx f;

	afx_init(&f, 2, AFX_MS, 8);
	afx_task(&f, 0, "00000000");
	for (size_t t = 1; t < 4; t++) {
		afx_task(&f, 0, t == 3 ? "LLLLLLLL" : "CCCCCCCC");
		afx_span(&f, t, 0)->flags |= SPAN_CUT_END;
	}
	c = compute(&f);
	CHECK_EQ(c->no_thread_ns, OF_MS(8));
	CHECK_EQ(c->largest, LOSS_NO_THREAD);
	afx_release(&f);

	/* Ended by the exit of their process: parked behind the one that ended it. */
	afx_init(&f, 2, AFX_MS, 8);
	afx_task(&f, 0, "000SSS00");
	afx_task(&f, 0, "CCCCCC.1");
	woken(&f, 1, 0, 0);
	afx_span(&f, 1, 0)->flags |= SPAN_WOKEN_BY_SIGNAL;
	c = compute(&f);
	CHECK_EQ(c->blocked_ns[REASON_COND], 0);
	CHECK_EQ(c->blocked_ns[REASON_SLEEP], OF_MS(2 * 3));
	afx_release(&f);
}

/* All wait for a wake-up that never came: that is the reason, not that of the waiting parent. */
TEST(analyze_blame_of_a_hang_is_what_never_came)
{
	const struct report_capacity *c;
	struct afx f;

	afx_init(&f, 2, AFX_MS, 6);
	afx_task(&f, 0, "0WWWWW");
	afx_task(&f, 0, "1CCCCC");
	afx_span(&f, 0, 1)->flags |= SPAN_CUT_END;
	afx_span(&f, 1, 1)->flags |= SPAN_CUT_END;
	c = compute(&f);
	CHECK_EQ(c->blocked_ns[REASON_COND], OF_MS(5));
	CHECK_EQ(c->blocked_ns[REASON_CHILD], 0);
	CHECK_EQ(c->no_thread_ns, OF_MS(5));
	afx_release(&f);

	/* Nothing but the parent: at least it says for what it waits. */
	afx_init(&f, 1, AFX_MS, 6);
	afx_task(&f, 0, "0WWWWW");
	afx_span(&f, 0, 1)->flags |= SPAN_CUT_END;
	c = compute(&f);
	CHECK_EQ(c->blocked_ns[REASON_CHILD], OF_MS(5));
	afx_release(&f);
}

/* A standing wait for a lock: the owner that the kernel was told of when the wait began. */
static void stands(struct afx *f, size_t task, size_t nth, uint32_t owner_tid)
{
	struct model_span *s = afx_span(f, task, nth);

	s->flags |= SPAN_CUT_END | SPAN_FUTEX;
	s->mm_id = 1;
	f->m.tasks[task].wait_start_ns = s->start_ns;
	f->m.tasks[task].wait_owner_tid = f->m.tasks[task].wait_val = owner_tid;
}

TEST(analyze_blame_of_a_circle_is_a_lock)
{
	const struct report_capacity *c;
	struct afx f;

	afx_init(&f, 4, AFX_MS, 6);
	afx_task(&f, 0, "0JJJJJ");
	afx_task(&f, 0, "1LLLLL");
	afx_task(&f, 0, "22LLLL");
	afx_task(&f, 0, "333LLL");
	stands(&f, 0, 1, 102);
	stands(&f, 1, 1, 103);
	stands(&f, 2, 1, 102);
	stands(&f, 3, 1, 102);
	c = compute(&f);
	/* One behind the runner, two in the circle, one more behind it: the join never counts. */
	CHECK_EQ(c->blocked_ns[REASON_LOCK], OF_MS(1 * 1 + 1 * 2 + 3 * 3));
	CHECK_EQ(c->blocked_ns[REASON_JOIN], 0);
	CHECK_EQ(c->no_thread_ns, OF_MS(24 - 7 - 12));
	afx_release(&f);
}

/* Ends share a CPU, tasks do not: three behind one sleep count as much as one disk. */
TEST(analyze_blame_is_shared_among_ends)
{
	const struct report_capacity *c;
	struct afx f;

	afx_init(&f, 1, AFX_MS, 9);
	afx_task(&f, 0, "0SSSSSS0");
	afx_task(&f, 0, ".IIIIII.");
	afx_task(&f, 0, ".IIIIII.");
	afx_task(&f, 0, ".DDDDDD.0");
	woken(&f, 1, 1, 0);
	woken(&f, 2, 1, 1);
	c = compute(&f);
	CHECK_EQ(c->blocked_ns[REASON_SLEEP], OF_MS(3));
	CHECK_EQ(c->blocked_ns[REASON_DISK], OF_MS(3));
	CHECK_EQ(c->blocked_ns[REASON_PIPE], 0);
	afx_release(&f);
}

/* Before the waker was born, its parent answers for it. */
TEST(analyze_blame_of_a_waker_not_yet_born_is_its_parents)
{
	const struct report_capacity *c;
	struct afx f;

	afx_init(&f, 2, AFX_MS, 8);
	afx_task(&f, 0, "0SSSS000");
	afx_task(&f, 0, "1CCCCCC1");
	afx_task(&f, 6, "1.");
	woken(&f, 1, 1, 2);
	c = compute(&f);
	CHECK_EQ(c->blocked_ns[REASON_COND], 0);
	CHECK_EQ(c->blocked_ns[REASON_SLEEP], OF_MS(2 * 4));
	CHECK_EQ(c->no_thread_ns, OF_MS(1));
	afx_release(&f);
}

/* A monitor's wait in time pieces ends by a timer: it is for no task, and its own reason. */
TEST(analyze_blame_of_a_timed_wait_is_its_own)
{
	const struct report_capacity *c;
	struct afx f;

	afx_init(&f, 1, AFX_MS, 8);
	afx_task(&f, 0, "00CCCC00");
	woken(&f, 0, 1, 0);
	afx_span(&f, 0, 1)->flags |= SPAN_WOKEN_BY_IRQ;
	c = compute(&f);
	CHECK_EQ(c->blocked_ns[REASON_COND], OF_MS(4));
	afx_release(&f);
}

/* A hang beside another program that has every CPU: not the other program's fault. */
TEST(analyze_blame_of_cpus_that_nobody_wanted)
{
	const struct report_capacity *c;
	struct model_cpu_seg *s;
	struct afx f;

	afx_init(&f, 1, AFX_MS, 8);
	afx_task(&f, 0, "00CCCCCC");
	afx_span(&f, 0, 1)->flags |= SPAN_CUT_END;
	f.m.cpus[0].seg_cnt = 2;
	s = vec_push(f.m.cpu_segs, f.m.cpu_seg_cnt, f.m.cpu_seg_cap);
	*s = (struct model_cpu_seg){
		AFX_START_NS, AFX_START_NS + OF_MS(2), .task_id = 1, .class = LAB_CPU_OURS,
	};
	s = vec_push(f.m.cpu_segs, f.m.cpu_seg_cnt, f.m.cpu_seg_cap);
	*s = (struct model_cpu_seg){
		AFX_START_NS + OF_MS(2), AFX_START_NS + OF_MS(8), .class = LAB_CPU_FOREIGN,
	};
	c = compute(&f);
	CHECK_EQ(c->other_ns, OF_MS(6));
	CHECK_EQ(c->blocked_ns[REASON_COND], 0);
	CHECK_EQ(c->other.blocked_ns[REASON_COND], OF_MS(6));
	CHECK_EQ(c->largest, LOSS_BLOCKED);
	CHECK_EQ(c->largest_reason, REASON_COND);
	CHECK_EQ(c->largest_ns, OF_MS(6));
	afx_release(&f);
}

/* Time is not what a parent that polls waits for: beside its child there was nothing to do. */
TEST(analyze_blame_of_polling_is_none_while_others_run)
{
	const struct report_capacity *c;
	struct afx f;

	afx_init(&f, 2, AFX_MS, 52);
	afx_task(&f, 0, "0SSSSSSSSSSSSSSSSSSSSSSSSS0SSSSSSSSSSSSSSSSSSSSSSSS0");
	afx_task(&f, 1, "1111111111");
	for (size_t nth = 1; nth < 4; nth += 2)
		afx_span(&f, 0, nth)->flags |= SPAN_WOKEN_BY_IRQ;
	c = compute(&f);
	/* While nothing runs, the sleep is the reason all the same. */
	CHECK_EQ(c->blocked_ns[REASON_SLEEP], OF_MS(25 + 24 - 10));
	CHECK_EQ(c->no_thread_ns, OF_MS(104 - 13 - 39));
	afx_release(&f);
}

/* Nor is what a shell that polls has its children sleep for. */
TEST(analyze_blame_of_a_shell_that_polls_is_none_while_others_run)
{
	const struct report_capacity *c;
	struct afx f;

	afx_init(&f, 3, AFX_MS, 70);
	afx_task(&f, 0, "0WWWWWWWWWWWWWWWWWWWWWW0WWWWWWWWWWWWWWWWWWWWWW0WWWWWWWWWWWWWWWWWWWWWW0");
	afx_task(&f, 1, "22222222222222222222222222222222222222222222222222");
	for (unsigned int i = 0; i < 3; i++) {
		size_t sleeper = afx_task(&f, 1 + 23 * i, "1SSSSSSSSSSSSSSSSSSSS1");

		afx_span(&f, sleeper, 1)->flags |= SPAN_WOKEN_BY_IRQ;
		afx_span(&f, 0, 1 + 2 * i)->waker_id = (uint32_t)sleeper + 1;
	}
	c = compute(&f);
	/* From unit 51 to 68 nothing runs: the sleep is the reason then, of one CPU. */
	CHECK_EQ(c->blocked_ns[REASON_SLEEP], OF_MS(17));
	CHECK_EQ(c->blocked_ns[REASON_CHILD], 0);
	afx_release(&f);
}
