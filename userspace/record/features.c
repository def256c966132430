/* SPDX-License-Identifier: GPL-2.0-only */
#include "record/features.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "record/kernel_btf.h"
#include "util/minmax.h"

#define PROBE_LOG_BYTES 8192

enum probe_kind {
	PROBE_BTF,		/* the kernel describes its types */
	PROBE_LOAD,		/* a program on a typed tracepoint passes the verifier */
	PROBE_MAP,		/* a map of type `id` can be made */
	PROBE_HELPER,		/* tracing programs may call helper `id` */
	PROBE_FUNC,		/* the kernel has function `symbol` */
	PROBE_TRACEPOINT,	/* it has a typed tracepoint `name` */
};

/* One row of the table: what to report, and how to try it. */
struct probe {
	struct record_feature feature;
	enum probe_kind kind;
	int id;
	const char *symbol;	/* the id's name in the kernel's enums, or the function's */
};

/* What every probe needs. */
struct prober {
	struct btf *btf;	/* of the kernel; NULL: none was loaded */
	int btf_err;		/* -ENOTSUP: there is none, -errno: it could not be read */
	int attach_id;		/* of a tracepoint every such kernel has; 0: none */
	/* Of an empty program on it: 0, -EPERM (this user may not) or -errno. */
	int load_err;
};

#define FEATURE(text, version, why) \
	.feature = { .name = text, .since = version, .use = why, .required = true }
#define TRACEPOINT(text, need, why) \
	{ .feature = { .name = text, .since = "5.5", .use = why, .tracepoint = true, \
		       .required = need }, .kind = PROBE_TRACEPOINT }

static const struct probe probes[] = {
	{ FEATURE("BTF", "5.4", "where the fields of the kernel's structures lie"),
	  .kind = PROBE_BTF },
	{ FEATURE("tp_btf", "5.5", "programs on typed tracepoints"), .kind = PROBE_LOAD },
	{ FEATURE("ring buffer", "5.8", "the way from the probes to lab"),
	  .kind = PROBE_MAP, .id = BPF_MAP_TYPE_RINGBUF, .symbol = "BPF_MAP_TYPE_RINGBUF" },
	{ FEATURE("task iterator", "5.8", "marking a process that runs already"),
	  .kind = PROBE_FUNC, .symbol = "bpf_iter_task" },
	{ FEATURE("current task", "5.11", "knowing who wakes whom"), .kind = PROBE_HELPER,
	  .id = BPF_FUNC_get_current_task_btf, .symbol = "BPF_FUNC_get_current_task_btf" },
	{ FEATURE("task storage", "5.13", "following a program's tree"),
	  .kind = PROBE_HELPER, .id = BPF_FUNC_task_storage_get,
	  .symbol = "BPF_FUNC_task_storage_get" },
	{ FEATURE("task registers", "5.15", "why a task blocks (bpf_task_pt_regs)"),
	  .kind = PROBE_HELPER, .id = BPF_FUNC_task_pt_regs, .symbol = "BPF_FUNC_task_pt_regs" },
	TRACEPOINT("sched_switch", true, "who has a CPU"),
	TRACEPOINT("sched_waking", true, "who wakes whom"),
	TRACEPOINT("sched_wakeup_new", true, "when a task begins"),
	TRACEPOINT("sched_migrate_task", true, "moves between CPUs"),
	TRACEPOINT("task_newtask", true, "births"),
	TRACEPOINT("sched_process_exec", true, "names"),
	TRACEPOINT("sched_process_exit", true, "ends"),
	TRACEPOINT("task_rename", true, "names"),
	TRACEPOINT("sys_enter", false, "operations of event loops (--ops)"),
	TRACEPOINT("sys_exit", false, "operations of event loops (--ops)"),
};

_Static_assert(ARRAY_SIZE(probes) <= RECORD_FEATURES_MAX, "features");

/* Return: the BTF id to attach to, or a negative number. */
static int tracepoint_id(const struct btf *btf, const char *name)
{
	char type[64];

	snprintf(type, sizeof(type), "btf_trace_%s", name);
	return btf__find_by_name_kind(btf, type, BTF_KIND_TYPEDEF);
}

/* Load a tracing program and let go of it. Return: 0 or -errno; the verifier's words in @log. */
static int try_load(const struct prober *p, const struct bpf_insn *insns, size_t cnt, char *log,
		    size_t log_size)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts,
		.expected_attach_type = BPF_TRACE_RAW_TP,
		.attach_btf_id = (uint32_t)p->attach_id,
		.log_buf = log,
		.log_size = (uint32_t)log_size,
		.log_level = 1,
	);
	int fd;

	log[0] = '\0';
	fd = bpf_prog_load(BPF_PROG_TYPE_TRACING, "lab_probe", "GPL", insns, cnt, &opts);
	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

static int try_empty(const struct prober *p)
{
	static const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	char log[PROBE_LOG_BYTES];

	return try_load(p, insns, ARRAY_SIZE(insns), log, sizeof(log));
}

/*
 * Called without arguments, a helper that is there is refused for its
 * arguments, and one that is not for its name.
 */
static int try_helper(const struct prober *p, int id)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_JMP | BPF_CALL, .imm = id },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	static const char *const absent[] = {
		"invalid func ", "unknown func ", "program of this type cannot use helper ",
	};
	char log[PROBE_LOG_BYTES];

	if (!try_load(p, insns, ARRAY_SIZE(insns), log, sizeof(log)))
		return FEATURE_PRESENT;
	if (!log[0])
		return FEATURE_UNTRIED;
	for (size_t i = 0; i < ARRAY_SIZE(absent); i++)
		if (strstr(log, absent[i]))
			return FEATURE_MISSING;
	return FEATURE_PRESENT;
}

/* Is @name among the values of one of the kernel's enums that number BPF's map types or helpers? */
static bool enum_has(const struct btf *btf, const char *enum_name, const char *name)
{
	int type_id = enum_name ? btf__find_by_name_kind(btf, enum_name, BTF_KIND_ENUM) : -1;
	const struct btf_type *type = type_id > 0 ? btf__type_by_id(btf, (uint32_t)type_id) : NULL;
	const struct btf_enum *values = type ? btf_enum(type) : NULL;

	for (int i = 0; type && i < btf_vlen(type); i++) {
		const char *value = btf__name_by_offset(btf, values[i].name_off);

		if (value && !strcmp(value, name))
			return true;
	}
	return false;
}

/* For a user who may not try. The helpers' enum has no name of its own on many kernels. */
static int untried(const struct prober *p, const struct probe *probe)
{
	if (p->btf && probe->kind == PROBE_MAP &&
	    !enum_has(p->btf, "bpf_map_type", probe->symbol))
		return FEATURE_MISSING;
	if (p->btf && probe->kind == PROBE_HELPER &&
	    btf__find_by_name_kind(p->btf, "bpf_func_id", BTF_KIND_ENUM) > 0 &&
	    !enum_has(p->btf, "bpf_func_id", probe->symbol))
		return FEATURE_MISSING;
	return FEATURE_UNTRIED;
}

static int probe_state(const struct prober *p, const struct probe *probe)
{
	switch (probe->kind) {
	case PROBE_BTF:
		if (p->btf_err && p->btf_err != -ENOTSUP)
			return FEATURE_UNTRIED;
		return p->btf ? FEATURE_PRESENT : FEATURE_MISSING;
	case PROBE_TRACEPOINT:
		return p->btf ? tracepoint_id(p->btf, probe->feature.name) > 0 : FEATURE_UNTRIED;
	case PROBE_FUNC:
		return p->btf ? btf__find_by_name_kind(p->btf, probe->symbol, BTF_KIND_FUNC) > 0 :
				FEATURE_UNTRIED;
	case PROBE_LOAD:
		if (p->load_err == -EPERM)
			return FEATURE_UNTRIED;
		return p->load_err ? FEATURE_MISSING : FEATURE_PRESENT;
	case PROBE_MAP:
		if (p->load_err)
			return untried(p, probe);
		return libbpf_probe_bpf_map_type((enum bpf_map_type)probe->id, NULL) == 1;
	case PROBE_HELPER:
		return p->load_err ? untried(p, probe) : try_helper(p, probe->id);
	}
	return FEATURE_UNTRIED;
}

size_t record_features(struct record_feature *out, size_t cap)
{
	libbpf_print_fn_t print = libbpf_set_print(NULL);
	struct prober p = { 0 };
	size_t cnt = 0;

	p.btf_err = kernel_btf_load(&p.btf);
	if (p.btf)
		p.attach_id = tracepoint_id(p.btf, "sched_switch");
	if (p.attach_id > 0)
		p.load_err = try_empty(&p);
	else
		p.load_err = p.btf_err && p.btf_err != -ENOTSUP ? p.btf_err : -ENOENT;
	for (; cnt < ARRAY_SIZE(probes) && cnt < cap; cnt++) {
		out[cnt] = probes[cnt].feature;
		out[cnt].state = p.load_err == -ENOMEM ? FEATURE_NO_MEMORY :
							 probe_state(&p, &probes[cnt]);
	}
	btf__free(p.btf);
	libbpf_set_print(print);
	return cnt;
}

const struct record_feature *record_feature_missing(const struct record_feature *rows, size_t cnt)
{
	for (size_t i = 0; i < cnt; i++)
		if (rows[i].required && rows[i].state == FEATURE_MISSING)
			return &rows[i];
	return NULL;
}
