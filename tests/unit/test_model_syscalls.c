/* SPDX-License-Identifier: GPL-2.0-only */
#include <sys/syscall.h>

#include "model/syscalls.h"
#include "unit.h"
#include "util/minmax.h"

/* One near each end of a line of the table: a name too many or too few moves all behind it. */
TEST(model_syscalls_have_their_kernel_names)
{
	static const struct {
		int32_t nr;
		const char *name;
	} calls[] = {
		{ SYS_read, "read" }, { SYS_pread64, "pread64" }, { SYS_nanosleep, "nanosleep" },
		{ SYS_listen, "listen" }, { SYS_flock, "flock" }, { SYS_fsync, "fsync" },
		{ SYS_ptrace, "ptrace" }, { SYS_rt_sigtimedwait, "rt_sigtimedwait" },
		{ SYS_reboot, "reboot" }, { SYS_futex, "futex" },
		{ SYS_io_getevents, "io_getevents" }, { SYS_epoll_wait, "epoll_wait" },
		{ SYS_openat, "openat" }, { SYS_splice, "splice" },
		{ SYS_epoll_pwait, "epoll_pwait" }, { SYS_syncfs, "syncfs" },
		{ SYS_execveat, "execveat" }, { SYS_rseq, "rseq" },
		{ SYS_pidfd_send_signal, "pidfd_send_signal" },
		{ SYS_io_uring_enter, "io_uring_enter" }, { SYS_clone3, "clone3" },
		{ SYS_epoll_pwait2, "epoll_pwait2" }, { SYS_futex_waitv, "futex_waitv" },
		{ 455, "futex_wait" }, { 462, "mseal" }, { 469, "file_setattr" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		CHECK_STR(syscall_name(calls[i].nr), calls[i].name);
}

TEST(model_syscalls_without_a_name)
{
	static const int32_t none[] = {
		LAB_SYSCALL_NONE, 336, 423, 470, 1 << 30 /* x32's bit */, INT32_MAX, INT32_MIN,
	};

	for (size_t i = 0; i < ARRAY_SIZE(none); i++)
		CHECK(!syscall_name(none[i]));
	CHECK(!span_syscall_name(&(struct model_span){ .syscall = SYS_fsync,
						       .flags = SPAN_COMPAT }));
	CHECK_STR(span_syscall_name(&(struct model_span){ .syscall = SYS_fsync }), "fsync");
}
