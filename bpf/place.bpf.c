/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * place - which CPUs tasks may use, and which a quota holds back. The second is
 * looked at from when one of ours is first under a quota.
 */

#include "probe.bpf.h"

__hidden void affinity_tell(struct lab_cpu_slot *cpu, struct lab_task_mark *mark,
			    struct task_struct *task, u64 now)
{
	struct lab_ev_affinity *e;

	e = record_reserve(cpu, LAB_EV_AFFINITY, sizeof(*e), mark->id, now);
	if (!e)
		return;		/* it is news the next time, too */
#define COPY(i) e->words[i] = mark->mask[i] = i < lab_mask_words ? task->cpus_mask.bits[i] : 0;
	MASK_WORDS(COPY)
#undef COPY
	record_submit(e);
}

/* A power of two above LAB_GROUPS_MAX: verifiers follow a mask, but not every comparison. */
#define GROUP_SLOTS 32

/*
 * The kernel's task group of each number that was given out. One that is gone may be followed by
 * another at the same address: no task is in the former by then, and both may have the number.
 */
static u64 groups[GROUP_SLOTS];

u32 group_number(u64 group)
{
	if (!group)
		return 0;
	for (u32 i = 1; i <= LAB_GROUPS_MAX; i++) {
		u64 had = __sync_val_compare_and_swap(&groups[i], 0, group);

		if (!had || had == group)
			return i;
	}
	__sync_fetch_and_add(&lab_counts.groups_unseen, 1);
	return 0;
}

#define NO_QUOTA (~0ULL)		/* RUNTIME_INF, kernel/sched/sched.h */
#define QUOTA_MAX (1ULL << 44)		/* the kernel's own limit in ns (max_cfs_runtime) */
#define GROUP_DEPTH_MAX 16

/* The quota of @group itself, in CPUs x 1000; 0: it has none. */
u32 quota_at(u64 group)
{
	struct task_group *at = (struct task_group *)group;
	u64 quota, period, milli;

	if (!bpf_core_field_exists(at->cfs_bandwidth))
		return 0;
	quota = BPF_CORE_READ(at, cfs_bandwidth.quota);
	period = BPF_CORE_READ(at, cfs_bandwidth.period);
	if (quota == NO_QUOTA || quota > QUOTA_MAX || !period)
		return 0;
	milli = quota * 1000 / period;
	return milli ? milli : 1;
}

/* The tightest of @group and those above it. */
u32 quota_of(u64 group)
{
	u32 tightest = 0;

	for (int i = 0; i < GROUP_DEPTH_MAX && group; i++) {
		u32 quota = quota_at(group);

		if (quota && (!tightest || quota < tightest))
			tightest = quota;
		group = (u64)BPF_CORE_READ((struct task_group *)group, parent);
	}
	return tightest;
}

__hidden void group_tell(struct lab_cpu_slot *cpu, struct lab_task_mark *mark, u64 group, u64 now)
{
	u32 quota, number, epoch = lab_quota_epoch;
	struct lab_ev_group *e;
	u64 address = 0;

	/* To a verifier @group is a pointer, which no global function takes. */
	bpf_probe_read_kernel(&address, sizeof(address), &group);
	quota = quota_of(address);
	number = quota ? group_number(address) : 0;

	if (number != mark->group) {
		e = record_reserve(cpu, LAB_EV_GROUP, sizeof(*e), mark->id, now);
		if (!e)
			return;
		e->group = number;
		e->quota_milli = number ? quota : 0;
		record_submit(e);
	}
	if (number && !epoch)
		lab_quota_epoch = epoch = 1;
	mark->task_group = group;
	mark->group = number;
	mark->quota_epoch = epoch;
}

/*
 * A task's queue is its group's queue on its CPU. The queue's address minus the group's per-CPU
 * pointer is the offset of that CPU's area.
 */
__hidden void queues_learn(struct task_struct *task)
{
	struct lab_cpu_slot *slot = cpu_slot_of(task_cpu(task));

	if (!slot || slot->queues_off || !bpf_core_field_exists(task->se.cfs_rq) ||
	    !bpf_core_field_exists(((struct task_group *)0)->cfs_rq))
		return;
	slot->queues_off = (u64)BPF_CORE_READ(task, se.cfs_rq) -
			   (u64)BPF_CORE_READ(task, sched_task_group, cfs_rq);
}

/* @slot: of @queue_cpu. */
static __always_inline bool queue_throttled(const struct lab_cpu_slot *slot, u32 queue_cpu,
					    u64 group)
{
	struct cfs_rq **queues, *queue = NULL;

	if (!bpf_core_field_exists(((struct task_group *)0)->cfs_rq) ||
	    !bpf_core_field_exists(((struct cfs_rq *)0)->throttle_count))
		return false;
	queues = BPF_CORE_READ((struct task_group *)group, cfs_rq);
	if (!lab_queues_percpu)
		bpf_probe_read_kernel(&queue, sizeof(queue), &queues[queue_cpu]);
	else if (slot->queues_off)
		queue = (struct cfs_rq *)(slot->queues_off + (u64)queues);
	return queue && BPF_CORE_READ(queue, throttle_count) > 0;
}

int queue_look(u32 queue_cpu, u32 group, u64 now)
{
	struct lab_cpu_slot *queue = cpu_slot_of(queue_cpu), *cpu = cpu_slot();
	struct lab_ev_throttle *e;
	bool throttled;
	u32 bit;

	if (!queue || !cpu || !group || group > LAB_GROUPS_MAX)
		return 0;
	bit = 1u << group;
	barrier_var(group);
	throttled = queue_throttled(queue, queue_cpu, groups[group & (GROUP_SLOTS - 1)]);
	if (throttled == !!(queue->throttled & bit))
		return 0;
	e = record_reserve(cpu, LAB_EV_THROTTLE, sizeof(*e), 0, now);
	if (!e)
		return 0;
	if (throttled)
		__sync_fetch_and_or(&queue->throttled, bit);
	else
		__sync_fetch_and_and(&queue->throttled, ~bit);
	e->head.flags = throttled ? LAB_F_THROTTLED : 0;
	e->queue_cpu = queue_cpu;
	e->group = group;
	record_submit(e);
	return 0;
}

/* After a task was put on a queue, which may be, or has just become, a throttled one. */
SEC("?tp_btf/sched_wakeup")
int BPF_PROG(place_on_wakeup, struct task_struct *task)
{
	struct lab_task_mark *mark;

	if (!lab_armed || !lab_quota_epoch)
		return 0;
	mark = task_mark(task);
	if (mark)
		queue_look(task_cpu(task), mark->group, bpf_ktime_get_ns());
	return 0;
}

/*
 * A throttled queue takes its tasks out of the CPU's count, and puts them back when it goes on.
 * Since 6.18 each task is taken out by itself, and its switch-out says so.
 */
SEC("?tp_btf/sched_update_nr_running_tp")
int BPF_PROG(place_on_nr_running, struct rq *rq, int change)
{
	struct lab_cpu_slot *slot;
	u64 now;
	u32 cpu;

	if (!lab_armed || !lab_quota_epoch)
		return 0;
	now = bpf_ktime_get_ns();
	cpu = bpf_core_field_exists(rq->cpu) ? rq->cpu : 0;
	slot = cpu_slot_of(cpu);
	if (!slot)
		return 0;
	if (change > 0 ? !slot->throttled : lab_throttling == LAB_THROTTLING_TASK)
		return 0;
	for (u32 i = 1; i <= LAB_GROUPS_MAX && groups[i]; i++)
		queue_look(cpu, i, now);
	return 0;
}
