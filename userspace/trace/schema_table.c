/* SPDX-License-Identifier: GPL-2.0-only */

#include "trace/schema_table.h"

#include "lab_event.h"
#include "trace/schema.h"
#include "trace/trace.h"
#include "util/minmax.h"

#define AT(s, m) .off = offsetof(struct s, m), .bytes = sizeof(((struct s *)0)->m)
#define UINT(s, m, ...) { .name = #m, AT(s, m), .type = SCHEMA_UINT, __VA_ARGS__ }
#define INT(s, m, ...) { .name = #m, AT(s, m), .type = SCHEMA_INT, __VA_ARGS__ }
#define TEXT(s, m, ...) { .name = #m, AT(s, m), .type = SCHEMA_TEXT, __VA_ARGS__ }
#define ITEM(s, label, m, ...) { .name = label, AT(s, m), .type = SCHEMA_UINT, __VA_ARGS__ }

#define PLAIN .form = SCHEMA_PLAIN
#define SIGNED .form = SCHEMA_ZIGZAG
#define PREV .form = SCHEMA_ZIGZAG, .pred = SCHEMA_PRED_ROW
#define RISING .form = SCHEMA_PLAIN, .pred = SCHEMA_PRED_ROW
#define BY(k) .form = SCHEMA_ZIGZAG, .pred = SCHEMA_PRED_KEY, .key = k
#define FROM(b) .form = SCHEMA_ZIGZAG, .base = b
#define CPU .is_cpu = true

#define SUBJECT(how) \
	{ .name = "task", AT(lab_ev_head, task), .type = SCHEMA_UINT, how }, \
	{ .name = "flags", AT(lab_ev_head, flags), .type = SCHEMA_UINT, BY("task") }

static const struct field_def row_fields[] = {
	UINT(lab_ev_head, kind, PLAIN),
	UINT(lab_ev_head, cpu, PLAIN, CPU),
	UINT(lab_ev_head, ts_ns, RISING),
	UINT(lab_ev_head, seq, BY("cpu")),
};

static const struct field_def switch_out_fields[] = {
	SUBJECT(BY("cpu")),
	UINT(lab_ev_switch_out, next_id, BY("task")),
	UINT(lab_ev_switch_out, next_tid, BY("next_id")),
	UINT(lab_ev_switch_out, next_class, BY("next_id")),
	UINT(lab_ev_switch_out, prev_state, BY("task")),
	INT(lab_ev_switch_out, syscall, BY("task")),
	UINT(lab_ev_switch_out, nvcsw, BY("task")),
	UINT(lab_ev_switch_out, nivcsw, BY("task")),
	UINT(lab_ev_switch_out, migrations, BY("task")),
	UINT(lab_ev_switch_out, clock_task_ns, BY("cpu"), .base = "ts_ns"),
	UINT(lab_ev_switch_out, exec_start_ns, FROM("clock_task_ns")),
	UINT(lab_ev_switch_out, sum_exec_ns, BY("task")),
	UINT(lab_ev_switch_out, steal_ns, BY("cpu")),
	ITEM(lab_ev_switch_out, "arg0", args[0], BY("task")),
	ITEM(lab_ev_switch_out, "arg1", args[1], BY("task")),
	ITEM(lab_ev_switch_out, "arg2", args[2], BY("task")),
	UINT(lab_ev_switch_out, fd_type, BY("task")),
	UINT(lab_ev_switch_out, fd_flags, BY("task")),
	UINT(lab_ev_switch_out, futex_owner, BY("task")),
};

static const struct field_def switch_in_fields[] = {
	SUBJECT(BY("cpu")),
	UINT(lab_ev_switch_in, prev_tid, BY("cpu")),
	UINT(lab_ev_switch_in, prev_class, BY("prev_tid")),
	TEXT(lab_ev_switch_in, prev_comm, BY("prev_tid")),
	UINT(lab_ev_switch_in, clock_task_ns, BY("cpu"), .base = "ts_ns"),
	UINT(lab_ev_switch_in, steal_ns, BY("cpu")),
	UINT(lab_ev_switch_in, prev_since_ns, FROM("ts_ns")),
};

static const struct field_def cpu_class_fields[] = {
	SUBJECT(PLAIN),
	UINT(lab_ev_cpu_class, prev_tid, BY("cpu")),
	UINT(lab_ev_cpu_class, next_tid, BY("cpu")),
	UINT(lab_ev_cpu_class, prev_class, BY("prev_tid")),
	UINT(lab_ev_cpu_class, next_class, BY("next_tid")),
	UINT(lab_ev_cpu_class, last_class, BY("prev_tid")),
	TEXT(lab_ev_cpu_class, prev_comm, BY("prev_tid")),
	UINT(lab_ev_cpu_class, prev_since_ns, FROM("ts_ns")),
};

static const struct field_def waking_fields[] = {
	SUBJECT(BY("cpu")),
	UINT(lab_ev_waking, waker_id, BY("task")),
	UINT(lab_ev_waking, waker_tid, BY("waker_id")),
	TEXT(lab_ev_waking, waker_comm, BY("waker_tid")),
	INT(lab_ev_waking, waker_syscall, BY("waker_id")),
	UINT(lab_ev_waking, waker_arg0, BY("waker_id")),
	UINT(lab_ev_waking, state, BY("task")),
};

static const struct field_def wakeup_new_fields[] = {
	SUBJECT(PREV),
	UINT(lab_ev_wakeup_new, dest_cpu, PLAIN, CPU),
};

static const struct field_def migrate_fields[] = {
	SUBJECT(BY("cpu")),
	UINT(lab_ev_migrate, orig_cpu, PLAIN, CPU),
	UINT(lab_ev_migrate, dest_cpu, PLAIN, CPU),
	UINT(lab_ev_migrate, migrations, BY("task")),
};

static const struct field_def task_fields[] = {
	SUBJECT(PREV),
	UINT(lab_ev_task, parent_id, PREV),
	UINT(lab_ev_task, tid, PREV),
	UINT(lab_ev_task, tgid, BY("parent_id")),
	UINT(lab_ev_task, policy, PREV),
	INT(lab_ev_task, nice, PREV),
	UINT(lab_ev_task, state, PREV),
	UINT(lab_ev_task, clone_flags, PREV),
	UINT(lab_ev_task, nvcsw, PREV),
	UINT(lab_ev_task, nivcsw, PREV),
	UINT(lab_ev_task, sum_exec_ns, PREV),
	UINT(lab_ev_task, migrations, PREV),
	INT(lab_ev_task, syscall, PREV),
	ITEM(lab_ev_task, "arg0", args[0], PREV),
	ITEM(lab_ev_task, "arg1", args[1], PREV),
	ITEM(lab_ev_task, "arg2", args[2], PREV),
	UINT(lab_ev_task, on_cpu, PLAIN),
	UINT(lab_ev_task, fd_type, PREV),
	UINT(lab_ev_task, task_cpu, PLAIN, CPU),
	TEXT(lab_ev_task, comm, PREV),
};

static const struct field_def exec_fields[] = {
	SUBJECT(PREV),
	UINT(lab_ev_exec, tid, PREV),
	UINT(lab_ev_exec, old_tid, FROM("tid")),
	TEXT(lab_ev_exec, comm, PREV),
};

static const struct field_def exit_fields[] = {
	SUBJECT(PREV),
	UINT(lab_ev_exit, exit_code, PREV),
};

static const struct field_def rename_fields[] = {
	SUBJECT(PREV),
	TEXT(lab_ev_rename, comm, PREV),
};

static const struct field_def epoll_ctl_fields[] = {
	SUBJECT(BY("cpu")),
	INT(lab_ev_epoll_ctl, epfd, BY("task")),
	INT(lab_ev_epoll_ctl, fd, BY("task")),
	UINT(lab_ev_epoll_ctl, op, BY("fd")),
	UINT(lab_ev_epoll_ctl, events, BY("fd")),
	UINT(lab_ev_epoll_ctl, data, BY("fd")),
	UINT(lab_ev_epoll_ctl, fd_type, BY("fd")),
};

static const struct field_def epoll_wait_fields[] = {
	SUBJECT(BY("cpu")),
	INT(lab_ev_epoll_wait, epfd, BY("task")),
	INT(lab_ev_epoll_wait, ready, BY("task")),
	UINT(lab_ev_epoll_wait, enter_ns, FROM("ts_ns")),
};

#define READY(n) \
	ITEM(lab_ev_epoll_ready, "ready" #n "_events", ready[n].events, BY("task")), \
	ITEM(lab_ev_epoll_ready, "ready" #n "_data_lo", ready[n].data_lo, BY("task")), \
	ITEM(lab_ev_epoll_ready, "ready" #n "_data_hi", ready[n].data_hi, BY("task"))

static const struct field_def epoll_ready_fields[] = {
	SUBJECT(BY("cpu")),
	INT(lab_ev_epoll_ready, epfd, BY("task")),
	UINT(lab_ev_epoll_ready, cnt, BY("task")),
	READY(0), READY(1), READY(2), READY(3), READY(4), READY(5), READY(6), READY(7),
	READY(8), READY(9), READY(10), READY(11), READY(12), READY(13), READY(14), READY(15),
};
_Static_assert(LAB_READY_MAX == 16, "one READY() each");

static const struct field_def marker_fields[] = {
	SUBJECT(BY("cpu")),
	TEXT(lab_ev_marker, text, PREV),
};

static const struct field_def task_total_fields[] = {
	SUBJECT(PREV),
	UINT(lab_ev_task_total, last_ns, PREV),
	UINT(lab_ev_task_total, switch_outs, PREV),
	UINT(lab_ev_task_total, nvcsw, PREV),
	UINT(lab_ev_task_total, nivcsw, PREV),
	UINT(lab_ev_task_total, sum_exec_ns, PREV),
	UINT(lab_ev_task_total, migrates, PREV),
	UINT(lab_ev_task_total, migrations, PREV),
	UINT(lab_ev_task_total, dead, PLAIN),
};

static const struct field_def cpu_total_fields[] = {
	SUBJECT(PREV),
	UINT(lab_ev_cpu_total, seq_end, PREV),
	UINT(lab_ev_cpu_total, refused, PREV),
	UINT(lab_ev_cpu_total, refused_first_ns, PREV),
	UINT(lab_ev_cpu_total, refused_last_ns, FROM("refused_first_ns")),
};

#define WORD(n) ITEM(lab_ev_affinity, "word" #n, words[n], PREV)

static const struct field_def affinity_fields[] = {
	SUBJECT(PREV),
	WORD(0), WORD(1), WORD(2), WORD(3), WORD(4), WORD(5), WORD(6), WORD(7),
	WORD(8), WORD(9), WORD(10), WORD(11), WORD(12), WORD(13), WORD(14), WORD(15),
};
_Static_assert(LAB_MASK_WORDS == 16, "one WORD() each");

static const struct field_def group_fields[] = {
	SUBJECT(PREV),
	UINT(lab_ev_group, group, PREV),
	UINT(lab_ev_group, quota_milli, PREV),
};

static const struct field_def throttle_fields[] = {
	SUBJECT(PLAIN),
	UINT(lab_ev_throttle, queue_cpu, PLAIN, CPU),
	UINT(lab_ev_throttle, group, PREV),
};

#define GROUP(id, label, size, table) { id, label, size, table, ARRAY_SIZE(table) }
#define KIND(id, label, s, table) GROUP(id, label, sizeof(struct s), table)

const struct group_def schema_groups[] = {
	GROUP(0, "row", 0, row_fields),
	KIND(LAB_EV_SWITCH_OUT, "switch_out", lab_ev_switch_out, switch_out_fields),
	KIND(LAB_EV_SWITCH_IN, "switch_in", lab_ev_switch_in, switch_in_fields),
	KIND(LAB_EV_CPU_CLASS, "cpu_class", lab_ev_cpu_class, cpu_class_fields),
	KIND(LAB_EV_WAKING, "waking", lab_ev_waking, waking_fields),
	KIND(LAB_EV_WAKEUP_NEW, "wakeup_new", lab_ev_wakeup_new, wakeup_new_fields),
	KIND(LAB_EV_MIGRATE, "migrate", lab_ev_migrate, migrate_fields),
	KIND(LAB_EV_TASK_NEW, "task_new", lab_ev_task, task_fields),
	KIND(LAB_EV_TASK_SEED, "task_seed", lab_ev_task, task_fields),
	KIND(LAB_EV_EXEC, "exec", lab_ev_exec, exec_fields),
	KIND(LAB_EV_EXIT, "exit", lab_ev_exit, exit_fields),
	KIND(LAB_EV_RENAME, "rename", lab_ev_rename, rename_fields),
	KIND(LAB_EV_EPOLL_CTL, "epoll_ctl", lab_ev_epoll_ctl, epoll_ctl_fields),
	KIND(LAB_EV_EPOLL_WAIT, "epoll_wait", lab_ev_epoll_wait, epoll_wait_fields),
	KIND(LAB_EV_EPOLL_READY, "epoll_ready", lab_ev_epoll_ready, epoll_ready_fields),
	KIND(LAB_EV_TASK_TOTAL, "task_total", lab_ev_task_total, task_total_fields),
	KIND(LAB_EV_CPU_TOTAL, "cpu_total", lab_ev_cpu_total, cpu_total_fields),
	KIND(LAB_EV_MARKER, "marker", lab_ev_marker, marker_fields),
	KIND(LAB_EV_AFFINITY, "affinity", lab_ev_affinity, affinity_fields),
	KIND(LAB_EV_GROUP, "group", lab_ev_group, group_fields),
	KIND(LAB_EV_THROTTLE, "throttle", lab_ev_throttle, throttle_fields),
};

const size_t schema_group_cnt = ARRAY_SIZE(schema_groups);
_Static_assert(ARRAY_SIZE(schema_groups) == LAB_EV_KIND_MAX, "one group per kind, and the row's");

size_t trace_event_size(unsigned int kind)
{
	return kind > LAB_EV_NONE && kind < LAB_EV_KIND_MAX ? schema_groups[kind].event_size : 0;
}
