/* SPDX-License-Identifier: GPL-2.0-only */
#include "model/reasons.h"

#include "model/futex.h"
#include "util/minmax.h"

/* What a system call waits for when it sleeps interruptibly. */
enum call {
	CALL_OTHER = 0,
	CALL_FD,	/* what args[0] refers to decides */
	CALL_SOCKET,
	CALL_ACCEPT,
	CALL_POLL,
	CALL_EPOLL,
	CALL_SLEEP,
	CALL_SIGNAL,
	CALL_CHILD,
	CALL_VFORK,	/* waits for the child uninterruptibly */
	CALL_CLONE,	/* likewise, if told so */
	CALL_CLONE3,
	CALL_FUTEX,
	CALL_FUTEX_WAITV,
	CALL_FUTEX_WAIT,
	CALL_URING,
	CALL_AIO,
	CALL_FILELOCK,
	CALL_SEMAPHORE,
	CALL_QUEUE,	/* of messages */
	CALL_SYNC,	/* writes to the disk and waits, with or without the I/O-wait flag */
};

/* By number; CALL_OTHER where nothing stands. */
static const uint8_t calls_x86_64[] = {
	[0] = CALL_FD, [1] = CALL_FD,		/* read, write */
	[17] = CALL_FD, [18] = CALL_FD,	/* pread64, pwrite64 */
	[19] = CALL_FD, [20] = CALL_FD,	/* readv, writev */
	[40] = CALL_FD,			/* sendfile */
	[275] = CALL_FD, [276] = CALL_FD,	/* splice, tee */
	[278] = CALL_FD,			/* vmsplice */
	[295] = CALL_FD, [296] = CALL_FD,	/* preadv, pwritev */
	[327] = CALL_FD, [328] = CALL_FD,	/* preadv2, pwritev2 */
	[42] = CALL_SOCKET,			/* connect */
	[43] = CALL_ACCEPT, [288] = CALL_ACCEPT, /* accept, accept4 */
	[44] = CALL_SOCKET, [45] = CALL_SOCKET, /* sendto, recvfrom */
	[46] = CALL_SOCKET, [47] = CALL_SOCKET, /* sendmsg, recvmsg */
	[299] = CALL_SOCKET, [307] = CALL_SOCKET, /* recvmmsg, sendmmsg */
	[7] = CALL_POLL, [271] = CALL_POLL,	/* poll, ppoll */
	[23] = CALL_POLL, [270] = CALL_POLL,	/* select, pselect6 */
	[232] = CALL_EPOLL, [281] = CALL_EPOLL, /* epoll_wait, epoll_pwait */
	[441] = CALL_EPOLL,			/* epoll_pwait2 */
	[35] = CALL_SLEEP, [230] = CALL_SLEEP, /* nanosleep, clock_nanosleep */
	[34] = CALL_SIGNAL,			/* pause */
	[128] = CALL_SIGNAL, [130] = CALL_SIGNAL, /* rt_sigtimedwait, rt_sigsuspend */
	[61] = CALL_CHILD, [247] = CALL_CHILD, /* wait4, waitid */
	[58] = CALL_VFORK, [56] = CALL_CLONE, [435] = CALL_CLONE3,
	[202] = CALL_FUTEX, [449] = CALL_FUTEX_WAITV, [455] = CALL_FUTEX_WAIT,
	[426] = CALL_URING,			/* io_uring_enter */
	[208] = CALL_AIO, [333] = CALL_AIO,	/* io_getevents, io_pgetevents */
	[74] = CALL_SYNC, [75] = CALL_SYNC,	/* fsync, fdatasync */
	[162] = CALL_SYNC, [306] = CALL_SYNC,	/* sync, syncfs */
	[26] = CALL_SYNC, [277] = CALL_SYNC,	/* msync, sync_file_range */
	/* flock, fcntl: no other command of it sleeps so */
	[73] = CALL_FILELOCK, [72] = CALL_FILELOCK,
	[65] = CALL_SEMAPHORE, [220] = CALL_SEMAPHORE, /* semop, semtimedop */
	[69] = CALL_QUEUE, [70] = CALL_QUEUE,	/* msgsnd, msgrcv */
	[242] = CALL_QUEUE, [243] = CALL_QUEUE,	/* mq_timedsend, mq_timedreceive */
};

static const uint8_t calls_i386[] = {
	[362] = CALL_SOCKET,			/* connect */
	[364] = CALL_ACCEPT,			/* accept4 */
	[369] = CALL_SOCKET, [370] = CALL_SOCKET, /* sendto, sendmsg */
	[371] = CALL_SOCKET, [372] = CALL_SOCKET, /* recvfrom, recvmsg */
	[102] = CALL_SOCKET,			/* socketcall */
	[337] = CALL_SOCKET, [417] = CALL_SOCKET, /* recvmmsg, recvmmsg_time64 */
	[345] = CALL_SOCKET,			/* sendmmsg */
	[168] = CALL_POLL, [309] = CALL_POLL, [414] = CALL_POLL, /* poll, ppoll, ppoll_time64 */
	[82] = CALL_POLL, [142] = CALL_POLL,	/* select, _newselect */
	[308] = CALL_POLL, [413] = CALL_POLL,	/* pselect6, pselect6_time64 */
	[256] = CALL_EPOLL, [319] = CALL_EPOLL, /* epoll_wait, epoll_pwait */
	[441] = CALL_EPOLL,			/* epoll_pwait2 */
	[162] = CALL_SLEEP,			/* nanosleep */
	[267] = CALL_SLEEP, [407] = CALL_SLEEP, /* clock_nanosleep, _time64 */
	[29] = CALL_SIGNAL,			/* pause */
	[177] = CALL_SIGNAL, [421] = CALL_SIGNAL, /* rt_sigtimedwait, _time64 */
	[72] = CALL_SIGNAL, [179] = CALL_SIGNAL, /* sigsuspend, rt_sigsuspend */
	[7] = CALL_CHILD, [114] = CALL_CHILD, [284] = CALL_CHILD, /* waitpid, wait4, waitid */
	[190] = CALL_VFORK, [435] = CALL_CLONE3,
	[240] = CALL_FUTEX, [422] = CALL_FUTEX, [449] = CALL_FUTEX, [455] = CALL_FUTEX,
	[426] = CALL_URING,
	[247] = CALL_AIO, [385] = CALL_AIO, [416] = CALL_AIO, /* io_getevents, io_pgetevents */
	[118] = CALL_SYNC, [148] = CALL_SYNC,	/* fsync, fdatasync */
	[36] = CALL_SYNC, [344] = CALL_SYNC, [144] = CALL_SYNC, /* sync, syncfs, msync */
	[143] = CALL_FILELOCK,			/* flock */
	[55] = CALL_FILELOCK, [221] = CALL_FILELOCK, /* fcntl, fcntl64 */
	[420] = CALL_SEMAPHORE,			/* semtimedop_time64 */
	/* msgsnd, msgrcv; ipc(2) does not say which it is */
	[400] = CALL_QUEUE, [401] = CALL_QUEUE,
	[279] = CALL_QUEUE, [280] = CALL_QUEUE,	/* mq_timedsend, mq_timedreceive */
	[418] = CALL_QUEUE, [419] = CALL_QUEUE,	/* their _time64 */
};

#define STAT_FIFO 1		/* S_IFIFO >> 12 */
#define STAT_SOCKET 12		/* S_IFSOCK >> 12 */
#define CLONE_VFORK_BIT 0x4000u	/* CLONE_VFORK */

static enum call call_of(const struct sleep *sleep)
{
	const uint8_t *calls = calls_x86_64;
	size_t cnt = ARRAY_SIZE(calls_x86_64);

	if (sleep->flags & LAB_F_COMPAT) {
		calls = calls_i386;
		cnt = ARRAY_SIZE(calls_i386);
	}
	if (sleep->syscall < 0 || (size_t)sleep->syscall >= cnt)
		return CALL_OTHER;
	return calls[sleep->syscall];
}

/* The parent in vfork(2) sleeps killably; since 6.1 also freezably, as no kernel lock does. */
static bool waits_for_vfork(const struct sleep *sleep, enum call call)
{
	if (call == CALL_VFORK)
		return true;
	if (call == CALL_CLONE && sleep->args[0] & CLONE_VFORK_BIT)
		return true;
	return (call == CALL_CLONE || call == CALL_CLONE3) && sleep->state & LAB_STATE_FREEZABLE;
}

static enum reason uninterruptible(const struct sleep *sleep, enum call call)
{
	if (sleep->flags & LAB_F_IOWAIT) {
		bool fault = sleep->syscall == LAB_SYSCALL_NONE && !(sleep->flags & LAB_F_WORKER);

		return fault ? REASON_PAGEFAULT : REASON_DISK;
	}
	if (waits_for_vfork(sleep, call))
		return REASON_CHILD;
	/* A journal's commit is waited for without the flag; the memory-map lock killably. */
	if (call == CALL_SYNC && !(sleep->state & LAB_STATE_WAKEKILL))
		return REASON_DISK;
	return REASON_KERNEL;
}

static void classify_futex(const struct sleep *sleep, enum call call, struct model_span *span)
{
	uint32_t op = FUTEX_OP_WAIT, flags = FUTEX_FLAG_PRIVATE;

	/* Of a 32-bit call the address is not known, so nobody knows who else waited there. */
	if (sleep->flags & LAB_F_COMPAT) {
		span->reason = REASON_COND;
		return;
	}
	switch (call) {
	case CALL_FUTEX_WAITV:	/* the probe gives the first waiter: address, flags, value */
		op = FUTEX_OP_WAITV;
		flags = (uint32_t)sleep->args[1];
		break;
	case CALL_FUTEX_WAIT:	/* likewise, though the call has another order */
		flags = (uint32_t)sleep->args[1];
		break;
	default:
		op = (uint32_t)sleep->args[1] & FUTEX_OP_MASK;
		flags = (uint32_t)sleep->args[1];
	}
	if (!futex_op_waits(op)) {
		span->reason = REASON_OTHER;
		return;
	}
	span->flags |= SPAN_FUTEX | (sleep->futex_no_limit ? SPAN_NO_LIMIT : 0);
	span->reason = REASON_NONE;
	span->futex_op = (uint8_t)op;
	span->futex_private = !!(flags & FUTEX_FLAG_PRIVATE);
}

/*
 * How many descriptors poll was given; of select, what lies above them. Of a 32-bit call that is
 * not known: any number.
 */
static uint32_t polled_cnt(const struct sleep *sleep)
{
	if (sleep->flags & LAB_F_COMPAT)
		return UINT32_MAX;
	return (uint32_t)(sleep->syscall == 7 || sleep->syscall == 271 ? sleep->args[1] :
			  sleep->args[0]);
}

/* One descriptor, and no time limit: an event loop would wait for more. */
static bool polls_one(const struct sleep *sleep)
{
	if (polled_cnt(sleep) != 1)
		return false;
	return (sleep->syscall == 7 && (int32_t)sleep->args[2] < 0) ||
	       (sleep->syscall == 271 && !sleep->args[2]);
}

static enum reason descriptor(uint8_t fd_type)
{
	switch (fd_type) {
	case STAT_FIFO: return REASON_PIPE;
	case STAT_SOCKET: return REASON_SOCKET;
	case LAB_FD_EVENTFD: return REASON_EVENTFD;
	case LAB_FD_SIGNALFD: return REASON_SIGNAL;
	default: return REASON_OTHER;	/* a timerfd, too: tickers of runtimes read one (GHC) */
	}
}

static enum reason interruptible(const struct sleep *sleep, enum call call)
{
	switch (call) {
	case CALL_FD:
		return descriptor(sleep->fd_type);
	case CALL_SOCKET:
	case CALL_ACCEPT:
		return REASON_SOCKET;
	case CALL_POLL:
		return polled_cnt(sleep) ? REASON_POLL : REASON_SLEEP;
	case CALL_EPOLL:
		return REASON_EPOLL;
	case CALL_SLEEP:
		return REASON_SLEEP;
	case CALL_SIGNAL:
		return REASON_SIGNAL;
	case CALL_CHILD:
	case CALL_VFORK:
		return REASON_CHILD;
	case CALL_URING:
		return REASON_URING;
	case CALL_AIO:
	case CALL_SYNC:
		return REASON_DISK;
	case CALL_FILELOCK:
		return REASON_FILELOCK;
	case CALL_SEMAPHORE:
		return REASON_SEMAPHORE;
	case CALL_QUEUE:
		return REASON_QUEUE;
	case CALL_CLONE:
	case CALL_CLONE3:
	case CALL_FUTEX:
	case CALL_FUTEX_WAITV:
	case CALL_FUTEX_WAIT:
	case CALL_OTHER:
		break;
	}
	return REASON_OTHER;
}

/*
 * The freezer of cgroup v2 has a task sleep freezably on its way to user space. Out of a call it is
 * known by that: the one other such sleep, in a page fault, is not freezable. Before 6.1 neither
 * is.
 */
static bool is_stopped(const struct sleep *sleep)
{
	if (sleep->state & (LAB_STATE_STOPPED | LAB_STATE_TRACED | LAB_STATE_FROZEN))
		return true;
	return sleep->state & LAB_STATE_INTERRUPTIBLE && sleep->state & LAB_STATE_FREEZABLE &&
	       sleep->syscall == LAB_SYSCALL_NONE &&
	       !(sleep->flags & (LAB_F_WORKER | LAB_F_EXITING));
}

void reason_classify(const struct sleep *sleep, struct model_span *span)
{
	enum call call = call_of(sleep);

	span->syscall = sleep->syscall;
	if (sleep->flags & LAB_F_COMPAT)
		span->flags |= SPAN_COMPAT;
	else if (sleep->syscall != LAB_SYSCALL_NONE)
		span->addr = sleep->args[0];
	if (is_stopped(sleep)) {
		span->reason = REASON_STOPPED;
	} else if (sleep->state & LAB_STATE_UNINTERRUPTIBLE) {
		span->reason = uninterruptible(sleep, call);
	} else if (!(sleep->state & LAB_STATE_INTERRUPTIBLE)) {
		span->reason = REASON_OTHER;
	} else if (sleep->flags & LAB_F_WORKER) {
		span->reason = REASON_URING;
	} else if (call == CALL_FUTEX || call == CALL_FUTEX_WAITV || call == CALL_FUTEX_WAIT) {
		classify_futex(sleep, call, span);
	} else if (sleep->syscall == LAB_SYSCALL_NONE && !(sleep->flags & LAB_F_EXITING)) {
		/* that another task serves: userfaultfd(2) */
		span->reason = REASON_PAGEFAULT;
	} else {
		span->reason = interruptible(sleep, call);
		if (call == CALL_ACCEPT)
			span->flags |= SPAN_ACCEPT;
		if (call == CALL_POLL && polls_one(sleep))
			span->flags |= SPAN_OBSERVED;
	}
}
