/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_PROBE_BPF_H
#define LAB_PROBE_BPF_H

/*
 * probe - what every probe is built from: is a task ours, a record in this
 * CPU's ring, the system call that a task is in. Defined in core.bpf.c. What takes nothing but
 * numbers is a global function: the verifier checks it once, and not again for each call.
 */

#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "compat.bpf.h"
#include "lab_event.h"

/* A task's system call, as its saved registers have it. */
struct syscall_regs {
	u64 args[3];
	u64 arg3;		/* the fourth */
	s32 nr;			/* LAB_SYSCALL_NONE */
	bool compat;
};

/* One while the run is being recorded; every probe returns at once otherwise. */
extern volatile __u32 lab_armed;
extern struct lab_counts lab_counts;

/* How deep in PID namespaces the recorder is; known from the first seed on. */
extern volatile __u32 lab_pid_level;

/*
 * Set before load: how many words of a CPU mask can have a bit set; how throttling is told
 * (LAB_THROTTLING_*).
 */
extern const volatile __u32 lab_mask_words;
extern const volatile __u32 lab_throttling;

/* 0: no task of ours has been under a quota. Changes when a quota is found where none was known. */
extern volatile __u32 lab_quota_epoch;

static __always_inline bool quota_in_force(void)
{
	return lab_throttling && lab_quota_epoch;
}

/* Likewise: a group's queues are in per-CPU memory, not in an array of pointers. */
extern const volatile bool lab_queues_percpu;

/* This CPU's slot, or that of @cpu; NULL: a CPU beyond what the recorder knew at its start. */
struct lab_cpu_slot *cpu_slot(void);
struct lab_cpu_slot *cpu_slot_of(u32 cpu);

/* The slot of a birth number. */
struct lab_task_slot *task_slot(u32 id);

/* The mark of @task, or NULL if it is none of ours. Never call it with the idle task. */
struct lab_task_mark *task_mark(struct task_struct *task);

/* True if @task is ours, or was marked from outside and is still to be seeded. */
bool task_is_marked(struct task_struct *task);

/*
 * Mark @task as ours under a new birth number; NULL, counted, if there was no
 * memory. @id is written even then.
 */
struct lab_task_mark *task_adopt(struct task_struct *task, u32 *id);

/* @size bytes in this CPU's ring, or NULL; and the count of those that were refused. */
void *ring_reserve(u64 size);
void record_refused(struct lab_cpu_slot *slot, u64 ts_ns);

/*
 * Room for one record in this CPU's ring, its head filled in; NULL, counted,
 * if it was refused. A record of @size must be submitted. Inline, so that the
 * caller's test for NULL is the only one: verifiers before 6.4 take a record that
 * was already found not to be NULL for one that may be, and miss its release.
 */
static __always_inline void *record_reserve(struct lab_cpu_slot *slot, u32 kind, u64 size,
					    u32 task, u64 ts_ns)
{
	u64 seq = __sync_fetch_and_add(&slot->seq, 1);
	struct lab_ev_head *head = ring_reserve(size);

	if (!head) {
		record_refused(slot, ts_ns);
		return NULL;
	}
	head->ts_ns = ts_ns;
	head->seq = seq;
	head->task = task;
	head->cpu = bpf_get_smp_processor_id();
	head->kind = kind;
	head->flags = 0;
	return head;
}

void record_submit(void *record);

/* Room for a record whose subject is @task, stamped now; NULL if it is none of ours. */
static __always_inline void *record_of(struct task_struct *task, u32 kind, u64 size)
{
	struct lab_cpu_slot *cpu;
	struct lab_task_mark *mark;
	u64 now;

	if (!lab_armed)
		return NULL;
	now = bpf_ktime_get_ns();
	mark = task_mark(task);
	if (!mark)
		return NULL;
	cpu = cpu_slot();
	if (!cpu)
		return NULL;
	return record_reserve(cpu, kind, size, mark->id, now);
}

/*
 * Make @task, which the current task is creating, ours if its creator is;
 * recorded as a birth. Return: its mark, or NULL.
 */
struct lab_task_mark *task_birth(struct task_struct *task, u64 clone_flags, u64 now);

/* Record what @task may use, or the group with a quota that it is in, and keep it in its mark. */
void affinity_tell(struct lab_cpu_slot *cpu, struct lab_task_mark *mark, struct task_struct *task,
		   u64 now);
void group_tell(struct lab_cpu_slot *cpu, struct lab_task_mark *mark, u64 group, u64 now);

/* Learn where @task's CPU has its groups' queues, if in per-CPU memory and not known yet. */
void queues_learn(struct task_struct *task);

/* Record whether the queue of @group on CPU @queue_cpu is throttled, if that is news. Return: 0. */
int queue_look(u32 queue_cpu, u32 group, u64 now);

/* X for each word of a mask. CO-RE moves only a literal index; words beyond the mask never run. */
#define MASK_WORDS(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) \
	X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15)

static __always_inline bool affinity_is_told(const struct lab_task_mark *mark,
					     struct task_struct *task)
{
#define COMPARE(i) \
	if (i < lab_mask_words && task->cpus_mask.bits[i] != mark->mask[i]) \
		return false;
	MASK_WORDS(COMPARE)
#undef COMPARE
	return true;
}

/* Where @task may run and what may hold it back: recorded where it is news. */
static __always_inline void place_check(struct lab_cpu_slot *cpu, struct lab_task_mark *mark,
					struct task_struct *task, u64 now)
{
	u64 group;

	if (!affinity_is_told(mark, task))
		affinity_tell(cpu, mark, task, now);
	if (!lab_throttling)
		return;
	if (lab_queues_percpu)
		queues_learn(task);
	group = quota_group(task);
	if (group != mark->task_group || mark->quota_epoch != lab_quota_epoch)
		group_tell(cpu, mark, group, now);
}

/*
 * The system call of a task that sleeps or runs in one. Of a kernel thread or
 * worker, which have no user registers: none.
 */
void syscall_read(struct task_struct *task, struct syscall_regs *out);

static __always_inline u64 files_of(struct task_struct *task)
{
	return (u64)BPF_CORE_READ(task, files);
}

/*
 * The file that @fd is in a table of descriptors, 0 if it is none. Of a file: its type (inode
 * mode >> 12); of a socket, whether it listens; and where the type is none or that of a regular
 * file, what it is (enum lab_fd_kind).
 */
u64 file_of(u64 files, u32 fd);
u32 file_type(u64 file);
bool file_listens(u64 file);
u32 file_kind(u64 file);

/* LAB_F_HARDIRQ, _SOFTIRQ, _NMI, or LAB_F_CTX_UNKNOWN, of this CPU now. */
u32 irq_context(struct lab_cpu_slot *slot);

#endif /* LAB_PROBE_BPF_H */
