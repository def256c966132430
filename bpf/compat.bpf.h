/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_COMPAT_BPF_H
#define LAB_COMPAT_BPF_H

/*
 * compat - where kernels differ, each difference with the commit that made it.
 */

#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

/*
 * The CPU a task is on or is queued on. Linux bcf9033e5449 (5.16) moved the
 * field from task_struct into thread_info.
 */
static __always_inline u32 task_cpu(struct task_struct *task)
{
	if (bpf_core_field_exists(task->thread_info.cpu))
		return task->thread_info.cpu;
	return BPF_CORE_READ((struct task_struct___pre_5_16 *)task, cpu);
}

/*
 * The run queue of the CPU that @task is queued on. The scheduler keeps it
 * per task only with CONFIG_FAIR_GROUP_SCHED (every distribution's kernel); NULL without.
 */
static __always_inline struct rq *task_rq(struct task_struct *task)
{
	if (!bpf_core_field_exists(task->se.cfs_rq) ||
	    !bpf_core_field_exists(((struct cfs_rq *)0)->rq))
		return NULL;
	return task->se.cfs_rq->rq;
}

/*
 * Whether @task has a CPU: from the switch event that gives it the CPU until the one that takes it
 * away. on_cpu alone is still set while the next task's registers are loaded.
 */
static __always_inline bool task_has_cpu(struct task_struct *task)
{
	struct rq *rq = task_rq(task);

	return task->on_cpu && (!rq || rq->curr == task);
}

static __always_inline u64 rq_steal_ns(struct rq *rq)
{
	if (!bpf_core_field_exists(rq->prev_steal_time_rq))
		return 0;
	return rq->prev_steal_time_rq;
}

/*
 * Is @task held back because a quota is used up? Since e1fad12dcb66 (6.18) a task that is about to
 * return to user mode is taken off its queue; before, the queue was, with all on it.
 */
static __always_inline bool task_throttled(struct task_struct *task)
{
	if (bpf_core_field_exists(task->throttled))
		return task->throttled;
	if (bpf_core_field_exists(task->se.cfs_rq) &&
	    bpf_core_field_exists(((struct cfs_rq *)0)->throttle_count))
		return task->se.cfs_rq->throttle_count;
	return false;
}

/*
 * Has @task, of the deadline class, used up its own runtime, or given up the rest of it by
 * sched_yield(2)? It runs again in its next period (kernel/sched/deadline.c, update_curr_dl). 0 in
 * all other classes.
 */
static __always_inline bool budget_spent(struct task_struct *task)
{
	return BPF_CORE_READ_BITFIELD(task, dl.dl_throttled);
}

/* The task group whose quota binds @task, 0: none. Quotas bind the fair scheduling class only. */
static __always_inline u64 quota_group(struct task_struct *task)
{
	u32 policy = task->policy;

	if (!bpf_core_field_exists(task->sched_task_group) ||
	    (policy != SCHED_NORMAL && policy != SCHED_BATCH && policy != SCHED_IDLE))
		return 0;
	return (u64)task->sched_task_group;
}

/*
 * Does this worker of io_uring have a request that it works on, or waits for? Linux e32cf5dfbe22
 * (5.17) gave the pointer to its worker this name. Before that, and for a task that polls a
 * submission queue: false.
 */
static __always_inline bool worker_has_request(struct task_struct *task)
{
	struct io_worker *worker;

	if (!(task->flags & PF_IO_WORKER) || !bpf_core_field_exists(task->worker_private) ||
	    !bpf_core_field_exists(((struct io_worker *)0)->cur_work))
		return false;
	worker = (struct io_worker *)task->worker_private;
	return worker && BPF_CORE_READ(worker, cur_work);
}

/*
 * May a task be marked while its run queue is locked? Since 7.0 its storage
 * takes neither a lock that could be held nor an allocator that could wake someone.
 */
static __always_inline bool storage_under_rq_lock(void)
{
	return bpf_core_field_exists(((struct bpf_local_storage *)0)->mem_charge);
}

#endif /* LAB_COMPAT_BPF_H */
