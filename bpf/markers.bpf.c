/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * markers - what a program says it is doing, by a system call that has no effect: access(2) and its
 * kin on a path that begins with "lab:". Any language can make it, without a library.
 */

#include "probe.bpf.h"

/* asm/unistd_64.h */
#define SYSCALL_ACCESS		21
#define SYSCALL_FACCESSAT	269
#define SYSCALL_FACCESSAT2	439

#define PREFIX_LEN (sizeof(LAB_MARKER_PREFIX) - 1)

/* An unreadable path is no marker: the kernel, which just read it, would have failed as well. */
static __always_inline bool is_marker(const char *path)
{
	char start[PREFIX_LEN];

	if (bpf_probe_read_user(start, sizeof(start), path))
		return false;
	for (u32 i = 0; i < sizeof(start); i++)
		if (start[i] != LAB_MARKER_PREFIX[i])
			return false;
	return true;
}

/* On the way out: the kernel has read the path, so its page is there. */
SEC("?tp_btf/sys_exit")
int BPF_PROG(markers_on_exit, struct pt_regs *regs, long ret)
{
	long nr = regs->orig_ax;
	struct lab_ev_marker *e;
	struct lab_cpu_slot *cpu;
	struct lab_task_mark *mark;
	const char *path;
	u64 now;

	if (!lab_armed ||
	    (nr != SYSCALL_ACCESS && nr != SYSCALL_FACCESSAT && nr != SYSCALL_FACCESSAT2))
		return 0;
	now = bpf_ktime_get_ns();
	mark = task_mark(bpf_get_current_task_btf());
	if (!mark)
		return 0;
	path = (const char *)(nr == SYSCALL_ACCESS ? regs->di : regs->si);
	if (!is_marker(path))
		return 0;
	cpu = cpu_slot();
	if (!cpu)
		return 0;
	e = record_reserve(cpu, LAB_EV_MARKER, sizeof(*e), mark->id, now);
	if (!e)
		return 0;
	__builtin_memset(e->text, 0, sizeof(e->text));
	if (bpf_probe_read_user_str(e->text, sizeof(e->text), path + PREFIX_LEN) < 0)
		e->head.flags = LAB_F_MARKER_UNREAD;
	record_submit(e);
	return 0;
}
