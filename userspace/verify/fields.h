/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_VERIFY_FIELDS_H
#define LAB_VERIFY_FIELDS_H

/* fields - those that section 11 of docs/trace-format.md names. For columns.c alone. */

#include "verify/reader.h"

/* The fields of section 11. One that is wider in a file, or a text instead of a number, is refused. */
struct known {
	const char *name;
	int16_t slot;		/* UNUSED: decoded and forgotten */
	uint8_t bytes;
	uint32_t kinds;		/* bits; 0: all but row's own */
};

#define UNUSED (-1)
#define TEXT 16			/* bytes of a text; what has more than 8 is one */
#define K(kind) (1u << KIND_##kind)
#define MASK_WORDS 16		/* of an affinity record */
#define BORN (K(NEW) | K(SEED))

static const struct known known[] = {
	{ "task", F_TASK, 4, 0 },
	{ "flags", F_FLAGS, 1, 0 },
	{ "nvcsw", F_NVCSW, 8, K(OUT) | BORN | K(TASK_TOTAL) },
	{ "nivcsw", F_NIVCSW, 8, K(OUT) | BORN | K(TASK_TOTAL) },
	{ "sum_exec_ns", F_SUM_EXEC, 8, K(OUT) | BORN | K(TASK_TOTAL) },
	{ "migrations", F_MIGRATIONS, 4, K(OUT) | BORN | K(TASK_TOTAL) | K(MIGRATE) },
	{ "syscall", F_SYSCALL, 4, K(OUT) | BORN },
	{ "arg0", F_ARG0, 8, K(OUT) | BORN },
	{ "arg1", F_ARG1, 8, K(OUT) | BORN },
	{ "arg2", F_ARG2, 8, K(OUT) | BORN },
	{ "fd_type", F_FD_TYPE, 1, K(OUT) | BORN | K(CTL) },
	{ "futex_owner", F_OWNER, 4, K(OUT) },
	{ "prev_state", F_STATE, 4, K(OUT) },
	{ "state", F_STATE, 4, BORN },
	{ "clock_task_ns", F_CLOCK, 8, K(OUT) | K(IN) },
	{ "next_id", F_NEXT_ID, 4, K(OUT) },
	{ "exec_start_ns", F_EXEC_START, 8, K(OUT) },
	{ "prev_since_ns", F_SINCE, 8, K(IN) | K(CLASS) },
	{ "waker_id", F_WAKER_ID, 4, K(WAKING) },
	{ "waker_tid", F_WAKER_TID, 4, K(WAKING) },
	{ "waker_syscall", F_WAKER_SYSCALL, 4, K(WAKING) },
	{ "waker_arg0", F_WAKER_ARG0, 8, K(WAKING) },
	{ "orig_cpu", F_ORIG_CPU, 4, K(MIGRATE) },
	{ "dest_cpu", F_DEST_CPU, 4, K(MIGRATE) | K(WAKEUP_NEW) },
	{ "parent_id", F_PARENT, 4, BORN },
	{ "tid", F_TID, 4, BORN | K(EXEC) },
	{ "tgid", F_TGID, 4, BORN },
	{ "clone_flags", F_CLONE, 8, BORN },
	{ "on_cpu", F_ON_CPU, 1, BORN },
	{ "task_cpu", F_TASK_CPU, 2, BORN },
	{ "epfd", F_EPFD, 4, K(CTL) | K(READY) },
	{ "fd", F_FD, 4, K(CTL) },
	{ "op", F_OP, 4, K(CTL) },
	{ "data", F_DATA, 8, K(CTL) },
	{ "cnt", F_CNT, 4, K(READY) },
	{ "switch_outs", F_OUTS, 8, K(TASK_TOTAL) },
	{ "migrates", F_MIGRATES, 8, K(TASK_TOTAL) },
	{ "dead", F_DEAD, 4, K(TASK_TOTAL) },
	{ "seq_end", F_SEQ_END, 8, K(CPU_TOTAL) },
	{ "refused", F_REFUSED, 8, K(CPU_TOTAL) },
	{ "next_tid", UNUSED, 4, K(OUT) | K(CLASS) },
	{ "next_class", UNUSED, 1, K(OUT) | K(CLASS) },
	{ "steal_ns", UNUSED, 8, K(OUT) | K(IN) },
	{ "fd_flags", UNUSED, 2, K(OUT) },
	{ "prev_tid", UNUSED, 4, K(IN) | K(CLASS) },
	{ "prev_class", UNUSED, 1, K(IN) | K(CLASS) },
	{ "last_class", UNUSED, 1, K(CLASS) },
	{ "prev_comm", UNUSED, TEXT, K(IN) | K(CLASS) },
	{ "waker_comm", UNUSED, TEXT, K(WAKING) },
	{ "state", UNUSED, 4, K(WAKING) },
	{ "policy", UNUSED, 4, BORN },
	{ "nice", UNUSED, 4, BORN },
	{ "comm", UNUSED, TEXT, BORN | K(EXEC) | K(RENAME) },
	{ "old_tid", UNUSED, 4, K(EXEC) },
	{ "exit_code", UNUSED, 4, K(EXIT) },
	{ "events", UNUSED, 4, K(CTL) },
	{ "epfd", UNUSED, 4, K(WAIT) },
	{ "ready", UNUSED, 4, K(WAIT) },
	{ "enter_ns", UNUSED, 8, K(WAIT) },
	{ "last_ns", UNUSED, 8, K(TASK_TOTAL) },
	{ "refused_first_ns", UNUSED, 8, K(CPU_TOTAL) },
	{ "refused_last_ns", UNUSED, 8, K(CPU_TOTAL) },
	{ "queue_cpu", F_DEST_CPU, 4, K(THROTTLE) },
	{ "group", UNUSED, 4, K(GROUP) | K(THROTTLE) },
	{ "text", F_TEXT, MARKER_TEXT_MAX, K(MARKER) },
};

/* The fields of group 0, all needed. */
enum { ROW_KIND, ROW_CPU, ROW_TS, ROW_SEQ, ROW_CNT };
static const struct known row_known[ROW_CNT] = {
	{ "kind", UNUSED, 1, 0 }, { "cpu", UNUSED, 2, 0 }, { "ts_ns", UNUSED, 8, 0 },
	{ "seq", UNUSED, 8, 0 },
};

#endif /* LAB_VERIFY_FIELDS_H */
