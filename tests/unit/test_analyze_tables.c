/* SPDX-License-Identifier: GPL-2.0-only */
#include <string.h>

#include "analyze_fixture.h"
#include "unit.h"
#include "util/alloc.h"

#define MS AFX_MS

static void add_seg(struct afx *f, uint16_t cpu, unsigned int from, unsigned int until,
		    uint8_t class, uint32_t who, uint32_t comm_idx)
{
	struct model *m = &f->m;
	struct model_cpu_seg *seg;

	if (!m->cpus[cpu].seg_cnt)
		m->cpus[cpu].seg_first = m->cpu_seg_cnt;
	m->cpus[cpu].seg_cnt++;
	seg = vec_push(m->cpu_segs, m->cpu_seg_cnt, m->cpu_seg_cap);
	seg->start_ns = AFX_START_NS + from * f->unit_ns;
	seg->end_ns = AFX_START_NS + until * f->unit_ns;
	seg->class = class;
	seg->comm_idx = comm_idx;
	*(class == LAB_CPU_OURS ? &seg->task_id : &seg->tid) = who;
}

static void add_comm(struct afx *f, const char *comm)
{
	memcpy(vec_push(f->m.comms, f->m.comm_cnt, f->m.comm_cap), comm, strlen(comm));
}

TEST(analyze_tasks_sums_and_cpus)
{
	struct report_task *t;
	struct afx f;

	afx_init(&f, 4, MS, 20);
	afx_task(&f, 1, "..3LL0.....0SS3..LII");
	afx_task(&f, 1, "");
	afx_task(&f, 1, "SS3");
	afx_compute(&f);
	t = &f.r.tasks[0];
	CHECK_EQ(t->run_ns, 4 * MS);
	CHECK_EQ(t->ready_ns, 9 * MS);
	CHECK_EQ(t->max_ready_ns, 5 * MS);
	CHECK_EQ(t->blocked_ns[REASON_LOCK], 3 * MS);
	CHECK_EQ(t->blocked_ns[REASON_SLEEP], 2 * MS);
	CHECK_EQ(t->blocked_ns[REASON_PIPE], 2 * MS);
	REQUIRE(t->cpu_cnt == 2);
	CHECK_EQ(t->cpus[0], 0);
	CHECK_EQ(t->cpus[1], 3);
	CHECK_EQ(f.r.tasks[1].cpu_cnt, 0);
	CHECK_EQ(f.r.tasks[2].cpu_cnt, 1);
	CHECK_EQ(f.r.task_cnt, 3);
	afx_release(&f);
}

TEST(analyze_cpus_sum_to_the_window)
{
	struct afx f;

	afx_init(&f, 2, MS, 10);
	afx_task(&f, 0, "000SS0");
	add_seg(&f, 0, 0, 3, LAB_CPU_OURS, 1, 0);
	add_seg(&f, 0, 3, 4, LAB_CPU_FOREIGN, 900, 0);
	add_seg(&f, 0, 4, 5, LAB_CPU_UNKNOWN, 0, 0);
	add_seg(&f, 0, 5, 6, LAB_CPU_OURS, 1, 0);
	add_seg(&f, 0, 6, 10, LAB_CPU_IDLE, 0, 0);
	add_seg(&f, 1, 0, 10, LAB_CPU_IDLE, 0, 0);
	afx_compute(&f);
	CHECK_EQ(f.r.cpus[0].class_ns[LAB_CPU_OURS], 4 * MS);
	CHECK_EQ(f.r.cpus[0].class_ns[LAB_CPU_FOREIGN], MS);
	CHECK_EQ(f.r.cpus[0].class_ns[LAB_CPU_UNKNOWN], MS);
	CHECK_EQ(f.r.cpus[0].class_ns[LAB_CPU_IDLE], 4 * MS);
	CHECK_EQ(f.r.cpus[1].class_ns[LAB_CPU_IDLE], 10 * MS);
	afx_release(&f);
}

/* 100 waits of 1 .. 100 ns: the nearest rank of p is p. */
TEST(analyze_wakeups_percentiles)
{
	struct report_waits *w;
	char life[400];
	struct afx f;

	for (int i = 0; i < 200; i++)
		life[i] = i % 2 ? '0' : '.';
	life[200] = '\0';
	afx_init(&f, 1, 1000, 200);
	afx_task(&f, 0, life);
	for (unsigned int i = 0; i < 100; i++) {
		uint64_t ns = i * 37 % 100 + 1;

		afx_span(&f, 0, 2 * i)->end_ns = afx_span(&f, 0, 2 * i)->start_ns + ns;
		afx_span(&f, 0, 2 * i + 1)->start_ns = afx_span(&f, 0, 2 * i)->end_ns;
	}
	afx_compute(&f);
	w = &f.r.waits;
	CHECK_EQ(w->cnt, 100);
	CHECK_EQ(w->p50_ns, 50);
	CHECK_EQ(w->p90_ns, 90);
	CHECK_EQ(w->p99_ns, 99);
	CHECK_EQ(w->max_ns, 100);
	CHECK_EQ(w->total_ns, 5050);
	CHECK_EQ(w->max_task_id, 1);
	CHECK_EQ(w->histogram[0], 1);	/* 1 */
	CHECK_EQ(w->histogram[1], 2);	/* 2, 3 */
	CHECK_EQ(w->histogram[5], 32);	/* 32 .. 63 */
	CHECK_EQ(w->histogram[6], 37);	/* 64 .. 100 */
	CHECK_EQ(w->unknown_ns, 5050);	/* where they were queued is not known */
	afx_release(&f);
}

TEST(analyze_wakeups_one_wait)
{
	struct afx f;

	afx_init(&f, 1, MS, 3);
	afx_task(&f, 0, ".0");
	afx_compute(&f);
	CHECK_EQ(f.r.waits.p50_ns, MS);
	CHECK_EQ(f.r.waits.p99_ns, MS);
	CHECK_EQ(f.r.waits.histogram[19], 1);
	afx_any_span(&f, 0)->state = SPAN_BLOCKED;
	afx_compute(&f);
	CHECK_EQ(f.r.waits.cnt, 0);
	CHECK_EQ(f.r.waits.p50_ns, 0);
	afx_release(&f);
}

/* Two wait for CPU 0 while a sibling, two foreign tasks and nobody have it. */
TEST(analyze_wakeups_antagonists)
{
	struct report_waits *w;
	struct afx f;

	afx_init(&f, 2, MS, 20);
	add_comm(&f, "");
	add_comm(&f, "cc1");
	add_comm(&f, "cron");
	afx_task(&f, 0, "SSSS......0SS");	/* waits 6 for CPU 0, until 10 */
	afx_task(&f, 0, "SS............0");	/* waits 12 for CPU 0, until 14 */
	afx_task(&f, 0, "000000SS");
	afx_task(&f, 0, "SS...1");		/* waits 3, for which CPU is not known */
	afx_span(&f, 0, 1)->cpu = afx_span(&f, 1, 1)->cpu = 0;
	add_seg(&f, 0, 0, 6, LAB_CPU_OURS, 3, 0);
	add_seg(&f, 0, 6, 8, LAB_CPU_FOREIGN, 900, 1);
	add_seg(&f, 0, 8, 9, LAB_CPU_FOREIGN, 0, 0);
	add_seg(&f, 0, 9, 10, LAB_CPU_IDLE, 0, 0);
	add_seg(&f, 0, 10, 11, LAB_CPU_OURS, 1, 0);
	add_seg(&f, 0, 11, 12, LAB_CPU_FOREIGN, 900, 1);
	add_seg(&f, 0, 12, 14, LAB_CPU_FOREIGN, 901, 2);
	add_seg(&f, 0, 14, 15, LAB_CPU_OURS, 2, 0);
	add_seg(&f, 0, 15, 20, LAB_CPU_IDLE, 0, 0);
	afx_compute(&f);
	w = &f.r.waits;
	CHECK_EQ(w->total_ns, 21 * MS);
	REQUIRE(w->antagonist_cnt == 4);
	CHECK_EQ(w->antagonists[0].task_id, 3);
	CHECK_STR(w->antagonists[0].comm, "task3");
	CHECK_EQ(w->antagonists[0].ns, 6 * MS);	/* 2 of the first, 4 of the second */
	CHECK_EQ(w->antagonists[1].tid, 900);
	CHECK_STR(w->antagonists[1].comm, "cc1");
	CHECK_EQ(w->antagonists[1].ns, 5 * MS);	/* 2 + 2 + 1 */
	CHECK_EQ(w->antagonists[2].tid, 901);
	CHECK_EQ(w->antagonists[2].ns, 2 * MS);
	CHECK_EQ(w->antagonists[3].task_id, 1);
	CHECK_EQ(w->antagonists[3].ns, MS);
	CHECK_EQ(w->idle_ns, 2 * MS);
	CHECK_EQ(w->unknown_ns, 5 * MS);
	CHECK_EQ(w->other_antagonists_ns, 0);
	CHECK_EQ(w->max_task_id, 2);
	CHECK_EQ(w->max_ns, 12 * MS);
	CHECK_EQ(w->max_start_ns, AFX_START_NS + 2 * MS);
	CHECK_EQ(w->max_antagonist.task_id, 3);
	CHECK_EQ(w->max_antagonist.ns, 4 * MS);
	afx_release(&f);
}

TEST(analyze_wakeups_many_antagonists)
{
	uint64_t listed_ns = 0;
	struct report_waits *w;
	struct afx f;

	afx_init(&f, 1, MS, 80);
	afx_task(&f, 0, ".");
	afx_span(&f, 0, 0)->cpu = 0;
	afx_span(&f, 0, 0)->end_ns = f.m.end_ns;
	for (unsigned int i = 0, at = 0; i < 12; i++, at += i)
		add_seg(&f, 0, at, at + i + 1, LAB_CPU_FOREIGN, 900 + i, 0);
	add_seg(&f, 0, 78, 80, LAB_CPU_UNKNOWN, 0, 0);
	afx_compute(&f);
	w = &f.r.waits;
	CHECK_EQ(w->antagonist_cnt, ANTAGONIST_MAX);
	CHECK_EQ(w->antagonists[0].tid, 911);
	CHECK_EQ(w->antagonists[0].ns, 12 * MS);
	CHECK_EQ(w->other_antagonists_ns, 10 * MS);
	CHECK_EQ(w->unknown_ns, 2 * MS);
	for (uint32_t i = 0; i < w->antagonist_cnt; i++)
		listed_ns += w->antagonists[i].ns;
	CHECK_EQ(listed_ns + w->other_antagonists_ns + w->idle_ns + w->unknown_ns, w->total_ns);
	CHECK_EQ(w->max_antagonist.tid, 911);
	afx_release(&f);
}

/* A blocked span in a futex of memory @mm_id (0: shared). */
static void make_futex(struct afx *f, size_t task, size_t nth, uint32_t mm_id, uint64_t addr,
		       uint32_t waker_id, uint16_t flags)
{
	struct model_span *s = afx_span(f, task, nth);

	s->flags |= SPAN_FUTEX | flags;
	s->mm_id = mm_id;
	s->futex_private = mm_id != 0;
	s->addr = addr;
	s->waker_id = waker_id;
	s->futex_op = mm_id ? 9 : 0;
}

TEST(analyze_locks_rows)
{
	struct report_lock *lock;
	struct afx f;

	afx_init(&f, 2, MS, 20);
	afx_task(&f, 0, "0LLL0LL0C0");
	afx_task(&f, 0, "SLLL1LLLLLSL1");
	afx_task(&f, 0, "1JJ1L1LL1");
	f.m.tasks[1].tgid = 777;
	make_futex(&f, 0, 1, 1, 0x1000, 2, 0);
	make_futex(&f, 0, 3, 1, 0x1000, 3, 0);
	make_futex(&f, 0, 5, 1, 0x1000, 2, SPAN_WOKEN_BY_IRQ);
	make_futex(&f, 1, 1, 1, 0x1000, 3, 0);
	make_futex(&f, 1, 3, 0, 0x1000, 1, 0);	/* shared: another futex */
	make_futex(&f, 1, 5, 2, 0x1000, 1, 0);	/* other memory: another futex */
	make_futex(&f, 2, 1, 1, 0x2000, 1, SPAN_WAKER_EXITING);
	afx_compute(&f);
	REQUIRE(f.r.lock_cnt == 4);
	lock = &f.r.locks[0];
	CHECK_EQ(lock->mm_id, 1);
	CHECK_EQ(lock->addr, 0x1000);
	CHECK_EQ(lock->tgid, 101);
	CHECK_EQ(lock->kind, LOCK_KIND_LOCK);
	CHECK_EQ(lock->ops, 1 << 9);
	CHECK_EQ(lock->waits, 4);
	CHECK_EQ(lock->wait_ns, 9 * MS);
	CHECK_EQ(lock->max_wait_ns, 3 * MS);
	CHECK_EQ(lock->waiter_cnt, 2);
	CHECK_EQ(lock->holder_cnt, 2);
	CHECK_EQ(lock->holders[0], 3);
	CHECK_EQ(lock->holders[1], 2);
	CHECK_EQ(lock->timeouts, 1);
	CHECK_EQ(f.r.locks[1].mm_id, 0);
	CHECK_EQ(f.r.locks[1].wait_ns, 5 * MS);
	CHECK_EQ(f.r.locks[1].tgid, 777);
	CHECK_EQ(f.r.locks[1].ops, 1);
	CHECK_EQ(f.r.locks[2].addr, 0x2000);
	CHECK_EQ(f.r.locks[2].kind, LOCK_KIND_JOIN);
	CHECK_EQ(f.r.locks[3].mm_id, 2);
	afx_release(&f);
}

/* Two tasks wait by turns at two addresses. */
TEST(analyze_locks_interleaved)
{
	struct afx f;

	afx_init(&f, 1, MS, 12);
	for (size_t task = 0; task < 2; task++) {
		afx_task(&f, 0, "0L0CC0L0CC0");
		make_futex(&f, task, 1, 1, 0x1000, 0, 0);
		make_futex(&f, task, 3, 1, 0x2000, 0, 0);
		make_futex(&f, task, 5, 1, 0x1000, 0, 0);
		make_futex(&f, task, 7, 1, 0x2000, 0, 0);
	}
	afx_compute(&f);
	REQUIRE(f.r.lock_cnt == 2);
	CHECK_EQ(f.r.locks[0].addr, 0x2000);
	CHECK_EQ(f.r.locks[0].kind, LOCK_KIND_COND);
	CHECK_EQ(f.r.locks[0].waits, 4);
	CHECK_EQ(f.r.locks[0].wait_ns, 8 * MS);
	CHECK_EQ(f.r.locks[0].waiter_cnt, 2);
	CHECK_EQ(f.r.locks[0].holder_cnt, 0);
	CHECK_EQ(f.r.locks[1].kind, LOCK_KIND_LOCK);
	afx_release(&f);
}

TEST(analyze_migrations_matrix)
{
	static const uint16_t moves[][2] = { { 1, 0 }, { 0, 1 }, { 1, 0 }, { 0, 3 }, { 1, 0 } };
	struct afx f;

	afx_init(&f, 4, MS, 10);
	for (size_t i = 0; i < 5; i++)
		*vec_push(f.m.migrations, f.m.migration_cnt, f.m.migration_cap) =
			(struct model_migration){ .from_cpu = moves[i][0], .to_cpu = moves[i][1] };
	afx_compute(&f);
	REQUIRE(f.r.migration_cnt == 3);
	CHECK_EQ(f.r.migrations[0].to_cpu, 1);
	CHECK_EQ(f.r.migrations[0].cnt, 1);
	CHECK_EQ(f.r.migrations[1].to_cpu, 3);
	CHECK_EQ(f.r.migrations[2].from_cpu, 1);
	CHECK_EQ(f.r.migrations[2].cnt, 3);
	afx_release(&f);
}

static void add_wait(struct afx *f, uint32_t task_id, int32_t epfd, unsigned int enter,
		     unsigned int back, int32_t ready)
{
	struct model *m = &f->m;

	*vec_push(m->loop_waits, m->loop_wait_cnt, m->loop_wait_cap) = (struct model_loop_wait){
		.task_id = task_id,
		.epfd = epfd,
		.enter_ns = AFX_START_NS + enter * f->unit_ns,
		.return_ns = AFX_START_NS + back * f->unit_ns,
		.ready = ready,
	};
}

/* Three iterations: a hog, a blocking call, a starved one; then it waits until the end. */
TEST(analyze_loops_iterations)
{
	struct report_loop *loop;
	struct afx f;

	afx_init(&f, 1, MS, 30);
	afx_task(&f, 0, "0EE0000EEE0SSSSSS0EE...0.EEEEE");
	afx_span(&f, 0, 5)->syscall = 35;
	afx_span(&f, 0, 11)->addr = 4;
	CHECK_EQ(afx_span(&f, 0, 11)->reason, REASON_EPOLL);
	add_wait(&f, 1, 4, 1, 3, 2);
	add_wait(&f, 1, 4, 7, 10, 1);
	add_wait(&f, 1, 4, 18, 20, -4);
	afx_op(&f, 1, 0, 5);
	afx_op(&f, 1, 4, 5);
	afx_op(&f, 2, 4, 5);
	afx_compute(&f);
	REQUIRE(f.r.loop_cnt == 2);
	loop = &f.r.loops[0];
	CHECK_EQ(loop->epfd, 4);
	CHECK_EQ(loop->waits, 3);
	CHECK_EQ(loop->ready, 3);
	CHECK_EQ(loop->max_operations, 2);
	CHECK_EQ(loop->iterations, 3);
	CHECK_EQ(loop->cpu_ns, 7 * MS);
	CHECK_EQ(loop->ready_ns, 4 * MS);
	CHECK_EQ(loop->blocked_ns, 6 * MS);
	CHECK_EQ(loop->longest_stall_ns, 8 * MS);
	CHECK_EQ(loop->longest_stall_start_ns, AFX_START_NS + 10 * MS);
	CHECK_EQ(loop->stall_state, SPAN_BLOCKED);
	CHECK_EQ(loop->stall_reason, REASON_SLEEP);
	CHECK_STR(loop->stall_call, "nanosleep");
	CHECK_EQ(f.r.loops[1].task_id, 2);
	CHECK_EQ(f.r.loops[1].epfd, -1);
	CHECK_EQ(f.r.loops[1].max_operations, 1);

	/* 35 of the i386 table is another call, and a page fault is none. */
	afx_span(&f, 0, 5)->flags |= SPAN_COMPAT;
	afx_compute(&f);
	CHECK(!f.r.loops[0].stall_call);
	afx_span(&f, 0, 5)->flags = 0;
	afx_span(&f, 0, 5)->syscall = LAB_SYSCALL_NONE;
	afx_compute(&f);
	CHECK(!f.r.loops[0].stall_call);
	afx_release(&f);
}

/* A wait whose call was not seen ends no iteration, and an unknown task breaks nothing. */
TEST(analyze_loops_unseen_call)
{
	struct afx f;

	afx_init(&f, 1, MS, 20);
	afx_task(&f, 0, "0EE0000EE000");
	add_wait(&f, 1, 4, 1, 3, 1);
	add_wait(&f, 1, 4, 0, 9, 1);
	add_wait(&f, 9, 4, 0, 9, 1);
	f.m.loop_waits[1].enter_ns = 0;
	afx_compute(&f);
	REQUIRE(f.r.loop_cnt == 2);
	CHECK_EQ(f.r.loops[0].iterations, 1);
	CHECK_EQ(f.r.loops[0].cpu_ns, 3 * MS);
	CHECK_EQ(f.r.loops[0].stall_state, SPAN_RUNNING);
	CHECK_EQ(f.r.loops[1].waits, 1);
	CHECK_EQ(f.r.loops[1].iterations, 0);
	afx_release(&f);
}
