/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * core - the maps, and the few functions through which every probe reaches
 * them.
 */

#include "probe.bpf.h"

#define SYSCALL_FUTEX_WAIT 455	/* (address, value, mask, flags, ...) */

char LICENSE[] SEC("license") = "GPL";

/* Set by the recorder before load: offsets inside a CPU's own area (from BTF). */
const volatile __u64 lab_runqueues_off = 0;
const volatile __u64 lab_preempt_count_off = 0;
const volatile bool lab_percpu_known = false;
const volatile __u32 lab_mask_words = 1;
const volatile __u32 lab_throttling = LAB_THROTTLING_UNSEEN;
const volatile bool lab_queues_percpu = false;

volatile __u32 lab_armed = 0;
volatile __u32 lab_pid_level = 0;
volatile __u32 lab_quota_epoch = 0;
struct lab_counts lab_counts = {};

struct ring {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);	/* of the template: each ring may have its own size */
};

/* One ring per CPU; the recorder sizes the array and fills it. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, u32);
	__array(values, struct ring);
} rings SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);		/* resized to the number of CPUs */
	__type(key, u32);
	__type(value, struct lab_cpu_slot);
} cpu_slots SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, LAB_TASK_SLOTS);
	__type(key, u32);
	__type(value, struct lab_task_slot);
} task_slots SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct lab_task_mark);
} task_marks SEC(".maps");

__hidden struct lab_cpu_slot *cpu_slot_of(u32 cpu)
{
	return bpf_map_lookup_elem(&cpu_slots, &cpu);
}

__hidden struct lab_cpu_slot *cpu_slot(void)
{
	return cpu_slot_of(bpf_get_smp_processor_id());
}

__hidden struct lab_task_slot *task_slot(u32 id)
{
	u32 idx = id % LAB_TASK_SLOTS;

	return bpf_map_lookup_elem(&task_slots, &idx);
}

__hidden struct lab_task_mark *task_mark(struct task_struct *task)
{
	struct lab_task_mark *mark = bpf_task_storage_get(&task_marks, task, 0, 0);

	return mark && mark->id ? mark : NULL;
}

__hidden bool task_is_marked(struct task_struct *task)
{
	return bpf_task_storage_get(&task_marks, task, 0, 0) != NULL;
}

/* Whatever the namespaces are, the tree is in the recorder's or in one below it. */
static u32 tgid_for_recorder(struct task_struct *task)
{
	struct pid *pid = BPF_CORE_READ(task, group_leader, thread_pid);
	u32 level = lab_pid_level;
	s32 nr = 0;

	if (!pid || BPF_CORE_READ(pid, level) < level)
		return 0;
	bpf_probe_read_kernel(&nr, sizeof(nr), (void *)&pid->numbers[0].nr +
						       level * bpf_core_type_size(struct upid));
	return nr;
}

__hidden struct lab_task_mark *task_adopt(struct task_struct *task, u32 *id)
{
	struct lab_task_mark *mark;
	struct lab_task_slot *slot;

	mark = bpf_task_storage_get(&task_marks, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	*id = __sync_fetch_and_add(&lab_counts.births, 1) + 1;
	if (!mark) {
		__sync_fetch_and_add(&lab_counts.storage_failures, 1);
		return NULL;
	}
	__sync_fetch_and_add(&lab_counts.live, 1);
	slot = task_slot(*id);
	if (slot) {
		__builtin_memset(slot, 0, sizeof(*slot));
		slot->tgid = tgid_for_recorder(task);
		slot->id = *id;
	}
	mark->id = *id;
	return mark;
}

__hidden void *ring_reserve(u64 size)
{
	u32 cpu = bpf_get_smp_processor_id();
	void *ring = bpf_map_lookup_elem(&rings, &cpu);

	return ring ? bpf_ringbuf_reserve(ring, size, 0) : NULL;
}

__hidden void record_refused(struct lab_cpu_slot *slot, u64 ts_ns)
{
	if (!__sync_fetch_and_add(&slot->refused, 1))
		slot->refused_first_ns = ts_ns;
	slot->refused_last_ns = ts_ns;
}

__hidden void record_submit(void *record)
{
	bpf_ringbuf_submit(record, BPF_RB_NO_WAKEUP);
}

__hidden void syscall_read(struct task_struct *task, struct syscall_regs *out)
{
	struct pt_regs *regs;

	__builtin_memset(out, 0, sizeof(*out));
	out->nr = LAB_SYSCALL_NONE;
	if (task->flags & (PF_KTHREAD | PF_IO_WORKER | PF_USER_WORKER))
		return;
	regs = (struct pt_regs *)bpf_task_pt_regs(task);
	out->nr = regs->orig_ax;
	if (out->nr < 0) {
		out->nr = LAB_SYSCALL_NONE;
		return;
	}
	out->args[0] = regs->di;
	out->args[1] = regs->si;
	out->args[2] = regs->dx;
	out->arg3 = regs->r10;
	if (out->nr == SYSCALL_FUTEX_WAIT) {
		out->args[1] = regs->r10;
		out->args[2] = regs->si;
	}
	out->compat = task->thread_info.status & TS_COMPAT;
}

u64 file_of(u64 files, u32 fd)
{
	struct fdtable *fdt = BPF_CORE_READ((struct files_struct *)files, fdt);
	struct file **table, *file = NULL;

	if (!fdt || fd >= BPF_CORE_READ(fdt, max_fds))
		return 0;
	table = BPF_CORE_READ(fdt, fd);
	bpf_probe_read_kernel(&file, sizeof(file), &table[fd]);
	return (u64)file;
}

u32 file_type(u64 file)
{
	return BPF_CORE_READ((struct file *)file, f_inode, i_mode) >> S_IFMT_SHIFT;
}

bool file_listens(u64 file)
{
	struct socket *socket = BPF_CORE_READ((struct file *)file, private_data);

	return BPF_CORE_READ(socket, sk, __sk_common.skc_state) == TCP_LISTEN;
}

/* A bracket and the first six letters of a name, as the number that these bytes are in memory. */
#define NAME(b, c, d, e, f, g) \
	((u64)'[' | (u64)(b) << 8 | (u64)(c) << 16 | (u64)(d) << 24 | (u64)(e) << 32 | \
	 (u64)(f) << 40 | (u64)(g) << 48)

/* Such files share one inode; their names differ (fs/eventfd.c, fs/timerfd.c, ...). */
u32 file_kind(u64 address)
{
	struct file *file = (struct file *)address;
	struct timerfd_ctx *timer;
	u64 name = 0;

	bpf_probe_read_kernel_str(&name, sizeof(name),
				  BPF_CORE_READ(file, f_path.dentry, d_name.name));
	if (name == NAME('e', 'v', 'e', 'n', 't', 'f'))
		return LAB_FD_EVENTFD;
	if (name == NAME('s', 'i', 'g', 'n', 'a', 'l'))
		return LAB_FD_SIGNALFD;
	if (name == NAME('e', 'v', 'e', 'n', 't', 'p'))
		return LAB_FD_EPOLL;
	if (name != NAME('t', 'i', 'm', 'e', 'r', 'f'))
		return LAB_FD_ANONYMOUS;
	timer = BPF_CORE_READ(file, private_data);
	if (bpf_core_type_exists(struct timerfd_ctx) && BPF_CORE_READ(timer, tintv))
		return LAB_FD_TICK;
	return LAB_FD_TIMERFD;
}

__hidden u32 irq_context(struct lab_cpu_slot *slot)
{
	u32 count = 0, flags = 0;

	if (!lab_percpu_known || !slot->percpu_base ||
	    bpf_probe_read_kernel(&count, sizeof(count),
				  (void *)(slot->percpu_base + lab_preempt_count_off)))
		return LAB_F_CTX_UNKNOWN;
	if (count & PREEMPT_NMI)
		flags |= LAB_F_NMI;
	if (count & PREEMPT_HARDIRQ)
		flags |= LAB_F_HARDIRQ;
	if (count & PREEMPT_SOFTIRQ)
		flags |= LAB_F_SOFTIRQ;
	return flags;
}
