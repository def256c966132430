/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_MODEL_FIXTURE_H
#define TESTS_MODEL_FIXTURE_H

/*
 * model_fixture - events made up for tests of the model and the analyses.
 *
 * A fixture plays the kernel and the recorder: it keeps who has each CPU, each
 * task's counters and each CPU's sequence numbers, so that what it emits is
 * consistent and its audit is clean unless a test spoils it. It checks
 * nothing: a test may switch in a task that sleeps.
 *
 *	struct fx *f = fx_new(2);
 *	struct model m;
 *
 *	fx_start(f, 1000);				// root (1) is released: window starts
 *	fx_switch(f, 1010, 0, 1, fx_none());		// CPU 0: idle -> root
 *	fx_fork(f, 1100, 1, 2, FX_THREAD, 1);		// root makes task 2, queued on CPU 1
 *	fx_switch(f, 1120, 1, 2, fx_none());		// CPU 1: idle -> 2
 *	fx_switch(f, 1200, 0, FX_IDLE, fx_futex(0x10, FX_FUTEX_WAIT, 1002)); // root joins
 *	fx_exit(f, 1300, 2, FX_IDLE);			// EXIT, wakes nobody, last switch-out
 *	...
 *	fx_end(f, 2000, TRACE_END_EXIT);
 *	CHECK_EQ(fx_build(f, &m), 0);
 *	model_release(&m);
 *	fx_free(f);
 *
 * Times are absolute ns and may be emitted in any order between CPUs; on one CPU they must ascend.
 * Tids are 1000 + birth number.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/builder.h"
#include "model/model.h"

struct fx;

/* Who has a CPU: a birth number; FX_IDLE; FX_FOREIGN(tid), named "f<tid>". */
#define FX_IDLE 0
#define FX_FOREIGN(tid) (-(int32_t)(tid))

/* clone flags */
#define FX_PROCESS 0x00000011u	/* SIGCHLD: fork */
#define FX_THREAD 0x003d0f00u	/* CLONE_VM | CLONE_THREAD | ... as pthread_create */
#define FX_VFORK 0x00004111u	/* CLONE_VM | CLONE_VFORK */

/* system calls of x86_64, for fx_call() */
#define FX_NR_READ 0
#define FX_NR_WRITE 1
#define FX_NR_POLL 7
#define FX_NR_SCHED_YIELD 24
#define FX_NR_NANOSLEEP 35
#define FX_NR_ACCEPT 43
#define FX_NR_VFORK 58
#define FX_NR_WAIT4 61
#define FX_NR_FSYNC 74
#define FX_NR_FUTEX 202
#define FX_NR_EPOLL_WAIT 232
#define FX_NR_IO_URING_ENTER 426

/* operations of futex(2), for fx_futex(); the private flag is 128 */
#define FX_FUTEX_WAIT 128
#define FX_FUTEX_WAIT_SHARED 0
#define FX_FUTEX_WAIT_BITSET (9 | 128)
#define FX_FUTEX_LOCK_PI (6 | 128)

#define FX_S_IFIFO 1
#define FX_S_IFSOCK 12

/* How a task of ours leaves a CPU. */
struct fx_how {
	uint32_t state;		/* prev_state */
	uint8_t flags;		/* LAB_F_* of SWITCH_OUT */
	int32_t syscall;
	uint64_t args[3];
	uint8_t fd_type;
};

struct fx_how fx_none(void);		/* nobody of ours leaves; if one does, as fx_preempted() */
struct fx_how fx_preempted(void);	/* state 0, LAB_F_PREEMPT */
struct fx_how fx_yield(void);
struct fx_how fx_dead(void);
struct fx_how fx_call(int32_t nr, uint64_t arg0); /* interruptible, in this call */
struct fx_how fx_read(uint8_t fd_type);	/* blocked in read(2) of such an fd */
struct fx_how fx_futex(uint64_t addr, uint32_t op, uint32_t val);
struct fx_how fx_disk(void);		/* uninterruptible, iowait, in read(2) */
struct fx_how fx_fault(void);		/* the same in no system call */
struct fx_how fx_kernel(void);		/* killable, no iowait */

/* @cpu_cnt CPUs, 0 .. cpu_cnt - 1, all usable and idle. */
struct fx *fx_new(unsigned int cpu_cnt);
void fx_free(struct fx *f);

/* To be changed before fx_build(); strings in it are the fixture's, on the heap. */
struct trace_meta *fx_meta(struct fx *f);
struct trace_end *fx_end_of(struct fx *f);	/* valid after fx_end() */

/*
 * The usual beginning: at @ts - 300 every CPU is visited (a foreign task leaves it, it is idle), at
 * @ts - 200 root is seeded, blocked in a read of a pipe, on CPU 0; at @ts CPU 0 wakes it.
 */
void fx_start(struct fx *f, uint64_t ts);

/* SEED of task @id with its counters at 100, 50 and 7000; sleeping as @how says, or on @cpu. */
void fx_seed(struct fx *f, uint64_t ts, uint32_t id, uint32_t tgid, unsigned int cpu, bool on_cpu,
	     struct fx_how how);

/* A sched_switch on @cpu: who has it leaves (@how, if ours) and @next takes it. */
void fx_switch(struct fx *f, uint64_t ts, unsigned int cpu, int32_t next, struct fx_how how);

/* The same, seen by no probe: nothing is emitted. Only where a foreign task leaves. */
void fx_switch_hidden(struct fx *f, uint64_t ts, unsigned int cpu, int32_t next);

/* WAKING of @id by the task of ours @waker, on the CPU that it has. */
void fx_wake(struct fx *f, uint64_t ts, uint32_t waker, uint32_t id);

/* WAKING of @id on @cpu with these LAB_F_*: LAB_F_HARDIRQ a timer; 0 with a foreign holder. */
void fx_wake_on(struct fx *f, uint64_t ts, unsigned int cpu, uint32_t id, uint8_t flags);

/* TASK_NEW and WAKEUP_NEW; or the first alone. */
void fx_fork(struct fx *f, uint64_t ts, uint32_t parent, uint32_t child, uint64_t clone_flags,
	     unsigned int dest_cpu);
void fx_fork_only(struct fx *f, uint64_t ts, uint32_t parent, uint32_t child, uint64_t clone_flags);
void fx_wakeup_new(struct fx *f, uint64_t ts, unsigned int cpu, uint32_t id, unsigned int dest_cpu);

/* MIGRATE, probe on @cpu; LAB_F_WAKING is for fx_last(). */
void fx_migrate(struct fx *f, uint64_t ts, unsigned int cpu, uint32_t id, unsigned int orig,
		unsigned int dest);

/* AFFINITY of @id, noticed on @cpu: bit c of @mask is CPU c. */
void fx_affinity(struct fx *f, uint64_t ts, unsigned int cpu, uint32_t id, uint64_t mask);

/* GROUP of @id; THROTTLE of @group's queue on @queue_cpu. Both noticed on @cpu. */
void fx_group(struct fx *f, uint64_t ts, unsigned int cpu, uint32_t id, uint32_t group,
	      uint32_t quota_milli);
void fx_throttle(struct fx *f, uint64_t ts, unsigned int cpu, uint32_t queue_cpu, uint32_t group,
		 bool throttled);

/* EXIT by @id with code 0, and at the same instant its last switch-out to @next. */
void fx_exit(struct fx *f, uint64_t ts, uint32_t id, int32_t next);
/* EXIT alone. */
void fx_exit_begin(struct fx *f, uint64_t ts, uint32_t id, uint32_t code);

/* EXEC by @id: its tid becomes its tgid. */
void fx_exec(struct fx *f, uint64_t ts, uint32_t id, const char *comm);
void fx_rename(struct fx *f, uint64_t ts, uint32_t id, const char *comm);

/* @op: EPOLL_CTL_ADD 1, DEL 2, MOD 3. @flags: LAB_F_LISTENING. */
void fx_epoll_ctl(struct fx *f, uint64_t ts, uint32_t id, int epfd, int op, int fd, uint64_t data,
		  uint8_t flags);
/* The task says @text, which follows "lab:" in its marker. */
void fx_marker(struct fx *f, uint64_t ts, uint32_t id, const char *text);

/* An epoll_wait that returned @cnt events with these data: EPOLL_WAIT and EPOLL_READY. */
void fx_epoll_wait(struct fx *f, uint64_t enter, uint64_t ts, uint32_t id, int epfd,
		   const uint64_t *data, uint32_t cnt);

/* Totals of all tasks and CPUs, and the end; TRACE_END_UNKNOWN: neither (an incomplete file). */
void fx_end(struct fx *f, uint64_t ts, enum trace_end_reason reason);

/* The events so far, in order of emission; to be changed in place. */
union lab_event *fx_events(struct fx *f, size_t *cnt);
union lab_event *fx_last(struct fx *f);

/* Append a copy of @ev as it is. */
void fx_raw(struct fx *f, const union lab_event *ev);

/* Lose event @idx: later sequence numbers stay. */
void fx_drop(struct fx *f, size_t idx);

/* Names of futexes; borrowed. */
void fx_symbols(struct fx *f, const struct trace_symbols *symbols);

/* Feed all events in order of (ts, cpu, seq) and finish. Return: model_builder_finish()'s. */
int fx_build(struct fx *f, struct model *m);

/* The @nth span of task @id, NULL if it has not so many. */
const struct model_span *fx_span(const struct model *m, uint32_t id, size_t nth);

/*
 * Check the identities of a built model: spans of each task adjoin and cover its
 * lifetime; CPU segments adjoin and cover the window; ours in the segments equals
 * the running spans. Return: NULL or a static sentence on the first that fails.
 */
const char *fx_check_identities(const struct model *m);

#endif /* TESTS_MODEL_FIXTURE_H */
