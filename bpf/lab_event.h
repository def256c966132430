/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_EVENT_H
#define LAB_EVENT_H

/*
 * lab_event - what the probes tell the recorder: the one contract of both
 * sides. Included by BPF programs (after vmlinux.h) and, in userspace, by
 * record, trace and model only.
 *
 * Records have fixed sizes and no implicit padding. Kinds are append-only.
 * Times are CLOCK_MONOTONIC nanoseconds (bpf_ktime_get_ns) unless a name says
 * otherwise. `task` and every other `*_id` is a birth number: 1 is the root, each
 * new task of its tree takes the next, 0 is "none of ours". A tid recurs, a birth number
 * does not.
 *
 * The sequence number is per CPU, counts from 0, and is taken after the
 * filter and before the reserve: a missing number is a refused record. Two
 * records of one CPU need not be stamped in the order of their numbers: an interrupt may come
 * between a stamp and its number.
 */

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

#define LAB_COMM_LEN 16
#define LAB_TASK_ROOT 1

enum lab_event_kind {
	LAB_EV_NONE = 0,
	LAB_EV_SWITCH_OUT = 1,	/* one of ours left a CPU */
	LAB_EV_SWITCH_IN = 2,	/* one of ours took a CPU from a task that is not ours */
	LAB_EV_CPU_CLASS = 3,	/* neither is ours, and who has the CPU changed */
	LAB_EV_WAKING = 4,	/* one of ours is being woken */
	LAB_EV_WAKEUP_NEW = 5,	/* a new task of ours was put on a CPU's queue */
	LAB_EV_MIGRATE = 6,	/* one of ours was moved to another CPU */
	LAB_EV_TASK_NEW = 7,	/* one of ours made a task */
	LAB_EV_TASK_SEED = 8,	/* a task that existed already became ours (root, --pid) */
	LAB_EV_EXEC = 9,
	LAB_EV_EXIT = 10,	/* begins to exit; its last switch-out follows */
	LAB_EV_RENAME = 11,
	LAB_EV_EPOLL_CTL = 12,	/* a successful epoll_ctl (--ops) */
	LAB_EV_EPOLL_WAIT = 13,	/* an epoll_wait returned (--ops) */
	LAB_EV_EPOLL_READY = 14,/* up to LAB_READY_MAX of the events it returned (--ops) */
	/* Written by the recorder at the end: what BPF counted outside the ring. */
	LAB_EV_TASK_TOTAL = 15,
	LAB_EV_CPU_TOTAL = 16,	/* likewise, per CPU */
	LAB_EV_MARKER = 17,	/* a program says what it is doing (--ops) */
	LAB_EV_AFFINITY = 18,	/* the CPUs that one of ours may use, where that is news */
	/* Under a quota: the group whose quota one of ours draws on, where that is news. */
	LAB_EV_GROUP = 19,
	/* Under a quota: a group's queue on a CPU is throttled, or no longer throttled. */
	LAB_EV_THROTTLE = 20,
	LAB_EV_KIND_MAX = 21,
};

struct lab_ev_head {
	__u64 ts_ns;
	__u64 seq;		/* per CPU; 0 in the kinds the recorder writes itself */
	__u32 task;		/* the birth number of the subject; 0: none of ours */
	__u16 cpu;		/* where the probe ran */
	__u8 kind;		/* enum lab_event_kind */
	__u8 flags;		/* LAB_F_*, per kind */
};

/* Who has a CPU. */
enum lab_cpu_class {
	LAB_CPU_UNKNOWN = 0,
	LAB_CPU_OURS = 1,
	LAB_CPU_FOREIGN = 2,
	LAB_CPU_IDLE = 3,
};

/* SWITCH_OUT flags */
#define LAB_F_PREEMPT	0x01	/* the scheduler's preempt argument */
#define LAB_F_IOWAIT	0x02	/* task->in_iowait */
#define LAB_F_COMPAT	0x04	/* a 32-bit system call: `syscall` is of the i386 table */
#define LAB_F_WORKER	0x08	/* an io_uring or vhost worker: it has no user registers */
#define LAB_F_NO_RQ	0x10	/* clock_task_ns and steal_ns could not be read */
#define LAB_F_EXITING	0x20	/* PF_EXITING */
#define LAB_F_THROTTLED	0x40	/* its quota is used up: it (before 6.18 its queue) is throttled */
#define LAB_F_BUDGET	0x80	/* of the deadline class, and its own runtime is used up */

/* prev_state bits that the model needs, as the tracepoint argument has them (linux/sched.h) */
#define LAB_STATE_INTERRUPTIBLE		0x0001
#define LAB_STATE_UNINTERRUPTIBLE	0x0002
#define LAB_STATE_STOPPED		0x0004
#define LAB_STATE_TRACED		0x0008
#define LAB_STATE_DEAD			0x0080	/* TASK_DEAD: the last switch-out */
#define LAB_STATE_WAKEKILL		0x0100
/* TASK_WAKING: the task is on no queue, a CPU is being chosen for it; never at a switch. */
#define LAB_STATE_WAKING		0x0200
#define LAB_STATE_FREEZABLE		0x2000
#define LAB_STATE_FROZEN		0x8000	/* by the freezer of cgroup v1, since 6.1 */

#define LAB_SYSCALL_NONE (-1)	/* not in a system call: fault or interrupt */

/*
 * SWITCH_OUT - ends the interval of head.task on head.cpu. It sizes that
 * interval by itself: the change of sum_exec_ns since the task's previous
 * switch-out is what the kernel charged it, whether or not its switch-in was seen.
 */
struct lab_ev_switch_out {
	struct lab_ev_head head;
	__u32 next_id;		/* ours that takes the CPU now, or 0 */
	__u32 prev_state;	/* the tracepoint's argument, never task->__state */
	__u64 nvcsw;		/* task->nvcsw, this switch included */
	__u64 nivcsw;
	__u64 sum_exec_ns;	/* task->se.sum_exec_runtime */
	__u64 exec_start_ns;	/* task->se.exec_start, in the clock_task domain */
	__u64 clock_task_ns;	/* rq->clock_task: next_id starts at this instant of that clock */
	__u64 steal_ns;		/* rq->prev_steal_time_rq; only differences mean anything */
	/*
	 * First arguments of the system call. Of futex_wait, and of the first futex of futex_waitv:
	 * address, flags, value.
	 */
	__u64 args[3];
	__s32 syscall;		/* number, or LAB_SYSCALL_NONE */
	__u32 migrations;	/* task->se.nr_migrations */
	__u32 next_tid;		/* 0: idle */
	__u8 next_class;	/* enum lab_cpu_class */
	/* Of args[0], if that is an fd: inode mode >> 12 (DT_*), or enum lab_fd_kind; else 0. */
	__u8 fd_type;
	__u16 fd_flags;		/* LAB_FD_*; of futex(2) LAB_FUTEX_* */
	__u32 futex_owner;	/* the tid of the lock's owner, from the futex's memory; 0: none */
	__u32 pad;
};

/* fd_flags */
#define LAB_FD_LISTENING	0x0001	/* a socket in TCP_LISTEN */
#define LAB_FUTEX_NO_LIMIT	0x0002	/* futex(2) was called without a time limit */

/*
 * SWITCH_IN - head.task takes head.cpu; the task before was not ours.
 * (Where it was ours, SWITCH_OUT.next_id says the same.)
 */
struct lab_ev_switch_in {
	struct lab_ev_head head;
	__u64 clock_task_ns;
	__u64 steal_ns;
	/*
	 * Stamp of the last switch seen on this CPU: when the task before began, if no switch was
	 * hidden; 0: none seen
	 */
	__u64 prev_since_ns;
	__u32 prev_tid;		/* 0: idle */
	__u8 prev_class;	/* LAB_CPU_FOREIGN or LAB_CPU_IDLE */
	__u8 pad[3];
	char prev_comm[LAB_COMM_LEN];
};

/*
 * CPU_CLASS - on a CPU of interest, neither the task before nor the next is
 * ours. Written when the class of the outgoing task is not the last one
 * recorded (a switch was hidden), when the class changes, and, foreign to foreign,
 * when the CPU's queue holds more than the next task: someone waits, so who ran is worth a name.
 */
struct lab_ev_cpu_class {
	struct lab_ev_head head;	/* head.task is 0 */
	__u64 prev_since_ns;
	__u32 prev_tid;
	__u32 next_tid;
	__u8 prev_class;
	__u8 next_class;
	/* What the probes took for this CPU's class; after a hidden switch it is not prev_class. */
	__u8 last_class;
	__u8 pad[5];
	char prev_comm[LAB_COMM_LEN];
};

/* WAKING flags */
#define LAB_F_HARDIRQ	0x01	/* woken from an interrupt: waker_* name a bystander */
#define LAB_F_SOFTIRQ	0x02
#define LAB_F_NMI	0x04
#define LAB_F_CTX_UNKNOWN 0x08	/* this kernel's interrupt context could not be read */
#define LAB_F_WAKER_EXITING 0x10/* the waker is in its exit: a join */
#define LAB_F_WAKES_MANY 0x20	/* its futex call may wake more than one waiter */

struct lab_ev_waking {
	struct lab_ev_head head;	/* head.task is woken; head.cpu is where the waker runs */
	__u32 waker_id;		/* 0: not ours */
	__u32 waker_tid;	/* 0: the idle task */
	__u64 waker_arg0;	/* of the waker's system call; a futex wake: the address */
	__s32 waker_syscall;	/* LAB_SYSCALL_NONE if in none or in interrupt */
	__u32 state;		/* task->__state at that moment */
	char waker_comm[LAB_COMM_LEN];
};

struct lab_ev_wakeup_new {
	struct lab_ev_head head;
	__u32 dest_cpu;		/* where the new task was queued */
	__u32 pad;
};

/* MIGRATE flags */
#define LAB_F_WAKING	0x01	/* it is being woken: its state is TASK_WAKING */

struct lab_ev_migrate {
	struct lab_ev_head head;
	__u32 orig_cpu;
	__u32 dest_cpu;
	__u32 migrations;	/* task->se.nr_migrations before this one is counted */
	__u32 pad;
};

/*
 * TASK_NEW, TASK_SEED - head.task exists from here. For a SEED the counters
 * are those of before lab looked; for a NEW they are 0.
 */
struct lab_ev_task {
	struct lab_ev_head head;
	__u32 parent_id;	/* 0 for a SEED */
	__u32 tid;
	__u32 tgid;
	__u32 policy;		/* task->policy: SCHED_* */
	__s32 nice;
	__u32 state;		/* SEED: task->__state when marked */
	__u64 clone_flags;	/* CLONE_* */
	__u64 nvcsw;
	__u64 nivcsw;
	__u64 sum_exec_ns;
	__u32 migrations;
	__s32 syscall;		/* SEED of a sleeping task: the call it sleeps in */
	__u64 args[3];
	__u8 on_cpu;		/* SEED: it was on a CPU (head.cpu is void; see task_cpu) */
	__u8 fd_type;
	__u16 task_cpu;		/* SEED: the CPU it ran on last */
	__u32 pad;
	char comm[LAB_COMM_LEN];
};

struct lab_ev_exec {
	struct lab_ev_head head;
	__u32 tid;		/* after the exec: the thread group's */
	__u32 old_tid;
	char comm[LAB_COMM_LEN];
};

struct lab_ev_exit {
	struct lab_ev_head head;
	__u32 exit_code;	/* task->exit_code, as wait(2) has it */
	__u32 pad;
};

struct lab_ev_rename {
	struct lab_ev_head head;
	char comm[LAB_COMM_LEN];
};

/* EPOLL_CTL flags */
#define LAB_F_LISTENING	0x01	/* fd is a listening socket */

/*
 * fd_type, beyond those of inodes. Only EPOLL_CTL has ANONYMOUS and OWN_END; only SWITCH_OUT has
 * REQUEST.
 */
enum lab_fd_kind {
	LAB_FD_ANONYMOUS = 16,	/* none of the next */
	LAB_FD_EVENTFD = 17,
	LAB_FD_SIGNALFD = 18,
	LAB_FD_TIMERFD = 19,
	LAB_FD_TICK = 20,	/* a timerfd that had an interval when it was registered */
	LAB_FD_EPOLL = 21,
	LAB_FD_REQUEST = 22,	/* no fd: an io_uring worker has a request (since Linux 5.17) */
	LAB_FD_OWN_END = 23,	/* of a pipe or UNIX socket pair with both ends in this table */
};

struct lab_ev_epoll_ctl {
	struct lab_ev_head head;
	__u64 data;		/* the user's epoll_data (ADD and MOD) */
	__s32 epfd;
	__s32 fd;
	__u32 op;		/* EPOLL_CTL_ADD 1, DEL 2, MOD 3 */
	__u32 events;		/* EPOLL* mask (ADD and MOD) */
	__u8 fd_type;		/* inode mode >> 12, or enum lab_fd_kind; 0: not known */
	__u8 pad[7];
};

struct lab_ev_epoll_wait {
	struct lab_ev_head head;	/* ts_ns: the return */
	__u64 enter_ns;		/* the call; 0: not seen */
	__s32 epfd;
	__s32 ready;		/* the return value: events ready, or -errno */
};

#define LAB_READY_MAX 16

struct lab_ready {
	__u32 events;
	__u32 data_lo;		/* the user's epoll_data */
	__u32 data_hi;
};

/* EPOLL_READY flags */
#define LAB_F_UNREAD	0x01	/* the user's array could not be read: cnt events have no name */

struct lab_ev_epoll_ready {
	struct lab_ev_head head;
	__s32 epfd;
	__u32 cnt;		/* of ready[] that are valid; with LAB_F_UNREAD any number */
	struct lab_ready ready[LAB_READY_MAX];
};

/* MARKER flags */
#define LAB_F_MARKER_UNREAD 0x01	/* a marker's path that could not be read whole */

#define LAB_MARKER_PREFIX "lab:"
#define LAB_MARKER_LEN 96

/* A system call of access(2)'s family asked for a path that begins with LAB_MARKER_PREFIX. */
struct lab_ev_marker {
	struct lab_ev_head head;
	char text[LAB_MARKER_LEN];	/* what follows the prefix; NUL-padded, cut if longer */
};

/* TASK_TOTAL: the state after the task's last switch-out that a probe saw, ring or no ring. */
struct lab_ev_task_total {
	struct lab_ev_head head;	/* ts_ns: when the totals were read */
	__u64 last_ns;		/* of that switch-out; 0: it had none */
	__u64 switch_outs;	/* seen by the probe */
	__u64 nvcsw;
	__u64 nivcsw;
	__u64 sum_exec_ns;
	__u64 migrates;		/* sched_migrate_task seen */
	__u32 migrations;	/* nr_migrations at that switch-out */
	__u32 dead;		/* 1: that switch-out had LAB_STATE_DEAD */
};

/* CPU_TOTAL flags */
#define LAB_F_OFFLINE	0x01	/* offline at the end: its last record does not hold until then */

struct lab_ev_cpu_total {
	struct lab_ev_head head;	/* head.cpu is the CPU */
	__u64 seq_end;		/* numbers given out: 0 .. seq_end - 1 */
	__u64 refused;		/* reserves that failed */
	__u64 refused_first_ns;	/* stamp of the first refused record; 0: none */
	__u64 refused_last_ns;
};

/* CPUs from here on are not told. */
#define LAB_MASK_WORDS 16

/*
 * AFFINITY - what head.task may use from here on: bit c % 64 of words[c / 64] is CPU c. It is what
 * was asked for (task->cpus_mask); where the kernel pins a task for a moment that is left out.
 * A task that is born has its parent's, until one of its own. No tracepoint tells of a
 * change: it is noticed when the task is born, woken, moved, or takes or leaves a CPU.
 */
struct lab_ev_affinity {
	struct lab_ev_head head;
	__u64 words[LAB_MASK_WORDS];
};

#define LAB_GROUPS_MAX 16	/* groups that are told apart in one run */

/*
 * GROUP - head.task is in this group of the cpu controller, which has a quota, from here on. A task
 * that is born has its parent's, until one of its own. A quota that a group gets while tasks are in
 * it is noticed when it first holds one of them back.
 */
struct lab_ev_group {
	struct lab_ev_head head;
	__u32 group;		/* 1 .. LAB_GROUPS_MAX; 0: no quota binds it, or beyond these */
	__u32 quota_milli;	/* CPUs x 1000, the lowest of it and those above; 0 with group 0 */
};

/*
 * How tasks that a quota holds back are known. The values are also those of META's `throttling`.
 * By QUEUE (before 6.18) every ready task on a throttled queue is held back. By TASK one is from
 * a switch-out with LAB_F_THROTTLED until its group's queue on its CPU is no longer throttled.
 */
enum lab_throttling {
	LAB_THROTTLING_UNSEEN = 0,	/* no GROUP and no THROTTLE is recorded */
	LAB_THROTTLING_QUEUE = 1,
	LAB_THROTTLING_TASK = 2,
};

/* THROTTLE flags: LAB_F_THROTTLED: it is; without: it is not. */
struct lab_ev_throttle {
	struct lab_ev_head head;	/* head.task is 0; head.cpu is where it was noticed */
	__u32 queue_cpu;
	__u32 group;
};

union lab_event {
	struct lab_ev_head head;
	struct lab_ev_switch_out switch_out;
	struct lab_ev_switch_in switch_in;
	struct lab_ev_cpu_class cpu_class;
	struct lab_ev_waking waking;
	struct lab_ev_wakeup_new wakeup_new;
	struct lab_ev_migrate migrate;
	struct lab_ev_task task;
	struct lab_ev_exec exec;
	struct lab_ev_exit exit;
	struct lab_ev_rename rename;
	struct lab_ev_epoll_ctl epoll_ctl;
	struct lab_ev_epoll_wait epoll_wait;
	struct lab_ev_epoll_ready epoll_ready;
	struct lab_ev_task_total task_total;
	struct lab_ev_cpu_total cpu_total;
	struct lab_ev_marker marker;
	struct lab_ev_affinity affinity;
	struct lab_ev_group group;
	struct lab_ev_throttle throttle;
};

/* What is kept with each task of ours, from before its first event to its end. */
struct lab_task_mark {
	__u32 id;		/* birth number; 0: marked from outside, not yet seeded */
	__u32 first_kind;	/* of the first scheduling record, for a seed that races with it */
	__u64 enter_ns;		/* of the epoll_wait it is in; 0: none */
	__u64 task_group;	/* the kernel's, of the group told last; 0: none */
	__u32 group;		/* that group */
	__u32 quota_epoch;	/* lab_quota_epoch when it was looked at */
	__u64 mask[LAB_MASK_WORDS]; /* told last; all 0: none yet */
};

/*
 * Memory that the probes write and the recorder reads without a system call
 * (mmapped arrays), so that totals survive a full ring.
 */
struct lab_cpu_slot {		/* one per CPU */
	__u64 seq;		/* the next record's number */
	__u64 refused;
	__u64 refused_first_ns;
	__u64 refused_last_ns;
	__u64 last_switch_ns;	/* the last switch seen here */
	__u64 percpu_base;	/* this CPU's per-CPU area; 0: not known yet */
	__u8 last_class;	/* enum lab_cpu_class after that switch */
	__u8 watched;		/* record who has this CPU even where none of ours is involved */
	__u8 pad[2];
	__u32 throttled;	/* bit g: as told last, group g's queue on this CPU is throttled */
	__u64 queues_off;	/* from a per-CPU pointer to this CPU's copy; 0: not known yet */
};

/* One per birth number, at index id % LAB_TASK_SLOTS; a later birth takes over the slot. */
#define LAB_TASK_SLOTS (1 << 17)

struct lab_task_slot {
	__u64 last_ns;		/* of the last switch-out */
	__u64 switch_outs;
	__u64 nvcsw;
	__u64 nivcsw;
	__u64 sum_exec_ns;
	__u64 migrates;
	__u32 migrations;
	__u32 id;
	__u32 dead;
	__u32 tgid;		/* in the recorder's PID namespace; 0: not known */
};

/* Run-wide counts, one writer at a time through atomics. */
struct lab_counts {
	__u64 births;		/* birth numbers given out */
	__u64 live;		/* births less deaths */
	__u64 storage_failures;	/* tasks that could not be marked */
	__u64 ready_unseen;	/* epoll events beyond what one call's records hold */
	__u64 groups_unseen;	/* times that a task was in a group beyond LAB_GROUPS_MAX */
};

_Static_assert(sizeof(struct lab_ev_head) == 24, "head");
_Static_assert(sizeof(struct lab_ev_switch_out) == 128, "switch_out");
_Static_assert(sizeof(struct lab_ev_switch_in) == 72, "switch_in");
_Static_assert(sizeof(struct lab_ev_cpu_class) == 64, "cpu_class");
_Static_assert(sizeof(struct lab_ev_waking) == 64, "waking");
_Static_assert(sizeof(struct lab_ev_wakeup_new) == 32, "wakeup_new");
_Static_assert(sizeof(struct lab_ev_migrate) == 40, "migrate");
_Static_assert(sizeof(struct lab_ev_task) == 136, "task");
_Static_assert(sizeof(struct lab_ev_exec) == 48, "exec");
_Static_assert(sizeof(struct lab_ev_exit) == 32, "exit");
_Static_assert(sizeof(struct lab_ev_rename) == 40, "rename");
_Static_assert(sizeof(struct lab_ev_epoll_ctl) == 56, "epoll_ctl");
_Static_assert(sizeof(struct lab_ev_epoll_wait) == 40, "epoll_wait");
_Static_assert(sizeof(struct lab_ev_epoll_ready) == 224, "epoll_ready");
_Static_assert(sizeof(struct lab_ev_marker) == 120, "marker");
_Static_assert(sizeof(struct lab_ev_task_total) == 80, "task_total");
_Static_assert(sizeof(struct lab_ev_cpu_total) == 56, "cpu_total");
_Static_assert(sizeof(struct lab_ev_affinity) == 152, "affinity");
_Static_assert(sizeof(struct lab_ev_group) == 32, "group");
_Static_assert(sizeof(struct lab_ev_throttle) == 32, "throttle");

_Static_assert(sizeof(struct lab_task_mark) == 160, "task_mark");
_Static_assert(sizeof(struct lab_cpu_slot) == 64, "cpu_slot");
_Static_assert(sizeof(struct lab_task_slot) == 64, "task_slot");

#endif /* LAB_EVENT_H */
