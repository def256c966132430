/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_MODEL_REASONS_H
#define LAB_MODEL_REASONS_H

/*
 * reasons - why a task that left its CPU asleep is asleep, from its state,
 * the system call in its saved registers and the kind of file.
 *
 * Uninterruptible sleeps are told apart by the I/O-wait flag, not by the call: a call that
 * sleeps so without it waits for a lock of the kernel. Interruptible sleeps are told apart by
 * the call.
 * Numbers are those of x86_64 (arch/x86/entry/syscalls/syscall_64.tbl), or, for a 32-bit call, of
 * i386 (syscall_32.tbl), whose arguments, but for the third, are not in the registers that were
 * saved: a futex of a 32-bit program has no address here and pipes and sockets come out as "other".
 */

#include <stdint.h>

#include "model/model.h"

/* What is known at the switch-out (or when the task was marked, asleep). */
struct sleep {
	uint32_t state;		/* task->__state, as prev_state */
	uint8_t flags;		/* LAB_F_IOWAIT, LAB_F_COMPAT, LAB_F_WORKER */
	int32_t syscall;
	uint64_t args[3];
	uint8_t fd_type;	/* inode mode >> 12 */
	uint32_t futex_owner;	/* as the switch-out has it */
	bool futex_no_limit;	/* likewise */
};

/**
 * reason_classify() - fill a blocked span's reason
 * @span: gets reason, syscall, addr, and the flags SPAN_FUTEX (with futex_op, _contended, _private;
 *        the reason is then REASON_NONE, to be judged by futex.h), SPAN_ACCEPT and SPAN_COMPAT
 */
void reason_classify(const struct sleep *sleep, struct model_span *span);

#endif /* LAB_MODEL_REASONS_H */
