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

/* epoll takes no regular files: some kernels give anonymous inodes this type */

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

static __always_inline void emit_ctl(struct lab_cpu_slot *cpu, struct task_struct *task, u32 id,
				     struct pt_regs *regs, u64 now)
{
	struct user_epoll_event event = {};
	struct lab_ev_epoll_ctl *e;
	u32 fd_flags = 0;

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
	e->fd_type = fd_read(task, e->fd, &fd_flags);
	if (!e->fd_type || e->fd_type == FD_TYPE_REGULAR)
		e->fd_type = fd_kind(task, e->fd);
	if (e->op != EPOLL_CTL_DEL && fd_is_own_end(task, e->fd, e->fd_type))
		e->fd_type = LAB_FD_OWN_END;
	e->head.flags = fd_flags & LAB_FD_LISTENING ? LAB_F_LISTENING : 0;
	__builtin_memset(e->pad, 0, sizeof(e->pad));
	record_submit(e);
}

/*
 * A global function of plain numbers: the verifier checks it once, not in each
 * turn of its caller's loop, which would take most of the steps it allows.
 */
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
