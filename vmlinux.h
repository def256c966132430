/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __VMLINUX_H__
#define __VMLINUX_H__

/*
 * vmlinux - the kernel types that the probes touch, by hand: only the fields
 * they read, in any order. libbpf moves each access to where the running
 * kernel has the field (CO-RE). scripts/check-vmlinux compares this file with
 * the running kernel's BTF; a line marked "optional" may be absent there, and
 * the probe that reads it asks first.
 */

#include <linux/types.h>
#include <linux/bpf.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __s32 s32;
typedef __u64 u64;
typedef _Bool bool;

enum {
	false = 0,
	true = 1,
};

/* linux/sched.h; fixed by the scheduler's ABI towards core dumps and /proc */
#define PF_EXITING	0x00000004
#define PF_IO_WORKER	0x00000010
#define PF_USER_WORKER	0x00004000
#define PF_KTHREAD	0x00200000

/* arch/x86/include/asm/thread_info.h: the current system call is a 32-bit one */
#define TS_COMPAT	0x0002

/* include/linux/preempt.h */
/* serving one; a mere bh-disabled section counts by 0x200 */
#define PREEMPT_SOFTIRQ	0x00000100
#define PREEMPT_HARDIRQ	0x000f0000
#define PREEMPT_NMI	0x00f00000

/* linux/sched.h (UAPI) */
#define SCHED_NORMAL	0
#define SCHED_BATCH	3
#define SCHED_IDLE	5

#define CLONE_VM	0x00000100
#define CLONE_THREAD	0x00010000

#define S_IFMT_SHIFT	12
#define FD_TYPE_PIPE	1		/* S_IFIFO >> 12 */
#define FD_TYPE_REGULAR	8
#define FD_TYPE_SOCKET	014		/* S_IFSOCK >> 12 */
#define TCP_LISTEN	10
#define AF_UNIX		1

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

/* ---- core: where a CPU's own variables are ---- */

struct rq {
	u64 clock_task;			/* sched_on_switch */
	u64 prev_steal_time_rq;		/* optional: CONFIG_PARAVIRT_TIME_ACCOUNTING */
	unsigned int nr_running;	/* sched_on_switch */
	struct task_struct *curr;	/* task_on_seed */
	int cpu;			/* optional: CONFIG_SMP; throttle_on_nr_running */
};

struct cfs_rq {
	struct rq *rq;			/* optional: CONFIG_FAIR_GROUP_SCHED */
	int throttle_count;		/* optional: CONFIG_CFS_BANDWIDTH; queue_look */
};

/* ---- place_check: where a task may run, and what may hold it back ---- */

struct cfs_bandwidth {
	u64 period;			/* group_tell; ktime_t */
	u64 quota;
};

struct task_group {
	struct task_group *parent;
	struct cfs_bandwidth cfs_bandwidth; /* optional: CONFIG_CFS_BANDWIDTH; group_tell */
	/* optional: CONFIG_FAIR_GROUP_SCHED; one per CPU. In 7.2 a per-CPU pointer */
	struct cfs_rq **cfs_rq;
};

struct cpumask {
	unsigned long bits[16];		/* of any length: CONFIG_NR_CPUS */
};

/* ---- sched_on_switch, sched_on_waking, sched_on_migrate ---- */

struct sched_entity {
	u64 exec_start;
	u64 sum_exec_runtime;
	u64 nr_migrations;
	struct cfs_rq *cfs_rq;		/* optional: CONFIG_FAIR_GROUP_SCHED */
};

struct thread_info {
	u32 status;			/* syscall_read: TS_COMPAT */
	u32 cpu;			/* optional: since 5.16 */
};

/* ---- fd_read, epoll_ctl: what a file descriptor is ---- */

struct inode {
	unsigned short i_mode;
};

struct sock_common {
	unsigned short skc_family;
	unsigned char skc_state;
};

struct sock {
	struct sock_common __sk_common;
	struct socket *sk_socket;
};

struct socket {
	struct file *file;
	struct sock *sk;
};

struct unix_sock {			/* optional: CONFIG_UNIX, which may be a module */
	struct sock *peer;
};

struct qstr {
	const unsigned char *name;
};

struct dentry {
	struct qstr d_name;
};

struct path {
	struct dentry *dentry;
};

struct timerfd_ctx {
	long long tintv;
};

struct file {
	struct path f_path;
	struct inode *f_inode;
	void *private_data;
};

struct fdtable {
	unsigned int max_fds;
	struct file **fd;
};

struct files_struct {
	struct fdtable *fdt;
};

/* ---- every probe ---- */

struct sched_dl_entity {		/* spent_budget */
	unsigned int dl_throttled : 1;
};

struct task_struct {
	struct thread_info thread_info;
	unsigned int __state;
	unsigned int flags;
	unsigned int on_cpu;		/* task_on_seed; unsigned: a byte since 7.3, int before */
	int static_prio;		/* task_on_new: the nice value */
	unsigned int policy;		/* task_on_new */
	int pid;
	int tgid;
	int exit_code;			/* task_on_exit */
	unsigned int in_iowait : 1;	/* sched_on_switch */
	struct task_struct *group_leader; /* task_on_seed, task_adopt */
	struct pid *thread_pid;		/* task_adopt */
	u64 nvcsw;
	u64 nivcsw;
	struct sched_entity se;
	struct sched_dl_entity dl;
	/* cpus_ptr is another for moments in the kernel (migrate_disable) */
	struct cpumask cpus_mask;
	struct task_group *sched_task_group; /* optional: CONFIG_CGROUP_SCHED */
	bool throttled;			/* optional: since 6.18, CONFIG_CFS_BANDWIDTH */
	struct files_struct *files;
	struct mm_struct *mm;		/* sched_on_wakeup_new */
	void *worker_private;		/* optional: since 5.17 */
	char comm[16];
};

struct task_struct___pre_5_16 {
	unsigned int cpu;		/* optional: moved to thread_info by 5.16 */
};

/* ---- task_adopt: a process's id in each PID namespace from the first down ---- */

struct upid {
	int nr;
};

struct pid {
	unsigned int level;
	struct upid numbers[];
};

/* ---- worker_has_request ---- */

struct io_worker {
	struct io_wq_work *cur_work;	/* optional: CONFIG_IO_URING */
};

/* ---- storage_under_rq_lock ---- */

struct bpf_local_storage {
	u64 mem_charge;			/* optional: since 7.0 */
};

/* ---- syscall_read, ops ---- */

struct pt_regs {
	unsigned long r10;
	unsigned long dx;
	unsigned long si;
	unsigned long di;
	unsigned long ax;
	unsigned long orig_ax;
};

/* ---- task_on_seed ---- */

struct bpf_iter_meta {
	u64 session_id;
};

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
};

#pragma clang attribute pop

#endif /* __VMLINUX_H__ */
