/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * task - births, names and ends: who belongs to the workload's tree.
 */

#include "probe.bpf.h"

/* NICE_TO_PRIO, include/linux/sched/prio.h */
#define DEFAULT_PRIO 120

static __always_inline void fill_task(struct lab_ev_task *e, struct task_struct *task,
				      u32 parent_id, u64 clone_flags)
{
	e->parent_id = parent_id;
	e->tid = task->pid;
	e->tgid = task->tgid;
	e->policy = task->policy;
	e->nice = task->static_prio - DEFAULT_PRIO;
	e->clone_flags = clone_flags;
	e->migrations = task->se.nr_migrations;
	e->task_cpu = task_cpu(task);
	e->pad = 0;
	__builtin_memcpy(e->comm, task->comm, LAB_COMM_LEN);
}

__hidden struct lab_task_mark *task_birth(struct task_struct *task, u64 clone_flags, u64 now)
{
	struct task_struct *parent = bpf_get_current_task_btf();
	struct lab_task_mark *parent_mark = task_mark(parent);
	struct lab_task_mark *mark;
	struct lab_cpu_slot *cpu;
	struct lab_ev_task *e;
	u32 id;

	if (!parent_mark)
		return NULL;
	mark = task_adopt(task, &id);
	cpu = cpu_slot();
	if (!cpu)
		return mark;
	/* What a reader takes the child to have, too. */
	place_check(cpu, parent_mark, parent, now);
	e = record_reserve(cpu, LAB_EV_TASK_NEW, sizeof(*e), id, now);
	if (!e)
		return mark;
	fill_task(e, task, parent_mark->id, clone_flags);
	e->nvcsw = 0;
	e->nivcsw = 0;
	e->sum_exec_ns = 0;
	e->state = 0;
	e->syscall = LAB_SYSCALL_NONE;
	__builtin_memset(e->args, 0, sizeof(e->args));
	e->on_cpu = 0;
	e->fd_type = 0;
	record_submit(e);
	if (!mark)
		return NULL;
	mark->task_group = parent_mark->task_group;
	mark->group = parent_mark->group;
	mark->quota_epoch = parent_mark->quota_epoch;
	__builtin_memcpy(mark->mask, parent_mark->mask, sizeof(mark->mask));
	place_check(cpu, mark, task, now);
	return mark;
}

SEC("?tp_btf/task_newtask")
int BPF_PROG(task_on_new, struct task_struct *task, unsigned long clone_flags)
{
	if (lab_armed)
		task_birth(task, clone_flags, bpf_ktime_get_ns());
	return 0;
}

static __always_inline void fill_seed_state(struct lab_ev_task *e, struct task_struct *task,
					    struct lab_task_mark *mark)
{
	struct syscall_regs regs;
	u64 file;

	e->nvcsw = task->nvcsw;
	e->nivcsw = task->nivcsw;
	e->sum_exec_ns = task->se.sum_exec_runtime;
	e->state = task->__state;
	e->on_cpu = task_has_cpu(task);
	syscall_read(task, &regs);
	e->syscall = regs.nr;
	e->args[0] = regs.args[0];
	e->args[1] = regs.args[1];
	e->args[2] = regs.args[2];
	file = regs.nr == 0 || regs.nr == 1 ? file_of(files_of(task), regs.args[0]) : 0;
	e->fd_type = file ? file_type(file) : 0;

	/* A record made since the mark was set says better what the task was doing before. */
	switch (mark->first_kind) {
	case LAB_EV_SWITCH_OUT:
		e->on_cpu = 1;
		break;
	case LAB_EV_SWITCH_IN:
		e->on_cpu = 0;
		e->state = 0;
		break;
	case LAB_EV_WAKING:
		e->on_cpu = 0;
		if (!e->state)
			e->state = LAB_STATE_INTERRUPTIBLE;
		break;
	}
}

/*
 * Makes every thread of a marked process ours. The recorder marks the process
 * from outside (through its pidfd, so that no PID namespace matters) and reads this iterator
 * until a pass finds no new thread.
 */
SEC("?iter/task")
int task_on_seed(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct task_struct *leader;
	struct lab_task_mark *mark;
	struct lab_cpu_slot *cpu;
	struct lab_ev_task *e;
	u64 now;
	u32 id;

	if (!task || !lab_armed)
		return 0;
	now = bpf_ktime_get_ns();
	if (task_mark(task))
		return 0;
	leader = task->group_leader;
	if (!leader || !task_is_marked(leader) || task->flags & PF_EXITING)
		return 0;
	lab_pid_level = BPF_CORE_READ(bpf_get_current_task_btf(), thread_pid, level);
	mark = task_adopt(task, &id);
	if (!mark)
		return 0;
	cpu = cpu_slot();
	if (!cpu)
		return 0;
	e = record_reserve(cpu, LAB_EV_TASK_SEED, sizeof(*e), id, now);
	if (!e)
		return 0;
	fill_task(e, task, 0, 0);
	fill_seed_state(e, task, mark);
	record_submit(e);
	place_check(cpu, mark, task, now);
	return 0;
}

SEC("?tp_btf/sched_process_exec")
int BPF_PROG(task_on_exec, struct task_struct *task, int old_tid)
{
	struct lab_ev_exec *e = record_of(task, LAB_EV_EXEC, sizeof(*e));

	if (!e)
		return 0;
	e->tid = task->pid;
	e->old_tid = old_tid;
	__builtin_memcpy(e->comm, task->comm, LAB_COMM_LEN);
	record_submit(e);
	return 0;
}

SEC("?tp_btf/sched_process_exit")
int BPF_PROG(task_on_exit, struct task_struct *task)
{
	struct lab_ev_exit *e = record_of(task, LAB_EV_EXIT, sizeof(*e));

	if (!e)
		return 0;
	e->exit_code = task->exit_code;
	e->pad = 0;
	record_submit(e);
	return 0;
}

/* The task still has its old name here; the new one is the argument. */
SEC("?tp_btf/task_rename")
int BPF_PROG(task_on_rename, struct task_struct *task, const char *comm)
{
	struct lab_ev_rename *e = record_of(task, LAB_EV_RENAME, sizeof(*e));

	if (!e)
		return 0;
	__builtin_memset(e->comm, 0, sizeof(e->comm));
	bpf_probe_read_kernel_str(e->comm, sizeof(e->comm), comm);
	record_submit(e);
	return 0;
}
