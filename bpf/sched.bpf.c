/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * sched - switches, wakings and migrations of tasks of ours, and who else has
 * the CPUs that they may use.
 */

#include "probe.bpf.h"

extern const volatile __u64 lab_runqueues_off;
extern const volatile bool lab_percpu_known;

/* The x86-64 calls whose first argument is a file descriptor that can block (asm/unistd_64.h). */
static __always_inline bool takes_fd(s32 nr)
{
	switch (nr) {
	case 0: case 1:			/* read, write */
	case 17: case 18:		/* pread64, pwrite64 */
	case 19: case 20:		/* readv, writev */
	case 40:			/* sendfile */
	case 275: case 276: case 278:	/* splice, tee, vmsplice */
	case 295: case 296:		/* preadv, pwritev */
	case 327: case 328:		/* preadv2, pwritev2 */
		return true;
	}
	return false;
}

#define SYSCALL_FUTEX_WAITV 449

/* linux/futex.h: one element of futex_waitv's array */
struct waitv {
	u64 val;
	u64 uaddr;
	u32 flags;
	u32 reserved;
};

#define SYSCALL_FUTEX 202
#define FUTEX_WAIT 0
#define FUTEX_LOCK_PI 6
#define FUTEX_WAIT_BITSET 9
#define FUTEX_LOCK_PI2 13
#define FUTEX_CMD_BITS 0x7f
#define FUTEX_TID_BITS 0x3fffffff
#define FUTEX_WAKE 1
#define FUTEX_REQUEUE 3
#define FUTEX_CMP_REQUEUE 4
#define FUTEX_WAKE_OP 5
#define FUTEX_WAKE_BITSET 10
#define SYSCALL_FUTEX_WAKE 454
#define MUTEX_CONTENDED 2

/* What pthread_mutex_t begins with in glibc on x86-64: programs are built with it, so it stays. */
struct glibc_mutex {
	u32 lock;
	u32 count;
	u32 owner;
	u32 users;
	u32 kind;
};

/* The four plain kinds, shared between processes or not, with or without lock elision. */
#define GLIBC_PLAIN_KINDS 0x383

/*
 * The owner of the lock that the current task is about to sleep for, as the task's memory says. A
 * PI futex names its owner by the kernel's own rules. A futex that expects to be contended may be a
 * mutex of glibc, which keeps its owner beside the word; other memory seldom looks like one.
 */
__noinline u32 futex_owner(u64 address, u64 op, u64 expected)
{
	struct glibc_mutex mutex = {};

	op &= FUTEX_CMD_BITS;
	if (op == FUTEX_LOCK_PI || op == FUTEX_LOCK_PI2) {
		bpf_probe_read_user(&mutex.lock, sizeof(mutex.lock), (void *)address);
		return mutex.lock & FUTEX_TID_BITS;
	}
	if ((op != FUTEX_WAIT && op != FUTEX_WAIT_BITSET) || (u32)expected != MUTEX_CONTENDED ||
	    bpf_probe_read_user(&mutex, sizeof(mutex), (void *)address))
		return 0;
	if (mutex.lock != MUTEX_CONTENDED || !mutex.users || mutex.kind & ~GLIBC_PLAIN_KINDS)
		return 0;
	return mutex.owner & FUTEX_TID_BITS;
}

/* Of each of these calls the third argument says how many waiters may go. */
static __always_inline bool wakes_many(const struct syscall_regs *regs)
{
	if (regs->compat || (s32)regs->args[2] == 1)
		return false;
	if (regs->nr == SYSCALL_FUTEX_WAKE)
		return true;
	if (regs->nr != SYSCALL_FUTEX)
		return false;
	switch (regs->args[1] & FUTEX_CMD_BITS) {
	case FUTEX_WAKE:
	case FUTEX_REQUEUE:
	case FUTEX_CMP_REQUEUE:
	case FUTEX_WAKE_OP:
	case FUTEX_WAKE_BITSET:
		return true;
	}
	return false;
}

/* The file that @task is in a call on. */
static __always_inline void switch_out_file(struct lab_ev_switch_out *e, u64 file)
{
	u32 kind;

	if (!file)
		return;
	e->fd_type = file_type(file);
	if (e->fd_type == FD_TYPE_SOCKET && file_listens(file))
		e->fd_flags = LAB_FD_LISTENING;
	if (e->fd_type && e->fd_type != FD_TYPE_REGULAR)
		return;
	kind = file_kind(file);
	if (kind != LAB_FD_ANONYMOUS)
		e->fd_type = kind;
}

static __always_inline void switch_out_syscall(struct lab_ev_switch_out *e,
					       struct task_struct *prev)
{
	struct syscall_regs regs;
	struct waitv first = {};

	syscall_read(prev, &regs);
	e->syscall = regs.nr;
	e->args[0] = regs.args[0];
	e->args[1] = regs.args[1];
	e->args[2] = regs.args[2];
	e->fd_type = worker_has_request(prev) ? LAB_FD_REQUEST : 0;
	e->fd_flags = 0;
	e->futex_owner = 0;
	e->pad = 0;
	if (regs.compat) {
		e->head.flags |= LAB_F_COMPAT;
		return;
	}
	if (takes_fd(regs.nr)) {
		switch_out_file(e, file_of(files_of(prev), regs.args[0]));
	} else if (regs.nr == SYSCALL_FUTEX) {
		e->futex_owner = futex_owner(regs.args[0], regs.args[1], regs.args[2]);
		e->fd_flags = regs.arg3 ? 0 : LAB_FUTEX_NO_LIMIT;
	} else if (regs.nr == SYSCALL_FUTEX_WAITV &&
		   !bpf_probe_read_user(&first, sizeof(first), (void *)regs.args[0])) {
		e->args[0] = first.uaddr;
		e->args[1] = first.flags;
		e->args[2] = first.val;
	}
}

static __always_inline void emit_switch_out(struct lab_cpu_slot *cpu, struct lab_task_mark *mark,
					    struct task_struct *prev, u32 prev_state, bool preempt,
					    struct task_struct *next, u32 next_id, u8 next_class,
					    struct rq *rq, u64 now)
{
	struct lab_task_slot *total = task_slot(mark->id);
	struct lab_ev_switch_out *e;
	u32 flags = preempt ? LAB_F_PREEMPT : 0;

	if (BPF_CORE_READ_BITFIELD(prev, in_iowait))
		flags |= LAB_F_IOWAIT;
	if (prev->flags & (PF_IO_WORKER | PF_USER_WORKER))
		flags |= LAB_F_WORKER;
	if (prev->flags & PF_EXITING)
		flags |= LAB_F_EXITING;
	if (task_throttled(prev))
		flags |= LAB_F_THROTTLED;
	if (budget_spent(prev))
		flags |= LAB_F_BUDGET;
	if (!rq)
		flags |= LAB_F_NO_RQ;
	if (!mark->first_kind)
		mark->first_kind = LAB_EV_SWITCH_OUT;
	if (prev_state & LAB_STATE_DEAD)
		__sync_fetch_and_add(&lab_counts.live, -1);

	if (total && total->id == mark->id) {
		total->last_ns = now;
		total->switch_outs++;
		total->nvcsw = prev->nvcsw;
		total->nivcsw = prev->nivcsw;
		total->sum_exec_ns = prev->se.sum_exec_runtime;
		total->migrations = prev->se.nr_migrations;
		total->dead = !!(prev_state & LAB_STATE_DEAD);
	}

	e = record_reserve(cpu, LAB_EV_SWITCH_OUT, sizeof(*e), mark->id, now);
	if (!e)
		return;
	e->head.flags = flags;
	e->next_id = next_id;
	e->prev_state = prev_state;
	e->nvcsw = prev->nvcsw;
	e->nivcsw = prev->nivcsw;
	e->sum_exec_ns = prev->se.sum_exec_runtime;
	e->exec_start_ns = prev->se.exec_start;
	e->clock_task_ns = rq ? rq->clock_task : 0;
	e->steal_ns = rq ? rq_steal_ns(rq) : 0;
	e->migrations = prev->se.nr_migrations;
	e->next_tid = next->pid;
	e->next_class = next_class;
	switch_out_syscall(e, prev);
	record_submit(e);
}

static __always_inline void emit_switch_in(struct lab_cpu_slot *cpu, struct lab_task_mark *mark,
					   struct task_struct *prev, u8 prev_class, struct rq *rq,
					   u64 now)
{
	struct lab_ev_switch_in *e;

	if (!mark->first_kind)
		mark->first_kind = LAB_EV_SWITCH_IN;
	e = record_reserve(cpu, LAB_EV_SWITCH_IN, sizeof(*e), mark->id, now);
	if (!e)
		return;
	e->head.flags = rq ? 0 : LAB_F_NO_RQ;
	e->clock_task_ns = rq ? rq->clock_task : 0;
	e->steal_ns = rq ? rq_steal_ns(rq) : 0;
	e->prev_since_ns = cpu->last_switch_ns;
	e->prev_tid = prev->pid;
	e->prev_class = prev_class;
	__builtin_memset(e->pad, 0, sizeof(e->pad));
	__builtin_memcpy(e->prev_comm, prev->comm, LAB_COMM_LEN);
	record_submit(e);
}

static __always_inline void emit_cpu_class(struct lab_cpu_slot *cpu, struct task_struct *prev,
					   u8 prev_class, struct task_struct *next, u8 next_class,
					   struct rq *rq, u64 now)
{
	struct lab_ev_cpu_class *e;
	bool contended = rq ? rq->nr_running > 1 : true;

	if (prev_class == cpu->last_class && next_class == prev_class &&
	    (prev_class == LAB_CPU_IDLE || !contended))
		return;
	e = record_reserve(cpu, LAB_EV_CPU_CLASS, sizeof(*e), 0, now);
	if (!e)
		return;
	e->prev_since_ns = cpu->last_switch_ns;
	e->prev_tid = prev->pid;
	e->next_tid = next->pid;
	e->prev_class = prev_class;
	e->next_class = next_class;
	e->last_class = cpu->last_class;
	__builtin_memset(e->pad, 0, sizeof(e->pad));
	__builtin_memcpy(e->prev_comm, prev->comm, LAB_COMM_LEN);
	record_submit(e);
}

/*
 * A quota holds @prev back, and none was known: the group got the quota while @prev was in it. Look
 * at all tasks again.
 */
static __always_inline void quota_check(const struct lab_task_mark *from, struct task_struct *prev)
{
	if (lab_throttling && !from->group && quota_group(prev) && task_throttled(prev) &&
	    !lab_counts.groups_unseen)
		__sync_fetch_and_add(&lab_quota_epoch, 1);
}

static __always_inline int on_switch(bool preempt, struct task_struct *prev,
				     struct task_struct *next, u32 prev_state)
{
	struct lab_task_mark *from = NULL, *to = NULL;
	u8 prev_class = LAB_CPU_IDLE, next_class = LAB_CPU_IDLE;
	struct lab_cpu_slot *cpu;
	struct rq *rq;
	u64 now;

	if (!lab_armed)
		return 0;
	now = bpf_ktime_get_ns();
	cpu = cpu_slot();
	if (!cpu)
		return 0;
	if (prev->pid) {
		from = task_mark(prev);
		prev_class = from ? LAB_CPU_OURS : LAB_CPU_FOREIGN;
	}
	if (next->pid) {
		to = task_mark(next);
		next_class = to ? LAB_CPU_OURS : LAB_CPU_FOREIGN;
	}
	if (prev_class != LAB_CPU_OURS && next_class != LAB_CPU_OURS && !cpu->watched)
		return 0;

	rq = task_rq(next);
	if (rq && !cpu->percpu_base)
		cpu->percpu_base = (u64)rq - lab_runqueues_off;
	if (to) {
		cpu->watched = 1;
		place_check(cpu, to, next, now);
	}
	if (from) {
		quota_check(from, prev);
		place_check(cpu, from, prev, now);
		if (quota_in_force())
			queue_look(bpf_get_smp_processor_id(), from->group, now);
	}
	if (from)
		emit_switch_out(cpu, from, prev, prev_state, preempt, next, to ? to->id : 0,
				next_class, rq, now);
	else if (to)
		emit_switch_in(cpu, to, prev, prev_class, rq, now);
	else
		emit_cpu_class(cpu, prev, prev_class, next, next_class, rq, now);
	if (from && to && !to->first_kind)
		to->first_kind = LAB_EV_SWITCH_IN;
	cpu->last_switch_ns = now;
	cpu->last_class = next_class;
	return 0;
}

/* Since 5.18 (fa2c3254d7cf, reordered by 9c2136be0878) the tracepoint carries prev_state. */
SEC("?tp_btf/sched_switch")
int BPF_PROG(sched_on_switch, bool preempt, struct task_struct *prev, struct task_struct *next,
	     unsigned int prev_state)
{
	return on_switch(preempt, prev, next, prev_state);
}

/* Before: three arguments, and only the field, which a waker may have changed already. */
SEC("?tp_btf/sched_switch")
int BPF_PROG(sched_on_switch3, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	return on_switch(preempt, prev, next, prev->__state);
}

SEC("?tp_btf/sched_waking")
int BPF_PROG(sched_on_waking, struct task_struct *task)
{
	struct task_struct *waker = bpf_get_current_task_btf();
	struct lab_task_mark *mark, *waker_mark = NULL;
	struct lab_cpu_slot *cpu;
	struct lab_ev_waking *e;
	struct syscall_regs regs;
	u64 now;

	if (!lab_armed)
		return 0;
	now = bpf_ktime_get_ns();
	mark = task_mark(task);
	if (!mark)
		return 0;
	cpu = cpu_slot();
	if (!cpu)
		return 0;
	if (!mark->first_kind)
		mark->first_kind = LAB_EV_WAKING;
	place_check(cpu, mark, task, now);
	if (quota_in_force())
		queue_look(task_cpu(task), mark->group, now);
	if (waker->pid)
		waker_mark = task_mark(waker);
	syscall_read(waker, &regs);
	e = record_reserve(cpu, LAB_EV_WAKING, sizeof(*e), mark->id, now);
	if (!e)
		return 0;
	e->head.flags = irq_context(cpu);
	if (waker->flags & PF_EXITING && !e->head.flags)
		e->head.flags |= LAB_F_WAKER_EXITING;
	if (wakes_many(&regs))
		e->head.flags |= LAB_F_WAKES_MANY;
	e->waker_id = waker_mark ? waker_mark->id : 0;
	e->waker_tid = waker->pid;
	e->waker_arg0 = regs.args[0];
	e->waker_syscall = regs.nr;
	e->state = task->__state;
	__builtin_memcpy(e->waker_comm, waker->comm, LAB_COMM_LEN);
	record_submit(e);
	return 0;
}

/*
 * The kernel skips a program on a CPU where another task was preempted inside
 * the same one. Since 7.1 that happens on task_newtask, but never here, where interrupts are off.
 */
static __always_inline struct lab_task_mark *birth_not_seen(struct task_struct *task, u64 now)
{
	struct task_struct *parent = bpf_get_current_task_btf();
	u64 clone_flags = 0;

	if (!storage_under_rq_lock())
		return NULL;
	if (task->tgid == parent->tgid)
		clone_flags |= CLONE_THREAD;
	if (task->mm == parent->mm)
		clone_flags |= CLONE_VM;
	return task_birth(task, clone_flags, now);
}

SEC("?tp_btf/sched_wakeup_new")
int BPF_PROG(sched_on_wakeup_new, struct task_struct *task)
{
	struct lab_ev_wakeup_new *e;
	struct lab_cpu_slot *cpu;
	struct lab_task_mark *mark;
	u64 now;

	if (!lab_armed)
		return 0;
	now = bpf_ktime_get_ns();
	mark = task_mark(task);
	if (!mark)
		mark = birth_not_seen(task, now);
	if (!mark)
		return 0;
	cpu = cpu_slot();
	if (!cpu)
		return 0;
	place_check(cpu, mark, task, now);
	if (quota_in_force())
		queue_look(task_cpu(task), mark->group, now);
	e = record_reserve(cpu, LAB_EV_WAKEUP_NEW, sizeof(*e), mark->id, now);
	if (!e)
		return 0;
	e->dest_cpu = task_cpu(task);
	e->pad = 0;
	record_submit(e);
	return 0;
}

/* Fires before the move, and also where the CPU stays the same, which the kernel does not count. */
SEC("?tp_btf/sched_migrate_task")
int BPF_PROG(sched_on_migrate, struct task_struct *task, int dest_cpu)
{
	struct lab_task_slot *total;
	struct lab_ev_migrate *e;
	struct lab_cpu_slot *cpu;
	struct lab_task_mark *mark;
	u32 orig_cpu;
	u64 now;

	if (!lab_armed)
		return 0;
	now = bpf_ktime_get_ns();
	mark = task_mark(task);
	if (!mark)
		return 0;
	orig_cpu = task_cpu(task);
	if (orig_cpu == (u32)dest_cpu)
		return 0;
	cpu = cpu_slot();
	if (!cpu)
		return 0;
	place_check(cpu, mark, task, now);
	if (quota_in_force())
		queue_look(dest_cpu, mark->group, now);
	total = task_slot(mark->id);
	if (total && total->id == mark->id)
		__sync_fetch_and_add(&total->migrates, 1);
	e = record_reserve(cpu, LAB_EV_MIGRATE, sizeof(*e), mark->id, now);
	if (!e)
		return 0;
	if (task->__state == LAB_STATE_WAKING)
		e->head.flags = LAB_F_WAKING;
	e->orig_cpu = orig_cpu;
	e->dest_cpu = dest_cpu;
	e->migrations = task->se.nr_migrations;
	e->pad = 0;
	record_submit(e);
	return 0;
}
