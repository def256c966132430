/* SPDX-License-Identifier: GPL-2.0-only */
#include "record/kernel_btf.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/btf.h>
#include <string.h>
#include <unistd.h>

#include "util/io.h"
#include "util/log.h"

#define KERNEL_BTF "/sys/kernel/btf/vmlinux"

/*
 * The tracepoint's C prototype is the typedef btf_trace_NAME: a pointer to a
 * function whose first parameter is the probe's private data. fa2c3254d7cf put
 * prev_state second before 9c2136be0878 moved it last: the former order may survive in a backport.
 */
static int switch_arg_count(const struct btf *btf)
{
	int id = btf__find_by_name_kind(btf, "btf_trace_sched_switch", BTF_KIND_TYPEDEF);
	const struct btf_type *proto, *third;

	if (id < 0)
		return 0;
	proto = btf__type_by_id(btf, btf__type_by_id(btf, id)->type);
	if (!proto || !btf_is_ptr(proto))
		return 0;
	proto = btf__type_by_id(btf, proto->type);
	if (!proto || !btf_is_func_proto(proto) || btf_vlen(proto) < 4)
		return 0;
	third = btf__type_by_id(btf, btf_params(proto)[2].type);
	if (!third || !btf_is_ptr(third))
		return 0;
	return btf_vlen(proto) == 4 ? 3 : 4;
}

/* The byte offset of a member, looking into anonymous structs and unions; -1 if absent. */
static int64_t member_off(const struct btf *btf, const struct btf_type *type, const char *name)
{
	const struct btf_member *members = btf_members(type);

	for (uint32_t i = 0; i < btf_vlen(type); i++) {
		const char *member = btf__name_by_offset(btf, members[i].name_off);
		int64_t off = btf_member_bit_offset(type, i) / 8;
		const struct btf_type *inner;
		int64_t inner_off;

		if (!strcmp(member, name))
			return off;
		inner = btf__type_by_id(btf, members[i].type);
		if (*member || !btf_is_composite(inner))
			continue;
		inner_off = member_off(btf, inner, name);
		if (inner_off >= 0)
			return off + inner_off;
	}
	return -1;
}

/*
 * __preempt_count is a variable of its own before 6.2 and from 6.15 on, and a
 * member of pcpu_hot in between (64701838bf057, 46e8fff6d45f).
 */
static void read_percpu(const struct btf *btf, struct kernel_facts *out)
{
	int id = btf__find_by_name_kind(btf, ".data..percpu", BTF_KIND_DATASEC);
	const struct btf_var_secinfo *vars;
	const struct btf_type *section;
	bool have_rq = false, have_count = false;

	if (id < 0)
		return;
	section = btf__type_by_id(btf, id);
	vars = btf_var_secinfos(section);
	for (uint32_t i = 0; i < btf_vlen(section); i++) {
		const struct btf_type *var = btf__type_by_id(btf, vars[i].type);
		const char *name = btf__name_by_offset(btf, var->name_off);

		if (!strcmp(name, "runqueues")) {
			out->runqueues_off = vars[i].offset;
			have_rq = true;
		} else if (!strcmp(name, "__preempt_count")) {
			out->preempt_count_off = vars[i].offset;
			have_count = true;
		} else if (!strcmp(name, "pcpu_hot")) {
			int64_t off = member_off(btf, btf__type_by_id(btf, var->type),
						 "preempt_count");

			if (off < 0)
				continue;
			out->preempt_count_off = vars[i].offset + off;
			have_count = true;
		}
	}
	out->percpu_known = have_rq && have_count;
}

static bool has_member(const struct btf *btf, const char *name, const char *member)
{
	int id = btf__find_by_name_kind(btf, name, BTF_KIND_STRUCT);

	return id > 0 && member_off(btf, btf__type_by_id(btf, id), member) >= 0;
}

/*
 * task_group.cfs_rq: an array of pointers, or (seen in 7.2) one per-CPU pointer to the queues
 * themselves. Return: how many pointers lead to a queue; 0: no such member, or another type.
 */
static int queue_indirections(const struct btf *btf)
{
	int id = btf__find_by_name_kind(btf, "task_group", BTF_KIND_STRUCT), cnt = 0;
	const struct btf_type *type = id > 0 ? btf__type_by_id(btf, id) : NULL;
	uint32_t i = 0;

	while (type && i < btf_vlen(type) &&
	       strcmp(btf__name_by_offset(btf, btf_members(type)[i].name_off), "cfs_rq"))
		i++;
	if (!type || i == btf_vlen(type))
		return 0;
	type = btf__type_by_id(btf, btf_members(type)[i].type);
	for (; type && btf_is_ptr(type); type = btf__type_by_id(btf, type->type))
		cnt++;
	return type && btf_is_struct(type) ? cnt : 0;
}

static void read_throttling(const struct btf *btf, struct kernel_facts *out)
{
	int indirections = queue_indirections(btf);

	out->queues_percpu = indirections == 1;
	if (btf__find_by_name_kind(btf, "btf_trace_sched_update_nr_running_tp",
				   BTF_KIND_TYPEDEF) < 0 ||
	    !has_member(btf, "cfs_rq", "throttle_count") ||
	    !indirections || indirections > 2)
		return;
	out->throttling = has_member(btf, "task_struct", "throttled") ? LAB_THROTTLING_TASK :
									LAB_THROTTLING_QUEUE;
}

/* libbpf tries several files, and then says ESRCH: the reason is that of the first file. */
int kernel_btf_load(struct btf **out)
{
	int err;

	*out = btf__load_vmlinux_btf();
	if (!libbpf_get_error(*out))
		return 0;
	*out = NULL;
	if (access(KERNEL_BTF, R_OK))
		return errno == ENOENT ? -ENOTSUP : -errno;
	*out = btf__parse(KERNEL_BTF, NULL);
	err = (int)libbpf_get_error(*out);
	if (!err)
		return 0;
	*out = NULL;
	/* What can be read and is no such information is none. */
	return err == -ENOMEM || err == -EMFILE || err == -ENFILE || err == -EACCES ? err :
										       -ENOTSUP;
}

int kernel_facts_read(struct kernel_facts *out)
{
	struct btf *btf;
	int err = kernel_btf_load(&btf);

	*out = (struct kernel_facts){ 0 };
	if (err == -ENOTSUP)
		log_err("this kernel has no type information (" KERNEL_BTF " is not there, or "
			"holds none): lab needs one built with CONFIG_DEBUG_INFO_BTF, as "
			"Debian's are since 5.10");
	else if (err)
		log_err("cannot read this kernel's type information (" KERNEL_BTF "): %s",
			io_reason(-err));
	if (err)
		return err;
	out->switch_args = switch_arg_count(btf);
	read_percpu(btf, out);
	read_throttling(btf, out);
	btf__free(btf);
	return 0;
}
