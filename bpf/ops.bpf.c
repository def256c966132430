/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ops - the system-call hooks behind --ops: which file descriptors an event
 * loop waits for, and which become ready. They cost every system call of the machine
 * about 0.1 us while they are attached, so they are opt-in.
 */

#include "probe.bpf.h"

/* asm/unistd_64.h */
#define SYSCALL_EPOLL_WAIT	232
#define SYSCALL_EPOLL_CTL	233
#define SYSCALL_EPOLL_PWAIT	281
#define SYSCALL_EPOLL_PWAIT2	441

#define EPOLL_CTL_DEL	2

/* What pipe(2) and socketpair(2) return are neighbours where nothing was closed before. */
#define ENDS_APART	16

/* linux/eventpoll.h; packed on x86-64 */
struct user_epoll_event {
	u32 events;
	u64 data;
} __attribute__((packed));

/* Calls with more ready events than this are counted, not named. */
#define READY_RECORDS_MAX 64

static __always_inline bool waits_in_epoll(long nr)
{
	return nr == SYSCALL_EPOLL_WAIT || nr == SYSCALL_EPOLL_PWAIT || nr == SYSCALL_EPOLL_PWAIT2;
}

SEC("?tp_btf/sys_enter")
int BPF_PROG(ops_on_enter, struct pt_regs *regs, long nr)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct lab_task_mark *mark;

	if (!lab_armed || !waits_in_epoll(nr))
		return 0;
	mark = task_mark(task);
	if (mark)
		mark->enter_ns = bpf_ktime_get_ns();
	return 0;
}

/* The other end's inode: of a pipe its own, of a connected UNIX socket its peer's; else 0. */
static __always_inline u64 other_inode(u64 address, u32 type)
{
	struct file *file = (struct file *)address;
	struct socket *socket;
	struct sock *sk;

	if (type == FD_TYPE_PIPE)
		return (u64)BPF_CORE_READ(file, f_inode);
	if (type != FD_TYPE_SOCKET || !bpf_core_type_exists(struct unix_sock))
		return 0;
	socket = BPF_CORE_READ(file, private_data);
	sk = BPF_CORE_READ(socket, sk);
	if (BPF_CORE_READ(sk, __sk_common.skc_family) != AF_UNIX)
		return 0;
	return (u64)BPF_CORE_READ((struct unix_sock *)sk, peer, sk_socket, file, f_inode);
}

/*
 * Whether @fd, of this type, is one end of a pipe, or of a pair of UNIX sockets, and the other end
 * is in the same table, at most ENDS_APART descriptors away.
 */
__noinline bool fd_is_own_end(u64 files, u32 fd, u32 type)
{
	u64 file = file_of(files, fd), inode = file ? other_inode(file, type) : 0, near;
	u32 first = fd > ENDS_APART ? fd - ENDS_APART : 0;

	if (!inode)
		return false;
	for (u32 i = 0; i <= 2 * ENDS_APART; i++) {
		near = file_of(files, first + i);
		if (near && near != file &&
		    (u64)BPF_CORE_READ((struct file *)near, f_inode) == inode)
			return true;
	}
	return false;
}

static __always_inline void emit_ctl(struct lab_cpu_slot *cpu, struct task_struct *task, u32 id,
				     struct pt_regs *regs, u64 now)
{
	u64 files = files_of(task), file = file_of(files, regs->dx);
	struct user_epoll_event event = {};
	struct lab_ev_epoll_ctl *e;

	e = record_reserve(cpu, LAB_EV_EPOLL_CTL, sizeof(*e), id, now);
	if (!e)
		return;
	e->epfd = regs->di;
	e->op = regs->si;
	e->fd = regs->dx;
	if (e->op != EPOLL_CTL_DEL)
		bpf_probe_read_user(&event, sizeof(event), (void *)regs->r10);
	e->events = event.events;
	e->data = event.data;
	e->fd_type = file ? file_type(file) : 0;
	if (e->fd_type == FD_TYPE_SOCKET && file_listens(file))
		e->head.flags = LAB_F_LISTENING;
	/* epoll takes no regular files: some kernels give anonymous inodes this type. */
	if (file && (!e->fd_type || e->fd_type == FD_TYPE_REGULAR))
		e->fd_type = file_kind(file);
	if (e->op != EPOLL_CTL_DEL && fd_is_own_end(files, e->fd, e->fd_type))
		e->fd_type = LAB_FD_OWN_END;
	__builtin_memset(e->pad, 0, sizeof(e->pad));
	record_submit(e);
}

__noinline int emit_ready(u32 id, s32 epfd, u64 user, u32 cnt, u64 now)
{
	struct lab_cpu_slot *cpu = cpu_slot();
	struct lab_ev_epoll_ready *e;
	u32 bytes = cnt * sizeof(struct user_epoll_event);

	if (!cpu)
		return 0;
	e = record_reserve(cpu, LAB_EV_EPOLL_READY, sizeof(*e), id, now);
	if (!e)
		return 0;
	e->epfd = epfd;
	e->cnt = cnt;
	__builtin_memset(e->ready, 0, sizeof(e->ready));
	/* Old verifiers forget the bounds of what was kept on the stack: test what is used. */
	barrier_var(bytes);
	if (bytes > sizeof(e->ready) || bpf_probe_read_user(e->ready, bytes, (void *)user))
		e->head.flags = LAB_F_UNREAD;
	record_submit(e);
	return 0;
}

SEC("?tp_btf/sys_exit")
int BPF_PROG(ops_on_exit, struct pt_regs *regs, long ret)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct lab_ev_epoll_wait *e;
	struct lab_cpu_slot *cpu;
	struct lab_task_mark *mark;
	long nr = regs->orig_ax;
	u64 now;
	u32 i;

	if (!lab_armed || (nr != SYSCALL_EPOLL_CTL && !waits_in_epoll(nr)))
		return 0;
	now = bpf_ktime_get_ns();
	mark = task_mark(task);
	if (!mark)
		return 0;
	cpu = cpu_slot();
	if (!cpu)
		return 0;
	if (nr == SYSCALL_EPOLL_CTL) {
		if (!ret)
			emit_ctl(cpu, task, mark->id, regs, now);
		return 0;
	}
	e = record_reserve(cpu, LAB_EV_EPOLL_WAIT, sizeof(*e), mark->id, now);
	if (e) {
		e->enter_ns = mark->enter_ns;
		e->epfd = regs->di;
		e->ready = ret;
		record_submit(e);
	}
	mark->enter_ns = 0;
	if (ret <= 0)
		return 0;
	for (i = 0; i < READY_RECORDS_MAX; i++) {
		u32 done = i * LAB_READY_MAX;
		u32 cnt;

		if (done >= (u32)ret)
			return 0;
		cnt = (u32)ret - done;
		if (cnt > LAB_READY_MAX)
			cnt = LAB_READY_MAX;
		emit_ready(mark->id, regs->di,
			   regs->si + done * sizeof(struct user_epoll_event), cnt, now);
	}
	if ((u32)ret > READY_RECORDS_MAX * LAB_READY_MAX)
		__sync_fetch_and_add(&lab_counts.ready_unseen,
				     (u32)ret - READY_RECORDS_MAX * LAB_READY_MAX);
	return 0;
}
