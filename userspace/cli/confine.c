/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "util/alloc.h"
#include "util/log.h"
#include "util/minmax.h"

#if defined(__x86_64__)
#define OWN_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define OWN_ARCH AUDIT_ARCH_AARCH64
#else
#error "which architecture do system calls have here?"
#endif

/* x86-64: of system calls with another ABI; elsewhere there are not so many */
#define X32_BIT 0x40000000
#define WRITE_FLAGS (O_WRONLY | O_RDWR | O_CREAT | O_TRUNC)

/* By name, as the headers know them. */
static const unsigned int refused[] = {
#ifdef SYS_open		/* the older ways, which newer architectures do not have */
	SYS_creat, SYS_rename, SYS_unlink, SYS_rmdir, SYS_mkdir, SYS_mknod, SYS_link, SYS_symlink,
	SYS_chmod,
	SYS_chown, SYS_lchown, SYS_utime, SYS_utimes, SYS_futimesat, SYS_fork, SYS_vfork,
#endif
#ifdef SYS_renameat
	SYS_renameat,
#endif
	SYS_renameat2, SYS_unlinkat, SYS_mkdirat, SYS_mknodat, SYS_linkat, SYS_symlinkat,
	SYS_fchmod, SYS_fchmodat, SYS_fchown, SYS_fchownat, SYS_truncate, SYS_utimensat,
	SYS_setxattr, SYS_lsetxattr, SYS_fsetxattr, SYS_removexattr, SYS_lremovexattr,
	SYS_fremovexattr,
	SYS_open_by_handle_at, SYS_openat2, SYS_execve, SYS_execveat,
	SYS_socket, SYS_socketpair, SYS_connect, SYS_bind, SYS_sendto, SYS_sendmsg, SYS_sendmmsg,
	SYS_tkill, SYS_rt_sigqueueinfo, SYS_rt_tgsigqueueinfo, SYS_pidfd_open,
	SYS_pidfd_send_signal,
	SYS_pidfd_getfd, SYS_ptrace, SYS_process_vm_readv, SYS_process_vm_writev,
	SYS_process_madvise,
	SYS_kcmp, SYS_setpriority, SYS_sched_setscheduler, SYS_sched_setattr, SYS_sched_setparam,
	SYS_bpf, SYS_perf_event_open, SYS_userfaultfd, SYS_io_uring_setup, SYS_io_uring_enter,
	SYS_io_uring_register, SYS_mount, SYS_umount2, SYS_move_mount, SYS_open_tree, SYS_fsopen,
	SYS_fsconfig, SYS_fsmount, SYS_fspick, SYS_pivot_root, SYS_chroot, SYS_unshare, SYS_setns,
	SYS_add_key, SYS_request_key, SYS_keyctl, SYS_shmget, SYS_msgget, SYS_semget, SYS_mq_open,
	SYS_mq_unlink, SYS_inotify_init1, SYS_fanotify_init, SYS_quotactl, SYS_acct,
	SYS_personality,
};

/* ---- the filter ---- */

struct filter {
	struct sock_filter *code;
	size_t cnt, cap;
};

static void put(struct filter *f, struct sock_filter instruction)
{
	*vec_push(f->code, f->cnt, f->cap) = instruction;
}

static void load(struct filter *f, size_t off)
{
	put(f, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)off));
}

static void give(struct filter *f, uint32_t answer)
{
	put(f, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, answer));
}

/* Go on with the next instruction if the comparison says @wanted, else skip @skip of them. */
static void only_if(struct filter *f, uint16_t comparison, uint32_t value, bool wanted,
		    uint8_t skip)
{
	put(f, (struct sock_filter)BPF_JUMP(BPF_JMP | comparison | BPF_K, value, wanted ? 0 : skip,
					    wanted ? skip : 0));
}

static void refuse_if(struct filter *f, uint16_t comparison, uint32_t value, bool wanted)
{
	only_if(f, comparison, value, wanted, 1);
	give(f, SECCOMP_RET_ERRNO | EPERM);
}

/* A system call that is refused by one of its arguments, of which the low half counts. */
static void refuse_argument(struct filter *f, unsigned int call, unsigned int argument,
			    uint16_t comparison,
			    uint32_t value, bool wanted)
{
	only_if(f, BPF_JEQ, call, true, 4);
	load(f, offsetof(struct seccomp_data, args) + argument * sizeof(uint64_t) +
		(__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? sizeof(uint32_t) : 0));
	refuse_if(f, comparison, value, wanted);
	give(f, SECCOMP_RET_ALLOW);
}

static void make(struct filter *f)
{
	load(f, offsetof(struct seccomp_data, arch));
	refuse_if(f, BPF_JEQ, OWN_ARCH, false);
	load(f, offsetof(struct seccomp_data, nr));
	refuse_if(f, BPF_JGE, X32_BIT, true);
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
		refuse_if(f, BPF_JEQ, refused[i], true);
#ifdef SYS_open
	refuse_argument(f, SYS_open, 1, BPF_JSET, WRITE_FLAGS, true);
#endif
	refuse_argument(f, SYS_openat, 2, BPF_JSET, WRITE_FLAGS, true);
	refuse_argument(f, SYS_ioctl, 1, BPF_JEQ, TIOCSTI, true);
	/* To itself, as raise(3) does. */
	refuse_argument(f, SYS_kill, 0, BPF_JEQ, (uint32_t)getpid(), false);
	refuse_argument(f, SYS_tgkill, 0, BPF_JEQ, (uint32_t)getpid(), false);
	give(f, SECCOMP_RET_ALLOW);
}

int confine_reader(void)
{
	struct filter f = { 0 };
	struct sock_fprog program;
	int err = 0;

	make(&f);
	program = (struct sock_fprog){ .len = (unsigned short)f.cnt, .filter = f.code };
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0))
		err = -errno;
	free(f.code);
	if (err == -EINVAL || err == -ENOSYS)
		return 0;
	if (err)
		log_err("cannot confine the process that reads the trace: %s", strerror(-err));
	return err;
}
